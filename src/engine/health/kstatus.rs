//! What kstatus says of one object, by the rules of kubernetes-sigs/cli-utils (R-HLT-01..12).
//!
//! One rule is Flux's own: a Job is Current when it is complete or suspended, Failed when it
//! failed, and InProgress otherwise, where plain kstatus calls a running Job Current (R-HLT-06).
//! Expressions of a Flux Kustomization (`healthCheckExprs`) are not evaluated here.

use std::time::Duration;

use super::workloads::{daemon_set, deployment, job, replica_set, stateful_set};
use crate::base::Time;
use crate::object::{Object, Value};

/// How an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As its spec asks.
    Current,
    /// On the way, as far as can be seen.
    InProgress,
    /// It will not get there by itself.
    Failed,
    /// It is being deleted.
    Terminating,
    /// It is not there (R-HLT-11).
    NotFound,
    /// It could not be read (R-HLT-11).
    Unknown,
}

/// How an object is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// How it is.
    pub state: State,
    /// One word; empty where it is as it should be.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// When to ask again even if the object does not change: the verdict depends on its age.
    pub again_at: Option<Time>,
}

/// How long a pod may wait for a place before that counts as a failure (R-HLT-07).
const SCHEDULE_WINDOW: Duration = Duration::from_secs(15);

impl Health {
    fn new(state: State, reason: &str, message: impl Into<String>) -> Self {
        Self { state, reason: reason.to_owned(), message: message.into(), again_at: None }
    }

    pub(super) fn current(message: impl Into<String>) -> Self {
        Self::new(State::Current, "", message)
    }

    pub(super) fn in_progress(reason: &str, message: impl Into<String>) -> Self {
        Self::new(State::InProgress, reason, message)
    }

    pub(super) fn failed(reason: &str, message: impl Into<String>) -> Self {
        Self::new(State::Failed, reason, message)
    }

    /// Of an object that is not there (R-HLT-11).
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(State::NotFound, "NotFound", "Resource not found")
    }

    /// Of an object that could not be read (R-HLT-11).
    #[must_use]
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::new(State::Unknown, "Unknown", why)
    }
}

/// How `object` is, as it was read, at `now` (which matters for pods without a place alone).
#[must_use]
pub fn status(object: &Object, now: Time) -> Health {
    // Flux's reader of Jobs looks at nothing else, deletion and generations neither.
    if (object.kind(), object.api_version()) == ("Job", "batch/v1") {
        return job(object);
    }
    if object.at(&["status"]).is_some_and(|status| !status.is_object() && !status.is_null()) {
        return Health::unknown("the status is no map");
    }
    generic(object)
        .or_else(|| by_kind(object, now))
        .or_else(|| by_ready_condition(object))
        .unwrap_or_else(|| Health::current("Resource is current"))
}

/// What holds for every kind, in the order in which it counts (R-HLT-01).
fn generic(object: &Object) -> Option<Health> {
    if object.is_deleting() {
        let message = "Resource scheduled for deletion";
        return Some(Health::new(State::Terminating, "Terminating", message));
    }
    if let Some(generation) = object.int(&["metadata", "generation"])
        && let Some(observed) = object.int(&["status", "observedGeneration"])
        && generation != observed
    {
        let kind = object.kind();
        let message = format!(
            "{kind} generation is {generation}, but latest observed generation is {observed}"
        );
        return Some(Health::in_progress("LatestGenerationNotObserved", message));
    }
    conditions(object).find_map(|c| match (c.kind, c.status) {
        ("Reconciling", "True") => Some(Health::in_progress(c.reason, c.message)),
        ("Stalled", "True") => Some(Health::failed(c.reason, c.message)),
        _ => None,
    })
}

