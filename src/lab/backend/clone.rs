//! The engine's clone of the repository: fetched over HTTP, shallow at first and then only what is
//! new, and never checked out.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use gix::remote::{Direction, fetch};

use crate::engine::model::{Artifact, GitId};
use crate::engine::source::{self, Signature, Trees};

/// The clone.
pub(super) struct Checkout {
    repo: gix::Repository,
    url: String,
    /// The full name of the branch that is followed.
    branch: String,
    trees: Trees,
}

/// Where the branch is kept in the clone.
const TRACKED: &str = "refs/remotes/origin/tracked";
/// Where a commit is kept that was asked for by its id.
const ASKED: &str = "refs/towtank/asked";

impl Checkout {
    /// A clone in `folder`, which is made where it is not there, of a branch at `url`.
    ///
    /// # Errors
    /// The folder cannot be used, in words.
    pub(super) fn open(folder: &PathBuf, url: &str, branch: &str) -> Result<Self, String> {
        let options = gix::open::Options::isolated().with(gix::sec::Trust::Full);
        let repo = if folder.join("HEAD").exists() {
            gix::open_opts(folder, options)
        } else {
            gix::init_bare(folder).map(|_| ()).map_err(|error| error.to_string())?;
            gix::open_opts(folder, options)
        };
        let repo = repo.map_err(|error| error.to_string())?;
        let (url, branch) = (url.to_owned(), branch.to_owned());
        Ok(Self { repo, url, branch, trees: Trees::new() })
    }

    /// The newest commit of the branch, and its files.
    ///
    /// # Errors
    /// It cannot be fetched, in words.
    pub(super) fn head(&mut self) -> Result<Artifact, String> {
        let commit = self.follow()?;
        self.artifact(&commit)
    }

    /// Fetches the branch; its newest commit.
    ///
    /// # Errors
    /// It cannot be fetched, in words.
    pub(super) fn follow(&mut self) -> Result<GitId, String> {
        let is_empty = self.repo.try_find_reference(TRACKED).ok().flatten().is_none();
        let shallow = match is_empty {
            true => fetch::Shallow::DepthAtRemote(std::num::NonZeroU32::MIN),
            false => fetch::Shallow::NoChange,
        };
        let spec = format!("+{}:{TRACKED}", self.branch);
        self.fetch(&spec, shallow)?;
        self.at(TRACKED)
    }

    /// A commit that is named by its id, and its files.
    ///
    /// # Errors
    /// It cannot be had, in words.
    pub(super) fn commit(&mut self, commit: &str) -> Result<Artifact, String> {
        if let Ok(artifact) = self.artifact(commit) {
            return Ok(artifact);
        }
        let depth = fetch::Shallow::DepthAtRemote(std::num::NonZeroU32::MIN);
        self.fetch(&format!("+{commit}:{ASKED}"), depth)?;
        self.artifact(commit)
    }

    /// Writes the commit that takes `bad` back on top of the branch; it is in no branch yet.
    ///
    /// # Errors
    /// It cannot be taken back, in words.
    pub(super) fn revert(
        &mut self,
        bad: &str,
        reason: &str,
        by: &Signature,
    ) -> Result<GitId, String> {
        let head = self.follow()?;
        let first = source::revert(&self.repo, &head, bad, reason, by);
        match first {
            Err(source::SourceError::Missing { .. }) => {
                // The commit before the bad one lies behind what a shallow clone has.
                let spec = format!("+{}:{TRACKED}", self.branch);
                self.fetch(&spec, fetch::Shallow::undo())?;
                source::revert(&self.repo, &head, bad, reason, by)
                    .map_err(|error| error.to_string())
            }
            other => other.map_err(|error| error.to_string()),
        }
    }

    /// Writes the next commit of the notes, with a line more about `commit`; it is in no
    /// reference yet.
    ///
    /// # Errors
    /// The notes cannot be read or written, in words.
    pub(super) fn note(
        &mut self,
        tip: Option<&str>,
        commit: &str,
        line: &str,
        by: &Signature,
    ) -> Result<GitId, String> {
        source::notes::append(&self.repo, tip, commit, line, by).map_err(|error| error.to_string())
    }

    fn artifact(&mut self, commit: &str) -> Result<Artifact, String> {
        self.trees.artifact(&self.repo.objects, commit).map_err(|error| error.to_string())
    }

    fn at(&self, reference: &str) -> Result<GitId, String> {
        let mut found = self.repo.find_reference(reference).map_err(|error| error.to_string())?;
        let id = found.peel_to_id().map_err(|error| error.to_string())?;
        Ok(source::git_id(&id))
    }

    fn fetch(&self, spec: &str, shallow: fetch::Shallow) -> Result<(), String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let remote = self.repo.remote_at(self.url.as_str()).map_err(|e| text(&e))?;
        let remote = remote.with_fetch_tags(fetch::Tags::None);
        let remote = remote.with_refspecs([spec], Direction::Fetch).map_err(|e| text(&e))?;
        let connection = remote.connect(Direction::Fetch).map_err(|e| text(&e))?;
        let options = gix::remote::ref_map::Options::default();
        let prepared =
            connection.prepare_fetch(gix::progress::Discard, options).map_err(|e| text(&e))?;
        let never = AtomicBool::new(false);
        let received = prepared.with_shallow(shallow).receive(gix::progress::Discard, &never);
        received.map(drop).map_err(|e| text(&e))
    }
}
