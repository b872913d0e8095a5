//! From the bytes of an answer to a [`Response`], and from a line of a watch to its event.
//!
//! What cannot be read as the API's own JSON (a page of a proxy, `404 page not found`) becomes a
//! Status with the code of the answer and the text as its message.

use std::sync::Arc;

use hyper::header::{self, HeaderMap};

use crate::api::{Details, EventKind, List, Payload, Reason, Response, Status, Verb, WatchEvent};
use crate::object::{Map, Name, Object, Value, value};

/// Reads an answer to a request of this verb.
pub(super) fn read(verb: Verb, code: u16, headers: &HeaderMap, bytes: &[u8]) -> Response {
    let payload = match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(map)) => payload(verb, code, map),
        _ => Payload::Status(Box::new(text(code, bytes))),
    };
    Response { code, payload, warnings: warnings(headers) }
}

fn payload(verb: Verb, code: u16, mut map: Map) -> Payload {
    if map.get("kind").and_then(Value::as_str) == Some("Status") && map.get("status").is_some() {
        return Payload::Status(Box::new(status(code, &map)));
    }
    if verb != Verb::List {
        return Payload::Object(Arc::new(Object(map)));
    }
    let items = match map.remove("items") {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let items = items.into_iter().filter_map(|item| Object::from_value(item).ok());
    let items = items.map(Arc::new).collect();
    let list = Object(map);
    let said = |key: &str| list.text(&["metadata", key]).filter(|text| !text.is_empty());
    Payload::List(List {
        kind: Name::Owned(list.kind().to_owned()),
        api_version: list.api_version().to_owned(),
        revision: list.revision(),
        continue_token: said("continue").map(ToOwned::to_owned),
        remaining: list.int(&["metadata", "remainingItemCount"]).and_then(|n| n.try_into().ok()),
        items,
    })
}

/// A Status as it was sent.
fn status(code: u16, map: &Map) -> Status {
    let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default();
    let reason = Value::from(text("reason"));
    let details = map.get("details").cloned();
    Status {
        // The real server leaves `code` out of some.
        code: map
            .get("code")
            .and_then(Value::as_u64)
            .and_then(|n| n.try_into().ok())
            .unwrap_or(code),
        reason: value::from_value(reason).unwrap_or(Reason::Unknown),
        message: text("message").to_owned(),
        details: details.and_then(|details| value::from_value::<Details>(details).ok()),
    }
}

/// What is no JSON, as a Status.
fn text(code: u16, bytes: &[u8]) -> Status {
    let reason = match code {
        401 => Reason::Unauthorized,
        403 => Reason::Forbidden,
        404 => Reason::NotFound,
        429 => Reason::TooManyRequests,
        503 => Reason::ServiceUnavailable,
        504 => Reason::Timeout,
        _ => Reason::Unknown,
    };
    let text = String::from_utf8_lossy(bytes);
    Status::new(code, reason, text.trim())
}

/// Texts of `Warning` headers: `299 - "text"` (R-HTTP-25).
fn warnings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::WARNING).into_iter().filter_map(|v| v.to_str().ok());
    let quoted = |value: &str| {
        let (_, text) = value.split_once('"')?;
        let (text, _) = text.rsplit_once('"')?;
        Some(text.replace("\\\"", "\"").replace("\\\\", "\\"))
    };
    values.filter_map(quoted).collect()
}

/// Reads a line of a watch; `None` where it is none.
pub(super) fn event(line: &[u8]) -> Option<WatchEvent> {
    let Ok(Value::Object(mut map)) = serde_json::from_slice::<Value>(line) else { return None };
    let kind = match map.get("type").and_then(Value::as_str)? {
        "ADDED" => EventKind::Added,
        "MODIFIED" => EventKind::Modified,
        "DELETED" => EventKind::Deleted,
        "BOOKMARK" => EventKind::Bookmark,
        "ERROR" => EventKind::Error,
        _ => return None,
    };
    let object = Object::from_value(map.remove("object")?).ok()?;
    Some(WatchEvent { kind, object: Arc::new(object) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(verb: Verb, code: u16, body: &str) -> String {
        let response = read(verb, code, &HeaderMap::new(), body.as_bytes());
        match response.payload {
            Payload::Object(object) => format!("object {}", object.name()),
            Payload::List(list) => {
                format!("{} {} +{:?}", list.kind, list.items.len(), list.continue_token)
            }
            Payload::Status(status) => {
                format!("{} {:?} {}", status.code, status.reason, status.message)
            }
            Payload::Watching => "watching".to_owned(),
        }
    }

    #[test]
    fn every_form_of_answer_is_read() {
        let check = |verb, code, body: &str, want: &str| assert_eq!(shown(verb, code, body), want);
        check(Verb::Get, 200, r#"{"kind":"Pod","metadata":{"name":"p"}}"#, "object p");
        let list = r#"{"kind":"PodList","apiVersion":"v1",
            "metadata":{"resourceVersion":"7","continue":"x"},"items":[{"metadata":{}}]}"#;
        check(Verb::List, 200, list, "PodList 1 +Some(\"x\")");
        let gone =
            r#"{"kind":"Status","status":"Failure","reason":"Expired","code":410,"message":"old"}"#;
        check(Verb::List, 410, gone, "410 Expired old");
        let done = r#"{"kind":"Status","status":"Success","details":{"name":"p"}}"#;
        check(Verb::Delete, 200, done, "200 Unknown ");
        let odd = r#"{"kind":"Status","status":"Failure","reason":"NewWord","message":"m"}"#;
        check(Verb::Get, 418, odd, "418 Unknown m");
        check(Verb::Get, 404, "404 page not found\n", "404 NotFound 404 page not found");
        check(Verb::Get, 502, "<html>", "502 Unknown <html>");
    }

    #[test]
    fn a_line_of_a_watch_is_an_event() {
        let read = |line: &str| event(line.as_bytes()).map(|event| event.kind);
        assert_eq!(read(r#"{"type":"ADDED","object":{}}"#), Some(EventKind::Added));
        assert_eq!(read(r#"{"type":"BOOKMARK","object":{}}"#), Some(EventKind::Bookmark));
        assert_eq!(read(r#"{"type":"ADDED"}"#), None);
        assert_eq!(read("{"), None);
    }
}
