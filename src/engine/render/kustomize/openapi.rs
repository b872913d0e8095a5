//! `openapi`: which schema says how lists are merged and which kinds are cluster-scoped, where a
//! kustomization brings its own.
//!
//! Upstream keeps one schema for the whole build; the first kustomization that brings one, in the
//! order of reading, decides, and what was read before stays known.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decode::Text;
use super::resource::Scopes;
use super::schema::{self, Custom, CustomType, Item, View};
use crate::object::Value;
use crate::object::yaml::Dialect;
use crate::object::yaml::spanned::Node;

/// The one schema of Kubernetes that is built in.
const BUILT_IN: &str = "v1.21.2";

/// The schema as it stands.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    is_set: bool,
    custom: Option<Arc<Custom>>,
    /// Whether the built-in schema was wanted before another was given.
    was_wanted: bool,
}

impl Schemas {
    /// Takes what a kustomization says, unless one before it said something.
    ///
    /// # Errors
    /// Where it names a version that is not built in, or a version and a file.
    pub(super) fn set(
        &mut self,
        version: Option<&Text>,
        file: Option<(String, Arc<Vec<Node>>)>,
        is_top: bool,
    ) -> Result<(), String> {
        if self.is_set && !is_top {
            return Ok(());
        }
        if let Some((_, documents)) = file {
            if version.is_some() {
                let why = "builtin version and custom schema provided, cannot use both";
                return Err(why.to_owned());
            }
            let value = match documents.first() {
                Some(node) => node.to_value(Dialect::Kubectl).map_err(|error| error.message)?,
                None => Value::Null,
            };
            self.is_set = true;
            self.custom = Some(Arc::new(custom(&value, self.was_wanted)));
            return Ok(());
        }
        match version.map(|version| version.text.as_str()).unwrap_or_default() {
            "" => Ok(()),
            BUILT_IN => {
                self.is_set = true;
                Ok(())
            }
            _ => Err("the specified OpenAPI version is not built in".to_owned()),
        }
    }

    /// A kind was asked about: one that is not known by heart has the built-in schema read.
    pub(super) fn note_kind(&mut self, api_version: &str, kind: &str) {
        self.was_wanted |= self.custom.is_none() && !schema::is_known(api_version, kind);
    }

    /// What is known now. Asking has the built-in schema read where no other was given.
    pub(super) fn view(&mut self) -> View {
        self.was_wanted |= self.custom.is_none();
        View { has_built_in: self.was_wanted, custom: self.custom.clone() }
    }

    /// Which kinds are namespaced, by the schema that was given.
    pub(super) fn scopes(&self) -> Option<Arc<Scopes>> {
        self.custom.as_ref().map(|custom| custom.scopes.clone())
    }
}

/// Reads the definitions of a schema.
fn custom(value: &Value, has_built_in: bool) -> Custom {
    let empty = crate::object::Map::new();
    let definitions = value.get("definitions").and_then(Value::as_object).unwrap_or(&empty);
    let mut reader =
        Reader { definitions, has_built_in, types: Vec::new(), named: BTreeMap::new() };
    let mut kinds = BTreeMap::new();
    for (name, definition) in definitions {
        let listed = definition.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
        for gvk in listed.into_iter().flatten() {
            let id = reader.named(name);
            kinds.insert(type_meta(gvk), id);
        }
    }
    Custom { kinds, types: reader.types, scopes: Arc::new(scopes(value)) }
}

/// `apiVersion` and `kind` of a group, version and kind.
fn type_meta(gvk: &Value) -> (String, String) {
    let text = |key: &str| gvk.get(key).and_then(Value::as_str).unwrap_or_default();
    let api_version = match text("group") {
        "" => text("version").to_owned(),
        group => format!("{group}/{}", text("version")),
    };
    (api_version, text("kind").to_owned())
}

fn scopes(value: &Value) -> Scopes {
    let mut scopes = Scopes::new();
    let paths = value.get("paths").and_then(Value::as_object);
    for (path, methods) in paths.into_iter().flatten() {
        let gvk = methods.get("get").and_then(|get| get.get("x-kubernetes-group-version-kind"));
        let Some(gvk) = gvk.filter(|gvk| gvk.is_object()) else { continue };
        let namespaced = path.contains("namespaces/{namespace}");
        let slot = scopes.entry(type_meta(gvk)).or_insert(namespaced);
        *slot |= namespaced;
    }
    scopes
}

struct Reader<'v> {
    definitions: &'v crate::object::Map,
    /// Whether what is not defined may be Kubernetes' own.
    has_built_in: bool,
    types: Vec<CustomType>,
    named: BTreeMap<String, usize>,
}

impl Reader<'_> {
    /// The type of a definition's name, read once.
    fn named(&mut self, name: &str) -> usize {
        if let Some(id) = self.named.get(name) {
            return *id;
        }
        let id = self.types.len();
        self.types.push(CustomType::default());
        self.named.insert(name.to_owned(), id);
        if let Some(definition) = self.definitions.get(name) {
            let read = self.read(definition);
            self.types[id] = read;
        }
        id
    }

    fn read(&mut self, schema: &Value) -> CustomType {
        let mut read = CustomType::default();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            read.fields.insert(name.to_string(), self.field(property));
        }
        let others = schema.get("additionalProperties").filter(|schema| schema.is_object());
        read.others = others.map(|schema| Box::new(self.field(schema)));
        read
    }

    fn field(&mut self, schema: &Value) -> schema::CustomField {
        if let Some(name) = reference(schema) {
            return schema::CustomField { keys: None, item: self.item(name) };
        }
        if schema.get("type").and_then(Value::as_str) == Some("array") {
            let item = schema.get("items").filter(|items| items.is_object());
            let item = item.map(|items| self.inline(items)).unwrap_or_default();
            return schema::CustomField { keys: merge_keys(schema), item };
        }
        schema::CustomField { keys: None, item: self.inline(schema) }
    }

    /// The type that a reference names; Kubernetes' own has the say where both are known.
    fn item(&mut self, name: &str) -> Item {
        match schema::definition(name).filter(|_| self.has_built_in) {
            Some(of) => Item::BuiltIn(of),
            None => Item::Custom(self.named(name)),
        }
    }

    fn inline(&mut self, schema: &Value) -> Item {
        if let Some(name) = reference(schema) {
            return self.item(name);
        }
        let read = self.read(schema);
        self.types.push(read);
        Item::Custom(self.types.len() - 1)
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)?.strip_prefix("#/definitions/")
}

/// The keys that a list is merged by, where it is merged.
fn merge_keys(schema: &Value) -> Option<Vec<String>> {
    let strategy = schema.get("x-kubernetes-patch-strategy").and_then(Value::as_str)?;
    if !strategy.split(',').any(|strategy| strategy == "merge") {
        return None;
    }
    let listed = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
    if let Some(keys) = listed {
        return Some(keys.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    let key = schema.get("x-kubernetes-patch-merge-key").and_then(Value::as_str);
    Some(key.map(str::to_owned).into_iter().collect())
}
