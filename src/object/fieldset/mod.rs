//! Sets of fields: which parts of an object a writer owns.
//!
//! A set is a tree of [`PathElement`]s, sorted on each level; a node may be a member itself, have
//! members below it, or both. The empty path is never a member: nobody owns a whole object.
//!
//! Not here: who owns what and what follows from it (`fields`).

mod algebra;
pub mod items;
mod json;
mod memo;
mod never;
mod of;
mod project;
mod recurring;
pub mod shapes;
pub mod stored;

use std::cmp::Ordering;

pub use json::{NotFields, key_of};
pub use never::never_recorded;
pub use of::{of, of_object};
pub use project::project;

pub use super::path::{Path, PathElement};

/// A set of fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    nodes: Vec<Node>,
}

/// One element of a level; a member, or with members below it, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The step that leads here.
    pub element: PathElement,
    /// Whether the path that ends here is in the set.
    pub member: bool,
    /// What of the set lies below.
    pub below: Set,
}

impl Set {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { nodes: Vec::new() }
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many paths are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.iter().map(|n| usize::from(n.member) + n.below.len()).sum()
    }

    /// The first level, sorted.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    fn find(&self, element: &PathElement) -> Result<usize, usize> {
        // Sets are mostly read and built in order: look at the end first.
        match self.nodes.last() {
            None => return Err(0),
            Some(last) if last.element < *element => return Err(self.nodes.len()),
            Some(_) => {}
        }
        self.nodes.binary_search_by(|n| n.element.cmp(element))
    }

    /// The node of that element.
    #[must_use]
    pub fn node(&self, element: &PathElement) -> Option<&Node> {
        self.find(element).ok().and_then(|at| self.nodes.get(at))
    }

    /// The node of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Node> {
        let at = self.nodes.binary_search_by(|n| match &n.element {
            PathElement::Field(field) => field.as_str().cmp(name),
            _ => Ordering::Greater,
        });
        at.ok().and_then(|at| self.nodes.get(at))
    }

    /// What lies below an element; empty if nothing does.
    #[must_use]
    pub fn below(&self, element: &PathElement) -> &Set {
        const EMPTY: &Set = &Set::new();
        self.node(element).map_or(EMPTY, |n| &n.below)
    }

    /// Whether a path is in it.
    #[must_use]
    pub fn has(&self, path: &Path) -> bool {
        let Some((last, way)) = path.0.split_last() else { return false };
        let level = way.iter().fold(self, |set, element| set.below(element));
        level.node(last).is_some_and(|n| n.member)
    }

    /// Adds a path. The empty path is not added.
    pub fn insert(&mut self, path: &[PathElement]) {
        if let Some((first, rest)) = path.split_first() {
            let node = self.descend(first.clone());
            match rest {
                [] => node.member = true,
                rest => node.below.insert(rest),
            }
        }
    }

    /// The node of an element, made if there was none. The caller makes it a member or puts
    /// something below it: a node that is neither must not stay.
    fn descend(&mut self, element: PathElement) -> &mut Node {
        let at = match self.find(&element) {
            Ok(at) => at,
            Err(at) => {
                self.nodes.insert(at, Node { element, member: false, below: Set::new() });
                at
            }
        };
        &mut self.nodes[at]
    }

    /// Adds an element of this level with what is below it; an empty node changes nothing.
    pub fn put(&mut self, element: PathElement, member: bool, below: Set) {
        if member || !below.is_empty() {
            let node = self.descend(element);
            node.member |= member;
            if node.below.is_empty() {
                node.below = below;
            } else if !below.is_empty() {
                node.below = node.below.union(&below);
            }
        }
    }

    /// Adds what comes after everything in this level.
    pub(crate) fn push_sorted(&mut self, node: Node) {
        self.nodes.push(node);
    }

    /// Calls for every path: the members of a level, then what lies below them, which is the
    /// order that conflicts are reported in.
    pub fn each(&self, mut call: impl FnMut(&Path)) {
        self.each_below(&mut Path::default(), &mut call);
    }

    fn each_below(&self, way: &mut Path, call: &mut impl FnMut(&Path)) {
        for node in self.nodes.iter().filter(|n| n.member) {
            way.0.push(node.element.clone());
            call(way);
            way.0.pop();
        }
        for node in self.nodes.iter().filter(|n| !n.below.is_empty()) {
            way.0.push(node.element.clone());
            node.below.each_below(way, call);
            way.0.pop();
        }
    }

    /// All paths, in the order of [`Set::each`].
    #[must_use]
    pub fn paths(&self) -> Vec<Path> {
        let mut paths = Vec::new();
        self.each(|path| paths.push(path.clone()));
        paths
    }
}

impl FromIterator<Path> for Set {
    fn from_iter<I: IntoIterator<Item = Path>>(paths: I) -> Self {
        let mut set = Set::new();
        paths.into_iter().for_each(|path| set.insert(&path.0));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &str) -> Set {
        paths.split_whitespace().map(|p| p.split('.').collect::<Path>()).collect()
    }

    #[test]
    fn members_of_a_level_are_visited_before_what_lies_below() {
        let paths: Vec<String> = set("a.z b a").paths().iter().map(Path::to_string).collect();
        assert_eq!(paths, [".a", ".b", ".a.z"]);
    }

    #[test]
    fn a_path_prints_as_conflicts_show_it() {
        let key = PathElement::Key(vec![
            ("containerPort".into(), 80.into()),
            ("protocol".into(), "TCP".into()),
        ]);
        let path = Path(vec![
            PathElement::field("spec"),
            key,
            PathElement::Value("x".into()),
            PathElement::Index(3),
        ]);
        assert_eq!(path.to_string(), r#".spec[containerPort=80,protocol="TCP"][="x"][3]"#);
    }
}
