//! Who is to look at a change: from a changed object to the keys that it concerns.
//!
//! Only the changed object, its owner references and indexed neighbours are read. An object that
//! nobody controls concerns every workload of its namespace that might adopt it.

use std::sync::Arc;

use super::caches::Caches;
use super::kinds::{
    AUTOSCALER, BUDGET, CLAIM, CLUSTER_ROLE, CONFIG_MAP, CONTROLLER_REVISION, CRON_JOB, DAEMON_SET,
    DEPLOYMENT, ENDPOINT_SLICE, ENDPOINTS, INGRESS, JOB, NAMESPACE, NODE, POD, QUOTA, REPLICA_SET,
    SERVICE, SERVICE_ACCOUNT, STATEFUL_SET, STORAGE_CLASS, Slot, VOLUME,
};
use super::plan::{Controller, Key};
use super::selector::Selector;
use super::{
    account, aggregate, budget, endpoints, expiry, expose, garbage, job, node, pod, quota, volume,
};
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
            POD | REPLICA_SET | JOB => {
                for version in versions.into_iter().flatten() {
                    keys.extend(controller_key(version));
                }
                if slot == JOB {
                    keys.extend(of_job(caches, change, object));
                }
                let is_orphan =
                    change.new.as_ref().is_some_and(|new| new.controller_uid().is_none());
                if is_orphan && slot != JOB {
                    keys.extend(adopters(caches, slot, object));
                }
                if slot == POD {
                    keys.extend(of_pod(caches, change, object));
                    let pod = change.new.as_ref();
                    keys.extend(pod.into_iter().flat_map(|pod| of_bound_pod(caches, pod)));
                }
            }
            NODE => {
                let sets = caches.all(DAEMON_SET);
                let key = |set: &Arc<Object>| {
                    Key::new(Controller::DaemonSet, set.namespace(), set.name())
                };
                keys.extend(sets.map(key));
                keys.extend(of_node(caches, change, object));
            }
            _ => keys.extend(housekeeping(caches, slot, change, object)),
        }
        if quota::frees(slot, change) {
            keys.extend(quota::keys(caches, object.namespace()));
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

/// Budgets, Services and claims that a change to a pod concerns.
fn of_pod(caches: &Caches, change: &Change, pod: &Object) -> Vec<Key> {
    let namespace = pod.namespace();
    let versions = || [&change.old, &change.new].into_iter().flatten();
    let mut keys = Vec::new();
    for budget in caches.in_namespace(BUDGET, namespace) {
        if versions().any(|pod| budget::selects(budget, pod)) {
            keys.push(Key::new(Controller::Budget, namespace, budget.name()));
        }
    }
    if endpoints::matters(change) {
        for version in versions() {
            let services = caches.services_for(version);
            let services = services.filter(|service| endpoints::selects(service, version));
            keys.extend(services.flat_map(|service| of_service(service)));
        }
    }
    if change.new.as_ref().is_some_and(|pod| job::is_let_go(caches, pod)) {
        keys.push(Key::new(Controller::OrphanPod, namespace, pod.name()));
    }
    let is_new = change.old.is_none();
    let is_over = change.new.as_ref().is_none_or(|pod| pod::is_finished(pod));
    if is_new || is_over {
        let controller = if is_new { Controller::Volume } else { Controller::ClaimProtection };
        let claims = volume::claims_of(pod);
        keys.extend(claims.map(|name| Key::new(controller, namespace, name)));
    }
    keys
}

/// Pods that a change to their node concerns, and the nodes that wait for their turn.
fn of_node(caches: &Caches, change: &Change, node: &Object) -> Vec<Key> {
    let part = |object: &Option<Arc<Object>>, path: &[&str]| {
        object.as_ref().and_then(|object| object.at(path)).cloned()
    };
    let differs = |path: &[&str]| part(&change.old, path) != part(&change.new, path);
    let mut keys = Vec::new();
    let was_ready = change.old.as_ref().map(|old| node::is_not_ready(old));
    let is_ready = change.new.as_ref().map(|new| node::is_not_ready(new));
    if was_ready != is_ready {
        let others = caches.all(NODE).filter(|other| node::is_not_ready(other));
        keys.extend(others.map(|other| Key::new(Controller::Node, "", other.name())));
    }
    if was_ready != is_ready || differs(&["spec", "taints"]) {
        for pod in node::pods_on(caches, node.name()) {
            let key = |controller| Key::new(controller, pod.namespace(), pod.name());
            keys.extend([Controller::TaintEviction, Controller::PodGc].map(key));
        }
    }
    keys
}

/// A Job that is to go after its time, and the pods that one which ended or went lets go.
fn of_job(caches: &Caches, change: &Change, job: &Object) -> Vec<Key> {
    let mut keys = Vec::new();
    if expiry::concerns(job) {
        keys.push(Key::new(Controller::Expiry, job.namespace(), job.name()));
    }
    if change.new.as_ref().is_none_or(|job| job::is_finished(job)) {
        let pods = caches.controlled(POD, job.uid()).filter(|pod| job::has_tracked(pod));
        keys.extend(pods.map(|pod| Key::new(Controller::OrphanPod, pod.namespace(), pod.name())));
    }
    keys
}

/// Who moves or ends a pod whose node is not as it should be.
fn of_bound_pod(caches: &Caches, pod: &Object) -> Vec<Key> {
    let node = pod.text(&["spec", "nodeName"]).unwrap_or_default();
    let key = |controller| Key::new(controller, pod.namespace(), pod.name());
    let noticed = caches.noticed();
    let is_tainted = !noticed.taints(node).is_empty();
    let is_lost = if node.is_empty() {
        pod.is_deleting()
    } else {
        noticed.gone_since(node).is_some() || (is_tainted && pod.is_deleting())
    };
    let evicted = is_tainted.then(|| key(Controller::TaintEviction));
    evicted.into_iter().chain(is_lost.then(|| key(Controller::PodGc))).collect()
}

fn of_service(service: &Object) -> [Key; 2] {
    let (namespace, name) = (service.namespace(), service.name());
    [Controller::EndpointSlice, Controller::Endpoints].map(|c| Key::new(c, namespace, name))
}

/// The keys of the controllers that look after what is not a workload.
fn housekeeping(caches: &Caches, slot: Slot, change: &Change, object: &Object) -> Vec<Key> {
    let (namespace, name) = (object.namespace(), object.name());
    let here = |controller| Key::new(controller, namespace, name);
    let mut keys = Vec::new();
    match slot {
        NAMESPACE if change.old.is_none() => {
            keys.push(Key::new(Controller::ServiceAccount, "", name));
            keys.push(Key::new(Controller::RootCa, "", name));
        }
        SERVICE_ACCOUNT if name == account::ACCOUNT && change.new.is_none() => {
            keys.push(Key::new(Controller::ServiceAccount, "", namespace));
        }
        CONFIG_MAP if name == account::ROOT_CA => {
            keys.push(Key::new(Controller::RootCa, "", namespace));
        }
        CLUSTER_ROLE => {
            let roles = caches.all(CLUSTER_ROLE).filter(|role| aggregate::is_aggregate(role));
            keys.extend(roles.map(|role| Key::new(Controller::ClusterRole, "", role.name())));
        }
        SERVICE => {
            keys.extend(of_service(object));
            let versions = [&change.old, &change.new].into_iter().flatten();
            if versions.into_iter().any(|service| expose::is_balanced(service)) {
                keys.push(here(Controller::ServiceAddress));
            }
        }
        ENDPOINTS => keys.push(here(Controller::Endpoints)),
        ENDPOINT_SLICE => {
            let owner = object.controller().filter(|owner| owner.kind == "Service");
            let key = |service| Key::new(Controller::EndpointSlice, namespace, service);
            keys.extend(owner.map(|owner| key(owner.name)));
        }
        CLAIM => {
            if object.is_deleting() {
                keys.push(here(Controller::ClaimProtection));
            }
            let volume = object.text(&["spec", "volumeName"]).filter(|_| change.new.is_none());
            keys.extend(volume.map(|name| Key::new(Controller::Volume, "", name)));
        }
        VOLUME => {
            keys.push(here(Controller::Volume));
            if object.is_deleting() {
                keys.push(here(Controller::VolumeProtection));
            }
            let claim = |field: &str| object.text(&["spec", "claimRef", field]);
            if let Some((namespace, name)) = claim("namespace").zip(claim("name")) {
                keys.push(Key::new(Controller::Volume, namespace, name));
            } else {
                keys.extend(unbound(caches));
            }
        }
        STORAGE_CLASS => keys.extend(unbound(caches)),
        _ => {}
    }
    keys
}

/// The claims that have no volume.
fn unbound(caches: &Caches) -> impl Iterator<Item = Key> {
    let has_none = |claim: &&std::sync::Arc<Object>| {
        claim.text(&["spec", "volumeName"]).is_none_or(str::is_empty)
    };
    let claims = caches.all(CLAIM).filter(has_none);
    claims.map(|claim| Key::new(Controller::Volume, claim.namespace(), claim.name()))
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
        CRON_JOB => Controller::CronJob,
        BUDGET => Controller::Budget,
        AUTOSCALER => Controller::Autoscaler,
        QUOTA => Controller::Quota,
        CLAIM => Controller::Volume,
        INGRESS => Controller::IngressAddress,
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
        ("batch", "CronJob") => Controller::CronJob,
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
