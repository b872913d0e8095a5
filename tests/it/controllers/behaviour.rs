//! What has to hold at every moment, whatever the order of messages.

use std::time::{Duration, Instant};

use towtank::api::EventKind;
use towtank::object::{Gvr, Object, Value, json};

use super::world::World;

const SECOND: Duration = Duration::from_secs(1);
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

fn deployment(name: &str, replicas: u64, image: &str, more: &Value) -> Value {
    let mut d = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": image}]}}}});
    for (key, value) in more.as_object().into_iter().flatten() {
        d["spec"][key] = value.clone();
    }
    d
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}})
}

fn is_ready(pod: &Object) -> bool {
    !pod.is_deleting() && pod.condition("Ready").is_some_and(|c| c["status"] == "True")
}

/// Pods as they were after each event: how many in all (those on their way out aside), how many
/// ready, and of which images.
fn pods_over_time(world: &World, from: usize) -> Vec<(usize, usize, Vec<String>)> {
    let mut live = std::collections::BTreeMap::new();
    let mut moments = Vec::new();
    for (index, event) in world.heard.iter().enumerate() {
        let pod = &event.object;
        if pod.kind() != "Pod" {
            continue;
        }
        if event.kind == EventKind::Deleted {
            live.remove(pod.name());
        } else {
            live.insert(pod.name().to_owned(), pod.clone());
        }
        if index >= from {
            let all = live.values().filter(|pod| !pod.is_deleting()).count();
            let ready = live.values().filter(|pod| is_ready(pod)).count();
            let image = |pod: &Object| {
                pod.list(&["spec", "containers"])[0]["image"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            let mut images: Vec<_> = live.values().map(|pod| image(pod)).collect();
            images.sort();
            images.dedup();
            moments.push((all, ready, images));
        }
    }
    moments
}

fn world(seed: u64) -> World {
    let mut world = World::new(Duration::from_millis(2), (seed > 0).then_some(seed));
    world.watch(Gvr::new("", "v1", "pods"), "default");
    world
}

fn condition(world: &World, name: &str, kind: &str) -> String {
    let d = world.object(("apps", "deployments"), name).expect("a Deployment");
    let found = d
        .condition(kind)
        .and_then(|c| Some(format!("{} {}", c["status"].as_str()?, c["reason"].as_str()?)));
    found.unwrap_or_default()
}

#[test]
fn a_rolling_update_keeps_its_bounds_at_every_event() {
    for seed in 0..8 {
        for (surge, unavailable) in [(1, 0), (0, 1), (3, 2)] {
            let mut w = world(seed);
            let more = json!({"strategy": {"type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}});
            w.must("POST", DEPLOYMENTS, &deployment("web", 6, "a:1", &more));
            w.run_for(5 * SECOND);
            let from = w.heard.len();
            w.must("PATCH", &format!("{DEPLOYMENTS}/web"), &image("a:2"));
            w.run_for(20 * SECOND);
            let moments = pods_over_time(&w, from);
            for (all, ready, _) in &moments {
                assert!(*all <= 6 + surge, "{all} pods with seed {seed}, surge {surge}");
                assert!(*ready >= 6 - unavailable, "{ready} ready with seed {seed}");
            }
            assert_eq!(moments.last().unwrap(), &(6, 6, vec!["a:2".to_owned()]));
            assert_eq!(condition(&w, "web", "Progressing"), "True NewReplicaSetAvailable");
        }
    }
}

#[test]
fn recreate_never_has_old_and_new_pods_together() {
    for seed in 0..8 {
        let mut w = world(seed);
        let more = json!({"strategy": {"type": "Recreate"}});
        w.must("POST", DEPLOYMENTS, &deployment("web", 3, "a:1", &more));
        w.run_for(5 * SECOND);
        let from = w.heard.len();
        w.must("PATCH", &format!("{DEPLOYMENTS}/web"), &image("a:2"));
        w.run_for(10 * SECOND);
        let moments = pods_over_time(&w, from);
        assert!(moments.iter().all(|(_, _, images)| images.len() < 2), "seed {seed}");
        assert_eq!(moments.last().unwrap(), &(3, 3, vec!["a:2".to_owned()]));
    }
}

#[test]
fn a_new_template_in_the_middle_of_a_rollout_wins() {
    for seed in 0..8 {
        let mut w = world(seed);
        w.must("POST", DEPLOYMENTS, &deployment("web", 4, "a:1", &Value::Null));
        for next in ["a:2", "a:3", "a:1", "a:4"] {
            w.run_for(Duration::from_millis(7));
            w.must("PATCH", &format!("{DEPLOYMENTS}/web"), &image(next));
        }
        w.run_for(30 * SECOND);
        assert_eq!(pods_over_time(&w, 0).last().unwrap(), &(4, 4, vec!["a:4".to_owned()]));
    }
}

#[test]
fn deletion_cascades_as_it_was_asked_to() {
    for seed in 0..4 {
        for (policy, sets, pods) in [("Background", 0, 0), ("Foreground", 0, 0), ("Orphan", 1, 2)] {
            let mut w = world(seed);
            w.must("POST", DEPLOYMENTS, &deployment("web", 2, "a:1", &Value::Null));
            w.run_for(5 * SECOND);
            let options = json!({"propagationPolicy": policy});
            w.must("DELETE", &format!("{DEPLOYMENTS}/web"), &options);
            w.run_for(5 * SECOND);
            let count = |kind: &str| w.server.all().filter(|o| o.kind() == kind).count();
            let found = (count("Deployment"), count("ReplicaSet"), count("Pod"));
            assert_eq!(found, (0, sets, pods), "{policy}, seed {seed}");
        }
    }
}

#[test]
fn a_namespace_drains_and_goes() {
    for seed in 0..4 {
        let mut w = world(seed);
        w.must(
            "POST",
            "/api/v1/namespaces",
            &json!({"metadata": {"name": "x"}, "kind": "Namespace", "apiVersion": "v1"}),
        );
        let deployments = "/apis/apps/v1/namespaces/x/deployments";
        w.must("POST", deployments, &deployment("web", 2, "a:1", &Value::Null));
        w.must(
            "POST",
            "/api/v1/namespaces/x/configmaps",
            &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}),
        );
        w.run_for(5 * SECOND);
        w.must("DELETE", "/api/v1/namespaces/x", &Value::Null);
        w.run_for(60 * SECOND);
        let left: Vec<_> = w
            .server
            .all()
            .filter(|o| o.namespace() == "x" || o.name() == "x")
            .map(|o| o.id())
            .collect();
        assert!(left.is_empty(), "seed {seed}: {left:?}");
    }
}

#[test]
fn what_a_deleted_owner_owned_goes() {
    let mut w = world(0);
    w.must("POST", DEPLOYMENTS, &deployment("web", 0, "a:1", &Value::Null));
    let uid = w.object(("apps", "deployments"), "web").unwrap().uid().to_owned();
    let owned = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c",
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": uid}]}});
    w.must("POST", "/api/v1/namespaces/default/configmaps", &owned);
    w.run_for(2 * SECOND);
    assert!(w.object(("", "configmaps"), "c").is_some());
    w.must("DELETE", &format!("{DEPLOYMENTS}/web"), &Value::Null);
    w.run_for(2 * SECOND);
    assert!(w.object(("", "configmaps"), "c").is_none());
}

#[test]
fn at_rest_nothing_is_written() {
    let mut w = world(0);
    w.must("POST", DEPLOYMENTS, &deployment("web", 3, "a:1", &Value::Null));
    let stuck = json!({"progressDeadlineSeconds": 5, "template": {"metadata": {"labels": {"app": "stuck"}},
        "spec": {"nodeSelector": {"no": "where"}, "containers": [{"name": "c", "image": "a"}]}}});
    w.must("POST", DEPLOYMENTS, &deployment("stuck", 1, "a:1", &stuck));
    w.run_for(30 * SECOND);
    assert_eq!(condition(&w, "stuck", "Progressing"), "False ProgressDeadlineExceeded");
    let before = w.writes;
    w.run_for(3_600 * SECOND);
    assert_eq!(w.writes, before);
}

#[test]
fn a_thousand_deployments_roll_at_once() {
    // Slow code gets a tenth; ROLLOUTS asks for another number.
    let usual = if cfg!(debug_assertions) { 100 } else { 1_000 };
    let count = std::env::var("ROLLOUTS").map_or(usual, |text| text.parse().unwrap());
    let mut w = world(0);
    for n in 0..count {
        w.must("POST", DEPLOYMENTS, &deployment(&format!("d{n}"), 1, "a:1", &Value::Null));
    }
    w.run_for(60 * SECOND);
    #[expect(clippy::disallowed_methods, reason = "a measurement, printed and not judged")]
    let start = Instant::now();
    let before = w.writes;
    for n in 0..count {
        w.must("PATCH", &format!("{DEPLOYMENTS}/d{n}"), &image("a:2"));
    }
    w.run_for(120 * SECOND);
    println!("{count} rollouts: {} writes in {:?}", w.writes - before, start.elapsed());
    let is_done =
        |n| condition(&w, &format!("d{n}"), "Progressing") == "True NewReplicaSetAvailable";
    assert!((0..count).all(is_done));
}
