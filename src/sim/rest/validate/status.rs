//! What a writer of a status may not say: negative counts, more ready than there are.

use super::errors::{Errors, Path};
use super::read::{int, list, text};
use super::{jobs, pods, quotas};
use crate::object::{Object, Value};

const STATUS: Path = Path::Printed("status");

/// What is counted in the status of kinds that have pods.
struct Counts {
    kinds: &'static [&'static str],
    /// Not negative.
    counts: &'static [&'static str],
    /// Not more than `replicas`.
    most: &'static [&'static str],
    /// What is said where more are available than ready.
    available: Option<&'static str>,
}

const COUNTS: [Counts; 4] = [
    Counts {
        kinds: &["Deployment"],
        counts: &[
            "observedGeneration",
            "replicas",
            "updatedReplicas",
            "readyReplicas",
            "availableReplicas",
            "unavailableReplicas",
            "terminatingReplicas",
            "collisionCount",
        ],
        most: &["updatedReplicas", "readyReplicas", "availableReplicas"],
        available: Some("cannot be greater than readyReplicas"),
    },
    Counts {
        kinds: &["ReplicaSet", "ReplicationController"],
        counts: &[
            "replicas",
            "fullyLabeledReplicas",
            "readyReplicas",
            "availableReplicas",
            "observedGeneration",
        ],
        most: &["fullyLabeledReplicas", "readyReplicas", "availableReplicas"],
        available: Some("cannot be greater than readyReplicas"),
    },
    Counts {
        kinds: &["StatefulSet"],
        counts: &[
            "replicas",
            "readyReplicas",
            "currentReplicas",
            "updatedReplicas",
            "availableReplicas",
            "observedGeneration",
            "collisionCount",
        ],
        most: &["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
        available: Some("cannot be greater than status.readyReplicas"),
    },
    Counts {
        kinds: &["DaemonSet"],
        counts: &[
            "currentNumberScheduled",
            "numberMisscheduled",
            "desiredNumberScheduled",
            "numberReady",
            "observedGeneration",
            "updatedNumberScheduled",
            "numberAvailable",
            "numberUnavailable",
            "collisionCount",
        ],
        most: &[],
        available: None,
    },
];

pub(super) fn check(kind: &str, object: &Object, errors: &mut Errors) {
    let status = object.at(&["status"]).unwrap_or(&Value::Null);
    if let Some(of) = COUNTS.iter().find(|of| of.kinds.contains(&kind)) {
        errors.nonnegative(status, &STATUS, of.counts);
        at_most_all(status, of.most, errors);
        if let Some(text) = of.available {
            available_are_ready(status, text, errors);
        }
        return;
    }
    match kind {
        "Namespace" => phase(object, errors),
        "Pod" => pods::status(object, errors),
        "Job" => jobs::status(object, errors),
        "ResourceQuota" => quotas::quota_status(object, errors),
        "Service" => balancer(object, errors),
        "APIService" => conditions(status, &["True", "False", "Unknown"], errors),
        "CertificateSigningRequest" | "PodDisruptionBudget" | "ValidatingAdmissionPolicy" => {
            conditions(status, &["False", "True", "Unknown"], errors);
        }
        "FlowSchema" | "PriorityLevelConfiguration" => {
            let at = STATUS.field("conditions");
            for (i, condition) in list(status, "conditions").iter().enumerate() {
                if text(condition, "type").is_empty() {
                    errors.required(&at.index(i).field("type"), "");
                }
            }
        }
        _ => {}
    }
}

/// Only a load balancer has addresses of one.
fn balancer(object: &Object, errors: &mut Errors) {
    let is_balancer = object.text(&["spec", "type"]) == Some("LoadBalancer");
    let points = object.list(&["status", "loadBalancer", "ingress"]);
    if !is_balancer && !points.is_empty() {
        let at = STATUS.field("loadBalancer");
        let text = "may only be used when `spec.type` is 'LoadBalancer'";
        errors.forbidden(&at.field("ingress"), text);
    }
}

/// Conditions hold, or not, or nobody knows.
fn conditions(status: &Value, known: &[&str], errors: &mut Errors) {
    let at = STATUS.field("conditions");
    for (i, condition) in list(status, "conditions").iter().enumerate() {
        let word = text(condition, "status");
        if !known.contains(&word) {
            errors.unsupported(&at.index(i).field("status"), word, known);
        }
    }
}

fn at_most_all(status: &Value, fields: &[&str], errors: &mut Errors) {
    let all = int(status, "replicas").unwrap_or(0);
    for field in fields {
        if let Some(count) = int(status, field).filter(|count| *count > all) {
            errors.invalid(&STATUS.field(field), count, "cannot be greater than status.replicas");
        }
    }
}

fn available_are_ready(status: &Value, text: &str, errors: &mut Errors) {
    let available = int(status, "availableReplicas").unwrap_or(0);
    if available > int(status, "readyReplicas").unwrap_or(0) {
        errors.invalid(&STATUS.field("availableReplicas"), available, text);
    }
}

fn phase(namespace: &Object, errors: &mut Errors) {
    let phase = namespace.text(&["status", "phase"]).unwrap_or_default();
    let (right, text) = if namespace.is_deleting() {
        ("Terminating", "may only be 'Terminating' if `deletionTimestamp` is not empty")
    } else {
        ("Active", "may only be 'Active' if `deletionTimestamp` is empty")
    };
    if phase != right {
        errors.invalid(&STATUS.field("Phase"), phase, text);
    }
}
