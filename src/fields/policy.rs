//! The merge of what a policy of admission would have of an object into the object: as an apply
//! whose fields nobody owns.
//!
//! Not here: how the policy comes by its configuration (`sim::rest::admission`).

use super::walk::{Form, form};
use super::{merge, typed};
use crate::object::schema::{Relation, Schema, TypeId};
use crate::object::{Object, Value};

/// The object with a configuration merged in.
///
/// # Errors
/// Why the configuration is not taken: it does not fit the schema, or holds a list or map that is
/// of one piece.
pub fn merge_unowned(
    schema: &Schema,
    ty: TypeId,
    object: &Object,
    config: &Object,
) -> Result<Object, String> {
    if let Some(text) = typed::problems(schema, ty, config) {
        return Err(format!("failed to convert patch object to typed object: {text}"));
    }
    let mut whole = Vec::new();
    for (key, value) in &config.0 {
        let of = schema.ty(ty).map.as_ref().and_then(|form| form.type_of(key));
        in_one_piece(schema, of.unwrap_or(TypeId::DEDUCED), value, &format!(".{key}"), &mut whole);
    }
    if !whole.is_empty() {
        return Err(format!(
            "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {}",
            whole.join(", ")
        ));
    }
    Ok(merge::merge(schema, ty, &object.0, &config.0)?.map_or_else(|| object.clone(), Object))
}

/// The paths of what can only be replaced as a whole.
fn in_one_piece(schema: &Schema, ty: TypeId, value: &Value, at: &str, found: &mut Vec<String>) {
    match (form(schema.ty(ty), Some(value)).0, value) {
        (Some(Form::Map(form)), Value::Object(map)) => {
            if form.atomic {
                found.push(at.to_owned());
                return;
            }
            for (key, value) in map {
                let ty = form.type_of(key).unwrap_or(TypeId::DEDUCED);
                in_one_piece(schema, ty, value, &format!("{at}.{key}"), found);
            }
        }
        (Some(Form::List(form)), Value::Array(list)) => {
            if form.relation == Relation::Atomic {
                found.push(at.to_owned());
                return;
            }
            for (i, value) in list.iter().enumerate() {
                in_one_piece(schema, form.item, value, &format!("{at}[{i}]"), found);
            }
        }
        _ => {}
    }
}
