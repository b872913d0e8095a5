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

use towtank::api::EventKind;
use towtank::object::quantity::Quantity;
use towtank::object::{Gvr, Value, json};
use towtank::sim::controllers::Reading;

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

/// The objects that a case may stand for with a word.
fn bases() -> [(&'static str, &'static str, &'static str, Value); 5] {
    let workload = json!({"selector": {"matchLabels": {"app": "web"}}, "template":
        {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec(&"a:1".into())}});
    let mut set = workload.clone();
    set["serviceName"] = "web".into();
    let mut pod = pod_spec(&"a:1".into());
    pod["restartPolicy"] = "Never".into();
    let job = json!({"template": {"spec": pod}});
    let cron = json!({"schedule": "* * * * *", "jobTemplate": {"spec": job}});
    [
        ("$deployment", "apps/v1", "Deployment", workload.clone()),
        ("$daemonset", "apps/v1", "DaemonSet", workload),
        ("$statefulset", "apps/v1", "StatefulSet", set),
        ("$job", "batch/v1", "Job", job),
        ("$cronjob", "batch/v1", "CronJob", cron),
    ]
}

/// The case's shorthands written out, as the recording script does.
fn filled(value: &Value, words: &[(String, String)]) -> Value {
    match value {
        Value::Object(map) => {
            for (word, api_version, kind, base) in bases() {
                if let Some(spec) = map.get(word) {
                    return json!({"apiVersion": api_version, "kind": kind,
                        "metadata": {"name": "web"}, "spec": merged(&base, &filled(spec, words))});
                }
            }
            if let Some(image) = map.get("$image") {
                return json!({"containers": pod_spec(image)["containers"]});
            }
            map.iter().map(|(k, v)| (k.clone(), filled(v, words))).collect()
        }
        Value::Array(list) => list.iter().map(|v| filled(v, words)).collect(),
        Value::String(text) => {
            let put =
                |text: String, (word, meaning): &(String, String)| text.replace(word, meaning);
            words.iter().fold(text.to_string(), put).into()
        }
        other => other.clone(),
    }
}

fn path(target: &str) -> String {
    let group = match target.split('/').next() {
        Some("namespace") => return "/api/v1/namespaces/case".to_owned(),
        Some("jobs" | "cronjobs") => "/apis/batch/v1",
        Some("horizontalpodautoscalers") => "/apis/autoscaling/v2",
        Some("pods" | "configmaps" | "resourcequotas" | "persistentvolumeclaims") => "/api/v1",
        Some(_) => "/apis/apps/v1",
        None => unreachable!("a split has a first part"),
    };
    format!("{group}/namespaces/case/{target}")
}

/// What the words of a case mean now, the longest first.
fn words(world: &World) -> Vec<(String, String)> {
    let mut words = BTreeMap::from([("$first".to_owned(), String::new())]);
    for (word, kind) in [("$pod", "Pod"), ("$set", "ReplicaSet"), ("$job", "Job")] {
        let mut names: Vec<&str> = Vec::new();
        for event in world.heard.iter().filter(|event| event.object.kind() == kind) {
            if !names.contains(&event.object.name()) {
                names.push(event.object.name());
            }
        }
        let numbered = names.iter().enumerate();
        words.extend(numbered.map(|(n, name)| (format!("{word}{n}"), (*name).to_owned())));
    }
    for event in &world.heard {
        let object = &event.object;
        words.entry(format!("$uid({})", object.name())).or_insert(object.uid().to_owned());
        let index = object.annotation("batch.kubernetes.io/job-completion-index");
        if let Some(index) = index.filter(|_| event.kind == EventKind::Added) {
            words.insert(format!("$index{index}"), object.name().to_owned());
        }
        if object.kind() == "Deployment" {
            words.entry("$uid".to_owned()).or_insert(object.uid().to_owned());
        }
    }
    if let Some(first) = words.get("$pod0").cloned() {
        words.insert("$first".to_owned(), first);
    }
    for seconds in AGO {
        let at = world.now - Duration::from_secs(seconds);
        words.insert(format!("$ago{seconds}"), at.rfc3339());
    }
    let mut words: Vec<_> = words.into_iter().collect();
    words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    words.insert(0, ("$namespace".to_owned(), "case".to_owned()));
    words
}

/// The times ago that cases speak of, in seconds.
const AGO: [u64; 2] = [0, 12_000];

/// Carries out one request of a step.
fn ask(world: &mut World, request: &Value) {
    let method = request[0].as_str().unwrap();
    if method == "METRICS" {
        for (name, value) in request[1].as_object().unwrap() {
            let reading = Quantity::parse(value.as_str().unwrap()).map(Reading::Each).unwrap();
            world.measure(name, &reading);
        }
        return;
    }
    let words = words(world);
    let target = filled(&request[1], &words);
    let body = filled(&request[2], &words);
    world.must(method, &path(target.as_str().unwrap()), &body);
}

/// What ours makes of a case.
fn play(case: &Value, latency: Duration) -> Tracks {
    let mut world = World::new(latency, None);
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "case"}});
    world.must("POST", "/api/v1/namespaces", &namespace);
    world.run_for(Duration::from_secs(1));
    for (group, version, plural) in [
        ("apps", "v1", "deployments"),
        ("apps", "v1", "replicasets"),
        ("apps", "v1", "statefulsets"),
        ("apps", "v1", "daemonsets"),
        ("apps", "v1", "controllerrevisions"),
        ("batch", "v1", "jobs"),
        ("", "v1", "pods"),
        ("", "v1", "configmaps"),
        ("", "v1", "events"),
        ("batch", "v1", "cronjobs"),
        ("autoscaling", "v2", "horizontalpodautoscalers"),
        ("", "v1", "resourcequotas"),
        ("", "v1", "persistentvolumeclaims"),
        ("", "v1", "namespaces"),
    ] {
        world.watch(Gvr::new(group, version, plural), "case");
    }
    if case["aligned"] == true {
        // As the recording does: ten seconds into a minute.
        world.run_for(Duration::from_secs(8));
    }
    let mut marks = Vec::new();
    for step in case["steps"].as_array().unwrap() {
        let requests = &step["do"];
        match requests[0].is_array() {
            true => requests.as_array().unwrap().iter().for_each(|one| ask(&mut world, one)),
            false => ask(&mut world, requests),
        }
        // The real one was left alone until nothing had changed for two seconds.
        let asked = world.now;
        let least = Duration::from_secs(step["wait"].as_u64().unwrap_or(0).max(3));
        let (mut heard, mut last) = (world.heard.len(), asked);
        while world.now.since(last) < Duration::from_secs(2) || world.now.since(asked) < least {
            world.run_for(Duration::from_millis(100));
            if world.heard.len() != heard {
                (heard, last) = (world.heard.len(), world.now);
            }
        }
        marks.push(world.heard.len());
    }
    Tracks::of(&world.heard, &marks)
}

