//! JSONPath as printer columns use it, which is client-go's dialect: fields (`.a`, `['a']`, with
//! `\.` for a dot within a name), `[2]`, `[0:3:2]`, `[*]`, `.*`, `..a`, unions `[0,2]` and filters
//! `[?(@.type=="Ready")]`.
//!
//! Not here: `{range}` and text around a path, which a column cannot have.

use std::cmp::Ordering;

use crate::base::limits::DOCUMENT_DEPTH;
use crate::object::path::{compare_values, same_value};
use crate::object::{Map, Value};

/// A path that was read.
#[derive(Debug, PartialEq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, PartialEq)]
enum Step {
    Field(String),
    /// Every value of a map or a list.
    All,
    /// The value and everything in it.
    Deep,
    /// From, to (the end where left out), step. A single index ends right behind itself.
    Slice(i64, Option<i64>, i64),
    Union(Vec<Vec<Step>>),
    /// Items of a list for which the comparison holds; without one, in which the path is there.
    Filter(Vec<Step>, Option<(Comparison, Value)>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Path {
    /// Reads a path; `None` if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        steps(text.trim()).map(Self)
    }

    /// The first value that the path leads to.
    pub(super) fn first<'a>(&self, root: &'a Map) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        let found = match first {
            Step::Field(name) => root.get(name).into_iter().collect(),
            Step::All => root.values().collect(),
            Step::Deep => {
                let mut all = Vec::new();
                root.values().for_each(|value| deep(value, DOCUMENT_DEPTH, &mut all));
                all
            }
            _ => return None,
        };
        walk(found, rest)?.first().copied()
    }
}

fn walk<'a>(mut values: Vec<&'a Value>, steps: &[Step]) -> Option<Vec<&'a Value>> {
    for step in steps {
        values = take(&values, step)?;
    }
    Some(values)
}

/// One step from each value; `None` where the step cannot be taken, which ends the search.
fn take<'a>(values: &[&'a Value], step: &Step) -> Option<Vec<&'a Value>> {
    let mut found = Vec::new();
    let there = values.iter().copied().filter(|value| !value.is_null());
    match step {
        Step::Field(name) => found.extend(there.filter_map(|value| value.get(name))),
        Step::All => there.for_each(|value| found.extend(children(value))),
        Step::Deep => there.for_each(|value| deep(value, DOCUMENT_DEPTH, &mut found)),
        Step::Slice(from, to, step) => {
            for value in there {
                slice(value.as_array()?, *from, *to, *step, &mut found)?;
            }
        }
        Step::Union(parts) => {
            for part in parts {
                found.extend(walk(values.to_vec(), part)?);
            }
        }
        Step::Filter(path, comparison) => {
            for value in values {
                filter(value.as_array()?, path, comparison.as_ref(), &mut found);
            }
        }
    }
    Some(found)
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}

/// A list or map that is not empty, and all such within it.
fn deep<'a>(value: &'a Value, depth: usize, found: &mut Vec<&'a Value>) {
    let children = children(value);
    if !children.is_empty() && depth > 0 {
        found.push(value);
        children.into_iter().for_each(|child| deep(child, depth - 1, found));
    }
}

fn slice<'a>(
    list: &'a [Value],
    from: i64,
    to: Option<i64>,
    step: i64,
    found: &mut Vec<&'a Value>,
) -> Option<()> {
    let length = i64::try_from(list.len()).ok()?;
    let from = if from < 0 { from + length } else { from };
    let to = match to {
        None => length,
        // The end behind the last item, seen from behind.
        Some(0) if from == length - 1 => length,
        Some(to) if to < 0 => to + length,
        Some(to) => to,
    };
    if from == to {
        return Some(());
    }
    let items = list.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)?;
    found.extend(items.iter().step_by(usize::try_from(step).ok().filter(|step| *step > 0)?));
    Some(())
}

fn filter<'a>(
    list: &'a [Value],
    path: &[Step],
    comparison: Option<&(Comparison, Value)>,
    found: &mut Vec<&'a Value>,
) {
    for item in list {
        let left = walk(vec![item], path).unwrap_or_default();
        let passes = match (comparison, left.as_slice()) {
            (None, left) => !left.is_empty(),
            (Some((comparison, right)), [left]) => holds(*comparison, left, right),
            _ => false,
        };
        if passes {
            found.push(item);
        }
    }
}

fn holds(comparison: Comparison, left: &Value, right: &Value) -> bool {
    let order = compare_values(left, right);
    let alike = std::mem::discriminant(left) == std::mem::discriminant(right);
    match comparison {
        Comparison::Equal => same_value(left, right),
        Comparison::NotEqual => alike && !same_value(left, right),
        Comparison::Less => alike && order == Ordering::Less,
        Comparison::LessOrEqual => alike && order != Ordering::Greater,
        Comparison::Greater => alike && order == Ordering::Greater,
        Comparison::GreaterOrEqual => alike && order != Ordering::Less,
    }
}

