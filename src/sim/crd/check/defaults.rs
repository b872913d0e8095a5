//! Whether the defaults in a schema are values of it.

use crate::api::Cause;
use crate::object::schema::node::{Additional, Node};
use crate::object::{Object, Value};
use crate::sim::crd::fault::{self, Path};
use crate::sim::crd::rules::{self, Rules};
use crate::sim::crd::{coerce, validate};

/// What is wrong with the defaults of a whole schema.
pub(super) fn check(path: &Path, root: &Node) -> Vec<Cause> {
    let mut causes = Vec::new();
    // Defaults in the metadata of the object itself are refused elsewhere.
    let own = |key: &str| matches!(key, "metadata" | "apiVersion" | "kind");
    for (key, below) in root.properties.iter().filter(|(key, _)| !own(key)) {
        visit(&path.field("properties").key(key), below, &mut causes);
    }
    causes
}

fn visit(path: &Path, node: &Node, out: &mut Vec<Cause>) {
    if let Some(default) = &node.default {
        one(&path.field("default"), node, default, out);
    }
    if let Some(items) = &node.items {
        visit(&path.field("items"), items, out);
    }
    for (key, below) in &node.properties {
        visit(&path.field("properties").key(key), below, out);
    }
}

fn one(path: &Path, node: &Node, default: &Value, out: &mut Vec<Cause>) {
    if !is_pruned(node, default) {
        out.push(fault::invalid(path, default, "must not have unknown fields"));
    }
    let place = path.to_string();
    let mut found = validate::embedded_in(&place, node, default);
    if found.is_empty() {
        found = validate::lone(node, &place, default);
    }
    if let Some(rules) = Rules::of(node, node.embedded).filter(|_| found.is_empty()) {
        rules::run_at((&rules, node), path, default, Some(default), &mut found);
        if found.is_empty() {
            rules::run_at((&rules, node), path, default, None, &mut found);
        }
    }
    out.append(&mut found);
}

/// Whether pruning leaves a default as it is.
fn is_pruned(node: &Node, default: &Value) -> bool {
    let mut holder = Node::default();
    holder.properties.insert("value".to_owned(), node.clone());
    holder.additional = Additional::Unset;
    let mut object = Object::default();
    object.set(&["value"], default.clone());
    let before = object.clone();
    coerce::prune(&holder, &mut object);
    object == before
}
