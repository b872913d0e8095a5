//! Kustomize's strategic merge of a patch into an object.
//!
//! It is not the API server's: null takes a field away also where it is only added, new items of
//! a merged list go in front, and some directives do less than they say. What differs was read
//! from kustomize's merge and recorded from its builds.

use super::merge_list;
use super::schema::{Field, TypeRef, View};
use crate::object::{Key, Map, Object, Value};

/// The key of directives: `delete`, `replace`, `merge`.
const DIRECTIVE: &str = "$patch";

/// What a patch says to do with what it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directive {
    Merge,
    Replace,
    Delete,
}

/// Merges `patch` into `object`; `None` where the patch deletes it.
///
/// # Errors
/// Where a map meets a list or a scalar, or a directive is unknown.
pub(super) fn merge(object: Object, patch: &Object, view: &View) -> Result<Option<Object>, String> {
    let either = |of: fn(&Object) -> &str| {
        if of(&object).is_empty() { of(patch).to_owned() } else { of(&object).to_owned() }
    };
    let item = view.type_of(&either(Object::api_version), &either(Object::kind));
    let field = Field { keys: None, item };
    let origin = Value::Object(patch.0.clone());
    let merged = value(Some(object.into_value()), Some(&origin), field)?;
    Ok(merged.and_then(|merged| Object::from_value(merged).ok()))
}

/// Takes the fields away that hold nothing, not even `null`, as any merge does. `paths` are those
/// that were written so; what was set since stays. A list that is not merged keeps them.
pub(super) fn drop_bare_nulls(object: &mut Object, paths: &[Vec<String>], view: &View) {
    let item = view.type_of(object.api_version(), object.kind());
    let mut root = Value::Object(std::mem::take(&mut object.0));
    for path in paths {
        drop_at(&mut root, path, Field { keys: None, item });
    }
    if let Value::Object(map) = root {
        object.0 = map;
    }
}

fn drop_at(value: &mut Value, path: &[String], field: Field<'_>) {
    let Some((step, rest)) = path.split_first() else { return };
    match value {
        Value::Object(map) if rest.is_empty() && map.get(step) == Some(&Value::Null) => {
            map.remove(step);
        }
        Value::Object(map) => {
            if let Some(child) = map.get_mut(step) {
                drop_at(child, rest, of_field(field.item, step));
            }
        }
        Value::Array(items) if field.keys.is_some() => {
            if let Some(item) = step.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                drop_at(item, rest, Field { keys: None, item: field.item });
            }
        }
        _ => {}
    }
}

fn of_field<'s>(item: Option<TypeRef<'s>>, name: &str) -> Field<'s> {
    item.map(|item| item.field(name)).unwrap_or_default()
}

/// Merges `origin`, a part of the patch, into `dest`; `None` where nothing is left.
pub(super) fn value(
    dest: Option<Value>,
    origin: Option<&Value>,
    field: Field<'_>,
) -> Result<Option<Value>, String> {
    let sample = dest.as_ref().filter(|v| !v.is_null()).or(origin);
    match sample {
        None | Some(Value::Null) => {
            // An explicit null that the patch does not speak of stays.
            Ok(if origin.is_none() { dest } else { None })
        }
        Some(Value::Object(_)) => {
            let dest = as_map(dest)?;
            map(dest, origin, field.item)
        }
        Some(Value::Array(_)) => list(dest, origin, field),
        Some(_) => {
            for found in dest.iter().chain(origin) {
                if found.is_object() || found.is_array() {
                    return Err(format!("expected a scalar, found {found}"));
                }
            }
            Ok(match origin {
                Some(Value::Null) => None,
                Some(value) => Some(value.clone()),
                None => dest,
            })
        }
    }
}

fn as_map(value: Option<Value>) -> Result<Option<Map>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(other) => Err(format!("expected a map, found {other}")),
    }
}

fn map(
    dest: Option<Map>,
    origin: Option<&Value>,
    item: Option<TypeRef<'_>>,
) -> Result<Option<Value>, String> {
    let origin = match origin {
        None => return dest.map(|dest| fields(dest, None, item)).transpose(),
        Some(Value::Null) => return Ok(None),
        Some(Value::Object(map)) => map,
        Some(other) => return Err(format!("expected a map, found {other}")),
    };
    let directive = directive_of(origin)?;
    let mut dest = match (directive, dest) {
        (Directive::Delete, _) => return Ok(None),
        (Directive::Merge, Some(dest)) => dest,
        // What is added or replaced is merged into itself: its nulls and directives act too.
        (Directive::Merge | Directive::Replace, _) => origin.clone(),
    };
    dest.remove(DIRECTIVE);
    fields(dest, Some(origin), item).map(Some)
}

