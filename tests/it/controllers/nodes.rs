//! Nodes that fall silent, are tainted or go away, beside what the real controllers made of them:
//! `tests/baseline/nodes`, recorded by `scripts/baseline-nodes`.
//!
//! States and their order have to be the same; when they come may differ by the rounds in which
//! the real controllers look (5 s for nodes, 20 s for the pod garbage collector), which ours do
//! not have. The Events of nodes that come and go are not written here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use towtank::api::{EventKind, WatchEvent};
use towtank::object::{Gvr, Object, Value, json};
use towtank::sim::controllers::Settings;

use super::world::World;

/// How much earlier or later a state may come, in seconds.
const TOLERANCE: u64 = 21;

const CONDITIONS: [[&str; 4]; 4] = [
    [
        "MemoryPressure",
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
    ],
    ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
    ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
];

/// A track: what was seen, and at which second first.
type Tracks = BTreeMap<String, Vec<(u64, Value)>>;

fn file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/nodes");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

struct Play {
    world: World,
    alive: BTreeSet<String>,
    known: BTreeSet<String>,
    tracks: Tracks,
    second: u64,
}

fn filled(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), filled(v))).collect(),
        Value::Array(list) => list.iter().map(filled).collect(),
        Value::String(text) => {
            // `$a` is node a, `$case` the case.
            let text = text.as_str().replace("$case", "case");
            text.replace('$', "").into()
        }
        other => other.clone(),
    }
}

impl Play {
    fn say(&mut self, node: &str, said: &[[&str; 4]]) {
        let at = self.world.now.rfc3339();
        let conditions: Vec<Value> = said
            .iter()
            .map(|[kind, status, reason, message]| {
                json!({"type": kind, "status": status, "reason": reason, "message": message,
                    "lastHeartbeatTime": at, "lastTransitionTime": at})
            })
            .collect();
        let body = json!({"status": {"conditions": conditions}});
        self.world.must("PATCH", &format!("/api/v1/nodes/{node}/status"), &body);
    }

    fn renew(&mut self, node: &str) {
        let path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
        let at = self.world.now.rfc3339_micro();
        if self.known.insert(node.to_owned()) {
            let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": {"name": node}, "spec": {"renewTime": at}});
            self.world.must("POST", path, &lease);
        } else {
            let body = json!({"spec": {"renewTime": at}});
            self.world.must("PATCH", &format!("{path}/{node}"), &body);
        }
    }

    fn start(&mut self, node: &str) {
        self.say(node, &CONDITIONS);
        self.renew(node);
        self.alive.insert(node.to_owned());
    }

    fn make_pod(&mut self, name: &str, pod: &Value) {
        let mut tolerations = pod["own"].as_array().cloned().unwrap_or_default();
        if let Some(seconds) = pod.get("tolerate") {
            for key in ["not-ready", "unreachable"] {
                let key = format!("node.kubernetes.io/{key}");
                let mut one = json!({"key": key, "operator": "Exists", "effect": "NoExecute"});
                if !seconds.is_null() {
                    one["tolerationSeconds"] = seconds.clone();
                }
                tolerations.push(one);
            }
        }
        let mut object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"containers": [{"name": "c", "image": "a:1"}], "tolerations": tolerations}});
        if let Some(node) = pod.get("node") {
            object["spec"]["nodeName"] = node.clone();
        } else {
            // Bound by nobody: this scheduler is not there.
            object["spec"]["schedulerName"] = "none".into();
        }
        if pod.get("finalizer").is_some() {
            object["metadata"]["finalizers"] = json!(["example.com/hold"]);
        }
        self.world.must("POST", "/api/v1/namespaces/case/pods", &object);
        if pod.get("node").is_some() {
            let at = self.world.now.rfc3339();
            let ready = ["Ready", "ContainersReady"]
                .map(|kind| json!({"type": kind, "status": "True", "lastTransitionTime": at}));
            let body = json!({"status": {"phase": "Running", "startTime": at,
                "conditions": ready}});
            let path = format!("/api/v1/namespaces/case/pods/{name}/status");
            self.world.must("PATCH", &path, &body);
        }
    }

    fn act(&mut self, step: &Value) {
        let text = |at: usize| step[at].as_str().unwrap_or_default();
        match text(0) {
            "stop" => {
                self.alive.remove(text(1));
            }
            "start" => self.start(text(1)),
            "say" => self.say(text(1), &[[text(2), text(3), text(4), text(5)]]),
            method => {
                let path = filled(&step[1]);
                let body = step.get(2).map(filled).unwrap_or_default();
                self.world.must(method, path.as_str().unwrap(), &body);
            }
        }
    }

    fn second(&mut self) {
        if self.second.is_multiple_of(10) {
            for node in self.alive.clone() {
                self.renew(&node);
            }
        }
        self.world.run_for(Duration::from_secs(1));
        for event in std::mem::take(&mut self.world.heard) {
            for (track, value) in told(&event) {
                let track = self.tracks.entry(track).or_default();
                if track.last().is_none_or(|(_, last)| *last != value) {
                    track.push((self.second, value));
                }
            }
        }
        self.second += 1;
    }
}

fn conditions(object: &Object) -> Value {
    let parts = ["type", "status", "reason", "message"];
    let part = |condition: &Value, part: &str| {
        Value::from(condition.get(part).and_then(Value::as_str).unwrap_or_default())
    };
    let row = |c: &Value| -> Value { parts.iter().map(|name| part(c, name)).collect() };
    object.list(&["status", "conditions"]).iter().map(row).collect()
}

