//! Strategic merge patch: a merge patch that knows which lists merge by key, and directives
//! (R-PAT-06 to R-PAT-08).
//!
//! Its list keys are not those of server-side apply: ports merge by number alone, so that two of
//! different protocol are taken for one (R-PAT-07). That is upstream's behaviour and is kept.

use super::PatchError;
use super::lists::{
    DIRECTIVE, Fields, SET_ORDER, bad_type, follows, ids, no_key, ordered, require_key, same_kind,
    special_items, united, unknown_directive,
};
use crate::object::schema::{PatchRule, Schema, TypeId};
use crate::object::{Key, Value};

const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_PRIMITIVES: &str = "$deleteFromPrimitiveList";

/// Applies a strategic merge patch to an object of type `ty`.
///
/// # Errors
/// `Malformed` for a directive in the wrong form, `Rejected` for lists of lists, `Failed` for an
/// unknown directive or a list item without its merge key.
pub fn strategic(
    schema: &Schema,
    ty: TypeId,
    live: Value,
    patch: &Value,
) -> Result<Value, PatchError> {
    let (Value::Object(live), Value::Object(patch)) = (live, patch) else {
        return Err(PatchError::Malformed("invalid JSON document".to_owned()));
    };
    Merge { schema }.maps(ty, live, patch.clone()).map(Value::Object)
}

struct Merge<'a> {
    schema: &'a Schema,
}

/// What the table says of a field: its patch rule and the type of the value or of a list's items.
struct Rule {
    patch: PatchRule,
    value: TypeId,
    item: TypeId,
}

impl Merge<'_> {
    fn rule(&self, ty: TypeId, name: &str) -> Rule {
        let map = self.schema.ty(ty).map.as_ref();
        let field = map.and_then(|m| m.field(name));
        let value = map.and_then(|m| m.type_at(name)).unwrap_or(TypeId::DEDUCED);
        let item = self.schema.ty(value).list.as_ref().map_or(TypeId::DEDUCED, |l| l.item);
        Rule { patch: field.map(|f| f.patch.clone()).unwrap_or_default(), value, item }
    }

    fn maps(&self, ty: TypeId, mut live: Fields, mut patch: Fields) -> Result<Fields, PatchError> {
        match patch.get(DIRECTIVE).map(|d| d.as_str()) {
            None => {}
            Some(Some("replace")) => {
                patch.remove(DIRECTIVE);
                return Ok(patch);
            }
            Some(Some("delete")) => return Ok(Fields::new()),
            Some(_) => return Err(unknown_directive(&patch)),
        }
        retain_keys(&mut live, &mut patch)?;
        self.ordered_lists(ty, &mut live, &mut patch)?;
        for (key, value) in patch {
            self.field(ty, &mut live, key, value)?;
        }
        Ok(live)
    }

    fn field(
        &self,
        ty: TypeId,
        live: &mut Fields,
        key: Key,
        value: Value,
    ) -> Result<(), PatchError> {
        let (key, deletes) = match key.strip_prefix(DELETE_PRIMITIVES) {
            Some(name) => (directed(name, "primitive list")?.into(), true),
            None => (key, false),
        };
        if value.is_null() {
            live.remove(&key);
            return Ok(());
        }
        let merged = match (live.get_mut(&key).map(Value::take), value) {
            (Some(Value::Object(old)), Value::Object(new)) if !deletes => {
                let rule = self.rule(ty, &key);
                if rule.patch.replace {
                    Some(Value::Object(new))
                } else {
                    Some(Value::Object(self.maps(rule.value, old, new)?))
                }
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                let rule = self.rule(ty, &key);
                if rule.patch.merge || deletes {
                    Some(Value::Array(self.lists(&rule, old, new, deletes)?))
                } else {
                    Some(Value::Array(new))
                }
            }
            (old, _) if deletes => old,
            (_, mut new) => {
                discard_nulls(&mut new);
                without_directives(new)
            }
        };
        match merged {
            Some(merged) => drop(live.insert(key, merged)),
            None => drop(live.remove(&key)),
        }
        Ok(())
    }

    fn lists(
        &self,
        rule: &Rule,
        live: Vec<Value>,
        patch: Vec<Value>,
        deletes: bool,
    ) -> Result<Vec<Value>, PatchError> {
        if live.is_empty() && patch.is_empty() {
            return Ok(live);
        }
        let maps = same_kind(live.iter().chain(&patch))?;
        let key = rule.patch.key.as_deref();
        if !maps {
            if deletes {
                return Ok(live.into_iter().filter(|item| !patch.contains(item)).collect());
            }
            let merged = united(&live, &patch);
            return Ok(ordered(merged, &ids(&patch, None), &ids(&live, None), None));
        }
        let Some(key) = key else {
            let name = self.schema.ty(rule.item).name.rsplit('.').next().unwrap_or("").to_owned();
            return Err(PatchError::Failed(format!(
                "cannot merge lists without merge key for {name}"
            )));
        };
        let (mut merged, patch) = special_items(live, patch, key)?;
        let (order, server) = (ids(&patch, Some(key)), ids(&merged, Some(key)));
        for item in patch {
            let Value::Object(fields) = item else { continue };
            let value = fields.get(key).ok_or_else(|| no_key(&fields, key))?;
            match merged.iter_mut().find(|m| m.get(key) == Some(value)) {
                Some(slot) => {
                    let old = match slot.take() {
                        Value::Object(old) => old,
                        _ => Fields::new(),
                    };
                    *slot = Value::Object(self.maps(rule.item, old, fields)?);
                }
                None => merged.push(Value::Object(fields)),
            }
        }
        require_key(&merged, key)?;
        Ok(ordered(merged, &order, &server, Some(key)))
    }

    /// Carries out `$setElementOrder` directives together with the lists that they order.
    fn ordered_lists(
        &self,
        ty: TypeId,
        live: &mut Fields,
        patch: &mut Fields,
    ) -> Result<(), PatchError> {
        let directives: Vec<Key> =
            patch.keys().filter(|k| k.starts_with(SET_ORDER)).cloned().collect();
        for directive in directives {
            let name = directed(&directive[SET_ORDER.len()..], "setElementOrder list")?;
            let Some(Value::Array(order)) = patch.remove(&directive) else {
                return Err(bad_type());
            };
            let rule = self.rule(ty, &name);
            let key = rule.patch.key.as_deref();
            let old = take_list(live, &name)?;
            let new = take_list(patch, &name)?;
            follows(new.as_deref().unwrap_or_default(), &order, key)?;
            let server = ids(old.as_deref().unwrap_or_default(), key);
            let merged = match (old, new) {
                (None, None) => continue,
                (Some(old), None) => old,
                (None, Some(new)) => new.into_iter().filter_map(without_directives).collect(),
                (Some(old), Some(new)) if rule.patch.merge => self.lists(&rule, old, new, false)?,
                (Some(_), Some(new)) => new,
            };
            if let Some(key) = key {
                require_key(&merged, key)?;
                require_key(&order, key)?;
            }
            let order = ids(&order, key);
            live.insert(name, Value::Array(ordered(merged, &order, &server, key)));
        }
        Ok(())
    }
}