fn fields(mut dest: Map, origin: Option<&Map>, item: Option<TypeRef<'_>>) -> Result<Value, String> {
    let mut merged = Map::new();
    let mut names: Vec<Key> = dest.keys().cloned().collect();
    names.extend(origin.into_iter().flat_map(Map::keys).filter(|n| !dest.contains_key(n)).cloned());
    for name in names {
        if name == DIRECTIVE {
            continue;
        }
        let from = origin.and_then(|origin| origin.get(&name));
        let found = value(dest.remove(&name), from, of_field(item, &name))
            .map_err(|error| within(&name, &error))?;
        if let Some(found) = found {
            merged.insert(name, found);
        }
    }
    Ok(Value::Object(merged))
}

/// `at spec.template: ...` from what went wrong in `template`.
fn within(name: &str, error: &str) -> String {
    error
        .strip_prefix("at ")
        .map_or_else(|| format!("at {name}: {error}"), |rest| format!("at {name}.{rest}"))
}

fn list(
    dest: Option<Value>,
    origin: Option<&Value>,
    field: Field<'_>,
) -> Result<Option<Value>, String> {
    for found in dest.iter().chain(origin) {
        if !found.is_array() && !found.is_null() {
            return Err(format!("expected a list, found {found}"));
        }
    }
    let Some(keys) = field.keys else {
        return Ok(match origin {
            Some(Value::Null) => None,
            Some(value) => Some(value.clone()),
            None => dest,
        });
    };
    let origin = match origin {
        Some(Value::Null) => return Ok(None),
        other => other.and_then(Value::as_array),
    };
    let dest = match dest {
        Some(Value::Array(items)) => Some(items),
        _ => None,
    };
    let (dest, origin) = match (dest, origin) {
        (None, None) => return Ok(None),
        (None, Some(origin)) => (origin.clone(), Some(origin.clone())),
        (Some(dest), None) => (dest, None),
        (Some(dest), Some(origin)) => match list_directive(origin)? {
            (Directive::Delete, _) => return Ok(None),
            (Directive::Replace, rest) => (rest.clone(), Some(rest)),
            (Directive::Merge, rest) => (dest, Some(rest)),
        },
    };
    let merged = merge_list::merge(dest, origin.as_deref(), &keys.names(), field.item)?;
    Ok(Some(Value::Array(merged)))
}

/// The directive of a map.
///
/// # Errors
/// Where it is none of the known ones.
pub(super) fn directive_of(map: &Map) -> Result<Directive, String> {
    match map.get(DIRECTIVE).map(|directive| directive.as_str().unwrap_or_default()) {
        None | Some("merge") => Ok(Directive::Merge),
        Some("replace") => Ok(Directive::Replace),
        Some("delete") => Ok(Directive::Delete),
        Some(other) => Err(format!("unknown directive $patch: {other}")),
    }
}

/// The directive of a list, an item that holds nothing else, and the list without it.
fn list_directive(origin: &[Value]) -> Result<(Directive, Vec<Value>), String> {
    let holder =
        origin.iter().filter_map(Value::as_object).find(|item| item.contains_key(DIRECTIVE));
    let Some(holder) = holder.filter(|item| item.len() == 1) else {
        return Ok((Directive::Merge, origin.to_vec()));
    };
    let directive = directive_of(holder)?;
    let spoken = &holder[DIRECTIVE];
    let rest = origin.iter().filter(|item| item.get(DIRECTIVE) != Some(spoken));
    Ok((directive, rest.cloned().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn object(spec: Value) -> Object {
        let value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec});
        Object::from_value(value).unwrap()
    }

    #[track_caller]
    fn check(dest: Value, patch: Value, expected: Value) {
        let merged = merge(object(dest), &object(patch), &View::default()).unwrap();
        assert_eq!(merged, Some(object(expected)));
    }

    #[test]
    fn nulls_take_fields_away_also_from_what_is_added() {
        check(json!({"a": 1, "b": null}), json!({"a": null}), json!({"b": null}));
        check(json!({}), json!({"a": {"b": null, "c": 1}}), json!({"a": {"c": 1}}));
        check(json!({}), json!({"a": [null]}), json!({"a": [null]}));
    }

    #[test]
    fn directives_replace_and_delete_maps() {
        check(json!({"a": {"x": 1}}), json!({"a": {"$patch": "delete"}}), json!({}));
        check(
            json!({"a": {"x": 1}}),
            json!({"a": {"$patch": "replace", "y": 2}}),
            json!({"a": {"y": 2}}),
        );
        check(json!({}), json!({"a": {"$patch": "merge", "y": 2}}), json!({"a": {"y": 2}}));
    }

    #[test]
    fn a_map_that_meets_a_scalar_is_an_error_with_its_place() {
        let error =
            merge(object(json!({"a": {"b": 1}})), &object(json!({"a": 5})), &View::default())
                .unwrap_err();
        assert_eq!(error, "at spec.a: expected a map, found 5");
    }
}
