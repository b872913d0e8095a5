//! Objects within objects (R-CRD-16): their types and names.

use crate::api::Cause;
use crate::object::schema::node::{Additional, Node};
use crate::object::{Map, Value};
use crate::sim::crd::fault::{self, Path};

/// Says what is wrong with metadata that stands at a path: the rules are every object's.
pub type Metadata = fn(&str, &Value) -> Vec<Cause>;

/// What is wrong with the embedded objects below a map.
pub(super) fn check(path: &Path, node: &Node, map: &Map, metadata: Metadata, out: &mut Vec<Cause>) {
    for (key, value) in map {
        match (node.properties.get(key.as_str()), &node.additional) {
            (Some(property), _) => check_value(&path.field(key), property, value, metadata, out),
            (None, Additional::Schema(schema)) => {
                check_value(&path.key(key), schema, value, metadata, out);
            }
            _ => {}
        }
    }
}

pub(super) fn check_value(
    path: &Path,
    node: &Node,
    value: &Value,
    metadata: Metadata,
    out: &mut Vec<Cause>,
) {
    match value {
        Value::Object(map) => {
            if node.embedded {
                resource(path, map, metadata, out);
            }
            check(path, node, map, metadata, out);
        }
        Value::Array(list) => {
            let Some(items) = &node.items else { return };
            for (at, item) in list.iter().enumerate() {
                check_value(&path.index(at), items, item, metadata, out);
            }
        }
        _ => {}
    }
}

fn resource(path: &Path, map: &Map, metadata: Metadata, out: &mut Vec<Cause>) {
    for key in ["apiVersion", "kind"] {
        if !map.contains_key(key) {
            out.push(fault::required(&path.field(key), ""));
        }
    }
    if let Some(value) = map.get("apiVersion") {
        let place = path.field("apiVersion");
        match value.as_str() {
            None => out.push(fault::invalid(&place, value, "must be a string")),
            Some("") => out.push(fault::invalid(&place, value, "must not be empty")),
            Some(text) if text.matches('/').count() > 1 => {
                let why = format!("unexpected GroupVersion string: {text}");
                out.push(fault::invalid(&place, value, &why));
            }
            Some(_) => {}
        }
    }
    if let Some(value) = map.get("kind") {
        let place = path.field("kind");
        match value.as_str() {
            None => out.push(fault::invalid(&place, value, "must be a string")),
            Some("") => out.push(fault::invalid(&place, value, "must not be empty")),
            Some(text) => {
                let faults = crate::sim::crd::names::label_1035(&text.to_lowercase());
                if !faults.is_empty() {
                    let why = format!(
                        "may have mixed case, but should otherwise match: {}",
                        faults.join(",")
                    );
                    out.push(fault::invalid(&place, value, &why));
                }
            }
        }
    }
    if let Some(found) = map.get("metadata") {
        out.extend(metadata(&path.field("metadata").to_string(), found));
    }
}
