//! Replays requests that were recorded with a real kube-apiserver, and compares the answers.
//!
//! Uids, times and resource versions are masked in the records; here a masked value must stand
//! for one value of ours throughout a record, and the other way round. What we do not do yet is
//! listed by name in `exceptions.txt`, with the reason; an exception that passes fails the test.

#![expect(clippy::unwrap_used, reason = "a record that cannot be read fails the test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use towtank::api::path::{Incoming, parse};
use towtank::api::{EventKind, Payload, Response, Status, Verb};
use towtank::base::{Rng, Time};
use towtank::object::{Map, Value, json};
use towtank::sim::{Delivery, Server};

use crate::senders;

const CLIENT: u32 = 1;

/// What a masked value begins with.
const MASKS: [&str; 4] = ["rv-", "uid-", "time-", "token-"];

fn folder(part: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/baseline").join(part)
}

/// A file of records holds to a real server's answers.
fn check(file: &str) {
    check_part("rest", file, Replay::new(Server::new(&Rng::new(1))));
}

/// The same of a file in another folder of `tests/baseline`.
pub(crate) fn check_in(part: &str, file: &str) {
    check_part(part, file, Replay::new(Server::new(&Rng::new(1))));
}

/// A file of a part's records, sent to a server of that part.
pub(crate) fn check_part(part: &str, file: &str, mut replay: Replay) {
    let text = std::fs::read_to_string(folder(part).join(file)).unwrap();
    let exceptions = exceptions(part, file);
    let mut report = String::new();
    let (mut right, mut excepted) = (0, 0);
    let mut known: Vec<String> = Vec::new();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let name = record["name"].as_str().unwrap();
        let differences = replay.compare(&record);
        known.push(name.to_owned());
        match (differences.is_empty(), exceptions.get(name)) {
            (true, None) => right += 1,
            (false, Some(_)) => excepted += 1,
            (true, Some(_)) => {
                let _ = writeln!(report, "{name}\n    passes: take it out of exceptions.txt");
            }
            (false, None) => {
                let _ = writeln!(report, "{name}\n    {}", differences.join("\n    "));
            }
        }
    }
    for name in exceptions.keys().filter(|name| !known.contains(name)) {
        let _ = writeln!(report, "{name}\n    is excepted and is no record");
    }
    assert!(report.is_empty(), "{right} right, {excepted} excepted, wrong:\n{report}");
}

/// File, name and reason, parted by tabs, a line each.
fn exceptions(part: &str, file: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder(part).join("exceptions.txt")).unwrap();
    let own = text.lines().filter_map(|line| line.strip_prefix(file)?.strip_prefix('\t'));
    let pairs = own.map(|line| line.split_once('\t').expect("name, a tab, the reason"));
    pairs.map(|(name, reason)| (name.to_owned(), reason.to_owned())).collect()
}

pub(crate) struct Replay {
    pub(crate) server: Server,
    /// Who sends what names nobody else, by his bearer token; `None` for a client in process.
    sender: Option<String>,
    now: Time,
    next_id: u64,
    /// Masked value to ours.
    ours: BTreeMap<String, String>,
    /// Ours to masked value.
    masked: BTreeMap<String, String>,
    /// Set while the metadata of a list or a bookmark is looked at.
    loose: bool,
}

impl Replay {
    pub(crate) fn new(server: Server) -> Self {
        Self {
            server,
            sender: None,
            now: Time::VIRTUAL_START,
            next_id: 0,
            ours: BTreeMap::new(),
            masked: BTreeMap::new(),
            loose: false,
        }
    }

    /// The same, but requests have a sender, who is known by a token.
    pub(crate) fn sent_by(mut self, token: &str) -> Self {
        self.sender = Some(token.to_owned());
        self
    }

