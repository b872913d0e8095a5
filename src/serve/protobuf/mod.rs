//! Kubernetes protobuf: the bytes that client-go sends and takes, turned into the JSON value that
//! stands for the same object, and back (R-HTTP-15).
//!
//! A body is four bytes of [`MAGIC`] and an envelope with apiVersion, kind and the object. An
//! object that is read here has exactly the fields that Go prints after reading it; one that is
//! written has exactly the bytes that Go writes. Which field has which number is a generated
//! table (`table`); the few messages that JSON shows as something else are in `forms`.
//!
//! What protobuf does not carry is lost, as it is for the real server: apiVersion and kind of
//! objects inside others, and the difference between an empty list and none.
//!
//! Not here: which media type is asked for and given (the HTTP shell), what an object may say
//! (`sim::rest`). Custom resources and `Table` have no protobuf: [`encode`] gives `None` for them.

mod error;
mod forms;
mod read;
mod table;
mod wire;
mod write;

use crate::object::{Gvk, Map, Value};

pub use error::{Error, Refused};

/// What every body begins with.
pub const MAGIC: [u8; 4] = *b"k8s\0";

/// The media type of a body.
pub const CONTENT_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// The media type of a watch, whose answer is a row of frames ([`frame`]).
pub const WATCH_CONTENT_TYPE: &str = "application/vnd.kubernetes.protobuf;stream=watch";

/// A body that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// `v1`, `apps/v1`, ...
    pub api_version: String,
    /// `Deployment`, `DeleteOptions`, ...
    pub kind: String,
    /// The object, with apiVersion and kind.
    pub value: Value,
}

/// Reads a body. Where its envelope names no kind or version, `default` (what the path is about)
/// stands in.
///
/// Time and memory are bounded by the length of the body: nothing is set aside for a length that
/// is only claimed, and neither depth nor the number of maps made of few bytes is without limit.
///
/// # Errors
/// If it is no protobuf, breaks off, does not fit its kind, or is of a kind without protobuf. The
/// texts are the real server's, but for the two bounds.
///
/// ```
/// use towtank::object::json;
/// use towtank::serve::protobuf;
///
/// let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"},
///     "spec": {}, "status": {}});
/// let bytes = protobuf::encode(&namespace).unwrap();
/// assert_eq!(protobuf::decode(&bytes, None).unwrap().value, namespace);
/// ```
pub fn decode(body: &[u8], default: Option<&Gvk>) -> Result<Decoded, Refused> {
    let envelope = read::envelope(body).map_err(|why| Refused { gvk: None, why })?;
    let gvk = named(&envelope, default);
    let found = message_of(&envelope, &gvk);
    let value = found.and_then(|id| object(id, envelope.raw, &gvk));
    match value {
        Ok(value) => Ok(Decoded::of(&gvk, value)),
        Err(why) => Err(Refused { gvk: Some(gvk), why }),
    }
}

/// Reads the `DeleteOptions` in the body of a DELETE, which may be of any group and version.
///
/// # Errors
/// As [`decode`]; also if it is another kind. The text is the whole message of the 400.
pub fn decode_options(body: &[u8]) -> Result<Decoded, Error> {
    let envelope = read::envelope(body)?;
    let gvk = named(&envelope, Some(&Gvk::new("meta.k8s.io", "v1", "DeleteOptions")));
    match &*gvk.kind {
        "DeleteOptions" => {
            let id = table::table().kind("*", "*", "DeleteOptions");
            let id = id.ok_or_else(|| Error::no_kind(&gvk))?;
            Ok(Decoded::of(&gvk, object(id, envelope.raw, &gvk)?))
        }
        "CreateOptions" | "UpdateOptions" => Err(Error::NotOptions),
        _ => Err(Error::no_kind(&gvk)),
    }
}

impl Decoded {
    fn of(gvk: &Gvk, value: Value) -> Self {
        Self { api_version: gvk.api_version(), kind: gvk.kind.to_string(), value }
    }
}

/// The kind that an envelope names, filled up from the default as upstream does it.
fn named(envelope: &read::Envelope<'_>, default: Option<&Gvk>) -> Gvk {
    let (group, version) = split(&envelope.api_version);
    let mut gvk = gvk(group, version, &envelope.kind);
    if let Some(default) = default {
        if gvk.kind.is_empty() {
            gvk.kind.clone_from(&default.kind);
        }
        if gvk.version.is_empty() {
            gvk.group.clone_from(&default.group);
            gvk.version.clone_from(&default.version);
        }
    }
    gvk
}

