//! LimitRanges and ResourceQuotas.

use super::errors::{Errors, Path};
use super::read::{given, list, text};
use super::resources;
use crate::object::{Object, Value};
use crate::sim::rest::names;

const SPEC: Path = Path::Printed("spec");

const LIMIT_TYPES: [&str; 3] = ["Pod", "Container", "PersistentVolumeClaim"];

/// Names of resources that stand without a domain.
const STANDARD: [&str; 16] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "services",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
];

const COUNTED: [&str; 5] = [
    "replicationcontrollers",
    "resourcequotas",
    "services.loadbalancers",
    "services.nodeports",
    "services.externalips",
];

fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name)
        || COUNTED.contains(&name)
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
}

pub(super) fn limit_range(object: &Object, errors: &mut Errors) {
    let root = SPEC.field("limits");
    for (i, limit) in object.list(&["spec", "limits"]).iter().enumerate() {
        let path = root.index(i);
        let kind = text(limit, "type");
        errors.faults(&path.field("type"), kind, names::qualified(kind));
        let known = LIMIT_TYPES.contains(&kind) || kind.contains('/');
        if !known && names::qualified(kind).is_empty() {
            let text = "must be a standard limit type or fully qualified";
            errors.invalid(&path.field("type"), kind, text);
        }
        for field in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
            let at = path.field(field);
            for name in
                given(limit, field).and_then(Value::as_object).into_iter().flat_map(|m| m.keys())
            {
                name_of_resource(name, &at.key(name), errors);
            }
        }
        let has_storage = |field: &str| limit[field].get("storage").is_some();
        if kind == "PersistentVolumeClaim" && !has_storage("max") && !has_storage("min") {
            let text =
                "either minimum or maximum storage value is required, but neither was provided";
            errors.required(&path.field("limits"), text);
        }
        for field in ["default", "defaultRequest"] {
            if kind == "Pod" && given(limit, field).is_some() {
                let text = "may not be specified when `type` is 'Pod'";
                errors.forbidden(&path.field(field), text);
            }
        }
    }
}

fn name_of_resource(name: &str, path: &Path, errors: &mut Errors) {
    let faults = names::qualified(name);
    let sound = faults.is_empty();
    errors.faults(path, name, faults);
    if sound && !name.contains('/') && !is_standard(name) {
        errors.invalid(path, name, "must be a standard resource type or fully qualified");
    }
}

pub(super) fn quota(object: &Object, errors: &mut Errors) {
    hard(object.at(&["spec", "hard"]), &SPEC.field("hard"), errors);
    let scopes = object.at(&["spec", "scopeSelector"]).unwrap_or(&Value::Null);
    let path = SPEC.field("scopeSelector");
    let at = path.field("matchExpressions");
    for expression in list(scopes, "matchExpressions") {
        scope(expression, &at, errors);
    }
}

/// What of a quota's status can be said to be wrong.
pub(super) fn quota_status(object: &Object, errors: &mut Errors) {
    let root = Path::Printed("status");
    for field in ["hard", "used"] {
        hard(object.at(&["status", field]), &root.field(field), errors);
    }
}

fn hard(amounts: Option<&Value>, path: &Path, errors: &mut Errors) {
    for (name, amount) in amounts.and_then(Value::as_object).into_iter().flatten() {
        let at = path.key(name);
        name_of_resource(name, &at, errors);
        if !name.contains('/') && !is_standard(name) {
            errors.invalid(&at, name.as_str(), "must be a standard resource for quota");
        }
        resources::not_negative(amount, &at, errors);
    }
}

/// Scopes that are there or not, and have no values.
const PLAIN_SCOPES: [&str; 5] =
    ["Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "CrossNamespacePodAffinity"];

fn scope(expression: &Value, path: &Path, errors: &mut Errors) {
    let (name, operator) = (text(expression, "scopeName"), text(expression, "operator"));
    let values = list(expression, "values");
    if !PLAIN_SCOPES.contains(&name) && !matches!(name, "PriorityClass" | "VolumeAttributesClass") {
        errors.invalid(&path.field("scopeName"), name, "unsupported scope");
    }
    if PLAIN_SCOPES.contains(&name) && operator != "Exists" {
        let text = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
        errors.invalid(&path.field("operator"), operator, text);
    }
    match operator {
        "In" | "NotIn" if values.is_empty() => {
            let text =
                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
            errors.required(&path.field("values"), text);
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let text =
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
            errors.invalid(&path.field("values"), Value::Array(values.to_vec()), text);
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => errors.invalid(&path.field("operator"), other, "not a valid selector operator"),
    }
}

/// The scopes of a quota are for good.
pub(super) fn quota_changed(live: &Object, object: &Object, errors: &mut Errors) {
    let empty = Value::Null;
    let (before, now) =
        (live.at(&["spec"]).unwrap_or(&empty), object.at(&["spec"]).unwrap_or(&empty));
    let list = |spec: &Value| super::read::list(spec, "scopes").to_vec();
    let is_within = |a: &[Value], b: &[Value]| a.iter().all(|scope| b.contains(scope));
    let (old, new) = (list(before), list(now));
    if !is_within(&old, &new) || !is_within(&new, &old) {
        let value = now["scopes"].clone();
        errors.invalid(&SPEC.field("scopes"), value, "field is immutable");
    }
}
