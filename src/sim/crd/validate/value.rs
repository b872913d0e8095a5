//! A value against its schema, in the order and the words of kube-openapi (R-CRD-10), with what
//! is ratcheted on an update (R-CRD-12).

use super::number;
use super::ratchet::Before;
use super::result::{Outcome, What};
use super::{format, text};
use crate::object::schema::node::{Additional, Node};
use crate::object::{Map, Value};
use crate::sim::crd::fault;

/// Checks a value that stands at `path`, which is empty for the outermost one. What is wrong with
/// a part that is as it was `before` is let through.
pub(super) fn check(node: &Node, path: &str, value: &Value, before: Option<Before<'_>>) -> Outcome {
    let outcome = check_here(node, path, value, before);
    match before {
        Some(before) if !outcome.is_fine() && before.is_same(value) => {
            Outcome { findings: Vec::new(), matches: outcome.matches }
        }
        _ => outcome,
    }
}

/// The same without letting anything through at this very place.
fn check_here(node: &Node, path: &str, value: &Value, before: Option<Before<'_>>) -> Outcome {
    let mut all = Outcome::default();
    let format = format::effective(&node.format, type_names(node));
    if value.is_null() {
        all.merge(type_of(node, format, path, value));
        all.merge(one_of_values(node, path, value));
        return all;
    }
    let mut part = |outcome: Outcome| {
        all.merge(outcome);
        all.matches += 1;
    };
    if !type_names(node).is_empty() || !format.is_empty() {
        part(type_of(node, format, path, value));
    }
    part(junctions(node, path, value, before));
    match value {
        Value::String(content) => {
            part(text::check(&node.checks, path, content));
            if format::is_known(format) {
                part(format::check(format, path, content));
            }
        }
        Value::Number(number) => part(number::check(node, format, path, number)),
        Value::Array(list) => part(items(node, path, list, before)),
        Value::Object(_) | Value::Bool(_) | Value::Null => {}
    }
    part(one_of_values(node, path, value));
    if let Value::Object(map) = value {
        part(fields(node, path, map, before));
    }
    all.matches += 1;
    all
}

/// The types that a value may have; empty where any is fine.
fn type_names(node: &Node) -> &'static [&'static str] {
    if node.int_or_string {
        return &["integer", "string"];
    }
    match node.ty.as_str() {
        "object" => &["object"],
        "array" => &["array"],
        "string" => &["string"],
        "integer" => &["integer"],
        "number" => &["number"],
        "boolean" => &["boolean"],
        _ => &[],
    }
}

/// What upstream takes a value for, and its format.
fn found_type(value: &Value) -> (&'static str, &'static str) {
    match value {
        Value::Null => ("null", ""),
        Value::Bool(_) => ("boolean", ""),
        Value::String(_) => ("string", ""),
        Value::Array(_) => ("array", ""),
        Value::Object(_) => ("object", ""),
        Value::Number(number) if number.is_f64() => ("number", "float64"),
        Value::Number(_) => ("integer", "int64"),
    }
}

fn type_of(node: &Node, format: &str, path: &str, value: &Value) -> Outcome {
    let names = type_names(node);
    let (found, found_format) = found_type(value);
    let wants = |name: &str| names.contains(&name);
    // Up to here a float holds every integer.
    let is_whole = |n: f64| n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_991.0;
    let whole = found == "number" && value.as_f64().is_some_and(is_whole);
    let fits =
        wants(found) || (whole && wants("integer")) || (found == "integer" && wants("number"));
    let is_text = matches!(value, Value::String(_) | Value::Array(_));
    let wrong = if value.is_null() {
        (!names.is_empty() && !node.nullable).then(|| (names.join(","), "null"))
    } else if !is_text && !format.is_empty() && !fits && found_format != format {
        Some((format.to_owned(), found_format))
    } else if fits || (is_text && !format.is_empty() && !wants("number") && !wants("integer")) {
        None
    } else {
        Some((names.join(","), found))
    };
    let mut outcome = Outcome::default();
    match wrong {
        Some((wanted, found)) => {
            let text = format!("{path} in body must be of type {wanted}: {found:?}");
            outcome.find(path, What::Type(found.to_owned()), text);
        }
        None => outcome.matches = 1,
    }
    outcome
}

fn one_of_values(node: &Node, path: &str, value: &Value) -> Outcome {
    let values = &node.checks.one_of_values;
    let mut outcome = Outcome::default();
    let is_one = |known: &Value| match (known, value) {
        (Value::Null, _) => false,
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (known, value) => known == value,
    };
    if !values.is_empty() && !values.iter().any(is_one) {
        let supported = values.iter().map(|value| match value {
            Value::String(text) => text.to_string(),
            other => other.to_string(),
        });
        let supported: Vec<String> = supported.collect();
        let text = format!("{path} in body should be one of {supported:?}");
        outcome.find(path, What::Enum { value: value.clone(), supported }, text);
    }
    outcome
}

