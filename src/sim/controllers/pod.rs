//! What workload controllers ask of pods, and how they make one from a template.
//!
//! What pods do by themselves is played elsewhere (`sim::pods`).

use std::sync::Arc;
use std::time::Duration;

use super::kinds::{POD, gvr};
use super::plan::{Call, Note};
use crate::api::Request;
use crate::base::Time;
use crate::object::{Map, Object, Value, json};

/// `status.phase`.
pub(crate) fn phase(pod: &Object) -> &str {
    pod.text(&["status", "phase"]).unwrap_or("Pending")
}

/// Whether it ended, well or not.
pub(crate) fn is_finished(pod: &Object) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Neither ended nor being deleted (R-CTL-12).
pub(crate) fn is_active(pod: &Object) -> bool {
    !is_finished(pod) && !pod.is_deleting()
}

/// Being deleted and not ended.
pub(crate) fn is_terminating(pod: &Object) -> bool {
    !is_finished(pod) && pod.is_deleting()
}

/// Since when its condition Ready is True; `None` where it is not.
pub(crate) fn ready_since(pod: &Object) -> Option<Time> {
    let ready = ready(pod)?;
    let text = ready.get("lastTransitionTime").and_then(Value::as_str);
    Some(text.and_then(Time::parse_rfc3339).unwrap_or_default())
}

/// Whether its condition Ready is True.
pub(crate) fn is_ready(pod: &Object) -> bool {
    ready(pod).is_some()
}

fn ready(pod: &Object) -> Option<&Value> {
    pod.condition("Ready").filter(|c| c.get("status").and_then(Value::as_str) == Some("True"))
}

/// When a ready pod is or becomes available: `minReadySeconds` after it became ready (R-CTL-13).
pub(crate) fn available_from(pod: &Object, min_ready_seconds: i64) -> Option<Time> {
    let seconds = u64::try_from(min_ready_seconds).unwrap_or(0);
    ready_since(pod).map(|since| since + Duration::from_secs(seconds))
}

/// Whether it is available at `now`.
pub(crate) fn is_available(pod: &Object, min_ready_seconds: i64, now: Time) -> bool {
    available_from(pod, min_ready_seconds).is_some_and(|at| at <= now)
}

/// When the next of the pods that are ready but not available becomes so.
pub(crate) fn next_available<'a>(
    pods: impl IntoIterator<Item = &'a Arc<Object>>,
    min_ready_seconds: i64,
    now: Time,
) -> Option<Time> {
    let times = pods.into_iter().filter_map(|pod| available_from(pod, min_ready_seconds));
    times.filter(|at| *at > now).min()
}

/// The owner reference of a controller.
pub(crate) fn controller_reference(owner: &Object) -> Value {
    json!({
        "apiVersion": owner.api_version(),
        "kind": owner.kind(),
        "name": owner.name(),
        "uid": owner.uid(),
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// A pod of `owner` as its `spec.template` says, named by the server. The caller may change it.
pub(crate) fn from_template(owner: &Object) -> Object {
    let mut pod = Object::default();
    pod.set(&["apiVersion"], "v1".into());
    pod.set(&["kind"], "Pod".into());
    pod.set(&["metadata", "generateName"], format!("{}-", owner.name()).into());
    pod.set(&["metadata", "namespace"], owner.namespace().into());
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) = owner.at(&["spec", "template", "metadata", field]) {
            pod.set(&["metadata", field], value.clone());
        }
    }
    pod.set(&["metadata", "ownerReferences"], json!([controller_reference(owner)]));
    let spec = owner.at(&["spec", "template", "spec"]).cloned().unwrap_or_default();
    pod.set(&["spec"], spec);
    pod
}

/// Creates a pod of `owner`, with the Events that go with it.
pub(crate) fn create(owner: &Arc<Object>, pod: Object) -> Call {
    let request = Request::create(gvr(POD), owner.namespace(), pod);
    let note = |warning, reason, message: &str| {
        Some(Note { about: Arc::clone(owner), warning, reason, message: message.to_owned() })
    };
    Call {
        request,
        done: note(false, "SuccessfulCreate", "Created pod: {}"),
        failed: note(true, "FailedCreate", "Error creating: {}"),
        forgives_ending_namespace: true,
    }
}

/// Deletes a pod of `owner`, with the Events that go with it.
pub(crate) fn delete(owner: &Arc<Object>, pod: &Object) -> Call {
    let request = Request::delete(gvr(POD), pod.namespace(), pod.name());
    let note = |warning, reason, message: &str| {
        Some(Note { about: Arc::clone(owner), warning, reason, message: message.to_owned() })
    };
    Call {
        request,
        done: note(false, "SuccessfulDelete", "Deleted pod: {}"),
        failed: note(true, "FailedDelete", "Error deleting: {}"),
        forgives_ending_namespace: false,
    }
}

/// `object` with another status, to be sent to `/status` under its own revision.
pub(crate) fn with_status(object: &Object, status: Value) -> Object {
    let others = object.0.iter().filter(|(key, _)| *key != "status");
    let mut fields: Map = others.map(|(key, value)| (key.clone(), value.clone())).collect();
    fields.insert("status", status);
    Object(fields)
}

/// The condition that says why a pod is taken away.
pub(super) fn disruption(pod: &Object, reason: &str, message: &str, now: Time) -> Value {
    let mut condition = json!({"type": "DisruptionTarget", "status": "True",
        "reason": reason, "message": message, "lastProbeTime": null,
        "lastTransitionTime": now.rfc3339()});
    if pod.generation() > 0 {
        condition["observedGeneration"] = pod.generation().into();
    }
    condition
}
