//! The order in which Go prints the fields of its structs: a generated table
//! (`scripts/schema-order`).
//!
//! What is not of a built-in type is sorted by name, as Go's maps are. How an answer is written is
//! `serve`'s.

use std::sync::LazyLock;

use super::{MapType, TypeId, builtin};
use crate::object::{Key, Map, Value};

/// The fields of a type of the built-in schema, and each one's place among them; `None` for the
/// places where they are sorted, and for a type that is no struct.
#[must_use]
pub fn fields(ty: TypeId) -> Option<(&'static MapType, Option<&'static [u8]>)> {
    let map = builtin().ty(ty).map.as_ref()?;
    Some((map, ORDERS.places.get(ty.0 as usize)?.as_deref()))
}

/// The type of every object's metadata.
#[must_use]
pub fn metadata() -> TypeId {
    ORDERS.metadata
}

/// An object of a built-in type after a patch, as upstream shows it in an error: what the patch
/// reached into has its keys sorted, the rest is as Go's structs print.
#[must_use]
pub fn patched_text(ty: TypeId, value: &Value, patch: Option<&Value>) -> String {
    let mut out = String::new();
    write(&mut out, Some(ty), value, patch);
    out
}

fn write(out: &mut String, ty: Option<TypeId>, value: &Value, patch: Option<&Value>) {
    match value {
        Value::Object(map) => write_map(out, ty, map, patch),
        Value::Array(items) => {
            let list = ty.and_then(|ty| builtin().ty(ty).list.as_ref());
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(out, list.map(|list| list.item), item, None);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn write_map(out: &mut String, ty: Option<TypeId>, map: &Map, patch: Option<&Value>) {
    let known = ty.and_then(fields);
    let type_of = |key: &str| {
        let own = known?.0;
        let field = own.fields.iter().find(|field| *field.name == *key);
        field.map(|field| field.ty)
    };
    let mut keys: Vec<&Key> = map.keys().collect();
    let touched = patch.and_then(Value::as_object);
    if let (None, Some((own, Some(places)))) = (touched, known) {
        let place = |key: &str| {
            let at = own.fields.iter().position(|field| *field.name == *key);
            at.and_then(|at| places.get(at)).copied().unwrap_or(u8::MAX)
        };
        keys.sort_by_key(|key| place(key));
    }
    out.push('{');
    for (i, key) in keys.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(&Value::from(key.as_str()).to_string());
        out.push(':');
        let below = touched.and_then(|patch| patch.get(key));
        write(out, type_of(key), &map[key.as_str()], below);
    }
    out.push('}');
}

struct Orders {
    /// By type, by field: where it stands.
    places: Vec<Option<Box<[u8]>>>,
    metadata: TypeId,
}

static ORDERS: LazyLock<Orders> = LazyLock::new(|| Orders::read(include_str!("order.txt")));

impl Orders {
    fn read(text: &str) -> Self {
        let mut named: Vec<(&str, &str)> =
            text.lines().filter_map(|line| line.split_once('\t')).collect();
        named.sort_unstable();
        let mut metadata = TypeId::DEDUCED;
        let places = builtin().types().map(|(id, ty)| {
            if ty.name == "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" {
                metadata = id;
            }
            let at = named.binary_search_by(|(name, _)| (*name).cmp(&ty.name)).ok()?;
            let fields = ty.map.as_ref()?.fields.len();
            places(named[at].1, fields)
        });
        let places = places.collect();
        Self { places, metadata }
    }
}

/// The place of each field, from the fields by place.
fn places(digits: &str, fields: usize) -> Option<Box<[u8]>> {
    let mut places = vec![0; fields];
    for (place, digit) in digits.bytes().enumerate() {
        let field = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'z' => digit - b'a' + 10,
            _ => digit.wrapping_sub(b'A').wrapping_add(36),
        };
        *places.get_mut(usize::from(field))? = u8::try_from(place).ok()?;
    }
    (digits.len() == fields).then(|| places.into_boxed_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_fits_a_type() {
        let lines = include_str!("order.txt").lines().filter(|line| line.contains('\t')).count();
        let found = ORDERS.places.iter().flatten().count();
        assert!(found >= lines, "{found} types of {lines} lines");
        assert_ne!(ORDERS.metadata, TypeId::DEDUCED);
    }
}
