//! One cluster, assembled: the API server, the controllers, the scheduler and the nodes, with the
//! latencies between them. A state machine: it is handed signals when they are due and says which
//! come next. The queue is its owner's (`lab`, or a shell with a real clock).
//!
//! Clients outside (the engine, a scenario's foreign writer) use the same signals: what is
//! addressed to a client that the world does not know goes back to the owner, who knows it.
//!
//! A server on the wire (`serve`) has no modelled latency of its own, the network is there: its
//! requests are answered at once ([`World::call`]), and its watches, those of clients from
//! [`FIRST_DIRECT`] on, hear at once ([`Outbox::direct`]).

mod aside;
mod faulty;
mod parts;
mod staged;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use parts::{Parts, served};
pub use staged::read_stages;

use crate::api::{self, Client, Request, Response};
use crate::base::{Profile, Rng, Time};
use crate::object::{Gvr, Object, json};
use crate::sim::controllers::{ControllerManager, Measured, Reading, Scheduler};
use crate::sim::pods::{Behaviour, Images, Kubelets};
use crate::sim::rest::{Admission, CallOut, Server, WebhookAnswer, WebhookCall};
use crate::sim::stages::{Stage, Stages};
use crate::sim::store::{Commit, Delivery};

/// Clients from this number on are outside the world.
pub const FIRST_FOREIGN: u32 = 100;

/// Clients from this number on hear at once, not after the latencies of the profile.
pub const FIRST_DIRECT: u32 = 1 << 16;

/// What happens to somebody at some time.
#[derive(Clone, Debug)]
pub struct Signal {
    /// The client that it is from or for.
    pub client: u32,
    /// What happens.
    pub what: What,
}

/// See [`Signal`].
#[derive(Clone, Debug)]
pub enum What {
    /// A request reaches the API server.
    Arrive {
        /// The client's id for it.
        id: u64,
        /// The request.
        request: Box<Request>,
    },
    /// The client hears something.
    Hear(api::Input),
    /// The API server looks at its own timers.
    Tick,
    /// Nodes that are watched give a sign of life.
    Beat,
}

/// What the world wants and what happened in it.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Signals, each with the time at which it is due.
    pub later: Vec<(Time, Signal)>,
    /// The request that was answered in this step.
    pub handled: Option<Handled>,
    /// Events for watches of clients from [`FIRST_DIRECT`] on.
    pub direct: Vec<Delivery>,
    /// Watches (client, id) of such clients that ended; no more events come.
    pub ended: Vec<(u32, u64)>,
    /// Requests that wait for a webhook: whoever owns the world makes the calls, and hands what
    /// came of them to [`World::resume`].
    pub calling_out: Vec<CallingOut>,
}

/// A request that waits for a webhook.
#[derive(Debug)]
pub struct CallingOut {
    /// Whose it is.
    pub client: u32,
    /// The client's id for it.
    pub id: u64,
    request: Box<Request>,
    call_out: Box<CallOut>,
}

impl CallingOut {
    /// The call to make.
    #[must_use]
    pub fn call(&self) -> &WebhookCall {
        &self.call_out.call
    }
}

/// A request that the API server answered.
#[derive(Clone, Debug)]
pub struct Handled {
    /// Whose it was.
    pub client: u32,
    /// The client's id for it.
    pub id: u64,
    /// What was asked.
    pub request: Box<Request>,
    /// The status code of the answer.
    pub code: u16,
    /// The answer.
    pub response: Arc<Response>,
    /// Whether the store changed.
    pub wrote: bool,
}

/// A cluster.
pub struct World {
    server: Server,
    manager: Option<Box<ControllerManager>>,
    scheduler: Option<Box<Scheduler>>,
    stages: Option<Stages>,
    kubelets: Kubelets,
    has_nodes: bool,
    profile: Profile,
    rng: Rng,
    /// When the last event of a watch is due: the next may not overtake it.
    last_due: BTreeMap<(u32, u64), Time>,
    tick_at: Option<Time>,
    /// When heartbeats are written next, while somebody watches them.
    beat_at: Option<Time>,
    /// Latencies of what is sent besides, so that they do not change those of all else.
    aside: Rng,
}

/// Nodes that are watched give a sign of life.
const BEAT: Signal = Signal { client: 0, what: What::Beat };

