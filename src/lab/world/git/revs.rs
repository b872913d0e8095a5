//! What a name of a commit stands for: `HEAD`, a branch, a tag, a full or short id, a full
//! reference name, each with `~2` and `^2` behind it. The rest of Git's revision syntax is not
//! understood and is refused.

use std::collections::BTreeSet;

use gix::ObjectId;
use gix::objs::{Kind, TagRef};

use super::error::nearest_is;
use super::{Commit, GitError, GitWorld, short_name};
use crate::base::limits;
use crate::engine::model::GitId;
use crate::engine::source::{commit, git_id};

/// The shortest id that is looked for.
const SHORTEST_ID: usize = 4;

impl GitWorld {
    /// The full id of the commit that a name stands for. Where several could be meant, a tag goes
    /// before a branch, and both before a short id, as in Git.
    ///
    /// # Errors
    /// `Revision` with the reason, and the nearest name that there is.
    pub fn resolve(&self, rev: &str) -> Result<GitId, GitError> {
        self.resolve_id(rev).map(|id| git_id(&id))
    }

    /// Commits from one back along first parents, newest first, at most `most`.
    ///
    /// # Errors
    /// As [`GitWorld::resolve`].
    pub fn log(&self, rev: &str, most: usize) -> Result<Vec<Commit>, GitError> {
        let mut found = Vec::new();
        let mut next = Some(self.resolve_id(rev)?);
        while let Some(id) = next.filter(|_| found.len() < most) {
            next = commit::header(&self.objects, id)?.parents.first().copied();
            found.push(self.commit_of(id)?);
        }
        Ok(found)
    }

    pub(super) fn resolve_id(&self, rev: &str) -> Result<ObjectId, GitError> {
        let end = rev.find(['~', '^']).unwrap_or(rev.len());
        let (name, steps) = rev.split_at(end);
        if let Some(odd) = steps.chars().find(|c| !matches!(c, '~' | '^' | '0'..='9')) {
            return Err(no(rev, format!("`{odd}` is not understood")));
        }
        let mut id = self.peel(rev, self.named(rev, name)?)?;
        let mut rest = steps;
        while let Some(sign) = rest.chars().next() {
            let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
            let count = match &rest[1..=digits] {
                "" => 1,
                text => text.parse().map_err(|_| no(rev, format!("{text} is too large")))?,
            };
            id = match sign {
                '~' => self.ancestor(rev, id, count)?,
                _ => self.parent(rev, id, count)?,
            };
            rest = &rest[1 + digits..];
        }
        Ok(id)
    }

    fn named(&self, rev: &str, name: &str) -> Result<ObjectId, GitError> {
        if name == "HEAD" || name == "@" {
            return Ok(self.head_id());
        }
        let hexadecimal = name.bytes().all(|b| b.is_ascii_hexdigit());
        if hexadecimal && name.len() == 40 {
            return ObjectId::from_hex(name.as_bytes()).map_err(|e| no(rev, e.to_string()));
        }
        for place in ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"] {
            if let Some(id) = self.refs.get(&format!("{place}{name}")) {
                return Ok(*id);
            }
        }
        if hexadecimal && (SHORTEST_ID..40).contains(&name.len()) {
            return self.by_short_id(rev, name);
        }
        let names: BTreeSet<&str> =
            self.refs.keys().map(|full| short_name(full)).chain(["HEAD"]).collect();
        let near = nearest_is(name, names.into_iter());
        Err(no(rev, format!("there is no branch, tag or commit id `{name}`{near}")))
    }

    fn by_short_id(&self, rev: &str, digits: &str) -> Result<ObjectId, GitError> {
        let found = self.objects.commits_starting_with(digits);
        match found.map_err(|e| no(rev, e.to_string()))?.as_slice() {
            [] => Err(no(
                rev,
                "there is no branch or tag of that name, nor a commit whose id starts so"
                    .to_owned(),
            )),
            [one] => Ok(*one),
            [first, second, ..] => {
                Err(no(rev, format!("several commits start so, {first} and {second} among them")))
            }
        }
    }

    /// The commit that a tag object, or a tag of a tag, is about.
    fn peel(&self, rev: &str, mut id: ObjectId) -> Result<ObjectId, GitError> {
        for _ in 0..limits::FOLDER_DEPTH {
            let object = self.objects.get(id).map_err(|e| no(rev, e.to_string()))?;
            let Some((kind, bytes)) = object else {
                return Err(no(rev, format!("there is no object {id}")));
            };
            match kind {
                Kind::Commit => return Ok(id),
                Kind::Tag => {
                    let tag = TagRef::from_bytes(&bytes, id.kind());
                    id = tag.map_err(|e| no(rev, e.to_string()))?.target();
                }
                other => return Err(no(rev, format!("it is a {other}"))),
            }
        }
        Err(no(rev, "tags of tags without an end".to_owned()))
    }

    fn ancestor(&self, rev: &str, mut id: ObjectId, count: usize) -> Result<ObjectId, GitError> {
        for back in 0..count {
            let parents = commit::header(&self.objects, id)?.parents;
            let none = || no(rev, format!("history ends {back} commits back, at {id}"));
            id = *parents.first().ok_or_else(none)?;
        }
        Ok(id)
    }

    fn parent(&self, rev: &str, id: ObjectId, number: usize) -> Result<ObjectId, GitError> {
        let Some(index) = number.checked_sub(1) else { return Ok(id) };
        let parents = commit::header(&self.objects, id)?.parents;
        let none = || no(rev, format!("{id} has {} parents", parents.len()));
        parents.get(index).copied().ok_or_else(none)
    }
}

fn no(rev: &str, why: String) -> GitError {
    GitError::Revision { rev: rev.to_owned(), why }
}
