//! Where a run takes place: the cluster that the engine works on and the repository that it
//! follows, each in memory or over the wire.
//!
//! `lab::run` talks to a [`Cluster`] and a [`Repository`] and to nothing behind them: it sends
//! requests, hands on what is heard, reads objects for checks; it pushes, fetches and notes.
//! In memory both are state machines whose answers are put into the run's own queue. Over the wire
//! they are other threads and processes, and what they say comes through a channel.
//!
//! Not here: the loop itself and its clock (`lab::run`), what a request does (`sim`, or a real
//! API server).

mod clean;
mod clone;
mod cluster;
mod context;
mod courier;
mod credentials;
mod envtest;
mod error;
mod folder;
mod guard;
mod heartbeats;
mod home;
mod inside;
mod kind;
mod needs;
mod own;
mod place;
mod played;
mod process;
mod repository;
mod seen;
mod served;
mod shell;
mod site;
mod trouble;
mod wire;

pub(in crate::lab) use clean::Left;
pub use cluster::Cluster;
pub use error::SiteError;
pub use guard::RUN_LABEL;
pub use needs::{Gives, of as needs_of};
pub use place::{Place, Pods};
pub use repository::Repository;
pub use shell::Shell;
pub use site::{Interrupt, Session, Site, Terms};
pub use wire::Wire;

use std::sync::Arc;

use crate::api::http::Told;
use crate::engine::model::{Artifact, GitId};

/// What the loop of a run hears from outside.
#[derive(Debug)]
pub enum Heard {
    /// From the API server.
    Api(Told),
    /// The engine is told, or sees for itself, that the repository is at this commit.
    Pushed {
        /// The commit.
        commit: String,
    },
    /// A fetch of the engine of this round has ended.
    Fetched {
        /// Which engine asked.
        round: u32,
        /// What it asked for; `None` for the newest.
        asked: Option<GitId>,
        /// What came, or why nothing did.
        result: Result<Arc<Artifact>, String>,
    },
    /// A note was pushed, or could not be.
    Noted {
        /// About which commit.
        commit: GitId,
        /// The line.
        line: String,
        /// Why it could not be.
        result: Result<(), String>,
    },
    /// A revert was pushed, or could not be.
    Reverted {
        /// Which engine asked.
        round: u32,
        /// For which App.
        app: String,
        /// Which commit was to be taken back.
        bad: GitId,
        /// The commit that does, or why there is none.
        result: Result<GitId, String>,
    },
}
