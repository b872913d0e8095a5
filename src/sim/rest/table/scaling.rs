//! What scales: autoscalers with their metrics, and the scale of a workload.

use super::row::{Row, printed, text_of};
use crate::object::Value;

/// Metrics that a cell has room for.
const SHOWN: usize = 2;

/// A Scale.
pub(super) fn scale(row: &Row) -> Vec<Value> {
    vec![row.name(), row.number("spec.replicas"), row.number("status.replicas"), row.age()]
}

/// A HorizontalPodAutoscaler of either version.
pub(super) fn autoscaler(row: &Row) -> Vec<Value> {
    let kind = row.str("spec.scaleTargetRef.kind");
    let target = format!("{kind}/{}", row.str("spec.scaleTargetRef.name"));
    let metrics = match row.object.api_version() {
        "autoscaling/v1" => of_cpu(row),
        _ => of_metrics(row),
    };
    vec![
        row.name(),
        target.into(),
        metrics.into(),
        row.printed_or("spec.minReplicas", "<unset>"),
        row.number("spec.maxReplicas"),
        row.number("status.currentReplicas"),
        row.age(),
    ]
}

/// The one metric that the first version knows.
fn of_cpu(row: &Row) -> String {
    let percent = |path: &str, missing: &str| {
        row.at(path).map_or_else(|| missing.to_owned(), |value| format!("{value}%"))
    };
    match row.at("spec.targetCPUUtilizationPercentage") {
        None => "<none>".to_owned(),
        Some(target) => {
            let current = percent("status.currentCPUUtilizationPercentage", "<unknown>");
            format!("cpu: {current}/{target}%")
        }
    }
}

fn of_metrics(row: &Row) -> String {
    let specs = row.list("spec.metrics");
    if specs.is_empty() {
        return "<none>".to_owned();
    }
    let statuses = row.list("status.currentMetrics");
    let metrics = specs.iter().enumerate();
    let texts = metrics.map(|(i, spec)| metric(spec, statuses.get(i).unwrap_or(&Value::Null)));
    let texts: Vec<String> = texts.take(SHOWN).collect();
    let shown = texts.join(", ");
    match specs.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} + {more} more..."),
    }
}

/// Where a metric stands within its spec and its status.
fn source(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "External" => "external",
        "Pods" => "pods",
        "Object" => "object",
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        _ => return None,
    })
}

fn metric(spec: &Value, status: &Value) -> String {
    let Some(source) = source(text_of(spec, "type")) else { return "<unknown type>".to_owned() };
    let (target, current) = (&spec[source]["target"], &status[source]["current"]);
    let known = status[source].is_object();
    // What is known of, but has no value, is an amount of nothing.
    let amount = |key: &str, missing: &str| match &current[key] {
        Value::Null => missing.to_owned(),
        value => printed(value),
    };
    let zero = if known { "0" } else { "<unknown>" };
    let average = &target["averageValue"];
    match source {
        "pods" => format!("{}/{}", amount("averageValue", zero), printed(average)),
        "external" | "object" if average.is_null() => {
            format!("{}/{}", amount("value", zero), printed(&target["value"]))
        }
        "external" | "object" => {
            format!("{}/{} (avg)", amount("averageValue", "<unknown>"), printed(average))
        }
        _ => {
            let name = text_of(&spec[source], "name");
            if average.is_null() {
                let percent = |value: &Value, missing: &str| match value {
                    Value::Null => missing.to_owned(),
                    value => format!("{value}%"),
                };
                let current = percent(&current["averageUtilization"], "<unknown>");
                format!("{name}: {current}/{}", percent(&target["averageUtilization"], "<auto>"))
            } else {
                format!("{name}: {}/{}", amount("averageValue", zero), printed(average))
            }
        }
    }
}
