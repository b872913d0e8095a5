//! Served kinds out of CustomResourceDefinitions: one for each served version of a definition
//! that is established.
//!
//! Not here: checking a definition, establishing it, and serving its objects.

use std::borrow::Cow;
use std::sync::Arc;

use super::catalog::{Custom, Served, storage_hash};
use crate::object::schema::{KindInfo, Subresource, TypeId};
use crate::object::{Gvk, Gvr, Name, Object, Value};

/// The group of definitions.
pub(in crate::sim::rest) const GROUP: &str = "apiextensions.k8s.io";
/// The resource of definitions.
pub(in crate::sim::rest) const PLURAL: &str = "customresourcedefinitions";

/// In the order in which the real server tells them (R-HTTP-03).
const VERBS: [&str; 8] =
    ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
/// While the definition is being deleted (R-HTTP-06).
const VERBS_TERMINATING: [&str; 5] = ["delete", "deletecollection", "get", "list", "watch"];
const VERBS_SUBRESOURCE: [&str; 3] = ["get", "patch", "update"];

/// What tells one state of all definitions from another: the newest revision, and how many.
pub(super) type Stamp = (u64, usize);

/// The stamp of a state.
pub(super) fn stamp<'a>(definitions: impl Iterator<Item = &'a Arc<Object>>) -> Stamp {
    definitions.fold((0, 0), |(newest, count), crd| (newest.max(crd.revision()), count + 1))
}

/// What a definition makes the server serve.
pub(super) fn served(definition: &Object) -> Vec<Served> {
    if !is_true(definition, "Established") {
        return Vec::new();
    }
    let versions = definition.list(&["spec", "versions"]).iter();
    versions.filter(|v| v["served"] == true).map(|v| one(definition, v)).collect()
}

fn is_true(definition: &Object, condition: &str) -> bool {
    definition.condition(condition).is_some_and(|c| c["status"] == "True")
}

fn one(definition: &Object, version: &Value) -> Served {
    let group = owned(definition.text(&["spec", "group"]));
    let name = owned(version["name"].as_str());
    let kind = owned(definition.text(&["status", "acceptedNames", "kind"]));
    let plural = owned(definition.text(&["status", "acceptedNames", "plural"]));
    let list_kind = definition.text(&["status", "acceptedNames", "listKind"]);
    let gvk = Gvk { group: group.clone(), version: name.clone(), kind };
    let details = subresources(&gvk, &version["subresources"]);
    let terminating = is_true(definition, "Terminating");
    let verbs: &[&'static str] = if terminating { &VERBS_TERMINATING } else { &VERBS };
    let storage_hash = stored_version(definition).map_or_else(String::new, |stored| {
        storage_hash(&format!("{}/{stored}/{}", gvk.group, gvk.kind))
    });
    let info = KindInfo {
        gvr: Gvr { group, version: name, plural },
        singular: owned(definition.text(&["status", "acceptedNames", "singular"])),
        list_kind: owned(list_kind),
        namespaced: definition.text(&["spec", "scope"]) == Some("Namespaced"),
        short_names: names(definition, "shortNames"),
        categories: names(definition, "categories"),
        verbs: verbs.iter().copied().map(Cow::Borrowed).collect(),
        subresources: details.iter().map(|s| s.name.clone()).collect(),
        subresource_details: details,
        ty: TypeId::DEDUCED,
        gvk,
    };
    let schema = version["schema"]["openAPIV3Schema"].clone();
    Served { info: Cow::Owned(info), storage_hash, custom: Some(Custom { schema }) }
}

fn owned(text: Option<&str>) -> Name {
    Cow::Owned(text.unwrap_or_default().to_owned())
}

fn names(definition: &Object, list: &str) -> Vec<Name> {
    let names = definition.list(&["status", "acceptedNames", list]).iter();
    names.map(|name| owned(name.as_str())).collect()
}

/// The version that is stored, where it is served.
fn stored_version(definition: &Object) -> Option<&str> {
    let mut versions = definition.list(&["spec", "versions"]).iter();
    versions.find(|v| v["storage"] == true && v["served"] == true)?["name"].as_str()
}

fn subresources(gvk: &Gvk, listed: &Value) -> Vec<Subresource> {
    let scale = Gvk::new("autoscaling", "v1", "Scale");
    let known = [("status", gvk), ("scale", &scale)];
    let there = known.into_iter().filter(|(name, _)| listed[*name].is_object());
    there
        .map(|(name, kind)| Subresource {
            name: Cow::Borrowed(name),
            verbs: VERBS_SUBRESOURCE.map(Cow::Borrowed).to_vec(),
            gvk: Some(kind.clone()),
        })
        .collect()
}
