//! Caches in, requests out.

use super::*;
use crate::sim::controllers::trial;

const T0: Time = Time::VIRTUAL_START;

fn job(spec: &Value, status: Value) -> Value {
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "w", "namespace": "n", "uid": "w"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "backoffLimit": 1, "completions": 1,
            "parallelism": 1, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {}}},
        "status": status});
    for (key, value) in spec.as_object().into_iter().flatten() {
        job["spec"][key] = value.clone();
    }
    job
}

fn pod(name: &str, phase: &str, is_tracked: bool) -> Value {
    let finalizers = if is_tracked { json!([TRACKING]) } else { json!([]) };
    json!({"apiVersion": "v1", "kind": "Pod", "status": {"phase": phase},
        "metadata": {"name": name, "namespace": "n", "uid": name, "labels": {"a": "b"},
            "finalizers": finalizers, "ownerReferences": [{"apiVersion": "batch/v1",
                "kind": "Job", "name": "w", "uid": "w", "controller": true}]}})
}

fn check(objects: &[Value], calls: &str, conditions: &[&str]) -> Value {
    let plan = trial::plan(sync, objects, T0 + Duration::from_secs(100), &[]);
    assert_eq!(trial::text(&plan), calls);
    let status = trial::status(&plan);
    let found = status["conditions"].as_array().cloned().unwrap_or_default();
    let kinds: Vec<_> = found.iter().map(|c| c["type"].as_str().unwrap_or_default()).collect();
    assert_eq!(kinds, conditions);
    status
}

#[test]
fn as_many_pods_as_are_missing_run_in_parallel() {
    let spec = json!({"completions": 5, "parallelism": 3});
    let job = |status| job(&spec, status);
    let status = check(
        &[job(json!({})), pod("p", "Running", true)],
        "create pods -, create pods -; update jobs w/status",
        &[],
    );
    assert_eq!(status["active"], 3);
    let late = [job(json!({"succeeded": 4})), pod("p", "Running", true), pod("q", "Running", true)];
    check(&late, "patch pods p; delete pods p; update jobs w/status", &[]);
}

#[test]
fn a_pod_that_ended_is_named_then_freed_then_counted() {
    let ended = [job(&Value::Null, json!({})), pod("p", "Succeeded", true)];
    let calls = "update jobs w/status; patch pods p; update jobs w/status";
    let counted = check(&ended, calls, &["SuccessCriteriaMet", "Complete"]);
    assert_eq!(counted["succeeded"], 1);
    // Stopped in between, it goes on from what was named.
    let named = json!({"startTime": T0.rfc3339(), "uncountedTerminatedPods": {"succeeded": ["p"]}});
    let freed = [job(&Value::Null, named), pod("p", "Succeeded", false)];
    let calls = "update jobs w/status; update jobs w/status";
    assert_eq!(check(&freed, calls, &["SuccessCriteriaMet", "Complete"])["succeeded"], 1);
    assert_eq!(counted["uncountedTerminatedPods"], json!({}));
    check(&[job(&Value::Null, counted), pod("p", "Succeeded", false)], "", &[]);
}

#[test]
fn too_many_failures_end_the_job_and_its_running_pods() {
    let status = json!({"failed": 2, "startTime": T0.rfc3339()});
    let all = [job(&Value::Null, status), pod("p", "Running", true)];
    let status = check(
        &all,
        "delete pods p; update jobs w/status; patch pods p; update jobs w/status",
        &["FailureTarget"],
    );
    assert_eq!(status["failed"], 3);
    let deadline = json!({"activeDeadlineSeconds": 100});
    let late = [job(&deadline, json!({"startTime": T0.rfc3339(), "failed": 0}))];
    let calls = "update jobs w/status; update jobs w/status";
    check(&late, calls, &["FailureTarget", "Failed"]);
}

#[test]
fn a_failed_pod_holds_its_successor_up() {
    let mut failed = pod("p", "Failed", true);
    let at = T0 + Duration::from_secs(95);
    failed["status"]["containerStatuses"] =
        json!([{"state": {"terminated": {"finishedAt": at.rfc3339()}}}]);
    let status = json!({"startTime": T0.rfc3339(), "ready": 0, "terminating": 0,
        "uncountedTerminatedPods": {}});
    let objects = [job(&Value::Null, status), failed];
    let plan = trial::plan(sync, &objects, T0 + Duration::from_secs(100), &[]);
    let calls = "update jobs w/status; patch pods p; update jobs w/status";
    assert_eq!(trial::text(&plan), calls);
    assert!(plan.memory.is_some(), "the failure is remembered when the pod is gone");
    assert_eq!(plan.again, Again::At(at + Duration::from_secs(10)));
}
