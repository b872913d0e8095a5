//! A set as `fieldsV1`, the JSON that `metadata.managedFields` carries (R-SSA-24).
//!
//! Not here: the entries around it (`fields::managers`).

use std::fmt::Write as _;

use super::{Node, PathElement, Set, recurring};
use crate::base::limits;
use crate::object::{Key, Map, Value};

/// Why a `fieldsV1` cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fieldsV1: {0}")]
pub struct NotFields(String);

impl Set {
    /// As `fieldsV1`.
    #[must_use]
    pub fn to_fields_v1(&self) -> Value {
        Value::Object(self.made_level(false))
    }

    fn level(&self, with_self: bool) -> Map {
        if self.is_empty() {
            return Map::new();
        }
        recurring::level(self, with_self, || self.made_level(with_self))
    }

    fn made_level(&self, with_self: bool) -> Map {
        let mut fields = Vec::with_capacity(self.nodes().len() + 1);
        if with_self && !self.is_empty() {
            fields.push((Key::from("."), Value::Object(Map::new())));
        }
        fields.extend(
            self.nodes()
                .iter()
                .map(|node| (key_of(&node.element), Value::Object(node.below.level(node.member)))),
        );
        fields.into_iter().collect()
    }

    /// From `fieldsV1`. Elements of an unknown sort are dropped, as upstream does.
    ///
    /// # Errors
    /// If a key is no path element or a value is no map.
    pub fn from_fields_v1(value: &Value) -> Result<Self, NotFields> {
        let Value::Object(map) = value else {
            return Err(NotFields(format!("expected a map, got {value}")));
        };
        read(map, 0).map(|(set, _)| set)
    }
}

/// A level, and whether the node that it belongs to is a member.
fn read(map: &Map, depth: usize) -> Result<(Set, bool), NotFields> {
    if depth > limits::DOCUMENT_DEPTH {
        return Err(NotFields("nested too deeply".to_owned()));
    }
    let mut set = Set::new();
    let mut member = false;
    for (key, value) in map {
        if key == "." {
            member = true;
            continue;
        }
        let Some(element) = element_of(key)? else { continue };
        let Value::Object(inner) = value else {
            return Err(NotFields(format!("{key}: expected a map, got {value}")));
        };
        let (below, is_member) =
            if inner.is_empty() { (Set::new(), true) } else { read(inner, depth + 1)? };
        match set.nodes().last() {
            Some(last) if last.element >= element => set.put(element, is_member, below),
            _ => set.push_sorted(Node { element, member: is_member, below }),
        }
    }
    let member = member || set.is_empty();
    Ok((set, member))
}

/// An element as the key that stands for it in `fieldsV1`.
#[must_use]
pub fn key_of(element: &PathElement) -> Key {
    if let PathElement::Field(name) = element {
        return Key::of_field(name);
    }
    let mut key = String::new();
    write_key(element, &mut key);
    key.into()
}

/// Writes the same behind what is in `out`. (Writing to a String does not fail.)
fn write_key(element: &PathElement, out: &mut String) {
    match element {
        PathElement::Field(name) => {
            out.push_str("f:");
            out.push_str(name);
        }
        PathElement::Key(fields) => {
            out.push_str("k:{");
            for (at, (name, value)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(name, out);
                out.push(':');
                write_value(value, out);
            }
            out.push('}');
        }
        PathElement::Value(value) => {
            out.push_str("v:");
            write_value(value, out);
        }
        PathElement::Index(index) => {
            let _ = write!(out, "i:{index}");
        }
    }
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => write_text(text, out),
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

/// A text in quotes, with the escapes of Go's encoder, which spares pages of HTML; most have
/// nothing to escape.
fn write_text(text: &str, out: &mut String) {
    if text.bytes().all(|b| b >= 0x20 && !b"\"\\<>&".contains(&b)) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        let quoted = Value::from(text).to_string();
        let quoted = quoted.replace('<', "\\u003c").replace('>', "\\u003e");
        out.push_str(&quoted.replace('&', "\\u0026"));
    }
}

fn element_of(key: &Key) -> Result<Option<PathElement>, NotFields> {
    if let Some(name) = key.field() {
        return Ok(Some(PathElement::Field(name)));
    }
    let bad = |why: &str| NotFields(format!("{key:?}: {why}"));
    let (sort, rest) = match key.as_bytes() {
        [sort, b':', ..] => (*sort, &key[2..]),
        [_, _, ..] => return Err(bad("missing colon")),
        _ => return Err(bad("key must be 2 characters long")),
    };
    let json = |text: &str| serde_json::from_str(text).map_err(|e| bad(&e.to_string()));
    Ok(Some(match sort {
        b'v' => PathElement::Value(json(rest)?),
        b'k' => match json(rest)? {
            Value::Object(fields) => PathElement::Key(fields.into_iter().collect()),
            _ => return Err(bad("expected a map")),
        },
        b'i' => PathElement::Index(rest.parse().map_err(|_| bad("expected a number"))?),
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn what_is_read_is_written_again() {
        let fields = json!({
            "f:metadata": {"f:labels": {".": {}, "f:a": {}}, "f:finalizers": {"v:\"x\"": {}}},
            "f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:image": {}}}},
        });
        let set = Set::from_fields_v1(&fields).unwrap();
        assert_eq!(set.to_fields_v1(), fields);
        assert_eq!(set.len(), 5);
        assert_eq!(Set::from_fields_v1(&json!({})).unwrap(), Set::new());
    }

    #[test]
    fn what_is_no_set_is_refused_and_what_is_of_the_future_dropped() {
        for bad in
            [json!([]), json!({"x": {}}), json!({"f": {}}), json!({"f:a": 1}), json!({"k:1": {}})]
        {
            assert!(Set::from_fields_v1(&bad).is_err(), "{bad}");
        }
        assert!(Set::from_fields_v1(&json!({"z:a": {}})).unwrap().is_empty());
    }
}
