//! Replays requests that were recorded with a real kube-apiserver, and compares the answers.
//!
//! Uids, times and resource versions are masked in the records; here a masked value must stand
//! for one value of ours throughout a record, and the other way round. What we do not do yet is
//! listed by name in `exceptions.txt`, with the reason; an exception that passes fails the test.

#![expect(clippy::unwrap_used, reason = "a record that cannot be read fails the test")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use towtank::api::path::{Incoming, parse};
use towtank::api::{EventKind, Payload, Response, Status, Verb};
use towtank::base::{Rng, Time};
use towtank::cli::conformance::{Answer, Comparison, records};
use towtank::object::{Map, Value, json};
use towtank::sim::{Delivery, Server};

use crate::senders;

const CLIENT: u32 = 1;

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
pub(crate) fn check_part(part: &str, file: &str, replay: Replay) {
    let Report { right, excepted, wrong } = report_on(part, file, replay);
    assert!(wrong.is_empty(), "{right} right, {excepted} excepted, wrong:\n{wrong}");
}

/// How a file of records came out.
pub(crate) struct Report {
    pub(crate) right: usize,
    pub(crate) excepted: usize,
    /// What is neither, in words.
    pub(crate) wrong: String,
}

/// Sends a file of a part's records, and compares.
pub(crate) fn report_on(part: &str, file: &str, mut replay: Replay) -> Report {
    let file = folder(part).join(file);
    let exceptions = records::exceptions(&file).unwrap();
    let mut wrong = String::new();
    let (mut right, mut excepted) = (0, 0);
    let mut known: Vec<String> = Vec::new();
    for record in records::read(&file).unwrap() {
        let name = record["name"].as_str().unwrap();
        let differences = replay.compare(&record);
        if record.get("setup").is_some() {
            continue;
        }
        known.push(name.to_owned());
        match (differences.is_empty(), exceptions.get(name)) {
            (true, None) => right += 1,
            (false, Some(_)) => excepted += 1,
            (true, Some(_)) => {
                let _ = writeln!(wrong, "{name}\n    passes: take it out of exceptions.txt");
            }
            (false, None) => {
                let _ = writeln!(wrong, "{name}\n    {}", differences.join("\n    "));
            }
        }
    }
    for name in exceptions.keys().filter(|name| !known.contains(name)) {
        let _ = writeln!(wrong, "{name}\n    is excepted and is no record");
    }
    Report { right, excepted, wrong }
}

pub(crate) struct Replay {
    pub(crate) server: Server,
    /// Who sends what names nobody else, by his bearer token; `None` for a client in process.
    sender: Option<String>,
    now: Time,
    next_id: u64,
    comparison: Comparison,
}

impl Replay {
    pub(crate) fn new(server: Server) -> Self {
        Self {
            server,
            sender: None,
            now: Time::VIRTUAL_START,
            next_id: 0,
            comparison: Comparison::default(),
        }
    }

    /// The same, but requests have a sender, who is known by a token.
    pub(crate) fn sent_by(mut self, token: &str) -> Self {
        self.sender = Some(token.to_owned());
        self.comparison.has_objects_of_its_own = true;
        self
    }

    fn compare(&mut self, record: &Value) -> Vec<String> {
        let mut reviews = Vec::new();
        let answer = self.send(record, &mut reviews);
        let mut differences = Vec::new();
        if let Some(expected) = record.get("reviews") {
            self.comparison.walk(".reviews", expected, &json!(reviews), &mut differences);
        }
        differences.append(&mut self.comparison.differences(record, &answer));
        if let Some(claims) = record.get("claims") {
            let ours = senders::claims(&answer.body).unwrap_or_default();
            self.comparison.walk(".claims", claims, &ours, &mut differences);
        }
        differences
    }

