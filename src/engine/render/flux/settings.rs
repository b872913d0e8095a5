//! The fields of a Flux `Kustomization` that have a say in what is rendered.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::object::{Key, Object, Value};

/// What a Flux `Kustomization` says about rendering.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// `targetNamespace`; `None` where it is not given.
    pub namespace: Option<String>,
    /// `namePrefix`.
    pub name_prefix: Option<String>,
    /// `nameSuffix`.
    pub name_suffix: Option<String>,
    /// `patches`, each with `patch` and perhaps `target`.
    pub patches: Vec<Value>,
    /// `images`, each with `name` and what is to be changed.
    pub images: Vec<Value>,
    /// `components`.
    pub components: Vec<String>,
    /// Whether components that are not there are left out.
    pub ignore_missing_components: bool,
    /// `buildMetadata`.
    pub build_metadata: Vec<String>,
    /// `commonMetadata.labels`.
    pub common_labels: BTreeMap<String, String>,
    /// `commonMetadata.annotations`.
    pub common_annotations: BTreeMap<String, String>,
    /// `postBuild.substitute`.
    pub substitute: BTreeMap<String, String>,
    /// `postBuild.substituteFrom`: where more variables come from.
    pub sources: Vec<Source>,
    /// Whether the result is gone through where there is no variable at all, for the defaults in
    /// it.
    pub always: bool,
    /// Whether a variable without value and default is an error.
    pub strict: bool,
}

/// A ConfigMap or Secret that variables come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// `ConfigMap` or `Secret`.
    pub kind: String,
    /// Its name; its namespace is that of the Kustomization.
    pub name: String,
    /// Whether it may be missing.
    pub optional: bool,
}

impl Settings {
    /// Reads a Flux `Kustomization`. Strict is as Flux is since 1.9.
    ///
    /// # Errors
    /// A field that is of another type.
    pub fn read(object: &Object) -> Result<Self, String> {
        let text = |field: &str| match object.at(&["spec", field]) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.to_string())),
            Some(other) => Err(format!("spec.{field}: expected text, found {other}")),
        };
        let strategy = object.text(&["spec", "postBuild", "substituteStrategy"]);
        Ok(Self {
            namespace: text("targetNamespace")?,
            name_prefix: text("namePrefix")?,
            name_suffix: text("nameSuffix")?,
            patches: object.list(&["spec", "patches"]).to_vec(),
            images: object.list(&["spec", "images"]).to_vec(),
            components: texts(object, "components")?,
            ignore_missing_components: object.flag(&["spec", "ignoreMissingComponents"]),
            build_metadata: texts(object, "buildMetadata")?,
            common_labels: text_map(object, &["spec", "commonMetadata", "labels"])?,
            common_annotations: text_map(object, &["spec", "commonMetadata", "annotations"])?,
            substitute: text_map(object, &["spec", "postBuild", "substitute"])?,
            sources: object
                .list(&["spec", "postBuild", "substituteFrom"])
                .iter()
                .map(source)
                .collect(),
            always: strategy == Some("Always"),
            strict: true,
        })
    }

    /// The variables: those of the sources in their order, then the Kustomization's own. Line ends
    /// are taken out of their values.
    ///
    /// # Errors
    /// Where a source is missing that is not optional, or a variable has no possible name.
    pub(super) fn variables(
        &self,
        found: &BTreeMap<(String, String), Object>,
    ) -> Result<BTreeMap<String, String>, String> {
        let mut variables = BTreeMap::new();
        for source in &self.sources {
            let Some(object) = found.get(&(source.kind.clone(), source.name.clone())) else {
                if source.optional {
                    continue;
                }
                let Source { kind, name, .. } = source;
                return Err(format!("substitute from '{kind}/{name}' error: there is none"));
            };
            variables.extend(data(object, source.kind == "Secret"));
        }
        variables.extend(self.substitute.clone());
        for (name, value) in &mut variables {
            if !is_name(name) {
                return Err(format!(
                    "'{name}' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'"
                ));
            }
            value.retain(|c| c != '\n');
        }
        Ok(variables)
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

fn data(object: &Object, is_secret: bool) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for (key, value) in object.at(&["data"]).and_then(Value::as_object).into_iter().flatten() {
        let Some(text) = value.as_str() else { continue };
        let text = if is_secret {
            let bytes = BASE64.decode(text.replace('\n', "")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            text.to_owned()
        };
        variables.insert(key.to_string(), text);
    }
    variables
}

fn source(value: &Value) -> Source {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let optional = value.get("optional").and_then(Value::as_bool).unwrap_or(false);
    Source { kind: text("kind"), name: text("name"), optional }
}

fn texts(object: &Object, field: &str) -> Result<Vec<String>, String> {
    let text = |value: &Value| {
        let text = value.as_str().map(str::to_owned);
        text.ok_or_else(|| format!("spec.{field}: expected text, found {value}"))
    };
    object.list(&["spec", field]).iter().map(text).collect()
}

fn text_map(object: &Object, path: &[&str]) -> Result<BTreeMap<String, String>, String> {
    let map = object.at(path).and_then(Value::as_object);
    let text = |(key, value): (&Key, &Value)| match value {
        Value::String(text) => Ok((key.to_string(), text.to_string())),
        other => Err(format!("{}.{key}: expected text, found {other}", path.join("."))),
    };
    map.into_iter().flatten().map(text).collect()
}
