//! Brings an object into the form that its schema lets through: unknown fields go, nulls that may
//! not be go, metadata is read as every object's metadata, defaults are filled in (R-CRD-08,
//! R-CRD-09).
//!
//! Not here: what is wrong with the values (`validate`).

use crate::object::schema::node::{Additional, Node};
use crate::object::schema::{self, Mode, ProblemKind, TypeId, check, form};
use crate::object::{Map, Object, Value};

const OWN: [&str; 3] = ["apiVersion", "kind", "metadata"];

type Fields = Map;

/// Decodes an object as a request carries it: prunes and coerces it. Gives back the paths of the
/// fields that the schema does not have, in the order in which they are told.
///
/// # Errors
/// The decoder's words, where metadata is none.
pub fn decode(root: &Node, object: &mut Object) -> Result<Vec<String>, String> {
    let mut unknown = Vec::new();
    for key in ["kind", "apiVersion"] {
        if let Some(value) = object.0.get(key).filter(|value| !value.is_string()) {
            return Err(format!(
                ".{key} accessor error: {} is of the type {}, expected string",
                crate::object::go::plain(value),
                crate::object::go::type_name(value)
            ));
        }
    }
    whole_numbers(&mut object.0);
    let mut metadata = object.0.remove("metadata");
    if let Some(metadata) = &mut metadata {
        unknown.extend(coerce_metadata("metadata", metadata)?);
    }
    let mut pruner = Pruner { unknown: Vec::new() };
    pruner.resource(root, &mut object.0);
    pruner.unknown.sort();
    unknown.append(&mut pruner.unknown);
    drop_nulls(root, &mut object.0);
    let mut embedded = Vec::new();
    coerce_embedded(root, "", &mut object.0, &mut embedded)?;
    embedded.sort();
    unknown.append(&mut embedded);
    if let Some(metadata) = metadata {
        object.0.insert("metadata".to_owned(), metadata);
    }
    Ok(unknown)
}

/// Takes out the fields that the schema does not have, and does nothing else.
pub(super) fn prune(root: &Node, object: &mut Object) {
    let mut pruner = Pruner { unknown: Vec::new() };
    pruner.map(Some(root), false, "", &mut object.0);
}

/// Fills in defaults.
pub fn fill(root: &Node, object: &mut Object) {
    fill_map(root, &mut object.0);
}

/// What is stored of a float without a fraction reads back as an integer.
fn whole_numbers(map: &mut Fields) {
    map.values_mut().for_each(whole_number);
}

fn whole_number(value: &mut Value) {
    match value {
        Value::Object(map) => whole_numbers(map),
        Value::Array(list) => list.iter_mut().for_each(whole_number),
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or(0.5);
            // Up to here a float holds every integer.
            if float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0 {
                #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
                let whole = float as i64;
                *value = whole.into();
            }
        }
        _ => {}
    }
}

struct Pruner {
    unknown: Vec<String>,
}

impl Pruner {
    fn resource(&mut self, root: &Node, map: &mut Fields) {
        self.map(Some(root), true, "", map);
    }

    fn value(&mut self, node: Option<&Node>, path: &str, value: &mut Value) {
        match value {
            Value::Object(map) => self.map(node, node.is_some_and(|n| n.embedded), path, map),
            Value::Array(list) => {
                let items = node.and_then(|n| n.items.as_deref());
                for (at, item) in list.iter_mut().enumerate() {
                    let path = format!("{path}[{at}]");
                    match node {
                        // An open list's items are open, too.
                        Some(node) if node.preserve => self.open_value(items, &path, item),
                        _ => self.value(items, &path, item),
                    }
                }
            }
            _ => {}
        }
    }

    /// A value that keeps its unknown fields because what it is in does.
    fn open_value(&mut self, node: Option<&Node>, path: &str, value: &mut Value) {
        let Some(node) = node else { return };
        match value {
            Value::Object(map) => self.fields(node, node.embedded, path, map),
            Value::Array(list) => {
                for (at, item) in list.iter_mut().enumerate() {
                    self.open_value(node.items.as_deref(), &format!("{path}[{at}]"), item);
                }
            }
            _ => {}
        }
    }

