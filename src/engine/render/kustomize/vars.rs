//! `vars`: puts a field of one object in the place of `$(NAME)` in others.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fieldspec::{Create, FieldSpec};
use super::path;
use super::resource::{Id, Resources};
use super::selectors::Var;
use crate::engine::model::{Origin, RenderError};
use crate::engine::render::error_at;
use crate::object::Value;
use crate::object::yaml::go_float;

/// The vars of a kustomization and of what it is based on, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Vars(BTreeMap<String, (Var, Origin)>);

impl Vars {
    /// Notes on the resources which var each is the source of, and keeps the vars.
    ///
    /// # Errors
    /// Where a var fits several resources, or its name is taken.
    pub(super) fn add(
        &mut self,
        vars: &[Var],
        file: &str,
        resources: &mut Resources,
    ) -> Result<(), RenderError> {
        for var in vars {
            let origin = Origin { file: file.to_owned(), line: var.place.line };
            let matches: Vec<usize> = (0..resources.list.len())
                .filter(|at| {
                    let resource = &resources.list[*at];
                    resource.any_id_named(&var.object.name, |id| is_meant(var, id))
                })
                .collect();
            match matches.as_slice() {
                [] => {}
                [at] => resources.list[*at].vars.push(var.name.clone()),
                many => {
                    let message = format!(
                        "found {} resId matches for var {} (unable to disambiguate)",
                        many.len(),
                        var.name
                    );
                    return Err(error_at(&origin, message));
                }
            }
            self.insert(var.clone(), origin)?;
        }
        Ok(())
    }

    /// Takes over those of a base.
    ///
    /// # Errors
    /// Where a name is taken.
    pub(super) fn merge(&mut self, other: Vars) -> Result<(), RenderError> {
        other.0.into_values().try_for_each(|(var, origin)| self.insert(var, origin))
    }

    fn insert(&mut self, var: Var, origin: Origin) -> Result<(), RenderError> {
        if self.0.contains_key(&var.name) {
            return Err(error_at(&origin, format!("var '{}' already encountered", var.name)));
        }
        self.0.insert(var.name.clone(), (var, origin));
        Ok(())
    }

    /// Puts the values in their places.
    ///
    /// # Errors
    /// Where a var has no source, or its source no such field.
    pub(super) fn resolve(
        &self,
        resources: &mut Resources,
        fields: &[FieldSpec],
    ) -> Result<(), RenderError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut values = BTreeMap::new();
        for (var, origin) in self.0.values() {
            let value = value_of(var, resources).map_err(|why| error_at(origin, why))?;
            values.insert(var.name.as_str(), value);
        }
        for resource in &mut resources.list {
            let gvk = resource.object.gvk();
            for spec in fields.iter().filter(|spec| spec.selects(&gvk)) {
                let object = Arc::make_mut(&mut resource.object);
                let mut set = |value: &mut Value| set(value, &values);
                let result = spec.apply_always(object, Create::Nothing, &mut set);
                result.map_err(|why| resource.error(&why))?;
                resource.settle();
            }
        }
        Ok(())
    }
}

fn is_meant(var: &Var, id: &Id) -> bool {
    let object = &var.object;
    let same = id.gvk.group == object.group
        && id.gvk.version == object.version
        && id.gvk.kind == object.kind
        && id.name == object.name;
    same && (object.namespace.is_empty() || id.namespace == object.namespace)
}

fn value_of(var: &Var, resources: &Resources) -> Result<Value, String> {
    let source = resources.list.iter().find(|resource| resource.vars.contains(&var.name));
    let Some(source) = source else {
        return Err(format!(
            "var '{}' cannot be mapped to a field in the set of known resources",
            var.name
        ));
    };
    let root = Value::Object(source.object.0.clone());
    let found = path::lookup(&root, &path::split_with_index(&var.field_path));
    match found {
        Ok(Some(value)) => Ok(value.clone()),
        _ => Err(format!(
            "field specified in var '{}' not found in corresponding resource: {}",
            var.name, var.field_path
        )),
    }
}

/// Replaces in a text, in every text of a list, or in the values of a map.
fn set(value: &mut Value, values: &BTreeMap<&str, Value>) -> Result<(), String> {
    match value {
        Value::String(text) => {
            if let Some(new) = replaced(text, values) {
                *value = new;
            }
        }
        Value::Array(items) => {
            for item in items {
                let Value::String(text) = item else {
                    return Err("invalid value type expect a string".to_owned());
                };
                if let Some(new) = replaced(text, values) {
                    *item = new;
                }
            }
        }
        Value::Object(map) => {
            for item in map.values_mut() {
                if let Value::String(text) = item
                    && let Some(new) = replaced(text, values)
                {
                    *item = new;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// A text with values in the place of `$(NAME)`; `$$` is a dollar. `None` where nothing changes.
/// A text that is nothing but one var takes the value's type.
fn replaced(text: &str, values: &BTreeMap<&str, Value>) -> Option<Value> {
    if !text.contains('$') {
        return None;
    }
    let whole = text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
    if let Some(name) = whole.filter(|name| !name.contains(')')) {
        return values.get(name).filter(|value| printed(value).is_some()).cloned();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut chars = rest.chars();
        match chars.next() {
            // A dollar at the very end stands for itself.
            None => out.push('$'),
            Some('$') => {
                out.push('$');
                rest = chars.as_str();
            }
            Some('(') => match rest.find(')') {
                Some(end) => {
                    let name = &rest[1..end];
                    match values.get(name).and_then(printed) {
                        Some(text) => out.push_str(&text),
                        None => out.push_str(&format!("$({name})")),
                    }
                    rest = &rest[end + 1..];
                }
                None => {
                    out.push_str("$(");
                    rest = chars.as_str();
                }
            },
            Some(other) => {
                out.push('$');
                out.push(other);
                rest = chars.as_str();
            }
        }
    }
    out.push_str(rest);
    Some(Value::from(out))
}

/// A value within a text; `None` for a map or list, which is no value of a var.
fn printed(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) if number.is_f64() => number.as_f64().map(percent_v),
        other => super::fieldspec::scalar_text(other),
    }
}

/// A float as Go's `%v`, which changes to an exponent later than other forms.
fn percent_v(float: f64) -> String {
    let size = float.abs();
    if size == 0.0 || (1e-4..1e21).contains(&size) { format!("{float}") } else { go_float(float) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn vars_are_put_in_their_place() {
        let values: BTreeMap<&str, Value> =
            [("A", json!("x")), ("N", json!(8080)), ("M", json!({}))].into();
        for (text, expected) in [
            ("$(A)", json!("x")),
            ("$(N)", json!(8080)),
            ("p$(N)/$(A)", json!("p8080/x")),
            ("$$(A) $(", json!("$(A) $(")),
            ("$(B)-$(A)", json!("$(B)-x")),
            ("a$", json!("a$")),
            ("$x $(M).", json!("$x $(M).")),
        ] {
            let found = replaced(text, &values).unwrap_or_else(|| json!(text));
            assert_eq!(found, expected, "{text}");
        }
    }
}
