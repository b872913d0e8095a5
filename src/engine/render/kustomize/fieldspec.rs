//! Which field of which kind a transformer changes, and the walk to it.

use std::sync::OnceLock;

use super::path::Step;
use crate::object::{Gvk, Map, Object, Text, Value};

/// A field of the kinds that match. Empty parts match all.
#[derive(Clone, Debug)]
pub(super) struct FieldSpec {
    group: String,
    version: String,
    kind: String,
    /// As written, slash-separated.
    path: String,
    /// The path taken apart, once it is gone: most specs are of kinds that a build has not.
    parts: OnceLock<Vec<Part>>,
    /// Whether the field is made where it is missing.
    create: bool,
}

impl PartialEq for FieldSpec {
    fn eq(&self, other: &Self) -> bool {
        self.gvk() == other.gvk() && self.path == other.path && self.create == other.create
    }
}

impl Eq for FieldSpec {}

/// A segment of a path; `containers[]` may only be a list and is never made.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    name: String,
    is_list: bool,
}

impl Part {
    /// Refuses names that upstream takes for something else than a field of a map.
    fn check(&self) -> Result<(), String> {
        match self.name.as_str() {
            "" => Err("cannot set or create an empty field name".to_owned()),
            "*" => Err("a wildcard is not supported in a field path".to_owned()),
            name if name.bytes().all(|b| b.is_ascii_digit()) => {
                Err(format!("{name} is a place in a list, and here is a map"))
            }
            _ => Ok(()),
        }
    }
}

/// What is done with a field, and where it stands.
type Set<'s> = &'s mut dyn FnMut(&mut Value, &[Step]) -> Result<(), String>;

/// What a transformer puts where a field is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Create {
    Nothing,
    Scalar,
    Map,
}

impl FieldSpec {
    pub(super) fn new(group: &str, version: &str, kind: &str, path: &str, create: bool) -> Self {
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            path: path.to_owned(),
            parts: OnceLock::new(),
            create,
        }
    }

    /// For any kind.
    pub(super) fn any(path: &str, create: bool) -> Self {
        Self::new("", "", "", path, create)
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn parts(&self) -> &[Part] {
        self.parts.get_or_init(|| parts(&self.path))
    }

    /// Whether the kind is one of those.
    pub(super) fn selects(&self, gvk: &Gvk) -> bool {
        let fits = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        fits(&self.group, &gvk.group)
            && fits(&self.version, &gvk.version)
            && fits(&self.kind, &gvk.kind)
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// Group, version and kind; empty parts match all.
    pub(super) fn gvk(&self) -> (&str, &str, &str) {
        (&self.group, &self.version, &self.kind)
    }

    /// Adds `spec` to `specs` unless one there already covers it; an error if that one disagrees
    /// about making the field.
    pub(super) fn merge_into(self, specs: &mut Vec<FieldSpec>) -> Result<(), String> {
        let covers = |have: &&FieldSpec| {
            let fits = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
            fits(&self.group, &have.group)
                && fits(&self.version, &have.version)
                && fits(&self.kind, &have.kind)
                && have.path == self.path
        };
        match specs.iter().find(covers) {
            Some(have) if have.create != self.create => {
                Err(format!("field specs for {} disagree about create", self.path))
            }
            Some(_) => Ok(()),
            None => {
                specs.push(self);
                Ok(())
            }
        }
    }

    /// Calls `set` on the field, in every item of the lists on the way.
    pub(super) fn apply(
        &self,
        object: &mut Object,
        create: Create,
        set: &mut dyn FnMut(&mut Value) -> Result<(), String>,
    ) -> Result<(), String> {
        if !self.selects(&object.gvk()) {
            return Ok(());
        }
        self.apply_always(object, create, set)
    }

    /// What [`apply`](Self::apply) would refuse, where nothing is to be set; `check` says what is
    /// wrong with the field.
    ///
    /// # Errors
    /// As of [`apply`](Self::apply).
    pub(super) fn check(
        &self,
        object: &Object,
        check: &dyn Fn(&Value) -> Result<(), String>,
    ) -> Result<(), String> {
        if !self.selects(&object.gvk()) {
            return Ok(());
        }
        let Some((first, rest)) = self.parts().split_first() else { return Ok(()) };
        let Some(value) = object.0.get(&first.name) else { return first.check() };
        look(value, rest, check).map_err(|error| format!("field {}: {error}", self.path))
    }

    /// As [`apply`](Self::apply), whatever the object's kind.
    pub(super) fn apply_always(
        &self,
        object: &mut Object,
        create: Create,
        set: &mut dyn FnMut(&mut Value) -> Result<(), String>,
    ) -> Result<(), String> {
        self.apply_tracked(object, create, &mut |value, _| set(value))
    }

    /// As [`apply_always`](Self::apply_always), and says where each field stands.
    pub(super) fn apply_tracked(
        &self,
        object: &mut Object,
        create: Create,
        set: Set<'_>,
    ) -> Result<(), String> {
        let mut value = Value::Object(std::mem::take(&mut object.0));
        let create = if self.create { create } else { Create::Nothing };
        let result = walk(&mut value, self.parts(), create, &mut Vec::new(), set)
            .map_err(|error| format!("field {}: {error}", self.path));
        if let Value::Object(map) = value {
            object.0 = map;
        }
        result
    }
}

fn parts(path: &str) -> Vec<Part> {
    let mut names: Vec<String> = Vec::new();
    for part in path.strip_prefix('/').unwrap_or(path).split('/') {
        // `\/` is a slash within a name, as annotation keys have.
        match names.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('/');
                last.push_str(part);
            }
            _ => names.push(part.to_owned()),
        }
    }
    let part = |name: String| match name.strip_suffix("[]") {
        Some(list) => Part { name: list.to_owned(), is_list: true },
        None => Part { name, is_list: false },
    };
    names.into_iter().map(part).collect()
}