/// The name after the slash of a directive.
fn directed(rest: &str, what: &str) -> Result<String, PatchError> {
    rest.strip_prefix('/')
        .map(str::to_owned)
        .ok_or_else(|| PatchError::Malformed(format!("invalid patch format of {what}")))
}

fn take_list(map: &mut Fields, name: &str) -> Result<Option<Vec<Value>>, PatchError> {
    match map.remove(name) {
        None => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(_) => Err(bad_type()),
    }
}

/// Carries out `$retainKeys`: what it does not name goes from the live map.
fn retain_keys(live: &mut Fields, patch: &mut Fields) -> Result<(), PatchError> {
    let Some(directive) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let malformed = || PatchError::Malformed("invalid patch format of retainKeys".to_owned());
    let Value::Array(keys) = directive else { return Err(malformed()) };
    let named = |key: &str| keys.iter().any(|k| k.as_str() == Some(key));
    for (key, value) in patch.iter() {
        let directive = key.starts_with(DELETE_PRIMITIVES) || key.starts_with(SET_ORDER);
        if !value.is_null() && !directive && !named(key) {
            return Err(malformed());
        }
    }
    live.retain(|key, _| named(key));
    Ok(())
}

fn discard_nulls(value: &mut Value) {
    if !has_nulls(value) {
        return;
    }
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(discard_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

/// Whether there is a null in a map: what is in order stays shared.
fn has_nulls(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().any(|value| value.is_null() || has_nulls(value)),
        Value::Array(list) => list.iter().any(has_nulls),
        _ => false,
    }
}

/// What is left of a patch value that meets nothing live.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => Some(Value::Object(
            map.into_iter().filter_map(|(k, v)| Some((k, without_directives(v)?))).collect(),
        )),
        Value::Array(list) => {
            Some(Value::Array(list.into_iter().filter_map(without_directives).collect()))
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{json, schema};

    fn check(live: &Value, patch: &Value, expect: Result<Value, PatchError>) {
        let ty = schema::builtin().kind("", "v1", "Pod").unwrap().ty;
        assert_eq!(strategic(schema::builtin(), ty, live.clone(), patch), expect, "{patch}");
    }

    fn containers(list: Value) -> Value {
        json!({"spec": {"containers": list}})
    }

    #[test]
    fn items_merge_by_key_and_directives_are_carried_out() {
        let live = containers(json!([{"name": "a", "image": "1"}, {"name": "b"}, {"name": "c"}]));
        check(
            &live,
            &containers(json!([{"name": "b", "image": "2"}, {"name": "a", "image": null}])),
            Ok(containers(json!([{"name": "b", "image": "2"}, {"name": "a"}, {"name": "c"}]))),
        );
        check(
            &live,
            &containers(json!([{"name": "a", "$patch": "delete"}])),
            Ok(containers(json!([{"name": "b"}, {"name": "c"}]))),
        );
        check(
            &live,
            &containers(json!([{"$patch": "replace"}, {"name": "z"}])),
            Ok(containers(json!([{"name": "z"}]))),
        );
        check(
            &live,
            &json!({"spec": {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}]}}),
            Ok(containers(json!([{"name": "b"}, {"name": "c"}, {"name": "a", "image": "1"}]))),
        );
    }

    #[test]
    fn scalars_are_united_and_taken_out() {
        let live = json!({"metadata": {"finalizers": ["a", "b"]}});
        check(
            &live,
            &json!({"metadata": {"finalizers": ["c", "a"]}}),
            Ok(json!({"metadata": {"finalizers": ["c", "a", "b"]}})),
        );
        check(
            &live,
            &json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}),
            Ok(json!({"metadata": {"finalizers": ["b"]}})),
        );
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let live = containers(json!([{"name": "a"}]));
        check(
            &live,
            &containers(json!([{"image": "x"}])),
            Err(PatchError::Failed(
                "map: map[image:x] does not contain declared merge key: name".to_owned(),
            )),
        );
        check(
            &live,
            &json!({"spec": {"$patch": "grow"}}),
            Err(PatchError::Failed("unknown patch type: grow in map: map[$patch:grow]".to_owned())),
        );
        check(
            &live,
            &json!({"spec": {"$retainKeys": ["a"], "nodeName": "x"}}),
            Err(PatchError::Malformed("invalid patch format of retainKeys".to_owned())),
        );
    }
}
