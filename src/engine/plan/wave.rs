//! The order of a change set: which kinds must be there before others.
//!
//! Four waves, not a strict list: what does not need another goes out together, so that a first
//! deploy costs as many round trips as it has waves, not objects.

use super::Desired;
use crate::object::ObjectId;

/// What others are made in or of.
const GROUND: [&str; 10] = [
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "StorageClass",
    "RuntimeClass",
    "IngressClass",
    "ClusterRole",
    "ResourceQuota",
    "LimitRange",
    "PersistentVolume",
];

/// What runs, and so needs everything else.
const WORKLOADS: [&str; 8] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
    "Pod",
    "ReplicationController",
];

/// What can refuse other objects, and so comes when they are there.
const GATES: [&str; 4] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "ValidatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicyBinding",
];

/// The wave of an object, from 0.
pub(super) fn number(id: &ObjectId) -> usize {
    let kind = id.kind.as_ref();
    if GROUND.contains(&kind) {
        0
    } else if WORKLOADS.contains(&kind) {
        2
    } else if GATES.contains(&kind) {
        3
    } else {
        1
    }
}

/// The ids of `changed` by wave; waves without an object are left out.
pub(super) fn of(changed: &[&Desired]) -> Vec<Vec<ObjectId>> {
    let mut waves: [Vec<ObjectId>; 4] = Default::default();
    for want in changed {
        waves[number(&want.id)].push(want.id.clone());
    }
    waves.into_iter().filter(|wave| !wave.is_empty()).collect()
}
