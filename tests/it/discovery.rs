//! The documents by which a server tells what it serves, held to those of a real one by digest:
//! an equal digest is an equal document, byte by byte (R-HTTP-02 to R-HTTP-13).
//!
//! What differs is listed in `exceptions.txt`, with the reason; an exception that passes fails
//! the test.

#![expect(clippy::unwrap_used, reason = "a record that cannot be read fails the test")]

use std::fmt::Write as _;
use std::path::PathBuf;

use towtank::api::{PatchKind, Request};
use towtank::base::{Rng, Time};
use towtank::object::{Gvr, Object, Value, json};
use towtank::sim::Server;
use towtank::sim::rest::discovery::{Document, DocumentRequest};

const CLIENT: u32 = 1;
const CUSTOM_RESOURCE_DEFINITIONS: Gvr =
    Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions");

fn read(file: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/discovery");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

/// Which of the records of a file are looked at.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Discovery,
    OpenApi,
}

/// A file of records holds to a real server's answers.
fn check(server: &Server, file: &str, part: Part) {
    let listed = read("exceptions.txt");
    let own = listed.lines().filter_map(|line| line.strip_prefix(file)?.strip_prefix('\t'));
    let mut exceptions: Vec<&str> =
        own.filter(|e| e.starts_with("/openapi/") == (part == Part::OpenApi)).collect();
    let (mut right, mut report) = (0, String::new());
    for line in read(file).lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let (path, accept) = (record["path"].as_str().unwrap(), record["accept"].as_str().unwrap());
        if path.starts_with("/openapi/") != (part == Part::OpenApi) {
            continue;
        }
        let name = format!("{path} {accept}");
        let differences = compare(server, &record);
        let excepted = exceptions.iter().position(|e| e.split('\t').next() == Some(&name));
        match (differences.is_empty(), excepted) {
            (true, None) => right += 1,
            (false, Some(at)) => _ = exceptions.remove(at),
            (true, Some(_)) => {
                _ = writeln!(report, "{name}\n    passes: take it out of exceptions.txt")
            }
            (false, None) => _ = writeln!(report, "{name}\n    {}", differences.join("\n    ")),
        }
    }
    for exception in exceptions {
        let _ = writeln!(report, "{exception}\n    is excepted and is no record");
    }
    assert!(report.is_empty(), "{right} right, wrong:\n{report}");
}

fn compare(server: &Server, record: &Value) -> Vec<String> {
    let (path, query) = record["path"]
        .as_str()
        .unwrap()
        .split_once('?')
        .unwrap_or((record["path"].as_str().unwrap(), ""));
    let get = DocumentRequest {
        path,
        query,
        accept: record["accept"].as_str().unwrap(),
        if_none_match: record["none_match"].as_str(),
    };
    let Some(document) = server.document(&get) else { return vec!["no document".to_owned()] };
    let mut differences = Vec::new();
    let mut differ = |what: &str, expected: String, found: String| {
        if expected != found {
            differences.push(format!("{what} {found}, expected {expected}"));
        }
    };
    differ("code", record["code"].to_string(), document.code.to_string());
    for name in ["Content-Type", "Cache-Control", "ETag", "Vary", "Location"] {
        let expected = record["headers"][name].as_str().unwrap_or_default();
        differ(name, expected.to_owned(), header(&document, name));
    }
    differ("bytes", record["bytes"].to_string(), document.body.len().to_string());
    differ("digest", record["sha256"].as_str().unwrap().to_owned(), digest(&document.body));
    if let (Ok(folder), false) = (std::env::var("TOWTANK_DUMP"), differences.is_empty()) {
        let file =
            format!("{}{}", record["path"].as_str().unwrap(), record["accept"].as_str().unwrap())
                .replace('/', "_");
        std::fs::write(PathBuf::from(folder).join(file), &document.body).unwrap();
    }
    differences
}

/// The values of a header, joined where it comes more than once.
fn header(document: &Document, name: &str) -> String {
    if name == "Content-Type" {
        return document.content_type.clone();
    }
    let found = document.headers.iter().filter(|(n, _)| *n == name);
    found.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ")
}

fn digest(bytes: &[u8]) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    hash.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Creates the recorded definitions, with the status that a real server gave them.
fn define(server: &mut Server) {
    let definitions: Vec<Value> = serde_json::from_str(&read("definitions.json")).unwrap();
    for (id, definition) in definitions.into_iter().enumerate() {
        let object = Object::from_value(definition).unwrap();
        let name = object.name().to_owned();
        let id = 2 * id as u64;
        let create = Request::create(CUSTOM_RESOURCE_DEFINITIONS, "", object.clone());
        let now = Time::VIRTUAL_START;
        let answer = server.handle(now, CLIENT, id, &create).response;
        assert!(answer.is_ok(), "{name}: {:?}", answer.payload);
        let status = json!({ "status": object.at(&["status"]) });
        let update =
            Request::patch(CUSTOM_RESOURCE_DEFINITIONS, "", &name, PatchKind::Merge, status);
        let answer = server.handle(now, CLIENT, id + 1, &update.subresource("status")).response;
        assert!(answer.is_ok(), "{name}: {:?}", answer.payload);
    }
}

#[test]
fn documents_are_those_of_a_real_server() {
    check(&Server::new(&Rng::new(1)), "documents.jsonl", Part::Discovery);
}

#[test]
fn openapi_documents_are_those_of_a_real_server() {
    check(&Server::new(&Rng::new(1)), "documents.jsonl", Part::OpenApi);
}

#[test]
fn definitions_show_in_the_documents_at_once() {
    let mut server = Server::new(&Rng::new(1));
    let get = DocumentRequest { path: "/apis", ..DocumentRequest::default() };
    let before = server.document(&get).unwrap();
    define(&mut server);
    assert_ne!(before.body, server.document(&get).unwrap().body);
    check(&server, "custom.jsonl", Part::Discovery);
    check(&server, "custom.jsonl", Part::OpenApi);
    let remove = Request::delete(CUSTOM_RESOURCE_DEFINITIONS, "", "ants.aaa.example.org");
    server.handle(Time::VIRTUAL_START, CLIENT, 99, &remove);
    let gone = DocumentRequest { path: "/apis/aaa.example.org", ..get };
    assert_eq!(server.document(&gone).unwrap().code, 404);
}
