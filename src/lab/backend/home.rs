//! The engine's own namespace on a cluster where several runs take place one after the other: made
//! by the first of them, emptied by each, and removed when the place is closed. A namespace takes
//! a real cluster five seconds to remove, however little is in it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::api::http::Link;
use crate::api::{Propagation, Request};
use crate::base::{Clock, limits};

use super::error::SiteError;
use super::guard::{Key, NAMESPACES};
use super::seen::AGENT;
use super::trouble::is_out_of_reach;

/// How often somebody looks whether it is gone.
const GLANCE: Duration = Duration::from_millis(100);

/// The namespace, while it is there. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Home(Arc<Mutex<Option<Kept>>>);

/// A namespace by its name and uid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) uid: String,
}

impl Kept {
    pub(super) fn key(&self) -> Key {
        let (gvr, namespace) = (NAMESPACES, String::new());
        Key { gvr, namespace, name: self.name.clone() }
    }

    /// Asks for its removal.
    pub(super) fn delete(&self) -> Request {
        let mut delete = Request::delete(NAMESPACES, "", &self.name);
        delete.options.delete.propagation = Some(Propagation::Background);
        delete.options.delete.uid = Some(self.uid.clone());
        delete.by(AGENT)
    }
}

impl Home {
    /// The namespace that an earlier run made.
    pub(super) fn get(&self) -> Option<Kept> {
        self.0.lock().ok()?.clone()
    }

    /// A run has made it.
    pub(super) fn keep(&self, kept: Kept) {
        if let Ok(mut home) = self.0.lock() {
            *home = Some(kept);
        }
    }

    /// Nobody removes it any more: what is done about it is told elsewhere.
    pub(super) fn take(&self) -> Option<Kept> {
        self.0.lock().ok()?.take()
    }

    /// Removes it, and waits until it is gone.
    ///
    /// # Errors
    /// `Left`.
    pub(super) fn remove(&self, link: &Link) -> Result<(), SiteError> {
        let Some(kept) = self.take() else { return Ok(()) };
        let ask = |request: Request| link.call_blocking(&request.by(AGENT), limits::ANSWER_TO_LAB);
        let mut last = ask(kept.delete());
        let clock = Clock::real();
        let start = clock.now();
        loop {
            let is_out = is_out_of_reach(&last);
            let waited = clock.now().since(start);
            if waited > if is_out { limits::UNREACHABLE } else { limits::REMOVAL } {
                let said = last.as_status().filter(|_| is_out).map(|status| status.message.clone());
                let late = || format!("still there {} s after it was deleted", waited.as_secs());
                let (what, why) = (kept.key().to_string(), said.unwrap_or_else(late));
                return Err(SiteError::Left { what, why });
            }
            last = ask(Request::get(NAMESPACES, "", &kept.name));
            match last.as_object() {
                Some(there) if there.uid() == kept.uid => {}
                Some(_) => return Ok(()),
                None if last.code == 404 => return Ok(()),
                None => {}
            }
            let _ = clock.wait_until(clock.now() + GLANCE);
        }
    }
}
