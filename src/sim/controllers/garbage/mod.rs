//! The garbage collector: deletes what lost all its owners, and carries out foreground deletion
//! and orphaning (R-CTL-26).
//!
//! It goes by the graph of uids that the caches keep. A key is one object's uid; it is looked at
//! when the object's owners, finalizers or deletion change, when an owner goes, and when a
//! dependent goes that its owner waits for. That an owner is absent is checked with the server,
//! unless its end was seen.

mod owners;

use std::sync::Arc;

use super::caches::Caches;
use super::kinds::{Served, Slot};
use super::plan::{Again, Call, Controller, Cx, Key, Plan};
use crate::api::{Change, PatchKind, Propagation, Request};
use crate::object::{Object, Value, json};
use owners::Owners;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// The keys that a change concerns.
pub(crate) fn keys(caches: &Caches, change: &Change) -> Vec<Key> {
    let key = |uid: &str| Key::new(Controller::Garbage, "", uid);
    let mut keys = Vec::new();
    let owners = change.object().map(|object| object.owners()).into_iter().flatten();
    match (&change.old, &change.new) {
        (_, None) => {
            // Its dependents lost an owner; an owner may have waited for it.
            let uid = change.object().map_or("", |object| object.uid());
            keys.extend(caches.dependents(uid).map(|(_, dependent)| key(dependent.uid())));
            keys.extend(owners.map(|owner| key(owner.uid)));
        }
        (old, Some(new)) => {
            if old.as_ref().is_some_and(|old| !is_relevant(old, new)) {
                return keys;
            }
            if new.owners().next().is_some() || is_ending(new) {
                keys.push(key(new.uid()));
            }
            if new.is_deleting() && has_finalizer(new, FOREGROUND) {
                keys.extend(caches.dependents(new.uid()).map(|(_, d)| key(d.uid())));
            }
            // It may have been let go by an owner that waits, or block one no more.
            let before = old.as_ref().map(|old| old.owners()).into_iter().flatten();
            keys.extend(before.chain(owners).filter(|o| waits(caches, o.uid)).map(|o| key(o.uid)));
        }
    }
    keys
}

fn is_relevant(old: &Object, new: &Object) -> bool {
    let (old, new) = (old.at(&["metadata"]), new.at(&["metadata"]));
    ["ownerReferences", "finalizers", "deletionTimestamp"]
        .iter()
        .any(|field| old.and_then(|old| old.get(field)) != new.and_then(|new| new.get(field)))
}

fn is_ending(object: &Object) -> bool {
    object.is_deleting() && (has_finalizer(object, FOREGROUND) || has_finalizer(object, ORPHAN))
}

fn waits(caches: &Caches, uid: &str) -> bool {
    caches.by_uid(uid).is_some_and(|(_, owner)| is_ending(owner))
}

fn has_finalizer(object: &Object, name: &str) -> bool {
    object.finalizers().any(|finalizer| finalizer == name)
}

/// Decides what becomes of one object.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let Some((slot, object)) = cx.caches.by_uid(cx.key.name()) else { return Plan::nothing() };
    if cx.failure.is_some() {
        return Plan::nothing();
    }
    let place = Placed { served: &cx.caches.served()[slot], object };
    if object.is_deleting() && has_finalizer(object, ORPHAN) {
        return orphan(cx.caches, &place);
    }
    if object.is_deleting() && has_finalizer(object, FOREGROUND) {
        let is_blocked = blocking(cx.caches, object).next().is_some();
        return if is_blocked {
            Plan::nothing()
        } else {
            Plan::nothing().then(vec![place.without(FOREGROUND)])
        };
    }
    if object.is_deleting() || object.owners().next().is_none() {
        return Plan::nothing();
    }
    match owners::classify(cx, place.served.namespaced, object) {
        Owners::Unknown => Plan::nothing(),
        Owners::Ask(calls) => Plan::nothing().then(calls).again(Again::WithAnswers),
        Owners::Known { solid, absent, waiting } => {
            decide(cx.caches, &place, solid, &absent, &waiting)
        }
    }
}

