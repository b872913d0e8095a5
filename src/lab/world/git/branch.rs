//! Branches, tags, force-pushes and merges of a run's repository.

use gix::ObjectId;

use super::draft::{Draft, Edit};
use super::{Commit, GitError, GitWorld};
use crate::engine::source::{self, Signature, commit, merge};

impl GitWorld {
    /// A new branch at a commit. The default branch stays what it is.
    ///
    /// # Errors
    /// `Name` where there is one of that name, or no branch can be called so; `Revision`.
    pub fn branch(&mut self, name: &str, rev: &str) -> Result<(), GitError> {
        let id = self.resolve_id(rev)?;
        self.new_ref("refs/heads/", name, id)
    }

    /// Commits on a branch, as [`GitWorld::commit`] does on the default one.
    ///
    /// # Errors
    /// `Name` where there is no such branch; else as [`GitWorld::commit`].
    pub fn commit_on(
        &mut self,
        branch: &str,
        edits: &[Edit],
        message: &str,
        by: &Signature,
    ) -> Result<Commit, GitError> {
        let (full, tip) = self.branch_tip(branch)?;
        let mut draft = Draft::new(&self.objects, &full, tip)?;
        draft.edit(edits)?;
        let staged = draft.finish()?;
        self.commit_staged(staged, message, by)
    }

    /// A tag at the newest commit of the default branch; gives that commit.
    ///
    /// # Errors
    /// `Name` where there is one of that name, or no tag can be called so.
    pub fn tag(&mut self, name: &str) -> Result<Commit, GitError> {
        let id = self.head_id();
        self.new_ref("refs/tags/", name, id)?;
        self.commit_of(id)
    }

    /// Sets the default branch to a commit, whatever it was; commits that nothing refers to any
    /// more can still be named by id.
    ///
    /// # Errors
    /// `Revision`.
    pub fn force_to(&mut self, rev: &str) -> Result<Commit, GitError> {
        let id = self.resolve(rev)?;
        self.advance(&id)
    }

    /// Merges a branch, or any commit, into the default branch, always with a merge commit.
    /// `message` replaces Git's own wording. Where the two have several best common ancestors,
    /// the first of them is taken.
    ///
    /// # Errors
    /// `Name` where everything of it is merged already or there is no common history; `Source`
    /// with the paths where both changed the same lines; `Revision`.
    pub fn merge(
        &mut self,
        rev: &str,
        message: Option<&str>,
        by: &Signature,
    ) -> Result<Commit, GitError> {
        let (ours, theirs) = (self.head_id(), self.resolve_id(rev)?);
        let wrong = |why: &str| GitError::Name { name: rev.to_owned(), why: why.to_owned() };
        let base = self.common_ancestor(ours, theirs)?;
        let base = base.ok_or_else(|| wrong("it has no history in common with the branch"))?;
        if base == theirs {
            return Err(wrong("everything of it is merged already"));
        }
        let tree = |id| commit::header(&self.objects, id).map(|header| header.tree);
        let what = format!("merging {rev}");
        let tree = merge::merge(&self.objects, &what, tree(base)?, tree(ours)?, tree(theirs)?)?;
        let kind =
            if self.refs.contains_key(&format!("refs/heads/{rev}")) { "branch" } else { "commit" };
        let usual = format!("Merge {kind} '{rev}'");
        let message = message.unwrap_or(&usual);
        let id = commit::write(&self.objects, tree, &[ours, theirs], message, by)?;
        self.advance(&source::git_id(&id))
    }

    fn common_ancestor(&self, one: ObjectId, two: ObjectId) -> Result<Option<ObjectId>, GitError> {
        let mut graph = gix::revwalk::Graph::new(&self.objects, None);
        let bases = gix::revision::plumbing::merge_base(one, &[two], &mut graph);
        let failed = |e: gix::Error| source::SourceError::Failed {
            what: format!("looking for the common history of {one} and {two}"),
            why: e.to_string(),
        };
        Ok(bases.map_err(failed)?.map(|found| *found.first()))
    }

    fn branch_tip(&self, name: &str) -> Result<(String, ObjectId), GitError> {
        let full = format!("refs/heads/{name}");
        match self.refs.get(&full) {
            Some(id) => Ok((full, *id)),
            None => {
                let why = "there is no branch of that name".to_owned();
                Err(GitError::Name { name: name.to_owned(), why })
            }
        }
    }

    fn new_ref(&mut self, place: &str, name: &str, id: ObjectId) -> Result<(), GitError> {
        let full = format!("{place}{name}");
        let wrong = |why: String| Err(GitError::Name { name: name.to_owned(), why });
        if let Err(error) = gix::validate::reference::name(full.as_str().into()) {
            return wrong(format!("no branch or tag can be called so: {error}"));
        }
        if self.refs.contains_key(&full) {
            return wrong("there is one of that name already".to_owned());
        }
        self.refs.insert(full, id);
        Ok(())
    }
}