const MANAGER: u32 = 1;
const SCHEDULER: u32 = 2;
const KUBELETS: u32 = 3;
const STAGES: u32 = 4;

impl World {
    /// A cluster with `nodes` nodes. Everything random in it follows from `seed`.
    #[must_use]
    pub fn new(seed: &Rng, profile: &Profile, nodes: usize, images: Images, now: Time) -> Self {
        Self::with_stages(seed, profile, nodes, images, Vec::new(), now)
    }

    /// The same with stages of its own.
    #[must_use]
    pub fn with_stages(
        seed: &Rng,
        profile: &Profile,
        nodes: usize,
        images: Images,
        stages: Vec<Stage>,
        now: Time,
    ) -> Self {
        let parts = Parts::staged(nodes, stages);
        // What quotas are used up by is counted by the controller of this world.
        let admission = Admission { quota_is_counted: true, ..Admission::default() };
        let server = Server::new_at(seed, now).with_admission(admission);
        let mut world = Self::with(parts, server, seed, profile, images);
        world.ensure_storage_class(now);
        world
    }

    /// A cluster around a server that is there already, of so many parts.
    #[must_use]
    pub fn with(
        parts: Parts,
        server: Server,
        seed: &Rng,
        profile: &Profile,
        images: Images,
    ) -> Self {
        let kubelets = Kubelets::new(parts.nodes, profile, images, seed.fork("kubelets"));
        let manager = parts.controllers.map(|told| {
            let names: Vec<String> = kubelets.names().collect();
            Box::new(ControllerManager::new(&served(), told).keeping(&names))
        });
        let scheduler = || Box::new(Scheduler::new(seed.fork("scheduler"), profile.schedule));
        let stages =
            parts.stages.map(|stages| Stages::new(stages, profile.name, seed.fork("stages")));
        Self {
            server,
            manager,
            scheduler: parts.scheduler.then(scheduler),
            stages,
            has_nodes: parts.nodes > 0,
            kubelets,
            profile: profile.clone(),
            rng: seed.fork("latency"),
            last_due: BTreeMap::new(),
            tick_at: None,
            beat_at: None,
            aside: seed.fork("latency aside"),
        }
    }

    /// Starts everything in the cluster.
    pub fn start(&mut self, now: Time) -> Outbox {
        let mut out = Outbox::default();
        for client in [MANAGER, SCHEDULER, KUBELETS, STAGES] {
            self.hear(now, client, api::Input::Start, &mut out);
        }
        out
    }

    /// Answers a request at once, unless it has to wait for a webhook: then there is no answer and
    /// the call is in `out`. What it means for others, and the first events of a watch that it
    /// opens, go to `out` too; `client` is one that hears at once.
    pub fn call(
        &mut self,
        now: Time,
        client: u32,
        id: u64,
        request: &Request,
        out: &mut Outbox,
    ) -> Option<Response> {
        self.before(now, client, request, out);
        let handled = self.server.handle(now, client, id, request);
        self.told(now, client, id, request, handled, out)
    }

    /// Goes on with a request whose webhook has answered. The answer comes back for clients that
    /// hear at once; others hear it as always.
    pub fn resume(
        &mut self,
        now: Time,
        waiting: CallingOut,
        answer: WebhookAnswer,
        out: &mut Outbox,
    ) -> Option<Response> {
        let CallingOut { client, id, request, call_out } = waiting;
        let before = self.server.revision();
        let handled = self.server.resume(*call_out, answer);
        if client >= FIRST_DIRECT {
            return self.told(now, client, id, &request, handled, out);
        }
        self.answered(now, (client, id), request, handled, before, out);
        None
    }

    /// Hands on what a request of a client that hears at once came to.
    fn told(
        &mut self,
        now: Time,
        client: u32,
        id: u64,
        request: &Request,
        handled: crate::sim::Handled,
        out: &mut Outbox,
    ) -> Option<Response> {
        if let Some(call_out) = handled.call_out {
            let request = Box::new(request.clone());
            out.calling_out.push(CallingOut { client, id, request, call_out });
            return None;
        }
        self.deliver(now, handled.deliveries, out);
        self.end(now, handled.ended, out);
        self.plan_tick(out);
        Some(handled.response)
    }