    /// The fields of a map that have a schema.
    fn fields(&mut self, node: &Node, embedded: bool, path: &str, map: &mut Fields) {
        for (key, value) in map.iter_mut() {
            if embedded && OWN.contains(&key.as_str()) {
                continue;
            }
            let path = join(path, key);
            if let Some(property) = node.properties.get(key.as_str()) {
                self.value(Some(property), &path, value);
            } else {
                match &node.additional {
                    Additional::Schema(schema) => self.value(Some(schema), &path, value),
                    Additional::Allowed(_) => self.value(None, &path, value),
                    Additional::Unset => {}
                }
            }
        }
    }

    fn map(&mut self, node: Option<&Node>, embedded: bool, path: &str, map: &mut Fields) {
        if let Some(node) = node {
            self.fields(node, embedded, path, map);
            if node.preserve {
                return;
            }
        }
        map.retain(|key, _| {
            let known = node.is_some_and(|node| {
                (embedded && OWN.contains(&key.as_str()))
                    || node.properties.contains_key(key.as_str())
                    || node.additional != Additional::Unset
            });
            let is_own = path.is_empty() && OWN.contains(&key.as_str());
            if !known && !is_own {
                self.unknown.push(join(path, key));
            }
            known
        });
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Takes out nulls that may not be null and have no default that could stand in.
fn drop_nulls(node: &Node, map: &mut Fields) {
    map.retain(|key, value| {
        let below = node.below(key);
        !(value.is_null() && below.is_some_and(|n| !n.nullable && n.default.is_none()))
    });
    for (key, value) in map.iter_mut() {
        if let Some(below) = node.below(key) {
            drop_nulls_in(below, value);
        }
    }
}

fn drop_nulls_in(node: &Node, value: &mut Value) {
    match value {
        Value::Object(map) => drop_nulls(node, map),
        Value::Array(list) => {
            if let Some(items) = &node.items {
                list.iter_mut().for_each(|item| drop_nulls_in(items, item));
            }
        }
        _ => {}
    }
}

fn stands_in<'n>(node: &'n Node, value: Option<&Value>) -> Option<&'n Value> {
    let unset = value.is_none_or(|value| value.is_null() && !node.nullable);
    node.default.as_ref().filter(|_| unset)
}

fn fill_map(node: &Node, map: &mut Fields) {
    for (key, property) in &node.properties {
        if let Some(default) = stands_in(property, map.get(key)) {
            map.insert(key.clone(), default.clone());
        }
    }
    for (key, value) in map.iter_mut() {
        match (node.properties.get(key.as_str()), &node.additional) {
            (Some(property), _) => fill_value(property, value),
            (None, Additional::Schema(schema)) => {
                if let Some(default) = stands_in(schema, Some(value)) {
                    *value = default.clone();
                }
                fill_value(schema, value);
            }
            _ => {}
        }
    }
}

fn fill_value(node: &Node, value: &mut Value) {
    match value {
        Value::Object(map) => fill_map(node, map),
        Value::Array(list) => {
            let Some(items) = &node.items else { return };
            for item in list {
                if let Some(default) = stands_in(items, Some(item)) {
                    *item = default.clone();
                }
                fill_value(items, item);
            }
        }
        _ => {}
    }
}

/// The type of metadata.
fn metadata_type() -> TypeId {
    let schema = schema::builtin();
    let kind = schema.kind("", "v1", "ConfigMap");
    let map = kind.and_then(|kind| schema.ty(kind.ty).map.as_ref());
    map.and_then(|map| map.field("metadata")).map_or(TypeId::DEDUCED, |field| field.ty)
}

