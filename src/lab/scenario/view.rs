//! Values out of a tree that has been held against the grammar.
//!
//! Nothing here fails: what is not there, or not as the grammar says, reads as the zero of its
//! kind. `conform` has named it by then, and the model that is read is not given out.

use std::time::Duration;

use super::conform::phrase;
use super::duration;
use super::model::{ObjectRef, Placed, Position};
use super::tree::{Node, Tree};
use super::words;
use crate::object::{Object, Value};

/// A place in the tree where something may be.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    node: Option<&'a Node>,
    /// Where it is, or where what it is missing from is.
    pub at: Position,
}

impl<'a> View<'a> {
    pub(super) fn of(node: &'a Node) -> Self {
        Self { node: Some(node), at: node.at }
    }

    pub(super) fn get(self, word: &str) -> View<'a> {
        let node = self.node.and_then(|node| node.get(word));
        Self { node, at: node.map_or(self.at, |node| node.at) }
    }

    /// This, if it is there and not null.
    pub(super) fn there(self) -> Option<View<'a>> {
        self.node.filter(|node| !node.is_null()).map(|_| self)
    }

    /// The value of a key, if the key is there, be it null.
    pub(super) fn key(self, word: &str) -> Option<View<'a>> {
        let there = self.get(word);
        there.node.map(|_| there)
    }

    /// The key and value of a map that has one of these keys.
    pub(super) fn one_of(self, words: &[&'static str]) -> Option<(&'static str, View<'a>)> {
        words.iter().find_map(|word| Some((*word, self.key(word)?)))
    }

    pub(super) fn is_map(self) -> bool {
        self.node.is_some_and(|node| matches!(node.tree, Tree::Map(_)))
    }

    pub(super) fn str(self) -> &'a str {
        self.node.and_then(Node::text).unwrap_or_default()
    }

    pub(super) fn text(self) -> String {
        self.str().to_owned()
    }

    pub(super) fn some_text(self) -> Option<String> {
        self.there().map(View::text)
    }

    pub(super) fn placed(self) -> Placed<String> {
        Placed { value: self.text(), at: self.at }
    }

    pub(super) fn duration(self) -> Option<Duration> {
        duration::parse(self.str())
    }

    pub(super) fn phrase(self, word: &str) -> Option<Duration> {
        phrase(self.str(), word)
    }

    pub(super) fn whole(self) -> Option<u64> {
        match &self.node?.tree {
            Tree::Scalar(value, _) => value.as_u64(),
            _ => None,
        }
    }

    /// A whole number that the grammar keeps within 32 bits.
    pub(super) fn count(self) -> Option<u32> {
        self.whole().and_then(|n| u32::try_from(n).ok())
    }

    /// An exit code.
    pub(super) fn code(self) -> Option<i32> {
        self.whole().and_then(|n| i32::try_from(n).ok())
    }

    pub(super) fn flag(self) -> Option<bool> {
        self.json().as_bool()
    }

    pub(super) fn json(self) -> Value {
        self.node.map(Node::to_json).unwrap_or_default()
    }

    pub(super) fn object(self) -> Placed<Object> {
        let value = Object::from_value(self.json()).unwrap_or_default();
        Placed { value, at: self.at }
    }

    pub(super) fn object_ref(self) -> ObjectRef {
        let nothing =
            ObjectRef { kind: String::new(), namespace: None, name: String::new(), at: self.at };
        words::object_ref(self.str(), self.at).unwrap_or(nothing)
    }

    pub(super) fn path(self) -> Placed<String> {
        Placed { value: words::clean_path(self.str()), at: self.at }
    }

    /// The items of a list; anything else that is there is the only item.
    pub(super) fn items(self) -> Vec<View<'a>> {
        match self.there().and_then(|view| view.node) {
            None => Vec::new(),
            Some(Node { tree: Tree::List(items), .. }) => items.iter().map(View::of).collect(),
            Some(node) => vec![View::of(node)],
        }
    }

    /// The keys and values of a map, in the order of the file.
    pub(super) fn entries(self) -> impl Iterator<Item = (&'a Placed<String>, View<'a>)> {
        let entries = self.node.map_or(&[][..], Node::entries);
        entries.iter().map(|entry| (&entry.key, View::of(&entry.node)))
    }
}
