//! HorizontalPodAutoscalers of `autoscaling/v1`, which has one metric: the others, the behaviour
//! and the conditions travel in annotations. They are stored as `autoscaling/v2`.

use crate::object::{Map, Object, Value, json};

pub(super) const OLD: &str = "autoscaling/v1";
pub(super) const STORED: &str = "autoscaling/v2";

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const CURRENT: &str = "autoscaling.alpha.kubernetes.io/current-metrics";

/// The percentage of CPU that is aimed at where nobody says another.
const USUAL_PERCENT: i64 = 80;

/// What a metric is called in both versions: the field, and what stands for its name, its
/// selector, and the object that it is of.
fn part(kind: &str) -> &'static str {
    match kind {
        "Resource" => "resource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => "containerResource",
    }
}

/// An object of v1 as it is stored.
pub(super) fn to_stored(mut object: Object) -> Object {
    let spec = object.at(&["spec"]).cloned().unwrap_or_default();
    let annotation = |object: &mut Object, key: &str| -> Option<Value> {
        let text = object.remove(&["metadata", "annotations", key])?;
        serde_json::from_str(text.as_str()?).ok()
    };
    let mut metrics: Vec<Value> = Vec::new();
    let others = annotation(&mut object, METRICS);
    metrics.extend(others.iter().filter_map(Value::as_array).flatten().map(new_metric));
    let cpu = |percent: &Value| {
        json!({ "type": "Resource", "resource": { "name": "cpu",
            "target": { "type": "Utilization", "averageUtilization": percent } } })
    };
    match &spec["targetCPUUtilizationPercentage"] {
        Value::Null if metrics.is_empty() => metrics.push(cpu(&USUAL_PERCENT.into())),
        Value::Null => {}
        percent => metrics.push(cpu(percent)),
    }
    object.remove(&["spec", "targetCPUUtilizationPercentage"]);
    object.set(&["spec", "metrics"], Value::Array(metrics));
    if let Some(behavior) = annotation(&mut object, BEHAVIOR) {
        object.set(&["spec", "behavior"], recased(&behavior));
    }
    let conditions = annotation(&mut object, CONDITIONS);
    let current = annotation(&mut object, CURRENT);
    if object.at(&["metadata", "annotations"]).and_then(Value::as_object).is_some_and(Map::is_empty)
    {
        object.remove(&["metadata", "annotations"]);
    }
    let percent = object.remove(&["status", "currentCPUUtilizationPercentage"]);
    let mut seen: Vec<Value> = Vec::new();
    let told = current.iter().filter_map(Value::as_array).flatten();
    seen.extend(told.map(new_reading).filter(|one| percent.is_none() || !is_cpu(one)));
    if let Some(percent) = percent {
        seen.push(json!({ "type": "Resource", "resource": { "name": "cpu",
            "current": { "averageUtilization": percent } } }));
    }
    let seen = if seen.is_empty() { Value::Null } else { Value::Array(seen) };
    object.set(&["status", "currentMetrics"], seen);
    if let Some(conditions) = conditions {
        object.set(&["status", "conditions"], conditions);
    }
    if object.int(&["status", "currentReplicas"]) == Some(0) {
        object.remove(&["status", "currentReplicas"]);
    }
    object.set(&["apiVersion"], STORED.into());
    object
}

fn is_cpu(metric: &Value) -> bool {
    metric["type"] == "Resource" && metric["resource"]["name"] == "cpu"
}

