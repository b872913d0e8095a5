//! Pods on our nodes, beside what a real kubelet made of them: `tests/baseline/pods`, recorded by
//! `scripts/baseline-pods`.
//!
//! States, texts and their order have to be the same. A kubelet looks at its containers once a
//! second and tells of what it finds then: what came and went in between may be in one of the two
//! only, and seconds may differ by a little. What is done otherwise is in `exceptions.txt`, a case
//! and a track a line, with the reason; an exception that passes fails the test.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use towtank::api::{EventKind, PatchKind, Request};
use towtank::base::{Profile, Time};
use towtank::object::{Gvr, Object, Value, json};
use towtank::sim::pods::{Behaviour, Crash, Exit, Hook, Images, Live, Pull, Ready, Stop};

use crate::pods::{PODS, TESTER, World};

/// How much earlier or later a state may come, in seconds: a kubelet's rounds, and the machine.
const TOLERANCE: u64 = 4;

/// How much later a real kubelet looks again at a pod with a container that backs off or
/// cannot be made: 10 to 15 seconds after the last look, whenever the back-off is over. Ours looks when it is.
const PAUSE: u64 = 15;

/// What was seen of one thing: each state with its second.
type Track = Vec<(u64, Value)>;

fn file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/pods");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn seconds(value: &Value) -> Duration {
    Duration::from_secs_f64(value.as_f64().unwrap_or_default())
}

/// The script of the recording as a behaviour of ours.
fn behaviour(does: &Value, goes_on: bool) -> Behaviour {
    let is = |key: &str, what: &str| does[key][what] == true;
    let given = |key: &str| does.get(key).map(|what| seconds(&what["after"]));
    let hook = |key: &str| {
        given(key).map(|after| match (is(key, "never"), is(key, "fails")) {
            (true, _) => Hook::Never,
            (_, true) => Hook::Fails(after),
            _ => Hook::Takes(after),
        })
    };
    let code = i32::try_from(does["run"]["code"].as_i64().unwrap_or_default()).unwrap();
    let times = does["run"]["times"].as_u64().map(|times| u32::try_from(times).unwrap());
    let run = given("run");
    Behaviour {
        pull: given("pull")
            .map(|after| if is("pull", "fails") { Pull::Fails } else { Pull::Takes(after) }),
        start: Some(Duration::ZERO),
        ready: does.get("ready").map(|after| match after.as_f64() {
            Some(after) if after < 0.0 => Ready::Never,
            _ => Ready::After(seconds(after)),
        }),
        crash: run.filter(|_| goes_on || times.is_some()).map(|after| Crash {
            after,
            exit_code: code,
            times,
        }),
        live: does.get("live").map(|after| Live::Until(seconds(after))),
        // What has no end in the script does not end here either.
        exit: match run {
            _ if times.is_some() || (run.is_none() && !goes_on) => {
                Some(Exit { after: Duration::from_secs(1_000_000), code: 0 })
            }
            run => run.filter(|_| !goes_on).map(|after| Exit { after, code }),
        },
        post_start: hook("postStart"),
        pre_stop: hook("preStop"),
        stop: Some(match given("stop") {
            _ if is("stop", "ignored") => Stop::Ignored,
            after => Stop::Takes(after.unwrap_or_default()),
        }),
    }
}

/// A node that has registered, and one who watches from then on.
fn world(images: Images) -> (World, Time) {
    let mut world = World::new(1, Profile::instant(), images);
    world.run(Duration::from_secs(5));
    for (id, plural) in [(1, "pods"), (2, "events")] {
        let watch = Request::watch(Gvr::new("", "v1", plural), "default", "0");
        world.send(TESTER, id, &watch);
    }
    world.heard.clear();
    let begun = world.now;
    (world, begun)
}

/// One request of a case.
fn ask(world: &mut World, step: &Value) {
    let mut parts = step[1].as_str().unwrap().split('/');
    let (plural, kind) = match parts.next().unwrap() {
        "pods" => ("pods", "Pod"),
        "secrets" => ("secrets", "Secret"),
        _ => ("configmaps", "ConfigMap"),
    };
    let gvr = Gvr::new("", "v1", plural);
    let name = parts.next().unwrap_or_default();
    let mut request = match step[0].as_str().unwrap() {
        "POST" => {
            let mut object = step[2].clone();
            object["apiVersion"] = "v1".into();
            object["kind"] = kind.into();
            Request::create(gvr, "default", Object::from_value(object).unwrap())
        }
        "PATCH" => Request::patch(gvr, "default", name, PatchKind::Strategic, step[2].clone()),
        _ => Request::delete(gvr, "default", name),
    };
    if parts.next().is_some() {
        request = request.subresource("status");
    }
    let code = world.send(TESTER, 3, &request);
    assert!(code < 300, "{request:?}: {code}");
}

