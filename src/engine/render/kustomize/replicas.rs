//! `replicas`: sets the number of replicas by name.

use super::fieldspec::{Create, FieldSpec};
use super::kustomization::Replica;
use super::resource::Resources;
use crate::engine::model::RenderError;
use crate::object::Value;

/// Sets the number in every object that has, or had, the name, at the fields of its kind. Whether
/// one was found.
pub(super) fn apply(
    resources: &mut Resources,
    replica: &Replica,
    fields: &[FieldSpec],
) -> Result<bool, RenderError> {
    let mut is_found = false;
    for spec in fields {
        for resource in &mut resources.list {
            if !resource.any_id_named(&replica.name.text, |id| spec.selects(&id.gvk)) {
                continue;
            }
            is_found = true;
            let mut set = |value: &mut Value| {
                if value.is_object() || value.is_array() {
                    return Err("expected a scalar".to_owned());
                }
                *value = Value::from(replica.count);
                Ok(())
            };
            let result = spec.apply(resource.object_mut(), Create::Scalar, &mut set);
            result.map_err(|why| resource.error(&why))?;
        }
    }
    Ok(is_found)
}
