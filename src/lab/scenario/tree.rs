//! A scenario's YAML as a tree in which every key and value knows its place.
//!
//! Reading YAML is `object::yaml`; this is its tree with scalars resolved, as the grammar is held
//! against it.

use super::model::{Placed, Position};
use crate::object::yaml::spanned::{self, Content};
use crate::object::yaml::{Dialect, YamlError};
use crate::object::{Map, Value};

/// Only `true` and `false` are booleans: a key `on` stays a key.
const DIALECT: Dialect = Dialect::Kustomize;

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub at: Position,
    pub tree: Tree,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    /// Null, a boolean, a number or text, and how it is written.
    Scalar(Value, String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file; keys are distinct.
    Map(Vec<Entry>),
}

/// A key of a map and its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub key: Placed<String>,
    pub node: Node,
}

impl Node {
    /// The only document of a text; `None` where it holds nothing.
    ///
    /// # Errors
    /// The first place where the text is no YAML, or begins a second document.
    pub(super) fn read(text: &str) -> Result<Option<Node>, YamlError> {
        let documents = spanned::documents(text)?;
        match &documents[..] {
            [] => Ok(None),
            [only] => Node::from_spanned(only).map(Some),
            [_, second, ..] => {
                Err(second.error("a second document; expected one scenario a file".to_owned()))
            }
        }
    }

    fn from_spanned(node: &spanned::Node) -> Result<Node, YamlError> {
        let tree = match &node.content {
            Content::Scalar(scalar) => Tree::Scalar(node.to_value(DIALECT)?, scalar.text.clone()),
            Content::Seq(items) => {
                Tree::List(items.iter().map(Node::from_spanned).collect::<Result<_, _>>()?)
            }
            Content::Map(entries) => {
                Tree::Map(entries.iter().map(Entry::from_spanned).collect::<Result<_, _>>()?)
            }
        };
        Ok(Node { at: position(node), tree })
    }

    /// The node without places.
    pub(super) fn to_json(&self) -> Value {
        match &self.tree {
            Tree::Scalar(value, _) => value.clone(),
            Tree::List(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            Tree::Map(entries) => {
                let pairs = entries.iter().map(|e| (e.key.value.clone(), e.node.to_json()));
                Value::Object(pairs.collect::<Map>())
            }
        }
    }

    /// The entries of a map; none of what is no map.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.tree {
            Tree::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, word: &str) -> Option<&Node> {
        self.entries().iter().find(|e| e.key.value == word).map(|e| &e.node)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.tree {
            Tree::Scalar(Value::String(text), _) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.tree, Tree::Scalar(Value::Null, _))
    }

    /// What a message calls it.
    pub(super) fn describe(&self) -> String {
        match &self.tree {
            Tree::Scalar(Value::Null, _) => "nothing".to_owned(),
            Tree::Scalar(Value::String(text), _) if text.is_empty() => "empty text".to_owned(),
            Tree::Scalar(Value::String(text), _) => quote(text),
            Tree::Scalar(Value::Number(_), written) => format!("the number {written}"),
            Tree::Scalar(_, written) => written.clone(),
            Tree::List(items) if items.is_empty() => "an empty list".to_owned(),
            Tree::List(_) => "a list".to_owned(),
            Tree::Map(entries) if entries.is_empty() => "an empty map".to_owned(),
            Tree::Map(_) => "a map".to_owned(),
        }
    }
}

impl Entry {
    fn from_spanned(entry: &spanned::Entry) -> Result<Entry, YamlError> {
        let key = match &entry.key.content {
            Content::Scalar(scalar) => scalar.text.clone(),
            _ => return Err(entry.key.error("a map or list cannot be a key".to_owned())),
        };
        let key = Placed { value: key, at: position(&entry.key) };
        Ok(Entry { key, node: Node::from_spanned(&entry.value)? })
    }
}

fn position(node: &spanned::Node) -> Position {
    Position { line: node.line, column: node.column }
}

/// Text in quotes, cut where it is long.
pub(super) fn quote(text: &str) -> String {
    const SHOWN: usize = 40;
    if text.chars().count() <= SHOWN {
        return format!("{text:?}");
    }
    format!("{:?}…", text.chars().take(SHOWN).collect::<String>())
}
