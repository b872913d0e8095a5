//! Protobuf as the Go libraries of Kubernetes read and write it (R-HTTP-15), by their records in
//! tests/baseline/protobuf: every kind, real objects, broken bytes. What is read has to be equal,
//! what is written the same bytes, what is refused refused with the same text.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use towtank::object::{Gvk, Value, json};
use towtank::serve::protobuf::{Error, MAGIC, decode, decode_options, encode, frame, kinds};

const RECORDS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/baseline/protobuf/records.jsonl.gz");

fn records() -> Vec<Value> {
    let mut text = String::new();
    let file = std::fs::File::open(RECORDS).expect("the records are committed");
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("gzip");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn bytes(record: &Value, key: &str) -> Vec<u8> {
    STANDARD.decode(record[key].as_str().unwrap_or_default()).expect("base64")
}

/// What ours does other than the record says; `None` if nothing.
fn difference(record: &Value) -> Option<String> {
    let expect = &record["j"];
    if record["w"].is_string() {
        let object = encode(expect).unwrap_or_default();
        let ours = frame(record["t"].as_str().unwrap_or_default(), &object);
        return (ours != bytes(record, "w")).then(|| format!("frame: {ours:x?}"));
    }
    let body = bytes(record, "p");
    match decode(&body, None) {
        Err(refused) if expect.is_null() => refusal(record, &refused.gvk, &refused.to_string()),
        Err(refused) => Some(format!("refused: {refused}")),
        Ok(decoded) if expect.is_null() => Some(format!("taken: {}", decoded.value)),
        Ok(decoded) if decoded.value != *expect => Some(format!("read as: {}", decoded.value)),
        Ok(_) if record["d"] == true => None,
        Ok(_) => {
            let ours = encode(expect);
            (ours.as_ref() != Some(&body)).then(|| format!("written as: {ours:x?}, not {body:x?}"))
        }
    }
}

/// What printing it as JSON would say is not compared: no client gets to see it. Nor are names
/// that are no text.
fn refusal(record: &Value, gvk: &Option<Gvk>, text: &str) -> Option<String> {
    let named = gvk.as_ref().map(|gvk| {
        let (group, version, kind) = (&gvk.group, &gvk.version, &gvk.kind);
        format!("{group}/{version}, Kind={kind}")
    });
    let is_text = !record["k"].as_str().unwrap_or_default().contains('\u{fffd}');
    let is_equal = record["k"] == "json"
        || !is_text
        || record["e"] == text && record["k"].as_str() == named.as_deref();
    (!is_equal).then(|| format!("refused: {text} ({named:?})"))
}

#[test]
fn every_record_is_read_and_written_as_go_does() {
    let records = records();
    let wrong: Vec<_> = records.iter().filter_map(|r| Some((r, difference(r)?))).collect();
    let shown =
        wrong.iter().take(10).map(|(record, what)| format!("{record:.2000}\n  {what:.2000}\n"));
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        records.len(),
        shown.collect::<String>()
    );
}

#[test]
fn every_kind_has_records() {
    let records = records();
    let has = |gvk: &Gvk| {
        let is_of = |record: &&Value| {
            let object = &record["j"];
            let is_any = gvk.version == "*";
            object["kind"] == *gvk.kind
                && (is_any || object["apiVersion"] == gvk.api_version())
                && record["p"].is_string()
                && record["d"].is_null()
        };
        records.iter().filter(is_of).count() >= 2
    };
    let without: Vec<Gvk> = kinds().filter(|gvk| !has(gvk)).collect();
    assert!(without.is_empty(), "run scripts/baseline-protobuf: no records of {without:?}");
}

/// A body of that kind with the given object.
fn body_of(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let empty = json!({"apiVersion": api_version, "kind": kind});
    let mut body = encode(&empty).expect("the kind has protobuf");
    // The empty object at the end goes, with it the two empty texts behind.
    let head = 6 + usize::from(body[5]);
    body.truncate(head);
    body.push(0x12);
    body.extend(varint(raw.len()));
    body.extend(raw);
    body
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
    out
}

fn wrapped(tag: u8, inner: &[u8]) -> Vec<u8> {
    [&[tag], varint(inner.len()).as_slice(), inner].concat()
}

