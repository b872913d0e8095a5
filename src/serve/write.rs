//! JSON as Go's encoder writes it: the keys of built-in kinds in the order of their Go structs, of
//! anything else sorted, and Go's escapes and numbers.
//!
//! Not here: which form an answer takes (`negotiate`), what goes around objects (`encode`), the
//! orders themselves (`order`).

use super::order::{self, Order};
use crate::object::schema::TypeId;
use crate::object::{Map, Value};

/// Writes a value.
pub(super) fn value(out: &mut Vec<u8>, value: &Value, order: Order) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => self::number(out, number),
        Value::String(text) => string(out, text),
        Value::Array(items) => list(out, items, order),
        Value::Object(map) => self::map(out, map, order, &[]),
    }
}

fn list(out: &mut Vec<u8>, items: &[Value], order: Order) {
    let below = match order {
        Order::Type(ty) => order::items(ty),
        other => other,
    };
    out.push(b'[');
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        value(out, item, below);
    }
    out.push(b']');
}

/// Writes a map, without the keys in `but`.
pub(super) fn map(out: &mut Vec<u8>, map: &Map, order: Order, but: &[&str]) {
    out.push(b'{');
    let mut pairs = Pairs { start: out.len(), out, but };
    match order {
        Order::Sorted => map.iter().for_each(|(key, item)| pairs.write(key, item, order)),
        Order::Type(ty) => typed(&mut pairs, map, ty),
        Order::Fixed(fixed) => {
            for (key, below) in fixed.keys {
                if let Some(item) = map.get(key) {
                    pairs.write(key, item, below.order());
                }
            }
            let further = |key: &str| fixed.keys.iter().all(|(known, _)| *known != key);
            for (key, item) in map.iter().filter(|(key, _)| further(key)) {
                pairs.write(key, item, Order::Sorted);
            }
        }
    }
    out.push(b'}');
}

/// Writes the fields of a struct in their order. Both the map and the fields of the type are
/// sorted, so they are gone through side by side.
fn typed(pairs: &mut Pairs, map: &Map, ty: TypeId) {
    let Some((shape, places)) = order::fields(ty) else {
        return map.iter().for_each(|(key, item)| pairs.write(key, item, Order::Sorted));
    };
    let mut found: Vec<(u8, &str, &Value, Order)> = Vec::with_capacity(map.len());
    let mut at = 0;
    for (key, item) in map {
        while shape.fields.get(at).is_some_and(|field| *field.name < **key) {
            at += 1;
        }
        let field = shape.fields.get(at).filter(|field| field.name == **key);
        let below = field.map(|field| field.ty).or(shape.item);
        let below = below.map_or(Order::Sorted, Order::Type);
        let place = match (field, places) {
            (Some(_), Some(places)) => places.get(at).copied().unwrap_or(u8::MAX),
            (Some(_), None) => 0,
            (None, _) => u8::MAX,
        };
        found.push((place, key, item, below));
    }
    if places.is_some() {
        found.sort_by_key(|(place, ..)| *place);
    }
    for (_, key, item, below) in found {
        pairs.write(key, item, below);
    }
}

/// The pairs of a map as they are written.
struct Pairs<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    but: &'a [&'a str],
}

impl Pairs<'_> {
    fn write(&mut self, key: &str, item: &Value, below: Order) {
        if self.but.contains(&key) {
            return;
        }
        if self.out.len() > self.start {
            self.out.push(b',');
        }
        string(self.out, key);
        self.out.push(b':');
        value(self.out, item, below);
    }
}

fn number(out: &mut Vec<u8>, number: &serde_json::Number) {
    let text = match (number.is_f64(), number.as_f64()) {
        (true, Some(float)) => float_as_go(float),
        _ => number.to_string(),
    };
    out.extend_from_slice(text.as_bytes());
}

/// A float in the fewest digits that give it back; with an exponent where Go uses one.
fn float_as_go(float: f64) -> String {
    let size = float.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return format!("{float}");
    }
    let text = format!("{float:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

/// Writes a text in quotes, escaped as Go does it, with what could end a script element too.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let short: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x08 => b"\\b",
            0x0c => b"\\f",
            b'<' => b"\\u003c",
            b'>' => b"\\u003e",
            b'&' => b"\\u0026",
            0x00..0x20 => b"",
            // U+2028 and U+2029 are E2 80 A8 and E2 80 A9.
            0xe2 if matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xa8 | 0xa9])) => b"",
            _ => continue,
        };
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
        if !short.is_empty() {
            out.extend_from_slice(short);
        } else if *byte == 0xe2 {
            let last = if bytes[at + 2] == 0xa8 { b"\\u2028" } else { b"\\u2029" };
            out.extend_from_slice(last);
            from = at + 3;
        } else {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        }
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}

/// The same JSON over several lines, two spaces a level, as `?pretty` gives it.
pub(super) fn pretty(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let (mut level, mut in_text, mut escaped) = (0_usize, false, false);
    let line = |out: &mut Vec<u8>, level: usize| {
        out.push(b'\n');
        out.resize(out.len() + 2 * level, b' ');
    };
    let mut bytes = json.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if in_text {
            out.push(byte);
            in_text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                if let Some(close) = bytes.next_if(|next| matches!(next, b'}' | b']')) {
                    out.push(close);
                } else {
                    level += 1;
                    line(&mut out, level);
                }
            }
            b'}' | b']' => {
                level = level.saturating_sub(1);
                line(&mut out, level);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, level);
            }
            b':' => out.extend_from_slice(b": "),
            _ => {
                in_text = byte == b'"';
                out.push(byte);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn check(value: &Value, order: Order, expected: &str) {
        let mut out = Vec::new();
        super::value(&mut out, value, order);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn keys_of_a_built_in_kind_stand_in_the_order_of_its_struct() {
        let value = json!({ "apiVersion": "v1", "data": { "b": 1, "a": 2 }, "kind": "ConfigMap",
            "metadata": { "labels": {}, "name": "x", "uid": "u" }, "immutable": true });
        check(
            &value,
            Order::of("v1", "ConfigMap"),
            r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x","uid":"u","labels":{}},"immutable":true,"data":{"a":2,"b":1}}"#,
        );
        check(
            &value,
            Order::Sorted,
            r#"{"apiVersion":"v1","data":{"a":2,"b":1},"immutable":true,"kind":"ConfigMap","metadata":{"labels":{},"name":"x","uid":"u"}}"#,
        );
    }

    #[test]
    fn texts_are_escaped_as_by_go() {
        check(
            &json!("a\"\\\n\t\r\u{8}\u{c}\u{1}<&>\u{2028}é\u{7f}"),
            Order::Sorted,
            "\"a\\\"\\\\\\n\\t\\r\\b\\f\\u0001\\u003c\\u0026\\u003e\\u2028é\u{7f}\"",
        );
    }

    #[test]
    fn numbers_are_written_as_by_go() {
        for (number, expected) in [
            (1.0, "1"),
            (1.5, "1.5"),
            (1e21, "1e+21"),
            (1e-7, "1e-7"),
            (0.1, "0.1"),
            (-2e30, "-2e+30"),
        ] {
            check(&json!(number), Order::Sorted, expected);
        }
    }

    #[test]
    fn pretty_json_has_a_line_for_each_value_and_keeps_empty_maps_together() {
        let text = pretty(br#"{"a":{},"b":[1,"x:\",{"],"c":{"d":[]}}"#);
        let expected = "{\n  \"a\": {},\n  \"b\": [\n    1,\n    \"x:\\\",{\"\n  ],\n  \"c\": {\n    \"d\": []\n  }\n}";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
