//! LimitRanger: defaults, bounds and ratios for what containers, pods and claims ask for.

use super::objects_in;
use crate::api::Status;
use crate::object::quantity::Quantity;
use crate::object::quota::{Amounts, of_container, of_pod};
use crate::object::{Map, Object, Value};
use crate::sim::rest::Server;
use crate::sim::rest::auth::joined_errors;
use crate::sim::rest::call::Call;

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// Each limit of a namespace that is for `kind`.
fn limits_of(range: &Object, kind: &str) -> Vec<Value> {
    let limits = range.list(&["spec", "limits"]).iter();
    limits.filter(|limit| limit["type"] == *kind).cloned().collect()
}

/// Gives containers the defaults of the namespace, and says so in an annotation.
pub(super) fn set_defaults(server: &Server, call: &Call, pod: &mut Object) {
    for range in objects_in(server, "", "limitranges", call.namespace) {
        let mut said = Vec::new();
        for limit in limits_of(&range, "Container") {
            let (requests, limits) = (limit.get("defaultRequest"), limit.get("default"));
            for (field, what) in [("containers", "container"), ("initContainers", "init container")]
            {
                let Some(Value::Object(spec)) = pod.0.get_mut("spec") else { continue };
                let Some(Value::Array(containers)) = spec.get_mut(field) else { continue };
                for container in containers {
                    let name = container["name"].as_str().unwrap_or_default().to_owned();
                    for (which, defaults, word) in
                        [("requests", requests, "request"), ("limits", limits, "limit")]
                    {
                        let set = merge(container, which, defaults);
                        if !set.is_empty() {
                            said.push(format!("{} {word} for {what} {name}", set.join(", ")));
                        }
                    }
                }
            }
        }
        if !said.is_empty() {
            let text = format!("LimitRanger plugin set: {}", said.join("; "));
            pod.set(&["metadata", "annotations", ANNOTATION], text.into());
        }
    }
}

/// Sets what is missing, and gives back the names.
fn merge(container: &mut Value, which: &str, defaults: Option<&Value>) -> Vec<String> {
    let mut set = Vec::new();
    for (name, value) in defaults.and_then(Value::as_object).into_iter().flatten() {
        let Some(container) = container.as_object_mut() else { continue };
        let empty = || Value::Object(Map::new());
        let resources = container.entry("resources").or_insert_with(empty);
        let Some(resources) = resources.as_object_mut() else { continue };
        let own = resources.entry(which).or_insert_with(empty);
        let Some(own) = own.as_object_mut() else { continue };
        if !own.contains_key(name) {
            own.insert(name.clone(), value.clone());
            set.push(name.to_string());
        }
    }
    set.sort();
    set
}

/// Holds a pod or a claim against the bounds of its namespace.
pub(super) fn check(server: &Server, call: &Call, object: &Object) -> Result<(), Status> {
    if !matches!(call.kind.kind, "Pod" | "PersistentVolumeClaim") {
        return Ok(());
    }
    for range in objects_in(server, "", "limitranges", call.namespace) {
        let mut faults = Vec::new();
        if call.kind.kind == "Pod" {
            of_a_pod(&range, object, &mut faults);
        } else {
            of_a_claim(&range, object, &mut faults);
        }
        if !faults.is_empty() {
            return Err(call.forbidden(object.name(), &joined_errors(&faults)));
        }
    }
    Ok(())
}

fn of_a_pod(range: &Object, pod: &Object, faults: &mut Vec<String>) {
    for limit in limits_of(range, "Container") {
        for field in ["containers", "initContainers"] {
            for container in pod.list(&["spec", field]) {
                let (requests, limits) =
                    (of_container(container, "requests"), of_container(container, "limits"));
                bounds("Container", &limit, &requests, &limits, faults);
            }
        }
    }
    for limit in limits_of(range, "Pod") {
        bounds("Pod", &limit, &of_pod(pod, "requests"), &of_pod(pod, "limits"), faults);
    }
}

fn bounds(
    kind: &str,
    limit: &Value,
    requests: &Amounts,
    limits: &Amounts,
    faults: &mut Vec<String>,
) {
    for (name, min) in Amounts::read(limit.get("min")).0 {
        let text = format!("minimum {name} usage per {kind} is {min}");
        match (requests.get(&name), limits.get(&name)) {
            (None, _) => faults.push(format!("{text}.  No request is specified")),
            (Some(own), _) if *own < min => faults.push(format!("{text}, but request is {own}")),
            (_, Some(own)) if *own < min => faults.push(format!("{text}, but limit is {own}")),
            _ => {}
        }
    }
    for (name, max) in Amounts::read(limit.get("max")).0 {
        let text = format!("maximum {name} usage per {kind} is {max}");
        match (requests.get(&name), limits.get(&name)) {
            (_, None) => faults.push(format!("{text}.  No limit is specified")),
            (_, Some(own)) if *own > max => faults.push(format!("{text}, but limit is {own}")),
            (Some(own), _) if *own > max => faults.push(format!("{text}, but request is {own}")),
            _ => {}
        }
    }
    for (name, most) in Amounts::read(limit.get("maxLimitRequestRatio")).0 {
        let text = format!("{name} max limit to request ratio per {kind} is {most}");
        let given = |amounts: &Amounts| {
            amounts.get(&name).filter(|own| !own.is_zero()).map(Quantity::as_f64)
        };
        match (given(requests), given(limits)) {
            (None, _) => {
                faults.push(format!("{text}, but no request is specified or request is 0"))
            }
            (_, None) => faults.push(format!("{text}, but no limit is specified or limit is 0")),
            (Some(request), Some(limit)) => {
                let ratio = limit / request;
                if ratio > most.as_f64() {
                    faults.push(format!("{text}, but provided ratio is {ratio:.6}"));
                }
            }
        }
    }
}

fn of_a_claim(range: &Object, claim: &Object, faults: &mut Vec<String>) {
    let requests = Amounts::read(claim.at(&["spec", "resources", "requests"]));
    let kind = "PersistentVolumeClaim";
    for limit in limits_of(range, kind) {
        bounds(kind, &limit_of_min(&limit), &requests, &Amounts::default(), faults);
        for (name, max) in Amounts::read(limit.get("max")).0 {
            let text = format!("maximum {name} usage per {kind} is {max}");
            match requests.get(&name) {
                None => faults.push(format!("{text}.  No request is specified")),
                Some(own) if *own > max => faults.push(format!("{text}, but request is {own}")),
                Some(_) => {}
            }
        }
    }
}

fn limit_of_min(limit: &Value) -> Value {
    crate::object::json!({ "min": limit.get("min").cloned().unwrap_or_default() })
}
