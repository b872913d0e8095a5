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

/// Sets the namespace of everything.
pub(super) fn apply(resources: &mut Resources, namespace: &str) -> Result<(), RenderError> {
    if namespace.is_empty() {
        return Ok(());
    }
    let specs = specs();
    for resource in &mut resources.list {
        resource.store_id();
        set(resource, namespace, &specs).map_err(|why| error_at(&resource.origin, why))?;
    }
    if let Some((first, second)) = resources.first_twins() {
        let message = format!(
            "in namespace {namespace} this is the same object as the one at {}",
            first.origin
        );
        return Err(error_at(&second.origin, message));
    }
    Ok(())
}

fn specs() -> [FieldSpec; 3] {
    [
        FieldSpec::new("", "v1", "Namespace", "metadata/name", true),
        FieldSpec::new("apiregistration.k8s.io", "", "APIService", "spec/service/namespace", true),
        FieldSpec::new(
            "apiextensions.k8s.io",
            "",
            "CustomResourceDefinition",
            "spec/conversion/webhook/clientConfig/service/namespace",
            false,
        ),
    ]
}

fn set(resource: &mut Resource, namespace: &str, specs: &[FieldSpec]) -> Result<(), String> {
    let is_cluster_scoped = resource.id().is_cluster_scoped;
    let object = resource.object_mut();
    if !is_cluster_scoped {
        object.set(&["metadata", "namespace"], Value::from(namespace));
    }
    if matches!(object.kind(), "RoleBinding" | "ClusterRoleBinding") {
        set_subjects(object, namespace)?;
    }
    for spec in specs {
        // The version of a Namespace is the whole apiVersion: `v1`, and no other group's.
        if spec.path() == "metadata/name" && object.api_version() != "v1" {
            continue;
        }
        spec.apply(object, Create::Scalar, &mut |value| {
            if value.is_object() || value.is_array() {
                return Err("expected a scalar".to_owned());
            }
            *value = Value::from(namespace);
            Ok(())
        })?;
    }
    Ok(())
}

fn set_subjects(object: &mut Object, namespace: &str) -> Result<(), String> {
    match object.0.get_mut("subjects") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(subjects)) => {
            for subject in subjects.iter_mut().filter_map(Value::as_object_mut) {
                if subject.get("name").and_then(Value::as_str) == Some("default") {
                    subject.insert("namespace".to_owned(), Value::from(namespace));
                }
            }
            Ok(())
        }
        Some(_) => Err("subjects must be a list".to_owned()),
    }
}
