//! What kstatus says of objects, as Flux has it: our rules against the library's own answers.
//!
//! `scripts/baseline-health` recorded them; the name of each case begins with the number of the
//! behaviour that it shows (R-HLT-01 to R-HLT-12).

#![expect(clippy::unwrap_used, reason = "a record that cannot be read fails the test")]

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use towtank::base::Time;
use towtank::cli::conformance::records;
use towtank::engine::health::{self, State};
use towtank::object::{Object, Value};

fn lines(file: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/health");
    records::read(&folder.join(file)).unwrap()
}

/// The library's word for a state; what it gives up on is not known.
fn word(state: State) -> &'static str {
    match state {
        State::Current => "Current",
        State::InProgress => "InProgress",
        State::Failed => "Failed",
        State::Terminating => "Terminating",
        State::NotFound => "NotFound",
        State::Unknown => "error",
    }
}

#[test]
fn health_is_what_kstatus_says() {
    let begun = Time::VIRTUAL_START;
    let (cases, records) = (lines("cases.jsonl.gz"), lines("kstatus.jsonl.gz"));
    assert_eq!(cases.len(), records.len());
    let mut wrong = String::new();
    for (case, record) in cases.iter().zip(&records) {
        let name = case["name"].as_str().unwrap();
        assert_eq!(record["name"], name);
        let mut object = Object::from_value(case["object"].clone()).unwrap();
        let mut now = begun;
        if let Some(age) = case["age_seconds"].as_u64() {
            // Virtual time has a beginning; the object is as old as it is to be a while later.
            object.set(&["metadata", "creationTimestamp"], begun.rfc3339().into());
            now += Duration::from_secs(age);
        }
        tell(&mut wrong, name, record, &health::status(&object, now));
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Notes how a verdict differs from the recorded one. Why something cannot be judged is in Go's
/// words, and a Job's reader tells no reason.
fn tell(wrong: &mut String, name: &str, record: &Value, found: &health::Health) {
    let is_error = record["status"] == "error";
    let reason = record["reason"].as_str().unwrap();
    let same = record["status"] == word(found.state)
        && (is_error || record["message"] == found.message.as_str())
        && (reason.is_empty() || reason == found.reason);
    if !same {
        let _ = writeln!(
            wrong,
            "{name}\n    {} {} {:?}, expected {} {reason} {}",
            word(found.state),
            found.reason,
            found.message,
            record["status"],
            record["message"]
        );
    }
}
