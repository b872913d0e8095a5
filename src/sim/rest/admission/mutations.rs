//! MutatingAdmissionPolicy: what policies in CEL make of a new object or state, before webhooks
//! see it.
//!
//! Not here: whom a policy concerns and with which parameters (`policies`, whose rules are the
//! same), and the merge of a configuration (`fields`).

use super::cel::{self, Variables};
use super::conditions;
use super::matching::{Asked, is_exempt};
use super::policies::{self, Bound, Fault, all};
use super::review;
use crate::api::{Cause, Reason, Status};
use crate::fields;
use crate::object::{Object, Value, json, patch};
use crate::sim::rest::{Server, names};

/// Changes the object as every policy that is bound to the request wants; true if any did.
pub(super) fn mutate(
    server: &mut Server,
    asked: &Asked,
    object: &mut Object,
) -> Result<bool, Status> {
    let policies = all(server, "mutatingadmissionpolicies");
    if policies.is_empty() || is_exempt(asked) {
        return Ok(false);
    }
    let bindings = all(server, "mutatingadmissionpolicybindings");
    let bound = policies::bound(server, asked, &policies, &bindings);
    let before = object.clone();
    // Those that want to be asked again, with what they made of the object.
    let mut seen: Vec<(usize, Object)> = Vec::new();
    for (at, bound) in bound.iter().enumerate() {
        invoke(server, asked, bound, object)?;
        if bound.policy.text(&["spec", "reinvocationPolicy"]) == Some("IfNeeded") {
            seen.push((at, object.clone()));
        }
    }
    for (at, left) in seen {
        if left != *object {
            invoke(server, asked, &bound[at], object)?;
        }
    }
    Ok(*object != before)
}

/// Lets one policy with one binding change the object.
fn invoke(
    server: &mut Server,
    asked: &Asked,
    bound: &Bound,
    object: &mut Object,
) -> Result<(), Status> {
    let mut changed = object.clone();
    let open = bound.policy.text(&["spec", "failurePolicy"]) == Some("Ignore");
    match changes(server, asked, bound, &mut changed) {
        Ok(()) => *object = changed,
        Err(_) if open => {}
        Err(fault) => return Err(refused(asked, bound, &fault)),
    }
    Ok(())
}

fn refused(asked: &Asked, bound: &Bound, fault: &Fault) -> Status {
    let text = format!(
        "policy '{}' with binding '{}' denied request: {}",
        bound.policy.name(),
        bound.binding.name(),
        fault.message
    );
    let mut status = asked.call.forbidden(asked.name(), &text);
    status.message.clone_from(&text);
    status.reason = fault.reason;
    if let Some(details) = &mut status.details {
        details.causes.push(Cause { message: text, ..Cause::default() });
    }
    status
}

fn changes(
    server: &mut Server,
    asked: &Asked,
    bound: &Bound,
    object: &mut Object,
) -> Result<(), Fault> {
    let (policy, binding) = (bound.policy, bound.binding);
    let params = policies::params(server, asked, policy, binding).map_err(|why| Fault {
        message: format!("failed to configure binding: {why}"),
        reason: Reason::Forbidden,
    })?;
    for param in params {
        let current = object.clone();
        let conditions = policy.at(&["spec", "matchConditions"]).cloned().unwrap_or_default();
        let request = shown(server, asked, bound, &current);
        if !conditions::hold(server, &conditions, &request, param.as_ref())? {
            continue;
        }
        for mutation in policy.list(&["spec", "mutations"]) {
            let current = object.clone();
            let request = shown(server, asked, bound, &current);
            let variables = policies::variables(server, asked, policy, &request, param.as_ref());
            *object = mutated(server, asked, mutation, &variables, current)?;
        }
    }
    Ok(())
}

/// What a policy sees of the request, with the object as it is by now.
fn shown(server: &mut Server, asked: &Asked, bound: &Bound, current: &Object) -> Value {
    let uid = names::uid(&mut server.rng);
    review::request(&Asked { object: Some(current), ..*asked }, &bound.matched, &uid)
}

/// What one mutation makes of the object.
fn mutated(
    server: &mut Server,
    asked: &Asked,
    mutation: &Value,
    variables: &Variables,
    object: Object,
) -> Result<Object, String> {
    let applies = mutation["patchType"] == "ApplyConfiguration";
    let part = if applies { "applyConfiguration" } else { "jsonPatch" };
    let expression = mutation[part]["expression"].as_str().unwrap_or_default();
    let value = cel::evaluate(&mut server.programs, expression.trim(), variables)?;
    match cel::to_json(&value) {
        Some(Value::Object(config)) if applies => {
            let made = apply(asked, &object, &Object(config));
            made.map_err(|why| format!("error applying patch: {why}"))
        }
        Some(Value::Array(operations)) if !applies => {
            operate(object, &operations).map_err(|why| format!("JSON Patch: {why}"))
        }
        _ => Err(format!("unexpected evaluation result type from {part} expression")),
    }
}

fn apply(asked: &Asked, object: &Object, config: &Object) -> Result<Object, String> {
    if asked.call.subresource == "scale" {
        return Err(
            "failed to convert patch object to typed object: no corresponding type for autoscaling/v1, Kind=Scale"
                .to_owned(),
        );
    }
    let kind = &asked.call.kind;
    fields::merge_unowned(kind.schema(), kind.ty, object, config)
}

/// Carries out a JSON patch. A test that does not hold means that there is nothing to do.
fn operate(object: Object, operations: &[Value]) -> Result<Object, String> {
    let before = object.clone();
    let mut value = object.into_value();
    for operation in operations {
        let kind = operation["op"].as_str().unwrap_or_default();
        value = match patch::json(value, &json!([operation])) {
            Ok(value) => value,
            Err(_) if kind == "test" => return Ok(before),
            Err(error) => return Err(why_not(operation, &error.to_string())),
        };
    }
    Object::from_value(value).map_err(|_| "the result is no object".to_owned())
}

/// Why an operation could not be carried out, in the words of the library that upstream uses.
fn why_not(operation: &Value, otherwise: &str) -> String {
    let text = |key: &str| operation[key].as_str().unwrap_or_default();
    let (path, from) = (text("path"), text("from"));
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    match text("op") {
        "add" => {
            format!("add operation does not apply: doc is missing path: {path:?}: missing value")
        }
        "remove" => format!(
            "error in remove for path: '{path}': Unable to remove nonexistent key: {}: missing value",
            last(path)
        ),
        "replace" => {
            format!("replace operation does not apply: doc is missing key: {path}: missing value")
        }
        "move" => {
            format!(
                "error in move for path: '{path}': Unable to remove nonexistent key: {}: missing value",
                last(from)
            )
        }
        "copy" => format!(
            "copy operation does not apply: doc is missing from path: {from}: missing value"
        ),
        "" => otherwise.to_owned(),
        other => format!("Unexpected kind: {other}"),
    }
}
