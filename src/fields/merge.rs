//! The merge of a configuration into a live object: what the configuration names is taken from
//! it, everything else stays (R-SSA-08 to R-SSA-13).
//!
//! Not here: what the applier gives up (`prune`).

use std::borrow::Cow;

use super::walk::{Form, forms, is_leaf};
use crate::object::fieldset::{PathElement, items};
use crate::object::path::same_value;
use crate::object::schema::{ListType, MapType, Schema, TypeId};
use crate::object::{Key, Map, Value};

/// A merged value, copied only where it is neither of the two.
#[derive(Clone, Debug)]
enum Merged<'a> {
    /// Nothing is left.
    Nothing,
    /// The live value as it is.
    Live(&'a Value),
    /// Another value.
    Other(Cow<'a, Value>),
}

/// Merges a configuration into a live object; `None` if that changes nothing.
///
/// # Errors
/// If items of a list cannot be told apart.
pub(super) fn merge(
    schema: &Schema,
    ty: TypeId,
    live: &Map,
    config: &Map,
) -> Result<Option<Map>, String> {
    let Some(form) = &schema.ty(ty).map else { return Ok(Some(config.clone())) };
    let changes = (Merge { schema }).changes(form, Some(live), config)?;
    Ok((!changes.is_empty()).then(|| changed(Some(live), changes)))
}

/// Keys, sorted, with their new values; `None` where nothing is left.
type Changes<'a> = Vec<(&'a Key, Option<Value>)>;

/// The old map with its changes; what is replaced is not copied first.
fn changed(old: Option<&Map>, changes: Changes<'_>) -> Map {
    let mut map = Vec::with_capacity(old.map_or(0, Map::len) + changes.len());
    let mut changes = changes.into_iter().peekable();
    let mut put = |(key, value): (&Key, Option<Value>)| {
        map.extend(value.map(|value| (key.clone(), value)));
    };
    for (key, value) in old.into_iter().flatten() {
        while let Some(change) = changes.next_if(|(changed, _)| *changed < key) {
            put(change);
        }
        match changes.next_if(|(changed, _)| *changed == key) {
            Some(change) => put(change),
            None => put((key, Some(value.clone()))),
        }
    }
    changes.for_each(put);
    map.into_iter().collect()
}

struct Merge<'s> {
    schema: &'s Schema,
}

impl Merge<'_> {
    fn at<'a>(
        &self,
        ty: TypeId,
        live: Option<&'a Value>,
        config: Option<&'a Value>,
    ) -> Result<Merged<'a>, String> {
        let Some(config) = config else {
            return Ok(live.map_or(Merged::Nothing, Merged::Live));
        };
        let form = forms(self.schema.ty(ty), live, Some(config)).1;
        match form {
            Some(form) if is_leaf(form, live, Some(config)) => Ok(match live {
                Some(live) if same_value(live, config) => Merged::Live(live),
                _ => Merged::Other(Cow::Borrowed(config)),
            }),
            Some(Form::Map(form)) => self.maps(form, live, config),
            Some(Form::List(form)) => self.lists(form, live, config),
            Some(Form::Scalar) | None => Ok(Merged::Other(Cow::Borrowed(config))),
        }
    }

    fn changes<'a>(
        &self,
        form: &MapType,
        old: Option<&'a Map>,
        config: &'a Map,
    ) -> Result<Changes<'a>, String> {
        let mut changes = Vec::new();
        for (key, value) in config {
            let ty = form.type_of(key).unwrap_or(TypeId::DEDUCED);
            match self.at(ty, old.and_then(|o| o.get(key)), Some(value))? {
                Merged::Live(_) => {}
                Merged::Nothing => changes.push((key, None)),
                Merged::Other(value) => changes.push((key, Some(value.into_owned()))),
            }
        }
        Ok(changes)
    }

    fn maps<'a>(
        &self,
        form: &MapType,
        live: Option<&'a Value>,
        config: &'a Value,
    ) -> Result<Merged<'a>, String> {
        let old = live.and_then(Value::as_object);
        let config = config.as_object().map(|config| self.changes(form, old, config));
        let changes = config.unwrap_or(Ok(Vec::new()))?;
        if let (true, Some(live), true) = (changes.is_empty(), live, old.is_some()) {
            return Ok(Merged::Live(live));
        }
        let map = changed(old, changes);
        Ok(if map.is_empty() {
            Merged::Nothing
        } else {
            Merged::Other(Cow::Owned(Value::Object(map)))
        })
    }

    fn lists<'a>(
        &self,
        form: &ListType,
        live: Option<&'a Value>,
        config: &'a Value,
    ) -> Result<Merged<'a>, String> {
        let left = Indexed::new(self.schema, form, live, true)?;
        let right = Indexed::new(self.schema, form, Some(config), false)?;
        let out = Weave { merge: self, ty: form.item, left: &left, right: &right }.run()?;
        let unchanged = out.len() == left.items.len()
            && out.iter().zip(left.items).all(
                |(merged, item)| matches!(merged, Merged::Live(live) if std::ptr::eq(*live, item)),
            );
        if let (true, Some(live)) = (unchanged, live.filter(|l| l.is_array())) {
            return Ok(Merged::Live(live));
        }
        let list: Vec<Value> = out
            .into_iter()
            .filter_map(|merged| match merged {
                Merged::Nothing => None,
                Merged::Live(value) => Some(value.clone()),
                Merged::Other(value) => Some(value.into_owned()),
            })
            .collect();
        Ok(if list.is_empty() {
            Merged::Nothing
        } else {
            Merged::Other(Cow::Owned(Value::Array(list)))
        })
    }
}

