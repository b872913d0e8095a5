//! `replicas`: sets the number of replicas by name.

use super::fieldspec::{Create, FieldSpec};
use super::kustomization::Replica;
use super::resource::Resources;
use crate::engine::model::RenderError;
use crate::engine::render::error_at;
use crate::object::Value;

const KINDS: [&str; 4] = ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"];

/// Sets `spec.replicas` of every workload that has, or had, the name. Whether one was found.
pub(super) fn apply(resources: &mut Resources, replica: &Replica) -> Result<bool, RenderError> {
    let mut is_found = false;
    for kind in KINDS {
        let spec = FieldSpec::new("", "", kind, "spec/replicas", true);
        for resource in &mut resources.list {
            if !resource.any_id_named(&replica.name.text, |id| id.gvk.kind == kind) {
                continue;
            }
            is_found = true;
            let origin = resource.origin.clone();
            let mut set = |value: &mut Value| {
                if value.is_object() || value.is_array() {
                    return Err("expected a scalar".to_owned());
                }
                *value = Value::from(replica.count);
                Ok(())
            };
            spec.apply(resource.object_mut(), Create::Scalar, &mut set)
                .map_err(|why| error_at(&origin, why))?;
        }
    }
    Ok(is_found)
}