    fn compare(&mut self, record: &Value) -> Vec<String> {
        let mut reviews = Vec::new();
        let (status, warnings, body) = self.send(record, &mut reviews);
        let mut differences = Vec::new();
        if let Some(expected) = record.get("reviews") {
            let mut found = json!(reviews);
            let mut expected = expected.clone();
            sort_managers(&mut found);
            sort_managers(&mut expected);
            self.walk(".reviews", &expected, &found, &mut differences);
        }
        if record["status"] != json!(status) {
            differences.push(format!("status {status}, expected {}", record["status"]));
        }
        if record["warnings"] != json!(warnings) {
            differences.push(format!("warnings {warnings:?}, expected {}", record["warnings"]));
        }
        let mut expected = record["body"].clone();
        sort_managers(&mut expected);
        let mut found = body;
        sort_managers(&mut found);
        sort_causes(&mut expected);
        sort_causes(&mut found);
        self.walk("", &expected, &found, &mut differences);
        if let Some(claims) = record.get("claims") {
            let ours = senders::claims(&found).unwrap_or_default();
            self.walk(".claims", claims, &ours, &mut differences);
        }
        differences.truncate(12);
        differences
    }

    /// Status code, warnings and body of our answer.
    fn send(&mut self, record: &Value, reviews: &mut Vec<Value>) -> (u16, Vec<String>, Value) {
        let request = &record["request"];
        self.now += Duration::from_secs(1);
        self.next_id += 1;
        let text = |key: &str| request[key].as_str().unwrap_or_default().to_owned();
        let target = self.translate(&text("path"));
        let body = match &request["body"] {
            Value::Null => String::new(),
            Value::String(body) => self.translate(body),
            other => self.translate(&other.to_string()),
        };
        let (method, content_type, user_agent) = (text("method"), text("type"), text("agent"));
        let incoming = Incoming {
            method: &method,
            target: &target,
            content_type: &content_type,
            user_agent: &user_agent,
            body: body.as_bytes(),
        };
        let mut parsed = parse(&incoming, |gvr| self.server.kind_of(gvr));
        if let Some(token) = &self.sender {
            let headers = &request["headers"];
            let translated = self.translate(&headers.to_string());
            let sender = senders::Sender::read(&serde_json::from_str(&translated).unwrap(), token);
            if let Err(status) = sender.sign(&mut self.server, self.now, &incoming, &mut parsed) {
                return wire(&Response::from(status));
            }
        }
        let handled = match &parsed {
            Ok(request) => {
                let first = self.server.handle(self.now, CLIENT, self.next_id, request);
                senders::answer_webhooks(&mut self.server, first, &record["answers"], reviews)
            }
            Err(status) => return wire(&Response::from(status.clone())),
        };
        let (status, warnings, mut body) = wire(&handled.response);
        if matches!(&parsed, Ok(r) if r.verb == Verb::Watch) && status == 200 {
            body = json!(handled.deliveries.iter().map(event).collect::<Vec<_>>());
            self.server.drop_client(CLIENT);
        }
        (status, warnings, body)
    }

