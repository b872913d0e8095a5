//! What an object becomes by a stage: its next status, and what is created with it. Pure.

use super::stage::{Becomes, Secret};
use crate::base::{Time, duration};
use crate::object::field_path::{FieldPath, FieldStep};
use crate::object::{Map, Object, Value, json};

/// What the status of a kind can say, as far as it is known from its definition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// It has `observedGeneration`.
    pub(super) observed: bool,
    /// So have its conditions.
    pub(super) conditions_observed: bool,
}

/// The status that the object is to have; `None` where it has it.
pub(super) fn status(object: &Object, to: &Becomes, shape: Shape, now: Time) -> Option<Value> {
    let before = object.at(&["status"]).cloned().unwrap_or_else(|| json!({}));
    let mut after = Object(object.0.clone());
    after.set(&["status"], before.clone());
    let is_clock = |value: &Value| value.as_str().is_some_and(|text| text.contains("{now"));
    for (path, value) in to.set.iter().filter(|(_, value)| !is_clock(value)) {
        put(&mut after.0, &path.0, filled(value, object, now));
    }
    for condition in &to.conditions {
        let mut new = json!({
            "type": condition.kind,
            "status": condition.status,
            "message": filled_text(&condition.message, object, now),
        });
        if !condition.reason.is_empty() {
            new["reason"] = condition.reason.as_str().into();
        }
        if shape.conditions_observed {
            new["observedGeneration"] = object.generation().into();
        }
        upsert(&mut after, new, now);
    }
    if shape.observed {
        after.set(&["status", "observedGeneration"], object.generation().into());
    }
    let is_same = after.at(&["status"]) == Some(&before) && object.at(&["status"]).is_some();
    let lacks = |path: &FieldPath| lookup(&Value::Object(object.0.clone()), &path.0).is_none();
    let mut clocks = to.set.iter().filter(|(_, value)| is_clock(value));
    if is_same && !clocks.clone().any(|(path, _)| lacks(path)) {
        return None;
    }
    // What tells the time is told anew with whatever else changes, and is no change by itself.
    for (path, value) in clocks.by_ref() {
        put(&mut after.0, &path.0, filled(value, object, now));
    }
    after.at(&["status"]).cloned()
}

/// Puts a condition in the place of the one of its type; its time moves with its status.
fn upsert(object: &mut Object, mut new: Value, now: Time) {
    let mut conditions = object.list(&["status", "conditions"]).to_vec();
    let old = conditions.iter_mut().find(|old| old["type"] == new["type"]);
    let since = old.as_ref().filter(|old| old["status"] == new["status"]);
    let since = since.and_then(|old| old.get("lastTransitionTime")).cloned();
    new["lastTransitionTime"] = since.unwrap_or_else(|| now.rfc3339().into());
    match old {
        Some(old) => *old = new,
        None => conditions.push(new),
    }
    object.set(&["status", "conditions"], conditions.into());
}

/// The objects that are created with it, in its namespace unless they say another.
pub(super) fn created(object: &Object, to: &Becomes, now: Time) -> Vec<Object> {
    let secret = to.secret.as_ref().map(|secret| secret_of(object, secret, now));
    let others = to.create.iter().map(|value| filled(value, object, now));
    let placed = |value: Value| {
        let mut made = Object::from_value(value).unwrap_or_default();
        if made.namespace().is_empty() && !object.namespace().is_empty() {
            made.set(&["metadata", "namespace"], object.namespace().into());
        }
        made
    };
    secret.into_iter().chain(others).map(placed).collect()
}

