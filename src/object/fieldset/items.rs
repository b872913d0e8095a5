//! What tells the items of a list apart: their keys, or the items themselves (R-SSA-09, R-SSA-10).

use crate::object::path::PathElement;
use crate::object::schema::{ListType, Relation, Schema};
use crate::object::{Key, Map, Value};

/// The path element of a list item.
///
/// # Errors
/// In upstream's words, if the list is atomic or the item has no key.
pub fn element(schema: &Schema, list: &ListType, item: &Value) -> Result<PathElement, String> {
    match list.relation {
        Relation::Atomic => Err("invalid indexing of non-associative list".to_owned()),
        Relation::Set => set_element(item),
        Relation::Map => match item {
            Value::Object(map) => keyed_element(schema, list, map),
            Value::Null => Err("associative list with keys may not have a null element".to_owned()),
            _ => Err("associative list with keys may not have non-map elements".to_owned()),
        },
    }
}

fn set_element(item: &Value) -> Result<PathElement, String> {
    match item {
        Value::Object(_) => {
            Err("associative list without keys has an element that's a map type".to_owned())
        }
        Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
        Value::Null => {
            Err("associative list without keys has an element that's an explicit null".to_owned())
        }
        scalar => Ok(PathElement::Value(scalar.clone())),
    }
}

fn keyed_element(schema: &Schema, list: &ListType, item: &Map) -> Result<PathElement, String> {
    let fields = schema.ty(list.item).map.as_ref();
    let mut key: Vec<(Key, Value)> = Vec::with_capacity(list.keys.len());
    for name in &list.keys {
        let default = || fields.and_then(|m| m.field(name)).and_then(|f| f.default.as_ref());
        // A key field without value and default is left out: that is a different item.
        if let Some(value) = item.get(name).or_else(default) {
            key.push((Key::from(name.as_ref()), value.clone()));
        }
    }
    if key.is_empty() && !list.keys.is_empty() {
        let names: Vec<String> = list.keys.iter().map(|k| format!("{k:?}")).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and \
             doesn't have default values for any key fields)",
            names.join(" ")
        ));
    }
    key.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(PathElement::Key(key))
}
