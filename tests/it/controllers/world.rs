//! A cluster in a queue: server, controllers, scheduler and player, each message taking a fixed
//! time. What the test itself watches is kept in the order in which it happened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use towtank::api::path::{Incoming, parse};
use towtank::api::{Client, Input, Outbox, Payload, Request, Response, WatchEvent};
use towtank::base::profile::Spread;
use towtank::base::{Queue, Rng, Time};
use towtank::object::{Gvr, Object, Value, json};
use towtank::sim::Server;
use towtank::sim::controllers::{
    Autoscaling, ControllerManager, Measured, Reading, Scheduler, Served, Settings,
};
use towtank::sim::rest::Admission;

use super::player::Player;

/// The client id of the test.
const TEST: u32 = 1_000;

/// Messages that one run may take, so that a loop fails instead of hanging.
const MESSAGES: usize = 2_000_000;

/// Autoscalers as the recording had them.
fn settings() -> Settings {
    let autoscaling = Autoscaling {
        period: Duration::from_secs(2),
        downscale_window: Duration::from_secs(6),
        cpu_initialization: Duration::ZERO,
        initial_readiness: Duration::ZERO,
        ..Autoscaling::default()
    };
    Settings { autoscaling, ..Settings::default() }
}

enum Message {
    Hear(usize, Input),
    Ask(usize, u64, Box<Request>),
}

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) server: Server,
    /// What the test's watches told.
    pub(crate) heard: Vec<WatchEvent>,
    /// Writes that clients sent.
    pub(crate) writes: usize,
    manager: ControllerManager,
    /// Scheduler and player; the manager comes before them.
    others: Vec<Box<dyn Client>>,
    queue: Queue<Message>,
    latency: Duration,
    /// With this every message takes a time of its own, up to twice the latency.
    jitter: Option<Rng>,
    /// When the last event of a watch arrives: events of one watch keep their order.
    arrivals: BTreeMap<(usize, u64), Time>,
    watches: u64,
}

impl World {
    /// Two nodes, nothing else. Every message takes `latency`; with a seed, what the seed says.
    pub(crate) fn new(latency: Duration, seed: Option<u64>) -> Self {
        // Nobody renews the Leases of these nodes.
        let settings = Settings { node_grace: None, ..settings() };
        Self::with_settings(latency, seed, settings)
    }

