//! What a schema promises of how large values are: how many items, how many bytes at the most, and
//! how little room one takes in a request.

use std::collections::BTreeMap;

use super::super::values::escaped;
use crate::object::schema::node::{Additional, Node};

/// The largest request, in bytes; what no schema bounds is bounded by it.
pub(super) const REQUEST_BYTES_MAX: u64 = 3 * 1024 * 1024;
/// The longest time and the longest duration, as JSON.
const TIME_BYTES_MAX: u64 = 32;
const DATE_BYTES: u64 = 12;
const TIME_BYTES_MIN: u64 = 21;
const DURATION_BYTES_MIN: u64 = 3;
const TEXT_BYTES_MIN: u64 = 2;

/// A type that rules can look at.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sim::crd) struct Declared {
    pub(super) kind: Kind,
    /// The most bytes, items or entries; 0 of what has none.
    pub(super) elements_max: u64,
    /// The fewest bytes that it takes as JSON.
    pub(super) bytes_min: u64,
}

/// What kind of type it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Dyn,
    Bool,
    Int,
    Double,
    Text,
    Bytes,
    Duration,
    Timestamp,
    List(Box<Declared>),
    Map(Box<Declared>),
    /// By the name that rules write.
    Object(BTreeMap<String, Declared>),
}

impl Declared {
    /// The type of a schema; `None` where rules cannot look.
    pub(in crate::sim::crd) fn of(node: &Node, is_resource: bool) -> Option<Self> {
        if node.int_or_string {
            let most = text_max(node).unwrap_or(REQUEST_BYTES_MAX - 2);
            return Some(Self { kind: Kind::Dyn, elements_max: most, bytes_min: 1 });
        }
        let plain = |kind, bytes_min| Some(Self { kind, elements_max: 0, bytes_min });
        match node.ty.as_str() {
            "array" => {
                let items = node.items.as_deref()?;
                let items = Self::of(items, items.embedded)?;
                let fit = (REQUEST_BYTES_MAX - 2) / (items.bytes_min + 1);
                let elements_max = node.checks.max_items.map_or(fit, or_none);
                Some(Self { kind: Kind::List(Box::new(items)), elements_max, bytes_min: 2 })
            }
            "object" => match &node.additional {
                Additional::Schema(values) => {
                    let values = Self::of(values, values.embedded)?;
                    // Beside the value a key of two bytes, quotes, a colon and a comma.
                    let fit = (REQUEST_BYTES_MAX - 2) / (values.bytes_min + 6);
                    let elements_max = node.checks.max_properties.map_or(fit, or_none);
                    Some(Self { kind: Kind::Map(Box::new(values)), elements_max, bytes_min: 2 })
                }
                _ => Some(Self::of_object(node, is_resource)),
            },
            "string" => Some(Self::of_text(node)),
            "boolean" => plain(Kind::Bool, 4),
            "number" => plain(Kind::Double, 1),
            "integer" => plain(Kind::Int, 1),
            _ => None,
        }
    }

    /// How often a value of this type can stand in a request.
    pub(in crate::sim::crd) fn in_a_request(&self) -> u64 {
        REQUEST_BYTES_MAX / (self.bytes_min + 1)
    }

    fn of_text(node: &Node) -> Self {
        let of = |kind, elements_max, bytes_min| Self { kind, elements_max, bytes_min };
        let any = REQUEST_BYTES_MAX - 2;
        match node.format.as_str() {
            "byte" => {
                let most = node.checks.max_length.map_or(any, or_none);
                of(Kind::Bytes, most, TEXT_BYTES_MIN)
            }
            "duration" => of(Kind::Duration, TIME_BYTES_MAX, DURATION_BYTES_MIN),
            "date" => of(Kind::Timestamp, DATE_BYTES, DATE_BYTES),
            "date-time" => of(Kind::Timestamp, TIME_BYTES_MAX, TIME_BYTES_MIN),
            _ => {
                let words = &node.checks.one_of_values;
                let longest = words.iter().filter_map(|word| word.as_str()).map(str::len).max();
                let among = (!words.is_empty()).then(|| longest.unwrap_or(0) as u64);
                of(Kind::Text, text_max(node).or(among).unwrap_or(any), TEXT_BYTES_MIN)
            }
        }
    }

    fn of_object(node: &Node, is_resource: bool) -> Self {
        let mut fields = BTreeMap::new();
        let mut bytes_min = 2;
        for (name, below) in &node.properties {
            let Some(declared) = Self::of(below, below.embedded) else { continue };
            if node.checks.required.contains(name) && below.default.is_none() {
                bytes_min += name.len() as u64 + declared.bytes_min + 4;
            }
            if can_be_written(name) {
                fields.insert(escaped(name), declared);
            }
        }
        if is_resource && !has_own_metadata(node) {
            let text = || Self::of_text(&Node::default());
            let names = ["name", "generateName"].map(|name| (name.to_owned(), text()));
            let metadata = Self {
                kind: Kind::Object(names.into_iter().collect()),
                elements_max: 0,
                bytes_min: 2,
            };
            fields.insert("apiVersion".to_owned(), text());
            fields.insert("kind".to_owned(), text());
            fields.insert("metadata".to_owned(), metadata);
        }
        Self { kind: Kind::Object(fields), elements_max: 0, bytes_min }
    }
}

/// Whether a schema says by itself what every object has.
fn has_own_metadata(node: &Node) -> bool {
    let is_text = |node: &Node, name: &str| {
        node.properties.get(name).is_some_and(|field| field.ty == "string")
    };
    let of = node.properties.get("metadata");
    is_text(node, "kind")
        && is_text(node, "apiVersion")
        && of.is_some_and(|of| {
            of.ty == "object" && is_text(of, "name") && is_text(of, "generateName")
        })
}

/// A length is counted in characters, of four bytes at the most.
fn text_max(node: &Node) -> Option<u64> {
    node.checks.max_length.map(|length| or_none(length).saturating_mul(4))
}

fn or_none(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// Whether rules have a way to write a field's name.
fn can_be_written(name: &str) -> bool {
    let begins = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    begins && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b))
}