/// A stored object as v1 shows it.
pub(super) fn to_old(stored: &Object) -> Object {
    let mut object = stored.clone();
    let mut annotate = Vec::new();
    let metrics = object.list(&["spec", "metrics"]).to_vec();
    let mut others = Vec::new();
    for metric in &metrics {
        let percent = &metric["resource"]["target"]["averageUtilization"];
        if is_cpu(metric) && !percent.is_null() {
            object.set(&["spec", "targetCPUUtilizationPercentage"], percent.clone());
        } else {
            others.push(old_metric(metric));
        }
    }
    object.remove(&["spec", "metrics"]);
    if !others.is_empty() {
        annotate.push((METRICS, format!("[{}]", others.join(","))));
    }
    if let Some(behavior) = object.remove(&["spec", "behavior"]) {
        annotate.push((BEHAVIOR, old_behavior(&behavior)));
    }
    let readings = object.remove(&["status", "currentMetrics"]).unwrap_or_default();
    let readings = readings.as_array().cloned().unwrap_or_default();
    for reading in readings.iter().filter(|reading| is_cpu(reading)) {
        let percent = &reading["resource"]["current"]["averageUtilization"];
        if !percent.is_null() {
            object.set(&["status", "currentCPUUtilizationPercentage"], percent.clone());
        }
    }
    if !readings.is_empty() {
        let shown: Vec<String> = readings.iter().map(old_reading).collect();
        annotate.push((CURRENT, format!("[{}]", shown.join(","))));
    }
    if let Some(Value::Array(conditions)) = object.remove(&["status", "conditions"]) {
        let shown: Vec<String> = conditions
            .iter()
            .map(|c| {
                let fields = ["type", "status", "lastTransitionTime", "reason", "message"];
                let given = fields.map(|field| (field, shown(&c[field])));
                written(&given)
            })
            .collect();
        annotate.push((CONDITIONS, format!("[{}]", shown.join(","))));
    }
    for (key, text) in annotate {
        object.set(&["metadata", "annotations", key], text.into());
    }
    for field in ["currentReplicas", "desiredReplicas"] {
        if object.at(&["status", field]).is_none() {
            object.set(&["status", field], 0.into());
        }
    }
    object.set(&["apiVersion"], OLD.into());
    object
}

/// Fields that are there, in the order of Go's struct.
fn written(fields: &[(&str, Option<String>)]) -> String {
    let given =
        fields.iter().filter_map(|(name, value)| Some(format!("{name:?}:{}", value.as_ref()?)));
    format!("{{{}}}", given.collect::<Vec<_>>().join(","))
}

