//! A write without apply: whose managed fields it starts from, and what it adds to them
//! (R-SSA-19, R-SSA-28).

use super::Write;
use super::entry::{Entry, ManagerId, Operation};
use super::managers::{self, Managed};
use super::track::record;
use super::versions::Types;
use crate::object::fieldset::shapes;
use crate::object::schema::{Schema, TypeId, builtin, form};
use crate::object::{Map, Object, Value};

/// Puts into `new`, which is about to be written without apply, the managed fields that follow
/// from what it changes in `live` (`None`: it is created). Both are in printed form and defaulted.
///
/// Where an owner wrote through a version that lacks a field which the object has, upstream cannot
/// tell what is his, and forgets all owners.
pub fn update(
    schema: &Schema,
    ty: TypeId,
    live: Option<&Object>,
    new: &mut Object,
    write: &Write<'_>,
) {
    let sent = new.remove(&managers::PATH);
    if live.is_none() && sent.is_none() && std::ptr::eq(schema, builtin()) {
        return create(Types { schema, ty }, new, write);
    }
    let mut managed = basis(live, sent, write.subresource.is_empty());
    let nothing;
    let old = match live {
        // Who gave up tracking does not take it up again by writing.
        Some(live) if managed.is_empty() && !live.uid().is_empty() => return,
        Some(live) => live,
        None => {
            nothing = form::empty(schema, ty);
            &nothing
        }
    };
    let types = Types { schema, ty };
    if record(types, (old, new), &mut managed, write.manager, write).is_ok() {
        managed.write_to(new);
    }
}

/// The same of an object of a built-in kind that nobody owned anything of.
fn create(types: Types<'_>, new: &mut Object, write: &Write<'_>) {
    let empty = form::empty(types.schema, types.ty);
    let of = shapes::Of { ty: types.ty, reset: write.reset, empty: &empty };
    let fields = shapes::owned(of, new, || {
        let mut managed = Managed::default();
        // What is of one version, the server's own, can always be told.
        let _ = record(types, (&empty, new), &mut managed, write.manager, write);
        managed.entries.pop().map(Entry::into_fields).unwrap_or_default()
    });
    let id = ManagerId::new(write.manager, Operation::Update, write.api_version, write.subresource);
    let time = Some(write.now.rfc3339());
    let mut managed = Managed::default();
    if !fields.is_empty() {
        managed.put(Entry::of_stored(&id, write.api_version, fields, time));
    }
    managed.write_to(new);
}

/// The entries that a write starts from: those that the writer sent, if that counts, else the live
/// ones. Mostly the two are the same.
fn basis(live: Option<&Object>, sent: Option<Value>, counts: bool) -> Managed {
    let stored = live.map_or(&[][..], |live| live.list(&managers::PATH));
    match sent {
        Some(Value::Array(list)) if list == stored && !list.is_empty() => Managed::stored(list),
        Some(Value::Array(list)) if counts => match given(&list) {
            Some(managed) => return managed,
            None => Managed::stored(stored.to_vec()),
        },
        _ => Managed::stored(stored.to_vec()),
    }
    .unwrap_or_default()
}

/// The managed fields that the writer sent; `None` if the live ones count.
fn given(list: &[Value]) -> Option<Managed> {
    let cleared = match list {
        [] => true,
        [one] => one.as_object().is_some_and(Map::is_empty),
        _ => false,
    };
    if cleared {
        return Some(Managed::default());
    }
    Managed::decode(list).ok().filter(|m| !m.is_empty())
}

/// Takes the times of the managed fields from `live` if nothing but them differs (R-SSA-26).
pub fn keep_times(live: &Object, new: &mut Object) {
    let entries = ["metadata", "managedFields"];
    let (old, now) = (live.list(&entries), new.list(&entries));
    let same = old.len() == now.len() && old.iter().zip(now).all(|(a, b)| same_but(a, b, "time"));
    if !same || old == now || !same_but_entries(&live.0, &new.0) {
        return;
    }
    let metadata = new.0.get_mut("metadata").and_then(|m| m.get_mut("managedFields"));
    let Some(Value::Array(list)) = metadata else { return };
    for (entry, old) in list.iter_mut().filter_map(Value::as_object_mut).zip(old) {
        match old.get("time") {
            Some(time) if entry.get("time") == Some(time) => {}
            Some(time) => drop(entry.insert("time".to_owned(), time.clone())),
            None => drop(entry.remove("time")),
        }
    }
}

/// Whether two objects are the same, managed fields apart.
pub(super) fn same_but_entries(a: &Map, b: &Map) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|((k, v), (l, w))| {
            k == l && if k == "metadata" { same_but(v, w, "managedFields") } else { v == w }
        })
}

/// Whether two values are the same; if both are maps, one key apart.
fn same_but(a: &Value, b: &Value, key: &str) -> bool {
    let (Value::Object(a), Value::Object(b)) = (a, b) else { return a == b };
    let rest = |map| Map::iter(map).filter(|(k, _)| *k != key);
    rest(a).eq(rest(b))
}
