//! kstatus as a table: an object, and the state and reason it comes to. The cases cover those of
//! upstream's own table (the input of each is written anew), and the order of the rules.

use super::*;
use crate::object::json;

const NOW: Time = Time::VIRTUAL_START;

/// An object of `kind` at generation 1, with `spec` and `status`.
fn object(kind: &str, spec: Value, status: Value) -> Object {
    let api_version = match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => "apps/v1",
        "Job" | "CronJob" => "batch/v1",
        "PodDisruptionBudget" => "policy/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        "Widget" => "example.com/v1",
        _ => "v1",
    };
    Object::from_value(json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": "x", "generation": 1}, "spec": spec, "status": status}))
    .unwrap()
}

/// Each case: what it is, spec, status, `State reason`.
fn check(kind: &str, cases: &[(&str, Value, Value, &str)]) {
    for (what, spec, seen, want) in cases {
        let health = status(&object(kind, spec.clone(), seen.clone()), NOW);
        let got = format!("{:?} {}", health.state, health.reason);
        assert_eq!(got.trim(), *want, "{kind}: {what}: {}", health.message);
    }
}

fn none() -> Value {
    json!({})
}

/// A condition of a status.
fn said(kind: &str, status: &str, reason: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": ""})
}

/// `base` with a field changed.
fn but(base: &Value, key: &str, value: Value) -> Value {
    let mut changed = base.clone();
    changed[key] = value;
    changed
}

/// A Deployment's status in which everything is as it should be.
fn good_deployment() -> Value {
    let done = said("Progressing", "True", "NewReplicaSetAvailable");
    json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2,
        "availableReplicas": 2, "conditions": [done, said("Available", "True", "")]})
}

#[test]
fn deployments_by_their_counts() {
    // R-HLT-02.
    let spec = json!({"replicas": 2, "progressDeadlineSeconds": 600});
    let mut none_left = good_deployment();
    for count in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
        none_left[count] = 0.into();
    }
    let cases = [
        ("replicas", 1, "InProgress LessReplicas"),
        ("replicas", 3, "InProgress ExtraPods"),
        ("updatedReplicas", 1, "InProgress LessUpdated"),
        ("availableReplicas", 1, "InProgress LessAvailable"),
        ("readyReplicas", 1, "InProgress LessReady"),
        ("readyReplicas", 2, "Current"),
    ];
    for (count, value, want) in cases {
        let status = but(&good_deployment(), count, value.into());
        check("Deployment", &[(count, spec.clone(), status, want)]);
    }
    check(
        "Deployment",
        &[
            ("nothing known", spec, none(), "InProgress LessReplicas"),
            ("no spec counts as one", none(), none(), "InProgress LessReplicas"),
            ("scaled to none", json!({"replicas": 0}), none_left, "Current"),
        ],
    );
}

#[test]
fn deployments_by_their_conditions() {
    // R-HLT-02.
    let up = said("Available", "True", "");
    let with = |progressing: Value, available: &Value| {
        but(&good_deployment(), "conditions", json!([progressing, available]))
    };
    let late = with(said("Progressing", "False", "ProgressDeadlineExceeded"), &up);
    let underway = with(said("Progressing", "True", "ReplicaSetUpdated"), &up);
    let done = said("Progressing", "True", "NewReplicaSetAvailable");
    let down = with(done, &said("Available", "False", ""));
    let spec = json!({"replicas": 2, "progressDeadlineSeconds": 600});
    let largest = json!({"replicas": 2, "progressDeadlineSeconds": 2_147_483_647});
    check(
        "Deployment",
        &[
            ("late", spec.clone(), late, "Failed ProgressDeadlineExceeded"),
            ("underway", spec.clone(), underway.clone(), "InProgress ReplicaSetNotAvailable"),
            ("no deadline", json!({"replicas": 2}), underway.clone(), "Current"),
            ("largest deadline", largest, underway, "Current"),
            ("unavailable", spec, down, "InProgress DeploymentNotAvailable"),
        ],
    );
}

