//! `labels`, `commonLabels` and `commonAnnotations`.

use std::collections::BTreeMap;

use super::config::{Config, merge_all};
use super::fieldspec::{Create, FieldSpec};
use super::kustomization::Label;
use super::path::Step;
use super::resource::{Resource, Resources};
use crate::engine::model::RenderError;
use crate::object::Value;

/// Where an entry of `labels` puts its pairs.
///
/// # Errors
/// Where its own fields and the configured ones disagree.
pub(super) fn specs_of(label: &Label, config: &Config) -> Result<Vec<FieldSpec>, String> {
    let mut specs = label.fields.clone();
    merge_all(&mut specs, &config.labels)?;
    if label.include_selectors {
        merge_all(&mut specs, &config.common_labels)?;
        return Ok(specs);
    }
    if label.include_templates {
        merge_all(&mut specs, &config.template_labels)?;
    }
    if label.include_volume_claim_templates {
        merge_all(&mut specs, &config.claim_labels)?;
    }
    FieldSpec::any("metadata/labels", true).merge_into(&mut specs)?;
    Ok(specs)
}

/// Adds `pairs`, labels or annotations, at `specs` of every object.
pub(super) fn apply(
    resources: &mut Resources,
    pairs: &BTreeMap<String, String>,
    specs: &[FieldSpec],
) -> Result<(), RenderError> {
    if pairs.is_empty() {
        return Ok(());
    }
    for resource in &mut resources.list {
        let gvk = resource.object.gvk();
        let specs: Vec<&FieldSpec> = specs.iter().filter(|spec| spec.selects(&gvk)).collect();
        for (key, text) in pairs {
            put(resource, key, text, &specs)?;
        }
    }
    Ok(())
}

/// Puts a pair where the specs say. Where it is new it is one node in all of these places.
fn put(
    resource: &mut Resource,
    key: &str,
    text: &str,
    specs: &[&FieldSpec],
) -> Result<(), RenderError> {
    let object = resource.object_mut();
    let mut made: Vec<Vec<Step>> = Vec::new();
    for spec in specs {
        let mut set = |value: &mut Value, at: &[Step]| {
            let map = value.as_object_mut().ok_or("expected a map")?;
            if map.insert(key.to_owned(), Value::from(text)).is_none() {
                let mut place = at.to_vec();
                place.push(Step::Key(key.to_owned()));
                made.push(place);
            }
            Ok(())
        };
        if let Err(why) = spec.apply_tracked(object, Create::Map, &mut set) {
            return Err(resource.error(&why));
        }
    }
    resource.settle();
    resource.shared.add(&Value::from(text), made);
    Ok(())
}
