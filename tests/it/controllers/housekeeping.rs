//! What the controllers make of objects that are not workloads, beside what the real ones made of
//! them: `tests/baseline/housekeeping`, recorded and masked by `scripts/baseline-housekeeping`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use towtank::object::{Gvr, Map, Object, Value, json, schema};

use super::tracks::{mask_uids, replaced};
use super::world::World;

const CLUSTER_WIDE: [&str; 3] = ["clusterroles", "persistentvolumes", "storageclasses"];

/// What differs from run to run. When a Service's endpoints last changed is something that the real
/// controllers know from memory, and tell or take away accordingly.
const DROPPED: [&str; 8] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "managedFields",
    "generation",
    "observedGeneration",
    "nodeName",
    "endpoints.kubernetes.io/last-change-trigger-time",
];

fn file(name: &str) -> Value {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/housekeeping");
    serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

fn resource(plural: &str) -> Gvr {
    let kinds = schema::builtin().kinds();
    let mut found = kinds.filter(|kind| kind.gvr.plural == plural && kind.gvr.version == "v1");
    found.find(|kind| kind.gvr.group != "events.k8s.io").unwrap().gvr.clone()
}

fn path(target: &str) -> String {
    let plural = target.split('/').next().unwrap();
    let gvr = resource(plural);
    let group = match &*gvr.group {
        "" => "/api/v1".to_owned(),
        group => format!("/apis/{group}/v1"),
    };
    let inside = if CLUSTER_WIDE.contains(&plural) { "" } else { "/namespaces/case" };
    format!("{group}{inside}/{target}")
}

fn masked_text(text: &str) -> String {
    let is_time = |run: &str| run.len() >= 20 && run.contains('T') && run.ends_with('Z');
    let in_time = |c: char| c.is_ascii_digit() || "-:.TZ".contains(c);
    let is_ip = |run: &str| {
        run.split('.').count() == 4 && (run.starts_with("10.") || run.starts_with("203."))
    };
    let in_ip = |c: char| c.is_ascii_digit() || c == '.';
    let is_minutes = |run: &str| run.len() == 8;
    let text = mask_uids(&replaced(text, "time", in_time, is_time));
    let text = replaced(&text, "ip", in_ip, is_ip);
    replaced(&text, "minutes", |c| c.is_ascii_digit(), is_minutes)
}

fn masked(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| !DROPPED.contains(&key.as_str()));
            let mut out: Map = kept.map(|(key, value)| (key.clone(), masked(value))).collect();
            if out.get("annotations") == Some(&json!({})) {
                out.remove("annotations");
            }
            if let Some(name) = out.get("generateName").and_then(Value::as_str) {
                let name = format!("{name}*");
                out.insert("name".to_owned(), name.into());
            }
            if out.contains_key("ca.crt") && map["ca.crt"] == "" {
                out.insert("ca.crt".to_owned(), "certificate".into());
            }
            out.into()
        }
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(masked).collect();
            list.sort_by_key(Value::to_string);
            list.into()
        }
        Value::String(text) => masked_text(text).into(),
        other => other.clone(),
    }
}

/// As the recorder sees it: what `shows` names, and the Events about kinds that `events` names.
fn stand(world: &World, case: &Value) -> Value {
    let mut objects: Vec<Value> = Vec::new();
    let all = |plural: &str| -> Vec<Object> {
        world.server.all_of(&resource(plural)).map(|object| Object::clone(object)).collect()
    };
    for plural in case["shows"].as_array().unwrap() {
        let plural = plural.as_str().unwrap();
        let is_wide = CLUSTER_WIDE.contains(&plural);
        for object in all(plural) {
            let is_bound = object.at(&["spec", "claimRef"]).is_some();
            let is_ours = if is_wide {
                object.name().starts_with("case-") || is_bound
            } else {
                object.namespace() == "case"
            };
            if is_ours {
                let mut object = object;
                // Items of a list do not say their version.
                object.remove(&["apiVersion"]);
                objects.push(masked(&object.into_value()));
            }
        }
    }
    let is_told = |kind: &str| case["events"].as_array().is_some_and(|k| k.contains(&kind.into()));
    let mut events = BTreeSet::new();
    for event in all("events") {
        let text = |path: &[&str]| event.text(path).unwrap_or_default().to_owned();
        let kind = text(&["involvedObject", "kind"]);
        if is_told(&kind) && event.namespace() == "case" {
            let message = masked_text(&text(&["message"]));
            events.insert(vec![kind, text(&["type"]), text(&["reason"]), message]);
        }
    }
    masked(&json!({ "objects": objects, "events": events }))
}

fn play(case: &Value) -> Vec<Value> {
    let mut world = World::new(Duration::from_millis(1), None);
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "case"}});
    world.must("POST", "/api/v1/namespaces", &namespace);
    world.run_for(Duration::from_secs(1));
    let mut stands = Vec::new();
    for step in case["steps"].as_array().unwrap() {
        for request in step["do"].as_array().unwrap() {
            let text = |at: usize| request[at].as_str().unwrap();
            world.must(text(0), &path(text(1)), &request[2]);
        }
        world.run_for(Duration::from_secs(step["wait"].as_u64().unwrap_or(2)));
        stands.push(stand(&world, case));
    }
    stands
}

#[test]
fn objects_that_are_no_workloads_are_looked_after_as_the_real_controllers_do() {
    let record = file("record.json");
    let only = std::env::var("CASE").ok();
    let mut wrong = Vec::new();
    for case in file("cases.json").as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let real: Vec<Value> = record[name].as_array().unwrap().iter().map(masked).collect();
        for (at, (ours, real)) in play(case).iter().zip(&real).enumerate() {
            if ours != real {
                wrong.push(format!("{name}, step {}\n  ours {ours}\n  real {real}", at + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{} steps differ:\n{}", wrong.len(), wrong.join("\n"));
}
