//! A whole world in a queue: heartbeats that are right whenever somebody looks and cost nothing
//! while nobody does, nodes that are lost, and what becomes of custom resources without their
//! controllers.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use towtank::api::{List, PatchKind, Payload, Request, Response};
use towtank::base::{Profile, Queue, Rng, Time};
use towtank::object::{Gvr, Object, Value, json, yaml};
use towtank::sim::pods::Images;
use towtank::sim::stages;
use towtank::sim::world::{FIRST_DIRECT, Outbox, Signal, World};

const LEASES: Gvr = Gvr::new("coordination.k8s.io", "v1", "leases");
const NODES: Gvr = Gvr::new("", "v1", "nodes");
const PODS: Gvr = Gvr::new("", "v1", "pods");

struct Play {
    world: World,
    queue: Queue<Signal>,
    now: Time,
    /// Signals that were handled.
    steps: u64,
    /// What watches from outside were told.
    heard: u64,
    requests: u64,
}

impl Play {
    fn new(nodes: usize, profile: &Profile, stages: &str) -> Self {
        let (rng, now) = (Rng::new(1), Time::VIRTUAL_START);
        let stages = if stages.is_empty() { Vec::new() } else { stages::list(stages).unwrap() };
        let images = Images::new();
        let mut world = World::with_stages(&rng, profile, nodes, images, stages, now);
        let out = world.start(now);
        let queue = Queue::new(Some(rng.fork("order")));
        let mut play = Self { world, queue, now, steps: 0, heard: 0, requests: 0 };
        play.take(out);
        play.run(Duration::from_secs(5));
        play
    }

    fn take(&mut self, out: Outbox) {
        self.heard += out.direct.len() as u64;
        for (at, signal) in out.later {
            self.queue.push(at, signal);
        }
    }

    fn run(&mut self, span: Duration) {
        let until = self.now + span;
        while self.queue.next_at().is_some_and(|at| at <= until) {
            let (at, signal) = self.queue.pop().unwrap();
            self.now = self.now.max(at);
            self.steps += 1;
            let out = self.world.step(self.now, signal);
            self.take(out);
        }
        self.now = until;
    }

    fn seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    fn ask(&mut self, request: &Request) -> Response {
        let mut out = Outbox::default();
        self.requests += 1;
        let answer = self.world.call(self.now, FIRST_DIRECT, self.requests, request, &mut out);
        self.take(out);
        answer.unwrap()
    }

    fn create(&mut self, gvr: &Gvr, namespace: &str, object: Value) {
        let object = Object::from_value(object).unwrap();
        let answer = self.ask(&Request::create(gvr.clone(), namespace, object));
        assert!(answer.is_ok(), "{:?}", answer.as_status());
    }

    fn list(&mut self, gvr: &Gvr) -> List {
        match self.ask(&Request::list(gvr.clone(), "")).payload {
            Payload::List(list) => list,
            other => panic!("no list: {other:?}"),
        }
    }

    /// How old the oldest Lease of a node is.
    fn oldest_lease(&mut self) -> Duration {
        let now = self.now;
        let list = self.list(&LEASES);
        let renewed = |lease: &Object| {
            Time::parse_rfc3339(lease.text(&["spec", "renewTime"]).unwrap()).unwrap()
        };
        list.items.iter().map(|lease| now.since(renewed(lease))).max().unwrap()
    }

    fn ready(&mut self, node: &str) -> String {
        let node = self.world.peek(&NODES, "", node).unwrap();
        node.condition("Ready").unwrap()["status"].as_str().unwrap().to_owned()
    }
}

/// R-CTL-30.
#[test]
fn five_hundred_idle_nodes_cost_nothing_for_a_day_and_their_leases_are_right() {
    let mut play = Play::new(500, &Profile::warm(), "");
    // What the nodes told when they started is gone after an hour.
    play.seconds(4_000);
    let (steps, revision) = (play.steps, play.world.server().revision());
    for _ in 0..24 {
        play.seconds(3_600);
    }
    assert_eq!(play.steps, steps, "something went on");
    assert_eq!(play.world.server().revision(), revision, "something was written");
    assert!(play.oldest_lease() <= Duration::from_secs(10), "{:?}", play.oldest_lease());
    let nodes = play.list(&NODES);
    let now = play.now;
    for node in &nodes.items {
        let beat = node.condition("Ready").unwrap()["lastHeartbeatTime"].clone();
        let beat = Time::parse_rfc3339(beat.as_str().unwrap()).unwrap();
        assert!(now.since(beat) <= Duration::from_secs(300), "{}", node.name());
    }
    assert_eq!(nodes.items.len(), 500);
}

