//! What the engine has done in Git over HTTP: two threads, one that fetches and one that pushes
//! notes and reverts, so that a fetch waits for no note.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Heard;
use super::clone::Checkout;
use super::error::SiteError;
use super::process::git;
use crate::base::{Clock, Time, limits};
use crate::engine::model::GitId;
use crate::engine::source::{NOTES_REF, Signature};
use crate::lab::scenario::model::Notice;

/// Something to be done in Git.
#[derive(Debug)]
pub(super) enum Errand {
    /// Get a commit's tree; the newest one's without a name.
    Fetch { round: u32, asked: Option<GitId> },
    /// Add a line to the note of a commit.
    Note { at: Time, commit: GitId, line: String },
    /// Push a commit that takes another one back.
    Revert { at: Time, round: u32, app: String, bad: GitId },
}

/// The two threads; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Courier {
    /// Where errands go; `None` only while this is dropped.
    to: Option<To>,
    threads: Vec<JoinHandle<()>>,
}

/// The way to each of the threads.
#[derive(Debug)]
struct To {
    fetches: Sender<Errand>,
    pushes: Sender<Errand>,
}

impl Drop for Courier {
    fn drop(&mut self) {
        // The threads end with the last sender. What they have in hand they finish: the folder
        // that they work in is removed next.
        drop(self.to.take());
        let clock = Clock::real();
        let until = clock.now() + limits::ERRANDS_END;
        while self.threads.iter().any(|thread| !thread.is_finished()) && clock.now() < until {
            let _ = clock.wait_until(clock.now() + Duration::from_millis(5));
        }
    }
}

/// Where the engine's clone is, and of what.
#[derive(Clone, Debug)]
struct Place {
    folder: PathBuf,
    url: String,
    branch: String,
}

impl Place {
    fn open(&self) -> Result<Checkout, String> {
        Checkout::open(&self.folder, &self.url, &self.branch)
    }
}

/// How often a push is tried again that somebody else came before.
const PUSH_TRIES: usize = 3;

impl Courier {
    /// Starts them, with the engine's clone in `folder`.
    ///
    /// # Errors
    /// `System`, `Git`.
    pub(super) fn start(
        folder: PathBuf,
        url: &str,
        branch: &str,
        notice: Notice,
        tell: &Sender<Heard>,
    ) -> Result<Self, SiteError> {
        // Made here, so that what is wrong with the folder is told before anything runs.
        Checkout::open(&folder, url, branch).map_err(|why| SiteError::Git { why })?;
        let place = Place { folder, url: url.to_owned(), branch: branch.to_owned() };
        let (fetches, to_fetch) = mpsc::channel();
        let (pushes, to_push) = mpsc::channel();
        let every = match notice {
            Notice::Webhook => None,
            Notice::Poll(every) => Some(every),
        };
        let (of_fetches, told) = (place.clone(), tell.clone());
        let fetching = spawn("fetches", move || fetch_all(&of_fetches, &to_fetch, every, &told))?;
        let told = tell.clone();
        let pushing = spawn("pushes", move || push_all(place, &to_push, &told))?;
        Ok(Self { to: Some(To { fetches, pushes }), threads: vec![fetching, pushing] })
    }

