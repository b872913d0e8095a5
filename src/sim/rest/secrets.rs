//! What is special about bytes in objects: `stringData` of a Secret becomes `data`, and text that
//! is to be base64 must be (R-DEF-09).

use crate::object::{Object, Value};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Moves `stringData`, which is never kept, to `data`.
pub(super) fn fold_string_data(secret: &mut Object) {
    let Some(Value::Object(texts)) = secret.0.remove("stringData") else { return };
    for (key, text) in texts {
        let encoded = encode(text.as_str().unwrap_or_default().as_bytes());
        secret.set(&["data", &key], encoded.into());
    }
}

fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            if i > chunk.len() {
                out.push('=');
            } else {
                let six = (bits >> (18 - 6 * i)) & 63;
                out.push(char::from(ALPHABET[six as usize]));
            }
        }
    }
    out
}

/// The bytes of a text that is base64; what is none is skipped.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let (mut out, mut bits, mut count) = (Vec::with_capacity(text.len() / 4 * 3), 0_u32, 0);
    for six in text.bytes().filter_map(|c| ALPHABET.iter().position(|a| *a == c)) {
        bits = bits << 6 | u32::try_from(six).unwrap_or(0);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).unwrap_or(0));
        }
    }
    out
}

/// The first byte at which a text stops being base64, as Go's decoder counts it.
pub(super) fn base64_fault(text: &str) -> Option<usize> {
    let bytes: Vec<u8> = text.bytes().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    let padding = bytes.iter().rev().take(2).take_while(|b| **b == b'=').count();
    let body = &bytes[..bytes.len() - padding];
    if let Some(bad) = body.iter().position(|b| !ALPHABET.contains(b)) {
        return Some(bad);
    }
    match (body.len() % 4, padding) {
        (0, 0) | (2, 2) | (3, 1) => None,
        (0, _) => Some(body.len()),
        (_, 0) => Some(bytes.len() / 4 * 4),
        _ => Some(bytes.len()),
    }
}

/// What is wrong with the bytes that an object carries, in the decoder's words.
pub(super) fn bytes_fault(kind: &str, value: &Value) -> Option<String> {
    let field = match kind {
        "Secret" => "data",
        "ConfigMap" => "binaryData",
        _ => return None,
    };
    let mut texts = value.get(field)?.as_object()?.values().filter_map(Value::as_str);
    let at = texts.find_map(base64_fault)?;
    Some(format!("illegal base64 data at input byte {at}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn string_data_is_folded_into_data() {
        let value = json!({"data": {"a": "eA=="}, "stringData": {"a": "b", "c": "de", "f": "ghi"}});
        let mut secret = Object::from_value(value).unwrap();
        fold_string_data(&mut secret);
        assert_eq!(secret.into_value(), json!({"data": {"a": "Yg==", "c": "ZGU=", "f": "Z2hp"}}));
    }

    #[test]
    fn faults_of_base64_are_counted_as_go_counts_them() {
        for (text, at) in
            [("%%%", Some(0)), ("YWJj", None), ("Yg==", None), ("Yg", Some(0)), ("", None)]
        {
            assert_eq!(base64_fault(text), at, "{text}");
        }
    }
}
