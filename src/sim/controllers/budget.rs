//! PodDisruptionBudgets: how many pods may be evicted at the moment (R-CTL-24). The eviction
//! itself is the server's, which counts `disruptionsAllowed` down.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::condition::{self, Condition};
use super::kinds::{BUDGET, DEPLOYMENT, POD, REPLICA_SET, STATEFUL_SET, gvr};
use super::plan::{Again, Call, Cx, Note, Plan};
use super::pod;
use crate::api::Request;
use crate::base::Time;
use crate::object::{LabelSelector, Object, Value, json};

/// How long an eviction that was allowed may take to show as a deletion.
const DELETION_TIMEOUT: Duration = Duration::from_secs(120);

/// Whether a budget's selector takes a pod. An empty selector takes all of its namespace, a
/// missing one none.
pub(crate) fn selects(budget: &Object, pod: &Object) -> bool {
    let selector = budget.at(&["spec", "selector"]).filter(|selector| selector.is_object());
    selector.is_some_and(|selector| LabelSelector::from_value(selector).matches(pod.labels()))
}

/// Decides the status of one budget.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let budget = cx.caches.get(BUDGET, cx.key.namespace(), cx.key.name());
    let Some(budget) = budget.filter(|_| cx.failure.is_none()) else { return Plan::nothing() };
    let pods: Vec<_> =
        cx.caches.in_namespace(POD, budget.namespace()).filter(|p| selects(budget, p)).collect();
    let mut notes = Vec::new();
    if pods.is_empty() {
        notes.push(note(budget, false, "NoPods", "No matching pods found"));
    }
    let (evicted, again) = evicted(budget, &pods, cx.now);
    let (expected, desired) = wanted(cx, budget, &pods);
    let is_healthy = |pod: &&&Arc<Object>| {
        !pod.is_deleting() && !evicted.contains_key(pod.name()) && pod::is_ready(pod)
    };
    let healthy = i64::try_from(pods.iter().filter(is_healthy).count()).unwrap_or(i64::MAX);
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let status = status(budget, [allowed, healthy, desired, expected], evicted, cx.now);
    let mut plan = Plan { notes, ..Plan::nothing() };
    if Some(&status) != budget.at(&["status"]) {
        let object = pod::with_status(budget, status);
        let put = Request::update(gvr(BUDGET), budget.namespace(), budget.name(), object);
        plan = plan.then(vec![Call::new(put.subresource("status"))]);
    } else {
        // What was told once is not told again while nothing changes.
        plan.notes.clear();
    }
    plan.again(again.map_or(Again::OnChange, Again::At))
}

fn note(budget: &Arc<Object>, warning: bool, reason: &'static str, message: &str) -> Note {
    Note { about: Arc::clone(budget), warning, reason, message: message.to_owned() }
}

/// Pods whose eviction was allowed and that do not show it yet, and when the first of these is
/// given up.
fn evicted(
    budget: &Object,
    pods: &[&Arc<Object>],
    now: Time,
) -> (BTreeMap<String, Value>, Option<Time>) {
    let known = budget.at(&["status", "disruptedPods"]).and_then(Value::as_object);
    let mut next = None;
    let mut evicted = BTreeMap::new();
    for (name, since) in known.into_iter().flatten() {
        let is_there = pods.iter().any(|pod| pod.name() == name && !pod.is_deleting());
        let until = since.as_str().and_then(Time::parse_rfc3339).map(|at| at + DELETION_TIMEOUT);
        if let Some(until) = until.filter(|until| is_there && *until > now) {
            next = [next, Some(until)].into_iter().flatten().min();
            evicted.insert(name.to_string(), since.clone());
        }
    }
    (evicted, next)
}

/// How many pods there should be, and how many of them healthy.
fn wanted(cx: &Cx, budget: &Object, pods: &[&Arc<Object>]) -> (i64, i64) {
    let present = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    if let Some(bound) = budget.at(&["spec", "maxUnavailable"]).filter(|bound| !bound.is_null()) {
        let expected = expected(cx, pods);
        return (expected, (expected - scaled(bound, expected)).max(0));
    }
    match budget.at(&["spec", "minAvailable"]).filter(|bound| !bound.is_null()) {
        Some(bound) if bound.is_string() => {
            let expected = expected(cx, pods);
            (expected, scaled(bound, expected))
        }
        Some(bound) => (present, bound.as_i64().unwrap_or(0)),
        None => (present, 0),
    }
}

