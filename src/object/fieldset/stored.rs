//! Questions about a set that is still in its stored form, `fieldsV1`: answered without reading it
//! (R-SSA-24); and changes to it, which are read once where they recur.
//!
//! The JSON must be as [`Set::to_fields_v1`] writes it. Not here: JSON from elsewhere, which has to
//! be read to be trusted ([`Set::from_fields_v1`]).

use super::json::key_of;
use super::recurring::{self, Op};
use super::{Node, Set};
use crate::object::{Map, Value};

type Fields = Map;

/// Whether a node of the JSON is in its set itself.
fn is_member(below: &Fields) -> bool {
    below.is_empty() || below.contains_key(".")
}

/// Whether all of `set` is in the stored one.
#[must_use]
pub fn contains(fields: &Fields, set: &Set) -> bool {
    contains_level(fields, set)
}

fn contains_level(fields: &Fields, set: &Set) -> bool {
    set.nodes().iter().all(|node| {
        under(fields, node).is_some_and(|below| {
            (!node.member || is_member(below)) && contains_level(below, &node.below)
        })
    })
}

/// Whether a path is in both.
#[must_use]
pub fn touches(fields: &Fields, set: &Set) -> bool {
    touches_level(fields, set)
}

fn touches_level(fields: &Fields, set: &Set) -> bool {
    set.nodes().iter().any(|node| {
        under(fields, node).is_some_and(|below| {
            (node.member && is_member(below)) || touches_level(below, &node.below)
        })
    })
}

/// The stored set with another one added.
#[must_use]
pub fn with(fields: &Fields, set: &Set) -> Fields {
    recurring::changed(fields, Op::Add, set, || store(&read(fields).union(set)))
}

/// The stored set without what is in another one; a child is not taken with its parent.
#[must_use]
pub fn without(fields: &Fields, set: &Set) -> Fields {
    recurring::changed(fields, Op::Take, set, || store(&read(fields).difference(set)))
}

/// A set that was stored can be read; what cannot holds nothing.
fn read(fields: &Fields) -> Set {
    Set::from_fields_v1(&Value::Object(fields.clone())).unwrap_or_default()
}

fn store(set: &Set) -> Fields {
    match set.to_fields_v1() {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

/// How many paths are in the stored set.
#[must_use]
pub fn len(fields: &Fields) -> usize {
    let nodes = fields.iter().filter(|(key, _)| *key != ".");
    let below = nodes.filter_map(|(_, below)| below.as_object());
    below.map(|below| usize::from(is_member(below)) + len(below)).sum()
}

/// What is stored under a node's element.
fn under<'f>(fields: &'f Fields, node: &Node) -> Option<&'f Fields> {
    if fields.is_empty() {
        return None;
    }
    fields.get_key(&key_of(&node.element))?.as_object()
}

#[cfg(test)]
mod tests {
    use super::super::Path;
    use super::*;
    use crate::object::Value;

    fn set(paths: &str) -> Set {
        paths.split_whitespace().map(|p| p.split('.').collect::<Path>()).collect()
    }

    /// Every answer is that of the sets themselves.
    #[test]
    fn a_stored_set_answers_as_the_set_that_is_read_from_it() {
        let texts = ["", "a", "a a.b", "a.b", "a.b a.c d", "a.b.c", "d a.b.c a.b", "x.y"];
        for stored in texts.map(set) {
            let Value::Object(fields) = stored.to_fields_v1() else { panic!() };
            assert_eq!(len(&fields), stored.len());
            for other in texts.map(set) {
                assert_eq!(contains(&fields, &other), stored.contains(&other));
                let both = stored.intersection(&other);
                assert_eq!(touches(&fields, &other), !both.is_empty());
                // Once made, once remembered, once known.
                for _ in 0..3 {
                    let [with, without] = [with(&fields, &other), without(&fields, &other)];
                    assert_eq!(Value::Object(with), stored.union(&other).to_fields_v1());
                    assert_eq!(Value::Object(without), stored.difference(&other).to_fields_v1());
                }
            }
        }
    }
}
