//! Every decoder of a request that is not protobuf (which has its own in `protobuf`), fed with
//! real input that was changed: bodies in JSON and YAML, selectors, continue tokens, managed
//! fields. Whatever comes is taken or refused; nothing panics.
//!
//! A few cases at every run; the kept run is
//! `DECODER_CASES=2000000 cargo test --release --test it decoders -- --ignored`.

#![expect(clippy::unwrap_used, reason = "a record that cannot be read fails the test")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use towtank::api::Payload;
use towtank::api::path::{Incoming, parse, percent_encode};
use towtank::base::{Rng, Time};
use towtank::cli::conformance::records;
use towtank::object::{Value, yaml};
use towtank::sim::Server;

const AGENT: &str = "decoders/1";
const PODS: &str = "/api/v1/namespaces/default/configmaps";

/// What stands in for a piece of an input: what readers take for more than text.
const PIECES: [&str; 40] = [
    "\"",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "true",
    "-1",
    "1e999",
    "0x1F",
    "9223372036854775808",
    "\\u0000",
    "\\ud800",
    "\\",
    "\u{0}",
    "\u{feff}",
    "\u{2028}",
    "&a ",
    "*a",
    "<<: ",
    "!!binary ",
    "---\n",
    "\n  ",
    "\t",
    "'",
    "#",
    "f:",
    "k:{\"name\":\"a\"}",
    "v:1",
    "i:0",
    ".",
    "=",
    "!=",
    " in (",
    ")",
    "!",
    "%2e%2e",
    "\u{1f6a2}",
];

/// Real bodies with where they were sent.
struct Inputs {
    sent: Vec<(String, String, String)>,
    bodies: Vec<String>,
}

impl Inputs {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/kinds");
        let mut sent = Vec::new();
        for file in records::files(&folder).unwrap() {
            // Every so many: neighbours are much the same.
            for record in records::read(&file).unwrap().iter().step_by(23) {
                let request = &record["request"];
                let text = |key: &str| request[key].as_str().unwrap_or_default().to_owned();
                let body = match &request["body"] {
                    Value::Null => continue,
                    Value::String(text) => text.to_string(),
                    other => other.to_string(),
                };
                sent.push((text("method"), text("path"), body));
            }
        }
        let bodies = sent.iter().map(|(.., body)| body.clone()).collect();
        Self { sent, bodies }
    }
}

fn place(rng: &mut Rng, bytes: &[u8]) -> usize {
    usize::try_from(rng.below(bytes.len() as u64 + 1)).unwrap()
}

fn one_of<'a, T: ?Sized>(rng: &mut Rng, all: &[&'a T]) -> &'a T {
    all[usize::try_from(rng.below(all.len() as u64)).unwrap()]
}

/// An input with a few changes.
fn changed(rng: &mut Rng, input: &[u8], others: &[String]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=rng.below(4) {
        let (a, b) = (place(rng, &bytes), place(rng, &bytes));
        let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 40));
        match rng.below(6) {
            0 if from < bytes.len() => bytes[from] ^= 1 << rng.below(8),
            1 => drop(bytes.drain(from..to)),
            2 => {
                let piece = bytes[from..to].to_vec();
                bytes.splice(from..from, piece);
            }
            3 if !others.is_empty() => {
                let other = &others[usize::try_from(rng.below(others.len() as u64)).unwrap()];
                let (c, d) = (place(rng, other.as_bytes()), place(rng, other.as_bytes()));
                let piece = other.as_bytes()[c.min(d)..c.max(d).min(c.min(d) + 40)].to_vec();
                bytes.splice(from..to, piece);
            }
            _ => {
                let piece = one_of(rng, &PIECES).bytes();
                bytes.splice(from..to, piece);
            }
        }
    }
    bytes
}

/// Sends a request as it comes from a socket; what it is answered does not matter.
fn send(server: &mut Server, method: &str, target: &str, media: &str, body: &[u8]) {
    let body = Bytes::copy_from_slice(body);
    let incoming = Incoming { method, target, content_type: media, user_agent: AGENT, body };
    let tried = catch_unwind(AssertUnwindSafe(|| {
        if let Ok(request) = parse(&incoming, |gvr| server.kind_of(gvr)) {
            let now = Time::VIRTUAL_START + Duration::from_secs(1);
            drop(server.handle(now, 1, 1, &request));
            server.drop_client(1);
        }
    }));
    let shown = String::from_utf8_lossy(&incoming.body);
    assert!(tried.is_ok(), "panics: {method} {target} {media}\n{shown}");
}

/// What is asked of a list.
const SELECTORS: [&str; 8] = [
    "labelSelector=a%3Db,c+in+(d,e),!f",
    "labelSelector=app.kubernetes.io/name+notin+(x,),n%3E5",
    "fieldSelector=metadata.name%3Da,metadata.namespace!%3Db",
    "fieldSelector=status.phase%3DRunning%5C,x",
    "watch=1&resourceVersion=1&timeoutSeconds=1&sendInitialEvents=true",
    "limit=2&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhXHUwMDAwIn0",
    "resourceVersion=3&resourceVersionMatch=Exact&limit=1",
    "gracePeriodSeconds=3&propagationPolicy=Orphan&dryRun=All",
];

