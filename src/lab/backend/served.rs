//! A repository behind a Git server of our own: what a scenario pushes goes there by `git push`,
//! the engine hears of it by a webhook or by looking, and fetches over HTTP.
//!
//! Three folders: the server's, one from which the scenario pushes (it borrows the server's
//! objects), and the engine's clone, which is `courier`'s. What the scenario commits is made in
//! memory as in any run, so that the commits have the same ids.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use gix::ObjectId;

use super::Heard;
use super::courier::{Courier, Errand};
use super::error::SiteError;
use super::folder::Folder;
use super::process::git;
use super::shell::Shell;
use crate::base::Time;
use crate::engine::model::GitId;
use crate::lab::scenario::model::Notice;
use crate::lab::world::git::{GitError, GitWorld};
use crate::serve::git::{Hook, Host, Receiver};

/// The repository.
pub struct Served {
    /// As whoever pushes knows it.
    world: GitWorld,
    /// What the server has, by name.
    pushed: BTreeMap<String, ObjectId>,
    /// Objects that are in the folder to push from.
    written: BTreeSet<ObjectId>,
    /// The server's repository as it was when somebody last asked for notes; `None` where it has
    /// changed since.
    notes: RefCell<Option<Box<GitWorld>>>,
    courier: Courier,
    url: String,
    _host: Host,
    _receiver: Option<Receiver>,
    folder: Folder,
}

fn failed(why: &dyn std::fmt::Display) -> SiteError {
    SiteError::Git { why: why.to_string() }
}

impl Served {
    /// Serves a repository. What is heard of it is told to `tell`.
    ///
    /// # Errors
    /// `Git`, `System`.
    pub(super) fn start(
        world: GitWorld,
        notice: Notice,
        shell: &Shell,
        tell: &Sender<Heard>,
    ) -> Result<Self, SiteError> {
        let folder = Folder::new("git")?;
        let (server, desk) = (folder.0.join("server.git"), folder.0.join("desk.git"));
        let branch = world.branch_reference().to_owned();
        lay_out(&world, &folder.0, &server, &desk)?;
        let started = shell.handle().block_on(Host::start(server, "repo"));
        let host = started.map_err(|error| failed(&error))?;
        let receiver = match notice {
            Notice::Poll(_) => None,
            Notice::Webhook => Some(receive(shell, &host, tell)?),
        };
        let url = host.url();
        let courier = Courier::start(folder.0.join("engine.git"), &url, &branch, notice, tell)?;
        let pushed = world.references().clone();
        let (written, notes) = (BTreeSet::new(), RefCell::default());
        let (_host, _receiver) = (host, receiver);
        Ok(Self { world, pushed, written, notes, courier, url, _host, _receiver, folder })
    }

    pub(super) fn world(&self) -> &GitWorld {
        &self.world
    }

    pub(super) fn world_mut(&mut self) -> &mut GitWorld {
        &mut self.world
    }

    fn server(&self) -> PathBuf {
        self.folder.0.join("server.git")
    }

    /// Pushes what was committed since the last push.
    ///
    /// # Errors
    /// `Git`, with git's own words.
    pub(super) fn push(&mut self, is_forced: bool) -> Result<(), SiteError> {
        let desk = self.folder.0.join("desk.git");
        let into = gix::open_opts(&desk, gix::open::Options::isolated());
        let into = into.map_err(|error| failed(&error))?;
        let objects = self.world.objects();
        objects.export(&mut self.written, &into.objects).map_err(|error| failed(&error))?;
        let force = if is_forced { "+" } else { "" };
        let changed = self.world.references().iter();
        let changed = changed.filter(|(name, id)| self.pushed.get(*name) != Some(*id));
        let specs: Vec<String> = changed.map(|(name, id)| format!("{force}{id}:{name}")).collect();
        if specs.is_empty() {
            return Ok(());
        }
        let fixed = ["push", "--quiet", self.url.as_str()].map(str::to_owned);
        git(&desk, fixed.into_iter().chain(specs))?;
        self.pushed.clone_from(self.world.references());
        Ok(())
    }

