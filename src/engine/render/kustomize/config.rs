//! Which fields the transformers change: kustomize's own list, what `configurations` and `crds`
//! add to it, and how two such lists are merged.

use std::sync::{Arc, LazyLock};

use super::decode::Decoder;
use super::fieldspec::FieldSpec;
use super::kustomization::field_spec;
use super::nameref_table::{self, References};
use super::{config_defaults, images};
use crate::engine::model::RenderError;
use crate::object::order;
use crate::object::yaml::spanned::Node;

/// The fields that each transformer changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Config {
    pub(super) name_prefix: Vec<FieldSpec>,
    pub(super) name_suffix: Vec<FieldSpec>,
    pub(super) namespace: Vec<FieldSpec>,
    pub(super) common_labels: Vec<FieldSpec>,
    pub(super) labels: Vec<FieldSpec>,
    pub(super) template_labels: Vec<FieldSpec>,
    pub(super) claim_labels: Vec<FieldSpec>,
    pub(super) common_annotations: Vec<FieldSpec>,
    pub(super) name_references: Vec<References>,
    pub(super) var_references: Vec<FieldSpec>,
    pub(super) images: Vec<FieldSpec>,
    pub(super) replicas: Vec<FieldSpec>,
}

/// What kustomize does where nothing is configured.
static DEFAULT: LazyLock<Arc<Config>> = LazyLock::new(|| {
    let mut config = Config {
        name_prefix: vec![FieldSpec::any("metadata/name", false)],
        name_suffix: vec![FieldSpec::any("metadata/name", false)],
        namespace: config_defaults::namespace(),
        common_labels: config_defaults::common_labels(),
        labels: Vec::new(),
        template_labels: config_defaults::template_labels(),
        claim_labels: vec![config_defaults::claim_templates()],
        common_annotations: config_defaults::common_annotations(),
        name_references: nameref_table::defaults(),
        var_references: config_defaults::var_references(),
        images: images::default_fields(),
        replicas: config_defaults::replicas(),
    };
    config.sort();
    Arc::new(config)
});

/// The lists of a configuration file by their names there.
const FIELDS: [&str; 12] = [
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "volumeClaimTemplateLabels",
    "commonAnnotations",
    "nameReference",
    "varReference",
    "images",
    "replicas",
];

impl Config {
    /// Kustomize's own.
    pub(super) fn of_kustomize() -> Arc<Config> {
        DEFAULT.clone()
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// The first field that is not known or of another type.
    pub(super) fn read(decoder: Decoder<'_>, documents: &[Node]) -> Result<Self, RenderError> {
        let mut config = Config::default();
        let Some(node) = documents.first() else { return Ok(config) };
        for (name, value, _) in decoder.fields(node, "configuration", &FIELDS)? {
            if name == "nameReference" {
                config.name_references = decoder.list(value, |item| references(decoder, item))?;
                continue;
            }
            let specs = decoder.list(value, |item| field_spec(decoder, item))?;
            if let Some(list) = config.list_mut(name) {
                *list = specs;
            }
        }
        config.sort();
        Ok(config)
    }

    fn list_mut(&mut self, name: &str) -> Option<&mut Vec<FieldSpec>> {
        Some(match name {
            "namePrefix" => &mut self.name_prefix,
            "nameSuffix" => &mut self.name_suffix,
            "namespace" => &mut self.namespace,
            "commonLabels" => &mut self.common_labels,
            "labels" => &mut self.labels,
            "templateLabels" => &mut self.template_labels,
            "volumeClaimTemplateLabels" => &mut self.claim_labels,
            "commonAnnotations" => &mut self.common_annotations,
            "varReference" => &mut self.var_references,
            "images" => &mut self.images,
            "replicas" => &mut self.replicas,
            _ => return None,
        })
    }

    /// This with all of another.
    ///
    /// # Errors
    /// Where both have a field and disagree on making it.
    pub(super) fn merged(self: &Arc<Self>, other: &Arc<Self>) -> Result<Arc<Self>, String> {
        if Arc::ptr_eq(self, other) || **other == Config::default() {
            return Ok(self.clone());
        }
        // Even into an empty list fields are merged one by one: one for any kind, which comes
        // behind those for some kinds, is then taken to be there already. Kustomize's own list
        // has no such fields.
        if **self == Config::default() && Arc::ptr_eq(other, &DEFAULT) {
            return Ok(other.clone());
        }
        let (mut merged, mut other) = (Config::clone(self), Config::clone(other));
        for name in FIELDS {
            let (Some(list), Some(more)) = (merged.list_mut(name), other.list_mut(name)) else {
                continue;
            };
            merge_all(list, more).map_err(|why| format!("in {name}: {why}"))?;
        }
        for references in other.name_references {
            merged.add_references(references)?;
        }
        merged.sort();
        Ok(Arc::new(merged))
    }

    /// Adds fields that refer to a kind.
    ///
    /// # Errors
    /// As [`merged`](Self::merged).
    pub(super) fn add_references(&mut self, references: References) -> Result<(), String> {
        match self.name_references.iter_mut().find(|have| have.same_target(&references)) {
            Some(have) => merge_all(&mut have.fields, &references.fields),
            None => {
                self.name_references.push(references);
                Ok(())
            }
        }
    }

    fn sort(&mut self) {
        for name in FIELDS {
            if let Some(list) = self.list_mut(name) {
                list.sort_by_cached_key(|spec| {
                    let (group, version, kind) = spec.gvk();
                    sort_key(group, version, kind)
                });
            }
        }
        self.name_references.sort_by_cached_key(|r| sort_key(&r.group, &r.version, &r.kind));
    }
}

/// Kustomize's order of kinds.
fn sort_key(group: &str, version: &str, kind: &str) -> (usize, String) {
    let or =
        |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    let text = format!("{}_{}_{}", or(group, "~G"), or(version, "~V"), or(kind, "~K"));
    (order::rank(kind), text)
}

/// Adds every one of `more` that is not there.
pub(super) fn merge_all(list: &mut Vec<FieldSpec>, more: &[FieldSpec]) -> Result<(), String> {
    more.iter().try_for_each(|spec| spec.clone().merge_into(list))
}

fn references(decoder: Decoder<'_>, node: &Node) -> Result<References, RenderError> {
    let mut references = References::default();
    for (name, value, _) in
        decoder.fields(node, "name reference", &["group", "version", "kind", "fieldSpecs"])?
    {
        match name {
            "group" => references.group = decoder.text(value)?.text,
            "version" => references.version = decoder.text(value)?.text,
            "kind" => references.kind = decoder.text(value)?.text,
            _ => references.fields = decoder.list(value, |item| field_spec(decoder, item))?,
        }
    }
    Ok(references)
}
