//! JSON values as Go prints them, which is how they stand in upstream's messages.

use super::{Map, Value};

/// As `%v` prints a decoded JSON value.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
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
