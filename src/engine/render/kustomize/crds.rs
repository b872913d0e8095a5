//! `crds`: finds in the OpenAPI definitions of custom resources which fields hold names, labels,
//! annotations and references, by the extensions that say so.

use super::config::Config;
use super::decode::Decoder;
use super::fieldspec::FieldSpec;
use super::nameref_table::References;
use crate::base::limits;
use crate::engine::model::RenderError;
use crate::object::Value;
use crate::object::yaml::Dialect;
use crate::object::yaml::spanned::Node;

/// What the definitions of a file add to the fields that are changed.
///
/// # Errors
/// Where the file holds no definitions, or they contradict themselves.
pub(super) fn config(decoder: Decoder<'_>, documents: &[Node]) -> Result<Config, RenderError> {
    let mut config = Config::default();
    let Some(node) = documents.first() else { return Ok(config) };
    let wrong = |message: String| decoder.error(super::decode::place(node), message);
    let types = node.to_value(Dialect::Kubectl).map_err(|error| wrong(error.message))?;
    let Some(map) = types.as_object() else {
        return Err(wrong("expected definitions by the name of their type".to_owned()));
    };
    for (name, api) in map {
        check(name, api).map_err(wrong)?;
        let properties = properties(&types, name);
        if ["kind", "apiVersion", "metadata"].iter().all(|field| properties.get(*field).is_some()) {
            let kind = name.rsplit('.').next().unwrap_or_default();
            let mut walk = Walk { types: &types, kind, config: &mut config };
            walk.of_type(name, &mut Vec::new()).map_err(wrong)?;
        }
    }
    Ok(config)
}

/// A field of a Go struct; keys match whatever their case.
fn field<'t>(value: &'t Value, key: &str) -> Option<&'t Value> {
    let map = value.as_object()?;
    map.get(key).or_else(|| {
        map.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    })
}

/// Refuses what is no definition.
fn check(name: &str, api: &Value) -> Result<(), String> {
    let is_map = |value: &Value| value.is_object() || value.is_null();
    let schema = field(api, "Schema").unwrap_or(&Value::Null);
    let properties = schema.get("properties").unwrap_or(&Value::Null);
    for (value, what) in [(api, ""), (schema, ".Schema"), (properties, ".Schema.properties")] {
        if !is_map(value) {
            return Err(format!("definition {name}: expected a map as {name}{what}"));
        }
    }
    for (property, value) in properties.as_object().into_iter().flatten() {
        if !is_map(value) {
            return Err(format!("definition {name}: expected a map as property {property:?}"));
        }
    }
    Ok(())
}

/// The properties of a type.
fn properties<'t>(types: &'t Value, name: &str) -> &'t Value {
    let schema = types.get(name).and_then(|api| field(api, "Schema"));
    schema.and_then(|schema| schema.get("properties")).unwrap_or(&Value::Null)
}

struct Walk<'t, 'c> {
    types: &'t Value,
    kind: &'t str,
    config: &'c mut Config,
}

impl<'t> Walk<'t, '_> {
    fn of_type(&mut self, name: &str, path: &mut Vec<&'t str>) -> Result<(), String> {
        if path.len() > limits::DOCUMENT_DEPTH {
            return Err(format!("definition {name} refers to itself"));
        }
        let Some(properties) = properties(self.types, name).as_object() else { return Ok(()) };
        for (field, property) in properties {
            path.push(field);
            self.property(property, path)?;
            path.pop();
        }
        Ok(())
    }

    fn property(&mut self, property: &Value, path: &mut Vec<&'t str>) -> Result<(), String> {
        let says = |key: &str| property.get(key).and_then(Value::as_str);
        let at = FieldSpec::new("", "", self.kind, &path.join("/"), false);
        if says("x-kubernetes-annotation").is_some() {
            at.clone().merge_into(&mut self.config.common_annotations)?;
        }
        if says("x-kubernetes-label-selector").is_some() {
            at.clone().merge_into(&mut self.config.common_labels)?;
        }
        if says("x-kubernetes-identity").is_some() {
            at.merge_into(&mut self.config.name_prefix)?;
        }
        let version = says("x-kubernetes-object-ref-api-version");
        if let (Some(version), Some(kind)) = (version, says("x-kubernetes-object-ref-kind")) {
            let key = says("x-kubernetes-object-ref-name-key").unwrap_or("name");
            let path = format!("{}/{key}", path.join("/"));
            self.config.add_references(References {
                group: String::new(),
                version: version.to_owned(),
                kind: kind.to_owned(),
                fields: vec![FieldSpec::new("", "", self.kind, &path, false)],
            })?;
        }
        match says("$ref") {
            Some(name) => self.of_type(name, path),
            None => Ok(()),
        }
    }
}