/// The steps of a path without what stands around it.
fn steps(mut text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !text.is_empty() {
        if let Some(rest) = text.strip_prefix("..") {
            if steps.last() == Some(&Step::Deep) {
                return None;
            }
            steps.push(Step::Deep);
            // A name may stand right behind.
            text = rest;
            if text.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                let (field, rest) = name(text);
                steps.push(Step::Field(field));
                text = rest;
            }
        } else if let Some(rest) = text.strip_prefix('.') {
            let (field, rest) = name(rest);
            steps.push(if field == "*" { Step::All } else { Step::Field(field) });
            text = rest;
        } else if let Some(rest) = text.strip_prefix("[?(") {
            let (inner, rest) = rest.split_at(end_of_filter(rest)?);
            steps.push(filter_step(inner)?);
            text = rest.strip_prefix(")]")?;
        } else if let Some(rest) = text.strip_prefix('[') {
            let (inner, rest) = rest.split_once(']')?;
            steps.push(index(inner)?);
            text = rest;
        } else {
            text = text.strip_prefix(['@', '$', ' '])?;
        }
    }
    Some(steps)
}

/// A name up to what ends it, and what follows. A backslash keeps the next character.
fn name(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' => name.extend(rest.next().map(|(_, c)| c)),
            '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}' | ' ' | '\t' => {
                return (name, &text[at..]);
            }
            c => name.push(c),
        }
    }
    (name, "")
}

/// Where a filter ends: at the first `)` that is not within quotes.
fn end_of_filter(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, ')') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open && !text[..at].ends_with('\\') => quote = None,
            _ => {}
        }
    }
    None
}

fn filter_step(inner: &str) -> Option<Step> {
    let Some(at) = inner.find(['=', '!', '<', '>']) else {
        return Some(Step::Filter(steps(inner.trim())?, None));
    };
    let (left, rest) = inner.split_at(at);
    let word = rest.len() - rest.trim_start_matches(['=', '!', '<', '>']).len();
    let (word, right) = rest.split_at(word);
    let comparison = match word {
        "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return None,
    };
    Some(Step::Filter(steps(left.trim())?, Some((comparison, literal(right.trim())?))))
}

/// What a filter compares with: a text in quotes, a number, a boolean.
fn literal(text: &str) -> Option<Value> {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return Some(inner.strip_suffix(quote)?.replace('\\', "").into());
        }
    }
    serde_json::from_str(text).ok().filter(|value: &Value| value.is_number() || value.is_boolean())
}

/// What stands in brackets and is no filter.
fn index(inner: &str) -> Option<Step> {
    if inner == "*" {
        return Some(Step::Slice(0, None, 1));
    }
    if let Some(quoted) = inner.strip_prefix('\'').and_then(|i| i.strip_suffix('\'')) {
        return Some(Step::Field(quoted.replace('\\', "")));
    }
    if inner.contains(',') {
        let parts = inner.split(',').map(|part| Some(vec![index(part.trim())?]));
        return parts.collect::<Option<_>>().map(Step::Union);
    }
    let number = |text: &str, missing| match text {
        "" => Some(missing),
        text => text.parse::<i64>().ok(),
    };
    let mut parts = inner.split(':');
    let from = number(parts.next()?, 0)?;
    let Some(to) = parts.next() else {
        return (!inner.is_empty()).then_some(Step::Slice(from, Some(from + 1), 1));
    };
    let to = if to.is_empty() { None } else { Some(to.parse().ok()?) };
    let step = number(parts.next().unwrap_or(""), 1)?;
    parts.next().is_none().then_some(Step::Slice(from, to, step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{Object, json};

    fn check(path: &str, expect: Option<Value>) {
        let object = Object::from_value(json!({
            "spec": {"a.b": 1, "n": [1, 2, 3], "deep": {"x": {"y": 7}}, "none": null},
            "status": {"conditions": [
                {"type": "Synced", "status": "False", "n": 3},
                {"type": "Ready", "status": "True", "n": 5},
            ]},
        }))
        .unwrap();
        let found = Path::parse(path).and_then(|p| p.first(&object.0).cloned());
        assert_eq!(found, expect, "{path}");
    }

    #[test]
    fn a_path_leads_to_the_value_that_client_go_finds() {
        check(".spec.n", Some(json!([1, 2, 3])));
        check(".spec.n[0]", Some(json!(1)));
        check(".spec.n[-1]", Some(json!(3)));
        check(".spec.n[1:]", Some(json!(2)));
        check(".spec.n[*]", Some(json!(1)));
        check(".spec.n[2,0]", Some(json!(3)));
        check(".spec.n[7]", None);
        check(r".spec.a\.b", Some(json!(1)));
        check(".spec['a.b']", Some(json!(1)));
        check(".spec.none", Some(json!(null)));
        check(".spec.none.x", None);
        check("..y", Some(json!(7)));
        check(".spec.deep.*.y", Some(json!(7)));
        check(r#".status.conditions[?(@.type=="Ready")].status"#, Some(json!("True")));
        check(".status.conditions[?(@.type=='Ready')].status", Some(json!("True")));
        check(".status.conditions[?(@.type != 'Ready')].status", Some(json!("False")));
        check(".status.conditions[?(@.n>4)].type", Some(json!("Ready")));
        check(".status.conditions[?(@.missing)].type", None);
        check(".status.conditions[?(@.n)].type", Some(json!("Synced")));
        check(".spec[?(@.n)].type", None);
        check(".spec.n[x]", None);
        check("spec", None);
    }

    #[test]
    fn what_is_no_path_leads_nowhere() {
        for text in [
            "",
            ".",
            "....",
            "[",
            "[]",
            "[?(",
            "[?()]",
            "[?(@.a==)]",
            ".a[::]",
            ".a[1:0]",
            ".a[-9]",
            ".a[1,]",
            ".é[?(@.é=='é')]",
            ".\\",
            "]",
            ".a['b",
            "[?('a]",
        ] {
            check(text, None);
        }
    }
}