fn walk(
    value: &mut Value,
    parts: &[Part],
    create: Create,
    at: &mut Vec<Step>,
    set: Set<'_>,
) -> Result<(), String> {
    let Some((part, rest)) = parts.split_first() else { return set(value, at) };
    match value {
        Value::Null => Ok(()),
        Value::Array(items) => items.iter_mut().enumerate().try_for_each(|(index, item)| {
            at.push(Step::Index(index));
            let result = walk(item, parts, create, at, set);
            at.pop();
            result
        }),
        Value::Object(map) => {
            part.check()?;
            let made = match create {
                _ if part.is_list => None,
                Create::Nothing => None,
                Create::Scalar if rest.is_empty() => Some(Value::String(Text::new())),
                Create::Scalar | Create::Map => Some(Value::Object(Map::new())),
            };
            let on_null = if part.is_list { Some(Value::Array(Vec::new())) } else { made.clone() };
            let field = match (map.get(&part.name), made) {
                (None, None) => return Ok(()),
                (None, Some(made)) => map.entry(part.name.clone()).or_insert(made),
                (Some(_), _) => map.entry(part.name.clone()).or_insert(Value::Null),
            };
            if let (true, Some(made)) = (field.is_null(), on_null) {
                *field = made;
            }
            at.push(Step::Key(part.name.clone()));
            let result = walk(field, rest, create, at, set);
            at.pop();
            result
        }
        _ => Err("expected a map or a list on the way".to_owned()),
    }
}

/// As [`walk`], changing nothing.
fn look(
    value: &Value,
    parts: &[Part],
    check: &dyn Fn(&Value) -> Result<(), String>,
) -> Result<(), String> {
    let Some((part, rest)) = parts.split_first() else { return check(value) };
    match value {
        Value::Null => Ok(()),
        Value::Array(items) => items.iter().try_for_each(|item| look(item, parts, check)),
        Value::Object(map) => {
            part.check()?;
            map.get(&part.name).map_or(Ok(()), |field| look(field, rest, check))
        }
        _ => Err("expected a map or a list on the way".to_owned()),
    }
}

/// The text of a scalar; `None` for a map or list.
pub(super) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Null => Some("null".to_owned()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[track_caller]
    fn check(path: &str, create: bool, object: Value, expected: &Value) {
        let mut object = Object::from_value(object).unwrap();
        let mut set = |value: &mut Value| {
            *value = json!("set");
            Ok(())
        };
        FieldSpec::any(path, create).apply(&mut object, Create::Scalar, &mut set).unwrap();
        assert_eq!(&object.into_value(), expected);
    }

    #[test]
    fn a_field_is_reached_through_maps_and_lists() {
        check(
            "a/b",
            false,
            json!({"a": [{"b": 1}, {"c": 2}]}),
            &json!({"a": [{"b": "set"}, {"c": 2}]}),
        );
        check("a/b", false, json!({"a": null}), &json!({"a": null}));
        check("a[]/b", true, json!({}), &json!({}));
        check("a/b", true, json!({}), &json!({"a": {"b": "set"}}));
        check("a/b\\/c", false, json!({"a": {"b/c": 1}}), &json!({"a": {"b/c": "set"}}));
    }
}
