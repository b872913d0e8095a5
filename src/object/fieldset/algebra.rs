//! Sets of fields united, cut and subtracted.

use std::cmp::Ordering;

use super::{Node, PathElement, Set};

impl Set {
    /// Walks two levels at once, in order.
    fn zip<'a>(&'a self, other: &'a Set, mut each: impl FnMut(Option<&'a Node>, Option<&'a Node>)) {
        let (mut left, mut right) = (self.nodes.iter().peekable(), other.nodes.iter().peekable());
        loop {
            let ordering = match (left.peek(), right.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => a.element.cmp(&b.element),
            };
            match ordering {
                Ordering::Less => each(left.next(), None),
                Ordering::Greater => each(None, right.next()),
                Ordering::Equal => each(left.next(), right.next()),
            }
        }
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Set) -> Set {
        let mut nodes = Vec::with_capacity(self.nodes.len().max(other.nodes.len()));
        self.zip(other, |a, b| match (a, b) {
            (Some(a), Some(b)) => nodes.push(Node {
                element: a.element.clone(),
                member: a.member || b.member,
                below: a.below.union(&b.below),
            }),
            (one, other) => nodes.extend(one.or(other).cloned()),
        });
        Set { nodes }
    }

    /// What is in either, of two that are no longer needed.
    #[must_use]
    pub(crate) fn joined(self, other: Set) -> Set {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() { self } else { self.union(&other) }
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Set) -> Set {
        let mut out = Set::new();
        self.zip(other, |a, b| {
            if let (Some(a), Some(b)) = (a, b) {
                out.push(&a.element, a.member && b.member, a.below.intersection(&b.below));
            }
        });
        out
    }

    /// What is in this one and not in the other. A child is not taken out with its parent.
    #[must_use]
    pub fn difference(&self, other: &Set) -> Set {
        let mut out = self.clone();
        out.subtract(other);
        out
    }

    /// What is in this one, and neither in the other nor below something that is.
    #[must_use]
    pub fn recursive_difference(&self, other: &Set) -> Set {
        let mut out = self.clone();
        out.subtract_recursively(other);
        out
    }

    /// Takes out what is in the other; a child is not taken out with its parent.
    pub fn subtract(&mut self, other: &Set) {
        self.thin(other, |node, other| {
            node.member &= !other.member;
            node.below.subtract(&other.below);
        });
    }

    /// Takes out what is in the other, and what lies below it.
    pub fn subtract_recursively(&mut self, other: &Set) {
        self.thin(other, |node, other| {
            if other.member {
                *node = Node { element: node.element.clone(), member: false, below: Set::new() };
            } else {
                node.below.subtract_recursively(&other.below);
            }
        });
    }

    fn thin(&mut self, other: &Set, take: impl Fn(&mut Node, &Node)) {
        for other in &other.nodes {
            if let Ok(at) = self.find(&other.element) {
                let node = &mut self.nodes[at];
                take(node, other);
                if !node.member && node.below.is_empty() {
                    self.nodes.remove(at);
                }
            }
        }
    }

    /// Whether all of the other is in this one.
    #[must_use]
    pub fn contains(&self, other: &Set) -> bool {
        let mut all = true;
        self.zip(other, |a, b| match (a, b) {
            (Some(a), Some(b)) => {
                all = all && (a.member || !b.member) && a.below.contains(&b.below)
            }
            (None, Some(_)) => all = false,
            _ => {}
        });
        all
    }

    fn push(&mut self, element: &PathElement, member: bool, below: Set) {
        if member || !below.is_empty() {
            self.nodes.push(Node { element: element.clone(), member, below });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::path::Path;

    fn set(paths: &str) -> Set {
        paths.split_whitespace().map(|p| p.split('.').collect::<Path>()).collect()
    }

    fn check(op: fn(&Set, &Set) -> Set, a: &str, b: &str, expect: &str) {
        assert_eq!(op(&set(a), &set(b)), set(expect), "{a} | {b}");
    }

    #[test]
    fn sets_are_united_cut_and_subtracted() {
        check(Set::union, "a a.b c", "a.b d", "a a.b c d");
        check(Set::intersection, "a a.b c.d", "a.b c c.d", "a.b c.d");
        check(Set::difference, "a a.b a.c d", "a a.b", "a.c d");
        check(Set::recursive_difference, "a a.b a.b.c d", "a.b", "a d");
        check(Set::recursive_difference, "a.b a.b.c a.d", "a", "");
        assert!(set("a a.b").contains(&set("a.b")));
        assert!(!set("a.b").contains(&set("a")));
    }
}
