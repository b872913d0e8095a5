//! Where scenarios are run: opens what `--cluster` names, sees to Ctrl-C, and closes it.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, complain};
use crate::lab::backend::{Interrupt, Place, Shell, Site, SiteError, Terms};

/// An open place and the watch for Ctrl-C.
pub(super) struct Open {
    /// Where to run; `None` in memory.
    pub(super) site: Option<Arc<Site>>,
    interrupt: Interrupt,
    _signals: Option<Shell>,
}

impl Open {
    /// Opens a place. From then on Ctrl-C ends the run in order; a second one at once.
    ///
    /// # Errors
    /// [`SiteError`]: nothing is left running then.
    pub(super) fn new(place: &Place, terms: &Terms) -> Result<Self, SiteError> {
        if *place == Place::Memory {
            return Ok(Self { site: None, interrupt: Interrupt::default(), _signals: None });
        }
        let signals = watch(&terms.interrupt)?;
        let site = Site::open(place.clone(), terms.clone())?;
        let interrupt = terms.interrupt.clone();
        Ok(Self { site: Some(Arc::new(site)), interrupt, _signals: Some(signals) })
    }

    /// Whether somebody wants it to end.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupt.is_set()
    }

    /// Closes the place.
    ///
    /// # Errors
    /// What could not be stopped or removed.
    pub(super) fn close(self) -> Result<(), SiteError> {
        match self.site.map(Arc::try_unwrap) {
            Some(Ok(site)) => site.close(),
            // Somebody holds it still: it is closed when he lets go.
            Some(Err(_)) | None => Ok(()),
        }
    }
}

/// Waits for signals on a thread of its own.
fn watch(interrupt: &Interrupt) -> Result<Shell, SiteError> {
    let failed = |error: std::io::Error| SiteError::System {
        what: "no watch for Ctrl-C",
        why: error.to_string(),
    };
    let shell = Shell::start("signals").map_err(failed)?;
    // Before anything is made: without handlers the signals end the process by themselves.
    let inside = shell.handle().enter();
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    for kind in kinds {
        let mut signals = signal(kind).map_err(failed)?;
        let interrupt = interrupt.clone();
        shell.handle().spawn(async move {
            while signals.recv().await.is_some() {
                if interrupt.is_set() {
                    let text = "stopped at once: what the run made is left behind";
                    std::process::exit(complain(Exit::Environment, text).code().into());
                }
                interrupt.set();
            }
        });
    }
    drop(inside);
    Ok(shell)
}