fn secret_of(object: &Object, secret: &Secret, now: Time) -> Value {
    let whole = Value::Object(object.0.clone());
    let mut keys = secret.keys.clone();
    if let Some(path) = &secret.keys_of {
        let map = lookup(&whole, &path.0).and_then(Value::as_object);
        keys.extend(map.into_iter().flatten().map(|(key, _)| key.to_string()));
    }
    if let Some((path, field)) = &secret.key_of_each {
        let items = lookup(&whole, &path.0).and_then(Value::as_array);
        let key = |item: &Value| item.get(field).and_then(Value::as_str).map(ToOwned::to_owned);
        keys.extend(items.into_iter().flatten().filter_map(key));
    }
    let text = format!("of {} {}", object.kind(), object.name());
    let data: Map = keys.into_iter().map(|key| (key, text.clone().into())).collect();
    let mut made = json!({"apiVersion": "v1", "kind": "Secret", "type": secret.kind,
        "metadata": {"name": filled_text(&secret.name, object, now)}, "stringData": data});
    if secret.owned {
        made["metadata"]["ownerReferences"] = json!([{"apiVersion": object.api_version(),
            "kind": object.kind(), "name": object.name(), "uid": object.uid(),
            "controller": true, "blockOwnerDeletion": true}]);
    }
    made
}

/// A value with the fields that its texts name in braces.
fn filled(value: &Value, object: &Object, now: Time) -> Value {
    match value {
        Value::String(text) => {
            // A text that is one name is the field itself, of whatever type.
            let name = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            match name.filter(|name| !name.contains(['{', '}']) && !name.starts_with("now")) {
                Some(name) => field(name, object),
                None => filled_text(text, object, now).into(),
            }
        }
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), filled(value, object, now))).collect()
        }
        Value::Array(list) => list.iter().map(|value| filled(value, object, now)).collect(),
        other => other.clone(),
    }
}

fn filled_text(text: &str, object: &Object, now: Time) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('{') {
        let Some((name, after)) = tail.split_once('}') else { break };
        out.push_str(head);
        if let Some(later) = name.strip_prefix("now") {
            let span = later.strip_prefix('+').and_then(duration::parse).unwrap_or_default();
            out.push_str(&(now + span).rfc3339());
        } else {
            match field(name, object) {
                Value::String(text) => out.push_str(&text),
                Value::Null => {}
                other => out.push_str(&other.to_string()),
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The first of some fields that is there (`spec.target.name|metadata.name`); the last may be a
/// number (`spec.replicas|1`).
fn field(name: &str, object: &Object) -> Value {
    let whole = Value::Object(object.0.clone());
    let mut found = name.split('|').filter_map(|name| match name.parse::<i64>() {
        Ok(number) => Some(number.into()),
        Err(_) => lookup(&whole, &crate::object::field_path::parse(name)?.0).cloned(),
    });
    found.next().unwrap_or(Value::Null)
}

fn lookup<'a>(value: &'a Value, path: &[FieldStep]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, step| match step {
        FieldStep::Key(key) => value.get(key),
        FieldStep::Index(index) => value.get(*index),
        FieldStep::Item { key, value: wanted } => {
            let mut items = value.as_array()?.iter();
            items.find(|item| item.get(key).and_then(Value::as_str) == Some(wanted))
        }
    })
}

/// Puts a value at a path of keys; items of lists are found, and made where they are named.
fn put(map: &mut Map, path: &[FieldStep], value: Value) {
    let Some((FieldStep::Key(first), rest)) = path.split_first() else { return };
    let mut slot = map.entry(first.clone()).or_insert(Value::Null);
    for step in rest {
        slot = match step {
            FieldStep::Key(key) => {
                if !slot.is_object() {
                    *slot = json!({});
                }
                let Value::Object(map) = slot else { return };
                map.entry(key.clone()).or_insert(Value::Null)
            }
            FieldStep::Index(_) | FieldStep::Item { .. } => {
                if !slot.is_array() {
                    *slot = json!([]);
                }
                let Value::Array(list) = slot else { return };
                let at = match step {
                    FieldStep::Item { key, value } => {
                        let is_it =
                            |item: &Value| item.get(key).and_then(Value::as_str) == Some(value);
                        list.iter().position(is_it).unwrap_or_else(|| {
                            list.push(Value::from_iter([(key.as_str(), value.as_str())]));
                            list.len() - 1
                        })
                    }
                    FieldStep::Index(index) if *index < list.len() => *index,
                    _ => {
                        list.push(Value::Null);
                        list.len() - 1
                    }
                };
                &mut list[at]
            }
        };
    }
    *slot = value;
}
