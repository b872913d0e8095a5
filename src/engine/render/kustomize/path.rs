//! Paths of fields as replacements and vars write them: `spec.ports.[name=http].port`,
//! `metadata.annotations.[a.b/c]`, `spec.args.0`, `spec.hosts.*`.

use super::fieldspec::scalar_text;
use crate::object::{Map, Value};

/// A step on the way to a field that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// A field that a path leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) steps: Vec<Step>,
    /// Whether it was made on the way and holds nothing yet.
    pub(super) is_made: bool,
    /// Whether it lies in a copy that nobody looks at: what is set there is lost, as upstream.
    pub(super) is_lost: bool,
}

/// What a field is made as where it is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    Map,
    List,
}

impl Kind {
    pub(super) const fn of(value: &Value) -> Self {
        match value {
            Value::Object(_) => Self::Map,
            Value::Array(_) => Self::List,
            _ => Self::Scalar,
        }
    }

    fn empty(self) -> Value {
        match self {
            Self::Scalar => Value::Null,
            Self::Map => Value::Object(Map::new()),
            Self::List => Value::Array(Vec::new()),
        }
    }
}

/// Takes a path apart at a delimiter; a backslash before it makes it part of a name.
fn plain_split(path: &str, delimiter: &str) -> Vec<String> {
    let mut parts: Vec<&str> = path.split(delimiter).collect();
    if parts.len() > 1 && parts[0].is_empty() {
        parts.remove(0);
    }
    let mut names: Vec<String> = Vec::new();
    for part in parts {
        match names.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push_str(delimiter);
                last.push_str(part);
            }
            _ => names.push(part.to_owned()),
        }
    }
    names
}

/// Takes a path apart at its dots, but not within brackets. Brackets that hold a name are taken
/// off, those that hold `key=value` are kept.
pub(super) fn split(path: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = plain_split(path, ".").into_iter();
    while let Some(part) = rest.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            parts.push(part);
            continue;
        }
        let mut whole = part;
        for more in rest.by_ref() {
            whole.push('.');
            whole.push_str(&more);
            if more.ends_with(']') {
                break;
            }
        }
        if whole.contains('=') {
            parts.push(whole);
        } else {
            parts.push(whole.trim_matches(['[', ']']).to_owned());
        }
    }
    parts
}

