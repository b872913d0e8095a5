//! Heads and bodies byte by byte, against what a real kube-apiserver sent.

#![expect(clippy::unwrap_used, reason = "a record that cannot be read fails the test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use towtank::cli::conformance::records;
use towtank::object::Value;
use towtank::serve::{Cluster, MASTERS, Peer, Settings};
use towtank::sim::rest::{Endpoint, Subject};
use towtank::sim::world::Parts;

/// Records whose answers are still different, and why.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "path /api/v1/namespaces/default/configmaps/%ff",
    "PARTIAL: a path is text; a byte that is none is shown as a question mark",
)];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/serve")
}

#[tokio::test]
async fn answers_are_the_bytes_that_a_real_server_sends() {
    check("wire.jsonl", None).await;
}

/// The name of each request begins with the number of the behaviour that it shows.
#[tokio::test]
async fn numbered_behaviours_of_the_wire_are_as_recorded() {
    let endpoint = Endpoint {
        address: "192.0.2.1".to_owned(),
        port: 443,
        client_ca: String::new(),
        front_proxy_ca: String::new(),
    };
    check("by-number.jsonl.gz", Some(endpoint)).await;
}

/// With an endpoint, the roles are there that a server makes at its start.
async fn check(file: &str, endpoint: Option<Endpoint>) {
    let settings = Settings { parts: Parts::NONE, endpoint, ..Settings::default() };
    let cluster = Cluster::start(settings);
    let mut report = String::new();
    for record in records::read(&folder().join(file)).unwrap() {
        let name = record["name"].as_str().unwrap();
        let found = ask(&cluster, &record["request"]).await;
        let differences = compare(&record, &found);
        let excepted = EXCEPTIONS.iter().any(|(known, _)| *known == name);
        match (differences.is_empty(), excepted) {
            (true, false) | (false, true) => {}
            (true, true) => {
                let _ = writeln!(report, "{name}\n    is right: take it out of EXCEPTIONS");
            }
            (false, false) => {
                let _ = writeln!(report, "{name}\n    {}", differences.join("\n    "));
            }
        }
    }
    assert!(report.is_empty(), "{report}");
}

struct Found {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

async fn ask(cluster: &Cluster, request: &Value) -> Found {
    let text = |key: &str| request[key].as_str().unwrap_or_default().to_owned();
    let method = text("method");
    let mut asked = hyper::Request::builder().method(method.as_str()).uri(text("path"));
    for (name, value) in request["headers"].as_object().unwrap() {
        asked = asked.header(name.as_str(), value.as_str().unwrap());
    }
    let body = match request["nested"].as_u64() {
        Some(depth) => nested(usize::try_from(depth).unwrap()),
        None => match request["repeated"].as_array() {
            Some(parts) => repeated(parts),
            None => text("body"),
        },
    };
    let asked = asked.body(Full::new(Bytes::from(body))).unwrap();
    let peer = Peer::Certificate(Subject {
        common_name: "admin".to_owned(),
        organizations: vec![MASTERS.to_owned()],
        fingerprint: String::new(),
    });
    let service = cluster.service_for(peer);
    let answer = hyper::service::Service::call(&service, asked).await.unwrap();
    let (head, body) = answer.into_parts();
    let size = hyper::body::Body::size_hint(&body).exact();
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &head.headers {
        // One that is sent several times stands in lines.
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let held = headers.entry(name.to_string());
        held.and_modify(|held| *held = format!("{held}\n{value}")).or_insert(value);
    }
    // What HTTP/1.1 makes of a body whose length is told, of one whose length is not, and of none.
    match size {
        _ if head.status == hyper::StatusCode::NO_CONTENT => None,
        Some(size) if method == "HEAD" => {
            headers.insert("content-length".to_owned(), size.to_string())
        }
        Some(_) => headers.insert("content-length".to_owned(), "N".to_owned()),
        None => headers.insert("transfer-encoding".to_owned(), "chunked".to_owned()),
    };
    let bytes = body.collect().await.unwrap().to_bytes();
    let body =
        if method == "HEAD" { String::new() } else { String::from_utf8_lossy(&bytes).into_owned() };
    Found { status: head.status.as_u16(), headers, body: masked(&body) }
}

/// As many maps as the record says, each in the one before.
fn nested(depth: usize) -> String {
    format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth))
}

