//! A JSON value as the language sees it, by its schema.

use std::sync::Arc;

use base64::Engine;
use kube_cel::cel;
use kube_cel::cel::objects::{Key, Map as CelMap};

use super::super::validate::format::go_duration;
use crate::object::schema::node::{Additional, Node};
use crate::object::{Map, Value};

/// Words that the language keeps for itself, which no field can be called by.
pub(in crate::sim) const CEL_RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Whether a rule may write a field's name so: escaped, or a reserved word as it is (a rule that
/// can be read has it behind a dot only).
pub(super) fn is_written(name: &str, written: &str) -> bool {
    escaped(name) == written || (name == written && CEL_RESERVED.contains(&name))
}

/// A field's name as a rule writes it.
pub(super) fn escaped(name: &str) -> String {
    if CEL_RESERVED.contains(&name) {
        return format!("__{name}__");
    }
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("__") {
            out.push_str("__underscores__");
            rest = after;
            continue;
        }
        match c {
            '.' => out.push_str("__dot__"),
            '-' => out.push_str("__dash__"),
            '/' => out.push_str("__slash__"),
            c => out.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Converts a value. Fields that the schema does not have are not seen.
pub(super) fn convert(node: &Node, is_resource: bool, value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(flag) => cel::Value::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) if node.ty != "number" => cel::Value::Int(whole),
            _ => cel::Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => convert_text(node, text),
        Value::Array(list) => {
            let any = Node::default();
            let items = node.items.as_deref().unwrap_or(&any);
            let list = list.iter().map(|item| convert(items, items.embedded, item));
            cel::Value::List(Arc::new(list.collect()))
        }
        Value::Object(map) => convert_map(node, is_resource || node.embedded, map),
    }
}

fn text(content: &str) -> cel::Value {
    cel::Value::String(Arc::new(content.to_owned()))
}

fn convert_text(node: &Node, content: &str) -> cel::Value {
    if node.int_or_string {
        return text(content);
    }
    let found = match node.format.as_str() {
        "byte" => {
            let decoded = base64::engine::general_purpose::STANDARD.decode(content).ok();
            decoded.map(|bytes| cel::Value::Bytes(Arc::new(bytes)))
        }
        "date-time" => evaluated(&format!("timestamp({content:?})")),
        "date" => evaluated(&format!("timestamp(\"{content}T00:00:00Z\")")),
        "duration" => {
            go_duration(content).and_then(|ns| evaluated(&format!("duration(\"{ns}ns\")")))
        }
        _ => None,
    };
    found.unwrap_or_else(|| text(content))
}

/// What a constant expression comes to: how times are made without naming the crate that they
/// are of.
fn evaluated(source: &str) -> Option<cel::Value> {
    cel::Program::compile(source).ok()?.execute(&cel::Context::default()).ok()
}

fn convert_map(node: &Node, is_resource: bool, map: &Map) -> cel::Value {
    let is_open = matches!(node.additional, Additional::Schema(_));
    let mut fields: Vec<(String, cel::Value)> = Vec::with_capacity(map.len());
    for (key, value) in map {
        match (key.as_str(), node.below(key)) {
            ("apiVersion" | "kind", None) if is_resource => {
                fields.push((key.to_string(), convert(&Node::default(), false, value)));
            }
            ("metadata", _) if is_resource => {
                fields.push((key.to_string(), convert_metadata(value)));
            }
            (_, Some(below)) => {
                let value = convert(below, below.embedded, value);
                if !is_open {
                    let reserved = CEL_RESERVED.contains(&key.as_str());
                    fields.extend(reserved.then(|| (key.to_string(), value.clone())));
                }
                let name = if is_open { key.to_string() } else { escaped(key) };
                fields.push((name, value));
            }
            _ => {}
        }
    }
    made_map(fields)
}

fn convert_metadata(value: &Value) -> cel::Value {
    let names = ["name", "generateName"].into_iter();
    let given = names.filter_map(|key| Some((key, value.get(key)?.as_str()?)));
    made_map(given.map(|(key, content)| (key.to_owned(), text(content))).collect())
}

fn made_map(fields: Vec<(String, cel::Value)>) -> cel::Value {
    let fields = fields.into_iter().map(|(key, value)| (Key::String(Arc::new(key)), value));
    cel::Value::Map(CelMap { map: Arc::new(fields.collect()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_stand_escaped_or_as_they_are() {
        assert!(is_written("namespace", "namespace"));
        assert!(is_written("namespace", "__namespace__"));
        assert!(!is_written("a-b", "a-b"));
    }

    #[test]
    fn names_are_escaped_as_rules_write_them() {
        for (name, expect) in [
            ("namespace", "__namespace__"),
            ("a-b.c/d", "a__dash__b__dot__c__slash__d"),
            ("a_b", "a_b"),
            ("a__b", "a__underscores__b"),
        ] {
            assert_eq!(escaped(name), expect);
        }
    }
}