#[test]
fn schemas_inside_each_other_end_somewhere() {
    // `not` (field 28) of a schema, again and again.
    let nested = |depth| {
        let schema = (0..depth).fold(Vec::new(), |inner, _| {
            [&[0xe2, 0x01], varint(inner.len()).as_slice(), &inner].concat()
        });
        let validation = wrapped(0x0a, &schema);
        let version = wrapped(0x22, &validation);
        let spec = wrapped(0x3a, &version);
        body_of("apiextensions.k8s.io/v1", "CustomResourceDefinition", &wrapped(0x12, &spec))
    };
    assert!(decode(&nested(100), None).is_ok());
    assert_eq!(decode(&nested(100_000), None).unwrap_err().why, Error::TooDeep);
}

#[test]
fn a_body_cannot_make_many_times_its_size() {
    // Pods of two bytes each.
    let pods = wrapped(0x12, &[]).repeat(500_000);
    let refused = decode(&body_of("v1", "PodList", &pods), None).unwrap_err();
    assert_eq!(refused.why, Error::TooMany);
    // A length of many gigabytes.
    let huge = [&[0x0a], varint(1 << 40).as_slice()].concat();
    assert_eq!(decode(&body_of("v1", "Pod", &huge), None).unwrap_err().why, Error::Truncated);
}

#[test]
fn the_path_stands_in_for_what_the_envelope_does_not_name() {
    let bare = [MAGIC.as_slice(), &[0x0a, 0, 0x12, 0]].concat();
    let gvk = Gvk::new("apps", "v1", "Deployment");
    let decoded = decode(&bare, Some(&gvk)).unwrap();
    assert_eq!((&*decoded.api_version, &*decoded.kind), ("apps/v1", "Deployment"));
    assert_eq!(
        decode(&bare, None).unwrap_err().message("Deployment", &bare),
        "the object provided is unrecognized (must be of type Deployment): Object 'Kind' is missing in 'runtime.TypeMeta{APIVersion:\"\", Kind:\"\"}' (6b3873000a001200)"
    );
}

/// The bodies and messages are those of a series that was sent to kube-apiserver 1.36.3.
#[test]
fn a_refusal_is_worded_as_the_server_words_it() {
    let config_map = Gvk::new("", "v1", "ConfigMap");
    let check = |body: &[u8], expect: &str| {
        let refused = decode(body, Some(&config_map)).unwrap_err();
        assert_eq!(refused.message("ConfigMap", body), expect);
    };
    let unrecognized = "the object provided is unrecognized (must be of type ConfigMap):";
    let no_magic =
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
    check(b"", &format!("{unrecognized} empty data (<empty>)"));
    check(b"k8s\0", &format!("{unrecognized} empty body (6b387300)"));
    check(b"k8s\0\xff\xff", &format!("{unrecognized} unexpected EOF (6b387300ffff)"));
    check(
        b"k8s\0\x08\x01",
        &format!("{unrecognized} proto: wrong wireType = 0 for field TypeMeta (6b3873000801)"),
    );
    check(
        b"{\"kind\":\"ConfigMap\"}",
        &format!("{unrecognized} {no_magic} ({{\"kind\":\"ConfigMap\"}})"),
    );
    check(
        b"hello world this is a long body with more than thirty",
        &format!(
            "{unrecognized} {no_magic} (68656c6c6f20776f726c6420746869732069732061206c6f6e6720626f64 ...)"
        ),
    );
    let handled = "ConfigMap in version \"v1\" cannot be handled as a ConfigMap:";
    let of = |raw: &[u8]| body_of("v1", "ConfigMap", raw);
    check(&of(&[0x0a, 0x50]), &format!("{handled} unexpected EOF"));
    check(&of(&[0x08, 0x50]), &format!("{handled} proto: wrong wireType = 0 for field ObjectMeta"));
    check(&of(&[0xff; 12]), &format!("{handled} proto: integer overflow"));
}

