//! Paths to one field of an object, as people and the API server write them:
//! `spec.template.spec.containers[name=cart].image`, `args[0]`.
//!
//! Keys that contain a dot stand in brackets (`metadata.labels[app.kubernetes.io/name]`) or in
//! quotes (`metadata.labels."app.kubernetes.io/name"`).
//!
//! Not here: following a path, which is left to whom it is for (`yaml` in a text, the scripted
//! writes of a scenario in an object), and the paths of managed fields (`path`).

use std::fmt;

/// A path to one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath(pub Vec<FieldStep>);

/// One step on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldStep {
    /// Into the value of a key.
    Key(String),
    /// Into a list, to the item at this place, from 0.
    Index(usize),
    /// Into a list, to the item whose key has this value.
    Item {
        /// The key.
        key: String,
        /// Its value, as text.
        value: String,
    },
}

/// What a path looks like, for messages.
pub const EXPECTED: &str =
    "a path of keys, as in spec.replicas, containers[0], containers[name=web] or labels[a.b/c]";

/// Reads a path; `None` where the text is none.
#[must_use]
pub fn parse(text: &str) -> Option<FieldPath> {
    let mut steps = Vec::new();
    read(text, &mut steps).map(|()| FieldPath(steps))
}

/// Reads as much of `text` as is a path, a leading dot aside: for the fields that a server's
/// messages name.
#[must_use]
pub fn parse_start(text: &str) -> FieldPath {
    let mut steps = Vec::new();
    // What comes after is not looked at.
    let _: Option<()> = read(text.strip_prefix('.').unwrap_or(text), &mut steps);
    FieldPath(steps)
}

/// Adds the steps of `text` up to its end, or to where it is no path any more.
fn read(text: &str, steps: &mut Vec<FieldStep>) -> Option<()> {
    let mut rest = text;
    loop {
        let (key, after) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted.split_once('"')?
        } else {
            rest.split_at(rest.find(['.', '[', ']', '"']).unwrap_or(rest.len()))
        };
        if key.is_empty() {
            return None;
        }
        steps.push(FieldStep::Key(key.to_owned()));
        rest = after;
        while let Some(inner) = rest.strip_prefix('[') {
            let (content, after) = inner.split_once(']')?;
            steps.push(bracket(content)?);
            rest = after;
        }
        if rest.is_empty() {
            return Some(());
        }
        rest = rest.strip_prefix('.')?;
    }
}

fn bracket(content: &str) -> Option<FieldStep> {
    let content = content.trim_matches('"');
    if content.is_empty() || content.contains(['[', '"']) {
        return None;
    }
    if let Some((key, value)) = content.split_once('=') {
        let item = FieldStep::Item { key: key.to_owned(), value: value.to_owned() };
        return (!key.is_empty() && !value.is_empty()).then_some(item);
    }
    if content.bytes().all(|b| b.is_ascii_digit()) {
        return content.parse().ok().map(FieldStep::Index);
    }
    Some(FieldStep::Key(content.to_owned()))
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.0.iter().enumerate() {
            let dot = if n == 0 { "" } else { "." };
            match step {
                FieldStep::Key(key) if !key.contains(['.', '[', ']']) => write!(f, "{dot}{key}")?,
                FieldStep::Key(key) if n == 0 || key.contains(['[', ']', '=']) => {
                    write!(f, "{dot}\"{key}\"")?;
                }
                FieldStep::Key(key) => write!(f, "[{key}]")?,
                FieldStep::Index(index) => write!(f, "[{index}]")?,
                FieldStep::Item { key, value } => write!(f, "[{key}={value}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_and_prints_back() {
        for text in [
            "spec",
            "spec.replicas",
            "spec.template.spec.containers[0].image",
            "spec.containers[name=web].env[name=A][0]",
            "metadata.labels[app.kubernetes.io/name]",
            "\"a.b\".c",
            "data.\"a[0]\"",
            "data.\"a.b=c\"",
        ] {
            assert_eq!(parse(text).map(|p| p.to_string()).as_deref(), Some(text));
        }
        for text in ["labels[\"a.b/c\"]", "labels.\"a.b/c\""] {
            assert_eq!(parse(text), parse("labels[a.b/c]"));
        }
    }

    #[test]
    fn what_is_no_path_is_refused_and_its_start_is_read_on_demand() {
        for (text, start) in [
            ("", ""),
            (".", ""),
            ("a.", "a"),
            (".a", "a"),
            ("a..b", "a"),
            ("a[", "a"),
            ("a[]", "a"),
            ("a[x=]", "a"),
            ("a[[0]]", "a"),
            ("a]", "a"),
            ("\"a", ""),
            ("[0]", ""),
            (".spec.a[0]: no", "spec.a[0]"),
        ] {
            assert_eq!(parse(text), None, "{text}");
            assert_eq!(parse_start(text).to_string(), start, "{text}");
        }
    }
}
