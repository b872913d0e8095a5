//! What the scheduler sends: bindings, conditions, Events. Values only; `mod` sends them.

use super::{COMPONENT, EVENTS, POD, USER_AGENT, gvr, pod};
use crate::api::{PatchKind, Request};
use crate::base::Time;
use crate::object::{Map, Object, Value, json};

/// An Event about a pod.
pub(super) struct Told {
    pub(super) is_warning: bool,
    pub(super) reason: &'static str,
    pub(super) action: &'static str,
    pub(super) text: String,
}

/// The binding of a pod to a node.
pub(super) fn binding(pod: &Object, node: &str) -> Request {
    let value = json!({
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": pod.name(), "namespace": pod.namespace(), "uid": pod.uid()},
        "target": {"kind": "Node", "name": node},
    });
    let body = Object::from_value(value).unwrap_or_default();
    let mut request = Request::create(gvr(POD), pod.namespace(), body).subresource("binding");
    request.name = Some(pod.name().to_owned());
    request.by(USER_AGENT)
}

fn status(pod: &Object, status: Value) -> Request {
    let body = json!({ "status": status });
    let patch = Request::patch(gvr(POD), pod.namespace(), pod.name(), PatchKind::Strategic, body);
    patch.by(USER_AGENT).subresource("status")
}

/// That a pod fits nowhere, and on which node it will be once there is room (`None` leaves what
/// was said before).
pub(super) fn unschedulable(
    pod: &Object,
    text: &str,
    nominated: Option<&str>,
    now: Time,
) -> Request {
    let condition = json!({
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": text,
        "lastProbeTime": null,
        "lastTransitionTime": now.rfc3339(),
        "observedGeneration": pod.generation(),
    });
    let mut body = json!({ "conditions": [condition] });
    if let Some(node) = nominated {
        body["nominatedNodeName"] = if node.is_empty() { Value::Null } else { node.into() };
    }
    status(pod, body)
}

/// That a pod has to go, and its deletion.
pub(super) fn preempt(victim: &Object, now: Time) -> [Request; 2] {
    let text = format!("{COMPONENT}: preempting to accommodate a higher priority pod");
    let condition = pod::disruption(victim, "PreemptionByScheduler", &text, now);
    let body = json!({ "conditions": [condition] });
    let delete = Request::delete(gvr(POD), victim.namespace(), victim.name()).by(USER_AGENT);
    [status(victim, body), delete]
}

/// An Event about a pod, under a name with this number in it.
pub(super) fn event(pod: &Object, told: Told, number: u64, now: Time) -> Request {
    let name = format!("{}.{number:x}", pod.name());
    let involved = [
        ("apiVersion", "v1"),
        ("kind", "Pod"),
        ("name", pod.name()),
        ("namespace", pod.namespace()),
        ("uid", pod.uid()),
        ("resourceVersion", pod.resource_version()),
    ];
    let mut event = Map::new();
    let mut set = |key: &str, value: Value| event.insert(key, value);
    set("apiVersion", "v1".into());
    set("kind", "Event".into());
    set("metadata", Value::from_iter([("name", &*name), ("namespace", pod.namespace())]));
    set("involvedObject", Value::from_iter(involved));
    set("reason", told.reason.into());
    set("action", told.action.into());
    set("message", told.text.into());
    set("type", if told.is_warning { "Warning" } else { "Normal" }.into());
    set("eventTime", now.rfc3339_micro().into());
    set("firstTimestamp", Value::Null);
    set("lastTimestamp", Value::Null);
    set("source", Map::new().into());
    set("reportingComponent", COMPONENT.into());
    set("reportingInstance", COMPONENT.into());
    let create = Request::create(EVENTS.resource.clone(), pod.namespace(), Object(event));
    create.by(USER_AGENT)
}
