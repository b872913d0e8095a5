//! What the scheduler says of pods that fit nowhere, whom it lets go for them, and where it puts
//! those that fit in several places, beside what the real one did: `tests/baseline/scheduler`,
//! recorded by `scripts/baseline-scheduler`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use towtank::api::EventKind;
use towtank::object::{Gvr, Object, Value, json};

use super::tracks::mask_uids;
use super::world::World;

fn file(name: &str) -> Value {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/scheduler");
    serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

/// R-CTL-22, R-CTL-29.
#[test]
fn pods_that_fit_nowhere_are_told_why_in_the_words_of_the_real_scheduler() {
    let given = file("objects.json");
    let mut world = World::new(Duration::from_millis(1), None);
    for node in given["nodes"].as_array().unwrap() {
        let path = format!("/api/v1/nodes/{}", node["name"].as_str().unwrap());
        world.must("PATCH", &path, &json!({"metadata": {"labels": node["labels"]}}));
    }
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "s"}});
    world.must("POST", "/api/v1/namespaces", &namespace);
    world.run_for(Duration::from_secs(6));
    for object in given["objects"].as_array().unwrap() {
        let plural = match object["kind"].as_str().unwrap() {
            "PersistentVolumeClaim" => "persistentvolumeclaims",
            _ => "pods",
        };
        world.must("POST", &format!("/api/v1/namespaces/s/{plural}"), object);
        world.run_for(Duration::from_millis(50));
    }
    world.run_for(Duration::from_secs(5));
    let pods = world.server.all_of(&Gvr::new("", "v1", "pods"));
    let ours: Value = pods
        .filter(|pod| pod.text(&["spec", "nodeName"]).is_none_or(str::is_empty))
        .map(|pod| {
            let message = pod.condition("PodScheduled").map(|c| c["message"].clone());
            (pod.name().to_owned(), message.unwrap_or_default())
        })
        .collect();
    assert_eq!(ours, file("record.json"));
}

/// What the scheduler has to do with in a pod.
fn state(pod: &Object) -> Value {
    let text = |path: &[&str]| pod.text(path).unwrap_or_default();
    let mut state = json!({"node": text(&["spec", "nodeName"])});
    let nominated = text(&["status", "nominatedNodeName"]);
    if !nominated.is_empty() {
        state["nominated"] = nominated.into();
    }
    if pod.is_deleting() {
        state["going"] = true.into();
    }
    for condition in pod.list(&["status", "conditions"]) {
        let part = |key: &str| condition[key].as_str().unwrap_or_default();
        let is_refusal = part("type") == "PodScheduled" && part("status") == "False";
        if is_refusal || part("type") == "DisruptionTarget" {
            let parts = [part("status"), part("reason"), &mask_uids(part("message"))];
            state[part("type")] = json!(parts);
        }
    }
    state
}

/// What became of each pod, and the Events about it, as the script that asks the real one has it.
fn told(world: &World) -> Value {
    let mut pods: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut events: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for heard in &world.heard {
        let object = &heard.object;
        if object.kind() == "Pod" {
            let is_gone = heard.kind == EventKind::Deleted;
            let state = if is_gone { "gone".into() } else { state(object) };
            let track = pods.entry(object.name().to_owned()).or_default();
            if track.last() != Some(&state) {
                track.push(state);
            }
        } else if object.text(&["reportingComponent"]) == Some("default-scheduler") {
            let text = |path: &[&str]| object.text(path).unwrap_or_default();
            let message = mask_uids(text(&["message"]));
            let entry = json!([text(&["type"]), text(&["reason"]), text(&["action"]), message]);
            events.entry(text(&["involvedObject", "name"]).to_owned()).or_default().push(entry);
        }
    }
    json!({"pods": pods, "events": events})
}

fn choose(given: &Value, case: &Value) -> Value {
    let mut world = World::new(Duration::from_millis(1), None);
    for class in given["classes"].as_array().unwrap() {
        world.must("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", class);
    }
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "s"}});
    world.must("POST", "/api/v1/namespaces", &namespace);
    for node in case["nodes"].as_array().unwrap() {
        let room = json!({"cpu": node["cpu"], "memory": "8Gi", "pods": "110"});
        let mut labels = json!({"kubernetes.io/hostname": node["name"], "case": "it"});
        for (key, value) in node["labels"].as_object().into_iter().flatten() {
            labels[key.as_str()] = value.clone();
        }
        let taints = node.get("taints").cloned().unwrap_or(json!([]));
        let node = json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": node["name"], "labels": labels}, "spec": {"taints": taints},
            "status": {"allocatable": room, "capacity": room}});
        world.must("POST", "/api/v1/nodes", &node);
    }
    world.run_for(Duration::from_secs(4));
    for resource in ["pods", "events"] {
        world.watch(Gvr::new("", "v1", resource), "s");
    }
    for step in case["steps"].as_array().unwrap() {
        if let Some(seconds) = step["wait"].as_u64() {
            world.run_for(Duration::from_secs(seconds));
            continue;
        }
        let path = match step["kind"].as_str().unwrap() {
            "PodDisruptionBudget" => "/apis/policy/v1/namespaces/s/poddisruptionbudgets",
            _ => "/api/v1/namespaces/s/pods",
        };
        world.must("POST", path, step);
        // Upstream's requests take some milliseconds each.
        world.run_for(Duration::from_millis(10));
    }
    world.run_for(Duration::from_secs(2));
    told(&world)
}

