//! JSON values as Go prints them, which is how they stand in upstream's messages.

use super::{Map, Value};

/// As `%v` prints a decoded JSON value.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.to_string(),
        Value::Array(list) => plain_list(list),
        Value::Object(map) => plain_map(map),
        other => other.to_string(),
    }
}

/// As `%v` prints a list.
pub(crate) fn plain_list(list: &[Value]) -> String {
    format!("[{}]", list.iter().map(plain).collect::<Vec<_>>().join(" "))
}

/// As `%v` prints a map.
pub(crate) fn plain_map(map: &Map) -> String {
    let inner: Vec<String> = map.iter().map(|(k, v)| format!("{k}:{}", plain(v))).collect();
    format!("map[{}]", inner.join(" "))
}

/// As `%v` prints a pointer to a struct that holds the value.
pub(crate) fn boxed(value: &Value) -> String {
    format!("&{{{}}}", plain(value))
}

/// As `%T` prints the type of a decoded JSON value.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// What `encoding/json` calls a value that does not fit.
pub(crate) fn json_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// As `%#v` prints a decoded JSON value.
pub(crate) fn syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Array(list) => {
            let inner: Vec<String> = list.iter().map(syntax).collect();
            format!("[]interface {{}}{{{}}}", inner.join(", "))
        }
        Value::Object(map) => {
            let inner: Vec<String> =
                map.iter().map(|(k, v)| format!("{k:?}:{}", syntax(v))).collect();
            format!("map[string]interface {{}}{{{}}}", inner.join(", "))
        }
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

/// Nanoseconds, as `time.ParseDuration` reads them.
pub(crate) fn duration(text: &str) -> Option<i64> {
    const UNITS: [(&str, f64); 8] = [
        ("ns", 1.0),
        ("us", 1e3),
        ("µs", 1e3),
        ("μs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 6e10),
        ("h", 3.6e12),
    ];
    let (negative, mut rest) = text
        .strip_prefix('-')
        .map_or((false, text.strip_prefix('+').unwrap_or(text)), |r| (true, r));
    if rest == "0" {
        return Some(0);
    }
    let mut sum = 0.0;
    let mut any = false;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (_, nanoseconds) = UNITS.iter().find(|(name, _)| *name == &rest[..end])?;
        sum += number * nanoseconds;
        rest = &rest[end..];
        any = true;
    }
    let sum = if negative { -sum } else { sum };
    #[expect(clippy::cast_possible_truncation, reason = "what is out of range is refused")]
    let whole = sum as i64;
    (any && sum.abs() < 9.2e18).then_some(whole)
}

/// A text in quotes, as `%q` prints it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if u32::from(c) < 0x20 || c == '\u{7f}' => {
                out.push_str(&format!("\\x{:02x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn values_print_as_go_prints_them() {
        let value = json!({"a": [1, "x", null], "b": true});
        assert_eq!(plain(&value), "map[a:[1 x <nil>] b:true]");
        let text =
            r#"map[string]interface {}{"a":[]interface {}{1, "x", interface {}(nil)}, "b":true}"#;
        assert_eq!(syntax(&value), text);
    }
}
