//! What the API server itself writes into the status of its own kinds: whether the priority level
//! of a flow schema is there, and whether an APIService can be reached.
//!
//! Upstream has controllers for that, which come to it within moments; here it is done when the
//! request is answered, as for definitions of custom resources (`definitions`). Nobody calls the
//! service of an APIService: one that is there is left without a word.

use std::sync::Arc;

use super::call::Call;
use super::{Server, admission};
use crate::base::Time;
use crate::fields::{self, Applied, Write};
use crate::object::{Gvr, Object, Value, json};
use crate::sim::store::{Key, Resource};

const FLOWS: Gvr = Gvr::new("flowcontrol.apiserver.k8s.io", "v1", "flowschemas");
const LEVELS: Gvr = Gvr::new("flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations");
const SERVICES: Gvr = Gvr::new("apiregistration.k8s.io", "v1", "apiservices");

/// Who says of flow schemas whether their level is there.
const FLOW_MANAGER: &str = "api-priority-and-fairness-config-consumer-v1";

/// Does what is due after a request.
pub(super) fn settle(server: &mut Server, call: &Call) {
    if !call.request.is_write() || call.dry_run() || !call.is_whole() {
        return;
    }
    match (call.kind.group, call.kind.kind) {
        ("flowcontrol.apiserver.k8s.io", _) => flows(server, call.now),
        ("apiregistration.k8s.io", _) => services(server, call.now),
        _ => {}
    }
}

fn resource(gvr: &Gvr) -> Resource {
    Resource { group: gvr.group.clone(), plural: gvr.plural.clone() }
}

fn flows(server: &mut Server, now: Time) {
    let all: Vec<Arc<Object>> = server.all_of(&FLOWS).cloned().collect();
    for flow in all {
        let level = flow.text(&["spec", "priorityLevelConfiguration", "name"]).unwrap_or_default();
        let found = server.store.get(&resource(&LEVELS), &Key::new("", level)).is_some();
        let (status, reason, end) = if found {
            ("False", "Found", "and it exists")
        } else {
            ("True", "NotFound", "but there is no such object")
        };
        let message = format!(
            "This FlowSchema references the PriorityLevelConfiguration object named {level:?} {end}"
        );
        let live = flow.condition("Dangling");
        let is_said =
            live.is_some_and(|live| live["status"] == *status && live["message"] == *message);
        if is_said {
            continue;
        }
        let since = match live {
            Some(live) if live["status"] == *status => live["lastTransitionTime"].clone(),
            _ => now.rfc3339().into(),
        };
        let condition = json!({ "type": "Dangling", "status": status, "lastTransitionTime": since,
            "reason": reason, "message": message });
        apply_status(server, now, &flow, &json!({ "conditions": [condition] }));
    }
}

/// Applies a status as the one who says so.
fn apply_status(server: &mut Server, now: Time, live: &Arc<Object>, status: &Value) {
    let Some(kind) = server.kinds.of(&FLOWS) else { return };
    let config = json!({ "apiVersion": live.api_version(), "kind": live.kind(),
        "metadata": { "name": live.name() }, "status": status });
    let Ok(config) = Object::from_value(config) else { return };
    let write = Write {
        manager: FLOW_MANAGER,
        api_version: &kind.api_version,
        subresource: "status",
        now,
        reset: kind.reset("status"),
    };
    let applied = fields::apply(kind.schema(), kind.ty, Some(live), &config, true, &write);
    if let Ok(Applied::Changed(object)) = applied {
        server.store.put(&resource(&FLOWS), Key::new("", live.name()), object);
    }
}

fn services(server: &mut Server, now: Time) {
    let all: Vec<Arc<Object>> = server.all_of(&SERVICES).cloned().collect();
    for service in all {
        let Some((status, reason, message)) = reach(server, &service) else { continue };
        let live = service.condition("Available");
        if live.is_some_and(|live| live["reason"] == *reason && live["message"] == *message) {
            continue;
        }
        let condition = json!({ "type": "Available", "status": status,
            "lastTransitionTime": now.rfc3339(), "reason": reason, "message": message });
        let key = Key::new("", service.name());
        admission::write_own_status(server, now, &SERVICES, &key, |object| {
            object.set(&["status", "conditions"], json!([condition]));
        });
    }
}

/// Whether an APIService can be reached, as far as that can be said without a call.
fn reach(server: &Server, service: &Object) -> Option<(&'static str, &'static str, String)> {
    let text = |key: &str| service.text(&["spec", "service", key]).unwrap_or_default();
    let (namespace, name) = (text("namespace"), text("name"));
    // One without a service is said to be available when it is made.
    service.at(&["spec", "service"])?;
    let own = Resource { group: "".into(), plural: "services".into() };
    let is_there = server.store.get(&own, &Key::new(namespace, name)).is_some();
    let message = format!("service/{name} in {namespace:?} is not present");
    (!is_there).then_some(("False", "ServiceNotFound", message))
}
