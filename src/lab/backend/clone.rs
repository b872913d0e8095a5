//! The engine's clone of the repository: fetched over HTTP, shallow at first and then only what is
//! new, and never checked out.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use gix::odb::store::init::Slots;
use gix::remote::{Direction, fetch};

use crate::engine::model::{Artifact, GitId};
use crate::engine::source::{self, Signature, Trees};

/// The clone.
pub(super) struct Checkout {
    repo: gix::Repository,
    folder: PathBuf,
    /// As many packs as the open repository has room for.
    room: usize,
    url: String,
    /// The full name of the branch that is followed.
    branch: String,
    trees: Trees,
}

/// Where the branch is kept in the clone.
const TRACKED: &str = "refs/remotes/origin/tracked";
/// Where a commit is kept that was asked for by its id.
const ASKED: &str = "refs/towtank/asked";

/// Packs that a repository has room for at least: each fetch adds one.
const ROOM: usize = 64;
/// Room that is always left, for what others fetch into the same folder meanwhile.
const SPARE: usize = 16;

impl Checkout {
    /// A clone in `folder`, which is made where it is not there, of a branch at `url`.
    ///
    /// # Errors
    /// The folder cannot be used, in words.
    pub(super) fn open(folder: &PathBuf, url: &str, branch: &str) -> Result<Self, String> {
        if !folder.join("HEAD").exists() {
            gix::init_bare(folder).map_err(|error| error.to_string())?;
        }
        let (repo, room) = opened(folder)?;
        let (folder, url, branch) = (folder.clone(), url.to_owned(), branch.to_owned());
        Ok(Self { repo, folder, room, url, branch, trees: Trees::new() })
    }

    /// Opens the repository anew before its packs are more than it has room for: how many there
    /// may be is settled when a repository is opened.
    fn make_room(&mut self) -> Result<(), String> {
        if packs(&self.folder) + SPARE > self.room {
            (self.repo, self.room) = opened(&self.folder)?;
        }
        Ok(())
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
        self.make_room()?;
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
        self.make_room()?;
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
        self.make_room()?;
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

/// The repository of a folder, with room for twice the packs that there are.
fn opened(folder: &Path) -> Result<(gix::Repository, usize), String> {
    let room = u16::try_from(ROOM.max(2 * packs(folder))).unwrap_or(u16::MAX);
    let options = gix::open::Options::isolated().with(gix::sec::Trust::Full);
    let options = options.object_store_slots(Slots::Given(room));
    let repo = gix::open_opts(folder, options).map_err(|error| error.to_string())?;
    Ok((repo, room.into()))
}

/// How many packs a repository has.
fn packs(folder: &Path) -> usize {
    let Ok(files) = std::fs::read_dir(folder.join("objects/pack")) else { return 0 };
    let is_index = |file: &std::fs::DirEntry| file.path().extension().is_some_and(|e| e == "idx");
    files.flatten().filter(is_index).count()
}

#[cfg(test)]
mod tests {
    use super::super::folder::Folder;
    use super::super::process::git;
    use super::*;
    use crate::lab::backend::Shell;
    use crate::serve::git::Host;

    #[test]
    fn a_branch_is_followed_through_more_pushes_than_one_opening_has_room_for() {
        let folder = Folder::new("test").unwrap();
        let server = folder.0.join("server.git");
        git(&folder.0, ["init", "--quiet", "--bare", "--initial-branch", "main", "server.git"])
            .unwrap();
        let shell = Shell::start("host").unwrap();
        let host = shell.handle().block_on(Host::start(server.clone(), "repo")).unwrap();
        let tree = git(&server, ["hash-object", "-w", "-t", "tree", "/dev/null"]).unwrap();
        let who = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
        let mut tip: Option<String> = None;
        let own = folder.0.join("engine.git");
        let mut clone = Checkout::open(&own, &host.url(), "refs/heads/main").unwrap();
        let mut other = Checkout::open(&own, &host.url(), "refs/heads/main").unwrap();
        for n in 0..ROOM + SPARE {
            let message = format!("{n}");
            let mut args: Vec<&str> = who.to_vec();
            args.extend(["commit-tree", tree.trim(), "-m", &message]);
            if let Some(tip) = &tip {
                args.extend(["-p", tip]);
            }
            let commit = git(&server, args).unwrap().trim().to_owned();
            git(&server, ["update-ref", "refs/heads/main", &commit]).unwrap();
            assert_eq!(*clone.follow().unwrap_or_else(|e| panic!("push {n}: {e}")), *commit);
            tip = Some(commit);
        }
        assert!(clone.room > ROOM, "it was opened anew");
        // Who has had the folder open all the time sees what came since.
        let tip = tip.unwrap();
        assert_eq!(*other.commit(&tip).unwrap().commit, *tip);
    }
}
