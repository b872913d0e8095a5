//! Which files differ between two trees. Pure: equal ids are equal content and are not entered.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::model::{Node, Tree};

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// It has other bytes.
    Modified,
    /// It is gone.
    Deleted,
}

/// A file that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Its path from the tree's root.
    pub path: String,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// The files that differ between two trees, by path; `None` for no tree at all. A file that became
/// a folder is one deletion and the additions below it. Renames are not looked for, and a file
/// whose mode alone changed is not told: the values do not carry modes.
#[must_use]
pub fn changed(old: Option<&Tree>, new: Option<&Tree>) -> Vec<Change> {
    let mut found = Vec::new();
    compare(old, new, "", &mut found);
    found.sort();
    found
}

fn compare(old: Option<&Tree>, new: Option<&Tree>, prefix: &str, found: &mut Vec<Change>) {
    if old.map(|t| &t.id) == new.map(|t| &t.id) {
        return;
    }
    let trees = [old, new].into_iter().flatten();
    let names: BTreeSet<&Arc<str>> = trees.flat_map(|tree| tree.entries.keys()).collect();
    for name in names {
        let before = old.and_then(|tree| tree.entries.get(name));
        let after = new.and_then(|tree| tree.entries.get(name));
        let path = || format!("{prefix}{name}");
        match (file_id(before), file_id(after)) {
            (None, None) => {}
            (Some(a), Some(b)) if a == b => {}
            (Some(_), Some(_)) => {
                found.push(Change { path: path(), kind: ChangeKind::Modified });
            }
            (Some(_), None) => found.push(Change { path: path(), kind: ChangeKind::Deleted }),
            (None, Some(_)) => found.push(Change { path: path(), kind: ChangeKind::Added }),
        }
        compare(folder(before), folder(after), &format!("{prefix}{name}/"), found);
    }
}

fn file_id(node: Option<&Node>) -> Option<&str> {
    match node? {
        Node::File(blob) => Some(&blob.id),
        Node::Dir(_) => None,
    }
}

fn folder(node: Option<&Node>) -> Option<&Tree> {
    match node? {
        Node::Dir(tree) => Some(tree),
        Node::File(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::model::Blob;

    /// A tree of `path=content` words; ids are the content itself.
    fn tree(files: &str) -> Tree {
        let mut folders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut entries = BTreeMap::new();
        for (path, content) in files.split_whitespace().filter_map(|word| word.split_once('=')) {
            if let Some((folder, rest)) = path.split_once('/') {
                folders.entry(folder).or_default().push(format!("{rest}={content}"));
            } else {
                let blob = Blob { id: content.into(), bytes: content.as_bytes().into() };
                entries.insert(Arc::from(path), Node::File(Arc::new(blob)));
            }
        }
        for (name, inner) in folders {
            entries.insert(Arc::from(name), Node::Dir(Arc::new(tree(&inner.join(" ")))));
        }
        Tree { id: files.into(), entries }
    }

    #[track_caller]
    fn check(old: &str, new: &str, want: &str) {
        let got = changed(Some(&tree(old)), Some(&tree(new)));
        let sign = |kind| match kind {
            ChangeKind::Added => '+',
            ChangeKind::Modified => '~',
            ChangeKind::Deleted => '-',
        };
        let got: Vec<_> = got.iter().map(|c| format!("{}{}", sign(c.kind), c.path)).collect();
        assert_eq!(got.join(" "), want, "{old} -> {new}");
    }

    #[test]
    fn differences_are_told_by_path() {
        check("a=1 d/b=2", "a=1 d/b=2", "");
        check("a=1 d/b=2", "a=2 d/b=2 c=1", "~a +c");
        check("a=1 d/b=2 d/e/f=3", "a=1", "-d/b -d/e/f");
        check("d/x=1", "d.x=1 d/x=2", "+d.x ~d/x");
    }

    #[test]
    fn a_file_that_became_a_folder_is_a_deletion_and_additions() {
        check("a=1", "a/b=1 a/c=2", "-a +a/b +a/c");
        check("a/b=1 a/c=2", "a=1", "+a -a/b -a/c");
    }

    #[test]
    fn no_tree_is_an_empty_one() {
        let one = tree("a=1");
        let added = vec![Change { path: "a".to_owned(), kind: ChangeKind::Added }];
        assert_eq!(changed(None, Some(&one)), added);
        assert_eq!(changed(None, None), vec![]);
    }
}
