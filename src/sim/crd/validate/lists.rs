//! Items that a list may have once (R-CRD-11).

use crate::api::Cause;
use crate::object::schema::node::{Additional, ListKind, Node};
use crate::object::{Map, Value, json};
use crate::sim::crd::fault::{self, Path};

/// What is there twice in lists of the types `set` and `map`.
pub(super) fn check(path: &Path, node: &Node, map: &Map, out: &mut Vec<Cause>) {
    if let Additional::Schema(schema) = &node.additional {
        for (key, value) in map {
            check_value(&path.key(key), schema, value, out);
        }
    }
    for (key, value) in map {
        if let Some(property) = node.properties.get(key.as_str()) {
            check_value(&path.field(key), property, value, out);
        }
    }
}

fn check_value(path: &Path, node: &Node, value: &Value, out: &mut Vec<Cause>) {
    match value {
        Value::Array(list) => check_list(path, node, list, out),
        Value::Object(map) => check(path, node, map, out),
        _ => {}
    }
}

fn check_list(path: &Path, node: &Node, list: &[Value], out: &mut Vec<Cause>) {
    match node.list_type {
        Some(ListKind::Set) => {
            for at in twice(list) {
                out.push(fault::duplicate(&path.index(at), Some(&list[at])));
            }
        }
        Some(ListKind::Map) => keys(path, node, list, out),
        Some(ListKind::Atomic) | None => {}
    }
    if let Some(items) = &node.items {
        for (at, item) in list.iter().enumerate() {
            check_value(&path.index(at), items, item, out);
        }
    }
}

/// The second places of what is there more than once.
fn twice(list: &[Value]) -> Vec<usize> {
    let seen = |at: &usize| list[..*at].iter().filter(|item| **item == list[*at]).count() == 1;
    (0..list.len()).filter(seen).collect()
}

fn keys(path: &Path, node: &Node, list: &[Value], out: &mut Vec<Cause>) {
    let strange = list.iter().position(|item| !item.is_object() && !item.is_null());
    if let Some(at) = strange {
        let text = "must be an object for an array of list-type map";
        out.push(fault::invalid(&path.index(at), &list[at], text));
        return;
    }
    let key = |item: &Value| {
        let given =
            node.list_keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone())));
        json!(given.collect::<Map>())
    };
    let keys: Vec<Value> = list.iter().map(key).collect();
    for at in twice(&keys) {
        out.push(fault::duplicate(&path.index(at), Some(&keys[at])));
    }
}