/// What an event says, as the recording script does.
fn told(event: &WatchEvent) -> Vec<(String, Value)> {
    let (object, is_gone) = (&event.object, event.kind == EventKind::Deleted);
    let name = object.name();
    match object.kind() {
        "Node" if name.starts_with("node-") => Vec::new(),
        "Node" if is_gone => vec![(format!("Node {name} conditions"), "gone".into())],
        "Node" => {
            let taint = |t: &Value| {
                let value = t.get("value").cloned().unwrap_or_else(|| "".into());
                json!([t["key"], value, t["effect"], t.get("timeAdded").is_some()])
            };
            let taints = object.list(&["spec", "taints"]).iter().map(taint).collect();
            vec![
                (format!("Node {name} conditions"), conditions(object)),
                (format!("Node {name} taints"), taints),
            ]
        }
        "Pod" if is_gone => vec![(format!("Pod {name}"), "gone".into())],
        "Pod" => {
            let grace = object.int(&["metadata", "deletionGracePeriodSeconds"]);
            let state = json!([object.text(&["status", "phase"]), conditions(object), grace]);
            vec![(format!("Pod {name}"), state)]
        }
        "Event" if event.kind == EventKind::Added => {
            let text = |path: &[&str]| object.text(path).unwrap_or_default().to_owned();
            let about = text(&["involvedObject", "kind"]);
            let name = text(&["involvedObject", "name"]);
            let said = json!([
                text(&["type"]),
                text(&["reason"]),
                text(&["message"]),
                text(&["source", "component"]),
                text(&["reportingComponent"]),
            ]);
            vec![(format!("Events of {about} {name}"), said)]
        }
        _ => Vec::new(),
    }
}

fn play(case: &Value) -> Tracks {
    let world = World::with_settings(Duration::from_millis(1), None, Settings::default());
    let mut play = Play {
        world,
        alive: BTreeSet::from(["node-0".to_owned(), "node-1".to_owned()]),
        known: BTreeSet::new(),
        tracks: Tracks::new(),
        second: 0,
    };
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "case"}});
    play.world.must("POST", "/api/v1/namespaces", &namespace);
    for node in case["nodes"].as_array().unwrap() {
        let labels = json!({"topology.kubernetes.io/zone": "case"});
        let object = json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": node, "labels": labels}});
        play.world.must("POST", "/api/v1/nodes", &object);
        play.start(node.as_str().unwrap());
    }
    play.world.run_for(Duration::from_secs(8));
    for (name, pod) in case["pods"].as_object().into_iter().flatten() {
        play.make_pod(name, pod);
    }
    play.world.run_for(Duration::from_secs(2));
    for (plural, namespace) in [("nodes", ""), ("pods", "case"), ("events", "case")] {
        play.world.watch(Gvr::new("", "v1", plural), namespace);
    }
    play.world.watch(Gvr::new("", "v1", "events"), "default");
    // What was told before is not recorded.
    play.world.heard.retain(|heard| heard.object.kind() != "Event");
    // What the watches begin with is of second 0.
    let steps = case["steps"].as_array().unwrap();
    for second in 0..case["end"].as_u64().unwrap() {
        for step in steps.iter().filter(|step| step["at"] == second) {
            for one in step["do"].as_array().unwrap() {
                play.act(one);
            }
        }
        play.second();
    }
    play.tracks
}

/// What we do otherwise than the real ones: case, track and reason, with tabs between.
fn exceptions() -> BTreeSet<(String, String)> {
    let text = file("exceptions.txt");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &str| {
        let mut parts = line.split('\t').map(ToOwned::to_owned);
        let mut part = || parts.next().expect("case, track, reason, with a tab between");
        (part(), part())
    };
    lines.map(pair).collect()
}

fn difference(ours: &[(u64, Value)], real: &[Value]) -> Option<String> {
    let real: Vec<(u64, &Value)> =
        real.iter().map(|entry| (entry[0].as_u64().unwrap(), &entry[1])).collect();
    let same = ours.len() == real.len()
        && ours.iter().zip(&real).all(|((at, value), (then, recorded))| {
            value == *recorded && at.abs_diff(*then) <= TOLERANCE
        });
    let lines = |list: Vec<String>| list.iter().map(|l| format!("\n     {l}")).collect::<String>();
    (!same).then(|| {
        let ours = ours.iter().map(|(at, value)| format!("{at} {value}")).collect();
        let real = real.iter().map(|(at, value)| format!("{at} {value}")).collect();
        format!("\n   ours:{}\n   real:{}", lines(ours), lines(real))
    })
}

/// R-CTL-28, R-CTL-30.
#[test]
fn nodes_are_lost_tainted_and_cleared_as_the_real_controllers_do() {
    let cases: Vec<Value> = serde_json::from_str(&file("cases.json")).unwrap();
    let record: Value = serde_json::from_str(&file("record.json")).unwrap();
    let only = std::env::var("CASE").ok();
    let mut exceptions = exceptions();
    let mut report = String::new();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let ours = play(case);
        assert_eq!(ours, play(case), "{name} is not the same twice");
        let real = record[name].as_object().unwrap();
        let real_tracks = real.keys().map(|key| key.as_str());
        let tracks: BTreeSet<&str> = ours.keys().map(String::as_str).chain(real_tracks).collect();
        for track in tracks {
            let ours = ours.get(track).map_or(&[][..], Vec::as_slice);
            let real = real.get(track).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let is_excepted = exceptions.remove(&(name.to_owned(), track.to_owned()));
            match (difference(ours, real), is_excepted) {
                (Some(why), false) => {
                    let _ = writeln!(report, "{name} / {track}{why}");
                }
                (None, true) => {
                    let _ = writeln!(report, "{name} / {track}: passes, take it out");
                }
                _ => {}
            }
        }
    }
    assert!(report.is_empty(), "\n{report}");
}