    /// The same with controllers that are told something else.
    pub(crate) fn with_settings(latency: Duration, seed: Option<u64>, settings: Settings) -> Self {
        let rng = Rng::new(7);
        let wait = Spread { from: latency, to: latency };
        // Where nodes can be lost their pods are played by the test.
        let is_played = settings.node_grace.is_none();
        let manager = ControllerManager::new(&Served::builtin(), settings);
        let manager = match seed {
            Some(seed) => manager.shuffled(Rng::new(seed).fork("controllers")),
            None => manager,
        };
        let mut others: Vec<Box<dyn Client>> =
            vec![Box::new(Scheduler::new(rng.fork("scheduler"), wait))];
        if is_played {
            others.push(Box::new(Player::new(latency * 4)));
        }
        let admission = Admission { quota_is_counted: true, ..Admission::default() };
        let mut world = Self {
            now: Time::VIRTUAL_START,
            server: Server::new(&rng.fork("server")).with_admission(admission),
            heard: Vec::new(),
            writes: 0,
            manager,
            others,
            queue: Queue::new(None),
            latency,
            jitter: seed.map(Rng::new),
            arrivals: BTreeMap::new(),
            watches: 0,
        };
        for name in ["node-0", "node-1"] {
            let status = json!({"allocatable": {"cpu": "32", "memory": "256Gi", "pods": "10000"},
                "conditions": [{"type": "Ready", "status": "True"}]});
            let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name,
                "labels": {"kubernetes.io/hostname": name}}});
            world.http("POST", "/api/v1/nodes", &node);
            let patch = json!({ "status": status });
            world.http("PATCH", &format!("/api/v1/nodes/{name}/status"), &patch);
        }
        for client in 0..=world.others.len() {
            world.queue.push(world.now, Message::Hear(client, Input::Start));
        }
        world.run_for(Duration::from_secs(1));
        world
    }

    /// Watches a namespace's objects of a resource, beginning with what is there.
    pub(crate) fn watch(&mut self, resource: Gvr, namespace: &str) {
        self.watches += 1;
        let is_itself = resource.plural == "namespaces";
        let mut request = Request::watch(resource, if is_itself { "" } else { namespace }, "0");
        request.options.bookmarks = false;
        if is_itself {
            request.options.field_selector = Some(format!("metadata.name={namespace}"));
        }
        let handled = self.server.handle(self.now, TEST, self.watches, &request);
        assert_eq!(handled.response.payload, Payload::Watching);
        self.deliver(handled.deliveries, handled.ended);
    }

    /// From now on each pod of the workload `web` uses so much.
    pub(crate) fn measure(&mut self, metric: &str, reading: &Reading) {
        for kind in ["deployment", "statefulset"] {
            let of = Measured { kind: kind.into(), namespace: "case".into(), name: "web".into() };
            self.manager.metrics().set(of, metric, Some(reading.clone()));
        }
    }

    /// A request of the test's, as over HTTP; patches are strategic ones.
    pub(crate) fn http(&mut self, method: &str, target: &str, body: &Value) -> Response {
        let patch = "application/strategic-merge-patch+json";
        let content_type = if method == "PATCH" { patch } else { "application/json" };
        let bytes = body.to_string();
        let incoming = Incoming {
            method,
            target,
            content_type,
            user_agent: "test",
            body: if body.is_null() { Bytes::new() } else { bytes.into() },
        };
        let request = parse(&incoming, |gvr| self.server.kind_of(gvr)).expect("readable");
        let handled = self.server.handle(self.now, TEST, 0, &request);
        self.deliver(handled.deliveries, handled.ended);
        handled.response
    }

    /// The same, and it has to succeed.
    pub(crate) fn must(&mut self, method: &str, target: &str, body: &Value) -> Response {
        let response = self.http(method, target, body);
        assert!(response.is_ok(), "{method} {target}: {:?}", response.as_status());
        response
    }

    /// An object, if it is there.
    pub(crate) fn object(
        &self,
        target: (&'static str, &'static str),
        name: &str,
    ) -> Option<Arc<Object>> {
        let gvr = Gvr::new(target.0, "v1", target.1);
        self.server.peek(&gvr, "default", name).cloned()
    }

    /// Lets `span` pass.
    pub(crate) fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        for _ in 0..MESSAGES {
            let tick = self.server.next_tick().filter(|at| *at <= end);
            let message = self.queue.next_at().filter(|at| *at <= end);
            match (tick, message) {
                (Some(tick), message) if message.is_none_or(|at| tick < at) => {
                    self.now = self.now.max(tick);
                    let ticked = self.server.tick(self.now);
                    self.deliver(ticked.deliveries, ticked.ended);
                }
                (_, Some(_)) => self.step(),
                _ => {
                    self.now = end;
                    return;
                }
            }
        }
        panic!("the world does not come to rest");
    }

    fn step(&mut self) {
        let Some((at, message)) = self.queue.pop() else { return };
        self.now = self.now.max(at);
        match message {
            Message::Hear(client, input) => {
                let mut out = Outbox::default();
                let one: &mut dyn Client = match client.checked_sub(1) {
                    Some(other) => self.others[other].as_mut(),
                    None => &mut self.manager,
                };
                one.step(self.now, input, &mut out);
                for (id, request) in out.requests {
                    let ask = Message::Ask(client, id, Box::new(request));
                    let at = self.arrival();
                    self.queue.push(at, ask);
                }
                for (at, key) in out.timers {
                    self.queue.push(at, Message::Hear(client, Input::Timer { key }));
                }
            }
            Message::Ask(client, id, request) => {
                self.writes += usize::from(request.is_write());
                let index = u32::try_from(client).unwrap();
                let handled = self.server.handle(self.now, index, id, &request);
                let response = Arc::new(handled.response);
                if (request.is_write() || !response.is_ok()) && std::env::var("TRACE").is_ok() {
                    let status = response.as_status().map(|s| s.message.clone());
                    let sub = request.subresource.clone().unwrap_or_default();
                    let body = request.body.clone().unwrap_or_default();
                    println!(
                        "{:?} {} {} {:?}/{sub} {} {status:?} {body}",
                        self.now,
                        request.verb_name(),
                        request.resource,
                        request.name,
                        response.code
                    );
                }
                let at = match response.payload {
                    Payload::Watching => self.arrival_in_order(client, id),
                    _ => self.arrival(),
                };
                self.queue.push(at, Message::Hear(client, Input::Answer { id, response }));
                self.deliver(handled.deliveries, handled.ended);
            }
        }
    }

    fn deliver(&mut self, deliveries: Vec<towtank::sim::Delivery>, ended: Vec<(u32, u64)>) {
        for delivery in deliveries {
            if delivery.client == TEST {
                self.heard.push(delivery.event);
                continue;
            }
            let input = Input::Event { id: delivery.id, event: delivery.event };
            let client = delivery.client as usize;
            let at = self.arrival_in_order(client, delivery.id);
            self.queue.push(at, Message::Hear(client, input));
        }
        for (client, id) in ended.into_iter().filter(|(client, _)| *client != TEST) {
            let input = Input::WatchEnded { id };
            let at = self.arrival_in_order(client as usize, id);
            self.queue.push(at, Message::Hear(client as usize, input));
        }
    }

    fn arrival(&mut self) -> Time {
        match &mut self.jitter {
            Some(rng) => self.now + rng.between(Duration::ZERO, self.latency * 2),
            None => self.now + self.latency,
        }
    }

    /// When the next event of a watch arrives: after the one before.
    fn arrival_in_order(&mut self, client: usize, watch: u64) -> Time {
        let before = self.arrivals.get(&(client, watch)).copied().unwrap_or_default();
        let at = self.arrival().max(before);
        self.arrivals.insert((client, watch), at);
        at
    }
}
