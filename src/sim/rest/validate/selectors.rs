//! Label selectors in manifests, and numbers that may be percentages.

use super::errors::{Errors, Path};
use super::meta::labels_at;
use super::read::{given, int, list, text};
use crate::object::{LabelSelector, Value};
use crate::sim::rest::names;

/// A selector; what it must do is said by those who use it.
pub(super) fn selector(selector: &Value, path: &Path, errors: &mut Errors) {
    if let Some(labels) = selector.get("matchLabels").and_then(Value::as_object) {
        labels_at(labels, &path.field("matchLabels"), errors);
    }
    let expressions = path.field("matchExpressions");
    for (i, expression) in list(selector, "matchExpressions").iter().enumerate() {
        requirement(expression, &expressions.index(i), errors);
    }
}

fn requirement(expression: &Value, path: &Path, errors: &mut Errors) {
    let values = list(expression, "values");
    match text(expression, "operator") {
        "In" | "NotIn" if values.is_empty() => {
            let text = "must be specified when `operator` is 'In' or 'NotIn'";
            errors.required(&path.field("values"), text);
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.forbidden(&path.field("values"), text);
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => errors.invalid(&path.field("operator"), other, "not a valid selector operator"),
    }
    let key = text(expression, "key");
    errors.faults(&path.field("key"), key, names::qualified(key));
    let at = path.field("values");
    for (i, value) in values.iter().filter_map(Value::as_str).enumerate() {
        errors.faults(&at.index(i), value, names::label_value(value));
    }
}

/// A term that selects nodes.
pub(super) fn node_term(term: &Value, path: &Path, errors: &mut Errors) {
    let root = path.field("matchExpressions");
    for (i, expression) in list(term, "matchExpressions").iter().enumerate() {
        let at = root.index(i);
        let values = list(expression, "values");
        match text(expression, "operator") {
            "In" | "NotIn" if values.is_empty() => {
                let text = "must be specified when `operator` is 'In' or 'NotIn'";
                errors.required(&at.field("values"), text);
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                errors.forbidden(&at.field("values"), text);
            }
            "Gt" | "Lt" if values.len() != 1 => {
                let text = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                errors.required(&at.field("values"), text);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
            other => errors.invalid(&at.field("operator"), other, "not a valid selector operator"),
        }
        let key = text(expression, "key");
        errors.faults(&at.field("key"), key, names::qualified(key));
    }
}

/// The selector of a workload: there and not empty. `what` is the word that upstream's message has
/// for the kind. Says whether it can be used to select.
pub(super) fn of_workload(spec: &Value, path: &Path, what: &str, errors: &mut Errors) -> bool {
    let mut usable = true;
    match given(spec, "selector") {
        None => errors.required(&path.field("selector"), ""),
        Some(value) => {
            let before = errors.count();
            selector(value, &path.field("selector"), errors);
            usable = errors.count() == before;
            if LabelSelector::from_value(value).is_empty() {
                let text = format!("empty selector is invalid for {what}");
                errors.invalid(&path.field("selector"), value.clone(), &text);
            }
        }
    }
    usable
}

/// A selector as Go's struct prints.
pub(super) fn shown(selector: &Value) -> String {
    let mut parts = Vec::new();
    if let Some(labels) = given(selector, "matchLabels") {
        parts.push(format!("\"matchLabels\":{labels}"));
    }
    let expressions = list(selector, "matchExpressions").iter().map(|expression| {
        let word = |field: &str| Value::from(text(expression, field));
        let values = match list(expression, "values") {
            [] => String::new(),
            values => format!(",\"values\":{}", Value::Array(values.to_vec())),
        };
        format!("{{\"key\":{},\"operator\":{}{values}}}", word("key"), word("operator"))
    });
    let expressions: Vec<String> = expressions.collect();
    if !expressions.is_empty() {
        parts.push(format!("\"matchExpressions\":[{}]", expressions.join(",")));
    }
    format!("{{{}}}", parts.join(","))
}

/// A term that selects nodes, as Go's struct prints.
pub(super) fn node_term_shown(term: &Value) -> String {
    let requirements = |field: &str| match list(term, field) {
        [] => "null".to_owned(),
        all => {
            let one = |expression: &Value| {
                let word = |field: &str| Value::from(text(expression, field));
                let values = given(expression, "values").cloned().unwrap_or_default();
                format!(
                    "{{\"Key\":{},\"Operator\":{},\"Values\":{values}}}",
                    word("key"),
                    word("operator")
                )
            };
            format!("[{}]", all.iter().map(one).collect::<Vec<_>>().join(","))
        }
    };
    format!(
        "{{\"MatchExpressions\":{},\"MatchFields\":{}}}",
        requirements("matchExpressions"),
        requirements("matchFields")
    )
}

/// Several of them.
pub(super) fn node_terms_shown(terms: &[Value]) -> String {
    format!("[{}]", terms.iter().map(node_term_shown).collect::<Vec<_>>().join(","))
}

/// Whether the template's labels are selected.
pub(super) fn matches_template(spec: &Value, path: &Path, errors: &mut Errors) {
    let labels = spec.get("template").and_then(|t| t.get("metadata")?.get("labels"));
    let selected = match given(spec, "selector") {
        // Nothing is selected by no selector.
        None => false,
        Some(selector) => {
            LabelSelector::from_value(selector).matches(labels.and_then(Value::as_object))
        }
    };
    if !selected {
        let value = labels.cloned().unwrap_or_default();
        let template = path.field("template");
        let metadata = template.field("metadata");
        let text = "`selector` does not match template `labels`";
        errors.invalid(&metadata.field("labels"), value, text);
    }
}

/// The percentage that a text gives, if it is one.
fn percent(value: &Value) -> Option<i64> {
    let digits = value.as_str()?.strip_suffix('%')?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

/// The number or percentage that a value gives; 0 for what is neither.
pub(super) fn amount(value: &Value) -> i64 {
    percent(value).or_else(|| value.as_i64()).unwrap_or(0)
}

/// A number of zero or more, or a percentage.
pub(super) fn int_or_percent(owner: &Value, path: &Path, field: &str, errors: &mut Errors) {
    match given(owner, field) {
        Some(Value::String(word)) if percent(&owner[field]).is_none() => {
            let text = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
            errors.invalid(&path.field(field), word.as_str(), text);
        }
        Some(Value::Number(_)) if int(owner, field).is_some_and(|n| n < 0) => {
            errors.nonnegative(owner, path, &[field]);
        }
        _ => {}
    }
}

/// Not more than all of them.
pub(super) fn at_most_all(owner: &Value, path: &Path, field: &str, errors: &mut Errors) {
    if let Some(value) = given(owner, field)
        && percent(value).is_some_and(|percent| percent > 100)
    {
        errors.invalid(&path.field(field), value.clone(), "must not be greater than 100%");
    }
}

/// Tolerations of pods and of runtime classes.
pub(super) fn tolerations(tolerations: &[Value], path: &Path, errors: &mut Errors) {
    for (i, toleration) in tolerations.iter().enumerate() {
        let at = path.index(i);
        let (key, operator, effect) =
            (text(toleration, "key"), text(toleration, "operator"), text(toleration, "effect"));
        if !key.is_empty() {
            errors.faults(&at.field("key"), key, names::qualified(key));
        } else if operator != "Exists" {
            let text = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.invalid(&at.field("operator"), operator, text);
        }
        let value = text(toleration, "value");
        if operator == "Exists" && !value.is_empty() {
            let text = "value must be empty when `operator` is 'Exists'";
            errors.invalid(&at.field("operator"), value, text);
        } else if matches!(operator, "" | "Equal") {
            errors.faults(&at.field("operator"), value, names::label_value(value));
        }
        if given(toleration, "tolerationSeconds").is_some() && effect != "NoExecute" {
            let text = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.invalid(&at.field("effect"), effect, text);
        }
        if !matches!(operator, "" | "Equal" | "Exists") {
            errors.unsupported(&at.field("operator"), operator, &["Equal", "Exists"]);
        }
        if !matches!(effect, "" | "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
            let supported = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
            errors.unsupported(&at.field("effect"), effect, &supported);
        }
    }
}
