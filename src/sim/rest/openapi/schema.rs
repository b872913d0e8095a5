//! A schema in the bytes that Go writes, and as version 2 of OpenAPI has it.
//!
//! Fields stand in the order of Go's struct, extensions behind them by name.

use super::table::Edition;
use crate::object::{Key, Map, Value};
use crate::sim::rest::discovery::bytes;

/// Fields in the order in which they are written.
const ORDER: [&str; 40] = [
    "id",
    "description",
    "type",
    "nullable",
    "format",
    "title",
    "default",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "multipleOf",
    "enum",
    "maxProperties",
    "minProperties",
    "required",
    "items",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "properties",
    "additionalProperties",
    "patternProperties",
    "dependencies",
    "additionalItems",
    "definitions",
    "discriminator",
    "readOnly",
    "externalDocs",
    "example",
    "$schema",
    "$ref",
    "",
];

/// Fields of a validation rule, in the order of its struct.
const RULE: [&str; 6] =
    ["rule", "message", "messageExpression", "reason", "fieldPath", "optionalOldSelf"];

/// Where a name stands in an order; what is not in it comes last.
fn rank(order: &[&str], name: &str) -> usize {
    order.iter().position(|known| *known == name).unwrap_or(order.len())
}

/// Adds a schema as JSON. In v2 a rule is a map, whose keys are sorted; in v3 it is a struct.
pub(super) fn write(edition: Edition, schema: &Value, out: &mut String) {
    let Value::Object(map) = schema else { return plain(schema, out) };
    let mut fields: Vec<(&Key, &Value)> = map.iter().collect();
    fields.sort_by_key(|(name, _)| rank(&ORDER, name));
    members(out, fields.into_iter(), |name, value, out| match (name, value) {
        ("properties" | "patternProperties" | "definitions", Value::Object(named)) => {
            members(out, named.iter(), |_, schema, out| write(edition, schema, out));
        }
        ("items" | "not" | "additionalProperties" | "additionalItems", _) => {
            write(edition, value, out)
        }
        ("allOf" | "oneOf" | "anyOf", Value::Array(list)) => {
            elements(out, list, |schema, out| write(edition, schema, out));
        }
        ("x-kubernetes-validations", Value::Array(list)) if edition == Edition::V3 => {
            elements(out, list, rule);
        }
        _ => plain(value, out),
    });
}

fn plain(value: &Value, out: &mut String) {
    out.push_str(&String::from_utf8_lossy(&bytes::compact(value)));
}

fn rule(rule: &Value, out: &mut String) {
    let Value::Object(map) = rule else { return plain(rule, out) };
    let mut fields: Vec<(&Key, &Value)> = map.iter().collect();
    fields.sort_by_key(|(name, _)| rank(&RULE, name));
    members(out, fields.into_iter(), |_, value, out| plain(value, out));
}

fn members<'a>(
    out: &mut String,
    fields: impl Iterator<Item = (&'a Key, &'a Value)>,
    each: impl Fn(&str, &Value, &mut String),
) {
    out.push('{');
    for (i, (name, value)) in fields.enumerate() {
        if i > 0 {
            out.push(',');
        }
        plain(&Value::from(name.as_str()), out);
        out.push(':');
        each(name, value, out);
    }
    out.push('}');
}

fn elements(out: &mut String, list: &[Value], each: impl Fn(&Value, &mut String)) {
    out.push('[');
    for (i, value) in list.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        each(value, out);
    }
    out.push(']');
}

/// A built-in schema of v3 as v2 has it: without defaults, with plain references, and of one type
/// where it may have two.
pub(super) fn to_v2(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    map.remove("default");
    if map.remove("oneOf").is_some() {
        map.insert("type".to_owned(), "string".into());
    }
    if let Some(Value::Array(all)) = map.remove("allOf") {
        map.extend(
            all.into_iter()
                .filter_map(|one| match one {
                    Value::Object(one) => Some(one),
                    _ => None,
                })
                .flatten(),
        );
    }
    if let Some(Value::String(reference)) = map.get_mut("$ref") {
        *reference = reference.replace("#/components/schemas/", "#/definitions/");
    }
    for nested in ["items", "additionalProperties"] {
        map.get_mut(nested).into_iter().for_each(to_v2);
    }
    properties_mut(map).for_each(to_v2);
}

/// The schemas of the properties.
pub(super) fn properties_mut(map: &mut Map) -> impl Iterator<Item = &mut Value> {
    let properties = map.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flat_map(Map::values_mut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn check(value: &Value, expect: &str) {
        let mut out = String::new();
        write(Edition::V3, value, &mut out);
        assert_eq!(out, expect);
    }

    #[test]
    fn fields_stand_as_in_gos_struct() {
        check(
            &json!({
                "x-b": {"b": 1, "a": 2}, "x-a": 1, "properties": {"b": {"type": "string", "description": "<"}},
                "type": "object", "required": ["b"], "description": "d",
                "x-kubernetes-validations": [{"message": "m", "rule": "r"}],
            }),
            "{\"description\":\"d\",\"type\":\"object\",\"required\":[\"b\"],\"properties\":{\"b\":\
             {\"description\":\"\\u003c\",\"type\":\"string\"}},\"x-a\":1,\"x-b\":{\"a\":2,\"b\":1},\
             \"x-kubernetes-validations\":[{\"rule\":\"r\",\"message\":\"m\"}]}",
        );
    }

    #[test]
    fn version_2_has_no_defaults_and_plain_references() {
        let mut schema = json!({"properties": {"a": {
            "default": {}, "description": "d", "allOf": [{"$ref": "#/components/schemas/x.Y"}]}}});
        to_v2(&mut schema);
        let expect =
            json!({"properties": {"a": {"description": "d", "$ref": "#/definitions/x.Y"}}});
        assert_eq!(schema, expect);
    }
}
