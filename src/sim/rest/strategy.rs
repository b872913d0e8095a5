//! What a kind does at create and update beyond storing what it is given: generation, which
//! fields a writer of the object or of its status may set (R-STO-05, 06, 11, 12, 14, 15, 19).

use super::custom;
use super::kinds::Kind;
use crate::base::Time;
use crate::object::{Object, Value};

mod jobs;
mod pods;

/// What makes `metadata.generation` rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    /// The kind has none of its own; one that a client sets is kept.
    None,
    /// A change under `spec`.
    Spec,
    /// A change under `spec` or of an annotation, because those are handed down to ReplicaSets.
    SpecAndAnnotations,
    /// A change of anything but metadata and status.
    Content,
    /// A change of anything but metadata (what is left of the status is then the live one).
    Custom,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Strategy {
    pub(super) generation: Generation,
    /// PUT of what is not there makes it.
    pub(super) create_on_update: bool,
    /// PUT without resourceVersion is taken.
    pub(super) unconditional_update: bool,
    /// DELETE answers the object instead of a Status.
    pub(super) returns_deleted: bool,
}

/// The strategy of custom resources.
pub(super) const CUSTOM: Strategy = Strategy {
    generation: Generation::Custom,
    create_on_update: false,
    unconditional_update: false,
    returns_deleted: false,
};

pub(super) fn of(group: &str, kind: &str) -> Strategy {
    Strategy {
        generation: generation(kind),
        create_on_update: CREATE_ON_UPDATE.contains(&kind),
        unconditional_update: !CONDITIONAL.contains(&kind),
        returns_deleted: RETURNS_DELETED.contains(&kind) || group == "resource.k8s.io",
    }
}

const CREATE_ON_UPDATE: &[&str] = &[
    "ClusterRole",
    "ClusterRoleBinding",
    "Endpoints",
    "Event",
    "Lease",
    "LimitRange",
    "Role",
    "RoleBinding",
    "RuntimeClass",
    "Service",
];

