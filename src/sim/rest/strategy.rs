//! What a kind does at create and update beyond storing what it is given: generation, which
//! fields a writer of the object or of its status may set (R-STO-05, 06, 11, 12, 14, 15, 19).

use super::custom;
use super::kinds::Kind;
use crate::base::Time;
use crate::fields;
use crate::object::schema::{self, form};
use crate::object::{Key, Object, Value, json};

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
    /// The same, or a change of a label.
    ContentAndLabels,
    /// It is 1, and stays.
    One,
    /// There is none until the spec changes.
    SpecFromNone,
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
        | "FlowSchema"
        | "PriorityLevelConfiguration"
        | "Pod"
        | "ReplicationController"
        | "ResourceSlice"
        | "DeviceClass"
        | "CustomResourceDefinition" => Generation::Spec,
        "EndpointSlice" => Generation::ContentAndLabels,
        "PriorityClass" => Generation::One,
        "CSIDriver" => Generation::SpecFromNone,
        "PodTemplate"
        | "MutatingWebhookConfiguration"
        | "ValidatingWebhookConfiguration"
        | "ValidatingAdmissionPolicy"
        | "ValidatingAdmissionPolicyBinding"
        | "MutatingAdmissionPolicy"
        | "MutatingAdmissionPolicyBinding" => Generation::Content,
        _ => Generation::None,
    }
}

/// `is_labelled` says whether the object came with labels of its own.
pub(super) fn prepare_for_create(kind: &Kind, now: Time, is_labelled: bool, object: &mut Object) {
    if !matches!(kind.strategy.generation, Generation::None | Generation::SpecFromNone) {
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
            // One whose name was drawn has not got it yet.
            let name = object.name().to_owned();
            object.set(&["metadata", "labels", "kubernetes.io/metadata.name"], name.into());
        }
        "Pod" => pods::prepare_for_create(now, object),
        "Job" => jobs::prepare_for_create(object, is_labelled),
        "DaemonSet" => set_template_generation(object, 1),
        "EndpointSlice" => drop_old_topology(object),
        "StatefulSet" => drop_most_unavailable(object),
        "CustomResourceDefinition" => note_storage_version(object),
        "PersistentVolumeClaim" => {
            data_source(object);
            object.set(&["status", "phase"], "Pending".into());
        }
        "PersistentVolume" => {
            object.set(&["status", "phase"], "Pending".into());
            object.set(&["status", "lastPhaseTransitionTime"], now.rfc3339().into());
        }
        "APIService" if object.at(&["spec", "service"]).is_none() => {
            let condition = json!({ "type": "Available", "status": "True", "reason": "Local",
                "lastTransitionTime": now.rfc3339(),
                "message": "Local APIServices are always available" });
            object.set(&["status", "conditions"], json!([condition]));
        }
        _ => {}
    }
}

/// What an object is like when it is read back from storage, which is how it is answered: lists
/// that are always printed are null where they are empty, and defaults see what the server set.
/// `live` is what it is written over.
pub(super) fn read_back(kind: &Kind, live: Option<&Object>, object: &mut Object) {
    if let Some(version) = &kind.custom {
        custom::fill(version, object);
    }
    if kind.kind == "Job" {
        jobs::read_back(object);
    }
    // These two groups are stored as JSON, which tells empty from unset.
    let as_json = matches!(kind.group, "apiextensions.k8s.io" | "apiregistration.k8s.io");
    if kind.custom.is_none() && !as_json {
        form::store_object(schema::builtin(), kind.ty, object, live);
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
                "EndpointSlice" => drop_old_topology(object),
                "PersistentVolumeClaim" => data_source(object),
                "StatefulSet" => drop_most_unavailable(object),
                // What was asked for is asked for.
                "CertificateSigningRequest" => copy(live, object, &["spec"]),
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
        kind if fields::status_keeps_metadata(kind) => {
            for field in ["annotations", "finalizers", "labels", "ownerReferences"] {
                copy(live, object, &["metadata", field]);
            }
        }
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
        Generation::None | Generation::One => false,
        Generation::Spec | Generation::SpecFromNone => differs(&["spec"]),
        Generation::SpecAndAnnotations => {
            differs(&["spec"]) || differs(&["metadata", "annotations"])
        }
        Generation::ContentAndLabels if live.labels() != object.labels() => true,
        rule @ (Generation::Content | Generation::ContentAndLabels | Generation::Custom) => {
            let content = |key: &&Key| match key.as_str() {
                "metadata" => false,
                "status" => rule == Generation::Custom,
                _ => true,
            };
            let keys = live.0.keys().chain(object.0.keys()).filter(content);
            let same = |a: Option<&Value>, b: Option<&Value>| {
                let is_empty = |value: Option<&Value>| {
                    value.is_none_or(|v| v.is_null() || v.as_array().is_some_and(Vec::is_empty))
                };
                a == b || (is_empty(a) && is_empty(b))
            };
            keys.into_iter().any(|key| !same(live.0.get(key), object.0.get(key)))
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

/// A field of the first version, which nobody reads any more.
fn drop_old_topology(slice: &mut Object) {
    let endpoints = slice.0.get_mut("endpoints").and_then(Value::as_array_mut);
    for endpoint in endpoints.into_iter().flatten().filter_map(Value::as_object_mut) {
        endpoint.remove("deprecatedTopology");
    }
}

/// What a claim is filled from stands in two fields, of which one is enough. The older one knows
/// claims and snapshots alone; anything else in it is dropped.
fn data_source(claim: &mut Object) {
    let (old, new) = (["spec", "dataSource"], ["spec", "dataSourceRef"]);
    let is_old = |source: &Value| {
        let text = |key: &str| source[key].as_str().unwrap_or_default();
        matches!(
            (text("apiGroup"), text("kind")),
            ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
        )
    };
    let keeps = |object: &Object| object.at(&old).is_some_and(is_old);
    if claim.at(&old).is_some() && claim.at(&new).is_none() && !keeps(claim) {
        claim.remove(&old);
    }
    if let (Some(source), None) = (claim.at(&old).cloned(), claim.at(&new)) {
        claim.set(&new, source);
    } else if let (None, Some(source)) = (claim.at(&old), claim.at(&new).cloned())
        && is_old(&source)
        && source.get("namespace").is_none()
    {
        claim.set(&old, source);
    }
}

/// A field behind a gate that is off.
fn drop_most_unavailable(set: &mut Object) {
    set.remove(&["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]);
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
