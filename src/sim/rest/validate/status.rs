//! What a writer of a status may not say: negative counts, more ready than there are.

use super::errors::{Errors, Path};
use super::read::int;
use crate::object::{Object, Value};

const STATUS: Path = Path::Printed("status");

pub(super) fn check(kind: &str, object: &Object, errors: &mut Errors) {
    let status = object.at(&["status"]).unwrap_or(&Value::Null);
    match kind {
        "Deployment" => {
            let counts = [
                "observedGeneration",
                "replicas",
                "updatedReplicas",
                "readyReplicas",
                "availableReplicas",
                "unavailableReplicas",
                "terminatingReplicas",
                "collisionCount",
            ];
            errors.nonnegative(status, &STATUS, &counts);
            at_most_all(status, &["updatedReplicas", "readyReplicas", "availableReplicas"], errors);
            available_are_ready(status, "cannot be greater than readyReplicas", errors);
        }
        "ReplicaSet" => {
            let counts = [
                "replicas",
                "fullyLabeledReplicas",
                "readyReplicas",
                "availableReplicas",
                "observedGeneration",
            ];
            errors.nonnegative(status, &STATUS, &counts);
            let most = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];
            at_most_all(status, &most, errors);
            available_are_ready(status, "cannot be greater than readyReplicas", errors);
        }
        "StatefulSet" => {
            let counts = [
                "replicas",
                "readyReplicas",
                "currentReplicas",
                "updatedReplicas",
                "availableReplicas",
                "observedGeneration",
                "collisionCount",
            ];
            errors.nonnegative(status, &STATUS, &counts);
            let most = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"];
            at_most_all(status, &most, errors);
            available_are_ready(status, "cannot be greater than status.readyReplicas", errors);
        }
        "DaemonSet" => {
            let counts = [
                "currentNumberScheduled",
                "numberMisscheduled",
                "desiredNumberScheduled",
                "numberReady",
                "observedGeneration",
                "updatedNumberScheduled",
                "numberAvailable",
                "numberUnavailable",
                "collisionCount",
            ];
            errors.nonnegative(status, &STATUS, &counts);
        }
        "Namespace" => phase(object, errors),
        _ => {}
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
