//! The Git repository of a run: commits, branches, tags and notes that live in memory, over
//! nothing, over a folder, or over somebody's own repository, which is only ever read.
//!
//! Times and authors are arguments, so the same pushes give the same commit ids in every run.
//!
//! - `error`: what can go wrong, in words for the scenario's author
//! - `objects`: the object database in memory
//! - `open`, `first`: where a world begins
//! - `elsewhere`: repositories that are only looked at, or fetched
//! - `folder`: one folder while it is edited
//! - `draft`: the next commit while it is made
//! - `revs`: what `HEAD~2`, a tag or a short id stand for
//! - `branch`: branches, tags and merges
//! - `field`, `pins`: YAML edited in place, every other byte kept
//!
//! Not here: pushes as the engine sees them (webhooks, polls, outages), and serving Git over HTTP.

mod branch;
mod draft;
pub mod elsewhere;
mod error;
mod field;
mod first;
mod folder;
mod objects;
mod open;
mod pins;
mod revs;

use std::collections::BTreeMap;
use std::sync::Arc;

use gix::ObjectId;

use crate::base::Time;
use crate::engine::model::{Artifact, GitId};
use crate::engine::source::{self, NOTES_REF, Signature, notes};

pub use draft::{Draft, Edit, Staged};
pub use error::GitError;
pub use field::Document;
pub use objects::Objects;
pub use open::is_repository;

/// A commit of the run's repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: GitId,
    /// The id of its files' tree.
    pub tree: GitId,
    /// The commits it follows; the first is the branch it was made on.
    pub parents: Vec<GitId>,
    /// The first line of its message.
    pub subject: String,
}

/// The repository of a run.
#[derive(Clone)]
pub struct GitWorld {
    objects: Objects,
    /// Full reference names (`refs/heads/main`); a tag may point at a tag object. Always holds
    /// `branch`.
    refs: BTreeMap<String, ObjectId>,
    /// The full name of the default branch.
    branch: String,
    notices: Vec<String>,
}

/// Who pushes when a scenario names nobody.
#[must_use]
pub fn scenario_author(now: Time) -> Signature {
    Signature::new("towtank scenario", "scenario@towtank.invalid", now)
}

/// Who pushes what a pipeline has built.
#[must_use]
pub fn pipeline_author(now: Time) -> Signature {
    Signature::new("towtank pipeline", "pipeline@towtank.invalid", now)
}

impl GitWorld {
    /// The objects, to be read by `engine::source`.
    #[must_use]
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The full name of the default branch.
    #[must_use]
    pub fn branch_reference(&self) -> &str {
        &self.branch
    }

    /// Branches, tags and notes by their full names.
    #[must_use]
    pub fn references(&self) -> &BTreeMap<String, ObjectId> {
        &self.refs
    }

    /// The default branch's name, without `refs/heads/`.
    #[must_use]
    pub fn branch_name(&self) -> &str {
        short_name(&self.branch)
    }

    /// The newest commit of the default branch.
    #[must_use]
    pub fn head(&self) -> GitId {
        source::git_id(&self.head_id())
    }

