//! What is wrong with a definition or an object, in the words of apimachinery (R-HTTP-23).

use crate::api::Cause;
pub(super) use crate::api::Place as Path;
use crate::object::Value;

fn cause(path: &Path, reason: &str, message: String) -> Cause {
    Cause { reason: reason.to_owned(), message, field: path.to_string() }
}

fn with(text: String, detail: &str) -> String {
    if detail.is_empty() { text } else { format!("{text}: {detail}") }
}

/// A value as an error shows it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Number(number) => {
            number.as_f64().filter(|_| number.is_f64()).map_or_else(|| number.to_string(), float)
        }
        other => other.to_string(),
    }
}

/// As Go's `%v` prints a float.
pub(super) fn float(number: f64) -> String {
    let exponent = if number == 0.0 { 0.0 } else { number.abs().log10().floor() };
    if (-4.0..21.0).contains(&exponent) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
    format!("{digits}e{sign}{exponent:0>2}")
}

pub(super) fn invalid(path: &Path, value: &Value, detail: &str) -> Cause {
    let text = format!("Invalid value: {}", shown(value));
    cause(path, "FieldValueInvalid", with(text, detail))
}

/// About a value that is not shown, or shown as its Go type prints.
pub(super) fn invalid_as(path: &Path, shown: Option<&str>, detail: &str) -> Cause {
    let text =
        shown.map_or_else(|| "Invalid value".to_owned(), |shown| format!("Invalid value: {shown}"));
    cause(path, "FieldValueInvalid", with(text, detail))
}

pub(super) fn wrong_type(path: &Path, value: &str, detail: &str) -> Cause {
    cause(path, "FieldValueTypeInvalid", with(format!("Invalid value: {value:?}"), detail))
}

pub(super) fn required(path: &Path, detail: &str) -> Cause {
    cause(path, "FieldValueRequired", with("Required value".to_owned(), detail))
}

pub(super) fn forbidden(path: &Path, detail: &str) -> Cause {
    cause(path, "FieldValueForbidden", with("Forbidden".to_owned(), detail))
}

pub(super) fn duplicate(path: &Path, value: Option<&Value>) -> Cause {
    let text = value.map_or_else(
        || "Duplicate value".to_owned(),
        |value| format!("Duplicate value: {}", shown(value)),
    );
    cause(path, "FieldValueDuplicate", text)
}

/// `supported` in the order in which upstream shows them.
pub(super) fn unsupported(path: &Path, value: &Value, supported: &[String]) -> Cause {
    let list: Vec<String> = supported.iter().map(|s| format!("{s:?}")).collect();
    let text = format!("Unsupported value: {}", shown(value));
    let detail = match list.as_slice() {
        [] => String::new(),
        list => format!("supported values: {}", list.join(", ")),
    };
    cause(path, "FieldValueNotSupported", with(text, &detail))
}

pub(super) fn too_long(path: &Path, most: i64) -> Cause {
    let bytes = if most == 1 { "byte" } else { "bytes" };
    let text = format!("Too long: may not be more than {most} {bytes}");
    cause(path, "FieldValueTooLong", text)
}

pub(super) fn too_many(path: &Path, count: usize, most: i64) -> Cause {
    let items = if most == 1 { "item" } else { "items" };
    let text = format!("Too many: {count}: must have at most {most} {items}");
    cause(path, "FieldValueTooMany", text)
}

/// Whether an error is of those after which rules are not evaluated (R-CRD-15).
pub(super) fn blocks_rules(cause: &Cause) -> bool {
    const BLOCKING: [&str; 5] = [
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    ];
    BLOCKING.contains(&cause.reason.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_printed_as_go_prints_them() {
        for (number, expect) in
            [(1.0, "1"), (0.5, "0.5"), (1e6, "1000000"), (1e21, "1e+21"), (1e-7, "1e-07")]
        {
            assert_eq!(float(number), expect);
        }
    }
}
