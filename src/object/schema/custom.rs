//! The kinds that a CustomResourceDefinition brings, as entries of a [`Schema`].
//!
//! Read from `spec` alone: what a repository says is known before a cluster has accepted it. What
//! a server makes of a definition, its conditions and its checks, is `sim::crd`'s.

use std::borrow::Cow;

use super::node::{self, Node};
use super::{KindInfo, Schema, typed};
use crate::object::{Gvk, Gvr, Name, Object, Value};

/// Whether an object is a definition of a kind, of the one version that servers still take.
#[must_use]
pub fn is_definition(object: &Object) -> bool {
    object.kind() == "CustomResourceDefinition" && object.api_version() == "apiextensions.k8s.io/v1"
}

/// Adds the kinds of all served versions to a schema that has the built-in ones. A kind that is
/// there already is replaced, and what has its old type keeps it.
pub fn learn(schema: &mut Schema, definition: &Object) {
    let served = definition
        .list(&["spec", "versions"])
        .iter()
        .filter(|version| version.get("served").and_then(Value::as_bool).unwrap_or(false));
    for version in served {
        let open_api = version.pointer("/schema/openAPIV3Schema").unwrap_or(&Value::Null);
        let ty = typed::add(schema, &Node::read(open_api));
        let name = node::text(version, "name");
        schema.add_kind(KindInfo { ty, ..info(definition, &name) });
    }
}

/// The resources that a definition brings, one for each served version.
pub fn resources(definition: &Object) -> impl Iterator<Item = Gvr> {
    let versions = definition.list(&["spec", "versions"]).iter();
    let served =
        versions.filter(|version| version.get("served").and_then(Value::as_bool).unwrap_or(false));
    served.map(|version| info(definition, &node::text(version, "name")).gvr)
}

fn info(definition: &Object, version: &str) -> KindInfo {
    let name = |path: &[&str]| -> Name {
        Cow::Owned(definition.text(path).unwrap_or_default().to_owned())
    };
    let names = definition.at(&["spec", "names"]).unwrap_or(&Value::Null);
    let list = |key: &str| node::texts(names, key).into_iter().map(Cow::Owned).collect();
    let (group, version) = (name(&["spec", "group"]), Cow::Owned(version.to_owned()));
    let kind = name(&["spec", "names", "kind"]);
    let plural = name(&["spec", "names", "plural"]);
    let verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    KindInfo {
        gvk: Gvk { group: group.clone(), version: Name::clone(&version), kind: kind.clone() },
        gvr: Gvr { group, version, plural },
        singular: Cow::Owned(kind.to_lowercase()),
        list_kind: Cow::Owned(format!("{kind}List")),
        namespaced: definition.text(&["spec", "scope"]) == Some("Namespaced"),
        short_names: list("shortNames"),
        categories: list("categories"),
        verbs: verbs.map(Cow::Borrowed).to_vec(),
        subresources: Vec::new(),
        subresource_details: Vec::new(),
        ty: super::TypeId::DEDUCED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;
    use crate::object::schema::{Mode, builtin, check};

    fn definition(version: &str) -> Object {
        let spec = json!({"group": "x.io", "scope": "Namespaced",
            "names": {"kind": "Gate", "plural": "gates", "shortNames": ["gt"]},
            "versions": [
                {"name": version, "served": true, "schema": {"openAPIV3Schema": {"type": "object",
                    "properties": {"spec": {"type": "object", "properties": {
                        "rules": {"type": "array", "x-kubernetes-list-type": "map",
                            "x-kubernetes-list-map-keys": ["name"], "items": {"type": "object",
                                "properties": {"name": {"type": "string"}}}}}}}}}},
                {"name": "v0", "served": false}]});
        Object::from_value(json!({"apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition", "metadata": {"name": "gates.x.io"}, "spec": spec}))
        .unwrap()
    }

    #[test]
    fn served_versions_become_kinds_and_their_objects_are_checked() {
        let mut schema = builtin().clone();
        let definition = definition("v1");
        assert!(is_definition(&definition));
        learn(&mut schema, &definition);
        assert!(schema.kind("x.io", "v0", "Gate").is_none());
        let kind = schema.kind("x.io", "v1", "Gate").unwrap();
        assert!(kind.namespaced && schema.called("gt") == Some(kind));
        assert!(resources(&definition).eq([kind.gvr.clone()]));
        let object = json!({"apiVersion": "x.io/v1", "kind": "Gate", "metadata": {"name": "a"},
            "spec": {"rules": [{"name": "r", "nam": 1}]}});
        let problems = check(&schema, kind.ty, &object, Mode::Manifest);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].path, "spec.rules[0].nam");
    }

    #[test]
    fn a_kind_that_is_learned_again_is_replaced() {
        let mut schema = builtin().clone();
        learn(&mut schema, &definition("v1"));
        let kinds = schema.kinds().count();
        learn(&mut schema, &definition("v1"));
        assert_eq!(schema.kinds().count(), kinds);
    }
}
