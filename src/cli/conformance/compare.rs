//! A recorded answer against another one: status, warnings and body, modulo what is of the moment.
//!
//! Uids, times, resource versions and tokens are masked in records. A masked value must stand for
//! one value of the other server throughout a file, and the other way round; [`Comparison`] learns
//! which is which as it goes, and puts them into the requests that follow.
//!
//! Not here: sending anything (`live`), and which records there are (`records`).

use std::collections::BTreeMap;

use super::blur;
use crate::base::Time;
use crate::object::Value;

/// What a masked value begins with.
const MASKS: [&str; 4] = ["rv-", "uid-", "time-", "token-"];

/// Differences of one answer that are told.
const TOLD: usize = 12;

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The `Warning` headers, in order.
    pub warnings: Vec<String>,
    /// The body: JSON, a list of the events of a watch, or text.
    pub body: Value,
}

/// What was learnt of a server while a file of records was sent to it.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Whether the server made objects at its start, whose versions are its own.
    pub has_objects_of_its_own: bool,
    /// Masked value to theirs.
    theirs: BTreeMap<String, String>,
    /// Theirs to masked value.
    masked: BTreeMap<String, String>,
    /// Addresses of Services, which a server draws.
    addresses: BTreeMap<String, String>,
    /// Set while the metadata of a list or a bookmark is looked at.
    loose: bool,
}

impl Comparison {
    /// How an answer differs from the recorded one, a line each; empty where it does not.
    pub fn differences(&mut self, record: &Value, answer: &Answer) -> Vec<String> {
        let mut differences = Vec::new();
        if record["status"].as_u64() != Some(answer.status.into()) {
            differences.push(format!("status {}, expected {}", answer.status, record["status"]));
        }
        let warnings: Vec<&str> = answer.warnings.iter().map(String::as_str).collect();
        let expected = record["warnings"].as_array().map_or(&[][..], Vec::as_slice);
        if expected.iter().map(|w| w.as_str().unwrap_or_default()).ne(warnings.iter().copied()) {
            differences.push(format!("warnings {warnings:?}, expected {}", record["warnings"]));
        }
        let (mut expected, mut found) = (record["body"].clone(), answer.body.clone());
        for body in [&mut expected, &mut found] {
            blur::sort_managers(body);
            blur::sort_causes(body);
        }
        self.walk("", &expected, &found, &mut differences);
        differences.truncate(TOLD);
        differences
    }

    /// Puts the server's values into a request for the masked ones.
    #[must_use]
    pub fn translate(&self, text: &str) -> String {
        if let Some((before, token)) = text.split_once("continue=") {
            let theirs = self.theirs.get(token).map_or(token, String::as_str);
            return format!("{before}continue={theirs}");
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some((at, mask)) =
            MASKS.iter().filter_map(|m| Some((rest.find(m)?, *m))).min_by_key(|(at, _)| *at)
        {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let digits = mask.len();
            let end = from[digits..].find(|c: char| !c.is_ascii_digit());
            let end = end.map_or(from.len(), |end| end + digits);
            let token = &from[..end];
            out.push_str(self.theirs.get(token).map_or(token, String::as_str));
            rest = &from[end..];
        }
        out.push_str(rest);
        for (address, theirs) in &self.addresses {
            let (quoted, theirs) = (format!("\"{address}\""), format!("\"{theirs}\""));
            out = out.replace(&quoted, &theirs);
        }
        out
    }

    /// Compares two values, and says where under `path` they differ.
    pub fn walk(&mut self, path: &str, expected: &Value, found: &Value, out: &mut Vec<String>) {
        match (expected, found) {
            (Value::Object(_), Value::Object(_)) => self.walk_map(path, expected, found, out),
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                for (i, (a, b)) in a.iter().zip(b).enumerate() {
                    self.walk(&format!("{path}[{i}]"), a, b, out);
                }
            }
            (Value::String(a), Value::String(b)) => {
                if !self.same_text(path, a, b) {
                    out.push(format!("{path} is {b:?}\n        expected {a:?}"));
                }
            }
            (a, b) if a == b || (blur::is_node_port(a) && blur::is_node_port(b)) => {}
            (a, b) => out.push(format!("{path} is {b}\n        expected {a}")),
        }
    }

