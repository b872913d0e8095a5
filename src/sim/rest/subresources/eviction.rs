//! `eviction`: deletes a pod if its disruption budget lets it go. A budget is judged by its own
//! status, which the disruption controller keeps; an eviction takes one off it.

use std::sync::Arc;

use super::super::call::Call;
use super::super::{Server, admission, delete};
use super::{live, success, untyped};
use crate::api::{Cause, Details, Reason, Response, Status};
use crate::base::Time;
use crate::object::{Gvr, LabelSelector, Object, Value, json};
use crate::sim::store::{Key, Resource};

/// POST to `pods/NAME/eviction`.
pub(super) fn evict(server: &mut Server, call: &mut Call) -> Result<Response, Status> {
    let body = call.request.body.as_deref().cloned().unwrap_or_default();
    if body["metadata"]["name"] != *call.name {
        return Err(Status::bad_request("name in URL does not match name in Eviction object"));
    }
    let pod = live(server, call)?;
    let mut eviction = Object::from_value(body.clone()).unwrap_or_default();
    eviction.set(&["metadata", "namespace"], call.namespace.into());
    admission::on_posted(server, call, &eviction)?;
    let options = &body["deleteOptions"];
    let dry = call.dry_run() || options["dryRun"].as_array().is_some_and(|list| !list.is_empty());
    let phase = pod.text(&["status", "phase"]).unwrap_or_default();
    let goes_anyway = pod.is_deleting() || matches!(phase, "Succeeded" | "Failed" | "Pending");
    let budget = if goes_anyway { None } else { budget_of(server, &pod)? };
    let spent = budget.filter(|budget| !may_go_unready(&pod, budget)).map(|budget| {
        has_room(&budget)?;
        Ok(budget)
    });
    let spent = spent.transpose()?;
    preconditions(&pod, &options["preconditions"])?;
    if dry {
        return Ok(success(201));
    }
    if let Some(budget) = spent {
        spend(server, call.now, &budget, pod.name());
    }
    let mut object = Object::clone(&pod);
    let mut conditions = object.list(&["status", "conditions"]).to_vec();
    conditions.retain(|c| c["type"] != *"DisruptionTarget");
    conditions.push(json!({ "type": "DisruptionTarget", "status": "True", "lastProbeTime": null,
        "lastTransitionTime": call.now.rfc3339(), "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting" }));
    object.set(&["status", "conditions"], Value::Array(conditions));
    let pod = server.store.put(&call.resource, call.key(), object);
    delete::pod(server, call, &pod);
    Ok(success(201))
}

fn budgets() -> Resource {
    Resource { group: "policy".into(), plural: "poddisruptionbudgets".into() }
}

/// The one budget that selects a pod.
fn budget_of(server: &Server, pod: &Object) -> Result<Option<Arc<Object>>, Status> {
    let mut found = server.store.all_of(&budgets()).filter(|budget| {
        budget.namespace() == pod.namespace()
            && budget
                .at(&["spec", "selector"])
                .is_some_and(|selector| LabelSelector::from_value(selector).matches(pod.labels()))
    });
    let first = found.next().cloned();
    if found.next().is_some() {
        return Err(untyped(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        ));
    }
    Ok(first)
}

/// A pod that is not ready may go where enough others are, or where the budget says so.
fn may_go_unready(pod: &Object, budget: &Object) -> bool {
    let ready = pod.condition("Ready").is_some_and(|ready| ready["status"] == "True");
    let number = |field| budget.int(&["status", field]).unwrap_or(0);
    let (current, desired) = (number("currentHealthy"), number("desiredHealthy"));
    let always = budget.text(&["spec", "unhealthyPodEvictionPolicy"]) == Some("AlwaysAllow");
    !ready && (always || (current >= desired && desired > 0))
}

/// Refuses where a budget has nothing left.
fn has_room(budget: &Object) -> Result<(), Status> {
    let name = budget.name();
    let number = |field| budget.int(&["status", field]).unwrap_or(0);
    if number("observedGeneration") < budget.generation() {
        let text = format!("The disruption budget {name} is still being processed by the server.");
        return Err(too_many(text, 10));
    }
    if number("disruptionsAllowed") > 0 {
        return Ok(());
    }
    let (current, desired) = (number("currentHealthy"), number("desiredHealthy"));
    Err(too_many(
        if current <= desired {
            format!(
                "The disruption budget {name} needs {desired} healthy pods and has {current} currently"
            )
        } else {
            format!("The disruption budget {name} does not allow evicting pods currently")
        },
        0,
    ))
}

fn too_many(why: String, retry_after_seconds: u32) -> Status {
    let text = "Cannot evict pod as it would violate the pod's disruption budget.";
    let mut status = Status::new(429, Reason::TooManyRequests, text);
    let reason = "DisruptionBudget".to_owned();
    let causes = vec![Cause { reason, message: why, field: String::new() }];
    status.details = Some(Details { causes, retry_after_seconds, ..Details::default() });
    status
}

/// Takes one disruption off a budget, and tells its controller which pod it was for.
fn spend(server: &mut Server, now: Time, budget: &Object, pod: &str) {
    let left = budget.int(&["status", "disruptionsAllowed"]).unwrap_or(0) - 1;
    let key = Key::new(budget.namespace(), budget.name());
    let gvr = Gvr::new("policy", "v1", "poddisruptionbudgets");
    admission::write_own_status(server, now, &gvr, &key, |budget| {
        budget.set(&["status", "disruptionsAllowed"], left.into());
        budget.set(&["status", "disruptedPods", pod], now.rfc3339().into());
        if left == 0 {
            let mut conditions = budget.list(&["status", "conditions"]).to_vec();
            conditions.retain(|c| c["type"] != *"DisruptionAllowed");
            conditions.push(json!({ "type": "DisruptionAllowed", "status": "False",
                "observedGeneration": budget.int(&["status", "observedGeneration"]),
                "lastTransitionTime": now.rfc3339(), "reason": "InsufficientPods", "message": "" }));
            budget.set(&["status", "conditions"], Value::Array(conditions));
        }
    });
}

fn preconditions(pod: &Object, wanted: &Value) -> Result<(), Status> {
    let differs = |what: &str, wanted: &str, found: &str, then: &str| {
        let why = format!(
            "the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). {then}"
        );
        Err(Status::conflict(&Gvr::new("", "v1", "Pod"), pod.name(), &why))
    };
    match (wanted["uid"].as_str(), wanted["resourceVersion"].as_str()) {
        (Some(uid), _) if uid != pod.uid() => {
            let then = "The object might have been deleted and then recreated";
            differs("UID", uid, pod.uid(), then)
        }
        (_, Some(version)) if version != pod.resource_version() => {
            let then = "The object might have been modified";
            differs("ResourceVersion", version, pod.resource_version(), then)
        }
        _ => Ok(()),
    }
}
