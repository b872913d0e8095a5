//! The taints that keep new pods off a node, by its conditions (R-CTL-30).
//!
//! A new node is tainted not-ready by admission; that goes as soon as the controller sees it.

use crate::api::{PatchKind, Request};
use crate::base::Time;
use crate::object::{Object, Value, json};
use crate::sim::controllers::kinds::{NODE, gvr};
use crate::sim::controllers::plan::Plan;

/// Condition, status, and the taint that they bring.
const TAINTS: [(&str, &str, &str); 6] = [
    ("Ready", "False", "node.kubernetes.io/not-ready"),
    ("Ready", "Unknown", "node.kubernetes.io/unreachable"),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
];

/// The taint of a node that is cordoned.
const CORDONED: &str = "node.kubernetes.io/unschedulable";

/// Puts the taints of one node right; `None` where they are.
pub(super) fn no_schedule(node: &Object, now: Time) -> Option<Plan> {
    let before = node.list(&["spec", "taints"]);
    let wanted = wanted(node);
    let is_wanted =
        |taint: &&Value| !is_ours(taint) || wanted.iter().any(|key| taint["key"] == **key);
    let mut after: Vec<Value> = before.iter().filter(is_wanted).cloned().collect();
    for key in wanted {
        if !after.iter().any(|taint| is_ours(taint) && taint["key"] == *key) {
            let at = now.rfc3339();
            after.push(json!({"key": key, "effect": "NoSchedule", "timeAdded": at}));
        }
    }
    (after != before).then(|| write(node, after))
}

/// The write of a node's taints, under its revision.
pub(super) fn write(node: &Object, taints: Vec<Value>) -> Plan {
    let taints = if taints.is_empty() { Value::Null } else { taints.into() };
    let body = json!({"metadata": {"resourceVersion": node.resource_version()},
        "spec": {"taints": taints}});
    Plan::one(Request::patch(gvr(NODE), "", node.name(), PatchKind::Merge, body))
}

fn is_ours(taint: &Value) -> bool {
    taint["effect"] == "NoSchedule"
        && (taint["key"] == CORDONED || TAINTS.iter().any(|(_, _, key)| taint["key"] == *key))
}

fn wanted(node: &Object) -> Vec<&'static str> {
    let has =
        |kind: &str, status: &str| node.condition(kind).is_some_and(|c| c["status"] == status);
    let by_condition = TAINTS.iter().filter(|(kind, status, _)| has(kind, status));
    let cordoned = node.flag(&["spec", "unschedulable"]).then_some(CORDONED);
    by_condition.map(|(_, _, key)| *key).chain(cordoned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The taints that a node with these conditions and taints should have instead, by key.
    fn check(conditions: &Value, taints: &[&str], expected: Option<&[&str]>) {
        let list: Vec<_> =
            taints.iter().map(|key| json!({"key": key, "effect": "NoSchedule"})).collect();
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a", "uid": "a"},
            "spec": {"taints": list}, "status": {"conditions": conditions}});
        let plan = no_schedule(&Object::from_value(node).unwrap(), Time::VIRTUAL_START);
        let sent = plan.map(|plan| {
            let body = plan.batches[0][0].request.body.clone().unwrap();
            let taints = body["spec"]["taints"].as_array().cloned().unwrap_or_default();
            taints.iter().map(|t| t["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        });
        let sent = sent.as_ref().map(|keys| keys.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(sent.as_deref(), expected, "{conditions} {taints:?}");
    }

    #[test]
    fn taints_follow_the_conditions_and_those_of_others_stay() {
        let ready = |status: &str| json!([{"type": "Ready", "status": status}]);
        let (not_ready, away) = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable");
        check(&json!([]), &[not_ready], Some(&[]));
        check(&ready("True"), &[not_ready, "mine"], Some(&["mine"]));
        check(&ready("True"), &["mine"], None);
        check(&ready("False"), &[], Some(&[not_ready]));
        check(&ready("Unknown"), &[not_ready], Some(&[away]));
    }
}