/// `anyOf`, `oneOf`, `allOf` and `not`.
fn junctions(node: &Node, path: &str, value: &Value, before: Option<Before<'_>>) -> Outcome {
    let checks = &node.checks;
    let run = |node: &Node| check_here(node, path, value, before);
    let mut all = Outcome::default();
    let say = |all: &mut Outcome, text: String| all.find(path, What::Anywhere, text);
    if !checks.any_of.is_empty() {
        let mut tried: Vec<Outcome> = Vec::new();
        let fine = checks.any_of.iter().map(run).find_map(|outcome| {
            if outcome.is_fine() {
                return Some(outcome);
            }
            tried.push(outcome);
            None
        });
        if fine.is_none() {
            say(&mut all, format!("{path:?} must validate at least one schema (anyOf)"));
        }
        all.merge(fine.or_else(|| furthest(tried)).unwrap_or_default());
    }
    if !checks.one_of.is_empty() {
        let (mut fine, tried): (Vec<Outcome>, Vec<Outcome>) =
            checks.one_of.iter().map(run).partition(Outcome::is_fine);
        match fine.len() {
            1 => all.merge(fine.remove(0)),
            count => {
                let more = match count {
                    0 => "Found none valid".to_owned(),
                    count => format!("Found {count} valid alternatives"),
                };
                let text =
                    format!("{path:?} must validate one and only one schema (oneOf). {more}");
                say(&mut all, text);
                if count == 0 {
                    all.merge(furthest(tried).unwrap_or_default());
                }
            }
        }
    }
    if !checks.all_of.is_empty() {
        let outcomes: Vec<Outcome> = checks.all_of.iter().map(run).collect();
        let fine = outcomes.iter().filter(|outcome| outcome.is_fine()).count();
        let count = outcomes.len();
        outcomes.into_iter().for_each(|outcome| all.merge(outcome));
        if fine != count {
            let more = if fine == 0 { ". None validated" } else { "" };
            say(&mut all, format!("{path:?} must validate all the schemas (allOf){more}"));
        }
    }
    if checks.not.as_ref().is_some_and(|not| run(not).is_fine()) {
        say(&mut all, format!("{path:?} must not validate the schema (not)"));
    }
    all.matches += 1;
    all
}

/// Of what failed, the first that got furthest.
fn furthest(tried: Vec<Outcome>) -> Option<Outcome> {
    let most = tried.iter().map(|outcome| outcome.matches).max()?;
    tried.into_iter().find(|outcome| outcome.matches == most)
}

fn items(node: &Node, path: &str, list: &[Value], before: Option<Before<'_>>) -> Outcome {
    let mut all = Outcome::default();
    let checks = &node.checks;
    if let Some(items) = &node.items {
        for (at, item) in list.iter().enumerate() {
            let below = before.and_then(|before| before.item(item));
            all.merge(check(items, &format!("{path}[{at}]"), item, below));
        }
    }
    if let Some(least) = checks.min_items.filter(|least| count(list.len()) < *least) {
        let text = format!("{path} in body should have at least {least} items");
        all.find(path, What::Other(list.len().into()), text);
    }
    if let Some(most) = checks.max_items.filter(|most| count(list.len()) > *most) {
        let text = format!("{path} in body should have at most {most} items");
        all.find(path, What::TooMany { count: list.len(), most }, text);
    }
    let twice = |at: usize| list[..at].contains(&list[at]);
    if checks.unique_items && (0..list.len()).any(twice) {
        let text = format!("{path} in body shouldn't contain duplicates");
        all.find(path, What::Other("".into()), text);
    }
    all.matches += 1;
    all
}

pub(super) fn count(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}

fn fields(node: &Node, path: &str, map: &Map, before: Option<Before<'_>>) -> Outcome {
    let mut all = Outcome::default();
    let checks = &node.checks;
    if let Some(least) = checks.min_properties.filter(|least| count(map.len()) < *least) {
        let text = format!("{path} in body should have at least {least} properties");
        all.find(path, What::Other(map.len().into()), text);
    }
    if let Some(most) = checks.max_properties.filter(|most| count(map.len()) > *most) {
        let text = format!("{path} in body should have at most {most} properties");
        all.find(path, What::TooMany { count: map.len(), most }, text);
    }
    for (key, value) in map.iter().filter(|(key, _)| !node.properties.contains_key(key.as_str())) {
        match &node.additional {
            Additional::Allowed(false) => {
                let text = format!("{path}.{key} in body is a forbidden property");
                all.find(path, What::Other(key.as_str().into()), text);
            }
            Additional::Schema(schema) => {
                let below = below(before, path, key);
                all.merge(check(schema, &format!("{path}.{key}"), value, below));
            }
            _ => {}
        }
    }
    for (key, property) in &node.properties {
        let Some(value) = map.get(key) else { continue };
        let place = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        all.merge(check(property, &place, value, below(before, path, key)));
    }
    for key in checks.required.iter().filter(|key| !map.contains_key(key)) {
        let place = format!("{path}.{key}");
        let text = format!("{place} in body is required");
        all.find(&place, What::Required, text);
    }
    all
}

/// The old value of a field. The type of an object is none that could stay as it was.
fn below<'v>(before: Option<Before<'v>>, path: &str, key: &str) -> Option<Before<'v>> {
    let is_type = path.is_empty() && matches!(key, "kind" | "apiVersion");
    before.filter(|_| !is_type).and_then(|before| before.field(key))
}

/// A number as a bound is printed.
pub(super) fn bound(value: &serde_json::Number, bound: f64) -> String {
    if value.is_f64() {
        return fault::float(bound);
    }
    #[expect(clippy::cast_possible_truncation, reason = "upstream cuts it off too")]
    let whole = bound as i64;
    whole.to_string()
}
