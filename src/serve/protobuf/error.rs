//! Why a body cannot be read, in the words of the real server (whose readers are generated and
//! all speak alike), and the message that it makes of it.
//!
//! Not here: the `Status` around the message (`sim::rest`).

use std::borrow::Cow;

use crate::api::path::summary;
use crate::object::Gvk;
use crate::object::quantity::NotQuantity;

/// Where the real server's list of kinds says that it was made.
const SCHEME: &str = "pkg/runtime/scheme.go:111";

/// What is wrong with a body. None of it gets better by trying again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No bytes at all.
    #[error("empty data")]
    EmptyData,
    /// Nothing after the magic bytes.
    #[error("empty body")]
    EmptyBody,
    /// The magic bytes are missing.
    #[error(
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
    )]
    NoMagic,
    /// The envelope does not say what it holds.
    #[error(
        "Object '{missing}' is missing in 'runtime.TypeMeta{{APIVersion:{}, Kind:{}}}'",
        quoted(api_version),
        quoted(kind)
    )]
    #[expect(missing_docs, reason = "said by the variant")]
    Unnamed { missing: &'static str, api_version: String, kind: String },
    /// The envelope names a kind that has no protobuf.
    #[error(
        "no kind {} is registered for version {} in scheme {SCHEME:?}",
        quoted(kind),
        quoted(api_version)
    )]
    #[expect(missing_docs, reason = "said by the variant")]
    NoKind { kind: String, api_version: String },
    /// Options of another verb where those of a delete are expected.
    #[error("decoded object cannot be converted to DeleteOptions")]
    NotOptions,
    /// It breaks off, or a length points behind the end.
    #[error("unexpected EOF")]
    Truncated,
    /// An integer of more than ten bytes.
    #[error("proto: integer overflow")]
    Overflow,
    /// A length of more than 63 bits.
    #[error("proto: negative length found during unmarshaling")]
    NegativeLength,
    /// An unknown group ends that did not begin.
    #[error("proto: unexpected end of group")]
    EndOfGroup,
    /// An unknown field of wire type 6 or 7.
    #[error("proto: illegal wireType {0}")]
    IllegalWire(u8),
    /// A known field of another wire type than its own.
    #[error("proto: wrong wireType = {wire} for field {field}")]
    #[expect(missing_docs, reason = "said by the variant")]
    WrongWire { wire: u8, field: Cow<'static, str> },
    /// The end of a group among the fields of a message.
    #[error("proto: {0}: wiretype end group for non-group")]
    EndGroup(&'static str),
    /// A field number that is not positive.
    #[error("proto: {message}: illegal tag {number} (wire type {wire})")]
    #[expect(missing_docs, reason = "said by the variant")]
    IllegalTag { message: &'static str, number: i32, wire: u64 },
    /// An amount that is none.
    #[error(transparent)]
    Quantity(#[from] NotQuantity),
    /// JSON inside the message that is none. Go would notice when it prints the object.
    #[error("json: {0}")]
    Json(String),
    /// A value that JSON has no form for. Go would notice when it prints the object.
    #[error("{0}")]
    NoForm(&'static str),
    /// Messages inside each other beyond `limits::DOCUMENT_DEPTH`.
    #[error("proto: messages are nested too deeply")]
    TooDeep,
    /// Far more maps than bytes could need.
    #[error("proto: too many messages for the length of the body")]
    TooMany,
}

impl Error {
    pub(super) fn no_kind(gvk: &Gvk) -> Self {
        Error::NoKind { kind: gvk.kind.to_string(), api_version: gvk.api_version() }
    }

    /// Whether reading goes on: all else that is wrong with the body is told first.
    pub(super) fn is_late(&self) -> bool {
        matches!(self, Error::Json(_) | Error::NoForm(_))
    }
}

/// A text in quotes, as Go's `%q` has it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            '\0'..='\u{1f}' | '\u{7f}' if !"\n\r\t".contains(c) => {
                quoted += &format!("\\x{:02x}", u32::from(c));
            }
            '\'' => quoted.push(c),
            c => quoted.extend(c.escape_debug()),
        }
    }
    quoted + "\""
}

/// A body that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// What the body says it holds; `None` where not even that could be read.
    pub gvk: Option<Gvk>,
    /// What is wrong with it.
    #[source]
    pub why: Error,
}

impl Refused {
    /// The message of the real server's 400 where a `kind` was expected (R-HTTP-26).
    #[must_use]
    pub fn message(&self, kind: &str, body: &[u8]) -> String {
        let why = &self.why;
        match &self.gvk {
            Some(gvk) if !gvk.kind.is_empty() => {
                let (found, version) = (&gvk.kind, &gvk.version);
                format!("{found} in version {version:?} cannot be handled as a {kind}: {why}")
            }
            _ => format!(
                "the object provided is unrecognized (must be of type {kind}): {why} ({})",
                summary(body)
            ),
        }
    }
}
