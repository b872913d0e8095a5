//! Replays the recorded cases on ours and compares the tracks.
//!
//! A track that was the same in every run of the real controllers has to be the same here. One
//! that differed from run to run depends on timing, and only the commonest ends have to agree.
//! What we do otherwise is listed in `exceptions.txt`, a case and a track a line, with the
//! reason; an exception that passes fails the test.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use towtank::object::{Gvr, Value, json};

use super::tracks::{Tracks, sorted};
use super::world::World;

fn file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/controllers");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn merged(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut target = target.as_object().cloned().unwrap_or_default();
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            let before = target.get(key).cloned().unwrap_or_default();
            target.insert(key.clone(), merged(&before, value));
        }
    }
    Value::Object(target)
}

fn pod_spec(image: &Value) -> Value {
    json!({"terminationGracePeriodSeconds": 30, "containers": [{"name": "c", "image": image}]})
}

/// The case's shorthands written out, as the recording script does.
fn filled(value: &Value, words: &BTreeMap<&str, String>) -> Value {
    match value {
        Value::Object(map) => {
            if let Some(spec) = map.get("$deployment") {
                let base = json!({"selector": {"matchLabels": {"app": "web"}}, "template":
                    {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec(&"a:1".into())}});
                return json!({"apiVersion": "apps/v1", "kind": "Deployment",
                    "metadata": {"name": "web"}, "spec": merged(&base, &filled(spec, words))});
            }
            if let Some(image) = map.get("$image") {
                return json!({"containers": pod_spec(image)["containers"]});
            }
            map.iter().map(|(k, v)| (k.clone(), filled(v, words))).collect()
        }
        Value::Array(list) => list.iter().map(|v| filled(v, words)).collect(),
        Value::String(text) => {
            let put =
                |text: String, (word, meaning): (&&str, &String)| text.replace(*word, meaning);
            words.iter().fold(text.clone(), put).into()
        }
        other => other.clone(),
    }
}

fn path(target: &str) -> String {
    let group = match target.split('/').next() {
        Some("namespace") => return "/api/v1/namespaces/case".to_owned(),
        Some("jobs") => "/apis/batch/v1",
        Some("pods" | "configmaps") => "/api/v1",
        Some(_) => "/apis/apps/v1",
        None => unreachable!("a split has a first part"),
    };
    format!("{group}/namespaces/case/{target}")
}

/// What ours makes of a case.
fn play(case: &Value, latency: Duration) -> Tracks {
    let mut world = World::new(latency, None);
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "case"}});
    world.must("POST", "/api/v1/namespaces", &namespace);
    world.run_for(Duration::from_secs(1));
    for (group, plural) in [
        ("apps", "deployments"),
        ("apps", "replicasets"),
        ("apps", "statefulsets"),
        ("apps", "daemonsets"),
        ("apps", "controllerrevisions"),
        ("batch", "jobs"),
        ("", "pods"),
        ("", "configmaps"),
        ("", "events"),
        ("", "namespaces"),
    ] {
        world.watch(Gvr::new(group, "v1", plural), "case");
    }
    let mut marks = Vec::new();
    for step in case["steps"].as_array().unwrap() {
        let first = |kind: &str, path: &[&str]| {
            let found = world.heard.iter().find(|e| e.object.kind() == kind);
            found.and_then(|e| e.object.text(path)).unwrap_or_default().to_owned()
        };
        let words = BTreeMap::from([
            ("$first", first("Pod", &["metadata", "name"])),
            ("$uid", first("Deployment", &["metadata", "uid"])),
        ]);
        let target = filled(&step["do"][1], &words);
        let body = filled(&step["do"][2], &words);
        world.must(step["do"][0].as_str().unwrap(), &path(target.as_str().unwrap()), &body);
        // The real one was left alone until nothing had changed for two seconds.
        let wait = step["wait"].as_u64().unwrap_or(0).max(3);
        world.run_for(Duration::from_secs(wait));
        marks.push(world.heard.len());
    }
    Tracks::of(&world.heard, &marks)
}

/// Why a track differs from the record; `None` where it does not.
fn difference(track: &str, ours: &Value, variants: &[Value]) -> Option<String> {
    let stands = |value: &Value| -> Value {
        // Lists of everything are compared whatever their order.
        let lists = value.as_array().into_iter().flatten();
        lists.map(|list| sorted(list.as_array().cloned().unwrap_or_default())).collect()
    };
    let normal = |value: &Value| if track == "stands" { stands(value) } else { value.clone() };
    let ours = normal(ours);
    let mut values: Vec<Value> = variants.iter().map(|v| normal(&v["value"])).collect();
    values.dedup();
    if values.contains(&ours) {
        return None;
    }
    let last = |value: &Value| value.as_array().and_then(|list| list.last().cloned());
    if values.len() > 1 && values.iter().any(|value| last(value) == last(&ours)) {
        return None;
    }
    let lines = |value: &Value| {
        let list = value.as_array().cloned().unwrap_or_default();
        list.iter().map(|v| format!("\n        {v}")).collect::<String>()
    };
    Some(format!("ours:{}\n      real:{}", lines(&ours), lines(&values[0])))
}

fn exceptions() -> BTreeMap<(String, String), String> {
    let text = file("exceptions.txt");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = |line: &str| {
        let mut parts = line.split('\t').map(ToOwned::to_owned);
        let mut part = || parts.next().expect("case, track, reason, with a tab between");
        ((part(), part()), part())
    };
    lines.map(read).collect()
}

#[test]
fn the_controllers_do_what_the_real_ones_did() {
    let cases: Vec<Value> = serde_json::from_str(&file("cases.json")).unwrap();
    let record: Value = serde_json::from_str(&file("record.json")).unwrap();
    let only = std::env::var("CASE").ok();
    let mut exceptions = exceptions();
    let (mut same, mut timed, mut report) = (0, 0, String::new());
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let tracks = play(case, Duration::from_millis(1));
        let recorded = record[name].as_object().unwrap();
        let mut all: Vec<&String> = recorded.keys().chain(tracks.out.keys()).collect();
        all.sort();
        all.dedup();
        for track in all {
            let nothing = json!([{"value": null}]);
            let variants = recorded.get(track).unwrap_or(&nothing).as_array().unwrap();
            let ours = tracks.out.get(track).map_or(Value::Null, |list| list.clone().into());
            let exception = exceptions.remove(&(name.to_owned(), track.clone()));
            match (difference(track, &ours, variants), exception) {
                (None, None) if variants.len() == 1 => same += 1,
                (None, None) => timed += 1,
                (Some(_), Some(_)) => {}
                (None, Some(_)) => {
                    let _ = writeln!(report, "{name} / {track}: passes, take it out");
                }
                (Some(why), None) => {
                    let _ = writeln!(report, "{name} / {track}\n      {why}");
                }
            }
        }
    }
    println!("{same} tracks the same, {timed} that depend on timing end the same");
    assert!(report.is_empty(), "{same} the same, {timed} timed, wrong:\n{report}");
}
