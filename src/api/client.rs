//! A client of the API as a state machine: inputs in, requests and timers out, no I/O.
//!
//! Controllers, the scheduler, nodes and the engine's cluster side are all of this form. Request
//! ids are the client's own: an answer or a watch event comes back under the id it was sent with.

use std::sync::Arc;

use super::{Request, Response, WatchEvent};
use crate::base::Time;

/// What a client hears.
#[derive(Clone, Debug)]
pub enum Input {
    /// The run begins (or the client was restarted).
    Start,
    /// The answer to request `id`.
    Answer {
        /// The id that the client gave the request.
        id: u64,
        /// What the server said.
        response: Arc<Response>,
    },
    /// An event of the watch that request `id` opened.
    Event {
        /// The id that the client gave the watch.
        id: u64,
        /// The event.
        event: WatchEvent,
    },
    /// The watch that request `id` opened has ended; no more events come.
    WatchEnded {
        /// The id that the client gave the watch.
        id: u64,
    },
    /// A timer is due.
    Timer {
        /// What the client called it.
        key: u64,
    },
}

/// What a client wants.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Requests, each with the id under which it is answered.
    pub requests: Vec<(u64, Request)>,
    /// Timers; one that is no longer wanted is ignored when it fires.
    pub timers: Vec<(Time, u64)>,
}

/// A client of the API.
pub trait Client {
    /// Its user agent, and its field manager where it names no other.
    fn name(&self) -> &'static str;

    /// Takes one input at `now`; what it wants goes to `out`.
    fn step(&mut self, now: Time, input: Input, out: &mut Outbox);
}