/// Reads metadata as its Go type and prints it again; gives back the unknown fields.
fn coerce_metadata(path: &str, metadata: &mut Value) -> Result<Vec<String>, String> {
    let ty = metadata_type();
    let problems = check(schema::builtin(), ty, metadata, Mode::Decode);
    if let Some(wrong) = problems.iter().find(|p| p.kind == ProblemKind::WrongType) {
        return Err(wrong.message.clone());
    }
    form::print(schema::builtin(), ty, metadata);
    if let Value::Object(map) = metadata {
        map.retain(|_, value| !value.is_null());
    } else if metadata.is_null() {
        *metadata = Value::Object(Map::new());
    }
    Ok(problems.into_iter().map(|p| format!("{path}.{}", p.path)).collect())
}

/// Reads the metadata of embedded objects.
fn coerce_embedded(
    node: &Node,
    path: &str,
    map: &mut Fields,
    unknown: &mut Vec<String>,
) -> Result<(), String> {
    for (key, value) in map.iter_mut() {
        let Some(below) = node.below(key) else { continue };
        coerce_embedded_in(below, &join(path, key), value, unknown)?;
    }
    Ok(())
}

fn coerce_embedded_in(
    node: &Node,
    path: &str,
    value: &mut Value,
    unknown: &mut Vec<String>,
) -> Result<(), String> {
    match value {
        Value::Object(map) => {
            if node.embedded {
                coerce_resource(path, map, unknown)?;
            }
            coerce_embedded(node, path, map, unknown)
        }
        Value::Array(list) => {
            let Some(items) = node.items.as_deref() else { return Ok(()) };
            for (at, item) in list.iter_mut().enumerate() {
                coerce_embedded_in(items, &format!("{path}[{at}]"), item, unknown)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn coerce_resource(path: &str, map: &mut Fields, unknown: &mut Vec<String>) -> Result<(), String> {
    for key in ["apiVersion", "kind"] {
        if let Some(value) = map.get(key).filter(|value| !value.is_string()) {
            return Err(format!("{path}.{key}: Invalid value: {value}: must be a string"));
        }
    }
    if let Some(metadata) = map.get_mut("metadata") {
        let before = metadata.to_string();
        let path = format!("{path}.metadata");
        let found = coerce_metadata(&path, metadata)
            .map_err(|why| format!("{path}: Invalid value: {before}: {why}"))?;
        unknown.extend(found);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn check_decode(schema: &Value, object: Value, expect: &Value, unknown: &[&str]) {
        let node = Node::read(schema);
        let mut object = Object::from_value(object).unwrap();
        assert_eq!(decode(&node, &mut object).unwrap(), unknown);
        fill(&node, &mut object);
        assert_eq!(object.into_value(), *expect);
    }

    #[test]
    fn unknown_fields_go_unless_they_are_kept() {
        check_decode(
            &json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
                "a": {"type": "object", "x-kubernetes-preserve-unknown-fields": true,
                    "properties": {"known": {"type": "object", "properties": {}}}},
                "m": {"type": "object", "additionalProperties": {"type": "object",
                    "properties": {"x": {"type": "integer"}}}}}}}}),
            json!({"kind": "T", "metadata": {"name": "n", "foo": 1}, "other": 1, "spec": {"b": 1,
                "a": {"any": {"thing": 1}, "known": {"gone": 1}}, "m": {"k": {"x": 1, "y": 2}}}}),
            &json!({"kind": "T", "metadata": {"name": "n"}, "spec": {
                "a": {"any": {"thing": 1}, "known": {}}, "m": {"k": {"x": 1}}}}),
            &["metadata.foo", "other", "spec.a.known.gone", "spec.b", "spec.m.k.y"],
        );
    }

    #[test]
    fn defaults_stand_in_for_what_is_missing_or_null() {
        check_decode(
            &json!({"type": "object", "properties": {"spec": {"type": "object", "default": {},
                "properties": {"a": {"type": "integer", "default": 1},
                    "b": {"type": "string", "nullable": true, "default": "x"},
                    "c": {"type": "string"}, "d": {"type": "object", "properties": {
                        "e": {"type": "string", "default": "y"}}}}}}}),
            json!({"spec": {"a": null, "b": null, "c": null, "d": {}}}),
            &json!({"spec": {"a": 1, "b": null, "d": {"e": "y"}}}),
            &[],
        );
    }
}
