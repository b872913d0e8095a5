//! What the engine holds in memory of one App. All of it can be had again from the repository,
//! the cluster and the App's ConfigMaps: losing it costs requests, never correctness.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::Time;
use crate::engine::apps::given::State;
use crate::engine::drift::Corrections;
use crate::engine::model::{App, GitId, Rendered};
use crate::engine::plan::{Applied, DesiredSet, Plan};
use crate::object::ObjectId;

/// One App.
#[derive(Debug)]
pub(super) struct AppState {
    pub(super) spec: App,
    /// What is kept in the cluster.
    pub(super) state: State,
    /// The commit that it should be at.
    pub(super) target: Option<GitId>,
    /// What the target's folder rendered to, and whether that ended well; `None` where it could
    /// not be rendered.
    pub(super) tip: Option<Arc<Rendered>>,
    /// What is in the cluster, or being brought there.
    pub(super) desired: Option<Version>,
    /// What became ready last, kept to go back to.
    pub(super) good: Option<Version>,
    /// Waits for its dependencies.
    pub(super) blocked: Option<Version>,
    /// Comes next, when the requests under way are answered.
    pub(super) next: Option<Next>,
    /// The deployment under way.
    pub(super) run: Option<Run>,
    /// Whether [`AppState::target`] is deployed and healthy.
    pub(super) is_ready: bool,
    /// A rollback waits for a tree that is not in memory.
    pub(super) awaited: Option<Awaited>,
    /// Objects of which a write is under way: two of one object must not be.
    pub(super) writing: BTreeSet<ObjectId>,
    /// What was applied, by object.
    pub(super) applied: BTreeMap<ObjectId, Applied>,
    /// Corrections by object.
    pub(super) corrections: BTreeMap<ObjectId, Corrections>,
    /// Drift that was reported and stands, by object.
    pub(super) reported: BTreeMap<ObjectId, Vec<String>>,
    /// Counts runs, so that a timer of an earlier one is known as stale.
    pub(super) runs: u64,
}

/// A commit and what it comes to for this App.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) commit: GitId,
    pub(super) desired: Arc<DesiredSet>,
}

/// What to start when the way is free.
#[derive(Clone, Debug)]
pub(super) struct Next {
    pub(super) version: Version,
    pub(super) why: Why,
}

/// A rollback that waits for the tree of `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Awaited {
    pub(super) to: GitId,
    pub(super) from: GitId,
}

/// Why a version is deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The repository says so.
    Commit,
    /// The commit named here failed.
    Rollback { from: GitId },
}

/// How far a deployment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waits for the engine's view of the kinds that it has.
    Live,
    /// Dry runs and the inventory are out.
    Check,
    /// This wave is out.
    Wave(usize),
    /// Deletions are out.
    Prune,
    /// Everything is applied; waits for health. Holds nothing up.
    Health,
}

/// One deployment.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) number: u64,
    pub(super) version: Version,
    pub(super) why: Why,
    pub(super) stage: Stage,
    pub(super) plan: Plan,
    /// Requests that the stage waits for.
    pub(super) waiting: BTreeSet<u64>,
    /// What the server refused in this stage.
    pub(super) refused: Vec<Refusal>,
    /// Whether something of it may have reached the cluster.
    pub(super) touched: bool,
    /// When the last apply was answered.
    pub(super) applied_at: Option<Time>,
    /// Pods that will have failed soon, by uid, and since when.
    pub(super) failing: BTreeMap<String, Time>,
    /// Whether every object has been seen at its new generation.
    pub(super) observed: bool,
    /// It failed and is left as it is; it may still become ready.
    pub(super) held: bool,
}

/// An object that the server would not take.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) id: ObjectId,
    pub(super) message: String,
}

impl AppState {
    pub(super) fn new(spec: App) -> Self {
        Self {
            spec,
            state: State::default(),
            target: None,
            tip: None,
            desired: None,
            good: None,
            blocked: None,
            next: None,
            run: None,
            is_ready: false,
            awaited: None,
            writing: BTreeSet::new(),
            applied: BTreeMap::new(),
            corrections: BTreeMap::new(),
            reported: BTreeMap::new(),
            runs: 0,
        }
    }

    /// Whether a request under way may still change what is applied.
    pub(super) fn is_busy(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.stage != Stage::Health && !run.waiting.is_empty())
    }

    /// Whether the deployment under way is going to apply this object yet.
    pub(super) fn will_apply(&self, id: &ObjectId) -> bool {
        let Some(run) = &self.run else { return false };
        let from = match run.stage {
            Stage::Live | Stage::Check => 0,
            Stage::Wave(n) => n,
            Stage::Prune | Stage::Health => return false,
        };
        run.plan.waves.iter().skip(from).any(|wave| wave.contains(id))
    }
}

impl Run {
    pub(super) fn new(number: u64, version: Version, why: Why) -> Self {
        Self {
            number,
            version,
            why,
            stage: Stage::Live,
            plan: Plan::default(),
            waiting: BTreeSet::new(),
            refused: Vec::new(),
            touched: false,
            applied_at: None,
            failing: BTreeMap::new(),
            observed: false,
            held: false,
        }
    }
}
