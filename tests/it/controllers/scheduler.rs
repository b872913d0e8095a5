//! What the scheduler says of pods that fit nowhere, beside what the real one said:
//! `tests/baseline/scheduler`, recorded by `scripts/baseline-scheduler`.

use std::path::PathBuf;
use std::time::Duration;

use towtank::object::{Gvr, Value, json};

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
