//! Lists of a strategic merge patch: directives among the items, and the order of what comes out.

use super::PatchError;
use crate::object::{Map, Value, go};

pub(super) const DIRECTIVE: &str = "$patch";
pub(super) const SET_ORDER: &str = "$setElementOrder";

/// A map of JSON.
pub(super) type Fields = Map;

/// Carries out the directives among a list's items: the live items that stay and the patch items
/// that are left.
pub(super) fn special_items(
    mut live: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
    let mut left = Vec::new();
    let mut replace = false;
    for item in patch {
        let Value::Object(fields) = &item else { continue };
        match fields.get(DIRECTIVE).map(Value::as_str) {
            None => left.push(item),
            Some(Some("delete")) => {
                let value = fields.get(key).ok_or_else(|| no_key(fields, key))?;
                live.retain(|old| old.get(key) != Some(value));
            }
            Some(Some("replace")) => replace = true,
            Some(Some("merge")) => {
                let text = "merging lists cannot yet be specified in the patch";
                return Err(PatchError::Failed(text.to_owned()));
            }
            Some(_) => return Err(unknown_directive(fields)),
        }
    }
    Ok(if replace { (left, Vec::new()) } else { (live, left) })
}

/// Whether all items are maps; they must be of one kind.
pub(super) fn same_kind<'a>(items: impl Iterator<Item = &'a Value>) -> Result<bool, PatchError> {
    let mut first = None;
    for item in items {
        if item.is_array() {
            return Err(PatchError::Rejected("lists of lists are not supported".to_owned()));
        }
        let kind = std::mem::discriminant(item);
        if *first.get_or_insert((kind, item.is_object())) != (kind, item.is_object()) {
            return Err(PatchError::Failed("list element types are not identical".to_owned()));
        }
    }
    Ok(first.is_some_and(|(_, map)| map))
}

pub(super) fn united(live: &[Value], patch: &[Value]) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for item in live.iter().chain(patch) {
        if !out.contains(item) {
            out.push(item.clone());
        }
    }
    out
}

/// What tells the items of a list apart: the value of their key, or without one the items.
pub(super) fn ids(list: &[Value], key: Option<&str>) -> Vec<Option<Value>> {
    list.iter().map(|item| id(item, key).cloned()).collect()
}

fn id<'a>(item: &'a Value, key: Option<&str>) -> Option<&'a Value> {
    key.map_or(Some(item), |key| item.get(key))
}

/// Merged items in order: those that `order` names follow it, the others keep the server's order,
/// and the two are woven so that what the server knows stays in its order. Both are [`ids`].
pub(super) fn ordered(
    merged: Vec<Value>,
    order: &[Option<Value>],
    server: &[Option<Value>],
    key: Option<&str>,
) -> Vec<Value> {
    let at = |list: &[Option<Value>], item: &Value| {
        list.iter().position(|other| other.as_ref() == id(item, key))
    };
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| at(order, item).is_some());
    named.sort_by_key(|item| at(order, item));
    others.sort_by_key(|item| at(server, item).unwrap_or(usize::MAX));
    let mut out = Vec::with_capacity(named.len() + others.len());
    let (mut left, mut right) = (others.into_iter().peekable(), named.into_iter().peekable());
    while let (Some(l), Some(r)) = (left.peek(), right.peek()) {
        let before = matches!((at(server, l), at(server, r)), (Some(l), Some(r)) if l < r);
        out.extend(if before { left.next() } else { right.next() });
    }
    out.extend(left.chain(right));
    out
}

/// The patch's items must be in the order of `$setElementOrder`.
pub(super) fn follows(
    patch: &[Value],
    order: &[Value],
    key: Option<&str>,
) -> Result<(), PatchError> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    let mut rest = order.iter();
    for item in patch.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        let wanted = match (key, item) {
            (Some(key), Value::Object(fields)) => {
                Some(fields.get(key).ok_or_else(|| no_key(fields, key))?)
            }
            (Some(_), _) => return Err(bad_type()),
            (None, item) => Some(item),
        };
        let matches = |o: &&Value| key.map_or(Some(*o), |k| o.get(k)) == wanted;
        if rest.find(matches).is_none() {
            let (patch, order) = (go::plain_list(patch), go::plain_list(order));
            return Err(PatchError::Failed(format!(
                "The order in patch list:\n{patch}\n doesn't match {SET_ORDER} list:\n{order}\n"
            )));
        }
    }
    Ok(())
}

pub(super) fn bad_type() -> PatchError {
    PatchError::Failed(
        "expected a []interface {}, but received a map[string]interface {}".to_owned(),
    )
}

pub(super) fn unknown_directive(patch: &Fields) -> PatchError {
    let directive = patch.get(DIRECTIVE).map(go::plain).unwrap_or_default();
    PatchError::Failed(format!("unknown patch type: {directive} in map: {}", go::plain_map(patch)))
}

pub(super) fn no_key(map: &Fields, key: &str) -> PatchError {
    PatchError::Failed(format!(
        "map: {} does not contain declared merge key: {key}",
        go::plain_map(map)
    ))
}

pub(super) fn require_key(list: &[Value], key: &str) -> Result<(), PatchError> {
    let missing = list.iter().filter_map(Value::as_object).find(|m| !m.contains_key(key));
    missing.map_or(Ok(()), |map| Err(no_key(map, key)))
}
