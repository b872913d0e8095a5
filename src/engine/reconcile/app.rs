//! What the engine holds in memory of one App. All of it can be had again from the repository,
//! the cluster and the App's ConfigMaps: losing it costs requests, never correctness.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::Time;
use crate::engine::apps::given::State;
use crate::engine::drift::Corrections;
use crate::engine::model::{App, GitId, InventoryEntry, Rendered};
use crate::engine::plan::{Applied, DesiredSet, Plan};
use crate::object::ObjectId;

use super::after::Aftercare;
use super::verdicts::Verdicts;

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
    /// The objects that the newest commit of which something could be applied renders.
    pub(super) claims: BTreeSet<ObjectId>,
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
    /// The target has a kind that is not known.
    pub(super) unknown: Option<Unknown>,
    /// Whether what is deployed is other than what was before, and that is not written yet.
    pub(super) is_news: bool,
    /// Whether [`AppState::target`] is deployed and healthy.
    pub(super) is_ready: bool,
    /// A rollback waits for a tree that is not in memory.
    pub(super) awaited: Option<Awaited>,
    /// Writes of the state that are under way.
    pub(super) state_writes: BTreeSet<u64>,
    /// One of them was refused.
    pub(super) state_refused: bool,
    /// The inventory has entries that may not be in the cluster yet.
    pub(super) is_unwritten: bool,
    /// The state has to be written again after those: the id that the first request will have.
    pub(super) state_next: Option<u64>,
    /// Objects of which a write is under way: two of one object must not be.
    pub(super) writing: BTreeSet<ObjectId>,
    /// What was applied, by object.
    pub(super) applied: BTreeMap<ObjectId, Applied>,
    /// Corrections by object.
    pub(super) corrections: BTreeMap<ObjectId, Corrections>,
    /// Objects whose correction waits for a pause to end.
    pub(super) put_off: BTreeSet<ObjectId>,
    /// Objects whose correction waits for their namespace, and whether that was told.
    pub(super) homeless: BTreeMap<ObjectId, bool>,
    /// Drift that was reported and stands, by object.
    pub(super) reported: BTreeMap<ObjectId, Vec<String>>,
    /// How its objects were found when they were last looked at.
    pub(super) verdicts: Verdicts,
    /// Its health between deployments.
    pub(super) aftercare: Aftercare,
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

/// What is done about a kind that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// The cluster is asked for definitions.
    Asking,
    /// It has none, and that was told.
    Told,
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
    /// The kinds of this wave are not served yet.
    Kinds(usize),
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
    pub(super) began: Time,
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
    /// A commit that takes back what is to blame was pushed, and is not here yet.
    pub(super) taken_back: bool,
    /// It is held, and healthy since then.
    pub(super) healthy_since: Option<Time>,
    /// Part of it was refused: it cannot become ready, however healthy the cluster is.
    pub(super) is_incomplete: bool,
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
            claims: BTreeSet::new(),
            desired: None,
            good: None,
            blocked: None,
            next: None,
            run: None,
            unknown: None,
            is_news: false,
            is_ready: false,
            awaited: None,
            state_writes: BTreeSet::new(),
            state_refused: false,
            is_unwritten: false,
            state_next: None,
            writing: BTreeSet::new(),
            applied: BTreeMap::new(),
            corrections: BTreeMap::new(),
            put_off: BTreeSet::new(),
            homeless: BTreeMap::new(),
            reported: BTreeMap::new(),
            verdicts: Verdicts::default(),
            aftercare: Aftercare::default(),
            runs: 0,
        }
    }

    /// Whether `version` is what was ready when an earlier engine was ended.
    pub(super) fn is_resumed(&self, version: &Version) -> bool {
        self.desired.is_none()
            && !self.state.unsettled
            && self.state.good_digest.as_ref() == Some(&version.desired.rendered.digest())
    }

    /// Nothing is to be known any more of an object that is deleted, or no longer the App's.
    pub(super) fn forget(&mut self, entry: &InventoryEntry) {
        self.applied.remove(&entry.id);
        self.corrections.remove(&entry.id);
        self.homeless.remove(&entry.id);
        self.reported.remove(&entry.id);
        self.state.inventory.remove(entry);
        self.state.found.remove(&entry.id);
        self.state.moved.remove(&entry.id);
        self.state.marks.remove(&entry.id);
    }

    /// What is under way, if something is.
    pub(super) fn pending(&self) -> Option<String> {
        if let Some(run) = self.run.as_ref().filter(|run| !run.held) {
            return Some(format!("{:?} of {}", run.stage, run.version.commit));
        }
        if self.unknown == Some(Unknown::Asking) {
            return Some("asks what kinds the cluster has".to_owned());
        }
        if let Some(awaited) = &self.awaited {
            return Some(format!("waits for the tree of {}", awaited.to));
        }
        if !self.state_writes.is_empty() {
            return Some("writes its state".to_owned());
        }
        let untold = self.homeless.iter().find(|(_, is_told)| !**is_told).map(|(id, _)| id);
        let write = self.writing.first().or_else(|| self.put_off.first()).or(untold);
        let write = write.map(|id| format!("writes {id}"));
        write.or_else(|| self.is_in_doubt().then(|| "watches its health".to_owned()))
    }

    /// Whether a request under way may still change what is applied.
    pub(super) fn is_busy(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.stage != Stage::Health && !run.waiting.is_empty())
    }

    /// Whether the deployment under way is going to apply or delete this object yet: a correction
    /// could come in after that and undo it.
    pub(super) fn will_write(&self, id: &ObjectId) -> bool {
        let Some(run) = &self.run else { return false };
        let from = match run.stage {
            Stage::Live | Stage::Check => 0,
            Stage::Kinds(n) => n,
            // Of the wave that is out, what is not answered is in `writing`.
            Stage::Wave(n) => n + 1,
            Stage::Prune | Stage::Health => return false,
        };
        run.plan.waves.iter().skip(from).any(|wave| wave.contains(id))
            || run.plan.prune.iter().any(|entry| entry.id == *id)
    }
}

/// The id of a Namespace.
pub(super) fn namespace_id(name: &str) -> ObjectId {
    ObjectId::new("", "Namespace", "", name)
}

impl Run {
    pub(super) fn new(number: u64, began: Time, version: Version, why: Why) -> Self {
        Self {
            number,
            began,
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
            taken_back: false,
            is_incomplete: false,
            healthy_since: None,
        }
    }
}
