//! Where two values differ, as paths a person can read.
//!
//! Lists whose items carry a `name` are compared item by name, other lists by position. Which
//! lists the API merges by key is not asked here (`object::fieldset` knows): this is for telling,
//! not for deciding.

use std::collections::BTreeMap;

use super::Value;

/// One difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// `spec.template.spec.containers[web].image`.
    pub path: String,
    /// The value on the left; `None` where there is none.
    pub left: Option<Value>,
    /// The value on the right; `None` where there is none.
    pub right: Option<Value>,
}

/// All differences between two values, in order of their paths. A map or list that is on one side
/// only is one difference.
#[must_use]
pub fn differences(left: &Value, right: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(String::new(), Some(left), Some(right), &mut found);
    found
}

fn walk(path: String, left: Option<&Value>, right: Option<&Value>, found: &mut Vec<Difference>) {
    if left == right {
        return;
    }
    let parts = match (left, right) {
        (Some(Value::Object(l)), Some(Value::Object(r))) => pair(
            l.iter().map(|(k, v)| (field(&path, k), v)),
            r.iter().map(|(k, v)| (field(&path, k), v)),
        ),
        (Some(Value::Array(l)), Some(Value::Array(r))) => pair(items(&path, l), items(&path, r)),
        _ => {
            found.push(Difference { path, left: left.cloned(), right: right.cloned() });
            return;
        }
    };
    for (path, (l, r)) in parts {
        walk(path, l, r, found);
    }
}

fn field(path: &str, key: &str) -> String {
    // Label and annotation keys hold dots and slashes: brackets keep the path readable back.
    if key.contains(['.', '/']) {
        return format!("{path}[{key}]");
    }
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn items<'a>(path: &'a str, list: &'a [Value]) -> impl Iterator<Item = (String, &'a Value)> {
    list.iter().enumerate().map(move |(n, item)| match item.get("name").and_then(Value::as_str) {
        Some(name) => (format!("{path}[{name}]"), item),
        None => (format!("{path}[{n}]"), item),
    })
}

type Pairs<'a> = BTreeMap<String, (Option<&'a Value>, Option<&'a Value>)>;

fn pair<'a>(
    left: impl Iterator<Item = (String, &'a Value)>,
    right: impl Iterator<Item = (String, &'a Value)>,
) -> Pairs<'a> {
    let mut pairs = Pairs::new();
    left.for_each(|(path, value)| pairs.entry(path).or_default().0 = Some(value));
    right.for_each(|(path, value)| pairs.entry(path).or_default().1 = Some(value));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn paths_name_what_differs() {
        let check = |left: Value, right: Value, paths: &[&str]| {
            let found: Vec<_> = differences(&left, &right).into_iter().map(|d| d.path).collect();
            assert_eq!(found, paths, "{left} against {right}");
        };
        check(json!({"a": 1}), json!({"a": 1}), &[]);
        check(
            json!({"spec": {"replicas": 1}}),
            json!({"spec": {"replicas": 2}}),
            &["spec.replicas"],
        );
        check(json!({"l": {"a.b/c": "x"}}), json!({"l": {}}), &["l[a.b/c]"]);
        check(
            json!({"c": [{"name": "web", "image": "a:1"}]}),
            json!({"c": [{"name": "log"}, {"name": "web", "image": "a:2"}]}),
            &["c[log]", "c[web].image"],
        );
        check(json!([1, 2]), json!([1, 3]), &["[1]"]);
    }
}
