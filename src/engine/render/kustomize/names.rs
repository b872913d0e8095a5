//! `namePrefix` and `nameSuffix`. References to the names follow at the end (`nameref`).

use super::fieldspec::{Create, FieldSpec, scalar_text};
use super::resource::{Resource, Resources};
use crate::engine::model::RenderError;
use crate::object::Value;

/// Puts `prefix` before the names.
pub(super) fn apply_prefix(
    resources: &mut Resources,
    prefix: &str,
    fields: &[FieldSpec],
) -> Result<(), RenderError> {
    if prefix.is_empty() {
        return Ok(());
    }
    rename(resources, fields, &|old| format!("{prefix}{old}"), &|resource| {
        resource.prefixes.push(prefix.to_owned());
    })
}

/// Puts `suffix` behind the names.
pub(super) fn apply_suffix(
    resources: &mut Resources,
    suffix: &str,
    fields: &[FieldSpec],
) -> Result<(), RenderError> {
    if suffix.is_empty() {
        return Ok(());
    }
    rename(resources, fields, &|old| format!("{old}{suffix}"), &|resource| {
        resource.suffixes.push(suffix.to_owned());
    })
}

fn rename(
    resources: &mut Resources,
    fields: &[FieldSpec],
    new: &dyn Fn(&str) -> String,
    note: &dyn Fn(&mut Resource),
) -> Result<(), RenderError> {
    for resource in &mut resources.list {
        if keeps_its_name(resource) {
            continue;
        }
        let original = resource.original_id().gvk;
        for spec in fields.iter().filter(|spec| spec.selects(&original)) {
            if spec.path() == "metadata/name" {
                note(resource);
                resource.store_id();
            }
            let mut set = |value: &mut Value| {
                let old = scalar_text(value).ok_or("expected a scalar")?;
                *value = Value::String(new(if value.is_null() { "" } else { &old }).into());
                Ok(())
            };
            let result = spec.apply(resource.object_mut(), Create::Scalar, &mut set);
            result.map_err(|why| resource.error(&why))?;
        }
    }
    Ok(())
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
