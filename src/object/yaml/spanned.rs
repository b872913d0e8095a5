//! YAML text as a tree whose nodes know where they stand.
//!
//! Anchors, aliases and merge keys (`<<`) are resolved here, within a budget, and duplicate keys
//! are found; scalars stay the text that they are until [`Node::to_value`] reads them in a
//! dialect. The scenario language and the kustomization file are read from this tree, so that
//! they can say where a key or a value stands.

use std::borrow::Cow;
use std::ops::Range;

pub use super::build::{documents, documents_last_wins};
use super::{Dialect, YamlError, resolve};
use crate::object::{Map, Value};

/// A value and its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// Line of its first character, from 1.
    pub line: usize,
    /// Column of its first character, from 1, in characters.
    pub column: usize,
    /// The bytes of the text that it was read from: of a map or list in block style, from its
    /// first to its last scalar; of an alias, the alias.
    pub span: Range<usize>,
    /// Whether it is a map or list in braces or brackets.
    pub flow: bool,
    /// Whether it stands here through an alias or a merge key: its line and column are those of
    /// the anchor.
    pub aliased: bool,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Text, a number, a boolean or null: which, depends on the dialect.
    Scalar(Scalar),
    /// A list.
    Seq(Vec<Node>),
    /// A map, in the order of the text; keys are distinct.
    Map(Vec<Entry>),
}

/// A scalar before it is taken for text, number, boolean or null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// Its text, with quotes and escapes resolved.
    pub text: String,
    /// How it is written.
    pub style: Style,
    /// Whether it is a block whose lines are joined (`>`).
    pub folded: bool,
    /// Its tag: `str`, `int`, ... for YAML's own, in full for others.
    pub tag: Option<String>,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Bare.
    Plain,
    /// In `'`.
    Single,
    /// In `"`.
    Double,
    /// As `|` or `>` block.
    Block,
}

/// A key of a map and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key, nearly always a scalar.
    pub key: Node,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The value at `key`, where this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry at `key`, where this is a map that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key.text() == Some(key))
    }

    /// The entries, where this is a map; else none.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        if let Content::Map(entries) = &self.content { entries } else { &[] }
    }

    /// The items, where this is a list; else none.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        if let Content::Seq(items) = &self.content { items } else { &[] }
    }

    /// The text of a scalar as written, without quotes, whatever it would be taken for.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Content::Scalar(scalar) = &self.content { Some(&scalar.text) } else { None }
    }

    /// Whether this is null: nothing, `~` or `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar(scalar) if resolve::is_null(scalar))
    }

    /// Whether nothing is written here at all, as after `key:`.
    #[must_use]
    pub fn is_bare_null(&self) -> bool {
        self.is_null() && self.text() == Some("")
    }

    /// As a plain value, scalars read in `dialect`.
    ///
    /// # Errors
    /// What JSON cannot say: a key that is no text, `.nan`, a tag that is not understood.
    pub fn to_value(&self, dialect: Dialect) -> Result<Value, YamlError> {
        match &self.content {
            Content::Scalar(scalar) => {
                resolve::value(scalar, dialect).map_err(|message| self.error(message))
            }
            Content::Seq(items) => items
                .iter()
                .map(|item| item.to_value(dialect))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Content::Map(entries) => {
                let mut map = Map::new();
                for entry in entries {
                    map.insert(&*entry.key.as_key(dialect)?, entry.value.to_value(dialect)?);
                }
                Ok(Value::Object(map))
            }
        }
    }

    fn as_key(&self, dialect: Dialect) -> Result<Cow<'_, str>, YamlError> {
        let Content::Scalar(scalar) = &self.content else {
            return Err(self.error("a map or list cannot be a key".to_owned()));
        };
        resolve::key(scalar, dialect).map_err(|message| self.error(message))
    }

    /// An error that stands here.
    #[must_use]
    pub fn error(&self, message: String) -> YamlError {
        YamlError { line: self.line, column: self.column, message }
    }

    pub(super) fn size(&self) -> usize {
        1 + match &self.content {
            Content::Scalar(_) => 0,
            Content::Seq(items) => items.iter().map(Node::size).sum(),
            Content::Map(entries) => entries.iter().map(|e| e.key.size() + e.value.size()).sum(),
        }
    }

    pub(super) fn mark_aliased(&mut self) {
        self.aliased = true;
        match &mut self.content {
            Content::Scalar(_) => {}
            Content::Seq(items) => items.iter_mut().for_each(Node::mark_aliased),
            Content::Map(entries) => {
                for entry in entries {
                    entry.key.mark_aliased();
                    entry.value.mark_aliased();
                }
            }
        }
    }
}
