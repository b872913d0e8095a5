//! What a writer owns of an object that he creates, known from an earlier one of the same shape.
//!
//! That follows from the object's keys, from the items of its lists and from whether a value is
//! the one that an object with nothing set has too: not from the values else. A thousand Events
//! differ in their texts and are of a few shapes, so that the walks over them are done a few times.
//!
//! Not here: how results are remembered (`memo`), and the function itself (`fields`).

use std::cell::RefCell;

use super::Set;
use super::memo::{Memo, recalled};
use crate::object::path::same_value;
use crate::object::schema::TypeId;
use crate::object::word::mix;
use crate::object::{Map, Object, Value};

/// Shapes that are remembered.
const PLACES: usize = 256;

/// What decides of what a creator owns, the object itself apart.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    /// The object's type, of the built-in schema.
    pub ty: TypeId,
    /// What the endpoint does not let a client set.
    pub reset: &'a Set,
    /// The object of the type with nothing set.
    pub empty: &'a Object,
}

/// A shape that recurred: an object of it, and what is owned of such.
struct Shape {
    ty: TypeId,
    reset: Set,
    sample: Map,
    owned: Map,
}

thread_local! {
    static SHAPES: RefCell<Memo<Shape>> = Memo::with_places(PLACES);
}

/// What is owned of a new object as `fieldsV1`, by `make` where no shape like it is known.
pub fn owned(of: Of<'_>, object: &Object, make: impl FnOnce() -> Map) -> Map {
    let find = |shape: &Shape| {
        let is_it = shape.ty == of.ty
            && shape.reset == *of.reset
            && are_alike(Some(&of.empty.0), &shape.sample, &object.0);
        is_it.then(|| shape.owned.clone())
    };
    let keep = |owned: &Map| {
        let (reset, sample) = (of.reset.clone(), object.0.clone());
        Shape { ty: of.ty, reset, sample, owned: owned.clone() }
    };
    recalled(&SHAPES, print(&object.0, u64::from(of.ty.0)), find, make, keep)
}

/// A number that objects of one shape share, and others mostly do not.
fn print(map: &Map, start: u64) -> u64 {
    map.iter().fold(mix(start, map.len() as u64), |print, (key, value)| {
        let print = mix(print, key.print());
        match value {
            Value::Object(below) => self::print(below, print),
            Value::Array(list) => mix(print, list.len() as u64),
            Value::Null => mix(print, 1),
            _ => print,
        }
    })
}

/// Whether two maps are of one shape, in the place where `empty` is of an object with nothing set.
fn are_alike(empty: Option<&Map>, a: &Map, b: &Map) -> bool {
    a.is_same(b)
        || (a.len() == b.len()
            && a.iter().zip(b).all(|((key, a), (other, b))| {
                key == other && is_alike(empty.and_then(|empty| empty.get_key(key)), a, b)
            }))
}

fn is_alike(empty: Option<&Value>, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => are_alike(empty.and_then(Value::as_object), a, b),
        // Items are told apart by what is in them.
        (Value::Array(_), Value::Array(_)) => a == b,
        (Value::Null, Value::Null) => true,
        (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => {
            empty.is_none_or(|empty| same_value(empty, a) == same_value(empty, b))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn texts_do_not_make_a_shape_and_keys_items_and_what_is_unset_do() {
        let map = |value: Value| Object::from_value(value).unwrap().0;
        let empty = map(json!({"message": "", "source": {"host": ""}}));
        let sample = map(json!({"message": "a", "source": {"host": "h"}, "list": [1], "n": 1}));
        for (other, expected) in [
            (json!({"message": "b", "source": {"host": "i"}, "list": [1], "n": 2}), true),
            (json!({"message": "", "source": {"host": "h"}, "list": [1], "n": 1}), false),
            (json!({"message": "a", "source": {"host": ""}, "list": [1], "n": 1}), false),
            (json!({"message": "a", "source": {"host": "h"}, "list": [2], "n": 1}), false),
            (json!({"message": "a", "source": {"host": "h"}, "list": [1], "n": "1"}), false),
            (json!({"message": "a", "source": {}, "list": [1], "n": 1}), false),
            (json!({"message": "a", "source": {"host": "h"}, "list": [1], "o": 1}), false),
        ] {
            let other = map(other);
            assert_eq!(are_alike(Some(&empty), &sample, &other), expected, "{other:?}");
        }
    }
}