/// Whether a list comes in another, in its order and up to its end.
fn is_part(part: &Value, whole: &Value) -> bool {
    let (Some(part), Some(whole)) = (part.as_array(), whole.as_array()) else { return false };
    let mut rest = whole.iter();
    part.last() == whole.last() && part.iter().all(|one| rest.any(|other| other == one))
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
    // Who looks more often sees more on the way, but in the same order and with the same end.
    let is_course = track.ends_with(" counts") || track.ends_with(" conditions");
    if is_course && values.iter().any(|value| is_part(value, &ours) || is_part(&ours, value)) {
        return None;
    }
    // In which order the collector takes what hangs on one owner is nobody's promise.
    let all = |value: &Value| sorted(value.as_array().cloned().unwrap_or_default());
    if track == "endings" && values.iter().any(|value| all(value) == all(&ours)) {
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

/// Compares one file of cases with its record.
fn check(cases: &str, record: &str) {
    let file_name = cases;
    let cases: Vec<Value> = serde_json::from_str(&file(cases)).unwrap();
    let record: Value = serde_json::from_str(&file(record)).unwrap();
    let only = std::env::var("CASE").ok();
    let mut exceptions = exceptions();
    let (mut same, mut timed, mut report) = (0, 0, String::new());
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let tracks = play(case, Duration::from_millis(1));
        assert_eq!(tracks.out, play(case, Duration::from_millis(1)).out, "{name}, played twice");
        let recorded = record[name].as_object().unwrap();
        let ours = tracks.out.keys().map(String::as_str);
        let mut all: Vec<&str> = recorded.keys().map(|key| key.as_str()).chain(ours).collect();
        all.sort();
        all.dedup();
        for track in all {
            let nothing = json!([{"value": null}]);
            let variants = recorded.get(track).unwrap_or(&nothing).as_array().unwrap();
            let ours = tracks.out.get(track).map_or(Value::Null, |list| list.clone().into());
            let exception = exceptions.remove(&(name.to_owned(), track.to_owned()));
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
    println!("{file_name}: {same} tracks the same, {timed} that depend on timing end the same");
    assert!(report.is_empty(), "{same} the same, {timed} timed, wrong:\n{report}");
}

/// R-CTL-01 to R-CTL-13 (R-CTL-07: Available, in the conditions), R-CTL-25.
#[test]
fn deployments_and_what_is_below_them_do_what_the_real_ones_did() {
    check("cases.json", "record.json");
}

/// R-CTL-17, R-CTL-18.
#[test]
fn jobs_do_what_the_real_ones_did() {
    check("jobs.cases.json", "jobs.record.json");
}

/// R-CTL-01 to R-CTL-16.
#[test]
fn sets_of_every_kind_do_what_the_real_ones_did() {
    check("sets.cases.json", "sets.record.json");
}

/// R-CTL-19.
#[test]
fn schedules_do_what_the_real_ones_did() {
    check("schedules.cases.json", "schedules.record.json");
}

/// R-CTL-23.
#[test]
fn autoscalers_and_quotas_do_what_the_real_ones_did() {
    check("scaling.cases.json", "scaling.record.json");
}

/// R-CTL-26.
#[test]
fn the_collector_does_what_the_real_one_did() {
    check("garbage.cases.json", "garbage.record.json");
}