/// As [`split`], for vars: `ports[0]` is `ports` and `0`.
pub(super) fn split_with_index(path: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for part in split(path) {
        let index = part.strip_suffix(']').and_then(|part| part.rsplit_once('['));
        match index {
            Some((name, index)) if is_digits(index) => {
                if !name.is_empty() {
                    parts.push(name.to_owned());
                }
                parts.push(index.to_owned());
            }
            _ => parts.push(part),
        }
    }
    parts
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The place in a list that a part names, as Go's `Atoi` reads it.
fn index(part: &str) -> Option<usize> {
    let digits = part.strip_prefix('+').unwrap_or(part);
    is_digits(digits).then(|| digits.parse().ok()).flatten()
}

fn is_list_match(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

/// Key and value of `[key=value]`.
fn list_match(part: &str) -> Result<(&str, &str), String> {
    let inner = part.strip_suffix(']').unwrap_or(part);
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    inner
        .split_once('=')
        .ok_or_else(|| format!("{part}: an item of a list is named as [field=value]"))
}

/// The value at a path; `None` where there is none.
///
/// # Errors
/// Where the path does not fit what is there.
pub(super) fn lookup<'v>(value: &'v Value, parts: &[String]) -> Result<Option<&'v Value>, String> {
    let mut found = value;
    for part in parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()) {
        let next = if let Some(index) = index(part) {
            list(found)?.get(index)
        } else if part.starts_with('-') && is_digits(&part[1..]) {
            return Err(format!("array index {part} cannot be negative"));
        } else if part == "-" {
            list(found)?.last()
        } else if part == "*" {
            return Err("wildcard is not supported here".to_owned());
        } else if is_list_match(part) {
            let (key, wanted) = list_match(part)?;
            list(found)?.iter().find(|item| is_item(item, key, wanted))
        } else {
            match found {
                Value::Object(map) => map.get(part),
                Value::Null => None,
                _ => return Err(format!("expected a map above {part}")),
            }
        };
        match next {
            Some(next) => found = next,
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

fn list(value: &Value) -> Result<&[Value], String> {
    match value {
        Value::Array(items) => Ok(items),
        Value::Null => Ok(&[]),
        _ => Err("expected a list".to_owned()),
    }
}

fn is_item(item: &Value, key: &str, wanted: &str) -> bool {
    let value = if key.is_empty() { Some(item) } else { item.get(key) };
    value.and_then(scalar_text).as_deref() == Some(wanted)
}

/// Every field that a path leads to. `create` makes what is missing, the last as that kind.
///
/// # Errors
/// Where the path does not fit what is there.
pub(super) fn matches(
    value: &mut Value,
    parts: &[String],
    create: Option<Kind>,
) -> Result<Vec<Found>, String> {
    let mut walk = Walk { create, at: Vec::new(), found: Vec::new() };
    walk.value(value, parts, false)?;
    Ok(walk.found)
}

struct Walk {
    create: Option<Kind>,
    at: Vec<Step>,
    found: Vec<Found>,
}

impl Walk {
    fn value(&mut self, value: &mut Value, parts: &[String], is_made: bool) -> Result<(), String> {
        let Some((part, rest)) = parts.split_first() else {
            let steps = self.at.clone();
            self.found.push(Found { steps, is_made, is_lost: false });
            return Ok(());
        };
        if let Some(index) = index(part) {
            return self.item(value, index, rest);
        }
        if is_list_match(part) {
            return self.items_that_match(value, part, rest);
        }
        if part == "*" {
            let count = list(value)?.len();
            return (0..count).try_for_each(|index| self.step_into(value, index, rest, false));
        }
        self.field(value, part, rest)
    }

    fn step_into(
        &mut self,
        list: &mut Value,
        index: usize,
        rest: &[String],
        is_made: bool,
    ) -> Result<(), String> {
        let Some(item) = list.get_mut(index) else { return Ok(()) };
        self.at.push(Step::Index(index));
        let result = self.value(item, rest, is_made);
        self.at.pop();
        result
    }

    fn item(&mut self, value: &mut Value, index: usize, rest: &[String]) -> Result<(), String> {
        let len = list(value)?.len();
        let mut is_made = false;
        if let (true, Some(kind)) = (len == index, self.create) {
            push(value, next_kind(rest, kind).empty())?;
            is_made = true;
        } else if len <= index {
            return Err(format!("index {index} specified but only {len} elements found"));
        }
        self.step_into(value, index, rest, is_made)
    }

    fn items_that_match(
        &mut self,
        value: &mut Value,
        part: &str,
        rest: &[String],
    ) -> Result<(), String> {
        let (key, pattern) = list_match(part)?;
        let regex = super::pattern::compile(pattern).map_err(|error| no_regex(pattern, &error))?;
        let fits = |item: &Value| {
            let value = if key.is_empty() { Some(item) } else { item.get(key) };
            value.and_then(scalar_text).is_some_and(|text| regex.is_match(text.trim()))
        };
        let before = self.found.len();
        let chosen: Vec<usize> = list(value)?
            .iter()
            .enumerate()
            .filter(|(_, item)| fits(item))
            .map(|(at, _)| at)
            .collect();
        // What is named as an item itself has no way further down.
        let rest = if key.is_empty() { &[] } else { rest };
        for index in chosen {
            self.step_into(value, index, rest, false)?;
        }
        if self.found.len() > before || self.create.is_none() {
            return Ok(());
        }
        let wanted = plain(pattern);
        let item = match key {
            "" => wanted,
            key => Value::Object(Map::from_iter([(key.to_owned(), wanted)])),
        };
        push(value, item)?;
        let index = list(value)?.len() - 1;
        self.step_into(value, index, rest, false)
    }

    fn field(&mut self, value: &mut Value, part: &str, rest: &[String]) -> Result<(), String> {
        let map = match value {
            Value::Object(map) => map,
            Value::Null if self.create.is_none() => return Ok(()),
            _ => return Err(format!("expected a map above {part}")),
        };
        let is_made = !map.contains_key(part);
        if is_made {
            let Some(kind) = self.create else { return Ok(()) };
            map.insert(part.to_owned(), next_kind(rest, kind).empty());
        }
        let Some(field) = map.get_mut(part) else { return Ok(()) };
        self.at.push(Step::Key(part.to_owned()));
        let is_scalar = !field.is_object() && !field.is_array();
        let result = if is_scalar && !rest.is_empty() {
            self.within_text(field, rest)
        } else {
            self.value(field, rest, is_made)
        };
        self.at.pop();
        result
    }

    /// Further down in the text of a scalar that is YAML itself: upstream looks into a copy.
    fn within_text(&mut self, scalar: &Value, rest: &[String]) -> Result<(), String> {
        let text = scalar_text(scalar).unwrap_or_default();
        let documents =
            crate::object::yaml::documents(&text, crate::object::yaml::Dialect::Kustomize)
                .map_err(|error| error.to_string())?;
        let Some(document) = documents.into_iter().next() else { return Ok(()) };
        let mut value = document.value;
        let inner = matches(&mut value, rest, self.create)?;
        self.found.extend(inner.into_iter().map(|found| Found { is_lost: true, ..found }));
        Ok(())
    }
}

fn push(value: &mut Value, item: Value) -> Result<(), String> {
    match value {
        Value::Array(items) => {
            items.push(item);
            Ok(())
        }
        _ => Err("expected a list".to_owned()),
    }
}

/// What a field is made as, by what follows it in the path.
fn next_kind(rest: &[String], last: Kind) -> Kind {
    match rest.first().map(String::as_str) {
        None | Some("") => last,
        Some(next) if is_list_match(next) || index(next).is_some() => Kind::List,
        Some(_) => Kind::Map,
    }
}

/// Bare text as it would be read.
pub(super) fn plain(text: &str) -> Value {
    crate::object::yaml::plain(text, crate::object::yaml::Dialect::Kustomize)
        .unwrap_or_else(|_| Value::from(text))
}

/// The value at the end of steps that [`matches`] found.
pub(super) fn at_mut<'v>(value: &'v mut Value, steps: &[Step]) -> Option<&'v mut Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key.as_str()),
        Step::Index(index) => value.get_mut(*index),
    })
}

