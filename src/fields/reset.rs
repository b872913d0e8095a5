//! What an endpoint puts back whatever a client sends, and thus does not let it own (R-SSA-05).

use std::sync::LazyLock;

use crate::object::fieldset::{Path, Set};

/// Kinds whose resource puts `status` back and whose `/status` puts `spec` back.
const SPEC_AND_STATUS: &[&str] = &[
    "APIService",
    "CronJob",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "FlowSchema",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "PriorityLevelConfiguration",
    "ReplicaSet",
    "ReplicationController",
    "ResourceClaim",
    "ResourceQuota",
    "Service",
    "ServiceCIDR",
    "StatefulSet",
    "ValidatingAdmissionPolicy",
    "VolumeAttachment",
];

/// Whether writers of the `/status` of a built-in kind change nothing of its metadata.
#[must_use]
pub fn status_keeps_metadata(kind: &str) -> bool {
    METADATA_TOO.contains(&kind)
}

/// Kinds whose `/status` puts `metadata` back too.
const METADATA_TOO: &[&str] = &[
    "APIService",
    "FlowSchema",
    "PriorityLevelConfiguration",
    "ResourceClaim",
    "ServiceCIDR",
    "ValidatingAdmissionPolicy",
    "VolumeAttachment",
];

struct Sets {
    none: Set,
    status: Set,
    spec: Set,
    spec_and_metadata: Set,
    deployment_status: Set,
    pod_status: Set,
    request: Set,
    request_status: Set,
    request_approval: Set,
}

fn set(paths: &[&str]) -> Set {
    paths.iter().map(|path| path.split('.').collect::<Path>()).collect()
}

static SETS: LazyLock<Sets> = LazyLock::new(|| Sets {
    none: Set::new(),
    status: set(&["status"]),
    spec: set(&["spec"]),
    spec_and_metadata: set(&["metadata", "spec"]),
    deployment_status: set(&["metadata.labels", "spec"]),
    pod_status: set(&["metadata.deletionTimestamp", "metadata.ownerReferences", "spec"]),
    request: set(&["spec", "status"]),
    request_status: set(&["spec", "status.conditions"]),
    request_approval: set(&["spec", "status.certificate"]),
});

/// What an endpoint of a built-in kind puts back.
#[must_use]
pub fn reset(kind: &str, subresource: &str) -> &'static Set {
    match (kind, subresource) {
        ("CertificateSigningRequest", "") => &SETS.request,
        ("CertificateSigningRequest", "status") => &SETS.request_status,
        ("CertificateSigningRequest", "approval") => &SETS.request_approval,
        ("Deployment", "status") => &SETS.deployment_status,
        ("Pod", "status") => &SETS.pod_status,
        ("Namespace", "finalize") => &SETS.status,
        (kind, "") if SPEC_AND_STATUS.contains(&kind) => &SETS.status,
        (kind, "status") if status_keeps_metadata(kind) => &SETS.spec_and_metadata,
        (kind, "status") if SPEC_AND_STATUS.contains(&kind) => &SETS.spec,
        _ => &SETS.none,
    }
}

/// What an endpoint of a custom resource puts back; `has_status` says whether its definition turns
/// the status subresource on.
#[must_use]
pub fn reset_custom(subresource: &str, has_status: bool) -> &'static Set {
    match subresource {
        "status" => &SETS.spec_and_metadata,
        "" if has_status => &SETS.status,
        _ => &SETS.none,
    }
}
