//! A value in the form that the server would print it in after decoding it into a Go type: nulls,
//! unknown fields and unset zeros gone, structs that are always there in place, quantities and
//! times in their one spelling.
//!
//! Ownership is computed on objects in this form (R-SSA-25), so the REST layer brings every object
//! of a built-in kind into it, before and after defaulting. Not here: defaults (`sim::rest`);
//! custom resources, which have no Go type and keep what their schema lets through (`sim::crd`).

use std::sync::{LazyLock, OnceLock};

use super::{Field, Format, ListType, MapType, Presence, Scalar, Schema, Type, TypeId, builtin};
use crate::base::Time;
use crate::object::quantity::Quantity;
use crate::object::{Map, Object, Value};

/// Brings a value of a built-in type into the printed form. What does not fit its type stays as it
/// is: check first.
pub fn print(schema: &Schema, ty: TypeId, value: &mut Value) {
    if let Some(printed) = printed(schema, ty, value, None) {
        *value = printed;
    }
}

/// Brings a whole object of a built-in kind into the printed form.
pub fn print_object(schema: &Schema, ty: TypeId, object: &mut Object) {
    print_object_over(schema, ty, object, None);
}

/// The same of an object that is written over `live`, which is in that form: so is whatever is as
/// it is there.
pub fn print_object_over(schema: &Schema, ty: TypeId, object: &mut Object, live: Option<&Object>) {
    let form = schema.ty(ty).map.as_ref();
    let live = live.map(|live| &live.0);
    let printed = form.and_then(|form| printed_map(schema, form, &object.0, live));
    if let Some(printed) = printed {
        object.0 = printed;
    }
}

/// Turns empty lists and maps that are always printed into null, as they come back from storage,
/// whose encoding does not tell empty from unset. For a whole object in printed form, after its
/// managed fields were computed; what is as it is in `live` came back from there already.
pub fn store_object(schema: &Schema, ty: TypeId, object: &mut Object, live: Option<&Object>) {
    let form = schema.ty(ty).map.as_ref();
    let live = live.map(|live| &live.0);
    if let Some(stored) = form.and_then(|form| stored_map(schema, form, &object.0, live)) {
        object.0 = stored;
    }
}

/// The form of a map that comes back from storage; `None` if it is that already.
fn stored_map(schema: &Schema, form: &MapType, map: &Map, live: Option<&Map>) -> Option<Map> {
    let mut out = None;
    for (key, value) in map {
        if !matches!(value, Value::Array(_) | Value::Object(_)) {
            continue;
        }
        let Some(field) = form.fields.of_key(key) else { continue };
        let live = live.and_then(|live| live.get_key(key));
        if live == Some(value) {
            continue;
        }
        let ty = schema.ty(field.ty);
        let stored = if field.presence == Presence::Nullable && is_zero(ty, value) {
            Some(Value::Null)
        } else {
            stored(schema, ty, value, live)
        };
        if let Some(stored) = stored {
            out.get_or_insert_with(|| map.clone()).insert(key.clone(), stored);
        }
    }
    out
}

fn stored(schema: &Schema, ty: &Type, value: &Value, live: Option<&Value>) -> Option<Value> {
    match value {
        Value::Object(map) => {
            let live = live.and_then(Value::as_object);
            stored_map(schema, ty.map.as_ref()?, map, live).map(Value::Object)
        }
        Value::Array(list) => {
            let form = schema.ty(ty.list.as_ref()?.item).map.as_ref()?;
            let live = live.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let mut out = None;
            for (at, item) in list.iter().enumerate() {
                let Value::Object(item) = item else { continue };
                let live = live.get(at).and_then(Value::as_object);
                if let Some(stored) = stored_map(schema, form, item, live) {
                    out.get_or_insert_with(|| list.clone())[at] = Value::Object(stored);
                }
            }
            out.map(Value::Array)
        }
        _ => None,
    }
}

/// The object of a kind with nothing set: what a write that creates is compared with.
#[must_use]
pub fn empty(schema: &Schema, ty: TypeId) -> Object {
    let make = || {
        let mut object = Object::default();
        print_object(schema, ty, &mut object);
        object
    };
    // Each of those of the one schema that does not change is made once.
    static KNOWN: LazyLock<Vec<OnceLock<Object>>> =
        LazyLock::new(|| vec![OnceLock::new(); builtin().types.len()]);
    if !std::ptr::eq(schema, builtin()) {
        return make();
    }
    KNOWN.get(ty.0 as usize).map_or_else(make, |known| known.get_or_init(make).clone())
}

