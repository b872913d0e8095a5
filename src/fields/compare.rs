//! What differs between two versions of an object, as sets of fields.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::walk::{Form, forms, is_leaf};
use crate::object::fieldset::{PathElement, Set, items};
use crate::object::path::same_value;
use crate::object::schema::{ListType, MapType, Schema, TypeId};
use crate::object::{Key, Map, Value};

/// The differences; no field is in two of the sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) removed: Set,
    pub(super) modified: Set,
    pub(super) added: Set,
}

/// Compares two objects of one type. Most writes change one part of an object, so that the others
/// are looked at for equality first.
pub(super) fn compare(schema: &Schema, ty: TypeId, left: &Map, right: &Map) -> Comparison {
    let mut out = Comparison::default();
    if let Some(form) = &schema.ty(ty).map {
        let compare = Compare { schema };
        each_pair(left, right, |key, left, right| {
            if left != right {
                compare.pair(form, key, left, right, &mut out);
            }
        });
    }
    out
}

impl Comparison {
    /// Without what an endpoint does not let a client set.
    pub(super) fn without(mut self, reset: &Set) -> Self {
        for set in [&mut self.removed, &mut self.modified, &mut self.added] {
            set.subtract_recursively(reset);
        }
        self
    }

    /// What is set, be it new or not.
    pub(super) fn set(self) -> Set {
        self.modified.joined(self.added)
    }

    /// Adds what differs below an element.
    fn put(&mut self, element: PathElement, node: Difference) {
        let Difference { below, removed, modified, added } = node;
        if !removed && !modified && below.removed.is_empty() && below.modified.is_empty() {
            // All there is to a new object.
            self.added.put(element, added, below.added);
            return;
        }
        for (set, member, below) in [
            (&mut self.removed, removed, below.removed),
            (&mut self.modified, modified, below.modified),
            (&mut self.added, added, below.added),
        ] {
            if member || !below.is_empty() {
                set.put(element.clone(), member, below);
            }
        }
    }
}

/// What differs at a place and below it.
#[derive(Default)]
struct Difference {
    below: Comparison,
    removed: bool,
    modified: bool,
    added: bool,
}

impl Difference {
    fn is_none(&self) -> bool {
        let sets = [&self.below.removed, &self.below.modified, &self.below.added];
        !self.removed && !self.modified && !self.added && sets.iter().all(|s| s.is_empty())
    }
}

struct Compare<'a> {
    schema: &'a Schema,
}

impl Compare<'_> {
    fn at(&self, ty: TypeId, left: Option<&Value>, right: Option<&Value>) -> Difference {
        let mut out = Difference::default();
        let ty = self.schema.ty(ty);
        let (other, form) = forms(ty, left, right);
        if let Some(other) = other {
            self.walk(other, left, right, &mut out);
        }
        let in_leaf = form.is_some_and(|form| self.walk(form, left, right, &mut out));
        if !in_leaf {
            out.added |= left.is_none();
            out.removed |= right.is_none() && left.is_some();
        }
        out
    }

    /// Walks in one form; whether the place turned out to be a leaf.
    fn walk(
        &self,
        form: Form<'_>,
        left: Option<&Value>,
        right: Option<&Value>,
        out: &mut Difference,
    ) -> bool {
        if is_leaf(form, left, right) {
            match (left, right) {
                (None, _) => out.added = true,
                (_, None) => out.removed = true,
                (Some(left), Some(right)) => out.modified |= !same_value(left, right),
            }
            return true;
        }
        match form {
            Form::Map(form) => self.maps(form, as_map(left), as_map(right), &mut out.below),
            Form::List(form) => self.lists(form, as_list(left), as_list(right), &mut out.below),
            Form::Scalar => {}
        }
        false
    }

    fn maps(&self, form: &MapType, left: Option<&Map>, right: Option<&Map>, out: &mut Comparison) {
        let none = &Map::new();
        each_pair(left.unwrap_or(none), right.unwrap_or(none), |key, left, right| {
            self.pair(form, key, left, right, out);
        });
    }

    fn pair(
        &self,
        form: &MapType,
        key: &Key,
        left: Option<&Value>,
        right: Option<&Value>,
        out: &mut Comparison,
    ) {
        // What both share is the same all the way down.
        if let (Some(Value::Object(left)), Some(Value::Object(right))) = (left, right)
            && left.is_same(right)
        {
            return;
        }
        // Equal values differ in no form. For those that are deep, the walk finds out.
        if left.is_some_and(is_shallow) && left == right {
            return;
        }
        // A key that the type does not have has been refused before.
        let field = form.fields.of_key(key);
        let ty = field.map(|field| field.ty).or(form.item).unwrap_or(TypeId::DEDUCED);
        let difference = self.at(ty, left, right);
        if !difference.is_none() {
            let element = PathElement::field(key);
            out.put(element, difference);
        }
    }

    fn lists(&self, form: &ListType, left: &[Value], right: &[Value], out: &mut Comparison) {
        if left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same_value(l, r)) {
            return;
        }
        let mut found: BTreeMap<PathElement, [Vec<&Value>; 2]> = BTreeMap::new();
        for (side, list) in [left, right].into_iter().enumerate() {
            for item in list {
                // An item that cannot be told from others has been refused before.
                if let Ok(element) = items::element(self.schema, form, item) {
                    found.entry(element).or_default()[side].push(item);
                }
            }
        }
        for (element, [left, right]) in found {
            out.put(element, self.items(form.item, &left, &right));
        }
    }

    /// Compares the items of one key. What is there twice is one opaque thing (R-SSA-13).
    fn items(&self, ty: TypeId, left: &[&Value], right: &[&Value]) -> Difference {
        match (left, right) {
            ([] | [_], [] | [_]) => self.at(ty, left.first().copied(), right.first().copied()),
            ([_, _, ..], [_, _, ..]) => {
                let same = left.len() == right.len()
                    && left.iter().zip(right).all(|(l, r)| same_value(l, r));
                Difference { modified: !same, ..Difference::default() }
            }
            ([_, _, ..], right) => {
                let new = right.first().map(|item| self.at(ty, None, Some(item)));
                Difference { removed: true, ..new.unwrap_or_default() }
            }
            (left, _) => {
                let old = left.first().map(|item| self.at(ty, Some(item), None));
                Difference { added: true, ..old.unwrap_or_default() }
            }
        }
    }
}

/// Walks two maps at once, in the order of their keys.
fn each_pair<'a>(
    left: &'a Map,
    right: &'a Map,
    mut each: impl FnMut(&'a Key, Option<&'a Value>, Option<&'a Value>),
) {
    let (mut lefts, mut rights) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let ordering = match (lefts.peek(), rights.peek()) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((l, _)), Some((r, _))) => l.cmp(r),
        };
        let left = lefts.next_if(|_| ordering.is_le());
        let right = rights.next_if(|_| ordering.is_ge());
        if let Some((key, _)) = left.or(right) {
            each(key, left.map(|(_, value)| value), right.map(|(_, value)| value));
        }
    }
}

fn is_shallow(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

fn as_map(value: Option<&Value>) -> Option<&Map> {
    value.and_then(Value::as_object)
}

fn as_list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
