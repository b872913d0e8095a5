//! What of a pod may change (R-VAL-06).
//!
//! Not here: whether the new state is right by itself (`pods`).

use super::errors::{Errors, Path};
use super::read::{given, int, list, text};
use super::{pods, selectors};
use crate::object::{Map, Object, Value};

const SPEC: Path = Path::Printed("spec");

const UPDATABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// A new state of `live`. Upstream's message goes on with a printed difference of its Go structs,
/// which is left out here.
pub(super) fn update(live: &Object, pod: &Object, errors: &mut Errors) {
    pods::create(pod, false, errors);
    let empty = Value::Null;
    let (before, now) = (live.at(&["spec"]).unwrap_or(&empty), pod.at(&["spec"]).unwrap_or(&empty));
    for kind in ["containers", "initContainers"] {
        if list(before, kind).len() != list(now, kind).len() {
            let text = "pod updates may not add or remove containers";
            errors.forbidden(&SPEC.field(kind), text);
            return;
        }
    }
    if !deadline(before, now, errors) {
        return;
    }
    tolerations(before, now, errors);
    gates(before, now, errors);
    let mut compared = munged(now, before);
    if !list(before, "schedulingGates").is_empty() {
        gated(before, &mut compared, errors);
    }
    if munged(before, before) != compared {
        let text = format!("pod updates may not change fields other than {UPDATABLE}\n");
        errors.forbidden(&SPEC, &text);
    }
}

/// A deadline may be set, and then only come nearer. Says whether anything else is looked at.
fn deadline(before: &Value, now: &Value, errors: &mut Errors) -> bool {
    let field = "activeDeadlineSeconds";
    let path = SPEC.field(field);
    match (int(before, field), int(now, field)) {
        (_, Some(new)) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            errors.invalid(&path, new, "must be between 0 and 2147483647, inclusive");
            false
        }
        (Some(old), Some(new)) if new > old => {
            errors.invalid(&path, new, "must be less than or equal to previous value");
            false
        }
        (Some(_), None) => {
            let text = "must not update from a positive integer to nil value";
            errors.invalid(&path, Value::Null, text);
            true
        }
        _ => true,
    }
}

/// Tolerations may be added; of one that is there its seconds may change.
fn tolerations(before: &Value, now: &Value, errors: &mut Errors) {
    let without_time = |toleration: &Value| {
        let mut fields = toleration.as_object().cloned().unwrap_or_default();
        fields.remove("tolerationSeconds");
        fields
    };
    let path = SPEC.field("tolerations");
    let new: Vec<Map> = list(now, "tolerations").iter().map(without_time).collect();
    if list(before, "tolerations").iter().any(|old| !new.contains(&without_time(old))) {
        let text = "existing toleration can not be modified except its tolerationSeconds";
        errors.forbidden(&path, text);
        return;
    }
    selectors::tolerations(list(now, "tolerations"), &path, errors);
}

/// Gates may only go.
fn gates(before: &Value, now: &Value, errors: &mut Errors) {
    let gates = SPEC.field("schedulingGates");
    let known: Vec<&str> =
        list(before, "schedulingGates").iter().map(|g| text(g, "name")).collect();
    for (i, gate) in list(now, "schedulingGates").iter().enumerate() {
        let name = text(gate, "name");
        if !known.contains(&name) {
            let text = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            errors.forbidden(&gates.index(i).field("name"), &text);
        }
    }
}

/// Where a pod that is held back by a gate may run can be narrowed; what was narrowed rightly is
/// taken from `before` in `now`.
fn gated(before: &Value, now: &mut Value, errors: &mut Errors) {
    let (old, new) = (&before["nodeSelector"], &now["nodeSelector"]);
    if old != new {
        let kept =
            |(key, value): (&crate::object::Key, &Value)| new.get(key.as_str()) == Some(value);
        if !old.as_object().into_iter().flatten().all(kept) {
            let text =
                "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
            errors.invalid(&SPEC.field("nodeSelector"), new.clone(), text);
        }
        put(now, "nodeSelector", old);
    }
    let (old, new) = (&before["affinity"]["nodeAffinity"], &now["affinity"]["nodeAffinity"]);
    if old == new {
        return;
    }
    node_affinity(old, new, errors);
    let mut affinity = now["affinity"].as_object().cloned().unwrap_or_default();
    match old {
        Value::Null => drop(affinity.remove("nodeAffinity")),
        old => drop(affinity.insert("nodeAffinity".to_owned(), old.clone())),
    }
    let affinity = Value::Object(affinity);
    let none = before["affinity"].is_null() && affinity == Value::Object(Map::new());
    put(now, "affinity", if none { &Value::Null } else { &affinity });
}

fn put(owner: &mut Value, field: &str, value: &Value) {
    let Some(fields) = owner.as_object_mut() else { return };
    match value {
        Value::Null => drop(fields.remove(field)),
        value => drop(fields.insert(field.to_owned(), value.clone())),
    }
}

/// Terms that are there stay as many, and each may only ask for more.
fn node_affinity(old: &Value, new: &Value, errors: &mut Errors) {
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let terms = |affinity: &Value| list(&affinity[required], "nodeSelectorTerms").to_vec();
    let (old, new) = (terms(old), terms(new));
    if old.is_empty() {
        return;
    }
    let affinity = SPEC.field("affinity");
    let affinity = affinity.field("nodeAffinity");
    let path = affinity.field(required);
    let path = path.field("nodeSelectorTerms");
    if old.len() != new.len() {
        let text = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        errors.invalid_as(&path, &selectors::node_terms_shown(&new), text);
        return;
    }
    for (i, (old, new)) in old.iter().zip(&new).enumerate() {
        if !adds_only(old, new) {
            let text = "only additions are allowed (no mutations or deletions)";
            errors.invalid_as(&path.index(i), &selectors::node_term_shown(new), text);
        }
    }
}

fn adds_only(old: &Value, new: &Value) -> bool {
    let fields = ["matchExpressions", "matchFields"];
    let is_empty = |term: &Value| fields.iter().all(|field| list(term, field).is_empty());
    if is_empty(old) && !is_empty(new) {
        return false;
    }
    fields.iter().all(|field| list(new, field).starts_with(list(old, field)))
}

/// A pod spec with what may change taken from `live`.
fn munged(spec: &Value, live: &Value) -> Value {
    let mut spec = spec.clone();
    for kind in ["containers", "initContainers"] {
        let images = list(live, kind).iter().map(|c| c["image"].clone()).collect::<Vec<_>>();
        let containers = spec.get_mut(kind).and_then(Value::as_array_mut).into_iter().flatten();
        for (container, image) in containers.zip(images) {
            container["image"] = image;
        }
    }
    let grace = "terminationGracePeriodSeconds";
    let is_mended = int(live, grace).is_some_and(|s| s < 0) && int(&spec, grace) == Some(1);
    let Some(fields) = spec.as_object_mut() else { return spec };
    let fixed = if is_mended { Some(grace) } else { None };
    for field in
        ["activeDeadlineSeconds", "schedulingGates", "tolerations"].into_iter().chain(fixed)
    {
        match given(live, field) {
            Some(value) => drop(fields.insert(field.to_owned(), value.clone())),
            None => drop(fields.remove(field)),
        }
    }
    spec
}
