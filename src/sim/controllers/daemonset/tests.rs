//! Caches in, requests out.

use super::*;
use crate::base::Time;
use crate::sim::controllers::trial;

const T0: Time = Time::VIRTUAL_START;

fn set() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "w", "namespace": "n", "uid": "w", "generation": 1},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "updateStrategy":
            {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}}})
}

fn owner() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "w", "uid": "w",
        "controller": true})
}

fn revision() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": 1,
        "metadata": {"name": "w-new", "namespace": "n", "uid": "r", "ownerReferences": [owner()],
            "labels": {"controller-revision-hash": "new"}},
        "data": {"spec": {"template": {"$patch": "replace", "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": []}}}}})
}

fn node(name: &str, taint: &str) -> Value {
    let taints =
        if taint.is_empty() { json!([]) } else { json!([{"key": taint, "effect": "NoSchedule"}]) };
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name},
        "spec": {"taints": taints}})
}

fn pod(node: &str, hash: &str, is_ready: bool) -> Value {
    let ready = if is_ready { "True" } else { "False" };
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("on-{node}"),
            "namespace": "n", "uid": format!("p-{node}"), "ownerReferences": [owner()],
            "labels": {"a": "b", "controller-revision-hash": hash}},
        "spec": {"nodeName": node},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready,
            "lastTransitionTime": T0.rfc3339()}]}})
}

/// What is done to pods, and desired, current, misscheduled of the status.
fn check(objects: &[Value], calls: &str, counts: [i64; 3]) {
    let mut all = vec![set(), revision()];
    all.extend_from_slice(objects);
    let plan = trial::plan(sync, &all, T0, &[]);
    let text = trial::text(&plan);
    let parts: Vec<_> = text.split("; ").filter(|part| !part.contains("/status")).collect();
    assert_eq!(parts.join("; "), calls);
    let status = trial::status(&plan);
    let names = ["desiredNumberScheduled", "currentNumberScheduled", "numberMisscheduled"];
    assert_eq!(names.map(|name| status[name].as_i64().unwrap_or(-1)), counts);
}

#[test]
fn every_node_that_tolerates_it_gets_one_pod() {
    let nodes = [node("x", ""), node("y", "own"), node("z", "node.kubernetes.io/unschedulable")];
    check(&nodes, "create pods -, create pods -", [2, 0, 0]);
    let tainted = [node("x", "own"), pod("x", "new", true)];
    // Only a taint that evicts makes a daemon pod go.
    check(&tainted, "", [0, 0, 1]);
}

#[test]
fn an_update_replaces_what_is_not_available_and_as_many_as_allowed() {
    let all =
        |x_ready| [node("x", ""), node("y", ""), pod("x", "old", x_ready), pod("y", "old", true)];
    check(&all(true), "delete pods on-x", [2, 2, 0]);
    check(&all(false), "delete pods on-x", [2, 2, 0]);
    let half = [node("x", ""), node("y", ""), pod("x", "new", false), pod("y", "old", true)];
    check(&half, "", [2, 2, 0]);
}