fn shown(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

fn old_metric(metric: &Value) -> String {
    let kind = metric["type"].as_str().unwrap_or_default();
    let own = &metric[part(kind)];
    let target = &own["target"];
    let (average, value) = (shown(&target["averageValue"]), shown(&target["value"]));
    let percent = shown(&target["averageUtilization"]);
    let (name, selector) = (shown(&own["metric"]["name"]), shown(&own["metric"]["selector"]));
    let fields = match kind {
        "Pods" => {
            vec![("metricName", name), ("targetAverageValue", average), ("selector", selector)]
        }
        "Object" => {
            let of = &own["describedObject"];
            let of = ["kind", "name", "apiVersion"].map(|field| (field, shown(&of[field])));
            let value = value.or_else(|| Some("\"0\"".to_owned()));
            vec![
                ("target", Some(written(&of))),
                ("metricName", name),
                ("targetValue", value),
                ("selector", selector),
                ("averageValue", average),
            ]
        }
        "External" => vec![
            ("metricName", name),
            ("metricSelector", selector),
            ("targetValue", value),
            ("targetAverageValue", average),
        ],
        _ => vec![
            ("name", shown(&own["name"])),
            ("targetAverageUtilization", percent),
            ("targetAverageValue", average),
            ("container", shown(&own["container"])),
        ],
    };
    written(&[("type", shown(&metric["type"])), (part(kind), Some(written(&fields)))])
}

fn new_metric(metric: &Value) -> Value {
    let kind = metric["type"].as_str().unwrap_or_default();
    let own = &metric[part(kind)];
    let mut made = Map::new();
    let mut target = Map::new();
    let mut aim = |kind: &str, field: &str, value: &Value| {
        target.insert("type".to_owned(), kind.into());
        target.insert(field.to_owned(), value.clone());
    };
    let average = if kind == "Object" { &own["averageValue"] } else { &own["targetAverageValue"] };
    if !own["targetAverageUtilization"].is_null() {
        aim("Utilization", "averageUtilization", &own["targetAverageUtilization"]);
    } else if !average.is_null() {
        aim("AverageValue", "averageValue", average);
    } else {
        aim("Value", "value", &own["targetValue"]);
    }
    if matches!(kind, "Pods" | "Object" | "External") {
        let selector = if kind == "External" { "metricSelector" } else { "selector" };
        let mut named = Map::new();
        named.insert("name".to_owned(), own["metricName"].clone());
        if !own[selector].is_null() {
            named.insert("selector".to_owned(), own[selector].clone());
        }
        made.insert("metric".to_owned(), Value::Object(named));
    } else {
        for field in ["name", "container"].into_iter().filter(|field| !own[*field].is_null()) {
            made.insert(field.to_owned(), own[field].clone());
        }
    }
    if kind == "Object" {
        made.insert("describedObject".to_owned(), own["target"].clone());
    }
    made.insert("target".to_owned(), Value::Object(target));
    of_kind(kind, made)
}

fn old_reading(reading: &Value) -> String {
    let kind = reading["type"].as_str().unwrap_or_default();
    let own = &reading[part(kind)];
    let current = &own["current"];
    let value = shown(&current["averageValue"]).or_else(|| Some("\"0\"".to_owned()));
    let fields = match kind {
        "Resource" | "ContainerResource" => vec![
            ("name", shown(&own["name"])),
            ("currentAverageUtilization", shown(&current["averageUtilization"])),
            ("currentAverageValue", value),
            ("container", shown(&own["container"])),
        ],
        "Pods" => {
            vec![("metricName", shown(&own["metric"]["name"])), ("currentAverageValue", value)]
        }
        _ => {
            let of = &own["describedObject"];
            let of = ["kind", "name", "apiVersion"].map(|field| (field, shown(&of[field])));
            let target = (kind == "Object").then(|| written(&of));
            let value = shown(&current["value"]).or_else(|| Some("\"0\"".to_owned()));
            vec![
                ("target", target),
                ("metricName", shown(&own["metric"]["name"])),
                ("currentValue", value),
            ]
        }
    };
    written(&[("type", shown(&reading["type"])), (part(kind), Some(written(&fields)))])
}

fn new_reading(reading: &Value) -> Value {
    let kind = reading["type"].as_str().unwrap_or_default();
    let own = &reading[part(kind)];
    let mut made = Map::new();
    let mut current = Map::new();
    for (old, new) in [
        ("currentAverageUtilization", "averageUtilization"),
        ("currentAverageValue", "averageValue"),
        ("currentValue", "value"),
    ] {
        if !own[old].is_null() {
            current.insert(new.to_owned(), own[old].clone());
        }
    }
    if own["metricName"].is_null() {
        made.insert("name".to_owned(), own["name"].clone());
    } else {
        made.insert("metric".to_owned(), json!({ "name": own["metricName"].clone() }));
    }
    if !own["target"].is_null() {
        made.insert("describedObject".to_owned(), own["target"].clone());
    }
    made.insert("current".to_owned(), Value::Object(current));
    of_kind(kind, made)
}

fn of_kind(kind: &str, own: Map) -> Value {
    let mut made = Map::new();
    made.insert("type".to_owned(), kind.into());
    made.insert(part(kind).to_owned(), Value::Object(own));
    Value::Object(made)
}

/// A behaviour as Go's internal type prints, which has no names for JSON.
fn old_behavior(behavior: &Value) -> String {
    let rules = |field: &str| {
        let rules = &behavior[field];
        if rules.is_null() {
            return Some("null".to_owned());
        }
        let text = |value: &Value| Some(value.to_string());
        let policies = rules["policies"].as_array().map(|policies| {
            let each = policies.iter().map(|policy| {
                written(&[
                    ("Type", text(&policy["type"])),
                    ("Value", text(&policy["value"])),
                    ("PeriodSeconds", text(&policy["periodSeconds"])),
                ])
            });
            format!("[{}]", each.collect::<Vec<_>>().join(","))
        });
        Some(written(&[
            ("StabilizationWindowSeconds", text(&rules["stabilizationWindowSeconds"])),
            ("SelectPolicy", text(&rules["selectPolicy"])),
            ("Policies", policies.or_else(|| text(&Value::Null))),
            ("Tolerance", text(&rules["tolerance"])),
        ]))
    };
    written(&[("ScaleUp", rules("scaleUp")), ("ScaleDown", rules("scaleDown"))])
}

/// The same value with its keys begun in lower case; what is null is left out.
fn recased(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let pairs = map.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| {
                let mut letters = key.chars();
                let first = letters.next().map(|c| c.to_ascii_lowercase());
                (first.into_iter().chain(letters).collect::<String>(), recased(value))
            });
            Value::Object(pairs.collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(recased).collect()),
        other => other.clone(),
    }
}
