//! YAML and JSON text as values: the only reader and writer of the project.
//!
//! Text is read once into a tree whose nodes know their place ([`spanned`]); plain values, the
//! place of a field ([`position_of`]) and edits that keep every other byte ([`edit`]) all come
//! from that tree, so that any message can name file, line and column.
//!
//! The tools that people use read YAML in two ways, and an engine meets both: see [`Dialect`].
//! JSON is read as the YAML that it is.
//!
//! Not here: what a document means. `List` kinds are expanded by the renderer, unknown fields are
//! found by the schema.

mod build;
pub mod edit;
mod folded;
mod go;
mod path;
mod resolve;
pub mod spanned;
mod text;
mod timestamp;
mod write;

pub(crate) use go::go_float;
pub use go::{go_string, go_string_of, write_go};
pub use path::{Child, child, position_of};
pub(crate) use resolve::plain;
pub use text::scalar;
pub use write::{Yaml, to_string};

use super::Value;

/// Which tool's reading of plain scalars and keys is followed.
///
/// | text | [`Kubectl`](Self::Kubectl) | [`Kustomize`](Self::Kustomize) |
/// |---|---|---|
/// | `yes no on off y n` | boolean | text |
/// | the same as a key | `"true"`, `"false"` | text |
/// | `0644`, `0o644`, `0b11`, `1_000` | 420, 420, 3, 1000 | the same |
/// | `2001-12-14` | text as written | `2001-12-14T00:00:00Z` |
/// | key `0123` | `"83"` | refused |
/// | duplicate key, null key | refused | refused |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// As kubectl, the API server and Helm values: YAML 1.1 booleans, keys made text. A
    /// duplicate key, of which kubectl without validation takes the last, is refused here.
    Kubectl,
    /// As kustomize: YAML 1.1 integers, but only `true` and `false` are booleans.
    Kustomize,
}

/// A document of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it says.
    pub value: Value,
    /// The line its first key stands in, from 1.
    pub line: usize,
}

/// Why a text could not be read: one message and the place, from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct YamlError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// Reads every document of `text`. Documents that hold nothing (only comments, or `null`) are
/// left out.
///
/// # Errors
/// The first place where the text is no YAML, repeats a key, nests deeper than
/// [`limits::DOCUMENT_DEPTH`](crate::base::limits::DOCUMENT_DEPTH), expands aliases past
/// [`limits::ALIAS_NODES`](crate::base::limits::ALIAS_NODES), or holds what JSON cannot say.
pub fn documents(text: &str, dialect: Dialect) -> Result<Vec<Document>, YamlError> {
    spanned::documents(text)?
        .iter()
        .map(|node| Ok(Document { value: node.to_value(dialect)?, line: node.line }))
        .collect()
}

/// Reads the body of a request as the API server does: the first document of `text`, where the
/// last of a key's values counts that is given twice. Null where nothing is written.
///
/// # Errors
/// As [`documents`], repeated keys aside.
pub fn body(text: &str) -> Result<Value, YamlError> {
    body_and_twins(text).map(|(value, _)| value)
}