#[test]
fn stateful_sets() {
    // R-HLT-03.
    let good = json!({"observedGeneration": 1, "replicas": 4, "readyReplicas": 4,
        "currentReplicas": 4, "currentRevision": "a", "updateRevision": "a"});
    let four = json!({"replicas": 4});
    let partition = |from: i64| {
        json!({"replicas": 4,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": from}}})
    };
    let updated =
        |n: i64| but(&but(&good, "updatedReplicas", n.into()), "updateRevision", "b".into());
    check(
        "StatefulSet",
        &[
            ("nothing known", none(), none(), "InProgress LessReplicas"),
            (
                "only current",
                none(),
                json!({"observedGeneration": 1, "currentReplicas": 1}),
                "InProgress LessReplicas",
            ),
            ("good", four.clone(), good.clone(), "Current"),
            (
                "unready",
                four.clone(),
                but(&good, "readyReplicas", 2.into()),
                "InProgress LessReady",
            ),
            ("many", four.clone(), but(&good, "replicas", 8.into()), "InProgress ExtraPods"),
            (
                "less current",
                four.clone(),
                but(&good, "currentReplicas", 2.into()),
                "InProgress LessCurrent",
            ),
            (
                "revision",
                four,
                but(&good, "updateRevision", "b".into()),
                "InProgress RevisionMismatch",
            ),
            ("partition 0, underway", partition(0), updated(3), "InProgress PartitionRollout"),
            ("partition 0, done", partition(0), updated(4), "Current"),
            ("partition 3, done", partition(3), updated(1), "Current"),
            (
                "on delete",
                json!({"replicas": 4, "updateStrategy": {"type": "OnDelete"}}),
                none(),
                "Current",
            ),
        ],
    );
}

#[test]
fn daemon_sets() {
    // R-HLT-04.
    let good = json!({"observedGeneration": 1, "desiredNumberScheduled": 4,
        "currentNumberScheduled": 4, "updatedNumberScheduled": 4, "numberAvailable": 4,
        "numberReady": 4});
    let zero = json!({"observedGeneration": 1, "desiredNumberScheduled": 0});
    let less = |key: &str| but(&good, key, 2.into());
    check(
        "DaemonSet",
        &[
            ("nothing known", none(), none(), "InProgress NoObservedGeneration"),
            ("no number", none(), json!({"observedGeneration": 1}), "InProgress NoDesiredNumber"),
            ("good", none(), good.clone(), "Current"),
            ("no node for it", none(), zero, "Current"),
            (
                "behind",
                none(),
                but(&good, "observedGeneration", 0.into()),
                "InProgress LatestGenerationNotObserved",
            ),
            ("less current", none(), less("currentNumberScheduled"), "InProgress LessCurrent"),
            ("less updated", none(), less("updatedNumberScheduled"), "InProgress LessUpdated"),
            ("less available", none(), less("numberAvailable"), "InProgress LessAvailable"),
            ("less ready", none(), less("numberReady"), "InProgress LessReady"),
        ],
    );
    let mut bare = object("DaemonSet", none(), good);
    bare.remove(&["metadata", "generation"]);
    assert_eq!(status(&bare, NOW).reason, "NoGeneration");
}

#[test]
fn replica_sets() {
    // R-HLT-05.
    let good = json!({"observedGeneration": 1, "replicas": 4, "readyReplicas": 4,
        "availableReplicas": 4, "fullyLabeledReplicas": 4,
        "conditions": [said("ReplicaFailure", "False", "")]});
    let four = json!({"replicas": 4});
    let less = |key: &str| but(&good, key, 2.into());
    let failure = but(&good, "conditions", json!([said("ReplicaFailure", "True", "")]));
    check(
        "ReplicaSet",
        &[
            ("nothing known", none(), none(), "InProgress LessLabelled"),
            ("good", four.clone(), good.clone(), "Current"),
            ("failure", four.clone(), failure, "InProgress ReplicaFailure"),
            ("less available", four.clone(), less("availableReplicas"), "InProgress LessAvailable"),
            ("less ready", four.clone(), less("readyReplicas"), "InProgress LessReady"),
            ("many", four, but(&good, "replicas", 5.into()), "InProgress ExtraPods"),
        ],
    );
}

#[test]
fn jobs_and_cron_jobs() {
    // R-HLT-06; a running Job is InProgress by Flux's rule.
    let with = |conditions: Value| {
        json!({"startTime": "2026-01-01T00:00:00Z", "active": 2,
        "conditions": conditions})
    };
    let suspended = json!([said("Suspended", "True", "JobSuspended")]);
    let denied = json!([said("Failed", "False", ""), said("Complete", "False", "")]);
    let ending = json!([said("FailureTarget", "True", ""), said("SuccessCriteriaMet", "True", "")]);
    check(
        "Job",
        &[
            ("nothing known", none(), none(), "InProgress JobNotStarted"),
            ("complete", none(), with(json!([said("Complete", "True", "")])), "Current"),
            ("failed", none(), with(json!([said("Failed", "True", "")])), "Failed JobFailed"),
            ("runs", none(), with(denied), "InProgress JobInProgress"),
            ("about to end", none(), with(ending), "InProgress JobInProgress"),
            ("suspended", json!({"suspend": true}), json!({"conditions": suspended}), "Current"),
            ("to be suspended", json!({"suspend": true}), none(), "Current"),
            ("resumed", none(), with(suspended), "InProgress JobInProgress"),
        ],
    );
    check("CronJob", &[("any", none(), none(), "Current")]);
}

#[test]
fn pods() {
    // R-HLT-07.
    let ready = json!([said("Ready", "True", "")]);
    let looping = json!([{"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]);
    let pulling = json!([{"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]);
    let no_place = json!([said("PodScheduled", "False", "Unschedulable")]);
    check(
        "Pod",
        &[
            ("nothing known", none(), none(), "InProgress PodNotObserved"),
            ("ready", none(), json!({"phase": "Running", "conditions": ready}), "Current"),
            ("succeeded", none(), json!({"phase": "Succeeded"}), "Current"),
            ("failed", none(), json!({"phase": "Failed"}), "Current"),
            ("unready", none(), json!({"phase": "Running"}), "InProgress PodRunningNotReady"),
            (
                "looping",
                none(),
                json!({"phase": "Running", "containerStatuses": looping}),
                "Failed ContainerCrashLooping",
            ),
            (
                "ready all the same",
                none(),
                json!({"phase": "Running", "conditions": ready, "containerStatuses": looping}),
                "Current",
            ),
            (
                "pulling",
                none(),
                json!({"phase": "Pending", "containerStatuses": pulling}),
                "InProgress PodPending",
            ),
            (
                "no place, no age",
                none(),
                json!({"phase": "Pending", "conditions": no_place}),
                "Failed PodUnschedulable",
            ),
            ("lost", none(), json!({"phase": "Unknown"}), "Unknown Unknown"),
        ],
    );
}

#[test]
fn a_pod_without_a_place_has_fifteen_seconds() {
    // R-HLT-07.
    let no_place = json!([said("PodScheduled", "False", "Unschedulable")]);
    let mut pod = object("Pod", none(), json!({"phase": "Pending", "conditions": no_place}));
    pod.set(&["metadata", "creationTimestamp"], NOW.rfc3339().into());
    let at = |seconds: u64| status(&pod, NOW + Duration::from_secs(seconds));
    assert_eq!((at(14).state, at(14).again_at), (State::InProgress, Some(NOW + SCHEDULE_WINDOW)));
    assert_eq!((at(15).state, at(15).again_at), (State::Failed, None));
}

#[test]
fn claims_services_and_what_is_always_there() {
    // R-HLT-08.
    check(
        "PersistentVolumeClaim",
        &[
            ("nothing known", none(), none(), "InProgress NotBound"),
            ("bound", none(), json!({"phase": "Bound"}), "Current"),
        ],
    );
    check(
        "Service",
        &[
            ("plain", none(), none(), "Current"),
            ("node port", json!({"type": "NodePort"}), none(), "Current"),
            (
                "balancer",
                json!({"type": "LoadBalancer", "clusterIP": "1.2.3.4"}),
                none(),
                "Current",
            ),
            ("no address", json!({"type": "LoadBalancer"}), none(), "InProgress NoIPAssigned"),
        ],
    );
    for kind in ["ConfigMap", "Secret", "Namespace", "ServiceAccount"] {
        check(kind, &[("any", none(), none(), "Current")]);
    }
    check(
        "PodDisruptionBudget",
        &[
            (
                "behind",
                none(),
                json!({"observedGeneration": 0}),
                "InProgress LatestGenerationNotObserved",
            ),
            ("seen", none(), json!({"observedGeneration": 1}), "Current"),
        ],
    );
}

#[test]
fn definitions() {
    // R-HLT-09.
    let with = |conditions: &[Value]| json!({"conditions": conditions});
    let named = said("NamesAccepted", "True", "NoConflicts");
    check(
        "CustomResourceDefinition",
        &[
            ("nothing known", none(), none(), "InProgress Installing"),
            (
                "installing",
                none(),
                with(&[named.clone(), said("Established", "False", "Installing")]),
                "InProgress Installing",
            ),
            (
                "name taken",
                none(),
                with(&[said("NamesAccepted", "False", "Taken")]),
                "Failed Taken",
            ),
            (
                "refused",
                none(),
                with(&[named.clone(), said("Established", "False", "Odd")]),
                "Failed Odd",
            ),
            ("there", none(), with(&[named, said("Established", "True", "")]), "Current"),
        ],
    );
}

#[test]
fn custom_resources() {
    // R-HLT-10, R-HLT-12.
    let with = |conditions: &[Value]| json!({"conditions": conditions});
    check(
        "Widget",
        &[
            ("nothing known", none(), none(), "Current"),
            ("ready", none(), with(&[said("Ready", "True", "AllOk")]), "Current"),
            ("unready", none(), with(&[said("Ready", "False", "NotYet")]), "InProgress NotYet"),
            ("unsure", none(), with(&[said("Ready", "Unknown", "Who")]), "InProgress Who"),
            ("other condition", none(), with(&[said("Synced", "False", "")]), "Current"),
            (
                "behind",
                none(),
                json!({"observedGeneration": 0}),
                "InProgress LatestGenerationNotObserved",
            ),
            (
                "reconciling",
                none(),
                with(&[said("Ready", "True", ""), said("Reconciling", "True", "Busy")]),
                "InProgress Busy",
            ),
            (
                "stalled",
                none(),
                with(&[said("Ready", "False", ""), said("Stalled", "True", "Stuck")]),
                "Failed Stuck",
            ),
            (
                "the first counts",
                none(),
                with(&[said("Stalled", "True", "Stuck"), said("Reconciling", "True", "Busy")]),
                "Failed Stuck",
            ),
            (
                "no longer",
                none(),
                with(&[said("Reconciling", "False", ""), said("Stalled", "False", "")]),
                "Current",
            ),
        ],
    );
}

#[test]
fn a_deletion_comes_before_everything() {
    // R-HLT-01.
    let stalled = json!({"observedGeneration": 0, "conditions": [said("Stalled", "True", "S")]});
    let mut object = object("Deployment", none(), stalled);
    assert_eq!(status(&object, NOW).reason, "LatestGenerationNotObserved");
    object.set(&["metadata", "deletionTimestamp"], NOW.rfc3339().into());
    assert_eq!(status(&object, NOW).state, State::Terminating);
}

#[test]
fn what_is_not_there_and_what_cannot_be_read_have_states_of_their_own() {
    // R-HLT-11.
    let gone = Health::not_found();
    assert_eq!((gone.state, gone.message.as_str()), (State::NotFound, "Resource not found"));
    let unread = Health::unknown("forbidden");
    assert_eq!((unread.state, unread.message.as_str()), (State::Unknown, "forbidden"));
    assert_eq!(status(&object("Widget", none(), json!("text")), NOW).state, State::Unknown);
}
