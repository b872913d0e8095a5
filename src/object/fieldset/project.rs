//! The part of an object that a set names, for comparing what is owned with what is there.

use super::{Node, Set, items};
use crate::object::schema::{ListType, MapType, Relation, Schema, TypeId};
use crate::object::{Map, Value};

/// Only the parts of `value` that `set` names. List items are found by their keys, which are kept
/// with them; what the set names and the value lacks is left out. A map or list of items that the
/// set names only as such comes without content, since the content is not owned.
#[must_use]
pub fn project(schema: &Schema, ty: TypeId, value: &Value, set: &Set) -> Value {
    let ty = schema.ty(ty);
    match (value, &ty.map, &ty.list) {
        (Value::Object(map), Some(form), _) if !form.atomic => of_map(schema, form, map, set),
        (Value::Array(list), _, Some(form)) if form.relation != Relation::Atomic => {
            of_list(schema, form, list, set)
        }
        _ => value.clone(),
    }
}

fn of_map(schema: &Schema, form: &MapType, map: &Map, set: &Set) -> Value {
    let mut out = Map::new();
    for Node { element, below, .. } in set.nodes() {
        let super::PathElement::Field(name) = element else { continue };
        if let (Some(value), Some(ty)) = (map.get_key(name), form.type_of(name)) {
            out.insert(name, project(schema, ty, value, below));
        }
    }
    Value::Object(out)
}

fn of_list(schema: &Schema, form: &ListType, list: &[Value], set: &Set) -> Value {
    let mut out = Vec::new();
    for item in list {
        let found = items::element(schema, form, item).ok();
        let Some(node) = found.as_ref().and_then(|e| set.node(e)) else { continue };
        let mut part = project(schema, form.item, item, &node.below);
        if let (Value::Object(part), Value::Object(item)) = (&mut part, item) {
            for key in &form.keys {
                if let Some(value) = item.get(key) {
                    part.entry(key.to_string()).or_insert_with(|| value.clone());
                }
            }
        }
        out.push(part);
    }
    Value::Array(out)
}

#[cfg(test)]
mod tests {
    use super::super::of;
    use super::*;
    use crate::object::{json, schema};

    #[test]
    fn only_what_is_named_is_shown_and_items_are_found_by_key() {
        let schema = schema::builtin();
        let ty = schema.kind("", "v1", "Pod").unwrap().ty;
        let config = json!({"metadata": {"labels": {"a": "1"}},
            "spec": {"containers": [{"name": "b", "image": "x"}], "tolerations": [{"key": "k"}]}});
        let live = json!({"metadata": {"labels": {"a": "2", "z": "3"}}, "spec": {"containers":
            [{"name": "a"}, {"name": "b", "image": "y", "tty": true}], "tolerations": []}});
        let shown = project(schema, ty, &live, &of(schema, ty, &config));
        assert_eq!(
            shown,
            json!({"metadata": {"labels": {"a": "2"}},
                "spec": {"containers": [{"name": "b", "image": "y"}], "tolerations": []}})
        );
    }
}