    /// Closes one watch, whose client has gone or does not keep up.
    pub fn drop_watch(&mut self, client: u32, id: u64) {
        self.server.drop_watch(client, id);
    }

    /// The commits since the last call, where the server keeps a journal.
    pub fn take_journal(&mut self) -> Vec<Commit> {
        self.server.take_journal()
    }

    /// The API server, for what is asked of it without a request.
    pub fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    /// Whether a client is part of the world.
    #[must_use]
    pub fn is_inside(client: u32) -> bool {
        client < FIRST_FOREIGN
    }

    /// Takes a signal that is due. Those for clients outside must not be handed in.
    pub fn step(&mut self, now: Time, signal: Signal) -> Outbox {
        let mut out = Outbox::default();
        match signal.what {
            What::Arrive { id, request } => self.arrive(now, signal.client, id, request, &mut out),
            What::Hear(input) => self.hear(now, signal.client, input, &mut out),
            What::Tick => self.tick(now, &mut out),
            What::Beat => {
                self.beat_at = None;
                self.beat(now, &mut out);
                self.plan_beat(now, &mut out);
            }
        }
        out
    }

    /// Sends what a client wants: requests are on their way for as long as the profile says.
    pub fn send(&mut self, now: Time, client: u32, wants: api::Outbox, out: &mut Outbox) {
        for (id, request) in wants.requests {
            let aside = aside::is_request_aside(client, &request);
            let rng = if aside { &mut self.aside } else { &mut self.rng };
            let at = now + self.profile.api.draw(rng);
            let what = What::Arrive { id, request: Box::new(request) };
            out.later.push((at, Signal { client, what }));
        }
        for (at, key) in wants.timers {
            let what = What::Hear(api::Input::Timer { key });
            out.later.push((at.max(now), Signal { client, what }));
        }
    }

    /// What images do from now on.
    pub fn set_image(&mut self, now: Time, pattern: &str, behaviour: Behaviour, out: &mut Outbox) {
        let mut wants = api::Outbox::default();
        self.kubelets.set_image(now, pattern, behaviour, &mut wants);
        self.send(now, KUBELETS, wants, out);
    }

    /// What is measured of a workload from now on; nothing with `None`.
    pub fn set_metric(&mut self, of: Measured, metric: &str, reading: Option<Reading>) {
        if let Some(manager) = &mut self.manager {
            manager.metrics().set(of, metric, reading);
        }
    }

    /// Makes sure that a namespace is there, before the run begins, as an administrator would.
    pub fn ensure_namespace(&mut self, now: Time, name: &str) {
        let value = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let object = Object::from_value(value).unwrap_or_default();
        let request = Request::create(Gvr::new("", "v1", "namespaces"), "", object);
        // 409 where it is there already, which is just as well.
        let _ = self.server.handle(now, 0, 0, &request);
    }