    /// Status code, warnings and body of our answer.
    fn send(&mut self, record: &Value, reviews: &mut Vec<Value>) -> Answer {
        let request = &record["request"];
        self.now += Duration::from_secs(1);
        self.next_id += 1;
        let text = |key: &str| request[key].as_str().unwrap_or_default().to_owned();
        let target = self.comparison.translate(&text("path"));
        let body = match &request["body"] {
            Value::Null => String::new(),
            Value::String(body) => self.comparison.translate(body),
            other => {
                let text = request["text"].as_str().map(ToOwned::to_owned);
                self.comparison.translate(&text.unwrap_or_else(|| other.to_string()))
            }
        };
        let (method, content_type, user_agent) = (text("method"), text("type"), text("agent"));
        let incoming = Incoming {
            method: &method,
            target: &target,
            content_type: &content_type,
            user_agent: &user_agent,
            body: body.into(),
        };
        let mut parsed = parse(&incoming, |gvr| self.server.kind_of(gvr));
        if let Some(token) = &self.sender {
            let headers = &request["headers"];
            let translated = self.comparison.translate(&headers.to_string());
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
        let mut answer = wire(&handled.response);
        if matches!(&parsed, Ok(r) if r.verb == Verb::Watch) && answer.status == 200 {
            answer.body = json!(handled.deliveries.iter().map(event).collect::<Vec<_>>());
            self.server.drop_client(CLIENT);
        }
        answer
    }
}

fn wire(response: &Response) -> Answer {
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
    Answer { status: response.code, warnings: warnings.collect(), body }
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

/// R-SUI-18: the other scripts are held to their answers in the same way.
#[test]
fn general_requests_are_answered_as_recorded() {
    check("probes.jsonl");
}

/// Which kinds have a generation is in these answers, too (R-STO-12).
#[test]
fn every_kind_is_filled_in_as_recorded() {
    check("defaults.jsonl");
}

#[test]
fn what_a_real_server_refuses_is_refused_in_its_words() {
    check("validation.jsonl");
}

#[test]
fn autoscalers_are_told_in_both_versions_as_recorded() {
    check("scaling.jsonl");
}

#[test]
fn objects_change_and_go_as_recorded() {
    check("changes.jsonl");
}

#[test]
fn versions_and_writes_of_the_store_are_as_recorded_by_number() {
    check("by-number-sto-writes.jsonl.gz");
}

#[test]
fn deletes_of_the_store_are_as_recorded_by_number() {
    let mut replay = Replay::new(Server::new(&Rng::new(1)));
    replay.comparison.has_objects_of_its_own = true;
    check_part("rest", "by-number-sto-deletes.jsonl.gz", replay);
}

#[test]
fn errors_and_parameters_are_as_recorded_by_number() {
    check("by-number-http.jsonl.gz");
}

#[test]
fn lists_and_watches_are_as_recorded_by_number() {
    check("by-number-sto-watches.jsonl.gz");
}

/// R-STO-33: what is asked of a revision before the end of history.
#[test]
fn history_that_is_gone_is_told_as_410() {
    let mut replay = Replay::new(Server::new(&Rng::new(1)));
    let mut ask = |server: &mut dyn FnMut(&mut Server), method: &str, path: &str, body: Value| {
        server(&mut replay.server);
        let request =
            json!({ "method": method, "path": path, "type": "", "agent": "", "body": body });
        replay.send(&json!({ "request": request }), &mut Vec::new())
    };
    let maps = "/api/v1/namespaces/default/configmaps";
    for name in ["a", "b"] {
        let body = json!({ "metadata": { "name": name } });
        assert_eq!(ask(&mut |_| {}, "POST", maps, body).status, 201);
    }
    let first = ask(&mut |_| {}, "GET", &format!("{maps}?limit=1"), Value::Null).body;
    let token = first["metadata"]["continue"].as_str().unwrap().to_owned();
    let body = json!({ "metadata": { "name": "c" } });
    ask(&mut |_| {}, "POST", maps, body);
    let compact = &mut |server: &mut Server| server.compact(server.revision());
    let watch = ask(compact, "GET", &format!("{maps}?watch=1&resourceVersion=1"), Value::Null);
    assert_eq!(watch.status, 200);
    let events = watch.body.as_array().unwrap();
    let told = &events[0];
    assert_eq!((events.len(), &told["type"]), (1, &json!("ERROR")));
    assert_eq!(
        (&told["object"]["code"], &told["object"]["reason"]),
        (&json!(410), &json!("Expired"))
    );
    let message = told["object"]["message"].as_str().unwrap();
    assert!(message.starts_with("too old resource version: 1 ("), "{message}");
    let exact = format!("{maps}?resourceVersion=1&resourceVersionMatch=Exact");
    for path in [exact, format!("{maps}?limit=1&continue={token}")] {
        let list = ask(&mut |_| {}, "GET", &path, Value::Null);
        assert_eq!((list.status, &list.body["reason"]), (410, &json!("Expired")), "{path}");
    }
    assert_eq!(ask(&mut |_| {}, "GET", maps, Value::Null).status, 200);
}
