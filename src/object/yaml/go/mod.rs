//! Values as YAML in the very bytes that the Go tools print (`kustomize build`, `helm get`,
//! `kubectl -o yaml` pass their JSON through one library): keys in its natural order, lists not
//! moved in, text in quotes or as a block where it chooses so.
//!
//! Not here: YAML for people to read, which is `write`. The order of keys is in `order`, how a
//! text is written in `text` and `fold`.

mod fold;
mod order;
mod text;

use text::Place;

use crate::object::{Map, Object, Value};

/// A value as a YAML document in block style, with a newline at its end.
#[must_use]
pub fn go_string(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block_map(&mut out, map, 0, true),
        Value::Array(items) if !items.is_empty() => block_list(&mut out, items, 0, true),
        other => {
            scalar(&mut out, other, 0);
            out.push('\n');
        }
    }
    out
}

/// An object as [`go_string`] writes a value.
#[must_use]
pub fn go_string_of(object: &Object) -> String {
    let mut out = String::new();
    write_go(&mut out, object);
    out
}

/// Adds an object to a text that is empty or ends with a newline, as [`go_string`] writes a value.
pub fn write_go(out: &mut String, object: &Object) {
    block_map(out, &object.0, 0, true);
}

fn margin(out: &mut String, indent: usize) {
    const SPACES: &str = "                                                                ";
    let mut left = indent;
    while left > 0 {
        let some = left.min(SPACES.len());
        out.push_str(&SPACES[..some]);
        left -= some;
    }
}

/// Writes a map; `inline`: its first key stands where the text ends already.
fn block_map(out: &mut String, map: &Map, indent: usize, inline: bool) {
    let mut entries: Vec<(&str, &Value)> =
        map.iter().map(|(key, value)| (key.as_str(), value)).collect();
    entries.sort_by(|a, b| order::of_keys(a.0, b.0));
    for (at, (key, value)) in entries.into_iter().enumerate() {
        if at > 0 || !inline {
            margin(out, indent);
        }
        if text::is_simple_key(key) {
            text::write(out, key, Place::Key);
            out.push(':');
        } else {
            out.push_str("? ");
            text::write(out, key, Place::Value { indent: indent + 2 });
            end_line(out);
            margin(out, indent);
            out.push(':');
        }
        value_after(out, value, indent);
    }
}

/// Writes the value of a key, from behind its colon to the end of the line.
fn value_after(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            block_map(out, map, indent + 2, false);
        }
        // A list stands as far out as the key that holds it.
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            block_list(out, items, indent, false);
        }
        other => {
            out.push(' ');
            scalar(out, other, indent + 2);
            end_line(out);
        }
    }
}

fn block_list(out: &mut String, items: &[Value], indent: usize, inline: bool) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 || !inline {
            margin(out, indent);
        }
        out.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => block_map(out, map, indent + 2, true),
            Value::Array(items) if !items.is_empty() => block_list(out, items, indent + 2, true),
            other => {
                scalar(out, other, indent + 2);
                end_line(out);
            }
        }
    }
}

/// A block of text that keeps its last newline has ended its line already.
fn end_line(out: &mut String) {
    if !out.ends_with('\n') {
        out.push('\n');
    }
}

fn scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => out.push_str(&go_float(float)),
            _ => out.push_str(&number.to_string()),
        },
        Value::String(string) => text::write(out, string, Place::Value { indent }),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

/// As Go's `strconv.FormatFloat(f, 'g', -1, 64)`.
pub(crate) fn go_float(float: f64) -> String {
    const EXPONENT_FROM: i32 = 6;
    let shortest = format!("{float:e}");
    let Some((digits, exponent)) = shortest.split_once('e') else { return shortest };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..EXPONENT_FROM).contains(&exponent) {
        return format!("{float}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[track_caller]
    fn check(value: &Value, expected: &str) {
        assert_eq!(go_string(value), expected);
    }

    #[test]
    fn text_is_quoted_as_the_go_library_does() {
        for (text, expected) in [
            ("a", "a"),
            ("", "\"\""),
            ("1.0", "\"1.0\""),
            ("yes", "\"yes\""),
            ("1:20", "\"1:20\""),
            ("2001-12-14T00:00:00Z", "\"2001-12-14T00:00:00Z\""),
            ("- a", "'- a'"),
            ("it's: b", "'it''s: b'"),
            (" a", "' a'"),
            ("a\tb", "\"a\\tb\""),
            ("\u{1f600}", "\"\\U0001F600\""),
            ("a\nb", "|-\n  a\n  b"),
            ("a\nb\n", "|\n  a\n  b"),
            ("a\n\n", "|+\n  a\n"),
            (" a\nb", "|2-\n   a\n  b"),
            ("a \nb", "\"a \\nb\""),
            ("*", "'*'"),
            ("=", "="),
            ("<<", "<<"),
            (".inf", "\".inf\""),
        ] {
            check(&json!({"k": text}), &format!("k: {expected}\n"));
        }
    }

    #[test]
    fn keys_are_in_natural_order() {
        check(
            &json!({"a10": 1, "a2": 1, "B": 1, "b": 1, "a/x": 1, "a-x": 1, "1": 1}),
            "\"1\": 1\nB: 1\na-x: 1\na/x: 1\na2: 1\na10: 1\nb: 1\n",
        );
    }

    #[test]
    fn numbers_are_printed_as_go_prints_them() {
        for (number, expected) in [
            (json!(1), "1"),
            (json!(0.1), "0.1"),
            (json!(1_234_567.5), "1.2345675e+06"),
            (json!(1e21), "1e+21"),
            (json!(1e-7), "1e-07"),
            (json!(0.0001), "0.0001"),
        ] {
            check(&json!({"k": number}), &format!("k: {expected}\n"));
        }
    }

    #[test]
    fn lists_stand_as_far_out_as_their_key() {
        check(
            &json!({"a": [{"b": [1, []], "c": {}}, [[2], 3], null]}),
            "a:\n- b:\n  - 1\n  - []\n  c: {}\n- - - 2\n  - 3\n- null\n",
        );
    }
}
