//! No controller may depend on when another one runs: with every order of controllers and of
//! messages the same stands in the end, and the same order is the same run (R-CTL-40).
//!
//! 1,000 seeds where code is fast, a tenth else; SEEDS asks for another number, SEED for one.

use std::time::Duration;

use towtank::object::{Map, Object, Value, json};

use super::tracks::{mask_uids, sorted};
use super::world::World;

const NAMESPACE: &str = "/api/v1/namespaces/default";
const APPS: &str = "/apis/apps/v1/namespaces/default";

/// What is a matter of when and who, not of what.
const DROPPED: [&str; 14] = [
    "uid",
    "resourceVersion",
    "managedFields",
    "generation",
    "observedGeneration",
    "nodeName",
    "podIP",
    "podIPs",
    "startTime",
    "addresses",
    "ip",
    "targetRef",
    "clusterIP",
    "clusterIPs",
];

fn template(app: &str, image: &str) -> Value {
    json!({"metadata": {"labels": {"app": app}},
        "spec": {"containers": [{"name": "c", "image": image}]}})
}

fn workload(kind: &str, name: &str, replicas: u64) -> Value {
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
        "spec": {"replicas": replicas, "serviceName": name,
            "selector": {"matchLabels": {"app": name}}, "template": template(name, "a:1")}})
}

/// Something of each sort, changed in the middle, and some of it taken away.
fn play(seed: u64) -> World {
    let mut w = World::new(Duration::from_millis(3), Some(seed));
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"},
        "spec": {"hard": {"pods": "20", "count/jobs.batch": "5"}}});
    w.must("POST", &format!("{NAMESPACE}/resourcequotas"), &quota);
    w.run_for(Duration::from_millis(100));
    let mut deployment = workload("Deployment", "web", 3);
    deployment["spec"].as_object_mut().unwrap().remove("serviceName");
    w.must("POST", &format!("{APPS}/deployments"), &deployment);
    w.must("POST", &format!("{APPS}/statefulsets"), &workload("StatefulSet", "db", 2));
    let mut daemon = workload("DaemonSet", "log", 1);
    for field in ["replicas", "serviceName"] {
        daemon["spec"].as_object_mut().unwrap().remove(field);
    }
    w.must("POST", &format!("{APPS}/daemonsets"), &daemon);
    let mut spec = template("job", "a:1");
    spec["spec"]["restartPolicy"] = "Never".into();
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"},
        "spec": {"completions": 3, "parallelism": 2, "completionMode": "Indexed",
            "template": spec}});
    w.must("POST", "/apis/batch/v1/namespaces/default/jobs", &job);
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
    w.must("POST", &format!("{NAMESPACE}/services"), &service);
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "web"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}});
    w.must("POST", "/apis/policy/v1/namespaces/default/poddisruptionbudgets", &budget);
    let wait = 1 + seed % 60;
    w.run_for(Duration::from_millis(wait));
    let image = json!({"spec": {"template": {"spec":
        {"containers": [{"name": "c", "image": "a:2"}]}}}});
    w.must("PATCH", &format!("{APPS}/deployments/web"), &image);
    w.must("PATCH", &format!("{APPS}/statefulsets/db"), &image);
    w.run_for(Duration::from_millis(wait / 2));
    w.must("PATCH", &format!("{APPS}/deployments/web"), &json!({"spec": {"replicas": 2}}));
    w.must("DELETE", &format!("{APPS}/daemonsets/log"), &Value::Null);
    w.run_for(Duration::from_secs(30));
    w
}

/// An object but for when and who.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let is_kept = |key: &str| {
                !DROPPED.contains(&key) && !key.ends_with("Time") && !key.ends_with("Timestamp")
            };
            let kept = map.iter().filter(|(key, _)| is_kept(key));
            let mut out: Map = kept.map(|(key, value)| (key.clone(), plain(value))).collect();
            if out.contains_key("generateName") {
                out.remove("name");
            }
            out.into()
        }
        Value::Array(list) => sorted(list.iter().map(plain).collect()),
        Value::String(text) => mask_uids(text).into(),
        other => other.clone(),
    }
}

fn end(world: &World) -> Vec<String> {
    let is_shown = |object: &&std::sync::Arc<Object>| {
        object.namespace() == "default" && object.kind() != "Event"
    };
    let all = world.server.all().filter(is_shown);
    let mut all: Vec<String> =
        all.map(|object| plain(&Object::clone(object).into_value()).to_string()).collect();
    all.sort();
    all
}

/// What one has and the other has not.
fn difference(one: &[String], other: &[String]) -> String {
    let lines = |a: &[String], b: &[String], sign: &str| -> String {
        let only = a.iter().filter(|line| !b.contains(line));
        only.map(|line| format!("  {sign} {line}\n")).collect()
    };
    lines(one, other, "-") + &lines(other, one, "+")
}

#[test]
fn whatever_the_order_the_same_stands_in_the_end() {
    let usual = if cfg!(debug_assertions) { 100 } else { 1_000 };
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..number("SEEDS").unwrap_or(usual) + 1,
    };
    let expected = end(&play(0));
    assert!(expected.len() > 20, "{} objects", expected.len());
    let mut wrong = Vec::new();
    for seed in seeds {
        let found = end(&play(seed));
        if found != expected {
            wrong.push(format!("seed {seed}:\n{}", difference(&expected, &found)));
        }
    }
    let some: Vec<_> = wrong.iter().take(3).cloned().collect();
    assert!(wrong.is_empty(), "{} seeds end otherwise:\n{}", wrong.len(), some.join("\n"));
}

/// The same seed gives the same bytes: revisions, uids, times and all.
#[test]
fn the_same_order_gives_the_same_bytes() {
    for seed in [1, 2, 3] {
        let all = |world: &World| -> Vec<String> {
            world
                .server
                .all()
                .map(|object| Object::clone(object).into_value().to_string())
                .collect()
        };
        assert_eq!(all(&play(seed)), all(&play(seed)), "seed {seed}");
    }
}
