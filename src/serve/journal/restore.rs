//! Reads a log at a start: the state that it ends in. A batch at the end that was not written
//! whole was acknowledged to nobody, and is dropped; anything else that is wrong stops the start.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

use super::frames::{self, Batch, HEAD, Next};
use super::{JournalError, failed};
use crate::sim::store::{Commit, Key, Resource, Store};

/// How far the revision moves on after a crash. Clients may have heard of commits that the disk
/// had not taken; at the new revision they are told to begin anew, and no number is given twice.
const AFTER_A_CRASH: u64 = 100_000;

/// A log that can be gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Log {
    /// Bytes that are whole.
    pub(super) length: u64,
    /// Bytes of the state at its beginning.
    pub(super) state: u64,
}

struct Reading {
    objects: BTreeMap<(Resource, Key), Commit>,
    revision: u64,
    stopped: bool,
    log: Log,
}

/// Reads the log; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<(Store, Log)>, JournalError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path)(error)),
    };
    let length = file.metadata().map_err(failed(path))?.len();
    let mut file = BufReader::with_capacity(1 << 20, file);
    let mut head = [0; HEAD.len()];
    let damaged = |at: u64, why: &str| JournalError::Damaged {
        path: path.to_owned(),
        at,
        why: why.to_owned(),
    };
    match file.read_exact(&mut head) {
        Ok(()) if head == *HEAD => {}
        _ => return Err(damaged(0, "this is no log")),
    }
    let mut reading = Reading {
        objects: BTreeMap::new(),
        revision: 0,
        stopped: false,
        log: Log { length: HEAD.len() as u64, state: 0 },
    };
    loop {
        let at = reading.log.length;
        match frames::next(&mut file, length - at).map_err(failed(path))? {
            Next::Batch(batch, bytes) => reading.take(batch, bytes),
            Next::End | Next::Torn => break,
            Next::Damaged(why) => return Err(damaged(at, &why)),
        }
    }
    if reading.log.state == 0 {
        // A log is put in its place when its state is whole.
        return Err(damaged(reading.log.length, "the state at its beginning has no end"));
    }
    let revision = reading.revision + if reading.stopped { 0 } else { AFTER_A_CRASH };
    let store = Store::restored(revision, reading.objects.into_values());
    Ok(Some((store, reading.log)))
}

impl Reading {
    fn take(&mut self, batch: Batch, bytes: u64) {
        self.log.length += bytes;
        self.stopped = false;
        match batch {
            Batch::State(commits) | Batch::Commits(commits) => {
                for commit in commits {
                    self.revision = self.revision.max(commit.revision);
                    let place = (commit.resource.clone(), commit.key.clone());
                    if commit.object.is_some() {
                        self.objects.insert(place, commit);
                    } else {
                        self.objects.remove(&place);
                    }
                }
            }
            Batch::EndOfState(revision) => {
                self.revision = self.revision.max(revision);
                self.log.state = self.log.length;
            }
            Batch::Stopped(revision) => {
                self.revision = self.revision.max(revision);
                self.stopped = true;
            }
        }
    }
}
