//! Formats that the server does not know: warned of, and ignored.

use crate::object::schema::node::{list, text};
use crate::object::{Object, Value};
use crate::sim::crd::validate::format;

/// The unknown formats of a definition, in the order of its schemas.
#[must_use]
pub fn unknown(crd: &Object) -> Vec<String> {
    let mut found = Vec::new();
    for version in crd.list(&["spec", "versions"]) {
        if let Some(schema) = version.pointer("/schema/openAPIV3Schema") {
            visit(schema, &mut found);
        }
    }
    found
}

fn visit(schema: &Value, found: &mut Vec<String>) {
    let (ty, name) = (text(schema, "type"), text(schema, "format"));
    let types: &[&str] = if ty.is_empty() { &[] } else { &[ty.as_str()] };
    if !name.is_empty() && format::effective(&name, types).is_empty() {
        found.push(name);
    }
    let one = |key: &str| schema.get(key).filter(|v| v.is_object());
    for key in ["items", "allOf", "anyOf", "oneOf", "not", "properties", "additionalProperties"] {
        match (key, schema.get(key)) {
            ("properties", Some(Value::Object(map))) => {
                map.values().for_each(|below| visit(below, found));
            }
            (_, Some(Value::Array(_))) => {
                list(schema, key).iter().for_each(|below| visit(below, found));
            }
            _ => one(key).into_iter().for_each(|below| visit(below, found)),
        }
    }
}
