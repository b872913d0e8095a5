//! The GitOps engine: a state machine that keeps what a cluster runs equal to what a repository
//! says. It hears of pushes, trees, answers and watch events, and wants requests, timers and
//! actions; it does no I/O and cannot tell a simulated cluster from a real one.
//!
//! ```text
//! commit → Artifact → Rendered → DesiredSet → Plan → applied → Health → Outcome → notify
//!          source     render     plan::desired plan   apply     health   rollback
//! ```
//!
//! Each stage is a module that imports [`model`] and no other stage; [`reconcile`] alone knows the
//! order. Start reading there.

pub mod apply;
pub mod apps;
pub mod drift;
pub mod health;
pub mod kinds;
pub mod live;
pub mod model;
pub mod notify;
pub mod plan;
pub mod reconcile;
pub mod render;
pub mod rollback;
pub mod source;

use std::sync::Arc;

use crate::api;
use crate::base::Event;
use model::{Artifact, GitId};

pub use reconcile::Engine;

/// What the engine hears.
#[derive(Clone, Debug)]
pub enum Input {
    /// It begins to run.
    Start,
    /// A push notice: the repository may have a new head.
    Pushed,
    /// A tree that an [`Action::Fetch`] asked for. `asked` is the commit named there.
    Fetched {
        /// What was asked for; `None` for the head.
        asked: Option<GitId>,
        /// What came.
        artifact: Arc<Artifact>,
    },
    /// A fetch failed.
    FetchFailed {
        /// What was asked for; `None` for the head.
        asked: Option<GitId>,
        /// Why.
        message: String,
    },
    /// What an [`Action::Revert`] came to: the new commit, or why there is none.
    Reverted {
        /// The App that asked.
        app: String,
        /// The commit that was to be taken back.
        bad: GitId,
        /// The commit that does it.
        result: Result<GitId, String>,
    },
    /// From the cluster.
    Api(api::Input),
}

/// What only a shell can do for the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Get a commit's tree; `None` for the head of the branch.
    Fetch {
        /// Which commit.
        commit: Option<GitId>,
    },
    /// Append a line to the Git note of a commit.
    Note {
        /// Which commit.
        commit: GitId,
        /// The line.
        line: String,
    },
    /// Push a commit that takes `commit` back.
    Revert {
        /// For which App.
        app: String,
        /// Which commit.
        commit: GitId,
    },
}

/// What the engine wants.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Requests and timers.
    pub api: api::Outbox,
    /// Actions.
    pub actions: Vec<Action>,
    /// What happened, for the record.
    pub events: Vec<Event>,
}
