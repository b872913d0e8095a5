//! The repository of a run, in memory or behind a Git server: what a scenario pushes goes in, what
//! the engine fetches comes out.

use crate::engine::model::GitId;
use crate::lab::world::git::{GitError, GitWorld};

use super::error::SiteError;
use super::served::Served;

/// The repository of a run.
pub enum Repository {
    /// In memory: a push is there at once, and what the engine fetches is read from the same place.
    Memory(Box<GitWorld>),
    /// Behind a Git server, in real time.
    Wire(Box<Served>),
}

impl Repository {
    /// The repository as whoever pushes to it knows it.
    #[must_use]
    pub fn world(&self) -> &GitWorld {
        match self {
            Self::Memory(git) => git,
            Self::Wire(served) => served.world(),
        }
    }

    /// The same, to be committed to; what is committed is pushed by [`Repository::push`].
    pub fn world_mut(&mut self) -> &mut GitWorld {
        match self {
            Self::Memory(git) => git,
            Self::Wire(served) => served.world_mut(),
        }
    }

    /// Pushes what was committed; in memory it is there already. `is_forced` where the branch may
    /// go back.
    ///
    /// # Errors
    /// The server does not take it.
    pub fn push(&mut self, is_forced: bool) -> Result<(), SiteError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Wire(served) => served.push(is_forced),
        }
    }

    /// The newest commit of the branch.
    #[must_use]
    pub fn head(&self) -> GitId {
        self.world().head()
    }

    /// The id of a commit that is named.
    ///
    /// # Errors
    /// As [`GitWorld::resolve`].
    pub fn resolve(&self, rev: &str) -> Result<GitId, GitError> {
        self.world().resolve(rev)
    }

    /// The engine's note of a commit.
    ///
    /// # Errors
    /// As [`GitWorld::note_of`].
    pub fn note_of(&self, commit: &str) -> Result<Option<String>, GitError> {
        match self {
            Self::Memory(git) => git.note_of(commit),
            Self::Wire(served) => served.note_of(commit),
        }
    }
}
