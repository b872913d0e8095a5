//! The named fields of a map, looked up by the first letters of their names.
//!
//! Every key of every object that is written is looked up several times. The fields lie far apart
//! in memory, the first eight letters of their names side by side, and those mostly decide.

use std::ops::Deref;

use super::{Field, Presence};
use crate::object::Key;

/// Fields in the order of their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    fields: Vec<Field>,
    /// The beginning of each name, as [`start`] has it: in the same order.
    starts: Vec<u64>,
    /// Each name as a key, in the same order.
    keys: Vec<Key>,
    /// The places of those that are printed even if they are not set.
    always: Vec<usize>,
}

/// The first eight letters of a name as a number, which are in order as the names are.
fn start(name: &str) -> u64 {
    match name.as_bytes().first_chunk() {
        Some(letters) => u64::from_be_bytes(*letters),
        None => (0..8)
            .fold(0, |start, at| start << 8 | name.as_bytes().get(at).map_or(0, |b| (*b).into())),
    }
}

fn always(fields: &[Field]) -> Vec<usize> {
    let is_always = |field: &Field| matches!(field.presence, Presence::Always | Presence::Nullable);
    fields.iter().enumerate().filter(|(_, field)| is_always(field)).map(|(at, _)| at).collect()
}

impl Fields {
    /// The field of a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Field> {
        let sought = start(name);
        let from = self.starts.partition_point(|start| *start < sought);
        let alike = self.starts[from..].iter().take_while(|start| **start == sought).count();
        self.fields[from..from + alike].iter().find(|field| field.name == name)
    }

    /// The field of a name that a map has as its key.
    #[must_use]
    pub fn of_key(&self, key: &Key) -> Option<&Field> {
        let at = self.keys.binary_search(key).ok()?;
        self.fields.get(at)
    }

    /// The fields that are printed even if they are not set, each with its key.
    pub fn always(&self) -> impl Iterator<Item = (&Key, &Field)> {
        self.always.iter().map(|at| (&self.keys[*at], &self.fields[*at]))
    }

    /// Adds a field, whose name none of them has.
    pub fn add(&mut self, field: Field) {
        let at = self.fields.partition_point(|other| other.name < field.name);
        self.starts.insert(at, start(&field.name));
        self.keys.insert(at, Key::from(&*field.name));
        self.fields.insert(at, field);
        self.always = always(&self.fields);
    }
}

impl From<Vec<Field>> for Fields {
    fn from(mut fields: Vec<Field>) -> Self {
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        let starts = fields.iter().map(|field| start(&field.name)).collect();
        let keys = fields.iter().map(|field| Key::from(&*field.name)).collect();
        let always = always(&fields);
        Self { fields, starts, keys, always }
    }
}

impl Deref for Fields {
    type Target = [Field];

    fn deref(&self) -> &[Field] {
        &self.fields
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = &'a Field;
    type IntoIter = std::slice::Iter<'a, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.fields.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::super::builtin;
    use super::*;

    #[test]
    fn every_field_is_found_by_its_name_and_nothing_else_is() {
        let types =
            (0..).map(super::super::TypeId).map_while(|id| builtin().types.get(id.0 as usize));
        let mut count = 0;
        for fields in types.filter_map(|ty| ty.map.as_ref()).map(|map| &map.fields) {
            for field in fields {
                count += 1;
                assert_eq!(fields.named(&field.name), Some(field));
                assert_eq!(fields.of_key(&Key::from(&*field.name)), Some(field));
                for other in [format!("{}x", field.name), field.name[1..].to_owned()] {
                    assert_eq!(fields.named(&other), fields.iter().find(|f| f.name == other));
                    assert_eq!(fields.of_key(&other.as_str().into()), fields.named(&other));
                }
            }
        }
        assert!(count > 1000, "{count}");
        assert_eq!(Fields::default().named(""), None);
    }
}
