//! The table of known keys: the field names of the built-in schema, each also with the `f:` that
//! managed fields put before it, and a few that every cluster has besides.
//!
//! The texts are compiled in sorted, so that numbers compare as texts do and a program that starts
//! has only to count them. `names.txt` is written by the test below (`scripts/bless names::`), from
//! the schema.

use std::sync::OnceLock;

/// All texts, a line each, sorted.
const TEXTS: &str = include_str!("names.txt");

/// The number of a known text. Numbers are in the order of their texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NameId(u16);

impl NameId {
    /// The number itself.
    pub(super) fn print(self) -> u64 {
        self.0.into()
    }
}

/// What a field name begins with in managed fields.
pub(super) const MANAGED: &str = "f:";

struct Names {
    texts: Vec<&'static str>,
    /// Numbers by hash; where one is taken the next free place is.
    slots: Vec<Option<NameId>>,
    /// For each number: that of the text with `f:` before it.
    with: Vec<Option<NameId>>,
    /// For each number: that of the text without the `f:` that it begins with.
    without: Vec<Option<NameId>>,
}

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| Names::new(TEXTS))
}

impl Names {
    fn new(lines: &'static str) -> Self {
        // What does not fit the numbers is not known: slower, and no less right.
        let texts: Vec<&'static str> = lines.lines().take(usize::from(u16::MAX)).collect();
        let mut slots = vec![None; (texts.len() * 4).next_power_of_two()];
        for (text, id) in texts.iter().zip(0..) {
            let mut at = place(text, slots.len());
            while slots[at].is_some() {
                at = (at + 1) % slots.len();
            }
            slots[at] = Some(NameId(id));
        }
        let none = vec![None; texts.len()];
        let mut names = Self { texts, slots, with: none.clone(), without: none };
        for at in 0..names.texts.len() {
            let plain = names.texts[at].strip_prefix(MANAGED).and_then(|plain| names.find(plain));
            names.without[at] = plain;
            if let Some(plain) = plain {
                names.with[usize::from(plain.0)] = u16::try_from(at).ok().map(NameId);
            }
        }
        names
    }

    fn find(&self, text: &str) -> Option<NameId> {
        let mut at = place(text, self.slots.len());
        while let Some(id) = self.slots[at] {
            if self.texts[usize::from(id.0)] == text {
                return Some(id);
            }
            at = (at + 1) % self.slots.len();
        }
        None
    }
}

/// Where a text is looked for first among so many slots, a power of two.
fn place(text: &str, slots: usize) -> usize {
    (print(text) >> 40) as usize & (slots - 1)
}

/// The number of something with one part more.
pub(in crate::object) fn mix(print: u64, next: u64) -> u64 {
    // The multiplier is the golden ratio's, as in Fibonacci hashing.
    (print.rotate_left(5) ^ next).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A number that equal texts share, and others mostly do not.
pub(in crate::object) fn print(text: &str) -> u64 {
    let mut hash = text.len() as u64;
    let mut chunks = text.as_bytes().chunks_exact(8);
    for chunk in &mut chunks {
        let word = chunk.first_chunk().map_or(0, |letters| u64::from_le_bytes(*letters));
        hash = mix(hash, word);
    }
    for byte in chunks.remainder() {
        hash = mix(hash, u64::from(*byte));
    }
    hash
}

/// The text of a number.
pub(super) fn text(id: NameId) -> &'static str {
    names().texts[usize::from(id.0)]
}

/// The number of a text, if it is known.
pub(super) fn find(text: &str) -> Option<NameId> {
    names().find(text)
}

/// The number of the text with `f:` before it.
pub(super) fn with_prefix(id: NameId) -> Option<NameId> {
    names().with[usize::from(id.0)]
}

/// The number of the text without the `f:` that it begins with.
pub(super) fn without_prefix(id: NameId) -> Option<NameId> {
    names().without[usize::from(id.0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::schema;

    /// Keys that are no fields of a type, and are in most clusters all the same.
    const MORE: &[&str] = &[
        "app",
        "app.kubernetes.io/component",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/managed-by",
        "app.kubernetes.io/name",
        "app.kubernetes.io/part-of",
        "app.kubernetes.io/version",
        "controller-revision-hash",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deployment.kubernetes.io/revision",
        "endpointslice.kubernetes.io/managed-by",
        "kubectl.kubernetes.io/last-applied-configuration",
        "kubectl.kubernetes.io/restartedAt",
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/metadata.name",
        "kubernetes.io/os",
        "kubernetes.io/service-name",
        "pod-template-hash",
    ];

    /// The same as they stand in managed fields: the member itself, and list items by key.
    const ITEMS: &[&str] = &[
        ".",
        "k:{\"type\":\"Available\"}",
        "k:{\"type\":\"ContainersReady\"}",
        "k:{\"type\":\"DiskPressure\"}",
        "k:{\"type\":\"Initialized\"}",
        "k:{\"type\":\"MemoryPressure\"}",
        "k:{\"type\":\"PIDPressure\"}",
        "k:{\"type\":\"PodReadyToStartContainers\"}",
        "k:{\"type\":\"PodScheduled\"}",
        "k:{\"type\":\"Progressing\"}",
        "k:{\"type\":\"Ready\"}",
    ];

    /// All texts, a line each.
    fn all_texts() -> String {
        let mut plain: Vec<&str> = schema::field_names().chain(MORE.iter().copied()).collect();
        plain.sort_unstable();
        plain.dedup();
        let managed = plain.iter().map(|name| format!("{MANAGED}{name}"));
        let items = ITEMS.iter().map(|item| (*item).to_owned());
        let mut all: Vec<String> =
            plain.iter().map(|name| (*name).to_owned()).chain(managed).chain(items).collect();
        all.sort_unstable();
        all.dedup();
        all.join("\n") + "\n"
    }

    #[test]
    fn the_table_is_that_of_the_schema() {
        expect_test::expect_file!["names.txt"].assert_eq(&all_texts());
    }

    #[test]
    fn every_field_of_the_schema_is_known_by_both_its_texts() {
        let mut count = 0;
        for name in schema::field_names() {
            count += 1;
            for text in [name.to_owned(), format!("f:{name}")] {
                assert_eq!(find(&text).map(super::text), Some(text.as_str()));
            }
        }
        assert!(count > 1000, "{count}");
        assert_eq!(find("no such field"), None);
    }

    #[test]
    fn numbers_are_in_the_order_of_texts_and_there_is_room_for_more() {
        let names = names();
        assert!(names.texts.is_sorted_by(|a, b| a < b));
        assert!(names.texts.len() < usize::from(u16::MAX) / 4, "{}", names.texts.len());
    }
}