    /// Puts our values into a request for the masked ones.
    fn translate(&self, text: &str) -> String {
        if let Some((before, token)) = text.split_once("continue=") {
            let ours = self.ours.get(token).map_or(token, String::as_str);
            return format!("{before}continue={ours}");
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = MASKS.iter().filter_map(|m| rest.find(m)).min() {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let digits = from.find('-').unwrap() + 1;
            let end = from[digits..].find(|c: char| !c.is_ascii_digit());
            let end = end.map_or(from.len(), |end| end + digits);
            let token = &from[..end];
            out.push_str(self.ours.get(token).map_or(token, String::as_str));
            rest = &from[end..];
        }
        out + rest
    }

    fn walk(&mut self, path: &str, expected: &Value, found: &Value, out: &mut Vec<String>) {
        match (expected, found) {
            (Value::Object(a), Value::Object(b)) => {
                let kind = expected["kind"].as_str().unwrap_or_default();
                let is_bookmark =
                    path.ends_with(".object") && !expected["metadata"]["name"].is_string();
                let outer = self.loose;
                let loose = is_bookmark || kind.ends_with("List");
                if loose {
                    self.learn_revision(&expected["metadata"], &found["metadata"]);
                }
                for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(key))) {
                    let path = format!("{path}.{key}");
                    self.loose = outer || (loose && key == "metadata");
                    match (a.get(key), b.get(key)) {
                        (Some(a), Some(b)) => self.walk(&path, a, b, out),
                        (Some(a), None) => out.push(format!("{path} is missing: {a}")),
                        (None, found) => {
                            out.push(format!("{path} is too much: {}", found.unwrap()));
                        }
                    }
                    self.loose = outer;
                }
            }
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                for (i, (a, b)) in a.iter().zip(b).enumerate() {
                    self.walk(&format!("{path}[{i}]"), a, b, out);
                }
            }
            (Value::String(a), Value::String(b)) => {
                if !self.same_text(path, a, b) {
                    out.push(format!("{path} is {b:?}\n        expected {a:?}"));
                }
            }
            (a, b) if a == b || (is_node_port(a) && is_node_port(b)) => {}
            (a, b) => out.push(format!("{path} is {b}\n        expected {a}")),
        }
    }

    /// Revisions of lists and bookmarks are the server's own, which others move too.
    fn learn_revision(&mut self, expected: &Value, found: &Value) {
        for key in ["resourceVersion", "continue"] {
            if let (Some(a), Some(b)) = (expected[key].as_str(), found[key].as_str()) {
                self.ours.entry(a.to_owned()).or_insert_with(|| b.to_owned());
            }
        }
    }

    fn same_text(&mut self, path: &str, expected: &str, found: &str) -> bool {
        if expected == found || (path.ends_with(".continue") && !found.is_empty()) {
            return true;
        }
        // Objects that a server makes at its start come in any order.
        if self.sender.is_some() && path.ends_with(".resourceVersion") && !expected.contains('-') {
            return true;
        }
        if expected.starts_with("time-") && !expected.contains(' ') {
            self.ours.insert(expected.to_owned(), found.to_owned());
            return Time::parse_rfc3339(found).is_some();
        }
        if is_generated(expected, found) {
            return true;
        }
        if is_service_address(expected) && is_service_address(found) {
            return true;
        }
        if let (Some(expected), Some(found)) =
            (expected.strip_prefix("JTI="), found.strip_prefix("JTI="))
        {
            return self.same_text(path, expected, found);
        }
        let is_token = ["rv-", "uid-", "token-"].iter().any(|t| {
            expected.strip_prefix(t).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        });
        if is_token && self.loose {
            return true;
        }
        if !is_token {
            return blurred(expected) == blurred(found);
        }
        let kept = self.ours.entry(expected.to_owned()).or_insert_with(|| found.to_owned());
        let back = self.masked.entry(found.to_owned()).or_insert_with(|| expected.to_owned());
        kept == found && back == expected
    }
}

/// Names that the server finished are drawn at random.
fn is_generated(a: &str, b: &str) -> bool {
    let stem = |text: &str| text.rfind('-').map(|at| text[..at].to_owned());
    a.len() == b.len() && stem(a) == stem(b) && stem(a).is_some_and(|s| s.len() + 6 == a.len())
}

/// So are node ports; a dry run's are past the range.
fn is_node_port(value: &Value) -> bool {
    value.as_i64().is_some_and(|port| (30_000..32_800).contains(&port))
}

/// Addresses are drawn at random.
fn is_service_address(text: &str) -> bool {
    text != "10.96.0.1" && text.starts_with("10.") && text.split('.').count() == 4
}

/// A text without what differs from run to run.
fn blurred(text: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in text.split_inclusive([' ', '"', '(', ')', ',', '\\']) {
        let core = word.trim_end_matches([' ', '"', '(', ')', ',', ':', '\\']);
        let is_mask = MASKS.iter().any(|m| core.starts_with(m));
        let is_uid = core.len() == 36 && core.bytes().filter(|b| *b == b'-').count() == 4;
        let is_version = matches!(words.as_slice(), [.., "current: " | "("]);
        if is_mask || is_uid || is_version || Time::parse_rfc3339(core).is_some() {
            words.push("#");
        } else {
            words.push(word);
        }
    }
    words.concat()
}