    /// Sends for something; what comes of it is heard.
    pub(super) fn send(&self, errand: Errand) {
        let Some(ways) = &self.to else { return };
        let to = match errand {
            Errand::Fetch { .. } => &ways.fetches,
            Errand::Note { .. } | Errand::Revert { .. } => &ways.pushes,
        };
        // The threads end with the last sender, which this is.
        let _ = to.send(errand);
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, SiteError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(work).map_err(|error| SiteError::system("no thread", &error))
}

/// Fetches until nobody sends any more; looks for itself now and then where it is to.
fn fetch_all(
    place: &Place,
    errands: &Receiver<Errand>,
    every: Option<Duration>,
    tell: &Sender<Heard>,
) {
    let mut clone = place.open();
    let mut known: Option<GitId> = None;
    loop {
        let errand = match every {
            None => errands.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(every) => errands.recv_timeout(every),
        };
        let heard = match errand {
            Ok(Errand::Fetch { round, asked }) => {
                let fetched = match (&mut clone, &asked) {
                    (Err(why), _) => Err(why.clone()),
                    (Ok(clone), None) => clone.head(),
                    (Ok(clone), Some(commit)) => clone.commit(commit),
                };
                if let (None, Ok(artifact)) = (&asked, &fetched) {
                    known = Some(Arc::clone(&artifact.commit));
                }
                Heard::Fetched { round, asked, result: fetched.map(Arc::new) }
            }
            Ok(_) => continue,
            Err(RecvTimeoutError::Timeout) => match clone.as_mut().map(Checkout::follow) {
                Ok(Ok(head)) if known.as_ref() != Some(&head) => {
                    known = Some(Arc::clone(&head));
                    Heard::Pushed { commit: head.to_string() }
                }
                // A server that cannot be reached is asked again at the next look.
                _ => continue,
            },
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if tell.send(heard).is_err() {
            return;
        }
    }
}

/// Pushes until nobody sends any more.
fn push_all(place: Place, errands: &Receiver<Errand>, tell: &Sender<Heard>) {
    let clone = place.open();
    let mut pusher = Pusher { clone, place, tip: None, is_tip_known: false };
    while let Ok(errand) = errands.recv() {
        let heard = match errand {
            Errand::Note { at, commit, line } => {
                let result = pusher.note(at, &commit, &line);
                Heard::Noted { commit, line, result }
            }
            Errand::Revert { at, round, app, bad } => {
                let result = pusher.revert(at, &app, &bad);
                Heard::Reverted { round, app, bad, result }
            }
            Errand::Fetch { .. } => continue,
        };
        if tell.send(heard).is_err() {
            return;
        }
    }
}

/// The engine as somebody who pushes.
struct Pusher {
    clone: Result<Checkout, String>,
    place: Place,
    /// The newest commit of the notes.
    tip: Option<GitId>,
    is_tip_known: bool,
}

impl Pusher {
    fn note(&mut self, at: Time, commit: &str, line: &str) -> Result<(), String> {
        let by = Signature::engine(at);
        let mut last = String::new();
        for _ in 0..PUSH_TRIES {
            if !self.is_tip_known {
                self.learn_tip();
            }
            let clone = self.clone.as_mut().map_err(|why| why.clone())?;
            let tip = clone.note(self.tip.as_deref(), commit, line, &by)?;
            match self.push(&tip, NOTES_REF) {
                Ok(()) => {
                    self.tip = Some(tip);
                    return Ok(());
                }
                Err(why) => last = why,
            }
            self.is_tip_known = false;
        }
        Err(last)
    }

    /// Fetches the notes that are on the server, if there are any.
    fn learn_tip(&mut self) {
        let spec = format!("+{NOTES_REF}:{NOTES_REF}");
        let fetched = git(&self.place.folder, ["fetch", "--quiet", &self.place.url, &spec]);
        let at = fetched.and_then(|_| git(&self.place.folder, ["rev-parse", NOTES_REF]));
        self.tip = at.ok().map(|id| GitId::from(id.trim()));
        self.is_tip_known = true;
    }

    fn revert(&mut self, at: Time, app: &str, bad: &str) -> Result<GitId, String> {
        let by = Signature::engine(at);
        let reason = format!("{app} did not become healthy.");
        let mut last = String::new();
        for _ in 0..PUSH_TRIES {
            let clone = self.clone.as_mut().map_err(|why| why.clone())?;
            let commit = clone.revert(bad, &reason, &by)?;
            match self.push(&commit, &self.place.branch) {
                Ok(()) => return Ok(commit),
                // Somebody pushed meanwhile: the revert is made anew on top of that.
                Err(why) => last = why,
            }
        }
        Err(last)
    }

    fn push(&self, commit: &str, reference: &str) -> Result<(), String> {
        let spec = format!("{commit}:{reference}");
        let pushed = git(&self.place.folder, ["push", "--quiet", &self.place.url, &spec]);
        pushed.map(drop).map_err(|error| error.to_string())
    }
}
