//! `labels`, `commonLabels` and `commonAnnotations`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::fieldspec::{Create, FieldSpec};
use super::kustomization::Label;
use super::resource::Resources;
use crate::engine::model::RenderError;
use crate::engine::render::error_at;
use crate::object::Value;

/// Where labels stand besides selectors. Order as kustomize goes through them.
static LABELS: LazyLock<Vec<FieldSpec>> = LazyLock::new(|| {
    let template = "spec/template/metadata/labels";
    vec![
        FieldSpec::any("metadata/labels", true),
        FieldSpec::new("", "v1", "ReplicationController", template, true),
        FieldSpec::new("", "", "Deployment", template, true),
        FieldSpec::new("", "", "ReplicaSet", template, true),
        FieldSpec::new("", "", "DaemonSet", template, true),
        FieldSpec::new("apps", "", "StatefulSet", template, true),
        FieldSpec::new("batch", "", "Job", template, true),
        FieldSpec::new("batch", "", "CronJob", "spec/jobTemplate/metadata/labels", true),
        FieldSpec::new(
            "batch",
            "",
            "CronJob",
            "spec/jobTemplate/spec/template/metadata/labels",
            true,
        ),
    ]
});

/// Selectors and labels.
static SELECTORS: LazyLock<Vec<FieldSpec>> = LazyLock::new(|| {
    let labels = "spec/selector/matchLabels";
    let mut specs = vec![
        FieldSpec::new("", "v1", "Service", "spec/selector", true),
        FieldSpec::new("", "v1", "ReplicationController", "spec/selector", true),
        FieldSpec::new("", "", "Deployment", labels, true),
        FieldSpec::new("", "", "ReplicaSet", labels, true),
        FieldSpec::new("", "", "DaemonSet", labels, true),
        FieldSpec::new("apps", "", "StatefulSet", labels, true),
        FieldSpec::new("batch", "", "Job", labels, false),
        FieldSpec::new("batch", "", "CronJob", "spec/jobTemplate/spec/selector/matchLabels", false),
        FieldSpec::new("policy", "", "PodDisruptionBudget", labels, false),
    ];
    for kind in ["Deployment", "StatefulSet"] {
        for affinity in ["podAffinity", "podAntiAffinity"] {
            for when in [
                "preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm",
                "requiredDuringSchedulingIgnoredDuringExecution",
            ] {
                let path = format!(
                    "spec/template/spec/affinity/{affinity}/{when}/labelSelector/matchLabels"
                );
                specs.push(FieldSpec::new("apps", "", kind, &path, false));
            }
        }
        let path = "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels";
        specs.push(FieldSpec::new("apps", "", kind, path, false));
    }
    for at in ["spec", "spec/ingress/from", "spec/egress/to"] {
        let path = format!("{at}/podSelector/matchLabels");
        specs.push(FieldSpec::new("networking.k8s.io", "", "NetworkPolicy", &path, false));
    }
    specs.extend(LABELS.iter().cloned());
    specs.push(claim_templates());
    specs
});

fn claim_templates() -> FieldSpec {
    FieldSpec::new("apps", "", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true)
}

static ANNOTATIONS: LazyLock<Vec<FieldSpec>> = LazyLock::new(|| {
    let template = "spec/template/metadata/annotations";
    vec![
        FieldSpec::any("metadata/annotations", true),
        FieldSpec::new("", "v1", "ReplicationController", template, true),
        FieldSpec::new("", "", "Deployment", template, true),
        FieldSpec::new("", "", "ReplicaSet", template, true),
        FieldSpec::new("", "", "DaemonSet", template, true),
        FieldSpec::new("", "", "StatefulSet", template, true),
        FieldSpec::new("batch", "", "Job", template, true),
        FieldSpec::new("batch", "", "CronJob", "spec/jobTemplate/metadata/annotations", true),
        FieldSpec::new(
            "batch",
            "",
            "CronJob",
            "spec/jobTemplate/spec/template/metadata/annotations",
            true,
        ),
    ]
});

/// Where an entry of `labels` puts its pairs.
///
/// # Errors
/// Where its own fields and the built-in ones disagree.
pub(super) fn specs_of(label: &Label) -> Result<Vec<FieldSpec>, String> {
    let mut specs = label.fields.clone();
    if label.include_selectors {
        SELECTORS.iter().try_for_each(|spec| spec.clone().merge_into(&mut specs))?;
        return Ok(specs);
    }
    if label.include_templates {
        LABELS.iter().try_for_each(|spec| spec.clone().merge_into(&mut specs))?;
    }
    if label.include_volume_claim_templates {
        claim_templates().merge_into(&mut specs)?;
    }
    FieldSpec::any("metadata/labels", true).merge_into(&mut specs)?;
    Ok(specs)
}

/// Adds `pairs` at `specs` of every object.
pub(super) fn apply(
    resources: &mut Resources,
    pairs: &BTreeMap<String, String>,
    specs: &[FieldSpec],
) -> Result<(), RenderError> {
    if pairs.is_empty() {
        return Ok(());
    }
    for resource in &mut resources.list {
        let origin = resource.origin.clone();
        let gvk = resource.object.gvk();
        let object = resource.object_mut();
        for spec in specs.iter().filter(|spec| spec.selects(&gvk)) {
            let mut set = |value: &mut Value| {
                let map = value.as_object_mut().ok_or("expected a map")?;
                for (key, text) in pairs {
                    map.insert(key.clone(), Value::from(text.as_str()));
                }
                Ok(())
            };
            spec.apply_always(object, Create::Map, &mut set)
                .map_err(|why| error_at(&origin, why))?;
        }
    }
    Ok(())
}

/// Adds `commonLabels`.
pub(super) fn apply_common(
    resources: &mut Resources,
    pairs: &BTreeMap<String, String>,
) -> Result<(), RenderError> {
    apply(resources, pairs, &SELECTORS)
}

/// Adds `commonAnnotations`.
pub(super) fn apply_annotations(
    resources: &mut Resources,
    pairs: &BTreeMap<String, String>,
) -> Result<(), RenderError> {
    apply(resources, pairs, &ANNOTATIONS)
}
