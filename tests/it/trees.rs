//! Trees of a commit that tests put together from texts, without a repository.

use std::collections::BTreeMap;
use std::sync::Arc;

use towtank::base::Digest;
use towtank::engine::model::{Blob, Node, Tree};

/// A root with nothing in it.
pub(crate) fn empty() -> Tree {
    Tree { id: "root".into(), entries: BTreeMap::new() }
}

/// Puts a file at a path; folders on the way are made.
pub(crate) fn insert(tree: &mut Tree, path: &str, bytes: &[u8]) {
    let mut digest = Digest::default();
    digest.add(bytes);
    match path.split_once('/') {
        None => {
            let blob = Blob { id: digest.to_hex().into(), bytes: bytes.into() };
            tree.entries.insert(path.into(), Node::File(Arc::new(blob)));
        }
        Some((name, rest)) => {
            let empty = Tree { id: name.into(), entries: BTreeMap::new() };
            let folder = tree.entries.entry(name.into()).or_insert(Node::Dir(Arc::new(empty)));
            if let Node::Dir(folder) = folder {
                insert(Arc::make_mut(folder), rest, bytes);
            }
        }
    }
}