fn decide(
    caches: &Caches,
    place: &Placed,
    solid: usize,
    absent: &[&str],
    waiting: &[&str],
) -> Plan {
    let object = place.object;
    if solid > 0 {
        let lost: Vec<&str> = absent.iter().chain(waiting).copied().collect();
        let patch = (!lost.is_empty()).then(|| place.without_owners(&lost));
        return Plan::nothing().then(patch.into_iter().collect());
    }
    let has_dependents = caches.dependents(object.uid()).next().is_some();
    if !waiting.is_empty() && has_dependents {
        // An owner waits for this one, so this one waits for its own dependents. If one of them
        // waits already there may be a circle: nobody blocks on this one any more.
        let is_circle = caches
            .dependents(object.uid())
            .any(|(_, d)| d.is_deleting() && has_finalizer(d, FOREGROUND));
        if is_circle && object.owners().any(|owner| owner.block_owner_deletion) {
            return Plan::nothing().then(vec![place.unblocking()]);
        }
        return Plan::nothing().then(vec![place.delete(Propagation::Foreground)]);
    }
    let propagation = if has_finalizer(object, ORPHAN) {
        Propagation::Orphan
    } else if has_finalizer(object, FOREGROUND) {
        Propagation::Foreground
    } else {
        Propagation::Background
    };
    Plan::nothing().then(vec![place.delete(propagation)])
}

/// Dependents that keep their owner from going.
fn blocking<'a>(caches: &'a Caches, owner: &'a Object) -> impl Iterator<Item = &'a Arc<Object>> {
    let dependents = caches.dependents(owner.uid()).map(|(_, dependent)| dependent);
    dependents.filter(|dependent| {
        dependent.owners().any(|o| o.uid == owner.uid() && o.block_owner_deletion)
    })
}

/// Takes the owner out of all its dependents, then its finalizer.
fn orphan(caches: &Caches, owner: &Placed) -> Plan {
    let uid = owner.object.uid();
    let release = |slot: Slot, object: &Arc<Object>| {
        Placed { served: &caches.served()[slot], object }.without_owners(&[uid])
    };
    let released = caches.dependents(uid).map(|((slot, ..), object)| release(*slot, object));
    Plan::nothing().then(released.collect()).then(vec![owner.without(ORPHAN)])
}

/// An object and its resource: what a request needs.
#[derive(Clone, Copy, Debug)]
struct Placed<'a> {
    served: &'a Served,
    object: &'a Arc<Object>,
}

impl Placed<'_> {
    fn patch(&self, body: Value) -> Call {
        let (gvr, object) = (self.served.resource.clone(), self.object);
        let (namespace, name) = (object.namespace(), object.name());
        Call::new(Request::patch(gvr, namespace, name, PatchKind::Merge, body))
    }

    fn without(&self, finalizer: &str) -> Call {
        let left: Vec<&str> = self.object.finalizers().filter(|f| *f != finalizer).collect();
        let revision = self.object.resource_version();
        self.patch(json!({"metadata": {"resourceVersion": revision, "finalizers": left}}))
    }

    fn without_owners(&self, uids: &[&str]) -> Call {
        let references = self.object.list(&["metadata", "ownerReferences"]).iter();
        let is_kept = |reference: &&Value| {
            reference.get("uid").and_then(Value::as_str).is_none_or(|uid| !uids.contains(&uid))
        };
        let left: Vec<&Value> = references.filter(is_kept).collect();
        self.patch_owners(&json!(left))
    }

    fn unblocking(&self) -> Call {
        let mut references = self.object.list(&["metadata", "ownerReferences"]).to_vec();
        for reference in &mut references {
            reference["blockOwnerDeletion"] = false.into();
        }
        self.patch_owners(&json!(references))
    }

    fn patch_owners(&self, references: &Value) -> Call {
        let metadata = json!({"resourceVersion": self.object.resource_version(),
            "ownerReferences": references, "uid": self.object.uid()});
        self.patch(json!({ "metadata": metadata }))
    }

    fn delete(&self, propagation: Propagation) -> Call {
        let (gvr, object) = (self.served.resource.clone(), self.object);
        let mut request = Request::delete(gvr, object.namespace(), object.name());
        request.options.delete.propagation = Some(propagation);
        request.options.delete.uid = Some(object.uid().to_owned());
        request.options.delete.resource_version = Some(object.resource_version().to_owned());
        Call::new(request)
    }
}

#[cfg(test)]
mod tests;
