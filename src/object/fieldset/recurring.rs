//! Levels of `fieldsV1` that recur, made once and shared from then on.
//!
//! What a controller owns in the objects of one kind is mostly the same in all of them: a thousand
//! pods have a thousand times the same few levels below `f:spec` and `f:status`. A map is shared
//! until it is written to, so one of each will do, which saves the memory as well as the work.
//!
//! So are the changes of such sets: when pods become ready the same is added to the same, and when a
//! Deployment's count falls to zero the same goes.
//!
//! Not here: how results are remembered (`memo`).

use std::cell::RefCell;

use super::memo::{Memo, recalled};
use super::{PathElement, Set};
use crate::object::word::{self, mix};
use crate::object::{Map, Value};

/// Levels, and changes, that are remembered.
const PLACES: usize = 1024;

/// A level that recurred: what it was made of, and what came of it.
struct Level {
    set: Set,
    with_self: bool,
    map: Map,
}

/// What is done to a stored set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// A set is added.
    Add,
    /// A set is taken away.
    Take,
}

/// A change of a stored set that recurred.
struct Change {
    fields: Map,
    op: Op,
    set: Set,
    result: Map,
}

thread_local! {
    static LEVELS: RefCell<Memo<Level>> = Memo::with_places(PLACES);
    static CHANGES: RefCell<Memo<Change>> = Memo::with_places(PLACES);
}

/// The map of a level, made by `make` where none like it is known.
pub(super) fn level(set: &Set, with_self: bool, make: impl FnOnce() -> Map) -> Map {
    let find = |level: &Level| {
        let is_it = level.with_self == with_self && level.set == *set;
        is_it.then(|| level.map.clone())
    };
    let keep = |map: &Map| Level { set: set.clone(), with_self, map: map.clone() };
    recalled(&LEVELS, print(set, u64::from(with_self)), find, make, keep)
}

/// What comes of a stored set by a change, by `make` where none like it is known.
pub(super) fn changed(fields: &Map, op: Op, set: &Set, make: impl FnOnce() -> Map) -> Map {
    let levels = fields.iter().fold(op as u64, |print, (key, below)| {
        let keys = below.as_object().into_iter().flat_map(Map::keys);
        keys.fold(mix(print, key.print()), |print, key| mix(print, key.print()))
    });
    let find = |change: &Change| {
        let is_it = change.op == op && change.fields == *fields && change.set == *set;
        is_it.then(|| change.result.clone())
    };
    let keep = |result: &Map| {
        let (fields, set, result) = (fields.clone(), set.clone(), result.clone());
        Change { fields, op, set, result }
    };
    recalled(&CHANGES, print(set, levels), find, make, keep)
}

/// A number that equal sets share and others mostly do not.
fn print(set: &Set, start: u64) -> u64 {
    set.nodes().iter().fold(mix(start, set.nodes().len() as u64), |print, node| {
        let element = match &node.element {
            PathElement::Field(name) => name.print(),
            PathElement::Key(fields) => fields
                .iter()
                .fold(1, |print, (name, value)| mix(mix(print, name.print()), print_of(value))),
            PathElement::Value(value) => mix(2, print_of(value)),
            PathElement::Index(_) => 3,
        };
        let print = mix(mix(print, element), u64::from(node.member));
        if node.below.is_empty() { print } else { self::print(&node.below, print) }
    })
}

fn print_of(value: &Value) -> u64 {
    match value {
        Value::String(text) => word::print(text),
        Value::Number(number) => number.as_u64().unwrap_or(5),
        _ => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Path;
    use super::*;
    use crate::object::json;

    #[test]
    fn what_recurs_is_shared_and_what_differs_is_not() {
        let fields = |of: &str| -> Map {
            let paths = ["spec.a", "spec.b", of].map(|path| path.split('.').collect::<Path>());
            let value = Set::from_iter(paths).to_fields_v1();
            value["f:spec"].as_object().cloned().unwrap_or_default()
        };
        let first = fields("status.x");
        let [second, third] = [fields("status.y"), fields("status.z")];
        assert!(!first.is_same(&second), "what is seen once is not remembered");
        assert!(second.is_same(&third));
        let other = fields("spec.c");
        assert_eq!(Value::Object(other), json!({"f:a": {}, "f:b": {}, "f:c": {}}));
        assert_eq!(Value::Object(third), json!({"f:a": {}, "f:b": {}}));
    }
}
