//! Answers and watch events as bytes, in the form that was negotiated.
//!
//! Lists of built-in kinds leave kind and apiVersion of their items out, as Go's typed lists do;
//! those of custom resources keep them. Not here: headers (`reply`), the order of keys (`write`).

use bytes::Bytes;

use super::cluster::Cluster;
use super::negotiate::{Form, Media};
use super::order::{LIST_METADATA, Order};
use super::{protobuf, write, write_yaml};
use crate::api::{EventKind, List, Payload, Response, Status, WatchEvent};
use crate::object::{Gvr, Map, Object, Value, json};

/// Bytes, and what they are.
#[derive(Clone, Debug)]
pub(super) struct Encoded {
    pub(super) media: Media,
    pub(super) bytes: Bytes,
}

/// Writes an answer.
///
/// # Errors
/// 406 where the shape that was asked for cannot be made of it.
pub(super) fn response(
    cluster: &Cluster,
    resource: &Gvr,
    response: &Response,
    form: Form,
) -> Result<Encoded, Status> {
    match (&response.payload, &form.transform) {
        (Payload::Status(found), _) => Ok(status(found, form)),
        (Payload::Object(object), None) => Ok(whole(object, form)),
        (Payload::List(list), None) => Ok(whole_list(list, form)),
        (payload @ (Payload::Object(_) | Payload::List(_)), Some(transform)) => {
            let made = cluster
                .with_server(|server, now| server.transformed(resource, payload, transform, now))?;
            Ok(value(&made, form))
        }
        (Payload::Watching, _) => Ok(Encoded { media: form.media, bytes: Bytes::new() }),
    }
}

/// Writes a failure, or the success of a delete.
pub(super) fn status(status: &Status, form: Form) -> Encoded {
    value(&status.to_object().into_value(), form)
}

fn whole(object: &Object, form: Form) -> Encoded {
    if form.media != Media::Json {
        return value(&Value::Object(object.0.clone()), form);
    }
    let mut out = Vec::with_capacity(1024);
    write::map(&mut out, &object.0, Order::of_object(object), &[]);
    finished(out, form)
}

/// Writes any value as a document of its own.
pub(super) fn value(value: &Value, form: Form) -> Encoded {
    match form.media {
        Media::Yaml => Encoded { media: Media::Yaml, bytes: write_yaml::document(value).into() },
        Media::Protobuf => match protobuf::encode(value) {
            Some(bytes) => Encoded { media: Media::Protobuf, bytes: bytes.into() },
            None => self::value(value, Form { media: Media::Json, ..form }),
        },
        Media::Json => {
            let mut out = Vec::with_capacity(1024);
            write::value(&mut out, value, Order::of_value(value));
            finished(out, form)
        }
    }
}

fn finished(mut out: Vec<u8>, form: Form) -> Encoded {
    if form.pretty {
        out = write::pretty(&out);
    } else {
        out.push(b'\n');
    }
    Encoded { media: Media::Json, bytes: out.into() }
}

fn whole_list(list: &List, form: Form) -> Encoded {
    let kind = list.kind.strip_suffix("List").unwrap_or(&list.kind);
    let order = Order::of(&list.api_version, kind);
    if form.media == Media::Json {
        return json_list(list, order, form);
    }
    let items = list.items.iter().map(|item| {
        let mut map = item.0.clone();
        if order.is_of_struct() {
            map.remove("kind");
            map.remove("apiVersion");
        }
        Value::Object(map)
    });
    let items: Vec<Value> = items.collect();
    let list = json!({ "kind": list.kind, "apiVersion": list.api_version,
        "metadata": list_metadata(list), "items": items });
    value(&list, form)
}

fn json_list(list: &List, order: Order, form: Form) -> Encoded {
    let mut out = Vec::with_capacity(256 + 768 * list.items.len());
    let metadata = Value::Object(list_metadata(list));
    let typed = order.is_of_struct();
    let metadata_order = if typed { Order::Fixed(&LIST_METADATA) } else { Order::Sorted };
    let but: &[&str] = if typed { &["kind", "apiVersion"] } else { &[] };
    let items = |out: &mut Vec<u8>| {
        out.extend_from_slice(b"\"items\":[");
        for (n, item) in list.items.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            write::map(out, &item.0, order, but);
        }
        out.push(b']');
    };
    let text = |out: &mut Vec<u8>, key: &[u8], text: &str| {
        out.extend_from_slice(key);
        write::string(out, text);
    };
    if order.is_of_struct() {
        text(&mut out, b"{\"kind\":", &list.kind);
        text(&mut out, b",\"apiVersion\":", &list.api_version);
        out.extend_from_slice(b",\"metadata\":");
        write::value(&mut out, &metadata, metadata_order);
        out.push(b',');
        items(&mut out);
    } else {
        text(&mut out, b"{\"apiVersion\":", &list.api_version);
        out.push(b',');
        items(&mut out);
        text(&mut out, b",\"kind\":", &list.kind);
        out.extend_from_slice(b",\"metadata\":");
        write::value(&mut out, &metadata, metadata_order);
    }
    out.push(b'}');
    finished(out, form)
}

/// What a list says of itself.
fn list_metadata(list: &List) -> Map {
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".to_owned(), list.revision.to_string().into());
    if let Some(token) = &list.continue_token {
        metadata.insert("continue".to_owned(), token.clone().into());
    }
    if let Some(remaining) = list.remaining {
        metadata.insert("remainingItemCount".to_owned(), remaining.into());
    }
    metadata
}

/// Writes one event of a watch; `transformed` is its object in another shape, where one was asked
/// for.
pub(super) fn event(event: &WatchEvent, form: Form, transformed: Option<&Value>) -> Bytes {
    let form = Form { pretty: false, ..form };
    let object = match transformed {
        Some(transformed) => value(transformed, form),
        None => whole(&event.object, form),
    };
    framed(event_name(event.kind), &object, form.media)
}

const fn event_name(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Added => "ADDED",
        EventKind::Modified => "MODIFIED",
        EventKind::Deleted => "DELETED",
        EventKind::Bookmark => "BOOKMARK",
        EventKind::Error => "ERROR",
    }
}

/// An event as a line of JSON, or as a length and a protobuf `WatchEvent` (whose object may be
/// JSON inside where it has no protobuf).
fn framed(name: &str, object: &Encoded, media: Media) -> Bytes {
    if media == Media::Protobuf {
        return protobuf::frame(name, &object.bytes).into();
    }
    let body = object.bytes.strip_suffix(b"\n").unwrap_or(&object.bytes);
    let mut out = Vec::with_capacity(body.len() + 48);
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\",\"object\":");
    out.extend_from_slice(body);
    out.extend_from_slice(b"}\n");
    out.into()
}
