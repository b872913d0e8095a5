//! `metadata.managedFields` as values: who owns which set (R-SSA-22, R-SSA-23).
//!
//! Not here: a single entry (`entry`), what a write does to them (`apply`, `update`).

use super::entry::{Entry, ManagerId};
use crate::object::{Object, Value};

/// Where an object carries its entries.
pub(crate) const PATH: [&str; 2] = ["metadata", "managedFields"];

/// All entries of an object; each id at most once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Managed {
    pub(crate) entries: Vec<Entry>,
}

impl Managed {
    /// The entries of an object that was stored; none if it has none.
    ///
    /// # Errors
    /// If an entry cannot be read.
    pub(crate) fn of(object: &Object) -> Result<Self, NotManaged> {
        Self::stored(object.list(&PATH).to_vec())
    }

    /// The same of its list.
    ///
    /// # Errors
    /// If an entry cannot be read.
    pub(crate) fn stored(list: Vec<Value>) -> Result<Self, NotManaged> {
        let mut managed = Self { entries: Vec::with_capacity(list.len() + 1) };
        for (at, value) in list.into_iter().enumerate() {
            managed.put(Entry::stored(at, value)?);
        }
        Ok(managed)
    }

    /// The entries of a list that a client sent.
    ///
    /// # Errors
    /// If an entry or its set cannot be read.
    pub(crate) fn decode(list: &[Value]) -> Result<Self, NotManaged> {
        let mut managed = Self::default();
        for (at, value) in list.iter().enumerate() {
            managed.put(Entry::read(at, value)?);
        }
        Ok(managed)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn get(&self, id: &ManagerId) -> Option<&Entry> {
        self.entries.iter().find(|e| e.is(id))
    }

    pub(crate) fn get_mut(&mut self, id: &ManagerId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|e| e.is(id))
    }

    pub(crate) fn take(&mut self, id: &ManagerId) -> Option<Entry> {
        let at = self.entries.iter().position(|e| e.is(id))?;
        Some(self.entries.swap_remove(at))
    }

    /// Adds an entry in place of one of the same id.
    pub(crate) fn put(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|e| e.is_same(&entry)) {
            Some(slot) => *slot = entry,
            None => self.entries.push(entry),
        }
    }

    /// Writes the entries into an object, in stored order; none leave no list behind.
    pub(crate) fn write_to(mut self, object: &mut Object) {
        if self.is_empty() {
            object.remove(&PATH);
            return;
        }
        self.entries.sort_by(|a, b| a.rank().cmp(&b.rank()));
        let list = self.entries.into_iter().map(Entry::encode).collect();
        object.set(&PATH, Value::Array(list));
    }
}

/// Why managed fields cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to decode managed fields: {0}")]
pub struct NotManaged(pub(super) String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn entries_are_read_and_written_in_stored_order() {
        let entry = |manager: &str, operation: &str, time: &str| {
            json!({"manager": manager, "operation": operation, "apiVersion": "v1",
                "fieldsType": "FieldsV1", "fieldsV1": {"f:a": {}}, "time": time})
        };
        let list = [
            entry("z", "Update", "2026-01-01T00:00:00Z"),
            entry("b", "Update", "2026-01-02T00:00:00Z"),
            entry("y", "Apply", "2026-01-03T00:00:00Z"),
            entry("a", "Update", "2026-01-02T00:00:00Z"),
        ];
        let mut object = Object::default();
        Managed::decode(&list).unwrap().write_to(&mut object);
        let stored: Vec<_> = object
            .list(&["metadata", "managedFields"])
            .iter()
            .map(|e| e["manager"].as_str().unwrap())
            .collect();
        assert_eq!(stored, ["y", "z", "a", "b"]);
        assert_eq!(Managed::of(&object).unwrap().entries.len(), 4);
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for bad in [
            json!({}),
            json!({"operation": "Apply"}),
            json!({"operation": "Apply", "apiVersion": "v1"}),
        ] {
            assert!(Managed::decode(&[bad]).is_err());
        }
    }
}