/// R-CTL-30.
#[test]
fn who_watches_leases_hears_every_renewal_and_the_world_rests_when_nobody_does() {
    let mut play = Play::new(3, &Profile::instant(), "");
    play.seconds(4_000);
    play.heard = 0;
    let list = play.list(&LEASES);
    let mut watch = Request::watch(LEASES, "", "0");
    watch.options.resource_version = Some(list.revision.to_string());
    watch.options.bookmarks = false;
    let mut out = Outbox::default();
    play.world.call(play.now, FIRST_DIRECT, 77, &watch, &mut out);
    play.take(out);
    play.seconds(100);
    assert!((29..=31).contains(&play.heard), "{} renewals in 100 s", play.heard);
    play.world.drop_watch(FIRST_DIRECT, 77);
    play.seconds(60);
    let steps = play.steps;
    play.seconds(10_000);
    assert_eq!(play.steps, steps);
}

/// R-CTL-30.
#[test]
fn a_node_is_lost_after_its_grace_and_is_back_at_once() {
    let mut play = Play::new(3, &Profile::warm(), "");
    play.seconds(1_000);
    let mut out = Outbox::default();
    assert!(play.world.stop_node(play.now, "node-2", &mut out));
    play.take(out);
    play.seconds(39);
    assert_eq!(play.ready("node-2"), "True");
    play.seconds(13);
    assert_eq!(play.ready("node-2"), "Unknown");
    assert_eq!(play.ready("node-1"), "True");
    assert!(play.oldest_lease() > Duration::from_secs(50));
    play.seconds(1_000);
    let mut out = Outbox::default();
    assert!(play.world.start_node(play.now, "node-2", &mut out));
    play.take(out);
    play.seconds(2);
    assert_eq!(play.ready("node-2"), "True");
    let node = play.world.peek(&NODES, "", "node-2").unwrap();
    assert_eq!(node.list(&["spec", "taints"]), [] as [Value; 0]);
    assert!(play.oldest_lease() <= Duration::from_secs(10));
    play.seconds(10_000);
    assert_eq!(play.ready("node-2"), "True");
}

fn definition(group: &str, kind: &str, plural: &str) -> Value {
    let text = json!({"type": "string"});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {"group": group, "scope": "Namespaced",
            "names": {"plural": plural, "singular": plural, "kind": kind, "listKind": format!("{kind}List")},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
                        "observedGeneration": {"type": "integer"},
                        "conditions": {"type": "array", "items": {"type": "object", "properties": {
                            "type": text, "status": text, "reason": text, "message": text,
                            "lastTransitionTime": text}}}}}}}}}]}})
}

/// Makes the kind and one object of it, lets `seconds` pass and gives the object.
fn grown(play: &mut Play, group: &'static str, kind: &str, seconds: u64) -> Object {
    let crds = Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions");
    play.create(&crds, "", definition(group, kind, "things"));
    play.seconds(2);
    let things = Gvr::new(group, "v1", "things");
    let object = json!({"apiVersion": format!("{group}/v1"), "kind": kind,
        "metadata": {"name": "web"}, "spec": {"secretName": "web-tls"}});
    play.create(&things, "default", object);
    play.seconds(seconds);
    Object::clone(play.world.peek(&things, "default", "web").unwrap())
}

/// R-CTL-38.
#[test]
fn a_certificate_is_issued_without_cert_manager() {
    let mut play = Play::new(1, &Profile::warm(), "");
    let object = grown(&mut play, "cert-manager.io", "Certificate", 6);
    let ready = object.condition("Ready").unwrap();
    assert_eq!(ready["status"], "True");
    assert_eq!(ready["reason"], "Ready");
    assert_eq!(object.int(&["status", "observedGeneration"]), Some(1));
    let secrets = Gvr::new("", "v1", "secrets");
    let secret = play.world.peek(&secrets, "default", "web-tls").unwrap();
    assert!(secret.at(&["data", "tls.crt"]).is_some());
    // Events go after an hour.
    play.seconds(4_000);
    let steps = play.steps;
    play.seconds(10_000);
    assert!(play.steps - steps < 10, "{} steps: it never comes to rest", play.steps - steps);
}

/// R-CTL-38.
#[test]
fn what_nobody_knows_becomes_ready_and_what_others_look_after_does_not() {
    let mut play = Play::new(1, &Profile::warm(), "");
    let object = grown(&mut play, "things.example.com", "Thing", 5);
    assert_eq!(object.condition("Ready").unwrap()["status"], "True");
    let mut play = Play::new(1, &Profile::warm(), "");
    let object = grown(&mut play, "kustomize.toolkit.fluxcd.io", "Kustomization", 60);
    assert_eq!(object.condition("Ready"), None);
}

