//! `namespace`: puts every namespaced object into one namespace.
//!
//! Objects of kinds that kustomize does not know count as namespaced. A `Namespace` object is
//! renamed, subjects named `default` of role bindings follow, an APIService's service too;
//! other references follow at the end (`nameref`).

use super::fieldspec::{Create, FieldSpec};
use super::resource::{Resource, Resources};
use crate::engine::model::RenderError;
use crate::engine::render::error_at;
use crate::object::{Object, Value};

/// Which subjects of role bindings are put into the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Subjects {
    /// Those called `default`.
    #[default]
    Default,
    ServiceAccounts,
    None,
}

/// A namespace and how it is set.
#[derive(Clone, Debug, Default)]
pub(super) struct Setting {
    pub(super) namespace: String,
    pub(super) fields: Vec<FieldSpec>,
    /// Whether what names a namespace keeps it.
    pub(super) unset_only: bool,
    pub(super) subjects: Subjects,
}

/// Sets the namespace of everything.
pub(super) fn apply(resources: &mut Resources, setting: &Setting) -> Result<(), RenderError> {
    if setting.namespace.is_empty() {
        return Ok(());
    }
    for resource in &mut resources.list {
        resource.store_id();
        set(resource, setting).map_err(|why| resource.error(&why))?;
    }
    if let Some((first, second)) = resources.first_twins() {
        let message = format!(
            "in namespace {} this is the same object as the one at {}",
            setting.namespace, first.origin
        );
        return Err(error_at(&second.origin, message));
    }
    Ok(())
}

/// Sets the namespace of one object.
pub(super) fn set(resource: &mut Resource, setting: &Setting) -> Result<(), String> {
    let is_cluster_scoped = resource.id().is_cluster_scoped;
    let object = resource.object_mut();
    let mut write = |value: &mut Value| setting.write(value);
    if !is_cluster_scoped {
        let spec = FieldSpec::any("metadata/namespace", true);
        spec.apply_always(object, Create::Scalar, &mut write)?;
    }
    let binds = matches!(object.kind(), "RoleBinding" | "ClusterRoleBinding");
    if binds {
        set_subjects(object, setting)?;
    }
    let is_core = object.api_version() == "v1";
    for spec in &setting.fields {
        let is_subject = matches!(spec.kind(), "RoleBinding" | "ClusterRoleBinding")
            && spec.path() == "subjects/namespace";
        // The version of a Namespace is the whole apiVersion: `v1`, and no other group's.
        let is_other_name = !is_core && spec.path() == "metadata/name";
        if spec.path() == "metadata/namespace" || is_other_name || (binds && is_subject) {
            continue;
        }
        spec.apply(object, Create::Scalar, &mut write)?;
    }
    Ok(())
}

impl Setting {
    fn write(&self, value: &mut Value) -> Result<(), String> {
        if value.is_object() || value.is_array() {
            return Err("namespace field specs must target scalar nodes".to_owned());
        }
        let is_set = !value.is_null() && value.as_str() != Some("");
        if !(self.unset_only && is_set) {
            *value = Value::from(self.namespace.as_str());
        }
        Ok(())
    }
}

fn set_subjects(object: &mut Object, setting: &Setting) -> Result<(), String> {
    let (field, wanted) = match setting.subjects {
        Subjects::None => return Ok(()),
        Subjects::Default => ("name", "default"),
        Subjects::ServiceAccounts => ("kind", "ServiceAccount"),
    };
    match object.0.get_mut("subjects") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(subjects)) => {
            for subject in subjects {
                let Value::Object(subject) = subject else {
                    return Err("subjects must be maps, to set the namespace of".to_owned());
                };
                if subject.get(field).and_then(Value::as_str) == Some(wanted) {
                    let slot = subject.entry("namespace").or_insert(Value::Null);
                    setting.write(slot)?;
                }
            }
            Ok(())
        }
        Some(_) => Err("subjects must be a list, to set the namespace of".to_owned()),
    }
}
