//! Reads typed values out of a YAML tree and says where they are wrong.
//!
//! Like the Go decoder under kustomize: keys match whatever their case, null is the same as
//! absent, and a value of another type is an error.

use std::collections::BTreeMap;

use crate::engine::model::RenderError;
use crate::object::Value;
use crate::object::yaml::Dialect;
use crate::object::yaml::spanned::{Content, Node, Style};

/// A text and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) place: Place,
}

/// A line and a column, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    /// Whether what stands here is a block of text, so that a line of it is a line of the file.
    pub(super) block: bool,
}

/// A file that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decoder<'a> {
    pub(super) file: &'a str,
    /// Whether fields that are not known are passed over, as in the configuration of a plugin.
    pub(super) lenient: bool,
}

impl<'a> Decoder<'a> {
    /// One that refuses what is not known.
    pub(super) const fn strict(file: &'a str) -> Self {
        Self { file, lenient: false }
    }

    /// One that passes over what is not known.
    pub(super) const fn lenient(file: &'a str) -> Self {
        Self { file, lenient: true }
    }

    pub(super) fn error(&self, place: Place, message: String) -> RenderError {
        RenderError { file: self.file.to_owned(), line: place.line, column: place.column, message }
    }

    fn expected(&self, node: &Node, what: &str) -> RenderError {
        let found = match &node.content {
            Content::Map(_) => "a map".to_owned(),
            Content::Seq(_) => "a list".to_owned(),
            Content::Scalar(scalar) => format!("{:?}", scalar.text),
        };
        self.error(place(node), format!("expected {what}, found {found}"))
    }

    /// The entries of a struct, each with the known field that it names. Null entries are left
    /// out.
    pub(super) fn fields<'n>(
        &self,
        node: &'n Node,
        what: &str,
        known: &[&'static str],
    ) -> Result<Vec<(&'static str, &'n Node, Place)>, RenderError> {
        if !matches!(node.content, Content::Map(_)) {
            return Err(self.expected(node, "a map"));
        }
        let mut fields = Vec::new();
        for entry in node.entries() {
            let key = entry.key.text().unwrap_or_default();
            let exact = known.iter().find(|name| **name == key);
            let Some(name) = exact.or_else(|| known.iter().find(|n| n.eq_ignore_ascii_case(key)))
            else {
                if self.lenient {
                    continue;
                }
                return Err(self.error(place(&entry.key), unknown(what, key, known)));
            };
            if !entry.value.is_null() {
                fields.push((*name, &entry.value, place(&entry.key)));
            }
        }
        Ok(fields)
    }

    pub(super) fn text(&self, node: &Node) -> Result<Text, RenderError> {
        let value = node.to_value(Dialect::Kubectl).ok();
        match value.as_ref().and_then(Value::as_str) {
            Some(text) => Ok(Text { text: text.to_owned(), place: place(node) }),
            None => Err(self.expected(node, "text (quote it)")),
        }
    }

    pub(super) fn flag(&self, node: &Node) -> Result<bool, RenderError> {
        let value = node.to_value(Dialect::Kubectl).ok();
        let flag = value.as_ref().and_then(Value::as_bool);
        flag.ok_or_else(|| self.expected(node, "true or false"))
    }

    pub(super) fn integer(&self, node: &Node) -> Result<i64, RenderError> {
        let value = node.to_value(Dialect::Kubectl).ok();
        let integer = value.as_ref().and_then(Value::as_i64);
        integer.ok_or_else(|| self.expected(node, "a whole number"))
    }

    pub(super) fn list<T>(
        &self,
        node: &Node,
        mut item: impl FnMut(&Node) -> Result<T, RenderError>,
    ) -> Result<Vec<T>, RenderError> {
        match &node.content {
            Content::Seq(items) => items.iter().map(&mut item).collect(),
            _ => Err(self.expected(node, "a list")),
        }
    }

    pub(super) fn texts(&self, node: &Node) -> Result<Vec<Text>, RenderError> {
        self.list(node, |item| self.text(item))
    }

    pub(super) fn text_map(&self, node: &Node) -> Result<BTreeMap<String, String>, RenderError> {
        if !matches!(node.content, Content::Map(_)) {
            return Err(self.expected(node, "a map"));
        }
        let mut map = BTreeMap::new();
        for entry in node.entries() {
            let key = entry.key.text().unwrap_or_default().to_owned();
            let value =
                if entry.value.is_null() { String::new() } else { self.text(&entry.value)?.text };
            map.insert(key, value);
        }
        Ok(map)
    }
}

/// The field whose value stands at a place, or in whose value it stands: `images.newTag`.
pub(super) fn field_at(node: &Node, line: usize, column: usize) -> Option<String> {
    let mut found: Option<String> = None;
    let mut here = node;
    let starts_before = |node: &Node| (node.line, node.column) <= (line, column);
    loop {
        let next = match &here.content {
            Content::Map(entries) => {
                let entry = entries.iter().rfind(|entry| starts_before(&entry.key));
                let Some(entry) = entry else { return found };
                // What stands at a key is about the map.
                if (entry.key.line, entry.key.column) == (line, column) {
                    return found;
                }
                let key = entry.key.text().unwrap_or_default();
                found = Some(found.map_or_else(|| key.to_owned(), |path| format!("{path}.{key}")));
                &entry.value
            }
            Content::Seq(items) => match items.iter().rfind(|item| starts_before(item)) {
                Some(item) => item,
                None => return found,
            },
            Content::Scalar(_) => return found,
        };
        // The value of a field may begin behind what is meant: the field's name.
        if !starts_before(next) || (next.line, next.column) == (line, column) {
            return found;
        }
        here = next;
    }
}

pub(super) fn place(node: &Node) -> Place {
    let block = matches!(&node.content, Content::Scalar(s) if s.style == Style::Block);
    Place { line: node.line, column: node.column, block }
}

/// `unknown kustomization field "resource"; did you mean "resources"?`
fn unknown(what: &str, key: &str, known: &[&str]) -> String {
    let distance =
        |name: &&&str| strsim::damerau_levenshtein(&key.to_lowercase(), &name.to_lowercase());
    let nearest = known.iter().min_by_key(distance);
    let hint = match nearest {
        Some(name) if distance(&name) <= 1 + name.len() / 3 => format!("; did you mean {name:?}?"),
        _ => String::new(),
    };
    format!("unknown {what} field {key:?}{hint}")
}