/// Entries that one second parts from another stand in the order of their times in a record,
/// which is chance; by name they can be compared.
fn sort_managers(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Array(entries)) = map.get_mut("managedFields") {
                entries.sort_by_key(|e| {
                    let text = |key: &str| e[key].as_str().unwrap_or_default().to_owned();
                    [text("operation"), text("manager"), text("subresource"), text("apiVersion")]
                });
            }
            for rules in ["resourceRules", "nonResourceRules"] {
                if let Some(Value::Array(rules)) = map.get_mut(rules) {
                    rules.sort_by_key(ToString::to_string);
                }
            }
            map.values_mut().for_each(sort_managers);
        }
        Value::Array(items) => items.iter_mut().for_each(sort_managers),
        _ => {}
    }
}

/// Causes that come from fields of a map stand in the order of Go's maps, which is chance; so do
/// the words for them in the message, which are what the causes say.
fn sort_causes(body: &mut Value) {
    let Some(causes) = body.pointer_mut("/details/causes").and_then(Value::as_array_mut) else {
        return;
    };
    causes.sort_by_key(Value::to_string);
    let is_list = causes.len() > 1;
    let message = body["message"].as_str().unwrap_or_default();
    if let Some((head, _)) = message.split_once(" is invalid: [").filter(|_| is_list) {
        body["message"] = format!("{head} is invalid: [...]").into();
    }
}

fn wire(response: &Response) -> (u16, Vec<String>, Value) {
    let body = match &response.payload {
        _ if response.code == 204 => json!(""),
        Payload::Object(object) => Value::Object(object.0.clone()),
        Payload::Status(status) => status_body(status),
        Payload::Watching => Value::Null,
        Payload::List(list) => {
            let mut metadata = Map::new();
            metadata.insert("resourceVersion".to_owned(), list.revision.to_string().into());
            if let Some(token) = &list.continue_token {
                metadata.insert("continue".to_owned(), token.clone().into());
            }
            if let Some(remaining) = list.remaining {
                metadata.insert("remainingItemCount".to_owned(), remaining.into());
            }
            let items = list.items.iter().map(|item| {
                let mut fields = item.0.clone();
                // Items of built-in kinds come without; those of others have no Go type.
                if !item.api_version().contains("example.com/") {
                    fields.remove("kind");
                    fields.remove("apiVersion");
                }
                Value::Object(fields)
            });
            json!({ "kind": list.kind, "apiVersion": list.api_version, "metadata": metadata,
                "items": items.collect::<Vec<_>>() })
        }
    };
    let warnings = response
        .warnings
        .iter()
        .map(|w| format!("299 - \"{}\"", w.replace('\\', "\\\\").replace('"', "\\\"")));
    (response.code, warnings.collect(), body)
}

fn status_body(status: &Status) -> Value {
    if status.message == "404 page not found" {
        return json!("404 page not found\n");
    }
    status.to_object().into_value()
}

fn event(delivery: &Delivery) -> Value {
    let kind = match delivery.event.kind {
        EventKind::Added => "ADDED",
        EventKind::Modified => "MODIFIED",
        EventKind::Deleted => "DELETED",
        EventKind::Bookmark => "BOOKMARK",
        EventKind::Error => "ERROR",
    };
    json!({ "type": kind, "object": delivery.event.object.0 })
}

#[test]
fn general_requests_are_answered_as_recorded() {
    check("probes.jsonl");
}

#[test]
fn every_kind_is_filled_in_as_recorded() {
    check("defaults.jsonl");
}

#[test]
fn what_a_real_server_refuses_is_refused_in_its_words() {
    check("validation.jsonl");
}

#[test]
fn objects_change_and_go_as_recorded() {
    check("changes.jsonl");
}
