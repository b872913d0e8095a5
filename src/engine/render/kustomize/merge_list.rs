//! Kustomize's merge of lists whose items have keys.
//!
//! The order of its steps decides what happens to items that lack a key or share one, so the
//! steps are kept: gather the key values, patch first; merge item by item; then lay the items of
//! the object over the merged ones, in place where a key fits, behind them where none does.

use super::merge::{self, Directive};
use super::schema::{Field, TypeRef};
use crate::engine::render::kustomize::fieldspec::scalar_text;
use crate::object::{Map, Value};

/// Merges `origin` into `dest` by `keys`; without keys, items are scalars and the lists sets.
pub(super) fn merge(
    mut dest: Vec<Value>,
    origin: Option<&[Value]>,
    keys: &[&str],
    item: Option<TypeRef<'_>>,
) -> Result<Vec<Value>, String> {
    if keys.is_empty() {
        return Ok(union(dest, origin));
    }
    let mut tuples = key_values(&dest, origin, keys);
    if tuples.is_empty() {
        return Ok(dest);
    }
    if keys.len() > 1 {
        unify(&mut tuples);
    }
    let mut merged: Vec<Value> = Vec::new();
    let mut used: Vec<&str> = keys.to_vec();
    for tuple in &tuples {
        let (names, values) = valid(&tuples, tuple, keys);
        used.clone_from(&names);
        let found = merge_item(&mut dest, origin, &names, &values, item)?;
        match found {
            None => place(&mut dest, None, &names, &values)?,
            Some(found) => place(&mut merged, Some(found), &names, &values)?,
        }
    }
    lay_over(&mut merged, dest, &used)?;
    Ok(merged)
}

/// Both lists as sets of scalars, the patch's first.
fn union(dest: Vec<Value>, origin: Option<&[Value]>) -> Vec<Value> {
    let mut merged: Vec<Value> = Vec::new();
    for value in origin.unwrap_or_default().iter().cloned().chain(dest) {
        if !merged.iter().any(|have| scalar_text(have) == scalar_text(&value)) {
            merged.push(value);
        }
    }
    merged
}

/// The distinct key values of all items, the patch's first; empty where an item lacks the key.
fn key_values(dest: &[Value], origin: Option<&[Value]>, keys: &[&str]) -> Vec<Vec<String>> {
    let mut tuples: Vec<Vec<String>> = Vec::new();
    for item in origin.unwrap_or_default().iter().chain(dest) {
        let text = |key: &&str| match item.get(*key) {
            None | Some(Value::Null) => String::new(),
            Some(value) => scalar_text(value).unwrap_or_default(),
        };
        let tuple: Vec<String> = keys.iter().map(text).collect();
        if !tuples.contains(&tuple) {
            tuples.push(tuple);
        }
    }
    tuples
}

/// Makes key values that agree where both have one, and agree somewhere, the same.
fn unify(tuples: &mut [Vec<String>]) {
    for i in 0..tuples.len() {
        for j in 0..tuples.len() {
            if let Some(both) = joined(&tuples[i], &tuples[j]) {
                tuples[i].clone_from(&both);
                tuples[j] = both;
            }
        }
    }
}

fn joined(a: &[String], b: &[String]) -> Option<Vec<String>> {
    let mut agree = false;
    let mut both = Vec::with_capacity(a.len());
    for (x, y) in a.iter().zip(b) {
        if x == y {
            agree = true;
        } else if !x.is_empty() && !y.is_empty() {
            return None;
        }
        both.push(if x.is_empty() { y.clone() } else { x.clone() });
    }
    agree.then_some(both)
}

/// The keys that any of `tuples` has a value for, and the values of `tuple` for them.
fn valid<'k>(
    tuples: &[Vec<String>],
    tuple: &[String],
    keys: &[&'k str],
) -> (Vec<&'k str>, Vec<String>) {
    let has = |at: usize| tuples.iter().any(|t| !t[at].is_empty());
    let kept: Vec<usize> = (0..keys.len()).filter(|at| has(*at)).collect();
    if kept.is_empty() {
        return (keys.to_vec(), tuple.to_vec());
    }
    (kept.iter().map(|at| keys[*at]).collect(), kept.iter().map(|at| tuple[*at].clone()).collect())
}

