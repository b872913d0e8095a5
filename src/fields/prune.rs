//! What an applier gives up: fields that it applied before, does not apply now, and that nobody
//! else holds (R-SSA-17).

use super::walk::{Form, form};
use crate::object::Value;
use crate::object::fieldset::{Node, PathElement, Set, items, of};
use crate::object::schema::{Relation, Schema, TypeId};

/// Takes out of `merged` what `last` named and neither `managed` (the new set of the applier and
/// the sets of all others) nor the shape of the object keeps.
pub(super) fn prune(
    schema: &Schema,
    ty: TypeId,
    merged: &Value,
    last: &Set,
    managed: &Set,
) -> Value {
    let last = named(schema, ty, last);
    let whole = named(schema, ty, &of(schema, ty, merged));
    let without = |items: &Set| {
        let mut value = merged.clone();
        remove(schema, ty, &mut value, items);
        value
    };
    let left = |value: &Value| named(schema, ty, &of(schema, ty, value));
    // What others hold comes back, although it lies below something that was given up.
    let kept = left(&without(&last)).union(&named(schema, ty, managed));
    let pruned = without(&whole.difference(&kept));
    // So does what was never held by the applier, such as fields that another controller set.
    without(&whole.difference(&left(&pruned)).intersection(&last))
}

/// The set with all declared fields on the way to its members.
fn named(schema: &Schema, ty: TypeId, set: &Set) -> Set {
    named_below(schema, Some(ty), set)
}

fn named_below(schema: &Schema, ty: Option<TypeId>, set: &Set) -> Set {
    let ty = ty.map(|ty| schema.ty(ty));
    let map = ty.and_then(|ty| ty.map.as_ref());
    let list = ty.and_then(|ty| ty.list.as_ref());
    let mut out = Set::new();
    for node in set.nodes() {
        let (declared, inner) = match &node.element {
            PathElement::Field(name) => {
                let field = map.and_then(|m| m.field(name));
                (field.is_some(), map.and_then(|m| m.type_of(name)))
            }
            PathElement::Key(_) => (false, list.map(|l| l.item)),
            _ => (false, None),
        };
        let member = node.member || (declared && !node.below.is_empty());
        let below = named_below(schema, inner, &node.below);
        out.push_sorted(Node { element: node.element.clone(), member, below });
    }
    out
}

/// Takes out of a value what a set names. A map or list that is left empty becomes null.
fn remove(schema: &Schema, ty: TypeId, value: &mut Value, items: &Set) {
    let gone = match (form(schema.ty(ty), Some(value)).0, &mut *value) {
        (Some(Form::Map(form)), Value::Object(map)) if !form.atomic => {
            map.retain(|key, inner| {
                let Some(node) = items.field(key) else { return true };
                if !node.member && !node.below.is_empty() {
                    remove(
                        schema,
                        form.type_of(key).unwrap_or(TypeId::DEDUCED),
                        inner,
                        &node.below,
                    );
                }
                !node.member
            });
            map.is_empty()
        }
        (Some(Form::List(form)), Value::Array(list)) if form.relation != Relation::Atomic => {
            list.retain_mut(|item| {
                let element = items::element(schema, form, item).ok();
                let Some(node) = element.as_ref().and_then(|e| items.node(e)) else { return true };
                if !node.member && !node.below.is_empty() {
                    remove(schema, form.item, item, &node.below);
                }
                !node.member
            });
            list.is_empty()
        }
        (Some(Form::Scalar), _) => false,
        _ => true,
    };
    if gone {
        *value = Value::Null;
    }
}
