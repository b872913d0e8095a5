//! Pods and nodes in, bindings, conditions and Events out.

use super::*;
use crate::api::{EventKind, List, Payload, WatchEvent};
use crate::object::{Value, json};

const T0: Time = Time::VIRTUAL_START;

fn node(name: &str, cpu: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name},
        "status": {"allocatable": {"cpu": cpu, "memory": "1Gi", "pods": "10"}}})
}

fn pod(name: &str, cpu: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "n", "uid": name, "resourceVersion": "1"},
        "spec": {"containers": [{"resources": {"requests": {"cpu": cpu}}}]}})
}

struct Trial {
    scheduler: Scheduler,
    now: Time,
    /// Ids of the two watches: nodes, pods.
    watches: [u64; 2],
    timers: Vec<(Time, u64)>,
    last: u64,
}

impl Trial {
    fn new(nodes: &[Value]) -> Self {
        let scheduler = Scheduler::new(Rng::new(1), profile::Spread::ZERO);
        let mut trial = Self { scheduler, now: T0, watches: [0; 2], timers: Vec::new(), last: 0 };
        let mut out = Outbox::default();
        trial.scheduler.step(T0, Input::Start, &mut out);
        for (index, (id, request)) in out.requests.into_iter().enumerate() {
            let items = if request.resource.plural == "nodes" { nodes } else { &[] };
            let items = items.iter().map(|o| Arc::new(Object::from_value(o.clone()).unwrap()));
            let list = List {
                kind: "List".into(),
                api_version: "v1".to_owned(),
                revision: 1,
                continue_token: None,
                remaining: None,
                items: items.collect(),
            };
            let response = Arc::new(Response::list(list));
            let mut out = Outbox::default();
            trial.scheduler.step(T0, Input::Answer { id, response }, &mut out);
            if let Some(watch) = trial.watches.get_mut(index) {
                *watch = out.requests[0].0;
            }
        }
        trial
    }

    /// What is sent: `create pods/binding node`, `patch pods/status`, or an Event's reason.
    fn step(&mut self, input: Input) -> Vec<String> {
        let mut out = Outbox::default();
        self.scheduler.step(self.now, input, &mut out);
        self.timers.extend(out.timers);
        let mut said = Vec::new();
        for (id, r) in out.requests {
            self.last = id;
            let body = r.body.as_deref().cloned().unwrap_or_default();
            said.push(match (r.subresource.as_deref(), body["reason"].as_str()) {
                (Some("binding"), _) => {
                    format!("bind to {}", body["target"]["name"].as_str().unwrap_or_default())
                }
                (_, Some(reason)) => reason.to_owned(),
                (sub, None) => format!("{} {}", r.verb_name(), sub.unwrap_or_default()),
            });
        }
        said
    }

    /// An event of nodes (0) or pods (1), and then every timer that it set.
    fn event(&mut self, of: usize, kind: EventKind, object: &Value) -> Vec<String> {
        let object = Arc::new(Object::from_value(object.clone()).unwrap());
        let event = WatchEvent { kind, object };
        let mut said = self.step(Input::Event { id: self.watches[of], event });
        for (at, key) in std::mem::take(&mut self.timers) {
            self.now = self.now.max(at);
            said.extend(self.step(Input::Timer { key }));
        }
        said
    }

    fn answer(&mut self, code: u16) -> Vec<String> {
        let response = Arc::new(Response { code, payload: Payload::Watching, warnings: vec![] });
        self.step(Input::Answer { id: self.last, response })
    }
}

#[test]
fn pods_are_spread_over_what_is_least_taken() {
    let mut t = Trial::new(&[node("a", "2"), node("b", "2")]);
    let bound: Vec<_> = ["p", "q", "r", "s"]
        .into_iter()
        .flat_map(|name| t.event(1, EventKind::Added, &pod(name, "500m")))
        .collect();
    assert_eq!(bound, ["bind to a", "bind to b", "bind to a", "bind to b"]);
}

#[test]
fn a_pod_that_fits_nowhere_is_told_once_and_tried_when_a_node_comes() {
    let mut t = Trial::new(&[node("a", "1")]);
    let told = t.event(1, EventKind::Added, &pod("p", "4"));
    assert_eq!(told, ["patch status", "FailedScheduling"]);
    let bound = t.event(0, EventKind::Added, &node("b", "8"));
    assert_eq!(bound, ["bind to b"]);
    assert!(t.now.since(T0) >= Duration::from_secs(1), "after the back-off");
    assert_eq!(t.answer(201), ["Scheduled"]);
}

#[test]
fn a_refused_binding_gives_the_room_back_and_is_tried_again() {
    let mut t = Trial::new(&[node("a", "1")]);
    assert_eq!(t.event(1, EventKind::Added, &pod("p", "1")), ["bind to a"]);
    t.answer(500);
    let (at, key) = t.timers.pop().unwrap();
    t.now = at;
    assert_eq!(t.step(Input::Timer { key }), ["bind to a"]);
}

#[test]
fn a_pod_that_ended_gives_room() {
    let mut t = Trial::new(&[node("a", "1")]);
    t.event(1, EventKind::Added, &pod("p", "1"));
    t.answer(201);
    assert_eq!(t.event(1, EventKind::Added, &pod("q", "1")), ["patch status", "FailedScheduling"]);
    let mut ended = pod("p", "1");
    ended["spec"]["nodeName"] = "a".into();
    ended["metadata"]["resourceVersion"] = "2".into();
    t.event(1, EventKind::Modified, &ended);
    ended["status"]["phase"] = "Succeeded".into();
    ended["metadata"]["resourceVersion"] = "3".into();
    assert_eq!(t.event(1, EventKind::Modified, &ended), ["bind to a"]);
}
