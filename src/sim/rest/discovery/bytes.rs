//! JSON in the bytes that Go's encoder writes: fields in the order of the struct, and `<`, `>`,
//! `&` and two line ends of Unicode as escapes. An `ETag` is the digest of such bytes, so they
//! count.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use serde::Serialize;

use crate::api::Status;
use crate::object::{Value, yaml};

/// A value on one line, with a newline behind it.
pub(super) fn line(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = compact(value);
    bytes.push(b'\n');
    bytes
}

/// A value on one line.
pub(in crate::sim::rest) fn compact(value: &impl Serialize) -> Vec<u8> {
    escape(serde_json::to_vec(value).unwrap_or_default())
}

/// A value with a line for each field, moved in by two blanks a level.
pub(super) fn pretty(value: &impl Serialize) -> Vec<u8> {
    escape(serde_json::to_vec_pretty(value).unwrap_or_default())
}

/// A JSON text with the escapes that Go writes. What is escaped stands only within texts.
fn escape(bytes: Vec<u8>) -> Vec<u8> {
    let is_plain = |b: &u8| !matches!(b, b'<' | b'>' | b'&' | 0xe2);
    if bytes.iter().all(is_plain) {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 64);
    let mut rest = bytes.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let (escaped, taken): (&[u8], usize) = match (first, after) {
            (b'<', _) => (b"\\u003c", 1),
            (b'>', _) => (b"\\u003e", 1),
            (b'&', _) => (b"\\u0026", 1),
            (0xe2, [0x80, 0xa8, ..]) => (b"\\u2028", 3),
            (0xe2, [0x80, 0xa9, ..]) => (b"\\u2029", 3),
            _ => (&rest[..1], 1),
        };
        out.extend_from_slice(escaped);
        rest = &rest[taken..];
    }
    out
}

/// A JSON text as YAML.
pub(super) fn yaml(json: &[u8]) -> Vec<u8> {
    let value: Value = serde_json::from_slice(json).unwrap_or_default();
    yaml::to_string(&value).into_bytes()
}

/// The digest that stands in `ETag`: 128 hexadecimal digits in capitals (R-HTTP-05).
pub(in crate::sim::rest) fn etag(bytes: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA512, bytes);
    hash.as_ref().iter().fold(String::with_capacity(128), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// A status as it goes over the wire.
pub(super) fn status(status: &Status) -> Vec<u8> {
    line(&StatusFields::of(status))
}

/// The same with a line for each field.
pub(super) fn pretty_status(status: &Status) -> Vec<u8> {
    pretty(&StatusFields::of(status))
}

#[derive(Serialize)]
struct StatusFields<'a> {
    kind: &'static str,
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    metadata: Empty,
    status: &'static str,
    message: &'a str,
    reason: crate::api::Reason,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: &'a Option<crate::api::Details>,
    code: u16,
}

/// `{}`.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Empty {}

impl<'a> StatusFields<'a> {
    fn of(status: &'a Status) -> Self {
        Self {
            kind: "Status",
            api_version: "v1",
            metadata: Empty {},
            status: "Failure",
            message: &status.message,
            reason: status.reason,
            details: &status.details,
            code: status.code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_html_could_take_for_its_own_is_escaped() {
        let text = "a<b>&\u{2028}\u{2029}\u{2020}é";
        let expect = "\"a\\u003cb\\u003e\\u0026\\u2028\\u2029\u{2020}é\"";
        assert_eq!(String::from_utf8(compact(&text)).unwrap(), expect);
    }

    #[test]
    fn an_etag_is_the_digest_in_capitals() {
        assert!(etag(b"").starts_with("CF83E1357EEFB8BDF1542850D66D8007D620E405"));
        assert_eq!(etag(b"").len(), 128);
    }
}