/// Merges the items of both lists that have these key values; `None` where nothing is left. The
/// item of `dest` is changed in its place too, unless the patch replaces it.
fn merge_item(
    dest: &mut [Value],
    origin: Option<&[Value]>,
    names: &[&str],
    values: &[String],
    item: Option<TypeRef<'_>>,
) -> Result<Option<Value>, String> {
    let tuple = values.to_vec();
    let (some_names, some_values) = valid(std::slice::from_ref(&tuple), &tuple, names);
    let fits = |candidate: &&Value| {
        let fits = |(name, value): (&&str, &String)| {
            candidate.get(*name).and_then(scalar_text).as_ref() == Some(value)
        };
        candidate.is_object() && some_names.iter().zip(&some_values).all(fits)
    };
    let at = dest.iter().position(|candidate| fits(&candidate));
    let from = origin.and_then(|origin| origin.iter().find(fits));
    let old = at.map(|at| dest[at].clone());
    let field = Field { keys: None, item };
    let Some(Value::Object(mut found)) = merge::value(old, from, field)? else { return Ok(None) };
    if found.is_empty() {
        return Ok(None);
    }
    for (name, value) in names.iter().zip(values) {
        if !value.is_empty() && !found.contains_key(name) {
            found.insert((*name).to_owned(), plain(value));
        }
    }
    let replaced = match from {
        Some(Value::Object(from)) => merge::directive_of(from)? == Directive::Replace,
        _ => false,
    };
    let found = Value::Object(found);
    if let (Some(at), false) = (at, replaced) {
        dest[at].clone_from(&found);
    }
    Ok(Some(found))
}

/// A key value put back as it would be read: a number where it looks like one.
fn plain(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from)
}

/// Puts `element` in the place of the items with these key values, or behind the list where there
/// are none; `None` takes them out. Items that are null or empty maps are dropped on the way, and
/// with no values at all every item that is a map is.
fn place(
    list: &mut Vec<Value>,
    element: Option<Value>,
    names: &[&str],
    values: &[String],
) -> Result<(), String> {
    let mut kept = Vec::with_capacity(list.len() + 1);
    let mut is_placed = false;
    for item in std::mem::take(list) {
        if item.is_null() || item.as_object().is_some_and(Map::is_empty) {
            continue;
        }
        let Some(map) = item.as_object() else {
            if values.first().is_some_and(|value| !value.is_empty()) {
                kept.push(item);
                continue;
            }
            return Err(format!("expected a map with {}, found {item}", names.join(" and ")));
        };
        if !has(map, names, values) {
            if !values.is_empty() {
                kept.push(item);
            }
            continue;
        }
        is_placed = true;
        kept.extend(element.clone());
    }
    if !is_placed {
        kept.extend(element.filter(|element| !element.is_null()));
    }
    *list = kept;
    Ok(())
}

/// Whether an item has these key values; keys past the values do not count, and an empty value
/// fits any.
fn has(item: &Map, names: &[&str], values: &[String]) -> bool {
    !values.is_empty()
        && names.iter().zip(values).all(|(name, value)| match item.get(name) {
            None => false,
            Some(_) if value.is_empty() => true,
            Some(found) => scalar_text(found).unwrap_or_default() == *value,
        })
}

/// Lays the items of the object over the merged ones.
fn lay_over(merged: &mut Vec<Value>, dest: Vec<Value>, names: &[&str]) -> Result<(), String> {
    for item in dest {
        let Some(map) = item.as_object() else {
            return Err(format!("expected a map with {}, found {item}", names.join(" and ")));
        };
        let mut values = Vec::new();
        for name in names {
            match map.get(name) {
                None => merged.push(item.clone()),
                Some(value) => values.push(scalar_text(value).unwrap_or_default()),
            }
        }
        if names.len() > 1 {
            place(merged, None, names, &values)?;
        }
        place(merged, Some(item), names, &values)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[track_caller]
    fn check(keys: &[&str], dest: Value, origin: Value, expected: &Value) {
        let list = |value: Value| value.as_array().cloned().unwrap();
        let merged = merge(list(dest), Some(&list(origin)), keys, None).unwrap();
        assert_eq!(&Value::Array(merged), expected);
    }

    #[test]
    fn items_merge_by_key_and_new_ones_go_in_front() {
        check(
            &["name"],
            json!([{"name": "a", "x": 1}, {"name": "b"}]),
            json!([{"name": "c"}, {"name": "b", "y": 2}]),
            &json!([{"name": "c"}, {"name": "b", "y": 2}, {"name": "a", "x": 1}]),
        );
        check(&[], json!(["a", "b"]), json!(["c", "a"]), &json!(["c", "a", "b"]));
    }

    #[test]
    fn a_second_key_that_is_missing_is_filled_from_the_other_side() {
        check(
            &["port", "protocol"],
            json!([{"port": 80, "protocol": "TCP"}]),
            json!([{"port": 80, "name": "x"}]),
            &json!([{"port": 80, "protocol": "TCP"}]),
        );
        check(
            &["port", "protocol"],
            json!([{"port": 80, "protocol": "TCP"}]),
            json!([{"port": 80, "protocol": "TCP", "name": "x"}, {"port": 81}]),
            // The object's item goes out and in again, behind what is new.
            &json!([{"port": 81}, {"port": 80, "protocol": "TCP", "name": "x"}]),
        );
    }
}