    /// The newest commit of the default branch with its files, read anew.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn artifact(&self) -> Result<Artifact, GitError> {
        Ok(source::Trees::new().artifact(self.objects(), &self.head())?)
    }

    /// What whoever reads the run's output should know about the repository: symbolic links in
    /// the folder, files that were passed over, a shallow history.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Commits on the default branch. The edits are made in order; none, or some that come to
    /// nothing, give an empty commit.
    ///
    /// # Errors
    /// `BadPath`, `NoFile`, `InTheWay` for an edit that cannot be made; then nothing changed.
    pub fn commit(
        &mut self,
        edits: &[Edit],
        message: &str,
        by: &Signature,
    ) -> Result<Commit, GitError> {
        let mut draft = self.draft()?;
        draft.edit(edits)?;
        let staged = draft.finish()?;
        self.commit_staged(staged, message, by)
    }

    /// Begins the next commit of the default branch; see [`Draft`] for what can be done to it.
    ///
    /// # Errors
    /// `Source` where the newest commit cannot be read.
    pub fn draft(&self) -> Result<Draft<'_>, GitError> {
        Draft::new(&self.objects, &self.branch, self.head_id())
    }

    /// Commits what a draft came to, on the branch that the draft began on.
    ///
    /// # Errors
    /// `Source` where the message or author cannot be written.
    pub fn commit_staged(
        &mut self,
        staged: Staged,
        message: &str,
        by: &Signature,
    ) -> Result<Commit, GitError> {
        let parents = [staged.parent];
        let id = source::commit::write(&self.objects, staged.tree, &parents, message, by)?;
        self.refs.insert(staged.branch, id);
        self.commit_of(id)
    }

    /// Takes a commit of the default branch back with a commit on top, as `git revert` does.
    /// `message` replaces Git's own wording.
    ///
    /// # Errors
    /// `Revision` where `rev` is none; `Source` for a first commit, one that is taken back
    /// already, or one whose lines were changed since.
    pub fn revert(
        &mut self,
        rev: &str,
        message: Option<&str>,
        by: &Signature,
    ) -> Result<Commit, GitError> {
        let (head, bad) = (self.head(), self.resolve(rev)?);
        let id = match message {
            None => source::revert(&self.objects, &head, &bad, "", by)?,
            Some(text) => source::revert::revert_saying(&self.objects, &head, &bad, text, by)?,
        };
        self.advance(&id)
    }

    /// Pushes the revert that the engine asked for: `bad` is a full id, `reason` is told in the
    /// message.
    ///
    /// # Errors
    /// As [`GitWorld::revert`].
    pub fn revert_for_engine(
        &mut self,
        bad: &str,
        reason: &str,
        by: &Signature,
    ) -> Result<Commit, GitError> {
        let id = source::revert(&self.objects, &self.head(), bad, reason, by)?;
        self.advance(&id)
    }

    /// Adds a line to the engine's note of a commit; gives the new tip of the notes.
    ///
    /// # Errors
    /// `Source` where `commit` is no full id or the notes cannot be read.
    pub fn note(&mut self, commit: &str, line: &str, by: &Signature) -> Result<GitId, GitError> {
        let tip = self.notes_tip();
        let tip = notes::append(&self.objects, tip.as_deref(), commit, line, by)?;
        self.refs.insert(NOTES_REF.to_owned(), source::object_id(&tip)?);
        Ok(tip)
    }

    /// The engine's note of a commit; `None` where it has none.
    ///
    /// # Errors
    /// As [`GitWorld::note`].
    pub fn note_of(&self, commit: &str) -> Result<Option<String>, GitError> {
        Ok(notes::note(&self.objects, self.notes_tip().as_deref(), commit)?)
    }

    /// The newest commit of the engine's notes; `None` where there are none.
    #[must_use]
    pub fn notes_tip(&self) -> Option<GitId> {
        self.refs.get(NOTES_REF).map(|id| source::git_id(id))
    }

    /// A file of the newest commit.
    ///
    /// # Errors
    /// `NoFile`, with the nearest path that there is.
    pub fn read_file(&self, path: &str) -> Result<Arc<[u8]>, GitError> {
        self.draft()?.read(path)
    }

    /// The paths of the newest commit that match a pattern, sorted: `*` and `?` stay within a
    /// folder, `**` goes through folders.
    ///
    /// # Errors
    /// `Source` where a folder cannot be read.
    pub fn list(&self, pattern: &str) -> Result<Vec<String>, GitError> {
        let mode = gix::glob::wildmatch::Mode::NO_MATCH_SLASH_LITERAL;
        let mut paths = self.draft()?.paths()?;
        paths.retain(|path| gix::glob::wildmatch(pattern.into(), path.as_str().into(), mode));
        Ok(paths)
    }

    fn head_id(&self) -> ObjectId {
        *self.refs.get(&self.branch).expect("because no world is made without its branch")
    }

    /// Moves the default branch to a commit that exists.
    fn advance(&mut self, id: &str) -> Result<Commit, GitError> {
        let id = source::object_id(id)?;
        self.refs.insert(self.branch.clone(), id);
        self.commit_of(id)
    }

    fn commit_of(&self, id: ObjectId) -> Result<Commit, GitError> {
        let header = source::commit::header(&self.objects, id)?;
        Ok(Commit {
            id: source::git_id(&id),
            tree: source::git_id(&header.tree),
            parents: header.parents.iter().map(|id| source::git_id(id)).collect(),
            subject: header.subject,
        })
    }
}

impl std::fmt::Debug for GitWorld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitWorld").field("branch", &self.branch).field("refs", &self.refs).finish()
    }
}

/// A branch's or tag's name as people write it.
fn short_name(full: &str) -> &str {
    full.strip_prefix("refs/heads/").or_else(|| full.strip_prefix("refs/tags/")).unwrap_or(full)
}
