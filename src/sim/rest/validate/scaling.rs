//! HorizontalPodAutoscalers and PodDisruptionBudgets.

use super::errors::{Errors, Path};
use super::read::{given, int, list, text};
use super::{resources, selectors};
use crate::object::quantity::Quantity;
use crate::object::{Object, Value};
use crate::sim::rest::names;

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
    if !version.contains('/') && version != "v1" {
        let text = "apiVersion must specify API group";
        errors.invalid(&target.field("apiVersion"), version, text);
    }
    let metrics = SPEC.field("metrics");
    if let Some(share) = int(spec, "targetCPUUtilizationPercentage").filter(|share| *share < 1) {
        let at = metrics.index(0);
        let resource = at.field("resource");
        let target = resource.field("target");
        errors.invalid(&target.field("averageUtilization"), share, "must be greater than 0");
    }
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
    other_metrics(metric, path, errors);
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

/// Metrics of single containers, of pods, of another object, and from outside.
fn other_metrics(metric: &Value, path: &Path, errors: &mut Errors) {
    if let Some(source) = given(metric, "containerResource") {
        let at = path.field("containerResource");
        let container = text(source, "container");
        if container.is_empty() {
            errors.required(&at.field("container"), "must specify a container");
        } else {
            errors.faults(&at.field("container"), container, names::label_1123(container));
        }
        resource_metric(source, &at, errors);
        let name = text(source, "name");
        if !name.is_empty() {
            resources::resource_name(name, &at.field("name"), errors);
        }
    }
    if let Some(source) = given(metric, "pods") {
        let at = path.field("pods");
        named_metric(source, &at, errors);
        let place = at.field("target");
        target_type(&source["target"], &place, errors);
        if given(&source["target"], "averageValue").is_none() {
            let text = "must specify a positive target averageValue";
            errors.required(&place.field("averageValue"), text);
        }
    }
    if let Some(source) = given(metric, "object") {
        let at = path.field("object");
        let about = at.field("describedObject");
        for field in ["kind", "name"] {
            if text(&source["describedObject"], field).is_empty() {
                errors.required(&about.field(field), "");
            }
        }
        named_metric(source, &at, errors);
        let place = at.field("target");
        target_type(&source["target"], &place, errors);
        if ["averageValue", "value"].iter().all(|f| given(&source["target"], f).is_none()) {
            let text = "must set either a target value or averageValue";
            errors.required(&place.field("averageValue"), text);
        }
    }
    if let Some(source) = given(metric, "external") {
        let at = path.field("external");
        named_metric(source, &at, errors);
        let place = at.field("target");
        target_type(&source["target"], &place, errors);
        let both = ["averageValue", "value"].map(|f| given(&source["target"], f).is_some());
        if both == [true, true] {
            let text = "may not set both a target value for metric and a per-pod target";
            errors.forbidden(&place.field("value"), text);
        } else if both == [false, false] {
            let text = "must set either a target value for metric or a per-pod target";
            errors.required(&place.field("averageValue"), text);
        }
    }
}

fn named_metric(source: &Value, path: &Path, errors: &mut Errors) {
    let at = path.field("metric");
    let name = text(&source["metric"], "name");
    if name.is_empty() {
        errors.required(&at.field("name"), "must specify a metric name");
    } else {
        errors.faults(&at.field("name"), name, names::path_segment(name));
    }
    if let Some(selector) = given(&source["metric"], "selector") {
        selectors::selector(selector, &at.field("selector"), errors);
    }
}

/// A target has a type, and amounts above zero.
fn target_type(target: &Value, path: &Path, errors: &mut Errors) {
    let kind = text(target, "type");
    if kind.is_empty() {
        errors.required(&path.field("type"), "must specify a metric target type");
    }
    if !matches!(kind, "Utilization" | "Value" | "AverageValue") {
        let text = "must be either Utilization, Value, or AverageValue";
        errors.invalid(&path.field("type"), kind, text);
    }
    for field in ["value", "averageValue"] {
        if let Some(amount) = given(target, field).and_then(Value::as_str)
            && Quantity::parse(amount).ok() <= Quantity::parse("0").ok()
        {
            errors.invalid(&path.field(field), amount, "must be positive");
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
