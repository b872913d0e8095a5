//! Where in the files of a repository a field of a rendered object stands: in the document that
//! the object comes from, else in one of its kind among the files of the same build (a patch),
//! else the nearest field around it.

use std::collections::BTreeMap;

use crate::engine::model::{Origin, Tree};
use crate::object::Object;
use crate::object::field_path::parse_start;
use crate::object::yaml::child;
use crate::object::yaml::spanned::{self, Node};

/// Finds places in the files of a tree.
pub(super) struct Places<'t> {
    tree: &'t Tree,
    read: BTreeMap<String, Vec<Node>>,
}

impl<'t> Places<'t> {
    pub(super) fn new(tree: &'t Tree) -> Self {
        Self { tree, read: BTreeMap::new() }
    }

    /// File, line and column.
    pub(super) fn of(
        &mut self,
        origin: &Origin,
        object: &Object,
        field: &str,
        inputs: &[String],
    ) -> (String, usize, usize) {
        let mut nearest = (origin.line, usize::from(origin.line > 0));
        let own = self.documents(&origin.file);
        if let Some(document) = own.iter().find(|document| document.line == origin.line) {
            let (line, column, is_there) = follow(document, field);
            if is_there {
                return (origin.file.clone(), line, column);
            }
            nearest = (line, column);
        }
        let is_yaml = |file: &&String| file.ends_with(".yaml") || file.ends_with(".yml");
        for file in inputs.iter().filter(is_yaml).filter(|file| **file != origin.file) {
            for document in self.documents(file) {
                if document.get("kind").and_then(Node::text) != Some(object.kind()) {
                    continue;
                }
                let (line, column, is_there) = follow(document, field);
                if is_there {
                    return (file.clone(), line, column);
                }
            }
        }
        (origin.file.clone(), nearest.0, nearest.1)
    }

    fn documents(&mut self, file: &str) -> &[Node] {
        if !self.read.contains_key(file) {
            let text = self.tree.file(file).map(|blob| String::from_utf8_lossy(&blob.bytes));
            let read = text.and_then(|text| spanned::documents_last_wins(&text).ok());
            self.read.insert(file.to_owned(), read.unwrap_or_default());
        }
        self.read.get(file).map_or(&[], Vec::as_slice)
    }
}

/// The place of a field, or of the nearest around it, and which of the two.
fn follow(document: &Node, field: &str) -> (usize, usize, bool) {
    let mut node = document;
    let mut place = (node.line, node.column);
    if field.is_empty() {
        return (place.0, place.1, true);
    }
    let steps = parse_start(field).0;
    for step in &steps {
        let Some(next) = child(node, step) else { return (place.0, place.1, false) };
        place = (next.at.line, next.at.column);
        node = next.value;
    }
    (place.0, place.1, true)
}
