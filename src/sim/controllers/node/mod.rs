//! The node lifecycle controller (R-CTL-30): a node that is no longer heard of becomes Unknown,
//! its taints follow its conditions, and its pods are not ready while it is not.
//!
//! What was noticed of nodes over time is `noticed`; each decision is one step of [`sync`], the
//! next follows when the caches show it. `evict` moves pods off tainted nodes, `pod_gc` ends pods
//! whose node cannot do it any more.
//!
//! The real controller looks at all nodes every 5 s; here a node is looked at when its time is
//! up, so that a world at rest has no timer. Not here: the pace of evictions in a zone of more than
//! fifty nodes that is half lost.

pub(crate) mod evict;
pub(crate) mod noticed;
pub(crate) mod pod_gc;
mod silence;
mod taints;
mod zone;

use std::sync::Arc;

use super::caches::Caches;
use super::kinds::{NODE, POD, gvr};
use super::plan::{Again, Call, Cx, Note, Plan};
use super::pod;
use crate::api::Request;
use crate::base::Time;
use crate::object::{Object, Value, json};

/// Decides the next step for one node.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let known = cx.memory.and_then(Value::as_str).unwrap_or_default();
    let Some(node) = cx.caches.get(NODE, "", cx.key.name()) else { return removed(cx, known) };
    if cx.failure.is_some() {
        return Plan::nothing();
    }
    let mut plan = keep(cx, node);
    if known != node.uid() {
        let message = format!("Node {0} event: Registered Node {0} in Controller", node.name());
        let about = Arc::clone(node);
        plan.notes.push(Note { about, warning: false, reason: "RegisteredNode", message });
        plan.memory = Some(node.uid().into());
    }
    plan
}

/// A node that was known is not there any more.
fn removed(cx: &Cx, uid: &str) -> Plan {
    if uid.is_empty() {
        return Plan::nothing();
    }
    let name: &str = cx.key.name();
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": uid}});
    let about = Arc::new(Object::from_value(node).unwrap_or_default());
    let message = format!("Node {name} event: Removing Node {name} from Controller");
    let note = Note { about, warning: false, reason: "RemovingNode", message };
    Plan { notes: vec![note], memory: Some(Value::Null), ..Plan::nothing() }
}

/// Puts right what is said of a node that is there.
fn keep(cx: &Cx, node: &Arc<Object>) -> Plan {
    let deadline = deadline(cx, node);
    if deadline.is_some_and(|at| at <= cx.now)
        && let Some(plan) = silence::plan(cx, node)
    {
        return plan;
    }
    if let Some(plan) = taints::no_schedule(node, cx.now) {
        return plan;
    }
    let (plan, again) = zone::no_execute(cx, node);
    let times = deadline.into_iter().chain(again).filter(|at| *at > cx.now);
    plan.again(times.min().map_or(Again::OnChange, Again::At))
}

/// When the node counts as lost, if nothing is heard of it until then; `None` where it is known
/// to be alive, or nobody asks.
fn deadline(cx: &Cx, node: &Object) -> Option<Time> {
    let grace = cx.settings.node_grace?;
    let grace = if node.condition("Ready").is_none() { grace.at_first } else { grace.usual };
    cx.caches.noticed().heard(node).map(|at| at + grace)
}

/// Whether a node says, or is said, not to be ready. One of which nothing is known is neither.
pub(crate) fn is_not_ready(node: &Object) -> bool {
    node.condition("Ready").is_some_and(|ready| ready["status"] != "True")
}

/// The pods that are bound to a node.
pub(crate) fn pods_on<'a>(
    caches: &'a Caches,
    node: &'a str,
) -> impl Iterator<Item = &'a Arc<Object>> {
    caches.all(POD).filter(move |pod| pod.text(&["spec", "nodeName"]) == Some(node))
}

/// The pods of a node that say that they are ready are said not to be.
fn pods_not_ready(cx: &Cx, node: &str) -> Vec<Call> {
    let ready = pods_on(cx.caches, node).filter(|pod| pod::is_ready(pod));
    ready.map(|pod| not_ready(pod, cx.now)).collect()
}

fn not_ready(pod: &Arc<Object>, now: Time) -> Call {
    let mut status = pod.at(&["status"]).cloned().unwrap_or_default();
    for condition in status["conditions"].as_array_mut().into_iter().flatten() {
        if condition["type"] == "Ready" {
            condition["status"] = "False".into();
            condition["lastTransitionTime"] = now.rfc3339().into();
        }
    }
    let object = pod::with_status(pod, status);
    let put = Request::update(gvr(POD), pod.namespace(), pod.name(), object);
    let note = Note {
        about: Arc::clone(pod),
        warning: true,
        reason: "NodeNotReady",
        message: "Node is not ready".to_owned(),
    };
    Call { done: Some(note), ..Call::new(put.subresource("status")) }
}

/// A pod is ended by others than its node: Failed, unless it ended before, and deleted at once.
fn end_and_delete(pod: &Arc<Object>, condition: Option<Value>) -> Vec<Vec<Call>> {
    let mut batches = Vec::new();
    let mut status = pod.at(&["status"]).cloned().unwrap_or_default();
    if !pod::is_finished(pod) {
        status["phase"] = "Failed".into();
    }
    if let Some(condition) = condition {
        set_condition(&mut status, condition);
    }
    if pod.at(&["status"]) != Some(&status) {
        let object = pod::with_status(pod, status);
        let put = Request::update(gvr(POD), pod.namespace(), pod.name(), object);
        batches.push(vec![Call::new(put.subresource("status"))]);
    }
    let mut delete = Request::delete(gvr(POD), pod.namespace(), pod.name());
    delete.options.delete.grace_seconds = Some(0);
    delete.options.delete.uid = Some(pod.uid().to_owned());
    batches.push(vec![Call::new(delete)]);
    batches
}

/// Puts a condition in the place of the one of its type.
fn set_condition(status: &mut Value, condition: Value) {
    let mut conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    match conditions.iter_mut().find(|other| other["type"] == condition["type"]) {
        Some(other) => *other = condition,
        None => conditions.push(condition),
    }
    status["conditions"] = conditions.into();
}