/// The rules of single kinds; `None` for a kind that has none.
fn by_kind(object: &Object, now: Time) -> Option<Health> {
    let group = object.api_version().split_once('/').map_or("", |(group, _)| group);
    Some(match (group, object.kind()) {
        ("", "Service") => service(object),
        ("", "Pod") => pod(object, now),
        ("", "PersistentVolumeClaim") => claim(object),
        ("", "Secret" | "ConfigMap") | ("batch", "CronJob") => {
            Health::current("Resource is always ready")
        }
        ("policy", "PodDisruptionBudget") => {
            Health::current("AllowedDisruptions has been computed.")
        }
        ("apps", "StatefulSet") => stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => daemon_set(object),
        ("apps" | "extensions", "Deployment") => deployment(object),
        ("apps" | "extensions", "ReplicaSet") => replica_set(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        _ => return None,
    })
}

/// Custom resources and all else (R-HLT-10).
fn by_ready_condition(object: &Object) -> Option<Health> {
    conditions(object).filter(|c| c.kind == "Ready").find_map(|c| match c.status {
        "True" => Some(Health::current("Resource is Ready")),
        "False" | "Unknown" => Some(Health::in_progress(c.reason, c.message)),
        _ => None,
    })
}

/// R-HLT-07.
fn pod(object: &Object, now: Time) -> Health {
    let has = |kind: &str, status: &str| {
        conditions(object).find(|c| c.kind == kind && c.status == status)
    };
    match object.text(&["status", "phase"]).unwrap_or_default() {
        "Succeeded" => Health::current("Pod has completed successfully"),
        "Failed" => Health::current("Pod has completed, but not successfully"),
        "Running" if has("Ready", "True").is_some() => Health::current("Pod is Ready"),
        "Running" => {
            let looping = crash_looping(object);
            if looping.is_empty() {
                Health::in_progress("PodRunningNotReady", "Pod is running but is not Ready")
            } else {
                let message = format!("Containers in CrashLoop state: {}", looping.join(","));
                Health::failed("ContainerCrashLooping", message)
            }
        }
        "Pending" => match has("PodScheduled", "False") {
            Some(c) if c.reason == "Unschedulable" => unschedulable(object, now),
            _ => Health::in_progress("PodPending", "Pod is in the Pending phase"),
        },
        "" => Health::in_progress("PodNotObserved", "Pod phase not available"),
        phase => Health::unknown(format!("unknown phase {phase}")),
    }
}

fn unschedulable(object: &Object, now: Time) -> Health {
    let created = object.text(&["metadata", "creationTimestamp"]).and_then(Time::parse_rfc3339);
    match created.map(|created| created + SCHEDULE_WINDOW).filter(|deadline| now < *deadline) {
        Some(deadline) => Health {
            again_at: Some(deadline),
            ..Health::in_progress("PodNotScheduled", "Pod has not been scheduled")
        },
        None => Health::failed("PodUnschedulable", "Pod could not be scheduled"),
    }
}

fn crash_looping(object: &Object) -> Vec<&str> {
    let containers = object.list(&["status", "containerStatuses"]).iter();
    let looping = containers.filter(|c| {
        c.pointer("/state/waiting/reason").and_then(Value::as_str) == Some("CrashLoopBackOff")
    });
    looping.filter_map(|c| c.get("name").and_then(Value::as_str)).collect()
}

/// R-HLT-08.
fn claim(object: &Object) -> Health {
    match object.text(&["status", "phase"]).unwrap_or("unknown") {
        "Bound" => Health::current("PVC is Bound"),
        phase => Health::in_progress("NotBound", format!("PVC is not Bound. phase: {phase}")),
    }
}

/// R-HLT-08.
fn service(object: &Object) -> Health {
    let address = object.text(&["spec", "clusterIP"]).unwrap_or_default();
    if object.text(&["spec", "type"]) == Some("LoadBalancer") && address.is_empty() {
        let message = "ClusterIP not set. Service type: LoadBalancer";
        return Health::in_progress("NoIPAssigned", message);
    }
    Health::current("Service is ready")
}

/// R-HLT-09.
fn definition(object: &Object) -> Health {
    let decided = conditions(object).find_map(|c| match (c.kind, c.status) {
        ("NamesAccepted", "False") => Some(Health::failed(c.reason, c.message)),
        ("Established", "False") if c.reason != "Installing" => {
            Some(Health::failed(c.reason, c.message))
        }
        ("Established", "True") => Some(Health::current("CRD is established")),
        _ => None,
    });
    decided.unwrap_or_else(|| Health::in_progress("Installing", "Install in progress"))
}

/// A condition of an object, empty where it does not say.
pub(super) struct Condition<'a> {
    pub(super) kind: &'a str,
    pub(super) status: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
}

pub(super) fn conditions(object: &Object) -> impl Iterator<Item = Condition<'_>> {
    object.list(&["status", "conditions"]).iter().map(|c| {
        let text = |key: &str| c.get(key).and_then(Value::as_str).unwrap_or_default();
        Condition {
            kind: text("type"),
            status: text("status"),
            reason: text("reason"),
            message: text("message"),
        }
    })
}

#[cfg(test)]
#[path = "kstatus_tests.rs"]
mod tests;