/// A list whose items are known by their path elements.
struct Indexed<'a> {
    items: &'a [Value],
    elements: Vec<PathElement>,
}

static NULL: Value = Value::Null;

impl<'a> Indexed<'a> {
    fn new(
        schema: &Schema,
        form: &ListType,
        list: Option<&'a Value>,
        duplicates: bool,
    ) -> Result<Self, String> {
        let items = list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut elements: Vec<PathElement> = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let element =
                items::element(schema, form, item).map_err(|e| format!("element {at}: {e}"))?;
            if !duplicates && elements.contains(&element) {
                return Err(format!("duplicate entries for key {element}"));
            }
            elements.push(element);
        }
        Ok(Self { items, elements })
    }

    /// The item of that element; null if there is more than one, since those do not merge.
    fn get(&self, element: &PathElement) -> Option<&'a Value> {
        let mut found = self.elements.iter().zip(self.items).filter(|(e, _)| *e == element);
        let first = found.next()?;
        Some(if found.next().is_some() { &NULL } else { first.1 })
    }

    fn has(&self, element: &PathElement) -> bool {
        self.elements.contains(element)
    }
}

/// Two lists on their way into one. Applied items keep the applied order, live ones their place
/// relative to neighbours that both have (R-SSA-11).
struct Weave<'w, 'a, 's> {
    merge: &'w Merge<'s>,
    ty: TypeId,
    left: &'w Indexed<'a>,
    right: &'w Indexed<'a>,
}

impl<'w, 'a> Weave<'w, 'a, '_> {
    fn run(&self) -> Result<Vec<Merged<'a>>, String> {
        let (left, right) = (&self.left.elements, &self.right.elements);
        let mut shared = right.iter().filter(|e| self.left.has(e));
        let mut next_shared = shared.next();
        let mut done: Vec<&'w PathElement> = Vec::with_capacity(right.len());
        let mut out = Vec::with_capacity(left.len().max(right.len()));
        let (mut l, mut r) = (0, 0);
        while l < left.len() || r < right.len() {
            if let (Some(a), Some(b)) = (left.get(l), right.get(r)) {
                if a == b {
                    done.push(b);
                    out.push(self.both(b)?);
                    (l, r) = (l + 1, r + 1);
                    next_shared = shared.next();
                    continue;
                }
                if self.right.has(a) && next_shared.is_some_and(|next| next != a) {
                    // Both have it, but it comes later in the applied order.
                    l += 1;
                    continue;
                }
            }
            if let Some(a) = left.get(l) {
                if !self.right.has(a) {
                    out.push(Merged::Live(&self.left.items[l]));
                    l += 1;
                    continue;
                }
                if done.contains(&a) {
                    l += 1;
                }
            }
            if let Some(b) = right.get(r) {
                done.push(b);
                out.push(self.both(b)?);
                r += 1;
                if next_shared == Some(b) {
                    next_shared = shared.next();
                }
            }
        }
        Ok(out)
    }

    fn both(&self, element: &PathElement) -> Result<Merged<'a>, String> {
        self.merge.at(self.ty, self.left.get(element), self.right.get(element))
    }
}