    /// Makes sure that claims which name no class are given a volume, as most clusters see to.
    fn ensure_storage_class(&mut self, now: Time) {
        let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "provisioner": "provisioner.towtank.dev", "metadata": {"name": "standard",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}});
        let object = Object::from_value(class).unwrap_or_default();
        let classes = Gvr::new("storage.k8s.io", "v1", "storageclasses");
        let _ = self.server.handle(now, 0, 0, &Request::create(classes, "", object));
    }

    /// A client went away: its watches are closed, and what is on its way to it is lost.
    pub fn drop_client(&mut self, client: u32) {
        self.server.drop_client(client);
    }

    /// Reads an object without a request, for oracles.
    #[must_use]
    pub fn peek(&self, gvr: &Gvr, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.server.peek(gvr, namespace, name)
    }

    /// Every object of a resource, for oracles.
    pub fn all_of<'s>(&'s self, gvr: &Gvr) -> impl Iterator<Item = &'s Arc<Object>> + use<'s> {
        self.server.all_of(gvr)
    }

    /// Every object, for oracles.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.server.all()
    }

    fn arrive(&mut self, now: Time, client: u32, id: u64, request: Box<Request>, out: &mut Outbox) {
        self.before(now, client, &request, out);
        let before = self.server.revision();
        let handled = self.server.handle(now, client, id, &request);
        self.answered(now, (client, id), request, handled, before, out);
    }

    fn answered(
        &mut self,
        now: Time,
        (client, id): (u32, u64),
        request: Box<Request>,
        handled: crate::sim::Handled,
        before: u64,
        out: &mut Outbox,
    ) {
        if let Some(call_out) = handled.call_out {
            out.calling_out.push(CallingOut { client, id, request, call_out });
            return;
        }
        let response = Arc::new(handled.response);
        let aside = aside::is_request_aside(client, &request);
        let rng = if aside { &mut self.aside } else { &mut self.rng };
        let answered_at = now + self.profile.api.draw(rng);
        self.last_due.insert((client, id), answered_at);
        let input = api::Input::Answer { id, response: Arc::clone(&response) };
        out.later.push((answered_at, Signal { client, what: What::Hear(input) }));
        self.deliver(now, handled.deliveries, out);
        self.end(now, handled.ended, out);
        if !matches!(response.payload, api::Payload::Watching) {
            self.last_due.remove(&(client, id));
        }
        let code = response.code;
        let wrote = self.server.revision() != before;
        out.handled = Some(Handled { client, id, request, code, response, wrote });
        self.plan_tick(out);
    }

    fn deliver(&mut self, now: Time, deliveries: Vec<Delivery>, out: &mut Outbox) {
        self.deliver_from(now, deliveries, false, out);
    }

    /// `aside`: the times are drawn from the stream of what is sent besides.
    fn deliver_from(
        &mut self,
        now: Time,
        deliveries: Vec<Delivery>,
        aside: bool,
        out: &mut Outbox,
    ) {
        for delivery in deliveries {
            let (client, id) = (delivery.client, delivery.id);
            if client >= FIRST_DIRECT {
                out.direct.push(delivery);
                continue;
            }
            let aside = aside || aside::is_aside(client, delivery.event.object.kind());
            let rng = if aside { &mut self.aside } else { &mut self.rng };
            let drawn = now + self.profile.watch.draw(rng);
            let due = self.after_last(client, id, drawn);
            let input = api::Input::Event { id, event: delivery.event };
            out.later.push((due, Signal { client, what: What::Hear(input) }));
        }
    }

    fn end(&mut self, now: Time, ended: Vec<(u32, u64)>, out: &mut Outbox) {
        for (client, id) in ended {
            if client >= FIRST_DIRECT {
                out.ended.push((client, id));
                continue;
            }
            let due = self.after_last(client, id, now);
            self.last_due.remove(&(client, id));
            let what = What::Hear(api::Input::WatchEnded { id });
            out.later.push((due, Signal { client, what }));
        }
    }

    /// A time strictly after the last event of the watch, so that whatever shuffles what is due
    /// together cannot turn a watch's events round.
    fn after_last(&mut self, client: u32, id: u64, drawn: Time) -> Time {
        const TICK: std::time::Duration = std::time::Duration::from_micros(1);
        let last = self.last_due.entry((client, id)).or_default();
        *last = drawn.max(*last + TICK);
        *last
    }

    fn hear(&mut self, now: Time, client: u32, input: api::Input, out: &mut Outbox) {
        let mut wants = api::Outbox::default();
        if client == KUBELETS {
            if !self.has_nodes {
                return;
            }
            self.kubelets.step(now, input, &mut wants);
        } else if let Some(manager) = self.manager.as_mut().filter(|_| client == MANAGER) {
            manager.step(now, input, &mut wants);
        } else if let Some(scheduler) = self.scheduler.as_mut().filter(|_| client == SCHEDULER) {
            scheduler.step(now, input, &mut wants);
        } else if client == STAGES
            && let Some(stages) = &mut self.stages
        {
            stages.step(now, input, &mut wants);
        }
        self.send(now, client, wants, out);
    }

    fn tick(&mut self, now: Time, out: &mut Outbox) {
        self.tick_at = None;
        let ticked = self.server.tick(now);
        self.deliver(now, ticked.deliveries, out);
        self.end(now, ticked.ended, out);
        self.plan_tick(out);
    }

    fn plan_tick(&mut self, out: &mut Outbox) {
        let Some(at) = self.server.next_tick() else { return };
        if self.tick_at.is_none_or(|planned| at < planned) {
            self.tick_at = Some(at);
            out.later.push((at, Signal { client: 0, what: What::Tick }));
        }
    }
}
