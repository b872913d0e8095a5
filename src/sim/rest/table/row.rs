//! An object while its row is written: its values as cells. Paths are keys joined by dots.

use super::age;
use crate::base::Time;
use crate::object::{Map, Object, Value};

/// An object, and when it is printed.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) object: &'a Object,
    pub(super) now: Time,
}

impl<'a> Row<'a> {
    /// The value at a path.
    pub(super) fn at(&self, path: &str) -> Option<&'a Value> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let mut keys = rest.split('.').filter(|key| !key.is_empty());
        keys.try_fold(self.object.0.get(first)?, |value, key| value.get(key))
    }

    /// The text at a path; empty where there is none.
    pub(super) fn str(&self, path: &str) -> &'a str {
        self.at(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// The integer at a path; 0 where there is none.
    pub(super) fn int(&self, path: &str) -> i64 {
        self.at(path).and_then(Value::as_i64).unwrap_or(0)
    }

    /// The list at a path; empty where there is none.
    pub(super) fn list(&self, path: &str) -> &'a [Value] {
        self.at(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The map at a path.
    pub(super) fn map(&self, path: &str) -> Option<&'a Map> {
        self.at(path).and_then(Value::as_object)
    }

    /// A condition of the status.
    pub(super) fn condition(&self, kind: &str) -> Option<&'a Value> {
        self.list("status.conditions").iter().find(|c| c["type"] == kind)
    }

    /// Whether a condition of the status is true.
    pub(super) fn is_true(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|c| c["status"] == "True")
    }

    pub(super) fn name(&self) -> Value {
        self.object.name().into()
    }

    /// How long ago it was made.
    pub(super) fn age(&self) -> Value {
        self.since("metadata.creationTimestamp").into()
    }

    /// How long ago the time at a path was.
    pub(super) fn since(&self, path: &str) -> String {
        age::since(self.now, self.at(path).and_then(Value::as_str))
    }

    /// A text as a cell, empty where there is none.
    pub(super) fn text(&self, path: &str) -> Value {
        self.str(path).into()
    }

    /// A text as a cell, or another one where it is missing.
    pub(super) fn text_or(&self, path: &str, missing: &str) -> Value {
        self.at(path).and_then(Value::as_str).unwrap_or(missing).into()
    }

    /// A text as a cell, or another one where it is missing or empty.
    pub(super) fn filled_or(&self, path: &str, missing: &str) -> Value {
        let found = self.str(path);
        if found.is_empty() { missing } else { found }.into()
    }

    /// An integer as a cell.
    pub(super) fn number(&self, path: &str) -> Value {
        self.int(path).into()
    }

    /// A boolean as a cell, or another one where it is missing.
    pub(super) fn flag_or(&self, path: &str, missing: bool) -> Value {
        self.at(path).and_then(Value::as_bool).unwrap_or(missing).into()
    }

    /// A number or text as text, or another text where it is missing.
    pub(super) fn printed_or(&self, path: &str, missing: &str) -> Value {
        self.at(path).map_or_else(|| missing.to_owned(), printed).into()
    }

    /// How many items a list has.
    pub(super) fn count(&self, path: &str) -> Value {
        self.list(path).len().into()
    }

    /// Names and images of the containers of a pod's spec.
    pub(super) fn containers(&self, pod_spec: &str) -> [Value; 2] {
        let containers = self.list(&format!("{pod_spec}.containers"));
        ["name", "image"].map(|key| joined(containers.iter().map(|c| text_of(c, key)), ",").into())
    }

    /// A label selector; `<none>` for one that is missing or selects everything.
    pub(super) fn selector(&self, path: &str) -> Value {
        match selector(self.at(path)) {
            Some(text) if text.is_empty() => "<none>".into(),
            Some(text) => text.into(),
            None => "<error>".into(),
        }
    }

    /// A map of labels; `<none>` for an empty one.
    pub(super) fn labels(&self, path: &str) -> Value {
        match self.map(path) {
            Some(labels) if !labels.is_empty() => {
                joined(labels.iter().map(|(k, v)| format!("{k}={}", printed(v))), ",").into()
            }
            _ => "<none>".into(),
        }
    }
}

/// Texts with something between them.
pub(super) fn joined(texts: impl Iterator<Item = impl AsRef<str>>, between: &str) -> String {
    texts.enumerate().fold(String::new(), |mut all, (i, text)| {
        if i > 0 {
            all.push_str(between);
        }
        all.push_str(text.as_ref());
        all
    })
}

/// The text under a key; empty where there is none.
pub(super) fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// A scalar without quotes.
pub(super) fn printed(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The first `most` texts, and how many more there are; `missing` where there is none.
pub(super) fn some_of(texts: &[String], most: usize, missing: &str) -> String {
    if texts.is_empty() {
        return missing.to_owned();
    }
    let shown = joined(texts.iter().take(most), ",");
    match texts.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} + {more} more..."),
    }
}

/// A label selector as text, its parts by key; `None` for one with an unknown operator.
pub(super) fn selector(selector: Option<&Value>) -> Option<String> {
    let Some(selector) = selector else { return Some(String::new()) };
    let mut parts: Vec<(&str, String)> = Vec::new();
    for (key, value) in selector["matchLabels"].as_object().into_iter().flatten() {
        parts.push((key, format!("{key}={}", printed(value))));
    }
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = text_of(expression, "key");
        let values = expression["values"].as_array();
        let mut values: Vec<&str> =
            values.into_iter().flatten().filter_map(Value::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        parts.push((
            key,
            match text_of(expression, "operator") {
                "In" => format!("{key} in ({values})"),
                "NotIn" => format!("{key} notin ({values})"),
                "Exists" => key.to_owned(),
                "DoesNotExist" => format!("!{key}"),
                _ => return None,
            },
        ));
    }
    parts.sort_by(|a, b| a.0.cmp(b.0));
    Some(joined(parts.iter().map(|(_, text)| text), ","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn a_selector_is_told_by_key() {
        let value = json!({
            "matchLabels": {"b": "1"},
            "matchExpressions": [
                {"key": "d", "operator": "DoesNotExist"},
                {"key": "a", "operator": "In", "values": ["y", "x"]},
                {"key": "c", "operator": "Exists"},
            ],
        });
        assert_eq!(selector(Some(&value)).unwrap(), "a in (x,y),b=1,c,!d");
        assert_eq!(selector(Some(&json!({"matchExpressions": [{"key": "a"}]}))), None);
    }

    #[test]
    fn a_long_list_says_how_many_more_there_are() {
        let texts: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        assert_eq!(some_of(&texts, 3, "<none>"), "a,b,c + 2 more...");
        assert_eq!(some_of(&texts[..3], 3, "<none>"), "a,b,c");
        assert_eq!(some_of(&[], 3, "<none>"), "<none>");
    }
}
