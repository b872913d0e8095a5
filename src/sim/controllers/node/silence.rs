//! What is written of a node that is no longer heard of (R-CTL-30).

use std::sync::Arc;

use super::pods_not_ready;
use crate::api::Request;
use crate::object::{Object, Value, json};
use crate::sim::controllers::kinds::{NODE, gvr};
use crate::sim::controllers::plan::{Call, Cx, Note, Plan};
use crate::sim::controllers::pod::with_status;

/// The conditions that a kubelet keeps. That of the network is the control plane's.
const KEPT: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/// Its conditions become Unknown, then its pods not ready; `None` where it says so already.
pub(super) fn plan(cx: &Cx, node: &Arc<Object>) -> Option<Plan> {
    let was_ready = node.condition("Ready").is_some_and(|ready| ready["status"] == "True");
    let mut status = node.at(&["status"]).cloned().unwrap_or_default();
    let mut conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let before = conditions.clone();
    let now = Value::from(cx.now.rfc3339());
    for kind in KEPT {
        match conditions.iter_mut().find(|condition| condition["type"] == kind) {
            Some(condition) if condition["status"] == "Unknown" => {}
            Some(condition) => {
                condition["status"] = "Unknown".into();
                condition["reason"] = "NodeStatusUnknown".into();
                condition["message"] = "Kubelet stopped posting node status.".into();
                condition["lastTransitionTime"] = now.clone();
            }
            None => conditions.push(json!({"type": kind, "status": "Unknown",
                "reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status.",
                "lastHeartbeatTime": node.text(&["metadata", "creationTimestamp"]),
                "lastTransitionTime": now})),
        }
    }
    if conditions == before {
        return None;
    }
    status["conditions"] = conditions.into();
    let put = Request::update(gvr(NODE), "", node.name(), with_status(node, status));
    let name = node.name();
    let note = Note {
        about: Arc::clone(node),
        warning: false,
        reason: "NodeNotReady",
        message: format!("Node {name} status is now: NodeNotReady"),
    };
    let call = Call { done: was_ready.then_some(note), ..Call::new(put.subresource("status")) };
    let pods = if was_ready { pods_not_ready(cx, name) } else { Vec::new() };
    Some(Plan::nothing().then(vec![call]).then(pods))
}