fn message_of(envelope: &read::Envelope<'_>, gvk: &Gvk) -> Result<table::MessageId, Error> {
    if gvk.kind.is_empty() || gvk.version.is_empty() {
        let missing = if gvk.kind.is_empty() { "Kind" } else { "apiVersion" };
        let api_version = envelope.api_version.clone();
        return Err(Error::Unnamed { missing, api_version, kind: envelope.kind.clone() });
    }
    let found = table::table().kind(&gvk.group, &gvk.version, &gvk.kind);
    found.ok_or_else(|| Error::no_kind(gvk))
}

fn object(id: table::MessageId, raw: &[u8], gvk: &Gvk) -> Result<Value, Error> {
    let mut map = Map::new();
    map.insert("apiVersion".to_owned(), gvk.api_version().into());
    map.insert("kind".to_owned(), gvk.kind.to_string().into());
    read::Reading::of(raw).object(id, raw, &mut map)?;
    Ok(Value::Object(map))
}

fn gvk(group: &str, version: &str, kind: &str) -> Gvk {
    let name = |text: &str| text.to_owned().into();
    Gvk { group: name(group), version: name(version), kind: name(kind) }
}

/// Group and version of an apiVersion; nothing of one with two slashes.
fn split(api_version: &str) -> (&str, &str) {
    match api_version.split_once('/') {
        Some((_, version)) if version.contains('/') => ("", ""),
        Some(pair) => pair,
        None => ("", api_version),
    }
}

/// Writes an object, list, `Status` or options, as a body. `None` if its kind has no protobuf or
/// if a value is not of the type of its field; the answer is then JSON. What has no apiVersion, as
/// some answers of discovery, is of `v1`.
#[must_use]
pub fn encode(object: &Value) -> Option<Vec<u8>> {
    let map = object.as_object()?;
    let api_version = map.get("apiVersion").map_or(Some(""), Value::as_str)?;
    let kind = map.get("kind")?.as_str()?;
    let (group, version) = split(if api_version.is_empty() { "v1" } else { api_version });
    let id = table::table().kind(group, version, kind)?;
    write::body(api_version, kind, id, object)
}

/// One event of a watch: its word (`ADDED`, ...) and the object as [`encode`] wrote it, with the
/// length in front that parts it from the next. One encoded object serves every watcher.
#[must_use]
pub fn frame(event: &str, object: &[u8]) -> Vec<u8> {
    write::frame(event, object)
}

/// Every kind that has protobuf. A group and version of `*` stands for all.
pub fn kinds() -> impl Iterator<Item = Gvk> {
    table::table().kinds().map(|[group, version, kind]| Gvk::new(group, version, kind))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Read as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::table::{Shape, Type, table};
    use super::wire::{BYTES, FIXED64, Reader};
    use super::*;

    /// Fields that are set, by the place of their message and their number.
    type Seen = BTreeSet<(usize, i32)>;

    fn see(id: table::MessageId, data: &[u8], seen: &mut Seen) -> Result<(), Error> {
        let message = table().message(id);
        let mut reader = Reader::new(data);
        while let Some((number, wire)) = reader.field(message.name)? {
            let bytes = match wire {
                BYTES => reader.bytes()?,
                FIXED64 => &reader.fixed64()?.to_le_bytes(),
                _ => &[u8::from(reader.varint()? != 0)][..],
            };
            let Some(place) = message.place(number) else { continue };
            // A pointer is only there if it is set, as it is to a struct without fields.
            let is_set = message.fields[place].is_pointer();
            if is_set || bytes.iter().any(|byte| *byte != 0) {
                seen.insert((id.place(), number));
            }
            match (message.fields[place].ty, message.fields[place].shape) {
                (Type::Message(id), Shape::Map) => {
                    let mut entry = Reader::new(bytes);
                    while entry.field("")?.is_some_and(|(number, _)| number == 1) {
                        entry.bytes()?;
                    }
                    see(id, entry.bytes()?, seen)?;
                }
                (Type::Message(id), _) => see(id, bytes, seen)?,
                _ => {}
            }
        }
        Ok(())
    }

    #[test]
    fn every_field_is_set_in_some_record() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/baseline/protobuf/records.jsonl.gz");
        let mut text = String::new();
        let file = std::fs::File::open(path).unwrap();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let mut seen = Seen::new();
        for line in text.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            if record["p"].is_string() && record["j"].is_object() && record["d"].is_null() {
                let body = STANDARD.decode(record["p"].as_str().unwrap()).unwrap();
                let envelope = read::envelope(&body).unwrap();
                let id = message_of(&envelope, &named(&envelope, None)).unwrap();
                see(id, envelope.raw, &mut seen).unwrap();
            }
        }
        let unseen = table().fields().filter(|(at, _, f)| !seen.contains(&(*at, f.number)));
        let unseen: Vec<_> = unseen.map(|(_, message, field)| (message.name, field.json)).collect();
        assert!(unseen.is_empty(), "run scripts/baseline-protobuf: {unseen:?}");
    }
}
