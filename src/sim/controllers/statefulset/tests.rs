//! Caches in, requests out.

use super::*;
use crate::base::Time;
use crate::object::json;
use crate::sim::controllers::trial;

const T0: Time = Time::VIRTUAL_START;

fn set(replicas: i64, more: &Value) -> Value {
    let mut set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": "w", "namespace": "n", "uid": "w", "generation": 1},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"a": "b"}}, "serviceName": "s",
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}},
        "status": {"currentRevision": "w-1", "currentReplicas": 9}});
    for (key, value) in more.as_object().into_iter().flatten() {
        set["spec"][key] = value.clone();
    }
    set
}

/// A revision: number 2 is that of the template of [`set`].
fn revision(number: i64) -> Value {
    let label = if number == 2 { json!({"a": "b"}) } else { json!({"a": "b", "old": "x"}) };
    json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": number,
        "metadata": {"name": format!("w-{number}"), "namespace": "n", "uid": format!("r{number}"),
            "ownerReferences": [owner()]},
        "data": {"spec": {"template": {"$patch": "replace", "metadata": {"labels": label},
            "spec": {"containers": []}}}}})
}

fn owner() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "w", "uid": "w",
        "controller": true})
}

fn pod(ordinal: i64, revision: i64, is_ready: bool) -> Value {
    let ready = if is_ready { "True" } else { "False" };
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("w-{ordinal}"),
            "namespace": "n", "uid": format!("p{ordinal}"), "ownerReferences": [owner()],
            "labels": {"a": "b", "controller-revision-hash": format!("w-{revision}")}},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready,
            "lastTransitionTime": T0.rfc3339()}]}})
}

/// What is done to pods and claims.
fn check(objects: &[Value], expected: &str) {
    let plan = trial::plan(sync, objects, T0, &[]);
    let text = trial::text(&plan);
    let parts: Vec<_> = text.split("; ").filter(|part| !part.contains("/status")).collect();
    assert_eq!(parts.join("; "), expected);
}

fn with(mut objects: Vec<Value>, pods: &[Value]) -> Vec<Value> {
    objects.extend_from_slice(pods);
    objects
}

#[test]
fn the_next_pod_comes_when_the_one_before_is_ready() {
    let base = |replicas| vec![set(replicas, &Value::Null), revision(2)];
    check(&base(3), "create pods w-0");
    check(&with(base(3), &[pod(0, 2, false)]), "");
    check(&with(base(3), &[pod(0, 2, true)]), "create pods w-1");
    let parallel = vec![set(2, &json!({"podManagementPolicy": "Parallel"})), revision(2)];
    check(&parallel, "create pods w-0; create pods w-1");
}

#[test]
fn scaling_down_takes_the_highest_ordinal_first() {
    let pods = [pod(0, 2, true), pod(1, 2, true), pod(2, 2, true)];
    check(&with(vec![set(1, &Value::Null), revision(2)], &pods), "delete pods w-2");
}

#[test]
fn an_update_goes_down_to_the_partition_and_waits_for_health() {
    let base = |partition: i64| {
        let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": partition}});
        vec![set(3, &json!({ "updateStrategy": strategy })), revision(1), revision(2)]
    };
    let pods = |new: i64, ready: bool| -> Vec<Value> {
        (0..3).map(|n| pod(n, if n >= 3 - new { 2 } else { 1 }, ready || n < 2)).collect()
    };
    check(&with(base(0), &pods(0, true)), "delete pods w-2");
    check(&with(base(0), &pods(1, false)), "");
    check(&with(base(0), &pods(1, true)), "delete pods w-1");
    check(&with(base(2), &pods(1, true)), "");
}

#[test]
fn claims_come_before_their_pod_and_only_once() {
    let template = json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}]});
    let base = vec![set(1, &template), revision(2)];
    check(&base, "create persistentvolumeclaims data-w-0; create pods w-0");
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-w-0", "namespace": "n", "uid": "c"}});
    check(&with(base, &[claim]), "create pods w-0");
}

#[test]
fn a_pod_that_is_not_named_after_the_set_is_not_adopted() {
    let mut stray = pod(0, 2, true);
    stray["metadata"]["name"] = "other".into();
    stray["metadata"]["ownerReferences"] = json!([]);
    check(&with(vec![set(1, &Value::Null), revision(2)], &[stray]), "create pods w-0");
}