fn run(cases: u64) {
    let inputs = Inputs::read();
    assert!(inputs.sent.len() > 200, "{} inputs", inputs.sent.len());
    let mut rng = Rng::new(7);
    let mut server = Server::new(&rng.fork("server"));
    for name in ["a", "b", "c", "owned"] {
        let body = format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{{\"name\":{name:?},\"labels\":{{\"a\":\"b\"}}}},\"data\":{{\"k\":\"v\"}}}}"
        );
        send(&mut server, "POST", PODS, "application/json", body.as_bytes());
    }
    for case in 0..cases {
        let at = usize::try_from(rng.below(inputs.sent.len() as u64)).unwrap();
        let (method, path, body) = &inputs.sent[at];
        let dry = if path.contains('?') { path.clone() } else { format!("{path}?dryRun=All") };
        match case % 5 {
            0 => {
                let body = changed(&mut rng, body.as_bytes(), &inputs.bodies);
                let media = one_of(
                    &mut rng,
                    &[
                        "application/json",
                        "application/merge-patch+json",
                        "application/json-patch+json",
                        "application/strategic-merge-patch+json",
                    ],
                );
                send(&mut server, method, &dry, media, &body);
            }
            1 => {
                let text = serde_json::from_str::<Value>(body).ok().map(|v| yaml::to_string(&v));
                let text = text.unwrap_or_else(|| body.clone());
                let body = changed(&mut rng, text.as_bytes(), &inputs.bodies);
                let apply = rng.below(2) == 0;
                let (method, media) = if apply {
                    ("PATCH", "application/apply-patch+yaml")
                } else {
                    (method.as_str(), "application/yaml")
                };
                send(&mut server, method, &format!("{dry}&fieldManager=m"), media, &body);
            }
            2 => {
                let query = one_of(&mut rng, &SELECTORS);
                let query = changed(&mut rng, query.as_bytes(), &[]);
                let query = String::from_utf8_lossy(&query).into_owned();
                let method = one_of(&mut rng, &["GET", "DELETE", "POST"]);
                let target = format!("{PODS}?{query}&dryRun=All");
                send(&mut server, method, &target, "application/json", b"");
            }
            3 => continue_token(&mut server, &mut rng),
            _ => managed_fields(&mut server, &mut rng),
        }
    }
}

/// A token that a list gave, changed as text or as what is in it.
fn continue_token(server: &mut Server, rng: &mut Rng) {
    let target = format!("{PODS}?limit=1");
    let incoming =
        Incoming { method: "GET", target: &target, user_agent: AGENT, ..Incoming::default() };
    let request = parse(&incoming, |gvr| server.kind_of(gvr)).unwrap();
    let handled = server.handle(Time::VIRTUAL_START, 1, 1, &request);
    let Payload::List(list) = &handled.response.payload else { return };
    let token = list.continue_token.clone().unwrap_or_default();
    let token = changed(rng, token.as_bytes(), &[]);
    let token = percent_encode(&String::from_utf8_lossy(&token));
    send(server, "GET", &format!("{PODS}?limit=1&continue={token}"), "", b"");
}

/// Owned fields as a client may send them back.
fn managed_fields(server: &mut Server, rng: &mut Rng) {
    const OWNED: &str = r#"{"f:data":{".":{},"f:k":{}},"f:metadata":{"f:labels":{".":{},"f:a":{}},"f:ownerReferences":{"k:{\"uid\":\"x\"}":{".":{},"f:name":{}},"v:\"a\"":{},"i:3":{}}}}"#;
    let owned = changed(rng, OWNED.as_bytes(), &[]);
    let owned = String::from_utf8_lossy(&owned).into_owned();
    let body = format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{{\"name\":\"owned\",\"managedFields\":[{{\"manager\":\"m\",\"operation\":\"Apply\",\"apiVersion\":\"v1\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{owned}}}]}},\"data\":{{\"k\":\"v\"}}}}"
    );
    let target = format!("{PODS}/owned");
    send(server, "PUT", &target, "application/json", body.as_bytes());
    let apply = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owned}\ndata: {k: w}\n";
    send(
        server,
        "PATCH",
        &format!("{target}?fieldManager=n"),
        "application/apply-patch+yaml",
        apply,
    );
}

#[test]
fn changed_requests_are_taken_or_refused() {
    run(1_500);
}

#[test]
#[ignore = "as long as it is asked to be"]
fn changed_requests_are_taken_or_refused_many_times() {
    let cases = std::env::var("DECODER_CASES").ok().and_then(|n| n.parse().ok());
    run(cases.unwrap_or(1_000_000));
}
