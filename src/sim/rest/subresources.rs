//! Subresources of which nothing is kept: `binding` and `eviction` of pods. (`scale` has a file of
//! its own; `status` and `finalize` are the object and go the way of updates.)

use std::sync::Arc;

use super::Server;
use super::call::{Call, method_not_allowed};
use crate::api::{Cause, Details, Reason, Response, Status};
use crate::object::{LabelSelector, Object, Value, json};
use crate::sim::store::Resource;

/// POST to a subresource.
pub(super) fn create(server: &mut Server, call: &mut Call) -> Result<Response, Status> {
    match call.subresource {
        "binding" => bind(server, call),
        "eviction" => evict(server, call),
        _ => Err(method_not_allowed()),
    }
}

fn success(code: u16) -> Response {
    Response::status(Status::new(code, Reason::Unknown, ""))
}

/// 409 that names the subresource, as the real server's does.
fn binding_conflict(call: &Call, why: &str) -> Status {
    let mut resource = call.request.resource.clone();
    resource.plural = "pods/binding".into();
    Status::conflict(&resource, call.name, why)
}

fn live(server: &Server, call: &Call) -> Result<Arc<Object>, Status> {
    let live = server.store.get(&call.resource, &call.key()).cloned();
    live.ok_or_else(|| call.not_found())
}

/// Puts a pod on a node, once.
fn bind(server: &mut Server, call: &Call) -> Result<Response, Status> {
    let pod = live(server, call)?;
    let body = call.request.body.as_deref().unwrap_or(&Value::Null);
    let node = body["target"]["name"].as_str().unwrap_or_default();
    if pod.is_deleting() {
        let why = format!("pod {} is being deleted, cannot be assigned to a host", pod.name());
        return Err(binding_conflict(call, &why));
    }
    let bound = pod.text(&["spec", "nodeName"]).unwrap_or_default();
    if !bound.is_empty() {
        let why = format!("pod {} is already assigned to node {bound:?}", pod.name());
        return Err(binding_conflict(call, &why));
    }
    let mut object = Object::clone(&pod);
    object.set(&["spec", "nodeName"], node.into());
    let mut conditions = object.list(&["status", "conditions"]).to_vec();
    conditions.retain(|c| c["type"] != *"PodScheduled");
    conditions.push(json!({ "type": "PodScheduled", "status": "True", "lastProbeTime": null,
        "lastTransitionTime": call.now.rfc3339() }));
    object.set(&["status", "conditions"], Value::Array(conditions));
    if !call.dry_run() {
        server.store.put(&call.resource, call.key(), object);
    }
    Ok(success(201))
}

/// Deletes a pod if its budgets let it go. Budgets are judged by their own status, which the
/// disruption controller keeps.
fn evict(server: &mut Server, call: &Call) -> Result<Response, Status> {
    let pod = live(server, call)?;
    let budgets = Resource { group: "policy".into(), plural: "poddisruptionbudgets".into() };
    let blocks = server.store.all_of(&budgets).find(|budget| {
        budget.namespace() == pod.namespace()
            && budget
                .at(&["spec", "selector"])
                .is_some_and(|selector| LabelSelector::from_value(selector).matches(pod.labels()))
            && budget.int(&["status", "disruptionsAllowed"]).unwrap_or(0) <= 0
    });
    let is_over =
        matches!(pod.text(&["status", "phase"]), Some("Succeeded" | "Failed" | "Pending"));
    if let Some(budget) = blocks.filter(|_| !is_over) {
        let text = "Cannot evict pod as it would violate the pod's disruption budget.";
        let mut status = Status::new(429, Reason::TooManyRequests, text);
        let cause = Cause {
            reason: "DisruptionBudget".to_owned(),
            message: format!(
                "The disruption budget {} needs {} healthy pods and has {} currently",
                budget.name(),
                budget.int(&["status", "desiredHealthy"]).unwrap_or(0),
                budget.int(&["status", "currentHealthy"]).unwrap_or(0)
            ),
            field: String::new(),
        };
        let causes = vec![cause];
        status.details = Some(Details { causes, ..Details::default() });
        return Err(status);
    }
    if call.dry_run() {
        return Ok(success(201));
    }
    let mut object = Object::clone(&pod);
    let mut conditions = object.list(&["status", "conditions"]).to_vec();
    conditions.retain(|c| c["type"] != *"DisruptionTarget");
    conditions.push(json!({ "type": "DisruptionTarget", "status": "True", "lastProbeTime": null,
        "lastTransitionTime": call.now.rfc3339(), "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting" }));
    object.set(&["status", "conditions"], Value::Array(conditions));
    let pod = server.store.put(&call.resource, call.key(), object);
    super::delete::pod(server, call, &pod);
    Ok(success(201))
}
