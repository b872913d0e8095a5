//! Where in a text a field stands: paths followed through the tree of a document.

use super::spanned::{self, Content, Entry, Node};
use crate::object::field_path::{FieldStep, parse_start};

/// Line and column, from 1, of the field at `path` in document `document` (from 0, of those that
/// hold anything): of its key, or of a list item where the path ends in an index. Where the field
/// is not there (a missing required field), the place of the nearest field around it.
///
/// `None` where the text is no YAML or has no such document.
#[must_use]
pub fn position_of(text: &str, document: usize, path: &str) -> Option<(usize, usize)> {
    let documents = spanned::documents(text).ok()?;
    let mut node = documents.get(document)?;
    let mut position = (node.line, node.column);
    for step in parse_start(path).0 {
        let Some(child) = child(node, &step) else { break };
        position = (child.at.line, child.at.column);
        node = child.value;
    }
    Some(position)
}

/// What a step leads to.
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    /// The node that names the step: a key, or the item itself.
    pub at: &'a Node,
    /// The value there.
    pub value: &'a Node,
    /// The entry that holds it, where it stands in a map.
    pub entry: Option<&'a Entry>,
}

/// Takes one step from `node`; `None` where it leads nowhere.
#[must_use]
pub fn child<'a>(node: &'a Node, step: &FieldStep) -> Option<Child<'a>> {
    let of_map = |key: &str| {
        let entry = node.entry(key)?;
        Some(Child { at: &entry.key, value: &entry.value, entry: Some(entry) })
    };
    let item = |value: &'a Node| Child { at: value, value, entry: None };
    match (&node.content, step) {
        (Content::Map(_), FieldStep::Key(key)) => of_map(key),
        // A number may be the key of a map: `data[1]`.
        (Content::Map(_), FieldStep::Index(index)) => of_map(&index.to_string()),
        (Content::Seq(items), FieldStep::Index(index)) => items.get(*index).map(item),
        (Content::Seq(items), FieldStep::Item { key, value }) => {
            let is = |item: &&Node| item.get(key).and_then(Node::text) == Some(value);
            items.iter().find(is).map(item)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# first
kind: A
---
kind: B
metadata:
  labels:
    app.kubernetes.io/name: x
spec:
  containers:
  - name: a
    image: b
  - {name: c, image: d}
";

    #[test]
    fn a_field_is_found_by_its_path() {
        for (path, expected) in [
            ("kind", (4, 1)),
            ("spec.containers[0].image", (11, 5)),
            ("spec.containers[1].image", (12, 15)),
            ("spec.containers[1]", (12, 5)),
            ("spec.containers[name=c].image", (12, 15)),
            (".spec", (8, 1)),
            ("metadata.labels[app.kubernetes.io/name]", (7, 5)),
            ("metadata.labels[\"app.kubernetes.io/name\"]", (7, 5)),
            // Not there: the nearest around it.
            ("spec.containers[0].ports[0].name", (10, 5)),
            ("", (4, 1)),
        ] {
            assert_eq!(position_of(TEXT, 1, path), Some(expected), "{path}");
        }
        assert_eq!(position_of(TEXT, 2, "kind"), None);
    }
}
