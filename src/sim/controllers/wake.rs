//! Who is to look at a change: from a changed object to the keys that it concerns.
//!
//! Only the changed object, its owner references and indexed neighbours are read. An object that
//! nobody controls concerns every workload of its namespace that might adopt it.

use super::caches::Caches;
use super::garbage;
use super::kinds::{
    CONTROLLER_REVISION, DAEMON_SET, DEPLOYMENT, JOB, NAMESPACE, NODE, POD, REPLICA_SET,
    STATEFUL_SET, Slot,
};
use super::plan::{Controller, Key};
use super::selector::Selector;
use crate::api::Change;
use crate::object::Object;

/// The keys that `change` concerns, in a fixed order; some may come twice.
pub(crate) fn keys(caches: &Caches, slot: Slot, change: &Change) -> Vec<Key> {
    let mut keys = Vec::new();
    let versions = [change.old.as_ref(), change.new.as_ref()];
    if let Some(object) = change.object() {
        if let Some(controller) = of_slot(slot) {
            keys.push(Key::new(controller, object.namespace(), object.name()));
        }
        match slot {
            POD | REPLICA_SET => {
                for version in versions.into_iter().flatten() {
                    keys.extend(controller_key(version));
                }
                let is_orphan =
                    change.new.as_ref().is_some_and(|new| new.controller_uid().is_none());
                if is_orphan {
                    keys.extend(adopters(caches, slot, object));
                }
            }
            NODE => keys.extend(
                caches
                    .all(DAEMON_SET)
                    .map(|set| Key::new(Controller::DaemonSet, set.namespace(), set.name())),
            ),
            _ => {}
        }
        if slot == CONTROLLER_REVISION {
            keys.extend(controller_key(object));
        }
        if slot == POD && change.new.is_none() {
            keys.extend(recreating(caches, object));
        }
    }
    keys.extend(garbage::keys(caches, change));
    keys
}

/// The controller of the objects of a resource. Namespaces are not among them: they are looked
/// at after a pause.
fn of_slot(slot: Slot) -> Option<Controller> {
    Some(match slot {
        DEPLOYMENT => Controller::Deployment,
        REPLICA_SET => Controller::ReplicaSet,
        STATEFUL_SET => Controller::StatefulSet,
        DAEMON_SET => Controller::DaemonSet,
        JOB => Controller::Job,
        NODE => Controller::Node,
        _ => return None,
    })
}

/// The key of a namespace that is going.
pub(crate) fn namespace_key(slot: Slot, change: &Change) -> Option<Key> {
    let namespace = change.new.as_ref().filter(|new| slot == NAMESPACE && new.is_deleting())?;
    Some(Key::new(Controller::Namespace, "", namespace.name()))
}

fn controller_key(object: &Object) -> Option<Key> {
    let owner = object.controller()?;
    let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
    let controller = match (group, owner.kind) {
        ("apps", "ReplicaSet") => Controller::ReplicaSet,
        ("apps", "Deployment") => Controller::Deployment,
        ("apps", "StatefulSet") => Controller::StatefulSet,
        ("apps", "DaemonSet") => Controller::DaemonSet,
        ("batch", "Job") => Controller::Job,
        _ => return None,
    };
    Some(Key::new(controller, object.namespace(), owner.name))
}

/// Who might adopt an object that nobody controls.
fn adopters(caches: &Caches, slot: Slot, object: &Object) -> Vec<Key> {
    let candidates: &[(Slot, Controller)] = match slot {
        POD => &[
            (REPLICA_SET, Controller::ReplicaSet),
            (STATEFUL_SET, Controller::StatefulSet),
            (DAEMON_SET, Controller::DaemonSet),
            (JOB, Controller::Job),
        ],
        _ => &[(DEPLOYMENT, Controller::Deployment)],
    };
    let mut keys = Vec::new();
    for (owners, controller) in candidates {
        for owner in caches.in_namespace(*owners, object.namespace()) {
            if Selector::of(owner).matches(object) {
                keys.push(Key::new(*controller, owner.namespace(), owner.name()));
            }
        }
    }
    keys
}

/// The Deployment of a pod that is gone: with the strategy Recreate it may have waited for that.
fn recreating(caches: &Caches, pod: &Object) -> Option<Key> {
    let owner = pod.controller().filter(|owner| owner.kind == "ReplicaSet")?;
    controller_key(caches.get(REPLICA_SET, pod.namespace(), owner.name)?)
}
