//! Kubernetes objects as values, and what can be said of one without asking a server: names,
//! kinds, metadata, selectors, quantities, conditions, order, differences, patches, schema.
//!
//! Not here: requests (`api`), field ownership merges (`fields`), storage (`sim`).

pub mod diff;
pub mod event;
pub mod field_path;
pub mod fieldset;
pub(crate) mod go;
pub mod gvk;
mod id;
pub mod meta;
pub mod order;
pub mod patch;
pub mod path;
pub mod quantity;
pub mod quota;
pub mod schema;
pub mod selector;
pub mod uid;
pub mod value;
pub mod word;
pub mod yaml;

use serde::{Deserialize, Serialize};

pub use gvk::{Gvk, Gvr, Name};
pub use id::ObjectId;
pub use selector::{FieldSelector, LabelSelector, Operator};
pub use uid::Uid;
pub(crate) use value::steps as pointer_steps;
pub use value::{Key, Map, Text, Value, json};

/// A Kubernetes object: a JSON map whose keys are sorted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Object(pub Map);

impl Object {
    /// Takes a JSON value that is a map.
    ///
    /// # Errors
    /// Gives the value back if it is not a map.
    pub fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Object(map) => Ok(Self(map)),
            other => Err(other),
        }
    }

    /// The object as a JSON value.
    #[must_use]
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// The value at a chain of keys: `["spec", "replicas"]`. `None` where a key is missing.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(first)?, |value, key| value.as_object()?.get(key))
    }

    /// The text at a chain of keys.
    #[must_use]
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_str()
    }

    /// The integer at a chain of keys.
    #[must_use]
    pub fn int(&self, path: &[&str]) -> Option<i64> {
        self.at(path)?.as_i64()
    }

    /// The boolean at a chain of keys; false where there is none.
    #[must_use]
    pub fn flag(&self, path: &[&str]) -> bool {
        self.at(path).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The list at a chain of keys; empty where there is none.
    #[must_use]
    pub fn list(&self, path: &[&str]) -> &[Value] {
        self.at(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Sets the value at a chain of keys; maps on the way are made. What stands in the way and is
    /// no map is replaced by one.
    pub fn set(&mut self, path: &[&str], value: Value) {
        let Some((last, way)) = path.split_last() else { return };
        let mut map = &mut self.0;
        for key in way {
            let slot = map.entry(*key).or_insert_with(|| Value::Object(Map::new()));
            if !slot.is_object() {
                *slot = Value::Object(Map::new());
            }
            let Value::Object(next) = slot else { return };
            map = next;
        }
        map.insert(*last, value);
    }

    /// Takes the value at a chain of keys out.
    pub fn remove(&mut self, path: &[&str]) -> Option<Value> {
        let (last, way) = path.split_last()?;
        let mut map = &mut self.0;
        for key in way {
            map = map.get_mut(key)?.as_object_mut()?;
        }
        map.remove(last)
    }
}
