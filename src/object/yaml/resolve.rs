//! What a scalar stands for: text, a number, a boolean or null, in one dialect or the other.
//!
//! The rules are those of the Go YAML libraries under kubectl and kustomize, recorded from the
//! tools: integers as Go's `ParseInt` with base 0 after `_` is taken out, floats by YAML 1.1's
//! pattern, and a float that is a whole number is printed, so kept, as an integer.

use std::borrow::Cow;

use super::spanned::{Scalar, Style};
use super::{Dialect, folded, timestamp};
use crate::object::Value;

/// Whether a scalar is null in any dialect.
pub(super) fn is_null(scalar: &Scalar) -> bool {
    match scalar.tag.as_deref() {
        None => {
            scalar.style == Style::Plain
                && matches!(scalar.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
        }
        Some(tag) => tag == "null",
    }
}

/// The value of a scalar, or why JSON has none for it.
pub(super) fn value(scalar: &Scalar, dialect: Dialect) -> Result<Value, String> {
    let text = scalar.text.as_str();
    match scalar.tag.as_deref() {
        None if scalar.style == Style::Plain => plain(text, dialect),
        None | Some("str" | "!") if scalar.folded && dialect == Dialect::Kustomize => {
            Ok(Value::String(folded::again(text).into()))
        }
        None | Some("str" | "!") => Ok(Value::String(text.into())),
        Some("binary") => Err("!!binary is not read: write the text itself".to_owned()),
        Some(tag @ ("int" | "float" | "bool" | "null" | "timestamp")) => tagged(text, tag, dialect),
        // A tag that only its author knows says nothing to kubectl either.
        Some(_) => Ok(Value::String(text.into())),
    }
}

/// The text of a key, or why it cannot be one.
pub(super) fn key(scalar: &Scalar, dialect: Dialect) -> Result<Cow<'_, str>, String> {
    let is_plain = scalar.style == Style::Plain && scalar.tag.is_none();
    if is_plain && typed(&scalar.text, dialect)?.is_none() {
        return Ok(Cow::Borrowed(&scalar.text));
    }
    match (value(scalar, dialect)?, dialect) {
        // A date as a key is taken as it is written.
        (Value::String(_), _) if scalar.style == Style::Plain => Ok(Cow::Borrowed(&scalar.text)),
        (Value::String(text), _) => Ok(Cow::Owned(text.into())),
        (Value::Bool(flag), Dialect::Kubectl) => Ok(flag.to_string().into()),
        (Value::Number(number), Dialect::Kubectl) => Ok(number.to_string().into()),
        (Value::Null, _) => Err("a key must not be null".to_owned()),
        _ => Err(format!("key {} must be text: quote it", scalar.text)),
    }
}

fn tagged(text: &str, tag: &str, dialect: Dialect) -> Result<Value, String> {
    let value = plain(text, dialect)?;
    let fits = match tag {
        "int" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        "bool" => value.is_boolean(),
        "null" => value.is_null(),
        _ => true,
    };
    if fits { Ok(value) } else { Err(format!("{text:?} is no {tag}, as its tag says")) }
}

/// Whether a plain scalar with this text would be text in both dialects.
pub(super) fn is_plain_text(text: &str) -> bool {
    [Dialect::Kubectl, Dialect::Kustomize]
        .into_iter()
        .all(|dialect| plain(text, dialect).is_ok_and(|v| v.as_str() == Some(text)))
}

/// Whether the Go library would read a plain scalar with this text as text.
pub(super) fn is_go_text(text: &str) -> bool {
    timestamp::canonical(text).is_none()
        && typed(text, Dialect::Kubectl).is_ok_and(|value| value.is_none())
}

/// A plain scalar in a dialect, as [`value`] reads one without a tag.
///
/// # Errors
/// Where JSON has no such value.
pub(crate) fn plain(text: &str, dialect: Dialect) -> Result<Value, String> {
    Ok(typed(text, dialect)?.unwrap_or_else(|| Value::String(text.into())))
}

/// What a plain scalar is read as, where that is something else than its text.
fn typed(text: &str, dialect: Dialect) -> Result<Option<Value>, String> {
    let Some(first) = text.bytes().next() else { return Ok(Some(Value::Null)) };
    match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => {
            let number = number(text)?;
            if number.is_some() || dialect == Dialect::Kubectl {
                return Ok(number);
            }
            Ok(timestamp::canonical(text).map(|instant| Value::String(instant.into())))
        }
        _ => Ok(word(text, dialect)),
    }
}