    fn walk_map(&mut self, path: &str, expected: &Value, found: &Value, out: &mut Vec<String>) {
        let (Value::Object(a), Value::Object(b)) = (expected, found) else { return };
        let kind = expected["kind"].as_str().unwrap_or_default();
        let is_bookmark = path.ends_with(".object") && !expected["metadata"]["name"].is_string();
        let outer = self.loose;
        let loose = is_bookmark || kind.ends_with("List");
        if loose {
            self.learn_revision(&expected["metadata"], &found["metadata"]);
        }
        for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(key))) {
            let path = format!("{path}.{key}");
            self.loose = outer || (loose && key == "metadata");
            match (a.get(key), b.get(key)) {
                (Some(a), Some(b)) => self.walk(&path, a, b, out),
                (Some(a), None) => out.push(format!("{path} is missing: {a}")),
                (None, Some(found)) => out.push(format!("{path} is too much: {found}")),
                (None, None) => {}
            }
            self.loose = outer;
        }
    }

    /// Revisions of lists and bookmarks are the server's own, which others move too.
    fn learn_revision(&mut self, expected: &Value, found: &Value) {
        for key in ["resourceVersion", "continue"] {
            if let (Some(a), Some(b)) = (expected[key].as_str(), found[key].as_str()) {
                self.theirs.entry(a.to_owned()).or_insert_with(|| b.to_owned());
            }
        }
    }

    fn same_text(&mut self, path: &str, expected: &str, found: &str) -> bool {
        if expected == found || (path.ends_with(".continue") && !found.is_empty()) {
            return true;
        }
        if self.has_objects_of_its_own
            && path.ends_with(".resourceVersion")
            && !expected.contains('-')
        {
            return true;
        }
        if expected.starts_with("time-") && !expected.contains(' ') {
            self.theirs.insert(expected.to_owned(), found.to_owned());
            return Time::parse_rfc3339(found).is_some();
        }
        if blur::is_service_address(expected) && blur::is_service_address(found) {
            self.addresses.insert(expected.to_owned(), found.to_owned());
            return true;
        }
        if blur::is_generated(expected, found) {
            return true;
        }
        if let (Some(expected), Some(found)) =
            (expected.strip_prefix("JTI="), found.strip_prefix("JTI="))
        {
            return self.same_text(path, expected, found);
        }
        let is_token = ["rv-", "uid-", "token-"].iter().any(|t| {
            expected.strip_prefix(t).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        });
        if is_token && self.loose {
            return true;
        }
        if !is_token {
            return blur::blurred(expected, &MASKS) == blur::blurred(found, &MASKS);
        }
        let kept = self.theirs.entry(expected.to_owned()).or_insert_with(|| found.to_owned());
        let back = self.masked.entry(found.to_owned()).or_insert_with(|| expected.to_owned());
        kept == found && back == expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn answer(body: Value) -> Answer {
        Answer { status: 200, warnings: Vec::new(), body }
    }

    #[test]
    fn a_masked_value_stands_for_one_value_throughout() {
        let mut comparison = Comparison::default();
        let record = json!({ "status": 200, "warnings": [], "body": { "uid": "uid-1" } });
        let first = answer(json!({ "uid": "0b9c7d3e-0000-4000-8000-000000000001" }));
        assert_eq!(comparison.differences(&record, &first), Vec::<String>::new());
        assert!(comparison.translate("/x?uid=uid-1&y").contains("000000000001&y"));
        let other = answer(json!({ "uid": "0b9c7d3e-0000-4000-8000-000000000002" }));
        assert_eq!(comparison.differences(&record, &other).len(), 1);
    }

    #[test]
    fn what_is_missing_too_much_or_other_is_told_with_its_path() {
        let record = json!({ "status": 201, "warnings": ["w"], "body": { "a": [1], "b": 2 } });
        let found = answer(json!({ "a": [3], "c": 4 }));
        let told = Comparison::default().differences(&record, &found);
        assert_eq!(told.len(), 5, "{told:?}");
        assert!(told[2].starts_with(".a[0] is 3"), "{told:?}");
        assert!(told[3].starts_with(".b is missing"), "{told:?}");
    }
}
