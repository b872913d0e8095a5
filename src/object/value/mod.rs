//! JSON values that share what they have in common.
//!
//! A [`Map`] is copied when it is written to while another holds it, and not before: a clone of an
//! object costs nothing, and the versions of an object that a cluster keeps (its history, caches,
//! events on their way) hold once what did not change between them. A [`Text`] is shared alike, and
//! one of up to 15 letters needs no memory of its own. Otherwise values behave as `serde_json`'s
//! do, and have its names.
//!
//! Not here: YAML (`object::yaml`), what a value means to Kubernetes (the rest of `object`).

mod convert;
mod index;
mod key;
mod macros;
mod map;
pub(in crate::object) mod names;
mod text;

pub use convert::ToValue;
pub use ecow::EcoString as Text;
pub use index::Index;
pub use key::Key;
pub use macros::json;
pub use map::{Entry, IntoIter, Iter, IterMut, Map};
pub use serde_json::Number;
pub use text::{from_value, to_value};

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are JSON's own")]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    String(Text),
    Array(Vec<Value>),
    Object(Map),
}

impl Value {
    /// What stands under a key of a map or at a place of a list.
    #[must_use]
    pub fn get(&self, index: impl Index) -> Option<&Value> {
        index.of(self)
    }

    /// The same, to be changed.
    #[must_use]
    pub fn get_mut(&mut self, index: impl Index) -> Option<&mut Value> {
        index.of_mut(self)
    }

    /// What a JSON pointer points at: `/spec/containers/0`.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<&Value> {
        steps(pointer)?.try_fold(self, |value, step| match value {
            Value::Object(map) => map.get(&step),
            Value::Array(list) => list.get(place(&step)?),
            _ => None,
        })
    }

    /// The same, to be changed.
    #[must_use]
    pub fn pointer_mut(&mut self, pointer: &str) -> Option<&mut Value> {
        steps(pointer)?.try_fold(self, |value, step| match value {
            Value::Object(map) => map.get_mut(&step),
            Value::Array(list) => list.get_mut(place(&step)?),
            _ => None,
        })
    }

    /// The value, leaving null behind.
    #[must_use]
    pub fn take(&mut self) -> Value {
        std::mem::take(self)
    }
}

/// The steps of a JSON pointer, unescaped.
pub(crate) fn steps(pointer: &str) -> Option<impl Iterator<Item = String>> {
    let rest = pointer.strip_prefix('/');
    if rest.is_none() && !pointer.is_empty() {
        return None;
    }
    let steps = rest.into_iter().flat_map(|rest| rest.split('/'));
    Some(steps.map(|step| step.replace("~1", "/").replace("~0", "~")))
}

/// A place in a list, which has one spelling.
fn place(step: &str) -> Option<usize> {
    let plain = !step.starts_with('+') && (step == "0" || !step.starts_with('0'));
    plain.then(|| step.parse().ok())?
}

/// What a value is, and what it is as a Rust value.
impl Value {
    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether it is what Go leaves out of a field that may be: null, no, zero, an empty text or
    /// list. A map never is: what is empty of a struct is for its type to say.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Bool(flag) => !flag,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Object(_) => false,
        }
    }

    /// Whether it is true or false.
    #[must_use]
    pub fn is_boolean(&self) -> bool {
        matches!(self, Value::Bool(_))
    }

    /// Whether it is a number.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self, Value::Number(_))
    }

    /// Whether it is a text.
    #[must_use]
    pub fn is_string(&self) -> bool {
        matches!(self, Value::String(_))
    }

    /// Whether it is a list.
    #[must_use]
    pub fn is_array(&self) -> bool {
        matches!(self, Value::Array(_))
    }

    /// Whether it is a map.
    #[must_use]
    pub fn is_object(&self) -> bool {
        matches!(self, Value::Object(_))
    }

    /// Whether it is a number that [`Value::as_i64`] gives.
    #[must_use]
    pub fn is_i64(&self) -> bool {
        self.as_i64().is_some()
    }

    /// Whether it is a number that [`Value::as_u64`] gives.
    #[must_use]
    pub fn is_u64(&self) -> bool {
        self.as_u64().is_some()
    }

    /// Whether it is a number with a fraction.
    #[must_use]
    pub fn is_f64(&self) -> bool {
        matches!(self, Value::Number(number) if number.is_f64())
    }

    /// The truth value.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The whole number.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The whole number that is not negative.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Value::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    /// The number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// The number as JSON writes it.
    #[must_use]
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The list.
    #[must_use]
    pub fn as_array(&self) -> Option<&Vec<Value>> {
        match self {
            Value::Array(list) => Some(list),
            _ => None,
        }
    }

    /// The list, to be changed.
    #[must_use]
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Value>> {
        match self {
            Value::Array(list) => Some(list),
            _ => None,
        }
    }

    /// The map.
    #[must_use]
    pub fn as_object(&self) -> Option<&Map> {
        match self {
            Value::Object(map) => Some(map),
            _ => None,
        }
    }

    /// The map, to be changed.
    #[must_use]
    pub fn as_object_mut(&mut self) -> Option<&mut Map> {
        match self {
            Value::Object(map) => Some(map),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