/// A container's status but for ids and times.
fn state_of(status: &Value) -> Value {
    let part = |state: &Value| -> Value {
        let one = |(kind, detail): (_, &Value)| {
            let kept = ["reason", "message", "exitCode", "signal"].into_iter();
            let kept = kept.filter_map(|key| Some((key.to_owned(), detail.get(key)?.clone())));
            (kind, kept.collect::<Value>())
        };
        let states = state.as_object().cloned().unwrap_or_default();
        states.iter().map(|(kind, detail)| one((kind.clone(), detail))).collect()
    };
    json!({"state": part(&status["state"]), "last": part(&status["lastState"]),
        "ready": status["ready"], "started": status["started"], "restarts": status["restartCount"]})
}

/// What differs from run to run and from registry to registry.
fn masked(value: &Value, uid: &str) -> Value {
    let mut text = value.to_string().replace(uid, "uid").replace("_default(", "_case(");
    text = text.replace("default/", "case/");
    while let Some(from) = text.find("rpc error") {
        let Some(length) = text[from..].find(": not found") else { break };
        text.replace_range(from..from + length + ": ".len(), "");
    }
    if let Some((head, rest)) = text.split_once("\\\" in ")
        && let Some((_, tail)) = rest.split_once(" including")
    {
        text = format!("{head}\\\" in time (time including{tail}");
    }
    serde_json::from_str(&text).unwrap()
}

/// The tracks of a run, as the recording has them.
fn tracks(world: &World, begun: Time) -> BTreeMap<String, Track> {
    let mut out: BTreeMap<String, Track> = BTreeMap::new();
    let mut uid = "no uid".to_owned();
    for (at, event) in &world.heard {
        let second = at.since(begun).as_secs_f64().round() as u64;
        let o = &event.object;
        let mut add = |track: &str, value: Value| {
            let (track, value) = (out.entry(track.to_owned()).or_default(), masked(&value, &uid));
            if track.last().is_none_or(|(_, last)| *last != value) {
                track.push((second, value));
            }
        };
        let text = |path: &[&str]| o.at(path).cloned().unwrap_or_default();
        if o.kind() == "Event" {
            if event.kind == EventKind::Added && o.text(&["involvedObject", "name"]) == Some("p") {
                let field = text(&["involvedObject", "fieldPath"]);
                add(
                    "events",
                    json!([text(&["type"]), text(&["reason"]), text(&["message"]), field]),
                );
            }
            continue;
        }
        if event.kind == EventKind::Deleted {
            add("end", "gone".into());
            continue;
        }
        if o.is_deleting() {
            add("end", json!(["deleted", text(&["metadata", "deletionGracePeriodSeconds"])]));
        }
        add(
            "phase",
            ["phase", "reason", "message"].map(|key| text(&["status", key])).to_vec().into(),
        );
        let conditions = o.list(&["status", "conditions"]);
        for c in conditions {
            let name = format!("condition {}", c["type"].as_str().unwrap());
            add(&name, ["status", "reason", "message"].map(|key| c[key].clone()).to_vec().into());
        }
        add("conditions", conditions.iter().map(|c| c["type"].clone()).collect());
        for list in ["initContainerStatuses", "containerStatuses"] {
            for c in o.list(&["status", list]) {
                add(&format!("container {}", c["name"].as_str().unwrap()), state_of(c));
            }
        }
        uid = o.uid().to_owned();
    }
    out
}

fn play(case: &Value) -> BTreeMap<String, Track> {
    let mut images = Images::new();
    let pod = &case["pod"];
    let lists = [&pod["initContainers"], &pod["containers"]];
    for container in lists.into_iter().filter_map(Value::as_array).flatten() {
        let image = container["image"].as_str().unwrap();
        let is_init = pod["initContainers"].as_array().is_some_and(|all| all.contains(container));
        let is_sidecar = container["restartPolicy"] == "Always";
        let is_always = pod["restartPolicy"].is_null() || pod["restartPolicy"] == "Always";
        let goes_on = is_sidecar || (is_always && !is_init);
        images.set(image, behaviour(&case["images"][image], goes_on));
    }
    let (mut world, begun) = world(images);
    let run_to = |world: &mut World, second: &Value| {
        let until = begun + Duration::from_secs(second.as_u64().unwrap());
        world.run(until.since(world.now));
    };
    let mut metadata = case.get("metadata").cloned().unwrap_or_else(|| json!({}));
    metadata["name"] = "p".into();
    let mut spec = pod.clone();
    spec["nodeName"] = "node-1".into();
    let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    let object = Object::from_value(object).unwrap();
    assert_eq!(world.send(TESTER, 4, &Request::create(PODS, "default", object)), 201);
    for step in case["steps"].as_array().into_iter().flatten() {
        run_to(&mut world, &step["at"]);
        ask(&mut world, &step["do"]);
    }
    run_to(&mut world, &case["until"]);
    tracks(&world, begun)
}

