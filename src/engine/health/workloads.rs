//! kstatus' rules for what runs pods: counts of replicas and the conditions of controllers.

use super::kstatus::{Health, conditions};
use crate::object::Object;

/// R-HLT-02.
pub(super) fn deployment(object: &Object) -> Health {
    // The largest deadline means none: then there is no Progressing condition to wait for.
    let deadline = object.int(&["spec", "progressDeadlineSeconds"]);
    let mut progressed = deadline.is_none_or(|seconds| seconds == i64::from(i32::MAX));
    let mut available = false;
    for c in conditions(object) {
        match c.kind {
            "Progressing" if c.reason == "ProgressDeadlineExceeded" => {
                return Health::failed(c.reason, "Progress deadline exceeded");
            }
            "Progressing" if c.status == "True" && c.reason == "NewReplicaSetAvailable" => {
                progressed = true;
            }
            "Available" => available |= c.status == "True",
            _ => {}
        }
    }
    let spec = spec_replicas(object);
    let (replicas, updated) = (count(object, "replicas"), count(object, "updatedReplicas"));
    let ready = count(object, "readyReplicas");
    less("LessReplicas", "Replicas", replicas, spec)
        .or_else(|| less("LessUpdated", "Updated", updated, spec))
        .or_else(|| extra(replicas, spec))
        .or_else(|| less("LessAvailable", "Available", count(object, "availableReplicas"), updated))
        .or_else(|| less("LessReady", "Ready", ready, spec))
        .unwrap_or_else(|| {
            if !progressed {
                Health::in_progress("ReplicaSetNotAvailable", "ReplicaSet not Available")
            } else if !available {
                Health::in_progress("DeploymentNotAvailable", "Deployment not Available")
            } else {
                Health::current(format!("Deployment is available. Replicas: {replicas}"))
            }
        })
}

/// R-HLT-03.
pub(super) fn stateful_set(object: &Object) -> Health {
    if object.text(&["spec", "updateStrategy", "type"]) == Some("OnDelete") {
        return Health::current("StatefulSet is using the ondelete update strategy");
    }
    let (spec, replicas) = (spec_replicas(object), count(object, "replicas"));
    let found = less("LessReplicas", "Replicas", replicas, spec)
        .or_else(|| less("LessReady", "Ready", count(object, "readyReplicas"), spec))
        .or_else(|| extra(replicas, spec));
    if let Some(found) = found {
        return found;
    }
    let updated = count(object, "updatedReplicas");
    if let Some(partition) = object.int(&["spec", "updateStrategy", "rollingUpdate", "partition"]) {
        return less("PartitionRollout", "updated", updated, spec - partition).unwrap_or_else(
            || Health::current(format!("Partition rollout complete. updated: {updated}")),
        );
    }
    less("LessCurrent", "current", count(object, "currentReplicas"), spec).unwrap_or_else(|| {
        let revision = |key| object.text(&["status", key]).unwrap_or_default();
        if revision("currentRevision") == revision("updateRevision") {
            all_scheduled(replicas)
        } else {
            let message = "Waiting for updated revision to match current";
            Health::in_progress("RevisionMismatch", message)
        }
    })
}

/// R-HLT-04.
pub(super) fn daemon_set(object: &Object) -> Health {
    let fields = [
        ("metadata", "generation", "NoGeneration"),
        ("status", "observedGeneration", "NoObservedGeneration"),
    ];
    for (part, field, reason) in fields {
        if object.int(&[part, field]).is_none() {
            let message = format!("{} {part}.{field} not found", object.kind());
            return Health::in_progress(reason, message);
        }
    }
    let Some(desired) = object.int(&["status", "desiredNumberScheduled"]) else {
        let message = "Missing .status.desiredNumberScheduled";
        return Health::in_progress("NoDesiredNumber", message);
    };
    less("LessCurrent", "Current", count(object, "currentNumberScheduled"), desired)
        .or_else(|| {
            less("LessUpdated", "Updated", count(object, "updatedNumberScheduled"), desired)
        })
        .or_else(|| less("LessAvailable", "Available", count(object, "numberAvailable"), desired))
        .or_else(|| less("LessReady", "Ready", count(object, "numberReady"), desired))
        .unwrap_or_else(|| all_scheduled(desired))
}

/// R-HLT-05.
pub(super) fn replica_set(object: &Object) -> Health {
    if conditions(object).any(|c| c.kind == "ReplicaFailure" && c.status == "True") {
        let message = "Replica Failure condition. Check Pods";
        return Health::in_progress("ReplicaFailure", message);
    }
    let (spec, replicas) = (spec_replicas(object), count(object, "replicas"));
    less("LessLabelled", "Labelled", count(object, "fullyLabeledReplicas"), spec)
        .or_else(|| less("LessAvailable", "Available", count(object, "availableReplicas"), spec))
        .or_else(|| less("LessReady", "Ready", count(object, "readyReplicas"), spec))
        .or_else(|| extra(replicas, spec))
        .unwrap_or_else(|| {
            Health::current(format!("ReplicaSet is available. Replicas: {replicas}"))
        })
}

/// R-HLT-06, with Flux's own rule for a Job that runs.
pub(super) fn job(object: &Object) -> Health {
    let parallelism = object.int(&["spec", "parallelism"]).unwrap_or(1);
    let completions = object.int(&["spec", "completions"]).unwrap_or(parallelism);
    let (succeeded, failed) = (count(object, "succeeded"), count(object, "failed"));
    if object.flag(&["spec", "suspend"]) {
        return Health::current("Job is suspended");
    }
    for c in conditions(object).filter(|c| c.status == "True") {
        match c.kind {
            "Complete" => {
                let text = format!("Job Completed. succeeded: {succeeded}/{completions}");
                return Health::current(text);
            }
            "Failed" => {
                let text = format!("Job Failed. failed: {failed}/{completions}");
                return Health::failed("JobFailed", text);
            }
            _ => {}
        }
    }
    if object.text(&["status", "startTime"]).unwrap_or_default().is_empty() {
        let message = format!("Job not started. active: 0/{parallelism}");
        return Health::in_progress("JobNotStarted", message);
    }
    let active = count(object, "active");
    let message =
        format!("Job in progress. success:{succeeded}, active: {active}, failed: {failed}");
    Health::in_progress("JobInProgress", message)
}

/// InProgress where fewer are there than wanted.
fn less(reason: &str, what: &str, there: i64, wanted: i64) -> Option<Health> {
    (there < wanted).then(|| Health::in_progress(reason, format!("{what}: {there}/{wanted}")))
}

fn extra(replicas: i64, spec: i64) -> Option<Health> {
    let message = || format!("Pending termination: {}", replicas - spec);
    (replicas > spec).then(|| Health::in_progress("ExtraPods", message()))
}

fn all_scheduled(replicas: i64) -> Health {
    Health::current(format!("All replicas scheduled as expected. Replicas: {replicas}"))
}

/// Replicas asked for; 1 where the spec does not say.
fn spec_replicas(object: &Object) -> i64 {
    object.int(&["spec", "replicas"]).unwrap_or(1)
}

fn count(object: &Object, field: &str) -> i64 {
    object.int(&["status", field]).unwrap_or(0)
}