/// R-CTL-38: a controller that is there after all, outside, is not overruled.
#[test]
fn who_has_a_word_on_a_status_knows_better_than_what_is_usual() {
    let mut play = Play::new(1, &Profile::warm(), "");
    grown(&mut play, "things.example.com", "Thing", 0);
    let things = Gvr::new("things.example.com", "v1", "things");
    let waiting = json!({"type": "Ready", "status": "False", "reason": "Waiting", "message": "",
        "lastTransitionTime": play.now.rfc3339()});
    let body = json!({"status": {"conditions": [waiting]}});
    let patch = Request::patch(things.clone(), "default", "web", PatchKind::Merge, body);
    let answer = play.ask(&patch.subresource("status"));
    assert!(answer.is_ok(), "{:?}", answer.as_status());
    play.seconds(60);
    let object = play.world.peek(&things, "default", "web").unwrap();
    assert_eq!(object.condition("Ready").unwrap()["reason"], "Waiting");
}

/// R-CTL-38.
#[test]
fn a_scenario_says_that_it_fails_and_then_that_it_is_well() {
    let failed = "- { kind: Certificate.cert-manager.io, after: 1s, condition: Ready, \
                  outcome: failed, reason: Pending, message: \"{metadata.name} waits\" }";
    let mut play = Play::new(1, &Profile::warm(), failed);
    let object = grown(&mut play, "cert-manager.io", "Certificate", 60);
    let ready = object.condition("Ready").unwrap();
    assert_eq!((&ready["status"], &ready["message"]), (&"False".into(), &"web waits".into()));
    let well = "- { kind: Certificate.cert-manager.io, after: 1s, condition: Ready }";
    let mut out = Outbox::default();
    play.world.add_stages(play.now, stages::list(well).unwrap(), &mut out);
    play.take(out);
    play.seconds(3);
    let things = Gvr::new("cert-manager.io", "v1", "things");
    let object = play.world.peek(&things, "default", "web").unwrap();
    assert_eq!(object.condition("Ready").unwrap()["status"], "True");
}

/// R-CTL-38.
#[test]
fn one_that_never_comes_stays_as_it_was_made() {
    let never = "- { kind: Certificate.cert-manager.io, outcome: never }";
    let mut play = Play::new(1, &Profile::warm(), never);
    let object = grown(&mut play, "cert-manager.io", "Certificate", 1_000);
    assert_eq!(object.at(&["status"]), None);
}

/// R-CTL-34, R-CTL-38: a pod waits for its ConfigMap, then for its gate.
#[test]
fn a_pod_waits_for_what_it_refers_to_and_for_its_gate() {
    let gate = "- { kind: Pod, when: { has: { status: { phase: Running } } }, after: 5s, \
                condition: example.com/gate, reason: Met }";
    let mut play = Play::new(1, &Profile::instant(), gate);
    let pod = yaml::body(
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {\
          readinessGates: [{conditionType: example.com/gate}],\
          containers: [{name: c, image: 'a:1', envFrom: [{secretRef: {name: env}}]}],\
          volumes: [{name: v, configMap: {name: config}}]}}",
    );
    play.create(&PODS, "default", pod.unwrap());
    play.seconds(20);
    let state = |play: &Play| {
        let pod = play.world.peek(&PODS, "default", "p").unwrap();
        let status = &pod.list(&["status", "containerStatuses"])[0];
        status["state"]["waiting"]["reason"].as_str().unwrap_or("running").to_owned()
    };
    assert_eq!(state(&play), "ContainerCreating");
    let events: Vec<String> = play
        .world
        .all()
        .filter(|object| object.text(&["reason"]) == Some("FailedMount"))
        .map(|event| event.text(&["message"]).unwrap().to_owned())
        .collect();
    let want = "MountVolume.SetUp failed for volume \"v\" : configmap \"config\" not found";
    assert_eq!(events, [want]);
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"}});
    play.create(&Gvr::new("", "v1", "configmaps"), "default", config);
    play.seconds(40);
    assert_eq!(state(&play), "CreateContainerConfigError");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "env"}});
    play.create(&Gvr::new("", "v1", "secrets"), "default", secret);
    play.seconds(12);
    assert_eq!(state(&play), "running");
    let ready = |play: &Play| {
        let pod = play.world.peek(&PODS, "default", "p").unwrap();
        pod.condition("Ready").unwrap()["status"].as_str().unwrap().to_owned()
    };
    play.seconds(6);
    assert_eq!(ready(&play), "True");
}