/// A number, or a percentage of `whole` rounded up.
fn scaled(bound: &Value, whole: i64) -> i64 {
    let percent = bound.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok());
    match percent {
        Some(percent) => (percent * whole + 99) / 100,
        None => bound.as_i64().unwrap_or(0),
    }
}

/// The sum of what the controllers of the pods are told to have. Pods without one do not count.
fn expected(cx: &Cx, pods: &[&Arc<Object>]) -> i64 {
    let mut scales: BTreeMap<&str, i64> = BTreeMap::new();
    for pod in pods {
        let Some(owner) = pod.controller() else { continue };
        let namespace = pod.namespace();
        let set = match owner.kind {
            "StatefulSet" => cx.caches.get(STATEFUL_SET, namespace, owner.name),
            "ReplicaSet" => cx.caches.get(REPLICA_SET, namespace, owner.name).map(|set| {
                let above = set.controller().filter(|owner| owner.kind == "Deployment");
                above.and_then(|o| cx.caches.get(DEPLOYMENT, namespace, o.name)).unwrap_or(set)
            }),
            _ => None,
        };
        if let Some(set) = set {
            scales.insert(set.uid(), set.int(&["spec", "replicas"]).unwrap_or(1));
        }
    }
    scales.values().sum()
}

/// The whole status: allowed, healthy, desired, expected.
fn status(budget: &Object, counts: [i64; 4], evicted: BTreeMap<String, Value>, now: Time) -> Value {
    let [allowed, healthy, desired, expected] = counts;
    let before = budget.at(&["status"]).and_then(Value::as_object);
    let mut conditions = before.and_then(condition::read_all).unwrap_or_default();
    let (state, reason) =
        if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let mut next = Condition::new("DisruptionAllowed", state, reason, "", now);
    next.rest.insert("observedGeneration".to_owned(), budget.generation().into());
    match conditions.iter_mut().find(|c| c.kind == next.kind) {
        Some(current) => {
            if current.status == next.status {
                next.last_transition_time.clone_from(&current.last_transition_time);
            }
            *current = next;
        }
        None => conditions.push(next),
    }
    let mut status = json!({"currentHealthy": healthy, "desiredHealthy": desired,
        "disruptionsAllowed": allowed, "expectedPods": expected,
        "observedGeneration": budget.generation(), "conditions": conditions});
    if !evicted.is_empty() {
        status["disruptedPods"] = json!(evicted);
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::controllers::trial;

    const T0: Time = Time::VIRTUAL_START;

    fn objects(spec: Value, ready: &[bool]) -> Vec<Value> {
        let mut spec = spec;
        spec["selector"] = json!({"matchLabels": {"app": "a"}});
        let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": "w", "namespace": "n", "uid": "b", "generation": 1},
            "spec": spec});
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": "s", "namespace": "n", "uid": "s"}, "spec": {"replicas": 4}});
        let pod = |(at, ready): (usize, &bool)| {
            let state = if *ready { "True" } else { "False" };
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("p{at}"),
                "namespace": "n", "uid": format!("p{at}"), "labels": {"app": "a"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet",
                    "name": "s", "uid": "s", "controller": true}]},
                "status": {"conditions": [{"type": "Ready", "status": state}]}})
        };
        [budget, set].into_iter().chain(ready.iter().enumerate().map(pod)).collect()
    }

    fn check(spec: Value, ready: &[bool], expected: [i64; 4]) {
        let plan = trial::plan(sync, &objects(spec.clone(), ready), T0, &[]);
        let status = trial::status(&plan);
        let names = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"];
        let counts = names.map(|name| status[name].as_i64().unwrap());
        assert_eq!(counts, expected, "{spec} {ready:?}");
    }

    #[test]
    fn what_may_be_evicted_follows_from_the_bound_and_the_controllers() {
        check(json!({"minAvailable": 1}), &[true, true], [1, 2, 1, 2]);
        check(json!({"minAvailable": "50%"}), &[true, true], [0, 2, 2, 4]);
        check(json!({"maxUnavailable": 1}), &[true, true, true, true], [1, 4, 3, 4]);
        check(json!({"maxUnavailable": "30%"}), &[true, true, true, false], [1, 3, 2, 4]);
        check(json!({"minAvailable": 1}), &[], [0, 0, 1, 0]);
    }
}
