//! The fields that a configuration names, as an applier of it would own them.

use super::{PathElement, Set, items};
use crate::object::schema::{ListType, MapType, Relation, Schema, Type, TypeId};
use crate::object::{Map, Object, Value};

/// The set of all leaves of a value, with the list items and undeclared map keys on the way
/// (R-SSA-25 for Apply). An item of a list that cannot be told from others is left out: check
/// first.
#[must_use]
pub fn of(schema: &Schema, ty: TypeId, value: &Value) -> Set {
    below(schema, schema.ty(ty), value).0
}

/// The same of a whole object.
#[must_use]
pub fn of_object(schema: &Schema, ty: TypeId, object: &Object) -> Set {
    schema.ty(ty).map.as_ref().map_or(Set::new(), |form| of_map(schema, form, &object.0).0)
}

/// What lies below a value, and whether the value is a leaf.
fn below(schema: &Schema, ty: &Type, value: &Value) -> (Set, bool) {
    match (value, &ty.map, &ty.list, ty.scalar) {
        (Value::Object(map), Some(form), _, _) => of_map(schema, form, map),
        (Value::Array(list), _, Some(form), _) => of_list(schema, form, list),
        (Value::Object(_) | Value::Array(_), ..) => (Set::new(), false),
        // A null, or a scalar where none should be: the forms are tried in this order.
        (_, Some(form), _, None) => (Set::new(), form.atomic),
        (Value::Null, Some(form), _, _) => (Set::new(), form.atomic),
        (_, _, _, Some(_)) => (Set::new(), true),
        (_, _, Some(form), None) => (Set::new(), form.relation == Relation::Atomic),
        _ => (Set::new(), false),
    }
}

fn of_map(schema: &Schema, form: &MapType, map: &Map) -> (Set, bool) {
    if form.atomic {
        return (Set::new(), true);
    }
    let mut set = Set::new();
    for (key, value) in map {
        let field = form.fields.of_key(key);
        let ty = field.map(|f| f.ty).or(form.item);
        let (inner, leaf) =
            ty.map_or((Set::new(), false), |ty| below(schema, schema.ty(ty), value));
        let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
        let element = PathElement::field(key);
        set.put(element, leaf || empty || field.is_none(), inner);
    }
    (set, false)
}

fn of_list(schema: &Schema, form: &ListType, list: &[Value]) -> (Set, bool) {
    if form.relation == Relation::Atomic {
        return (Set::new(), true);
    }
    let elements: Vec<Option<PathElement>> =
        list.iter().map(|item| items::element(schema, form, item).ok()).collect();
    let mut set = Set::new();
    for (at, item) in list.iter().enumerate() {
        let Some(element) = &elements[at] else { continue };
        // What is there twice is owned as one opaque item (R-SSA-13).
        let twice = elements.iter().filter(|e| e.as_ref() == Some(element)).nth(1).is_some();
        let inner = if twice { Set::new() } else { below(schema, schema.ty(form.item), item).0 };
        set.put(element.clone(), true, inner);
    }
    (set, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{json, schema};

    fn check(group: &str, kind: &str, value: &Value, expect: &Value) {
        let schema = schema::builtin();
        let ty = schema.kind(group, "v1", kind).unwrap().ty;
        assert_eq!(&of(schema, ty, value).to_fields_v1(), expect);
    }

    #[test]
    fn a_configuration_owns_its_leaves_and_list_items() {
        check(
            "apps",
            "Deployment",
            &json!({
                "metadata": {"labels": {"a": "b"}, "annotations": {}},
                "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": {"spec": {
                    "containers": [{"name": "a", "args": ["x"], "ports": [{"containerPort": 80}]}]}}},
            }),
            &json!({
                "f:metadata": {"f:labels": {"f:a": {}}, "f:annotations": {}},
                "f:spec": {"f:replicas": {}, "f:selector": {}, "f:template": {"f:spec": {"f:containers": {
                    "k:{\"name\":\"a\"}": {".": {}, "f:name": {}, "f:args": {}, "f:ports": {
                        "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}}}}}},
            }),
        );
    }

    #[test]
    fn null_is_owned_and_an_empty_list_of_items_is_not() {
        check(
            "",
            "Pod",
            &json!({"spec": {"containers": [], "tolerations": [], "nodeSelector": null}}),
            &json!({"f:spec": {"f:tolerations": {}, "f:nodeSelector": {}}}),
        );
    }
}