const CONDITIONAL: &[&str] = &[
    "APIService",
    "CSIDriver",
    "CSINode",
    "CSIStorageCapacity",
    "CustomResourceDefinition",
    "Lease",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "PodDisruptionBudget",
    "RuntimeClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

const RETURNS_DELETED: &[&str] = &[
    "CSIDriver",
    "CSINode",
    "Namespace",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodTemplate",
    "ResourceQuota",
    "Service",
    "ServiceAccount",
    "StorageClass",
    "VolumeAttachment",
    "VolumeAttributesClass",
];

fn generation(kind: &str) -> Generation {
    match kind {
        "Deployment" => Generation::SpecAndAnnotations,
        "ReplicaSet"
        | "StatefulSet"
        | "DaemonSet"
        | "Job"
        | "CronJob"
        | "Ingress"
        | "IngressClass"
        | "NetworkPolicy"
        | "PodDisruptionBudget"
        | "CSIDriver"
        | "FlowSchema"
        | "PriorityLevelConfiguration"
        | "Pod"
        | "ReplicationController"
        | "ResourceSlice"
        | "DeviceClass"
        | "CustomResourceDefinition" => Generation::Spec,
        "EndpointSlice"
        | "PriorityClass"
        | "PodTemplate"
        | "MutatingWebhookConfiguration"
        | "ValidatingWebhookConfiguration"
        | "ValidatingAdmissionPolicy"
        | "ValidatingAdmissionPolicyBinding"
        | "MutatingAdmissionPolicy"
        | "MutatingAdmissionPolicyBinding" => Generation::Content,
        _ => Generation::None,
    }
}

pub(super) fn prepare_for_create(kind: &Kind, now: Time, object: &mut Object) {
    if kind.strategy.generation != Generation::None {
        object.set(&["metadata", "generation"], 1.into());
    }
    if let Some(version) = &kind.custom {
        custom::prepare_for_create(version, object);
        return;
    }
    // A node comes with what its kubelet says of it.
    if let Some(empty) = kind.empty_status.as_ref().filter(|_| kind.kind != "Node") {
        object.set(&["status"], empty.clone());
    }
    match kind.kind {
        "Namespace" => {
            object.set(&["status", "phase"], "Active".into());
            let mut finalizers = object.list(&["spec", "finalizers"]).to_vec();
            if !finalizers.iter().any(|f| f == "kubernetes") {
                finalizers.push("kubernetes".into());
            }
            object.set(&["spec", "finalizers"], Value::Array(finalizers));
        }
        "Pod" => pods::prepare_for_create(now, object),
        "Job" => jobs::prepare_for_create(object),
        "DaemonSet" => set_template_generation(object, 1),
        "CustomResourceDefinition" => note_storage_version(object),
        "PersistentVolumeClaim" => object.set(&["status", "phase"], "Pending".into()),
        "PersistentVolume" => {
            object.set(&["status", "phase"], "Pending".into());
            object.set(&["status", "lastPhaseTransitionTime"], now.rfc3339().into());
        }
        _ => {}
    }
}

/// What an object is like when it is read back from storage, which is how it is answered: lists
/// that are always printed are null where they are empty, and defaults see what the server set.
pub(super) fn read_back(kind: &Kind, object: &mut Object) {
    if let Some(version) = &kind.custom {
        custom::fill(version, object);
    }
    if kind.kind == "Job" {
        jobs::read_back(object);
    }
    for field in &kind.nullable {
        if object.list(&[field]).is_empty() {
            object.set(&[field], Value::Null);
        }
    }
}

/// Sets what a writer may not, and counts the generation up. `subresource` is empty for the
/// object itself.
pub(super) fn prepare_for_update(
    kind: &Kind,
    subresource: &str,
    live: &Object,
    object: &mut Object,
) {
    match subresource {
        "status" if kind.custom.is_some() => custom::keep_all_but_status(live, object),
        "status" => keep_all_but_status(kind, live, object),
        "finalize" => copy(live, object, &["status"]),
        "approval" => {}
        _ => {
            let keeps = kind.custom.as_ref().is_some_and(|custom| custom.has_status);
            if keeps || kind.empty_status.is_some() {
                copy(live, object, &["status"]);
            }
            match kind.kind {
                "Namespace" => copy(live, object, &["spec", "finalizers"]),
                "DaemonSet" => count_template_generation(live, object),
                "CustomResourceDefinition" => note_storage_version(object),
                _ => {}
            }
            if rises(kind, live, object) {
                let next = live.generation() + 1;
                object.set(&["metadata", "generation"], next.into());
            }
        }
    }
}

/// A writer of the status changes the status, and metadata where its kind lets it.
fn keep_all_but_status(kind: &Kind, live: &Object, object: &mut Object) {
    copy(live, object, &["spec"]);
    match kind.kind {
        "Deployment" => copy(live, object, &["metadata", "labels"]),
        "Pod" => {
            copy(live, object, &["metadata", "deletionTimestamp"]);
            copy(live, object, &["metadata", "ownerReferences"]);
            copy(live, object, &["status", "qosClass"]);
        }
        _ => {}
    }
}

fn copy(live: &Object, object: &mut Object, path: &[&str]) {
    match live.at(path) {
        Some(value) if object.at(path) == Some(value) => {}
        Some(value) => object.set(path, value.clone()),
        None => {
            object.remove(path);
        }
    }
}

fn rises(kind: &Kind, live: &Object, object: &Object) -> bool {
    let differs = |path: &[&str]| live.at(path) != object.at(path);
    match kind.strategy.generation {
        Generation::None => false,
        Generation::Spec => differs(&["spec"]),
        Generation::SpecAndAnnotations => {
            differs(&["spec"]) || differs(&["metadata", "annotations"])
        }
        rule @ (Generation::Content | Generation::Custom) => {
            let content = |key: &&String| match key.as_str() {
                "metadata" => false,
                "status" => rule == Generation::Custom,
                _ => true,
            };
            let keys = live.0.keys().chain(object.0.keys()).filter(content);
            keys.into_iter().any(|key| live.0.get(key) != object.0.get(key))
        }
    }
}

/// Writes down the version in which objects are stored from now on, beside those in which some
/// may still be.
fn note_storage_version(crd: &mut Object) {
    let mut versions = crd.list(&["spec", "versions"]).iter();
    let Some(storage) = versions.find(|v| v["storage"] == true) else { return };
    let name = storage["name"].clone();
    let mut stored = crd.list(&["status", "storedVersions"]).to_vec();
    if !stored.contains(&name) {
        stored.push(name);
        crd.set(&["status", "storedVersions"], Value::Array(stored));
    }
}

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// A count of template changes that DaemonSets carry in an annotation since apps/v1.
fn set_template_generation(object: &mut Object, count: i64) {
    let path = ["metadata", "annotations", TEMPLATE_GENERATION];
    object.set(&path, count.to_string().into());
}

fn count_template_generation(live: &Object, object: &mut Object) {
    let before = live.annotation(TEMPLATE_GENERATION).and_then(|n| n.parse().ok()).unwrap_or(1);
    let template = ["spec", "template"];
    let changed = live.at(&template) != object.at(&template);
    set_template_generation(object, before + i64::from(changed));
}
