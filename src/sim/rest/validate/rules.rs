//! Rules about single fields of kinds, read from a table (`rules.txt` beside this file).
//!
//! What concerns several fields at once, or is told with a Go struct in it, is in the files of the
//! kinds.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::errors::{Errors, Path};
use super::{meta, networking, selectors};
use crate::object::quantity::Quantity;
use crate::object::{Object, Value};
use crate::sim::crd;
use crate::sim::rest::names;

static TABLE: LazyLock<BTreeMap<&'static str, Vec<Rule>>> =
    LazyLock::new(|| read(include_str!("rules.txt")));

/// What a path on a node may be said to be; the first of them is nothing.
const HOST_PATH_TYPES: [&str; 8] = [
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

/// A line of the table.
struct Rule {
    path: Vec<Step>,
    test: Test,
}

/// A part of a path.
struct Step {
    field: &'static str,
    /// Looked into only where it is there.
    optional: bool,
    /// Each item of the list is meant.
    items: bool,
}

enum Test {
    Required(&'static str),
    Name { form: &'static str, required: bool },
    Enum { words: Vec<&'static str>, or_empty: bool },
    Range { low: i64, high: i64, text: &'static str },
    Amount(&'static str),
    Labels,
    Selector,
    NodeTerm,
    HostPathType,
    Unique(&'static str),
    Filled(&'static str),
    Cel,
    Fixed,
    Kept(&'static str),
}

/// What single fields of an object have wrong; with `live`, what of them may not change.
pub(super) fn check(group: &str, live: Option<&Object>, object: &Object, errors: &mut Errors) {
    let of_group = if group == "events.k8s.io" { "events.k8s.io/Event" } else { object.kind() };
    let Some(rules) = TABLE.get(of_group) else { return };
    let now = Value::Object(object.0.clone());
    let before = live.map(|live| Value::Object(live.0.clone()));
    for rule in rules {
        visit(&rule.path, &Path::Printed(""), &now, before.as_ref(), &mut |path, value, old| {
            rule.test.apply(path, value, old, errors);
        });
    }
}

/// The same of a value of a type that stands at `path`.
pub(super) fn check_at(of: &str, value: &Value, path: &Path, errors: &mut Errors) {
    for rule in TABLE.get(of).into_iter().flatten() {
        visit(&rule.path, path, value, None, &mut |path, value, old| {
            rule.test.apply(path, value, old, errors);
        });
    }
}

/// Calls `see` with every place that a path leads to.
fn visit(
    steps: &[Step],
    path: &Path,
    value: &Value,
    old: Option<&Value>,
    see: &mut dyn FnMut(&Path, &Value, Option<&Value>),
) {
    let Some((step, rest)) = steps.split_first() else { return see(path, value, old) };
    let (own, before) = if step.field.is_empty() {
        (value, old)
    } else {
        (&value[step.field], old.map(|old| &old[step.field]))
    };
    if step.optional && own.is_null() {
        return;
    }
    let at = if step.field.is_empty() { *path } else { path.field(step.field) };
    if !step.items {
        return visit(rest, &at, own, before, see);
    }
    for (i, item) in own.as_array().into_iter().flatten().enumerate() {
        visit(rest, &at.index(i), item, before.map(|list| &list[i]), see);
    }
}

impl Test {
    fn apply(&self, path: &Path, value: &Value, old: Option<&Value>, errors: &mut Errors) {
        match self {
            Test::Required(text) if is_empty(value) => errors.required(path, text),
            Test::Required(_) => {}
            Test::Name { form, required } => name(form, *required, path, value, errors),
            Test::Enum { words, or_empty } => {
                let word = value.as_str().unwrap_or_default();
                if !(words.contains(&word) || (*or_empty && word.is_empty())) {
                    errors.unsupported(path, word, words);
                }
            }
            Test::Range { low, high, text } => {
                let number = value.as_i64().unwrap_or(0);
                if !(*low..=*high).contains(&number) {
                    errors.invalid(path, number, text);
                }
            }
            Test::Amount(text) => amount(text, path, value, errors),
            Test::Labels => {
                if let Some(labels) = value.as_object() {
                    meta::labels_at(labels, path, errors);
                }
            }
            Test::Selector => selectors::selector(value, path, errors),
            Test::NodeTerm => selectors::node_term(value, path, errors),
            Test::HostPathType => {
                let word = value.as_str().unwrap_or_default();
                if !HOST_PATH_TYPES.contains(&word) {
                    errors.unsupported(path, word, &HOST_PATH_TYPES);
                }
            }
            Test::Unique(field) => unique(field, path, value, errors),
            Test::Filled(text) => {
                if value.as_object().is_none_or(crate::object::Map::is_empty) {
                    errors.required(path, text);
                }
            }
            Test::Cel => {
                let source = value.as_str().unwrap_or_default();
                if let Some(fault) = crd::syntax_fault(source).filter(|_| !source.is_empty()) {
                    errors.invalid(path, source, &format!("compilation failed: {fault}"));
                }
            }
            Test::Fixed => {
                if old.is_some_and(|old| !is_same(old, value)) {
                    let shown = if value.is_null() && old.is_some_and(Value::is_string) {
                        Value::from("")
                    } else {
                        value.clone()
                    };
                    errors.invalid(path, shown, "field is immutable");
                }
            }
            Test::Kept(text) => {
                if old.is_some_and(|old| !is_same(old, value)) {
                    errors.forbidden(path, text);
                }
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// To upstream, what is absent and what is empty are one.
fn is_same(a: &Value, b: &Value) -> bool {
    a == b || (is_empty(a) && is_empty(b))
}

fn name(form: &str, required: bool, path: &Path, value: &Value, errors: &mut Errors) {
    let text = value.as_str().unwrap_or_default();
    let (form, may_be_empty) = match form.strip_suffix('?') {
        Some(form) => (form, true),
        None => (form, false),
    };
    if text.is_empty() && (required || may_be_empty) {
        if required {
            errors.required(path, "");
        }
        return;
    }
    let faults = match form {
        "subdomain-or-all" if text == "*" => Vec::new(),
        "subdomain" | "subdomain-or-all" => names::subdomain_1123(text),
        "label" => names::label_1123(text),
        "1035" => names::label_1035(text),
        "path" => names::path_segment(text),
        "qualified" => names::qualified(text),
        "label-value" => names::label_value(text),
        "lower-qualified" if text.is_empty() => Vec::new(),
        "lower-qualified" => {
            let lower = text.to_lowercase();
            return errors.faults(path, &lower, names::qualified(&lower));
        }
        "domain-path" => names::domain_path(text),
        "identifier" => names::cel_identifier(text),
        "address" if text.parse::<std::net::IpAddr>().is_err() => {
            vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned()]
        }
        "cidr" if !networking::is_range(text) => {
            vec!["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".to_owned()]
        }
        "absolute" if !text.starts_with('/') => vec!["must be an absolute path".to_owned()],
        "old-address" if text.parse::<std::net::IpAddr>().is_err() => {
            vec!["must be a valid IP address".to_owned()]
        }
        _ => Vec::new(),
    };
    errors.faults(path, text, faults);
}

fn amount(text: &str, path: &Path, value: &Value, errors: &mut Errors) {
    let found = value.as_str().and_then(|text| Quantity::parse(text).ok());
    if let (Some(found), Ok(zero)) = (found, Quantity::parse("0"))
        && found < zero
    {
        errors.invalid(path, value.clone(), text);
    }
}

fn unique(field: &str, path: &Path, value: &Value, errors: &mut Errors) {
    let mut seen: Vec<&Value> = Vec::new();
    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
        let at = path.index(i);
        let (own, place) = if field == "." { (item, at) } else { (&item[field], at.field(field)) };
        if seen.contains(&own) {
            errors.duplicate(&place, own.clone());
        } else if !is_empty(own) {
            seen.push(own);
        }
    }
}

fn read(text: &'static str) -> BTreeMap<&'static str, Vec<Rule>> {
    let mut table: BTreeMap<&'static str, Vec<Rule>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let mut parts = line.splitn(3, "  ");
        let (kinds, path, rule) = (parts.next(), parts.next(), parts.next());
        let (Some(kinds), Some(path), Some(rule)) = (kinds, path, rule) else { continue };
        for kind in kinds.split('|') {
            let Some(test) = test(rule.trim()) else { continue };
            table.entry(kind).or_default().push(Rule { path: steps(path.trim()), test });
        }
    }
    table
}

fn steps(path: &'static str) -> Vec<Step> {
    let step = |part: &'static str| {
        let (part, optional) = part.strip_prefix('?').map_or((part, false), |part| (part, true));
        let (field, items) = part.strip_suffix("[]").map_or((part, false), |part| (part, true));
        Step { field, optional, items }
    };
    path.split('.').map(step).collect()
}

fn test(rule: &'static str) -> Option<Test> {
    let (word, rest) = rule.split_once(' ').unwrap_or((rule, ""));
    Some(match word {
        "required" => Test::Required(rest),
        "named" | "name" => Test::Name { form: rest, required: word == "named" },
        "enum" | "enum?" => {
            Test::Enum { words: rest.split(' ').collect(), or_empty: word == "enum?" }
        }
        "range" => {
            let mut parts = rest.splitn(3, ' ');
            let (low, high) = (parts.next()?, parts.next()?);
            Test::Range {
                low: low.parse().unwrap_or(i64::MIN),
                high: high.parse().unwrap_or(i64::MAX),
                text: parts.next()?,
            }
        }
        "amount" => Test::Amount(rest),
        "labels" => Test::Labels,
        "selector" => Test::Selector,
        "node-term" => Test::NodeTerm,
        "host-path-type" => Test::HostPathType,
        "unique" => Test::Unique(rest),
        "filled" => Test::Filled(rest),
        "cel" => Test::Cel,
        "fixed" => Test::Fixed,
        "kept" => Test::Kept(rest),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn every_line_of_the_table_is_a_rule() {
        let lines = include_str!("rules.txt").lines();
        let lines = lines.filter(|line| !line.starts_with('#') && !line.is_empty());
        let expected: usize =
            lines.map(|line| line.split("  ").next().unwrap_or_default().split('|').count()).sum();
        assert_eq!(TABLE.values().map(Vec::len).sum::<usize>(), expected);
    }

    #[test]
    fn what_is_absent_is_looked_at_unless_it_is_marked() {
        let object = Object::from_value(json!({ "kind": "VolumeAttachment" })).unwrap_or_default();
        let mut errors = Errors::default();
        check("storage.k8s.io", None, &object, &mut errors);
        let fields: Vec<String> = errors.into_causes().into_iter().map(|c| c.field).collect();
        assert_eq!(fields, ["spec.attacher", "spec.nodeName"]);
    }
}
