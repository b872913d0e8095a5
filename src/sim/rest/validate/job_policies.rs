//! When a Job has succeeded, and what the failure of a pod means to it.

use super::errors::{Errors, Path};
use super::read::{given, int, list, text};
use crate::object::{Value, json};

const SPEC: Path = Path::Printed("spec");

pub(super) fn check(spec: &Value, path: &Path, errors: &mut Errors) {
    failed_indexes(spec, path, errors);
    if let Some(policy) = given(spec, "successPolicy") {
        success(spec, policy, &path.field("successPolicy"), errors);
    }
    if let Some(policy) = given(spec, "podFailurePolicy") {
        let at = path.field("podFailurePolicy");
        let rules = at.field("rules");
        for (i, rule) in list(policy, "rules").iter().enumerate() {
            failure(spec, rule, &rules.index(i), errors);
        }
    }
    let word = given(spec, "podReplacementPolicy").and_then(Value::as_str);
    let known: &[&str] = if given(spec, "podFailurePolicy").is_some() {
        &["Failed"]
    } else {
        &["Failed", "TerminatingOrFailed"]
    };
    if let Some(word) = word.filter(|word| !known.contains(word)) {
        errors.unsupported(&path.field("podReplacementPolicy"), word, known);
    }
}

fn failed_indexes(spec: &Value, path: &Path, errors: &mut Errors) {
    let Some(most) = int(spec, "maxFailedIndexes") else { return };
    let at = path.field("maxFailedIndexes");
    if given(spec, "backoffLimitPerIndex").is_none() {
        let text = "when maxFailedIndexes is specified";
        errors.required(&path.field("backoffLimitPerIndex"), text);
    }
    if text(spec, "completionMode") == "Indexed"
        && int(spec, "completions").is_some_and(|all| most > all)
    {
        errors.invalid(&at, most, "must be less than or equal to completions");
    }
}

fn success(spec: &Value, policy: &Value, path: &Path, errors: &mut Errors) {
    if text(spec, "completionMode") != "Indexed" {
        let text = "requires indexed completion mode";
        errors.invalid_as(path, &shown_success(policy), text);
        return;
    }
    let all = int(spec, "completions").unwrap_or(0);
    let rules = path.field("rules");
    for (i, rule) in list(policy, "rules").iter().enumerate() {
        let at = rules.index(i);
        let indexes = given(rule, "succeededIndexes").and_then(Value::as_str);
        let count = int(rule, "succeededCount");
        if indexes.is_none() && count.is_none() {
            let text = "specifying one of succeededCount and succeededIndexes is required";
            errors.invalid(&at, "", text);
        }
        let among = indexes.map(|text| self::indexes(text, all));
        let mut named = 0;
        match among {
            Some(Ok(count)) => named = count,
            Some(Err(why)) => {
                let text = format!("error parsing succeededIndexes: {why}");
                errors.invalid(&at.field("succeededIndexes"), indexes.unwrap_or_default(), &text);
            }
            None => {}
        }
        let Some(count) = count else { continue };
        let place = at.field("succeededCount");
        if count < 0 {
            errors.invalid(&place, count, "must be greater than or equal to 0");
        }
        if count > all {
            let text = format!(
                "must be less than or equal to {all} (the number of specified completions)"
            );
            errors.invalid(&place, count, &text);
        }
        if indexes.is_some() && count > named {
            let text = format!(
                "must be less than or equal to {named} (the number of indexes in the specified succeededIndexes field)"
            );
            errors.invalid(&place, count, &text);
        }
    }
}

/// How many indexes a text such as `0,2-4` names, of so many.
fn indexes(text: &str, all: i64) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(0);
    }
    let number = |word: &str| {
        let why = || format!("cannot convert string to integer for index: {word:?}");
        let found: i64 = word.parse().map_err(|_| why())?;
        if found >= all { Err(format!("too large index: {word:?}")) } else { Ok(found) }
    };
    let mut count = 0;
    let mut last = -1;
    for part in text.split(',') {
        let (first, end) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (number(first)?, number(end)?);
        if from <= last {
            return Err(format!("non-increasing order, previous: {last}, current: {from}"));
        }
        if part.contains('-') && to <= from {
            return Err(format!("non-increasing order, previous: {from}, current: {to}"));
        }
        count += to - from + 1;
        last = to;
    }
    Ok(count)
}

const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS: [&str; 2] = ["In", "NotIn"];

