//! The table of known keys: the field names of the built-in schema, each also with the `f:` that
//! managed fields put before it, and a few that every cluster has besides.
//!
//! The table is made by the compiler, from texts that are sorted, so that numbers compare as texts
//! do and a program that starts has nothing to do. `names.txt` is written by the test below (`scripts/bless names::`), from
//! the schema.

use crate::object::word::print;

/// All texts, a line each, sorted.
const TEXTS: &str = include_str!("names.txt");

/// How many there are.
const COUNT: usize = {
    let (mut count, mut at) = (0, 0);
    while at < TEXTS.len() {
        count += (TEXTS.as_bytes()[at] == b'\n') as usize;
        at += 1;
    }
    count
};

/// Places for them by hash: few of them are taken.
const SLOTS: usize = (COUNT * 4).next_power_of_two();

/// In place of a number: there is none.
const NONE: u16 = u16::MAX;

const _: () = assert!(COUNT < NONE as usize, "each number fits");

/// The number of a known text. Numbers are in the order of their texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NameId(u16);

impl NameId {
    /// The number itself.
    pub(super) fn print(self) -> u64 {
        self.0.into()
    }

    const fn known(number: u16) -> Option<Self> {
        if number == NONE { None } else { Some(Self(number)) }
    }
}

/// What a field name begins with in managed fields.
pub(super) const MANAGED: &str = "f:";

/// Made by the compiler, so that a program that starts has it already.
static NAMES: Names = Names::new(TEXTS);

struct Names {
    texts: [&'static str; COUNT],
    /// Numbers by hash; where one is taken the next free place is.
    slots: [u16; SLOTS],
    /// For each number: that of the text with `f:` before it.
    with: [u16; COUNT],
    /// For each number: that of the text without the `f:` that it begins with.
    without: [u16; COUNT],
}

impl Names {
    const fn new(mut lines: &'static str) -> Self {
        let mut names = Self {
            texts: [""; COUNT],
            slots: [NONE; SLOTS],
            with: [NONE; COUNT],
            without: [NONE; COUNT],
        };
        let mut id = 0;
        while id < COUNT {
            let (text, rest) = first_line(lines);
            names.texts[id] = text;
            let mut at = place(text);
            while names.slots[at] != NONE {
                at = (at + 1) % SLOTS;
            }
            names.slots[at] = id as u16;
            lines = rest;
            id += 1;
        }
        let (mut id, mut plain) = (0, 0);
        while id < COUNT {
            // Both come in the same order: what is looked for is behind what was found.
            let from = plain;
            let is_managed = matches!(names.texts[id].as_bytes(), [b'f', b':', ..]);
            while is_managed && plain < COUNT && !is_managed_of(names.texts[id], names.texts[plain])
            {
                plain += 1;
            }
            if is_managed && plain < COUNT {
                names.without[id] = plain as u16;
                names.with[plain] = id as u16;
            } else {
                plain = from;
            }
            id += 1;
        }
        names
    }

    fn find(&self, text: &str) -> Option<NameId> {
        let mut at = place(text);
        while let Some(id) = NameId::known(self.slots[at]) {
            if self.texts[usize::from(id.0)] == text {
                return Some(id);
            }
            at = (at + 1) % SLOTS;
        }
        None
    }
}

/// The first line, and what is behind its end.
const fn first_line(lines: &'static str) -> (&'static str, &'static str) {
    let mut end = 0;
    while lines.as_bytes()[end] != b'\n' {
        end += 1;
    }
    let (line, rest) = lines.split_at(end);
    (line, rest.split_at(1).1)
}

/// Whether the one text is the other with [`MANAGED`] before it.
const fn is_managed_of(text: &str, plain: &str) -> bool {
    let (text, start) = (text.as_bytes(), MANAGED.as_bytes());
    if text.len() != start.len() + plain.len() {
        return false;
    }
    let mut at = 0;
    while at < text.len() {
        let expected =
            if at < start.len() { start[at] } else { plain.as_bytes()[at - start.len()] };
        if text[at] != expected {
            return false;
        }
        at += 1;
    }
    true
}

/// Where a text is looked for first.
const fn place(text: &str) -> usize {
    (print(text) >> 40) as usize & (SLOTS - 1)
}

/// The text of a number.
pub(super) fn text(id: NameId) -> &'static str {
    NAMES.texts[usize::from(id.0)]
}

/// The number of a text, if it is known.
pub(super) fn find(text: &str) -> Option<NameId> {
    NAMES.find(text)
}

/// The number of the text with `f:` before it.
pub(super) fn with_prefix(id: NameId) -> Option<NameId> {
    NameId::known(NAMES.with[usize::from(id.0)])
}

/// The number of the text without the `f:` that it begins with.
pub(super) fn without_prefix(id: NameId) -> Option<NameId> {
    NameId::known(NAMES.without[usize::from(id.0)])
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
    fn numbers_are_in_the_order_of_texts() {
        assert!(NAMES.texts.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_field_and_its_managed_text_know_each_other() {
        let known = |text: &str| find(text).unwrap();
        assert_eq!(with_prefix(known("replicas")), Some(known("f:replicas")));
        assert_eq!(without_prefix(known("f:replicas")), Some(known("replicas")));
        assert_eq!(without_prefix(known("replicas")), None);
        assert_eq!(with_prefix(known("f:replicas")), None);
        let pairs = NAMES.without.iter().filter(|plain| **plain != NONE).count();
        assert_eq!(pairs, NAMES.texts.iter().filter(|text| text.starts_with(MANAGED)).count());
    }
}