type Fields = Map;

/// The printed form of a value; `None` if it is that already, as most of what is written is.
/// `live`, here and below, is what stands in its place in an object in printed form, if anything.
fn printed(schema: &Schema, ty: TypeId, value: &Value, live: Option<&Value>) -> Option<Value> {
    let ty = schema.ty(ty);
    match value {
        Value::Object(map) => {
            let live = live.and_then(Value::as_object);
            printed_map(schema, ty.map.as_ref()?, map, live).map(Value::Object)
        }
        Value::Array(list) => {
            let live = live.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            printed_list(schema, ty.list.as_ref()?, list, live).map(Value::Array)
        }
        scalar => printed_scalar(ty, scalar),
    }
}

fn printed_map(
    schema: &Schema,
    form: &MapType,
    map: &Fields,
    live: Option<&Fields>,
) -> Option<Fields> {
    if !form.fields.is_empty() {
        return printed_fields(schema, form, map, live);
    }
    let item = form.item.filter(|item| *item != TypeId::DEDUCED)?;
    let mut out = None;
    for (key, value) in map {
        let live = live.and_then(|live| live.get_key(key));
        if live == Some(value) {
            continue;
        }
        if let Some(value) = printed_item(schema, item, value, live) {
            out.get_or_insert_with(|| map.clone()).insert(key.clone(), value);
        }
    }
    out
}

/// The printed form of a struct's fields.
fn printed_fields(
    schema: &Schema,
    form: &MapType,
    map: &Fields,
    live: Option<&Fields>,
) -> Option<Fields> {
    let always = form.fields.always();
    let unset: Vec<_> = always.filter(|(key, _)| map.get_key(key).is_none()).collect();
    let more = unset.len();
    let begun = || map.with_room(more);
    let mut out = None;
    for (key, value) in map {
        let live = live.and_then(|live| live.get_key(key));
        if live == Some(value) {
            continue;
        }
        let change = match form.fields.of_key(key) {
            Some(field) => printed_field(schema, field, value, live),
            None if form.item.is_some() => continue,
            None => Change::Goes,
        };
        if let Change::None = change {
            continue;
        }
        let out = out.get_or_insert_with(begun);
        match change {
            Change::Is(value) => drop(out.insert(key.clone(), value)),
            Change::None | Change::Goes => drop(out.remove(key)),
        }
    }
    for (key, field) in unset {
        out.get_or_insert_with(begun).insert(key, print_unset(schema, field));
    }
    out
}

/// What the printed form changes of a field.
enum Change {
    None,
    Goes,
    Is(Value),
}

fn printed_field(schema: &Schema, field: &Field, value: &Value, live: Option<&Value>) -> Change {
    if value.is_null() {
        return match (field.presence, print_unset(schema, field)) {
            (Presence::Pointer | Presence::Value, _) => Change::Goes,
            (_, Value::Null) => Change::None,
            (_, unset) => Change::Is(unset),
        };
    }
    let printed = printed(schema, field.ty, value, live);
    // An empty list of managed fields is an order to forget them (R-SSA-28).
    if field.presence == Presence::Value
        && is_zero(schema.ty(field.ty), printed.as_ref().unwrap_or(value))
        && field.name != "managedFields"
    {
        return Change::Goes;
    }
    printed.map_or(Change::None, Change::Is)
}

fn print_unset(schema: &Schema, field: &Field) -> Value {
    match field.presence {
        Presence::Always => zero(schema, field.ty),
        Presence::Nullable | Presence::Pointer | Presence::Value => Value::Null,
    }
}

fn printed_list(
    schema: &Schema,
    form: &ListType,
    list: &[Value],
    live: &[Value],
) -> Option<Vec<Value>> {
    if form.item == TypeId::UNTYPED_ATOMIC {
        return None;
    }
    let mut out = None;
    for (at, item) in list.iter().enumerate() {
        let live = live.get(at);
        if live == Some(item) {
            continue;
        }
        if let Some(item) = printed_item(schema, form.item, item, live) {
            out.get_or_insert_with(|| list.to_vec())[at] = item;
        }
    }
    out
}

fn printed_item(schema: &Schema, ty: TypeId, item: &Value, live: Option<&Value>) -> Option<Value> {
    if item.is_null() {
        return Some(zero(schema, ty)).filter(|zero| !zero.is_null());
    }
    printed(schema, ty, item, live)
}

