//! Whether an applier is on record for just what its configuration names, told without building
//! any set: so it is whenever a GitOps engine applies something again, changed or not.
//!
//! If the live object holds the values too, the apply changes nothing and is over. What this does
//! not recognise takes the long way (`apply`), which gives the same answer. (One difference: entries
//! of other managers that a changed schema would have brought in line, R-SSA-33, wait for the next
//! write that changes something.)

use super::Write;
use crate::object::fieldset::{Set, items, key_of, never_recorded};
use crate::object::schema::{ListType, MapType, Relation, Schema, Type, TypeId};
use crate::object::{Key, Map, Object, Value};

/// Whether the applier is on record for what the configuration names, and nothing else.
pub(super) fn names_the_same(
    schema: &Schema,
    ty: TypeId,
    live: &Object,
    config: &Object,
    write: &Write<'_>,
) -> bool {
    let entry = live.list(&["metadata", "managedFields"]).iter().find(|e| is_own(e, write));
    let (Some(Value::Object(fields)), Some(form)) =
        (entry.and_then(|e| e.get("fieldsV1")), &schema.ty(ty).map)
    else {
        return false;
    };
    // What the endpoint resets is looked at by whole fields of the root only.
    if write.reset.nodes().iter().any(|n| !n.member) {
        return false;
    }
    let names = Names { schema };
    names.are_of_map(form, &config.0, fields, &[never_recorded(), write.reset])
}

fn is_own(entry: &Value, write: &Write<'_>) -> bool {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    text("operation") == "Apply"
        && text("manager") == write.manager
        && text("subresource") == write.subresource
        && text("apiVersion") == write.api_version
}

struct Names<'s> {
    schema: &'s Schema,
}

impl Names<'_> {
    /// Whether `fields` names the map's leaves; what stands in `skip` is not named.
    fn are_of_map(&self, form: &MapType, map: &Map, fields: &Map, skip: &[&Set]) -> bool {
        let mut named = fields.iter().filter(|(key, _)| *key != ".");
        for (key, value) in map {
            let nodes = skip.iter().filter_map(|set| set.field(key));
            let (mut inner, mut hidden) = (Vec::new(), false);
            for node in nodes {
                hidden |= node.member && (node.below.is_empty() || !value.is_object());
                inner.push(&node.below);
            }
            if hidden {
                continue;
            }
            let Some(ty) = form.type_of(key).map(|ty| self.schema.ty(ty)) else { return false };
            let declared = form.fields.of_key(key).is_some();
            if let (false, Value::Object(map), Some(form)) = (inner.is_empty(), value, &ty.map) {
                // `metadata`, which is there for its fields alone.
                let Some((name, Value::Object(fields))) = named.clone().next() else {
                    if self.are_of_map(form, map, &Map::new(), &inner) {
                        continue;
                    }
                    return false;
                };
                if name.strip_prefix("f:") == Some(key) {
                    named.next();
                    if !self.are_of_map(form, map, fields, &inner) {
                        return false;
                    }
                } else if !self.are_of_map(form, map, &Map::new(), &inner) {
                    return false;
                }
                continue;
            }
            if !self.is_named(ty, value, !declared, "f:", key, &mut named) {
                return false;
            }
        }
        named.next().is_none()
    }

    /// Whether the next name is that of the value, if it has one at all.
    fn is_named<'f>(
        &self,
        ty: &Type,
        value: &Value,
        member: bool,
        prefix: &str,
        key: &str,
        named: &mut (impl Iterator<Item = (&'f Key, &'f Value)> + Clone),
    ) -> bool {
        let leaf = member || is_leaf(ty, value);
        let mut ahead = named.clone();
        let found = match ahead.next() {
            Some((name, Value::Object(below))) if name.strip_prefix(prefix) == Some(key) => below,
            // Nothing of it is a leaf, so nothing of it is named.
            _ => return !leaf && self.is_below(ty, value, &Map::new()),
        };
        *named = ahead;
        let marked = found.contains_key(".");
        // A leaf with nothing below it is written without a mark.
        let bare = found.is_empty();
        (leaf == (marked || bare)) && self.is_below(ty, value, found)
    }

    fn is_below(&self, ty: &Type, value: &Value, fields: &Map) -> bool {
        match (value, &ty.map, &ty.list) {
            (Value::Object(map), Some(form), _) if !form.atomic => {
                self.are_of_map(form, map, fields, &[])
            }
            (Value::Array(list), _, Some(form)) if form.relation != Relation::Atomic => {
                self.are_of_list(form, list, fields)
            }
            _ => fields.is_empty(),
        }
    }

    fn are_of_list(&self, form: &ListType, list: &[Value], fields: &Map) -> bool {
        let ty = self.schema.ty(form.item);
        let named = fields.keys().filter(|key| *key != ".").count();
        named == list.len()
            && list.iter().all(|item| {
                let Ok(element) = items::element(self.schema, form, item) else { return false };
                match fields.get(&key_of(&element)) {
                    Some(Value::Object(below)) => {
                        (below.is_empty() || below.contains_key("."))
                            && self.is_below(ty, item, below)
                    }
                    _ => false,
                }
            })
    }
}

/// Whether a value is a leaf under a declared field.
fn is_leaf(ty: &Type, value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty() || ty.map.as_ref().is_none_or(|m| m.atomic),
        Value::Array(_) => ty.list.as_ref().is_none_or(|l| l.relation == Relation::Atomic),
        _ => true,
    }
}