#[test]
fn options_of_a_delete_may_be_of_any_version() {
    let check = |api_version: &str, kind: &str, raw: &[u8]| {
        let mut body = body_of("apps/v1", "DeleteOptions", raw);
        let names = [wrapped(0x0a, api_version.as_bytes()), wrapped(0x12, kind.as_bytes())];
        let head = 6 + usize::from(body[5]);
        body.splice(4..head, wrapped(0x0a, &names.concat()));
        decode_options(&body).map(|options| options.value).map_err(|e| e.to_string())
    };
    assert_eq!(
        check("example.com/v9", "DeleteOptions", &[8, 0, 0x22, 1, b'O']),
        Ok(json!({"apiVersion": "example.com/v9", "kind": "DeleteOptions",
            "gracePeriodSeconds": 0, "propagationPolicy": "O"}))
    );
    let bare = check("", "", &[]).map(|options| options["apiVersion"].clone());
    assert_eq!(bare, Ok("meta.k8s.io/v1".into()));
    for (kind, text) in [
        ("CreateOptions", "decoded object cannot be converted to DeleteOptions"),
        (
            "ConfigMap",
            "no kind \"ConfigMap\" is registered for version \"v1\" in scheme \"pkg/runtime/scheme.go:111\"",
        ),
    ] {
        assert_eq!(check("v1", kind, &[]), Err(text.to_owned()));
    }
}

#[test]
fn what_has_no_protobuf_is_not_written() {
    for object in [
        json!({"apiVersion": "example.com/v1", "kind": "Shop"}),
        json!({"apiVersion": "meta.k8s.io/v1", "kind": "Table"}),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": 7}),
        json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "no base64"}}),
        json!({"apiVersion": "v1"}),
    ] {
        assert_eq!(encode(&object), None, "{object}");
    }
}

/// One change to the bytes of a body.
#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Remove(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        at().prop_map(Change::Cut),
        at().prop_map(Change::Remove),
        (at(), prop::collection::vec(any::<u8>(), 1..12)).prop_map(|(at, b)| Change::Insert(at, b)),
        (at(), at()).prop_map(|(from, to)| Change::Repeat(from, to)),
    ]
}

fn changed(mut body: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = body.len();
        if length == 0 {
            break;
        }
        match change {
            Change::Set(at, byte) => body[at.index(length)] = *byte,
            Change::Cut(at) => body.truncate(at.index(length)),
            Change::Remove(at) => {
                body.remove(at.index(length));
            }
            Change::Insert(at, bytes) => {
                let at = at.index(length);
                body.splice(at..at, bytes.iter().copied());
            }
            Change::Repeat(from, to) => {
                let (from, to) = (from.index(length), to.index(length));
                let copy = body[from.min(to)..from.max(to)].to_vec();
                body.splice(to..to, copy);
            }
        }
    }
    body
}

/// A real body with changes: it is read or refused, and what is read comes to rest when it is
/// written and read again.
fn run_changed(cases: u32) {
    let taken = |record: &Value| record["j"].is_object() && record["p"].is_string();
    let bodies: Vec<Vec<u8>> =
        records().iter().filter(|r| taken(r)).map(|r| bytes(r, "p")).collect();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let input = (prop::sample::select(bodies), prop::collection::vec(change(), 1..5));
    let outcome = runner.run(&input, |(body, changes)| {
        let Ok(first) = decode(&changed(body, &changes), None) else { return Ok(()) };
        // What does not fit its kind any more, as a time beyond all calendars, is not written.
        let Some(again) = encode(&first.value) else { return Ok(()) };
        let second = decode(&again, None).map_err(|e| TestCaseError::fail(e.to_string()))?.value;
        prop_assert_eq!(encode(&second), Some(again));
        Ok(())
    });
    outcome.expect("no changed body is read in a way that does not come to rest");
}

#[test]
fn changed_bytes_are_read_or_refused() {
    run_changed(1_000);
}

/// The kept run: PROTOBUF_CASES=5000000 cargo test --release --test it protobuf -- --ignored
#[test]
#[ignore = "as long as it is asked to be"]
fn changed_bytes_are_read_or_refused_many_times() {
    let cases = std::env::var("PROTOBUF_CASES").ok().and_then(|n| n.parse().ok());
    run_changed(cases.unwrap_or(1_000_000));
}