fn printed_scalar(ty: &Type, value: &Value) -> Option<Value> {
    let text = match (ty.format, value) {
        (Format::DateTime, Value::String(text)) if is_plain_time(text) => return None,
        (Format::Quantity, Value::String(text)) => Quantity::parse(text).ok()?.to_string(),
        (Format::Quantity, Value::Number(number)) => {
            Quantity::parse(&number.to_string()).ok()?.to_string()
        }
        (Format::DateTime, Value::String(text)) => Time::parse_rfc3339(text)?.rfc3339(),
        (Format::MicroTime, Value::String(text)) => Time::parse_rfc3339(text)?.rfc3339_micro(),
        _ => return None,
    };
    (value != &text).then(|| text.into())
}

/// Whether a text is surely a time, and in the one spelling that times without fractions have:
/// `2026-01-31T12:00:00Z`. The last days of a month are not sure.
pub(super) fn is_plain_time(text: &str) -> bool {
    let number = |at: std::ops::Range<usize>| -> Option<u32> {
        let digits = text.as_bytes().get(at)?;
        digits.iter().try_fold(0, |n, d| d.is_ascii_digit().then(|| n * 10 + u32::from(d - b'0')))
    };
    let within = |at: usize, least: u32, most: u32| {
        number(at..at + 2).is_some_and(|n| (least..=most).contains(&n))
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    text.len() == 20
        && marks.iter().all(|(at, mark)| text.as_bytes()[*at] == *mark)
        && number(0..4).is_some_and(|year| year > 0)
        && within(5, 1, 12)
        && within(8, 1, 28)
        && within(11, 0, 23)
        && within(14, 0, 59)
        && within(17, 0, 59)
}

/// What a Go value of this type prints as when nothing was set.
fn zero(schema: &Schema, ty: TypeId) -> Value {
    let form = schema.ty(ty);
    match (form.format, form.scalar, &form.map) {
        (Format::IntOrString, ..) => 0.into(),
        (Format::Quantity, ..) => "0".into(),
        (Format::DateTime | Format::MicroTime, ..) => Value::Null,
        (_, Some(Scalar::String), _) => "".into(),
        (_, Some(Scalar::Number), _) => 0.into(),
        (_, Some(Scalar::Boolean), _) => false.into(),
        (_, None, Some(map)) if !map.fields.is_empty() => empty(schema, ty).into_value(),
        _ => Value::Null,
    }
}

fn is_zero(ty: &Type, value: &Value) -> bool {
    match value {
        // A struct that may be left out when zero is a time, which is a scalar in JSON.
        Value::Object(map) => {
            map.is_empty() && ty.map.as_ref().is_some_and(|m| m.fields.is_empty())
        }
        other => other.is_zero(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn check(group: &str, kind: &str, mut value: Value, expect: &Value) {
        let ty = builtin().kind(group, "v1", kind).unwrap().ty;
        print(builtin(), ty, &mut value);
        assert_eq!(&value, expect);
    }

    #[test]
    fn unset_zeros_go_and_structs_stay() {
        check(
            "apps",
            "Deployment",
            json!({"metadata": {"creationTimestamp": null, "labels": {}}, "spec": {"replicas": 0,
                "paused": false, "template": {"spec": {"hostNetwork": false, "x": 1, "containers":
                [{"name": "a", "resources": {"limits": {"cpu": "1000m", "memory": 1024}}}]}}}}),
            &json!({"metadata": {}, "spec": {"replicas": 0, "selector": null, "strategy": {},
                "template": {"metadata": {}, "spec": {"containers":
                [{"name": "a", "resources": {"limits": {"cpu": "1", "memory": "1024"}}}]}}},
                "status": {}}),
        );
    }

    #[test]
    fn an_empty_list_that_is_always_printed_comes_back_as_null() {
        let ty = builtin().kind("rbac.authorization.k8s.io", "v1", "Role").unwrap().ty;
        let mut role = Object::from_value(json!({"metadata": {}, "rules": []})).unwrap();
        store_object(builtin(), ty, &mut role, None);
        assert_eq!(role.into_value(), json!({"metadata": {}, "rules": null}));
    }

    #[test]
    fn a_missing_target_port_is_zero_and_a_null_value_of_a_config_map_is_empty() {
        check(
            "",
            "Service",
            json!({"spec": {"ports": [{"port": 80}]}}),
            &json!({"metadata": {}, "spec": {"ports": [{"port": 80, "targetPort": 0}]},
                "status": {"loadBalancer": {}}}),
        );
        check(
            "",
            "ConfigMap",
            json!({"data": {"a": null}}),
            &json!({"metadata": {}, "data": {"a": ""}}),
        );
    }
}