fn word(text: &str, dialect: Dialect) -> Option<Value> {
    match text {
        "~" | "null" | "Null" | "NULL" => Some(Value::Null),
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if dialect == Dialect::Kubectl => {
            Some(Value::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if dialect == Dialect::Kubectl => {
            Some(Value::Bool(false))
        }
        _ => None,
    }
}

fn number(text: &str) -> Result<Option<Value>, String> {
    if matches!(
        text.trim_start_matches(['+', '-']),
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN"
    ) {
        return Err(format!("{text} cannot be said in JSON"));
    }
    let digits = text.replace('_', "");
    if let Some(integer) = integer(&digits) {
        return Ok(Some(integer));
    }
    if !is_float(&digits) {
        return Ok(None);
    }
    // What overflows stays the text that it is.
    Ok(digits.parse::<f64>().ok().filter(|f| f.is_finite()).and_then(whole_or_float))
}

fn whole_or_float(float: f64) -> Option<Value> {
    if float.fract() == 0.0 && float.abs() < 1e21 {
        let text = format!("{float:.0}");
        if let Ok(whole) = text.parse::<i64>() {
            return Some(whole.into());
        }
        if let Ok(whole) = text.parse::<u64>() {
            return Some(whole.into());
        }
    }
    serde_json::Number::from_f64(float).map(Value::Number)
}

fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = radix(digits);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if !negative {
        return Some(magnitude.into());
    }
    0i64.checked_sub_unsigned(magnitude).map(Value::from)
}

fn radix(digits: &str) -> (u32, &str) {
    let prefixes = [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8)];
    for (prefix, radix) in prefixes {
        if let Some(rest) = digits.strip_prefix(prefix) {
            return (radix, rest);
        }
    }
    match digits.strip_prefix('0') {
        Some(rest) if !rest.is_empty() => (8, rest),
        _ => (10, digits),
    }
}

/// YAML 1.1's float: digits, at most one point, at most one exponent.
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn scalar(text: &str, style: Style) -> Scalar {
        Scalar { text: text.to_owned(), style, folded: false, tag: None }
    }

    #[track_caller]
    fn check(text: &str, kubectl: &Value, kustomize: &Value) {
        let plain = scalar(text, Style::Plain);
        assert_eq!(&value(&plain, Dialect::Kubectl).unwrap(), kubectl, "{text}");
        assert_eq!(&value(&plain, Dialect::Kustomize).unwrap(), kustomize, "{text}");
        let quoted = scalar(text, Style::Double);
        assert_eq!(value(&quoted, Dialect::Kubectl).unwrap(), json!(text));
    }

    #[test]
    fn scalars_are_taken_for_what_kubectl_and_kustomize_take_them_for() {
        let same = [
            ("0644", json!(420)),
            ("0o644", json!(420)),
            ("0b101", json!(5)),
            ("0x1F", json!(31)),
            ("1_000", json!(1000)),
            ("1:30", json!("1:30")),
            ("09", json!(9)),
            ("1.10", json!(1.1)),
            ("1.0", json!(1)),
            (".5", json!(0.5)),
            ("+5", json!(5)),
            ("-0", json!(0)),
            ("1e3", json!(1000)),
            ("1e400", json!("1e400")),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
            ("12345678901234567890123", json!(1.234_567_890_123_456_8e22)),
            ("2001-12-14 21:59:43.10 -5", json!("2001-12-14 21:59:43.10 -5")),
            ("1.2.3", json!("1.2.3")),
            ("-", json!("-")),
            ("", json!(null)),
            ("~", json!(null)),
            ("True", json!(true)),
        ];
        for (text, expected) in same {
            check(text, &expected, &expected);
        }
        check("yes", &json!(true), &json!("yes"));
        check("Off", &json!(false), &json!("Off"));
        check("y", &json!(true), &json!("y"));
        check("2001-12-14", &json!("2001-12-14"), &json!("2001-12-14T00:00:00Z"));
    }

    #[test]
    fn keys_are_made_text_by_kubectl_and_must_be_text_for_kustomize() {
        for (text, kubectl, kustomize) in [
            ("on", Ok("true"), Ok("on")),
            ("0123", Ok("83"), Err("key 0123 must be text: quote it")),
            ("2001-12-14", Ok("2001-12-14"), Ok("2001-12-14")),
            ("~", Err("a key must not be null"), Err("a key must not be null")),
        ] {
            let plain = scalar(text, Style::Plain);
            assert_eq!(key(&plain, Dialect::Kubectl).as_deref().map_err(String::as_str), kubectl);
            assert_eq!(
                key(&plain, Dialect::Kustomize).as_deref().map_err(String::as_str),
                kustomize
            );
        }
    }
}
