//! The kinds that the engine knows: the built-in ones, and those that CustomResourceDefinitions
//! bring, be they rendered from the repository or seen in the cluster.
//!
//! Not here: when a definition is looked for or waited for (`reconcile`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::engine::model::Rendered;
use crate::object::schema::{Schema, builtin, custom};
use crate::object::{Gvr, Object, Value, json};

/// Where definitions are.
pub const DEFINITIONS: Gvr = Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions");

/// Kinds and their types. Types are never taken out: what was settled with one keeps it.
#[derive(Debug)]
pub struct Kinds {
    schema: Cow<'static, Schema>,
    /// By the name of the definition.
    learned: BTreeMap<String, Learned>,
}

/// What is known of a definition.
#[derive(Debug)]
struct Learned {
    /// Everything of it that kinds are made of.
    said: Value,
    resources: Vec<Gvr>,
}

impl Default for Kinds {
    fn default() -> Self {
        Self { schema: Cow::Borrowed(builtin()), learned: BTreeMap::new() }
    }
}

impl Kinds {
    /// The kinds with their types.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Takes in a definition, unless it says what it said before.
    pub fn learn(&mut self, definition: &Object) {
        let said = said(definition);
        if self.learned.get(definition.name()).is_some_and(|learned| learned.said == said) {
            return;
        }
        custom::learn(self.schema.to_mut(), definition);
        let resources = custom::resources(definition).collect();
        self.learned.insert(definition.name().to_owned(), Learned { said, resources });
    }

    /// Takes in every definition among what is rendered.
    pub fn learn_rendered(&mut self, rendered: &Rendered) {
        let objects = rendered.manifests.iter().map(|manifest| &manifest.object);
        objects
            .filter(|object| custom::is_definition(object))
            .for_each(|object| self.learn(object));
    }

    /// The name of the definition that brings a resource; `None` for a built-in one.
    #[must_use]
    pub fn definition_of(&self, gvr: &Gvr) -> Option<&str> {
        let brings = |learned: &Learned| learned.resources.contains(gvr);
        self.learned.iter().find(|(_, learned)| brings(learned)).map(|(name, _)| name.as_str())
    }

    /// Every resource that a definition brings.
    pub fn custom(&self) -> impl Iterator<Item = &Gvr> {
        self.learned.values().flat_map(|learned| &learned.resources)
    }
}

/// Whether only a definition can bring a group: no built-in kind is in it.
#[must_use]
pub fn is_foreign(group: &str) -> bool {
    group.contains('.') && builtin().kinds().all(|info| info.gvk.group != group)
}

/// Whether the server serves a resource of the definition, as the definition itself says
/// (R-CRD-04).
#[must_use]
pub fn serves(definition: &Object, gvr: &Gvr) -> bool {
    let is_established = definition.list(&["status", "conditions"]).iter().any(|condition| {
        let text = |key: &str| condition.get(key).and_then(Value::as_str);
        text("type") == Some("Established") && text("status") == Some("True")
    });
    is_established && !definition.is_deleting() && custom::resources(definition).any(|r| r == *gvr)
}

/// What of a definition makes kinds; the rest of it may change without being news.
fn said(definition: &Object) -> Value {
    let at = |path: &[&str]| definition.at(path).cloned().unwrap_or_default();
    let versions = definition.list(&["spec", "versions"]).iter().map(|version| {
        let part = |key: &str| version.get(key).cloned().unwrap_or_default();
        json!([part("name"), part("served"), part("schema")])
    });
    json!([
        at(&["spec", "group"]),
        at(&["spec", "scope"]),
        at(&["spec", "names", "kind"]),
        at(&["spec", "names", "plural"]),
        Value::Array(versions.collect()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_group_that_no_built_in_kind_has_is_foreign() {
        assert!(is_foreign("cert-manager.io") && is_foreign("gateway.networking.k8s.io"));
        assert!(!is_foreign("apps") && !is_foreign("networking.k8s.io") && !is_foreign(""));
    }
}
