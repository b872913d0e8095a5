//! A value in the form that the server would print it in after decoding it into a Go type: nulls,
//! unknown fields and unset zeros gone, structs that are always there in place, quantities and
//! times in their one spelling.
//!
//! Ownership is computed on objects in this form (R-SSA-25), so the REST layer brings every object
//! of a built-in kind into it, before and after defaulting. Not here: defaults (`sim::rest`);
//! custom resources, which have no Go type and keep what their schema lets through (`sim::crd`).

use super::{Field, Format, ListType, MapType, Presence, Scalar, Schema, Type, TypeId};
use crate::base::Time;
use crate::object::quantity::Quantity;
use crate::object::{Map, Object, Value};

/// Brings a value of a built-in type into the printed form. What does not fit its type stays as it
/// is: check first.
pub fn print(schema: &Schema, ty: TypeId, value: &mut Value) {
    let ty = schema.ty(ty);
    match value {
        Value::Object(map) => {
            if let Some(form) = &ty.map {
                print_map(schema, form, map);
            }
        }
        Value::Array(list) => {
            if let Some(form) = &ty.list {
                print_list(schema, form, list);
            }
        }
        scalar => print_scalar(ty, scalar),
    }
}

/// Brings a whole object of a built-in kind into the printed form.
pub fn print_object(schema: &Schema, ty: TypeId, object: &mut Object) {
    print_object_but(schema, ty, object, &[]);
}

/// The same of an object whose fields `settled` are in that form already.
pub fn print_object_but(schema: &Schema, ty: TypeId, object: &mut Object, settled: &[&str]) {
    match &schema.ty(ty).map {
        Some(form) if form.fields.is_empty() => print_map(schema, form, &mut object.0),
        Some(form) => print_fields(schema, form, &mut object.0, settled),
        None => {}
    }
}

/// Turns empty lists and maps that are always printed into null, as they come back from storage,
/// whose encoding does not tell empty from unset. For a whole object in printed form, after its
/// managed fields were computed.
pub fn store_object(schema: &Schema, ty: TypeId, object: &mut Object) {
    if let Some(form) = &schema.ty(ty).map {
        store_map(schema, form, &mut object.0);
    }
}

fn store_map(schema: &Schema, form: &MapType, map: &mut Map<String, Value>) {
    for (key, value) in map.iter_mut() {
        let Some(field) = form.field(key) else { continue };
        let ty = schema.ty(field.ty);
        if field.presence == Presence::Nullable && is_zero(ty, value) {
            *value = Value::Null;
            continue;
        }
        match (value, &ty.map, &ty.list) {
            (Value::Object(map), Some(form), _) => store_map(schema, form, map),
            (Value::Array(list), _, Some(form)) => {
                let Some(form) = &schema.ty(form.item).map else { continue };
                let items = list.iter_mut().filter_map(Value::as_object_mut);
                items.for_each(|item| store_map(schema, form, item));
            }
            _ => {}
        }
    }
}

/// The object of a kind with nothing set: what a write that creates is compared with.
#[must_use]
pub fn empty(schema: &Schema, ty: TypeId) -> Object {
    let mut object = Object::default();
    print_object(schema, ty, &mut object);
    object
}

fn print_map(schema: &Schema, form: &MapType, map: &mut Map<String, Value>) {
    if form.fields.is_empty() {
        if let Some(item) = form.item.filter(|item| *item != TypeId::DEDUCED) {
            for value in map.values_mut() {
                print_item(schema, item, value);
            }
        }
        return;
    }
    print_fields(schema, form, map, &[]);
}

/// Brings the fields of a struct into the printed form, but for those in `settled`.
fn print_fields(schema: &Schema, form: &MapType, map: &mut Map<String, Value>, settled: &[&str]) {
    let mut gone = Vec::new();
    for (at, (key, value)) in map.iter_mut().enumerate() {
        let stays = match form.field(key) {
            _ if settled.contains(&key.as_str()) => true,
            Some(field) => print_field(schema, field, value),
            None => form.item.is_some(),
        };
        if !stays {
            gone.push(at);
        }
    }
    if !gone.is_empty() {
        let mut places = 0..;
        map.retain(|_, _| places.next().is_none_or(|at| gone.binary_search(&at).is_err()));
    }
    for field in &form.fields {
        let unset = match field.presence {
            Presence::Pointer | Presence::Value => continue,
            Presence::Always | Presence::Nullable => !map.contains_key(&*field.name),
        };
        if unset {
            map.insert(field.name.to_string(), print_unset(schema, field));
        }
    }
}

/// Brings the value of a field into the printed form; whether it stays there.
fn print_field(schema: &Schema, field: &Field, value: &mut Value) -> bool {
    if value.is_null() {
        *value = print_unset(schema, field);
        return matches!(field.presence, Presence::Always | Presence::Nullable);
    }
    print(schema, field.ty, value);
    // An empty list of managed fields is an order to forget them (R-SSA-28).
    field.presence != Presence::Value
        || !is_zero(schema.ty(field.ty), value)
        || field.name == "managedFields"
}

fn print_unset(schema: &Schema, field: &Field) -> Value {
    match field.presence {
        Presence::Always => zero(schema, field.ty),
        Presence::Nullable | Presence::Pointer | Presence::Value => Value::Null,
    }
}

fn print_list(schema: &Schema, form: &ListType, list: &mut [Value]) {
    if form.item != TypeId::UNTYPED_ATOMIC {
        list.iter_mut().for_each(|item| print_item(schema, form.item, item));
    }
}

fn print_item(schema: &Schema, ty: TypeId, item: &mut Value) {
    if item.is_null() {
        *item = zero(schema, ty);
    } else {
        print(schema, ty, item);
    }
}

fn print_scalar(ty: &Type, value: &mut Value) {
    match (ty.format, &*value) {
        (Format::Quantity, Value::String(text)) => {
            if let Ok(quantity) = Quantity::parse(text) {
                *value = quantity.to_string().into();
            }
        }
        (Format::DateTime, Value::String(text)) if is_plain_time(text) => {}
        (Format::Quantity, Value::Number(number)) => {
            if let Ok(quantity) = Quantity::parse(&number.to_string()) {
                *value = quantity.to_string().into();
            }
        }
        (Format::DateTime, Value::String(text)) => {
            if let Some(time) = Time::parse_rfc3339(text) {
                *value = time.rfc3339().into();
            }
        }
        (Format::MicroTime, Value::String(text)) => {
            if let Some(time) = Time::parse_rfc3339(text) {
                *value = time.rfc3339_micro().into();
            }
        }
        _ => {}
    }
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
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        // A struct that may be left out when zero is a time, which is a scalar in JSON.
        Value::Object(map) => {
            map.is_empty() && ty.map.as_ref().is_some_and(|m| m.fields.is_empty())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::builtin;
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
        store_object(builtin(), ty, &mut role);
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
