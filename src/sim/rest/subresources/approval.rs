//! `approval` of a CertificateSigningRequest: its conditions and nothing else, and those that
//! decide stay.

use crate::api::Cause;
use crate::base::Time;
use crate::object::{Object, Value};

/// Conditions that decide.
const FINAL: [&str; 3] = ["Approved", "Denied", "Failed"];

/// Takes only the conditions from a new state, and notes when they came.
pub(super) fn narrow(now: Time, live: &Object, object: &mut Object) {
    let path = ["status", "conditions"];
    let before = live.list(&path);
    let mut conditions = object.list(&path).to_vec();
    for condition in conditions.iter_mut().filter_map(Value::as_object_mut) {
        let old = before.iter().find(|old| Some(&old["type"]) == condition.get("type"));
        let is_same = old.is_some_and(|old| old["status"] == condition["status"]);
        for (field, keeps) in [("lastUpdateTime", false), ("lastTransitionTime", is_same)] {
            let known = old.and_then(|old| old.get(field)).filter(|_| keeps).cloned();
            if !condition.get(field).is_some_and(Value::is_string) {
                let time = known.unwrap_or_else(|| now.rfc3339().into());
                condition.insert(field.to_owned(), time);
            }
        }
    }
    for part in ["spec", "status"] {
        if let Some(value) = live.at(&[part]) {
            object.set(&[part], value.clone());
        }
    }
    if !conditions.is_empty() {
        object.set(&path, Value::Array(conditions));
    }
}

/// What a new state takes back that was decided.
pub(super) fn faults(live: &Object, object: &Object) -> Vec<Cause> {
    let has = |object: &Object, kind: &str| object.condition(kind).is_some();
    let removed = FINAL.into_iter().filter(|kind| has(live, kind) && !has(object, kind));
    let causes = removed.map(|kind| Cause {
        reason: "FieldValueForbidden".to_owned(),
        message: format!("Forbidden: updates may not remove a condition of type {kind:?}"),
        field: "status.conditions".to_owned(),
    });
    causes.collect()
}
