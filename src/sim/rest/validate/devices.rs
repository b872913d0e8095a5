//! Claims for devices, and slices of them: what concerns several fields at once.
//!
//! What can be said of a field alone is in `rules.txt`.

use super::errors::{Errors, Path};
use super::read::{given, list, text};
use crate::object::{Object, Value};
use crate::sim::rest::names;

const SPEC: Path = Path::Printed("spec");

fn spec_of(object: &Object) -> &Value {
    object.at(&["spec"]).unwrap_or(&Value::Null)
}

/// A ResourceClaim, or the template of one.
pub(super) fn claim(object: &Object, errors: &mut Errors) {
    let spec = spec_of(object);
    if object.kind() == "ResourceClaimTemplate" {
        return claim_spec(&spec["spec"], &SPEC.field("spec"), errors);
    }
    claim_spec(spec, &SPEC, errors);
}

fn claim_spec(spec: &Value, path: &Path, errors: &mut Errors) {
    let devices = path.field("devices");
    let requests = devices.field("requests");
    let all = list(&spec["devices"], "requests");
    unique_names(all, &requests, errors);
    for (i, request) in all.iter().enumerate() {
        let at = requests.index(i);
        let name = text(request, "name");
        errors.faults(&at.field("name"), name, names::label_1123(name));
        let ways = list(request, "firstAvailable");
        match (given(request, "exactly"), ways.is_empty()) {
            (None, true) => {
                let why = "exactly one of `exactly` or `firstAvailable` is required";
                errors.required(&at, why);
            }
            (Some(exactly), true) => class(exactly, &at.field("exactly"), errors),
            (None, false) => {
                let at = at.field("firstAvailable");
                for (i, way) in ways.iter().enumerate() {
                    class(way, &at.index(i), errors);
                }
            }
            (Some(_), false) => {
                let shown = internal_request(request);
                let why = "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set";
                errors.invalid_as(&at, &shown, why);
            }
        }
    }
}

fn class(request: &Value, path: &Path, errors: &mut Errors) {
    let at = path.field("deviceClassName");
    match text(request, "deviceClassName") {
        "" => errors.required(&at, ""),
        name => errors.faults(&at, name, names::subdomain_1123(name)),
    }
}

/// What is asked for may not change once it is.
pub(super) fn claim_changed(live: &Object, object: &Object, errors: &mut Errors) {
    let (before, now) = (spec_of(live), spec_of(object));
    if before == now {
        return;
    }
    let shown = if object.kind() == "ResourceClaimTemplate" {
        format!("{{\"Spec\":{}}}", internal_spec(&now["spec"]))
    } else {
        internal_spec(now)
    };
    errors.invalid_as(&SPEC, &shown, "field is immutable");
}

/// A claim as Go's internal type prints. Selectors, constraints and configurations are shown as
/// they are given.
fn internal_spec(spec: &Value) -> String {
    let devices = &spec["devices"];
    let requests = match list(devices, "requests") {
        [] => "null".to_owned(),
        all => format!("[{}]", all.iter().map(internal_request).collect::<Vec<_>>().join(",")),
    };
    let (constraints, config) = (&devices["constraints"], &devices["config"]);
    format!(
        "{{\"Devices\":{{\"Requests\":{requests},\"Constraints\":{constraints},\"Config\":{config}}}}}"
    )
}

fn internal_request(request: &Value) -> String {
    let exactly = match given(request, "exactly") {
        None => "null".to_owned(),
        Some(own) => format!(
            "{{\"DeviceClassName\":{},\"Selectors\":{},\"AllocationMode\":{},\"Count\":{},\"AdminAccess\":{},\"Tolerations\":{},\"Capacity\":{}}}",
            Value::from(text(own, "deviceClassName")),
            own["selectors"],
            Value::from(text(own, "allocationMode")),
            own["count"].as_i64().unwrap_or(0),
            own["adminAccess"],
            own["tolerations"],
            own["capacity"],
        ),
    };
    let name = Value::from(text(request, "name"));
    let ways = &request["firstAvailable"];
    format!("{{\"Name\":{name},\"Exactly\":{exactly},\"FirstAvailable\":{ways}}}")
}

fn unique_names(all: &[Value], path: &Path, errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, item) in all.iter().enumerate() {
        let name = text(item, "name");
        if seen.contains(&name) {
            errors.duplicate(&path.index(i), name);
        } else {
            seen.push(name);
        }
    }
}

/// A ResourceSlice.
pub(super) fn slice(object: &Object, errors: &mut Errors) {
    let spec = spec_of(object);
    let pool = SPEC.field("pool");
    let name = text(&spec["pool"], "name");
    if name.is_empty() {
        errors.required(&pool.field("name"), "");
    }
    for part in name.split('/').filter(|part| !part.is_empty()) {
        errors.faults(&pool.field("name"), part, names::subdomain_1123(part));
    }
    let node = SPEC.field("nodeName");
    match spec.get("nodeName").and_then(Value::as_str) {
        None => {}
        Some("") => {
            let why = "must be either unset or set to a non-empty string";
            errors.invalid(&node, "", why);
        }
        Some(name) => errors.faults(&node, name, names::subdomain_1123(name)),
    }
    let is_true = |field: &str| spec[field] == true;
    let given = !text(spec, "nodeName").is_empty()
        || given(spec, "nodeSelector").is_some()
        || is_true("allNodes")
        || is_true("perDeviceNodeSelection");
    if !given {
        let why = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
        errors.required(&SPEC, why);
    }
    let devices = SPEC.field("devices");
    let all = list(spec, "devices");
    unique_names(all, &devices, errors);
    for (i, device) in all.iter().enumerate() {
        let name = text(device, "name");
        let at = devices.index(i);
        errors.faults(&at.field("name"), name, names::label_1123(name));
    }
}

/// What of a slice may not change.
pub(super) fn slice_changed(live: &Object, object: &Object, errors: &mut Errors) {
    let (before, now) = (spec_of(live), spec_of(object));
    let (old, new) = (text(&before["pool"], "name"), text(&now["pool"], "name"));
    if old != new {
        let pool = SPEC.field("pool");
        errors.invalid(&pool.field("name"), new, "field is immutable");
    }
    let (old, new) = (text(before, "driver"), text(now, "driver"));
    if old != new {
        errors.invalid(&SPEC.field("driver"), new, "field is immutable");
    }
    errors.immutable(&SPEC, before, now, "nodeName");
}
