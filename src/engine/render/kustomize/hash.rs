//! The hash that generated objects carry in their names: SHA-256 over the JSON of what counts,
//! ten characters of it, some of them exchanged so that no word comes out.

use aws_lc_rs::digest::{SHA256, digest};

use super::fieldspec::scalar_text;
use super::resource::{Resource, Resources};
use crate::object::{Map, Value};

/// Adds the hash to the name of every object that wants one.
pub(super) fn add_to_names(resources: &mut Resources) {
    for resource in &mut resources.list {
        if !resource.needs_hash {
            continue;
        }
        let name = format!("{}-{}", resource.object.name(), of(resource));
        resource.store_id();
        resource.object_mut().set(&["metadata", "name"], Value::String(name.into()));
    }
}

/// The hash of an object.
fn of(resource: &Resource) -> String {
    let object = &resource.object;
    let text = |path: &[&str]| {
        object.at(path).map_or(Value::from(""), |value| match value {
            Value::Object(_) | Value::Array(_) => value.clone(),
            scalar => scalar_text(scalar).map_or(Value::Null, Value::from),
        })
    };
    let mut map = Map::new();
    let kind = object.kind();
    let (more, always): (&str, &[&str]) = match kind {
        "ConfigMap" => ("binaryData", &["data"]),
        "Secret" => ("stringData", &["data", "type"]),
        // Upstream hashes the YAML nodes here, with their lines and columns; only plugins that
        // are programs, which are refused, can ask for that.
        _ => return encode(&go_json(&Value::Object(object.0.clone()))),
    };
    map.insert("kind".to_owned(), Value::from(kind));
    // Upstream looks the name up under a key that no object has, so it never counts.
    map.insert("name".to_owned(), Value::from(""));
    for field in always {
        map.insert((*field).to_owned(), text(&[field]));
    }
    if let Some(value @ Value::Object(_)) = object.at(&[more]) {
        map.insert(more.to_owned(), value.clone());
    }
    encode(&go_json(&Value::Object(map)))
}

fn encode(text: &str) -> String {
    const BYTES: usize = 5;
    let hash = digest(&SHA256, text.as_bytes());
    let hex: String = hash.as_ref()[..BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
    let exchange = |c| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    };
    hex.chars().map(exchange).collect()
}

/// JSON as Go's `encoding/json` writes what it has read: keys sorted, every number a float, and
/// what could end a script written as an escape.
pub(super) fn go_json(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (at, (key, value)) in map.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(out, key);
                out.push(':');
                write(out, value);
            }
            out.push('}');
        }
        Value::String(text) => write_text(out, text),
        Value::Number(number) => match number.as_f64() {
            Some(float) => out.push_str(&json_float(float)),
            None => out.push_str(&number.to_string()),
        },
        other => out.push_str(&other.to_string()),
    }
}

fn write_text(out: &mut String, text: &str) {
    for c in Value::from(text).to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
}

/// A float as `encoding/json` prints it: in full, or with an exponent where that is very long.
fn json_float(float: f64) -> String {
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                format!("{digits}e+{exponent}")
            }
            _ => text,
        };
    }
    format!("{float}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn json_is_written_as_go_writes_it() {
        let value = json!({"b": "<a&b>\n", "a": [1, 0.5, 1e21, 1e-7, null, true]});
        let expected = "{\"a\":[1,0.5,1e+21,1e-7,null,true],\"b\":\"\\u003ca\\u0026b\\u003e\\n\"}";
        assert_eq!(go_json(&value), expected);
    }
}