/// What is wrong with a pattern, on one line: the library shows the place below it.
pub(super) fn no_regex(pattern: &str, error: &regex::Error) -> String {
    let text = error.to_string();
    let why = text.lines().last().unwrap_or_default();
    let why = why.strip_prefix("error: ").unwrap_or(why);
    format!("{pattern:?} is no regular expression: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn paths_are_split_outside_of_brackets() {
        for (path, expected) in [
            ("a.b", vec!["a", "b"]),
            ("a.[b.c/d].e", vec!["a", "b.c/d", "e"]),
            ("a.[name=x.y].e", vec!["a", "[name=x.y]", "e"]),
            ("a\\.b.c", vec!["a.b", "c"]),
        ] {
            assert_eq!(split(path), expected);
        }
        assert_eq!(split_with_index("a.ports[0].x"), ["a", "ports", "0", "x"]);
    }

    #[test]
    fn a_path_leads_to_fields_and_makes_them() {
        let mut value = json!({"a": [{"n": "x", "v": 1}, {"n": "y", "v": 2}]});
        let count = |value: &mut Value, path: &str, create| {
            matches(value, &split(path), create).map(|found| found.len())
        };
        assert_eq!(count(&mut value, "a.*.v", None), Ok(2));
        assert_eq!(count(&mut value, "a.[n=y].v", None), Ok(1));
        assert_eq!(count(&mut value, "a.0.v", None), Ok(1));
        assert_eq!(count(&mut value, "a.[n=z].v", None), Ok(0));
        assert!(count(&mut value, "a.7.v", None).is_err());
        assert_eq!(count(&mut value, "a.[n=z].v", Some(Kind::Scalar)), Ok(1));
        assert_eq!(count(&mut value, "b.c.d", Some(Kind::Scalar)), Ok(1));
        assert_eq!(value["a"][2], json!({"n": "z", "v": null}));
        assert_eq!(value["b"], json!({"c": {"d": null}}));
    }
}
