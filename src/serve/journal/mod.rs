//! State that outlives the process: every commit of the store goes to a log, and a write is
//! acknowledged when the log is on the disk.
//!
//! One thread owns the file (`writer`); commits that come while it waits for the disk go to it
//! together. What the file looks like is `frames`, how it is read at a start `restore`. Where the
//! disk does not take what it is given, writes are refused until it does again.

mod frames;
mod restore;
mod writer;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use tokio::sync::watch;

use crate::api::{Reason, Status};
use crate::sim::store::{Commit, Store};
use writer::{Job, Progress, Writer};

/// Why a data folder cannot be used. Nothing in it has been changed then.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Reading, making or writing failed.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Another process keeps its state there.
    #[error("{path}: another towtank uses this folder", path = .0.display())]
    InUse(PathBuf),
    /// The log is damaged before its end, which no crash explains: going on would lose writes.
    #[error("{path}: damaged at byte {at}: {why}", path = .path.display())]
    Damaged {
        /// The log.
        path: PathBuf,
        /// Where.
        at: u64,
        /// What is wrong there.
        why: String,
    },
}

/// A data folder that is in use.
#[derive(Debug)]
pub(super) struct Journal {
    jobs: mpsc::Sender<Job>,
    progress: watch::Receiver<Progress>,
    wants_state: Arc<AtomicBool>,
    sent: u64,
}

/// A data folder that was opened: its state, if it has one, and what goes on writing it.
pub(super) struct Opened {
    pub(super) store: Option<Store>,
    folder: Folder,
    log: Option<restore::Log>,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Held as long as the folder is in use.
    _lock: File,
}

impl Folder {
    fn log(&self) -> PathBuf {
        self.path.join("log")
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::File { path, source }
}

impl Opened {
    /// Opens a folder, and reads what is in it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let path = path.join("state");
        // Secrets are in it.
        let mut private = fs::DirBuilder::new();
        private.recursive(true).mode(0o700).create(&path).map_err(failed(&path))?;
        let lock_path = path.join("lock");
        let lock = File::create(&lock_path).map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(JournalError::InUse(path)),
            Err(fs::TryLockError::Error(source)) => return Err(failed(&lock_path)(source)),
        }
        let folder = Folder { path, _lock: lock };
        let restored = restore::read(&folder.log())?;
        let (store, log) = restored.unzip();
        Ok(Self { store, folder, log })
    }

    /// Goes on writing. `state` is what a new log begins with.
    ///
    /// # Errors
    /// [`JournalError::File`].
    pub(super) fn start(
        self,
        revision: u64,
        state: impl FnOnce() -> Vec<Commit>,
    ) -> Result<Journal, JournalError> {
        let path = self.folder.log();
        let writer = match self.log {
            Some(log) => Writer::again(self.folder, log).map_err(failed(&path))?,
            None => Writer::new(self.folder, revision, &state()).map_err(failed(&path))?,
        };
        let wants_state = writer.wants_state();
        let (jobs, taken) = mpsc::channel();
        let (told, progress) = watch::channel(Progress::default());
        let thread = std::thread::Builder::new().name("journal".to_owned());
        thread.spawn(move || writer.run(&taken, &told)).map_err(failed(&path))?;
        Ok(Journal { jobs, progress, wants_state, sent: 0 })
    }
}

impl Journal {
    /// Whether writes can be taken.
    ///
    /// # Errors
    /// 500 where the disk does not take what it is given.
    pub(super) fn ready(&self) -> Result<(), Status> {
        match &self.progress.borrow().fault {
            Some(fault) => Err(unwritten(fault)),
            None => Ok(()),
        }
    }

    /// Takes commits; what is given back says when they are kept.
    pub(super) fn take(&mut self, commits: Vec<Commit>) -> Kept {
        self.sent += 1;
        // A writer that is gone is told of by `Kept`.
        let _ = self.jobs.send(Job::Commits(self.sent, commits));
        Kept { number: self.sent, progress: self.progress.clone() }
    }

    /// Whether the log has grown so much that it is to begin anew, with the whole state.
    pub(super) fn wants_state(&self) -> bool {
        self.wants_state.swap(false, Ordering::Relaxed)
    }

    /// Gives the whole state.
    pub(super) fn give_state(&self, revision: u64, state: Vec<Commit>) {
        let _ = self.jobs.send(Job::State(revision, state));
    }

    /// The last that is sent; [`Kept`] is there when the folder is free again.
    pub(super) fn stop(&mut self, revision: u64) -> Kept {
        self.sent += 1;
        let _ = self.jobs.send(Job::Stop(self.sent, revision));
        Kept { number: self.sent, progress: self.progress.clone() }
    }
}

fn unwritten(fault: &str) -> Status {
    let text = format!("Internal error occurred: the data folder cannot be written: {fault}");
    Status::new(500, Reason::InternalError, text)
}

/// Something that is being written.
#[derive(Debug)]
pub(super) struct Kept {
    number: u64,
    progress: watch::Receiver<Progress>,
}

impl Kept {
    /// Waits until it is on the disk.
    ///
    /// # Errors
    /// 500 where it is not: whether it will be is not known.
    pub(super) async fn wait(mut self) -> Result<(), Status> {
        let number = self.number;
        let decided = |progress: &Progress| progress.kept >= number || progress.fault.is_some();
        match self.progress.wait_for(decided).await {
            Ok(progress) if progress.kept >= number => Ok(()),
            Ok(progress) => Err(unwritten(progress.fault.as_deref().unwrap_or_default())),
            Err(_) => Err(unwritten("the server stops")),
        }
    }
}
