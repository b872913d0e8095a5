//! JSON patches as kustomize applies them: RFC 6902 in the Go library that the API server uses
//! too, which lets `replace` add a key and takes negative indices.

use super::path;
use crate::object::yaml::Dialect;
use crate::object::yaml::spanned::Node;
use crate::object::{Object, Value};

/// An operation of a JSON patch.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operation {
    verb: Verb,
    path: String,
    from: String,
    value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,
}

/// Reads a JSON patch from a list of operations.
///
/// # Errors
/// The operation that is none, as line within the patch and message.
pub(super) fn read(list: &Node) -> Result<Vec<Operation>, (usize, String)> {
    list.items().iter().map(|item| operation(item).map_err(|why| (item.line, why))).collect()
}

fn operation(item: &Node) -> Result<Operation, String> {
    let value = item.to_value(Dialect::Kubectl).map_err(|error| error.message)?;
    let text = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let verb = match text("op").as_deref() {
        Some("add") => Verb::Add,
        Some("remove") => Verb::Remove,
        Some("replace") => Verb::Replace,
        Some("move") => Verb::Move,
        Some("copy") => Verb::Copy,
        Some("test") => Verb::Test,
        other => {
            let other = other.unwrap_or("nothing");
            return Err(format!(
                "op must be add, remove, replace, move, copy or test, not {other:?}"
            ));
        }
    };
    let path = text("path").ok_or("path is missing")?;
    let from = text("from").unwrap_or_default();
    if from.is_empty() && matches!(verb, Verb::Move | Verb::Copy) {
        return Err("from is missing".to_owned());
    }
    let value = value.get("value").cloned().unwrap_or_default();
    Ok(Operation { verb, path, from, value })
}

/// Applies a JSON patch to an object.
///
/// # Errors
/// The first operation that does not apply; the object is then of no use.
pub(super) fn apply(object: &mut Object, operations: &[Operation]) -> Result<(), String> {
    let mut root = Value::Object(std::mem::take(&mut object.0));
    let result = operations.iter().try_for_each(|operation| one(&mut root, operation));
    round(&mut root);
    if let Value::Object(map) = root {
        object.0 = map;
    }
    result
}

/// The object goes through JSON with nothing but floats: long whole numbers lose their last digits.
fn round(value: &mut Value) {
    const EXACT: u64 = 1 << 53;
    match value {
        Value::Array(items) => items.iter_mut().for_each(round),
        Value::Object(map) => map.values_mut().for_each(round),
        Value::Number(number) => {
            let is_long = number.as_u64().or(number.as_i64().map(i64::unsigned_abs));
            if is_long.is_some_and(|size| size > EXACT)
                && let Some(float) = number.as_f64()
            {
                *value = path::plain(&format!("{float}"));
            }
        }
        _ => {}
    }
}

fn one(root: &mut Value, operation: &Operation) -> Result<(), String> {
    let Operation { verb, path, from, value } = operation;
    match verb {
        Verb::Add => add(root, path, value.clone()),
        Verb::Remove => take(root, path).map(drop),
        Verb::Replace => replace(root, path, value.clone()),
        Verb::Move => take(root, from).and_then(|value| add(root, path, value)),
        Verb::Copy => {
            let value = get(root, from)?.clone();
            add(root, path, value)
        }
        Verb::Test => {
            let found = get(root, path).unwrap_or(&Value::Null);
            if found == value {
                Ok(())
            } else {
                Err(format!("test of {path} failed: it is {found}"))
            }
        }
    }
}

fn missing(path: &str) -> String {
    format!("there is no {path}")
}

/// The map or list that holds what is at `path`, and the last segment.
fn holder<'v>(root: &'v mut Value, path: &str) -> Result<(&'v mut Value, String), String> {
    let mut segments: Vec<String> =
        path.split('/').skip(1).map(|s| s.replace("~1", "/").replace("~0", "~")).collect();
    let last = segments.pop().ok_or_else(|| format!("path {path:?} must name a field"))?;
    let mut value = root;
    for segment in segments {
        value = child(value, &segment).ok_or_else(|| missing(path))?;
    }
    Ok((value, last))
}

fn child<'v>(value: &'v mut Value, segment: &str) -> Option<&'v mut Value> {
    match value {
        Value::Object(map) => map.get_mut(segment),
        Value::Array(items) => {
            let at = index(segment, items.len()).ok()?;
            items.get_mut(at)
        }
        _ => None,
    }
}

/// A place in a list of `len` items; negative ones count from the end.
fn index(segment: &str, len: usize) -> Result<usize, String> {
    let wrong = || format!("{segment:?} is no place in a list of {len}");
    let at: i64 = segment.parse().map_err(|_| wrong())?;
    let len_signed = i64::try_from(len).map_err(|_| wrong())?;
    usize::try_from(if at < 0 { at + len_signed } else { at }).map_err(|_| wrong())
}

fn add(root: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let (holder, last) = holder(root, path)?;
    match holder {
        Value::Object(map) => {
            map.insert(last, value);
            Ok(())
        }
        Value::Array(items) if last == "-" => {
            items.push(value);
            Ok(())
        }
        Value::Array(items) => {
            let at = index(&last, items.len() + 1)?;
            if at > items.len() {
                return Err(format!("{path} is past the end of a list of {}", items.len()));
            }
            items.insert(at, value);
            Ok(())
        }
        _ => Err(missing(path)),
    }
}

fn take(root: &mut Value, path: &str) -> Result<Value, String> {
    let (holder, last) = holder(root, path)?;
    match holder {
        Value::Object(map) => map.remove(&last).ok_or_else(|| missing(path)),
        Value::Array(items) => {
            let at = index(&last, items.len())?;
            if at < items.len() { Ok(items.remove(at)) } else { Err(missing(path)) }
        }
        _ => Err(missing(path)),
    }
}

fn replace(root: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let (holder, last) = holder(root, path)?;
    match holder {
        Value::Object(map) => {
            map.insert(last, value);
            Ok(())
        }
        Value::Array(items) => {
            let at = index(&last, items.len())?;
            let slot = items.get_mut(at).ok_or_else(|| missing(path))?;
            *slot = value;
            Ok(())
        }
        _ => Err(missing(path)),
    }
}

fn get<'v>(root: &'v mut Value, path: &str) -> Result<&'v Value, String> {
    let (holder, last) = holder(root, path)?;
    child(holder, &last).map(|value| &*value).ok_or_else(|| missing(path))
}
