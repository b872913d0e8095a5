//! Levels of `fieldsV1` that recur, made once and shared from then on.
//!
//! What a controller owns in the objects of one kind is mostly the same in all of them: a thousand
//! pods have a thousand times the same few levels below `f:spec` and `f:status`. A map is shared
//! until it is written to, so one of each will do, which saves the memory as well as the work.
//!
//! So are the changes of such sets: when pods become ready the same is added to the same, and when a
//! Deployment's count falls to zero the same goes.
//!
//! This remembers results of pure functions and changes none of them. It is bounded, and what is
//! seen once only is not remembered.

use std::cell::RefCell;

use super::{PathElement, Set};
use crate::object::value::names::{self, mix};
use crate::object::{Map, Value};

/// Places for levels; which one a level has follows from its print.
const PLACES: usize = 1024;

/// A level that recurred: what it was made of, and what came of it.
struct Level {
    set: Set,
    with_self: bool,
    map: Map,
}

#[derive(Default)]
struct Place {
    /// The print that was here last.
    seen: u64,
    level: Option<Box<Level>>,
}

thread_local! {
    static LEVELS: RefCell<Vec<Place>> =
        RefCell::new(std::iter::repeat_with(Place::default).take(PLACES).collect());
}

/// The map of a level, made by `make` where none like it is known.
pub(super) fn level(set: &Set, with_self: bool, make: impl FnOnce() -> Map) -> Map {
    let print = print(set, u64::from(with_self));
    let at = usize::try_from(print >> 32).unwrap_or_default() % PLACES;
    let known = LEVELS.with_borrow(|places| {
        let level = places[at].level.as_ref()?;
        let is_it = level.with_self == with_self && level.set == *set;
        is_it.then(|| level.map.clone())
    });
    if let Some(map) = known {
        return map;
    }
    let map = make();
    LEVELS.with_borrow_mut(|places| {
        let place = &mut places[at];
        if place.seen == print {
            let (set, map) = (set.clone(), map.clone());
            place.level = Some(Box::new(Level { set, with_self, map }));
        }
        place.seen = print;
    });
    map
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

#[derive(Default)]
struct ChangePlace {
    /// The print that was here last.
    seen: u64,
    change: Option<Box<Change>>,
}

thread_local! {
    static CHANGES: RefCell<Vec<ChangePlace>> =
        RefCell::new(std::iter::repeat_with(ChangePlace::default).take(PLACES).collect());
}

/// What comes of a stored set by a change, by `make` where none like it is known.
pub(super) fn changed(fields: &Map, op: Op, set: &Set, make: impl FnOnce() -> Map) -> Map {
    let levels = fields.iter().fold(op as u64, |print, (key, below)| {
        let keys = below.as_object().into_iter().flat_map(Map::keys);
        keys.fold(mix(print, key.print()), |print, key| mix(print, key.print()))
    });
    let print = print(set, levels);
    let at = usize::try_from(print >> 32).unwrap_or_default() % PLACES;
    let known = CHANGES.with_borrow(|places| {
        let change = places[at].change.as_ref()?;
        let is_it = change.op == op && change.fields == *fields && change.set == *set;
        is_it.then(|| change.result.clone())
    });
    if let Some(result) = known {
        return result;
    }
    let result = make();
    CHANGES.with_borrow_mut(|places| {
        let place = &mut places[at];
        if place.seen == print {
            let (fields, set, result) = (fields.clone(), set.clone(), result.clone());
            place.change = Some(Box::new(Change { fields, op, set, result }));
        }
        place.seen = print;
    });
    result
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
        Value::String(text) => names::print(text),
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
