//! `namePrefix` and `nameSuffix`. References to the names follow at the end (`nameref`).

use super::resource::{Resource, Resources};
use crate::object::Value;

/// Puts `prefix` before the names.
pub(super) fn apply_prefix(resources: &mut Resources, prefix: &str) {
    if !prefix.is_empty() {
        rename(resources, |resource| {
            resource.prefixes.push(prefix.to_owned());
            format!("{prefix}{}", resource.object.name())
        });
    }
}

/// Puts `suffix` behind the names.
pub(super) fn apply_suffix(resources: &mut Resources, suffix: &str) {
    if !suffix.is_empty() {
        rename(resources, |resource| {
            resource.suffixes.push(suffix.to_owned());
            format!("{}{suffix}", resource.object.name())
        });
    }
}

fn rename(resources: &mut Resources, mut name: impl FnMut(&mut Resource) -> String) {
    for resource in &mut resources.list {
        if keeps_its_name(resource) {
            continue;
        }
        resource.store_id();
        let name = name(resource);
        resource.object_mut().set(&["metadata", "name"], Value::String(name));
    }
}

/// Kinds whose name means something to others.
fn keeps_its_name(resource: &Resource) -> bool {
    let gvk = resource.original_id().gvk;
    match &*gvk.kind {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => gvk.group == "apiregistration.k8s.io",
        _ => false,
    }
}