/// A head, so many times the same, and a tail.
fn repeated(parts: &[Value]) -> String {
    let text = |at: usize| parts[at].as_str().unwrap();
    let times = usize::try_from(parts[2].as_u64().unwrap()).unwrap();
    format!("{}{}{}", text(0), text(1).repeat(times), text(3))
}

const LEFT_OUT: &[&str] =
    &["audit-id", "x-kubernetes-pf-flowschema-uid", "x-kubernetes-pf-prioritylevel-uid"];

fn compare(record: &Value, found: &Found) -> Vec<String> {
    let mut differences = Vec::new();
    if record["status"] != u32::from(found.status) {
        differences.push(format!("status {}, expected {}", found.status, record["status"]));
    }
    let mut headers = found.headers.clone();
    headers.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
    let expected: BTreeMap<String, String> =
        towtank::object::value::from_value(record["headers"].clone()).unwrap();
    if headers != expected {
        differences.push(format!("headers {headers:?}\n    expected {expected:?}"));
    }
    // Of a body that is packed, or protobuf, its beginning alone is looked at.
    let Some(expected) = record["body"].as_str() else {
        let is_packed = record["headers"].get("content-encoding").is_some();
        let begins = found.body.starts_with(if is_packed { "\u{1f}" } else { "k8s\0" });
        differences.extend((!begins).then(|| "the body is of another make".to_owned()));
        return differences;
    };
    if found.body != expected {
        let same = found.body.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b).count();
        let from = (0..=same.saturating_sub(60)).rev().find(|n| expected.is_char_boundary(*n));
        let shown = |text: &str| -> String {
            text.get(from.unwrap_or(0)..).unwrap_or(text).chars().take(200).collect()
        };
        differences.push(format!(
            "body    …{:?}\n    expected …{:?}",
            shown(&found.body),
            shown(expected)
        ));
    }
    differences
}

/// A text with what differs from run to run masked as in the records.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        // Most letters begin nothing that is masked.
        if !c.is_ascii_hexdigit() && !out.ends_with('"') {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let before = out.as_str();
        let quoted = |word: &str| {
            ["\":\"", "\": \"", ": \""].iter().any(|by| before.ends_with(&format!("{word}{by}")))
        };
        let end = rest.find('"').unwrap_or(rest.len());
        if is_uid(rest) {
            (out, rest) = (out + "UID", &rest[36..]);
        } else if is_time(rest) {
            (out, rest) = (out + "TIME", &rest[20..]);
        } else if quoted("resourceVersion") && rest[..end].bytes().all(|b| b.is_ascii_digit()) {
            (out, rest) = (out + "RV", &rest[end..]);
        } else if c.is_ascii_digit()
            && (out.ends_with(", current: ") || out.ends_with("in record ("))
        {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            (out, rest) = (out + "RV", &rest[end..]);
        } else if quoted("continue") {
            (out, rest) = (out + "TOKEN", &rest[end..]);
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn is_uid(text: &str) -> bool {
    let Some(head) = text.as_bytes().get(..36) else { return false };
    head.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
    })
}

fn is_time(text: &str) -> bool {
    let Some(head) = text.as_bytes().get(..20) else { return false };
    head.iter().enumerate().all(|(at, byte)| match at {
        4 | 7 => *byte == b'-',
        10 => *byte == b'T',
        13 | 16 => *byte == b':',
        19 => *byte == b'Z',
        _ => byte.is_ascii_digit(),
    })
}