/// R-CTL-29.
#[test]
fn the_scheduler_prefers_and_preempts_as_the_real_one_does() {
    let (given, record) = (file("choices.cases.json"), file("choices.record.json"));
    let mut wrong = Vec::new();
    for case in given["cases"].as_array().unwrap() {
        let (name, ours) = (case["name"].as_str().unwrap(), choose(&given, case));
        for part in ["pods", "events"] {
            let real = &record[name][part];
            for (pod, track) in real.as_object().unwrap() {
                let found = &ours[part][pod.as_str()];
                if found != track {
                    wrong.push(format!("{name}: {part} {pod}\n  real {track}\n  ours {found}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(given["cases"].as_array().unwrap().len(), record.as_object().unwrap().len());
}

fn path_of(kind: &str) -> &'static str {
    match kind {
        "Service" => "/api/v1/namespaces/s/services",
        "ReplicaSet" => "/apis/apps/v1/namespaces/s/replicasets",
        "StatefulSet" => "/apis/apps/v1/namespaces/s/statefulsets",
        _ => "/api/v1/namespaces/s/pods",
    }
}

/// Where the pods of a situation are put: the node of each pod that came, and how many pods of
/// each workload a node got.
fn places(case: &Value) -> Value {
    let mut world = World::new(Duration::from_millis(1), None);
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "s"}});
    world.must("POST", "/api/v1/namespaces", &namespace);
    for node in case["nodes"].as_array().unwrap() {
        let or = |key: &str, usual: &str| node[key].as_str().unwrap_or(usual).to_owned();
        let room = json!({"cpu": or("cpu", "8"), "memory": or("memory", "16Gi"), "pods": "110"});
        let mut labels = json!({"kubernetes.io/hostname": node["name"], "case": "it"});
        for (key, value) in node["labels"].as_object().into_iter().flatten() {
            labels[key.as_str()] = value.clone();
        }
        let part = |key: &str| node.get(key).cloned().unwrap_or(json!([]));
        let node = json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": node["name"], "labels": labels}, "spec": {"taints": part("taints")},
            "status": {"allocatable": room, "capacity": room, "images": part("images")}});
        world.must("POST", "/api/v1/nodes", &node);
    }
    world.run_for(Duration::from_secs(4));
    for object in case["objects"].as_array().unwrap() {
        world.must("POST", path_of(object["kind"].as_str().unwrap()), object);
        world.run_for(Duration::from_millis(500));
    }
    let came = |name: &str| {
        let mut objects = case["objects"].as_array().unwrap().iter();
        let given = objects.find(|object| object["metadata"]["name"] == name);
        given.is_some_and(|given| given["spec"].get("nodeName").is_none())
    };
    let (mut pods, mut counts) = (json!({}), json!({}));
    for pod in world.server.all_of(&Gvr::new("", "v1", "pods")) {
        let node = pod.text(&["spec", "nodeName"]).unwrap_or_default();
        if let Some(owner) = pod.controller() {
            let count = counts[owner.name][node].as_i64().unwrap_or(0) + 1;
            counts[owner.name][node] = count.into();
        } else if came(pod.name()) {
            pods[pod.name()] = node.into();
        }
    }
    json!({"pods": pods, "counts": counts})
}

/// R-CTL-29: only situations are recorded in which one node is better than all others, since of
/// equals the real one takes any.
#[test]
fn the_scheduler_puts_pods_where_the_real_one_does() {
    let (given, record) = (file("places.cases.json"), file("places.record.json"));
    let cases = given["cases"].as_array().unwrap();
    let differs = |case: &Value| {
        let (name, ours) = (case["name"].as_str().unwrap(), places(case));
        (ours != record[name]).then(|| format!("{name}:\n  real {}\n  ours {ours}", record[name]))
    };
    let wrong: Vec<String> = cases.iter().filter_map(differs).collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert_eq!(cases.len(), record.as_object().unwrap().len());
}
