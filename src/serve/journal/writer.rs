//! The thread that writes the log: takes all that has come, writes it, waits for the disk, says so.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::watch;

use super::Folder;
use super::frames::{self, HEAD};
use super::restore::Log;
use crate::base::limits::{JOURNAL_BYTES, JOURNAL_STATE_BATCH};
use crate::sim::store::Commit;

/// How long a disk that does not take anything is left alone.
const AGAIN: Duration = Duration::from_millis(500);

/// What the thread is given. Numbers grow by one.
#[derive(Debug)]
pub(super) enum Job {
    Commits(u64, Vec<Commit>),
    State(u64, Vec<Commit>),
    Stop(u64, u64),
}

/// How far it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    /// The number of the last job that is on the disk.
    pub(super) kept: u64,
    /// Why nothing is written now.
    pub(super) fault: Option<Arc<str>>,
}

#[derive(Debug)]
pub(super) struct Writer {
    folder: Folder,
    file: File,
    /// Bytes that are whole.
    length: u64,
    /// Bytes of the state at its beginning.
    state: u64,
    wants_state: Arc<AtomicBool>,
    /// What the disk has not taken yet, and the number of the last job in it.
    waiting: Vec<u8>,
    number: u64,
}

impl Writer {
    /// A new log, which begins with the whole state.
    pub(super) fn new(folder: Folder, revision: u64, state: &[Commit]) -> io::Result<Self> {
        let (file, length) = begin(&folder, revision, state)?;
        Ok(Self::of(folder, file, Log { length, state: length }))
    }

    /// A log that was read; what was not whole at its end is cut off.
    pub(super) fn again(folder: Folder, log: Log) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).open(folder.log())?;
        file.set_len(log.length)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self::of(folder, file, log))
    }

    fn of(folder: Folder, file: File, log: Log) -> Self {
        Self {
            folder,
            file,
            length: log.length,
            state: log.state,
            wants_state: Arc::new(AtomicBool::new(false)),
            waiting: Vec::new(),
            number: 0,
        }
    }

    /// Set when the log has outgrown the state.
    pub(super) fn wants_state(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.wants_state)
    }

    /// Works until it is told to stop, or nobody is left to tell it.
    pub(super) fn run(mut self, jobs: &Receiver<Job>, told: &watch::Sender<Progress>) {
        loop {
            let first = if self.waiting.is_empty() {
                jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                jobs.recv_timeout(AGAIN)
            };
            let mut stop = matches!(first, Err(RecvTimeoutError::Disconnected));
            for job in first.into_iter().chain(jobs.try_iter()) {
                stop |= matches!(job, Job::Stop(..));
                if let Err(error) = self.take(job) {
                    tell(told, self.number, Some(&error));
                }
            }
            let written = self.write();
            let kept = if written.is_ok() { self.number } else { told.borrow().kept };
            tell(told, kept, written.err().as_ref());
            if stop {
                return;
            }
        }
    }

    fn take(&mut self, job: Job) -> io::Result<()> {
        match job {
            Job::Commits(number, commits) => {
                self.waiting.extend(frames::of_commits(b'C', &commits)?);
                self.number = number;
            }
            Job::Stop(number, revision) => {
                self.waiting.extend(frames::of_revision(b'Z', revision)?);
                self.number = number;
            }
            Job::State(revision, state) => {
                // All that waits is in the state. A log that cannot be begun goes on as it is.
                if let Ok((file, length)) = begin(&self.folder, revision, &state) {
                    (self.file, self.length) = (file, length);
                    self.waiting.clear();
                }
                self.state = self.length;
            }
        }
        Ok(())
    }

    /// Writes what waits. Where that fails, nothing of it is in the log, and it waits on.
    fn write(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.waiting).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Where even that fails, the next start finds a torn end, or all of it.
            let _ = self.file.set_len(self.length);
            let _ = self.file.seek(SeekFrom::Start(self.length));
            return Err(error);
        }
        self.length += self.waiting.len() as u64;
        self.waiting.clear();
        if self.length > JOURNAL_BYTES && self.length / 4 > self.state {
            self.wants_state.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn tell(told: &watch::Sender<Progress>, kept: u64, error: Option<&io::Error>) {
    let fault = error.map(|error| error.to_string().into());
    told.send_replace(Progress { kept, fault });
}

/// Writes a log with a state to the side, and puts it in its place when it is on the disk.
fn begin(folder: &Folder, revision: u64, state: &[Commit]) -> io::Result<(File, u64)> {
    let aside = folder.path.join("log.part");
    let mut private = File::options();
    let mut file = private.write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    let mut length = HEAD.len() as u64;
    let mut write = |bytes: &[u8], length: &mut u64| {
        *length += bytes.len() as u64;
        file.write_all(bytes)
    };
    write(HEAD, &mut 0)?;
    for part in state.chunks(JOURNAL_STATE_BATCH) {
        write(&frames::of_commits(b'S', part)?, &mut length)?;
    }
    write(&frames::of_revision(b'E', revision)?, &mut length)?;
    file.sync_all()?;
    fs::rename(&aside, folder.log())?;
    File::open(&folder.path)?.sync_all()?;
    Ok((file, length))
}