fn failure(spec: &Value, rule: &Value, path: &Path, errors: &mut Errors) {
    let action = text(rule, "action");
    let at = path.field("action");
    if action.is_empty() {
        errors.required(&at, "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]");
    } else if !ACTIONS.contains(&action) {
        errors.unsupported(&at, action, &ACTIONS);
    }
    let codes = given(rule, "onExitCodes");
    match (codes, list(rule, "onPodConditions").is_empty()) {
        (None, true) => {
            let text = "specifying one of OnExitCodes and OnPodConditions is required";
            errors.invalid_as_bare(path, text);
        }
        (Some(_), false) => {
            let text = "specifying both OnExitCodes and OnPodConditions is not supported";
            errors.invalid_as_bare(path, text);
        }
        _ => {}
    }
    let Some(codes) = codes else { return };
    let path = path.field("onExitCodes");
    let operator = text(codes, "operator");
    let at = path.field("operator");
    if operator.is_empty() {
        errors.required(&at, "valid values: [\"In\" \"NotIn\"]");
    } else if !OPERATORS.contains(&operator) {
        errors.unsupported(&at, operator, &OPERATORS);
    }
    if let Some(name) = given(codes, "containerName").and_then(Value::as_str) {
        let pod = &spec["template"]["spec"];
        let mut all = list(pod, "containers").iter().chain(list(pod, "initContainers"));
        if !all.any(|container| text(container, "name") == name) {
            let text = "must be one of the container or initContainer names in the pod template";
            errors.invalid(&path.field("containerName"), name, text);
        }
    }
    let at = path.field("values");
    let values = list(codes, "values");
    if values.is_empty() {
        errors.invalid(&at, codes["values"].clone(), "at least one value is required");
    }
    for (i, pair) in values.windows(2).enumerate() {
        let (first, second) = (pair[0].as_i64(), pair[1].as_i64());
        if first == second {
            errors.duplicate(&at.index(i + 1), pair[1].clone());
        } else if first > second {
            let text = "must be ordered";
            errors.invalid(&at, Value::Array(values.to_vec()), text);
        }
    }
    if operator == "In" && values.contains(&json!(0)) {
        let at = at.index(values.iter().position(|v| *v == json!(0)).unwrap_or(0));
        errors.invalid(&at, 0, "must not be 0 for the In operator");
    }
}

fn shown_list(items: Option<&Value>, item: impl Fn(&Value) -> String) -> String {
    match items.and_then(Value::as_array) {
        Some(items) => format!("[{}]", items.iter().map(item).collect::<Vec<_>>().join(",")),
        None => "null".to_owned(),
    }
}

/// The policy as its Go struct prints.
fn shown_success(policy: &Value) -> String {
    let rule = |rule: &Value| {
        format!(
            "{{\"SucceededIndexes\":{},\"SucceededCount\":{}}}",
            rule["succeededIndexes"], rule["succeededCount"]
        )
    };
    format!("{{\"Rules\":{}}}", shown_list(policy.get("rules"), rule))
}

fn shown_failure(policy: &Value) -> String {
    let codes = |codes: &Value| {
        format!(
            "{{\"ContainerName\":{},\"Operator\":{},\"Values\":{}}}",
            codes["containerName"],
            json!(text(codes, "operator")),
            codes["values"]
        )
    };
    let condition = |condition: &Value| {
        let part = |key: &str| json!(text(condition, key));
        format!("{{\"Type\":{},\"Status\":{}}}", part("type"), part("status"))
    };
    let rule = |rule: &Value| {
        format!(
            "{{\"Action\":{},\"OnExitCodes\":{},\"OnPodConditions\":{}}}",
            json!(text(rule, "action")),
            given(rule, "onExitCodes").map_or("null".to_owned(), codes),
            shown_list(given(rule, "onPodConditions"), condition)
        )
    };
    format!("{{\"Rules\":{}}}", shown_list(policy.get("rules"), rule))
}

/// Both policies are for good.
pub(super) fn changed(before: &Value, now: &Value, errors: &mut Errors) {
    type Show = fn(&Value) -> String;
    let policies = [("podFailurePolicy", shown_failure as Show), ("successPolicy", shown_success)];
    for (field, show) in policies {
        if given(before, field) != given(now, field) {
            let shown = given(now, field).map_or("null".to_owned(), show);
            errors.invalid_as(&SPEC.field(field), &shown, "field is immutable");
        }
    }
}