/// The same, with the keys that stand twice in a map: the line of each that is not the first, and
/// the key, in the order of the text.
///
/// # Errors
/// As [`body`].
pub fn body_and_twins(text: &str) -> Result<(Value, Vec<(usize, String)>), YamlError> {
    let (documents, mut twins) = build::documents_with(text, build::Twins::LastWins)?;
    twins.sort();
    let value = documents.first().map_or(Ok(Value::Null), |node| node.to_value(Dialect::Kubectl));
    Ok((value?, twins))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[track_caller]
    fn check(dialect: Dialect, text: &str, expected: &Value) {
        let documents = documents(text, dialect).unwrap();
        let values: Vec<Value> = documents.into_iter().map(|d| d.value).collect();
        assert_eq!(&Value::Array(values), expected, "{text}");
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        assert_eq!(documents(text, Dialect::Kustomize).unwrap_err().to_string(), expected);
    }

    #[test]
    fn documents_know_their_line_and_empty_ones_are_left_out() {
        let text = "# a\n---\n# only a comment\n---\na: 1\n---\n\n# c\nb: 2\n---\nnull\n";
        let found = documents(text, Dialect::Kubectl).unwrap();
        let lines: Vec<_> = found.iter().map(|d| (d.line, d.value.clone())).collect();
        assert_eq!(lines, [(5, json!({"a": 1})), (9, json!({"b": 2}))]);
    }

    #[test]
    fn anchors_aliases_and_merge_keys_are_expanded() {
        check(
            Dialect::Kustomize,
            "a: &x {k: 1, l: 2}\nb: *x\nc:\n  <<: *x\n  l: 3\nd:\n  <<: [{m: 1, k: 5}, *x]\n",
            &json!([{"a": {"k": 1, "l": 2}, "b": {"k": 1, "l": 2}, "c": {"k": 1, "l": 3},
                     "d": {"m": 1, "k": 5, "l": 2}}]),
        );
    }

    #[test]
    fn json_is_read_too() {
        check(
            Dialect::Kubectl,
            "{\"a\": [1, \"x\\u00e9\\n\", null, true]}",
            &json!([{"a": [1, "x\u{e9}\n", null, true]}]),
        );
    }

    #[test]
    fn errors_name_line_and_column() {
        check_error("a: 1\nb: 2\na: 3\n", "line 3, column 1: key \"a\" is already set at line 1");
        check_error("a: *b\n", "line 1, column 4: while parsing node, found unknown anchor");
        check_error("a: .nan\n", "line 1, column 4: .nan cannot be said in JSON");
        check_error("a:\n  1: x\n", "line 2, column 3: key 1 must be text: quote it");
        check_error("a: &x [*x]\n", "line 1, column 8: alias inside of what it stands for");
    }

    #[test]
    fn of_twin_keys_the_server_takes_the_last() {
        let text = "a: 1\nb: {<<: {c: 1}, d: 2, d: 3}\na: yes\n---\nno: more\n";
        assert_eq!(body(text), Ok(json!({"a": true, "b": {"c": 1, "d": 3}})));
        assert_eq!(body("# nothing\n"), Ok(Value::Null));
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for i in 1..9 {
            let alias = format!("*a{}", i - 1);
            text += &format!("a{i}: &a{i} [{}]\n", [alias.as_str(); 10].join(","));
        }
        let error = documents(&text, Dialect::Kubectl).unwrap_err();
        assert_eq!(error.message, "aliases expand to over 100000 nodes");
    }

    #[test]
    fn nesting_past_the_limit_is_refused() {
        let text = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let error = documents(&text, Dialect::Kubectl).unwrap_err();
        assert_eq!(error.message, "nested deeper than 128");
    }

    #[test]
    fn what_is_written_reads_back_in_both_dialects() {
        for text in [
            "y",
            "n",
            "yes",
            "on",
            "Off",
            "true",
            "null",
            "~",
            "",
            " a",
            "a ",
            "0644",
            "0o7",
            "0x1f",
            "1_000",
            "1:30",
            "1e3",
            ".5",
            "+1",
            "-",
            "- a",
            "a: b",
            "a #b",
            "#a",
            "=",
            "<<",
            "NaN",
            ".inf",
            "2001-12-14",
            "2001-12-14T21:59:43Z",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "|",
            ">",
            "{a",
            "[a",
            "'a'",
            "\"a\"",
            "a\nb",
            "a\n",
            "\ttab",
            "\u{7f}",
            "é",
            "12345678901234567890123",
        ] {
            let value = json!({text: text, "list": [text, {"k": text}]});
            let written = to_string(&value);
            for dialect in [Dialect::Kubectl, Dialect::Kustomize] {
                check(dialect, &written, &json!([value]));
            }
        }
    }
}
