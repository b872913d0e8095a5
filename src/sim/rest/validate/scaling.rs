//! HorizontalPodAutoscalers and PodDisruptionBudgets.

use super::errors::{Errors, Path};
use super::read::{given, int, list, text};
use super::selectors;
use crate::object::{Object, Value};

const SPEC: Path = Path::Printed("spec");

pub(super) fn autoscaler(object: &Object, errors: &mut Errors) {
    let spec = object.at(&["spec"]).unwrap_or(&Value::Null);
    let (least, most) = (int(spec, "minReplicas"), int(spec, "maxReplicas").unwrap_or(0));
    if let Some(least) = least.filter(|least| *least < 1) {
        let text = "must be greater than or equal to 1";
        errors.invalid(&SPEC.field("minReplicas"), least, text);
    }
    if most == 0 {
        errors.required(&SPEC.field("maxReplicas"), "must be set and greater than 0");
    } else if most < 0 {
        let text = "must be greater than or equal to 1";
        errors.invalid(&SPEC.field("maxReplicas"), most, text);
    }
    if least.is_some_and(|least| most < least) {
        let text = "must be greater than or equal to `minReplicas`";
        errors.invalid(&SPEC.field("maxReplicas"), most, text);
    }
    let target = SPEC.field("scaleTargetRef");
    for field in ["kind", "name"] {
        if text(&spec["scaleTargetRef"], field).is_empty() {
            errors.required(&target.field(field), "");
        }
    }
    let version = text(&spec["scaleTargetRef"], "apiVersion");
    if version.is_empty() {
        let text = "apiVersion must specify API group";
        errors.invalid(&target.field("apiVersion"), version, text);
    }
    let metrics = SPEC.field("metrics");
    for (i, metric) in list(spec, "metrics").iter().enumerate() {
        self::metric(metric, &metrics.index(i), errors);
    }
    let outside = |metric: &Value| matches!(text(metric, "type"), "Object" | "External");
    if least == Some(0) && !list(spec, "metrics").iter().any(outside) {
        let text = "must specify at least one Object or External metric to support scaling to zero replicas";
        errors.forbidden(&metrics, text);
    }
}

const METRICS: [(&str, &str); 5] = [
    ("ContainerResource", "containerResource"),
    ("External", "external"),
    ("Object", "object"),
    ("Pods", "pods"),
    ("Resource", "resource"),
];

fn metric(metric: &Value, path: &Path, errors: &mut Errors) {
    let kind = text(metric, "type");
    let Some((_, field)) = METRICS.into_iter().find(|(name, _)| *name == kind) else {
        if kind.is_empty() {
            errors.required(&path.field("type"), "must specify a metric source type");
        }
        let supported = METRICS.map(|(name, _)| name);
        errors.unsupported(&path.field("type"), kind, &supported);
        errors.unsupported(&path.field("type"), kind, &supported);
        return;
    };
    if let Some(source) = given(metric, "resource") {
        resource_metric(source, &path.field("resource"), errors);
    }
    if given(metric, field).is_none() {
        let text = "must populate information for the given metric source";
        errors.required(&path.field(field), text);
    }
    for (_, other) in METRICS {
        if other != field && given(metric, other).is_some() {
            let text = "must populate the given metric source only";
            errors.forbidden(&path.field(other), text);
        }
    }
}

fn resource_metric(source: &Value, path: &Path, errors: &mut Errors) {
    if text(source, "name").is_empty() {
        errors.required(&path.field("name"), "must specify a resource name");
    }
    let target = &source["target"];
    let at = path.field("target");
    let kind = text(target, "type");
    if kind.is_empty() {
        errors.required(&at.field("type"), "must specify a metric target type");
    }
    if !matches!(kind, "Utilization" | "Value" | "AverageValue") {
        let text = "must be either Utilization, Value, or AverageValue";
        errors.invalid(&at.field("type"), kind, text);
    }
    let (share, value) = (int(target, "averageUtilization"), given(target, "averageValue"));
    if let Some(share) = share.filter(|share| *share < 1) {
        errors.invalid(&at.field("averageUtilization"), share, "must be greater than 0");
    }
    if share.is_none() && value.is_none() {
        let text = "must set either a target raw value or a target utilization";
        errors.required(&at.field("averageUtilization"), text);
    }
    if share.is_some() && value.is_some() {
        let text = "may not set both a target raw value and a target utilization";
        errors.forbidden(&at.field("averageValue"), text);
    }
}

pub(super) fn budget(object: &Object, errors: &mut Errors) {
    let spec = object.at(&["spec"]).unwrap_or(&Value::Null);
    let fields = ["minAvailable", "maxUnavailable"];
    if fields.iter().all(|field| given(spec, field).is_some()) {
        let text = "minAvailable and maxUnavailable cannot be both set";
        let selector = given(spec, "selector").map_or("null".to_owned(), Value::to_string);
        let shown = format!(
            "{{\"MinAvailable\":{},\"Selector\":{selector},\"MaxUnavailable\":{},\"UnhealthyPodEvictionPolicy\":null}}",
            spec["minAvailable"], spec["maxUnavailable"]
        );
        errors.invalid_as(&SPEC, &shown, text);
    }
    for field in fields {
        selectors::int_or_percent(spec, &SPEC, field, errors);
        selectors::at_most_all(spec, &SPEC, field, errors);
    }
    if let Some(selector) = given(spec, "selector") {
        selectors::selector(selector, &SPEC.field("selector"), errors);
    }
}
