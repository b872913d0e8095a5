//! From what is rendered to what must be sent. Sends nothing and asks nobody: the live objects it
//! compares with are handed in.
//!
//! [`desired`] settles each object's namespace, resource and fields and refuses what the API
//! could not take; [`make`] says which of them to apply, in which waves, and what to delete.

pub mod desired;
mod unfilled;
mod wave;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use crate::engine::model::Applied;
use crate::engine::model::{InventoryEntry, Mark};
use crate::object::schema::Schema;
use crate::object::{Gvr, Object, ObjectId};

pub use desired::{Desired, DesiredSet, PlanError};

/// What must be sent to get from what is to what shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Objects to apply; those of one wave may be sent together, the next wave waits for them.
    pub waves: Vec<Vec<ObjectId>>,
    /// Objects to delete, after everything is applied, dependents before what they need.
    pub prune: Vec<InventoryEntry>,
    /// Old and new inventory together, to be written before the first wave where that adds an
    /// entry.
    pub union: BTreeSet<InventoryEntry>,
    /// Whether the first wave must wait for [`Plan::union`] to be written.
    pub adds: bool,
    /// Objects to ask the server about (dry run) before anything is applied: a change set of
    /// several objects shall be taken wholly or not at all. A single object is whole by itself.
    pub rehearse: Vec<ObjectId>,
    /// Objects that an engine before this one applied just so, that are not so any more, and that
    /// are left as they are: drift to be told, nothing to be sent.
    pub left: Vec<ObjectId>,
}

impl Plan {
    /// How many objects are applied.
    #[must_use]
    pub fn applies(&self) -> usize {
        self.waves.iter().map(Vec::len).sum()
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waves.is_empty() && self.prune.is_empty()
    }
}

/// What [`make`] compares with.
pub struct Known<'a> {
    /// What this engine applied since it started, with the server's answers.
    pub applied: &'a BTreeMap<ObjectId, Applied>,
    /// What may exist because of the App.
    pub inventory: &'a BTreeSet<InventoryEntry>,
    /// The live object, where the engine's view has one.
    pub live: &'a dyn Fn(&ObjectId) -> Option<Arc<Object>>,
    /// Whether the server serves a resource: what comes with the change set it does not yet.
    pub served: &'a dyn Fn(&Gvr) -> bool,
    /// The kinds.
    pub schema: &'a Schema,
    /// What was applied before this engine started, where drift of it is to be left; `None` where
    /// drift is corrected, which applying it again does.
    pub marks: Option<&'a BTreeMap<ObjectId, Mark>>,
    /// Whether the App deletes what left the repository.
    pub prune: bool,
}

/// Compares `desired` with what is known.
#[must_use]
pub fn make(desired: &DesiredSet, known: &Known<'_>) -> Plan {
    let (left, mut changed): (Vec<&Desired>, Vec<&Desired>) = desired
        .objects
        .values()
        .filter(|want| !is_there(want, known))
        .partition(|want| is_left(want, known));
    // A deployment that brings something else is not healthy without what is gone.
    let is_gone = |want: &&Desired| !changed.is_empty() && (known.live)(&want.id).is_none();
    let (again, left): (Vec<&Desired>, Vec<&Desired>) = left.into_iter().partition(is_gone);
    changed.extend(again);
    let new: BTreeSet<InventoryEntry> = desired.objects.values().map(Desired::entry).collect();
    let prune = if known.prune { gone(&new, known.inventory) } else { Vec::new() };
    Plan {
        adds: new.iter().any(|entry| !known.inventory.contains(entry)),
        rehearse: rehearsal(&changed, desired, known),
        waves: wave::of(&changed),
        left: left.into_iter().map(|want| want.id.clone()).collect(),
        union: known.inventory.union(&new).cloned().collect(),
        prune,
    }
}

/// Whether the object needs no apply: what was applied last is the same, or (after a restart) the
/// live object says that we own just these fields and holds just these values.
fn is_there(want: &Desired, known: &Known<'_>) -> bool {
    match known.applied.get(&want.id) {
        Some(applied) => applied.body == want.body && (known.live)(&want.id).is_some(),
        None => (known.live)(&want.id).is_some_and(|live| want.is_held_by(known.schema, &live)),
    }
}

/// Whether the object was applied just so before this engine started.
fn is_left(want: &Desired, known: &Known<'_>) -> bool {
    let Some(marks) = known.marks.filter(|_| !known.applied.contains_key(&want.id)) else {
        return false;
    };
    marks.get(&want.id).is_some_and(|mark| mark.digest == want.mark("").digest)
}

/// What is in the inventory and no longer wanted, dependents first. An entry that only changed
/// its version is the same object.
fn gone(new: &BTreeSet<InventoryEntry>, old: &BTreeSet<InventoryEntry>) -> Vec<InventoryEntry> {
    let wanted: BTreeSet<&ObjectId> = new.iter().map(|entry| &entry.id).collect();
    let mut gone: Vec<InventoryEntry> =
        old.iter().filter(|entry| !wanted.contains(&entry.id)).cloned().collect();
    gone.sort_by_key(|entry| std::cmp::Reverse(wave::number(&entry.id)));
    gone
}

/// Which objects can be asked about beforehand. One whose namespace or kind comes with the
/// same change set cannot: the server would miss it.
fn rehearsal(changed: &[&Desired], desired: &DesiredSet, known: &Known<'_>) -> Vec<ObjectId> {
    if changed.len() < 2 {
        return Vec::new();
    }
    let is_coming = |namespace: &str| {
        let id = ObjectId::new("", "Namespace", "", namespace);
        desired.objects.contains_key(&id) && (known.live)(&id).is_none()
    };
    let askable =
        changed.iter().filter(|want| !is_coming(&want.id.namespace) && (known.served)(&want.gvr));
    askable.map(|want| want.id.clone()).collect()
}