/// Whether two courses are one: with the same end, and each state of the shorter in the longer,
/// in order and about then.
fn is_one(one: &Track, other: &Track, is_course: bool, tolerance: u64) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let is_end = short.last().map(|(_, v)| v) == long.last().map(|(_, v)| v);
    if !is_end || (!is_course && short.len() != long.len()) {
        return false;
    }
    let mut rest = long.iter();
    short.iter().all(|(at, value)| {
        rest.any(|(then, other)| other == value && at.abs_diff(*then) <= tolerance)
    })
}

/// What is compared of a track: not what a container waits for before anything is known of it,
/// and containers that are stopped together in the order of their names.
fn told(track: &Track) -> Track {
    let waits = |value: &Value| {
        let reason = &value["state"]["waiting"]["reason"];
        reason == "ContainerCreating" || reason == "PodInitializing"
    };
    let ends = track.iter().any(|(_, value)| !waits(value));
    let kept = track.iter().filter(|(_, value)| !ends || !waits(value));
    let mut out: Track = kept.cloned().collect();
    out.dedup_by(|next, before| next.1 == before.1);
    let is_killing = |(_, value): &(u64, Value)| value[1] == "Killing";
    for run in out.chunk_by_mut(|a, b| is_killing(a) && is_killing(b) && a.0 == b.0) {
        run.sort_by_key(|(_, value)| value.to_string());
    }
    out
}

fn read(variant: &Value) -> Track {
    let states = variant["states"].as_array().unwrap().iter();
    states.map(|state| (state[0].as_u64().unwrap(), state[1].clone())).collect()
}

fn lines(track: &Track) -> String {
    track.iter().map(|(at, value)| format!("\n      {at} {value}")).collect()
}

/// R-CTL-31 to R-CTL-37, R-CTL-39: each case names its own.
#[test]
fn pods_live_as_a_real_kubelet_lets_them() {
    let cases: Vec<Value> = serde_json::from_str(&file("cases.json")).unwrap();
    let record: Value = serde_json::from_str(&file("record.json")).unwrap();
    let text = file("exceptions.txt");
    let listed = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut exceptions: Vec<&str> = listed.map(|line| line.rsplit_once('\t').unwrap().0).collect();
    let (mut same, mut report) = (0, String::new());
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let ours = play(case);
        assert_eq!(ours, play(case), "{name}, played twice");
        let recorded = record[name].as_object().unwrap();
        let text = record[name].to_string();
        let pauses = text.contains("BackOff") || text.contains("CreateContainerConfigError");
        let tolerance = if pauses { TOLERANCE + PAUSE } else { TOLERANCE };
        let mut all: Vec<&str> = recorded.keys().map(|key| key.as_str()).collect();
        all.extend(ours.keys().map(String::as_str).filter(|key| recorded.get(key).is_none()));
        for track in all {
            let nothing = json!([]);
            let variants = recorded.get(track).unwrap_or(&nothing).as_array().unwrap();
            let ours = ours.get(track).cloned().unwrap_or_default();
            let is_course = track != "events" && track != "end";
            let agrees = variants
                .iter()
                .any(|v| is_one(&told(&ours), &told(&read(v)), is_course, tolerance));
            let line = format!("{name}\t{track}");
            let is_listed = exceptions.contains(&&*line);
            exceptions.retain(|other| *other != line);
            match (agrees, is_listed) {
                (true, false) => same += 1,
                (false, true) => {}
                (true, true) => writeln!(report, "{name} / {track}: passes, take it out").unwrap(),
                (false, false) => {
                    let real = variants.first().map(read).unwrap_or_default();
                    let (ours, real) = (lines(&ours), lines(&real));
                    writeln!(report, "{name} / {track}\n   ours:{ours}\n   real:{real}").unwrap();
                }
            }
        }
    }
    println!("pods: {same} tracks the same");
    assert!(
        report.is_empty() && exceptions.is_empty(),
        "{same} the same, wrong:\n{report}{exceptions:?}"
    );
}