    /// The engine pushed something: whoever pushes next has it too.
    ///
    /// # Errors
    /// The server's repository cannot be read.
    pub(in crate::lab) fn pull(&mut self) -> Result<(), GitError> {
        self.world = GitWorld::from_repository(&self.server())?;
        self.written.clear();
        self.pushed.clone_from(self.world.references());
        self.notes.take();
        Ok(())
    }

    /// The engine wrote a note.
    pub(in crate::lab) fn forget_notes(&self) {
        self.notes.take();
    }

    /// The engine's note of a commit, as it is on the server.
    ///
    /// # Errors
    /// The server's repository cannot be read.
    pub(super) fn note_of(&self, commit: &str) -> Result<Option<String>, GitError> {
        let notes = match self.notes.take() {
            Some(notes) => notes,
            None => Box::new(GitWorld::from_repository(&self.server())?),
        };
        let note = notes.note_of(commit);
        self.notes.replace(Some(notes));
        note
    }

    /// Sends for a commit's tree, or the newest one's.
    pub(in crate::lab) fn fetch(&self, round: u32, asked: Option<GitId>) {
        self.courier.send(Errand::Fetch { round, asked });
    }

    /// Has a line added to the note of a commit.
    pub(in crate::lab) fn note(&self, at: Time, commit: GitId, line: String) {
        self.courier.send(Errand::Note { at, commit, line });
    }

    /// Has a commit pushed that takes another one back.
    pub(in crate::lab) fn revert(&self, at: Time, round: u32, app: String, bad: GitId) {
        self.courier.send(Errand::Revert { at, round, app, bad });
    }
}

/// Makes the server's repository and the one that is pushed from.
fn lay_out(world: &GitWorld, folder: &Path, server: &Path, desk: &Path) -> Result<(), SiteError> {
    let branch = world.branch_reference();
    let short = branch.strip_prefix("refs/heads/").unwrap_or(branch);
    for name in ["server.git", "desk.git"] {
        git(folder, ["init", "--quiet", "--bare", "--initial-branch", short, name])?;
    }
    let write = |path: PathBuf, text: String| {
        std::fs::write(&path, text)
            .map_err(|error| SiteError::File { path, why: error.to_string() })
    };
    if let Some(base) = world.objects().base_folder() {
        let text = format!("{}\n", base.display());
        write(server.join("objects/info/alternates"), text)?;
        if let Ok(boundary) = std::fs::read_to_string(base.join("../shallow")) {
            write(server.join("shallow"), boundary)?;
        }
    }
    let server_objects = format!("{}\n", server.join("objects").display());
    write(desk.join("objects/info/alternates"), server_objects)?;
    let into = gix::open_opts(server, gix::open::Options::isolated());
    let into = into.map_err(|error| failed(&error))?;
    let mut written = BTreeSet::new();
    world.objects().export(&mut written, &into.objects).map_err(|error| failed(&error))?;
    let mut packed = "# pack-refs with: sorted \n".to_owned();
    for (name, id) in world.references() {
        // Writing to a text does not fail.
        let _ = writeln!(packed, "{id} {name}");
    }
    write(server.join("packed-refs"), packed)
}

/// Listens for the webhook of a host.
fn receive(shell: &Shell, host: &Host, tell: &Sender<Heard>) -> Result<Receiver, SiteError> {
    let mut secret = vec![0; 32];
    aws_lc_rs::rand::fill(&mut secret)
        .map_err(|_| SiteError::system("no webhook", &"no randomness is to be had"))?;
    let tell = tell.clone();
    let told = move |pushed: crate::serve::git::Pushed| {
        // A run that is over hears nothing any more.
        drop(tell.send(Heard::Pushed { commit: pushed.after }));
    };
    let receiver = shell.handle().block_on(Receiver::start(secret.clone(), told));
    let receiver =
        receiver.map_err(|error| SiteError::system("no port for the webhook", &error))?;
    let path = receiver.path().to_owned();
    host.set_hook(Some(Hook { address: receiver.address(), path, secret }));
    Ok(receiver)
}
