//! All nodes and their pods, played by one client of the API: what a kubelet does that others
//! can see, and nothing of what it does on its machine.
//!
//! A pod that is bound to one of the nodes gets a `life`: a state machine that knows what is due
//! next and does nothing until then. Whatever changes in it goes to the server as a strategic
//! merge patch of the pod's `/status`, as a real kubelet sends it, one at a time for a pod; what
//! changes meanwhile is in the next. A pod whose scripted answers cannot change has no timer, so
//! an idle world has none.
//!
//! Nodes renew their Leases, but what nobody can see is not written (`beats`): a world in which
//! nothing happens must be able to stop. A node can fall silent and come back: its pods go on
//! meanwhile, and nobody hears of it.
//!
//! Reading order: `behaviour` (what images do), `usual` (what they do otherwise), `spec` (what is read of a pod), `life` (the pod),
//! `container` and `run` (its containers), `refusals` (images), `hooks`, `probe`, `backoff`; then outwards `view`, `status`,
//! `patch`; `recorder` (Events), `nodes`, `timers`.
//!
//! Not here: scheduling and node lifecycle (`sim/controllers`), logs and exec, volumes other than
//! ConfigMaps and Secrets, ephemeral containers, in-place resize.

mod backoff;
mod beats;
pub mod behaviour;
mod container;
mod ground;
mod hooks;
mod life;
mod nodes;
mod patch;
mod probe;
mod recorder;
mod references;
mod refusals;
mod run;
mod slot;
mod spec;
mod status;
#[cfg(test)]
mod tests;
mod timers;
mod usual;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::{Change, Client, Ids, Informer, Input, Outbox, PatchKind, Request, Response};
use crate::base::{Profile, Rng, Time};
use crate::object::{Gvr, Object, Uid, json};

use beats::Beats;
pub use behaviour::{Behaviour, Crash, Exit, Hook, Images, Live, Pull, Ready, Stop};
use life::Life;
use nodes::{Addresses, Fleet};
use recorder::Recorder;
use references::Sources;
use slot::{Sent, Slot};
use timers::Timers;
use usual::Usual;
pub use usual::{ContainerStage, NotAContainerStage};

/// The user agent of nodes.
pub const AGENT: &str = "kubelet";
const PODS: Gvr = Gvr::new("", "v1", "pods");
const NODES: Gvr = Gvr::new("", "v1", "nodes");
const EVENTS: Gvr = Gvr::new("", "v1", "events");
const LEASES: Gvr = Gvr::new("coordination.k8s.io", "v1", "leases");

/// The key of the one timer that stands for all pods; ids are drawn from 1.
const WAKE: u64 = 0;

/// The nodes of a world, named `node-1`, `node-2`, ..., and the pods on them.
#[derive(Debug)]
pub struct Kubelets {
    fleet: Fleet,
    rng: Rng,
    ids: Ids,
    pods: Informer,
    /// By uid.
    slots: BTreeMap<Uid, Slot>,
    timers: Timers<Uid>,
    recorder: Recorder,
    under_way: BTreeMap<u64, Sent>,
    beats: Beats,
    /// How often a kubelet started.
    started: u64,
}

impl Kubelets {
    /// `nodes` nodes (with room for 8 cpu, 32Gi and 110 pods each) whose latencies are those of
    /// `profile` and on which images do what `images` says. Nothing is sent before
    /// [`Input::Start`].
    #[must_use]
    pub fn new(nodes: usize, profile: &Profile, images: Images, rng: Rng) -> Self {
        let fleet = Fleet {
            usual: Usual::of(profile.name),
            sources: Sources::default(),
            images,
            present: BTreeSet::new(),
            addresses: Addresses::default(),
            nodes,
        };
        Self {
            fleet,
            rng,
            ids: Ids::default(),
            pods: Informer::new(PODS, "", AGENT),
            slots: BTreeMap::new(),
            timers: Timers::default(),
            recorder: Recorder::default(),
            under_way: BTreeMap::new(),
            beats: Beats::default(),
            started: 0,
        }
    }

    /// From `now` on the images that `pattern` stands for do what `behaviour` says, also in
    /// containers that run already: for those, times count from `now`.
    pub fn set_image(&mut self, now: Time, pattern: &str, behaviour: Behaviour, out: &mut Outbox) {
        self.fleet.images.set(pattern, behaviour);
        let uids: Vec<Uid> = self.slots.keys().cloned().collect();
        for uid in uids {
            if let Some(life) = self.slots.get_mut(&uid).and_then(|slot| slot.life.as_mut()) {
                life.rescript(pattern, now, &mut self.fleet);
            }
            self.advance(&uid, now, out);
        }
        self.arm(out);
    }

    /// The names of the nodes.
    pub fn names(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.fleet.nodes).map(nodes::node_name)
    }

    /// The node called `name` falls silent: nothing is heard of it and of its pods. Gives the time
    /// of its last heartbeat; `None` where there is no such node.
    pub fn stop_node(&mut self, now: Time, name: &str) -> Option<Time> {
        let node = self.fleet.node(name)?;
        Some(self.beats.stop(node, now))
    }

    /// The kubelet of a node starts (again): it registers the node if need be, says that it is
    /// ready, and tells what its pods have come to. False where there is no such node.
    pub fn start_node(&mut self, now: Time, name: &str, out: &mut Outbox) -> bool {
        let Some(node) = self.fleet.node(name) else { return false };
        self.beats.begin(node, now);
        let id = self.send(Request::get(NODES, "", name), out);
        self.under_way.insert(id, Sent::Back(node));
        let pods: Vec<_> = self.pods.iter().cloned().collect();
        for pod in pods.iter().filter(|pod| pod.text(&["spec", "nodeName"]) == Some(name)) {
            let uid = Uid::from(pod.uid());
            match self.slots.get_mut(&uid) {
                Some(slot) => slot.see(pod, now, &mut self.fleet),
                None => self.adopt(pod, node, now),
            }
            self.advance(&uid, now, out);
        }
        self.arm(out);
        true
    }

    /// Heartbeats that are due and were not written, for whoever is about to look.
    pub fn take_overdue(&mut self, now: Time) -> Vec<(Time, Request)> {
        let overdue = self.beats.take_overdue(now);
        overdue.into_iter().map(|(at, request)| (at, request.by(AGENT))).collect()
    }

    /// When the next heartbeat is due.
    #[must_use]
    pub fn next_beat(&self, now: Time) -> Option<Time> {
        self.beats.next(now)
    }

    /// The Lease of a node, for one that somebody deleted.
    #[must_use]
    pub fn lease(node: &Object, at: Time) -> Request {
        Request::create(LEASES, "kube-node-lease", nodes::lease(node, at)).by(AGENT)
    }

    /// Whether the node that a pod is bound to is silent.
    fn is_silent(&self, pod: &Object) -> bool {
        let name = pod.text(&["spec", "nodeName"]).unwrap_or_default();
        self.fleet.node(name).is_some_and(|node| self.beats.is_silent(node))
    }

    fn send(&mut self, request: Request, out: &mut Outbox) -> u64 {
        let id = self.ids.draw();
        out.requests.push((id, request.by(AGENT)));
        id
    }

    fn start(&mut self, now: Time, out: &mut Outbox) {
        for index in 0..self.fleet.nodes {
            let id = self.send(Request::create(NODES, "", nodes::node(index, now)), out);
            self.under_way.insert(id, Sent::Node(index));
        }
        self.fleet.sources.start(&mut self.ids, out);
        self.pods.start(&mut self.ids, out);
    }

    /// A node is registered: its Lease follows, and its status where the server did not take it
    /// with the node.
    fn registered(&mut self, index: usize, response: &Response, now: Time, out: &mut Outbox) {
        let Some(node) = response.as_object() else { return };
        let lease = nodes::lease(node, now);
        self.send(Request::create(LEASES, "kube-node-lease", lease), out);
        if !self.beats.is_silent(index) {
            self.beats.begin(index, now);
        }
        self.tell_of_start(index, now, out);
        if node.condition("Ready").is_none() {
            let body = json!({"status": nodes::node_status(index, now)});
            let name = nodes::node_name(index);
            let patch = Request::patch(NODES, "", &name, PatchKind::Strategic, body);
            self.send(patch.subresource("status"), out);
        }
    }

    /// A node that was silent is back, and this is what the server has of it.
    fn back(&mut self, index: usize, response: &Response, now: Time, out: &mut Outbox) {
        if response.as_object().is_none() {
            let id = self.send(Request::create(NODES, "", nodes::node(index, now)), out);
            self.under_way.insert(id, Sent::Node(index));
            return;
        }
        let name = nodes::node_name(index);
        let body = json!({"spec": {"renewTime": now.rfc3339_micro()}});
        let patch = Request::patch(LEASES, "kube-node-lease", &name, PatchKind::Merge, body);
        self.send(patch, out);
        let body = json!({"status": {"conditions": nodes::conditions(now)}});
        let patch = Request::patch(NODES, "", &name, PatchKind::Strategic, body);
        self.send(patch.subresource("status"), out);
        self.tell_of_start(index, now, out);
    }

    fn tell_of_start(&mut self, index: usize, now: Time, out: &mut Outbox) {
        self.started += 1;
        for event in nodes::start_events(index, now, self.started) {
            self.send(Request::create(EVENTS, "default", event), out);
        }
    }

    fn observe(&mut self, change: &Change, now: Time, out: &mut Outbox) {
        let Some(pod) = &change.new else {
            if let Some(old) = &change.old {
                self.forget(&old.uid().into());
            }
            return;
        };
        let node = pod.text(&["spec", "nodeName"]).and_then(|name| self.fleet.node(name));
        let Some(node) = node.filter(|node| !self.beats.is_silent(*node)) else { return };
        let uid = Uid::from(pod.uid());
        match self.slots.get_mut(&uid) {
            // The answer to a write is often here before its echo.
            Some(slot) if pod.revision() <= slot.pod.revision() => return,
            Some(slot) => slot.see(pod, now, &mut self.fleet),
            None => self.adopt(pod, node, now),
        }
        self.advance(&uid, now, out);
    }

    fn adopt(&mut self, pod: &Arc<Object>, node: usize, now: Time) {
        let ended = matches!(pod.text(&["status", "phase"]), Some("Succeeded" | "Failed"));
        let life = (!ended).then(|| {
            let rng = self.rng.fork(&format!("{}/{}", pod.namespace(), pod.name()));
            let ip = self.fleet.addresses.take();
            let mut life = Life::new(pod, ip, nodes::node_ip(node), now, rng);
            life.see(pod, now, &mut self.fleet);
            life
        });
        let slot = Slot::new(Arc::clone(pod), life);
        self.slots.insert(pod.uid().into(), slot);
    }

    fn forget(&mut self, uid: &Uid) {
        if let Some(life) = self.slots.remove(uid).and_then(|slot| slot.life) {
            self.fleet.addresses.release(&life.ip);
        }
        self.timers.set(uid, None);
        self.recorder.forget(uid);
    }

    /// Does what is due for one pod, and tells.
    fn advance(&mut self, uid: &Uid, now: Time, out: &mut Outbox) {
        if self.slots.get(uid).is_none_or(|slot| self.is_silent(&slot.pod)) {
            self.timers.set(uid, None);
            return;
        }
        let Some(slot) = self.slots.get_mut(uid) else { return };
        let mut told = Vec::new();
        let mut next = None;
        if let Some(life) = &mut slot.life {
            life.advance(now, &mut self.fleet);
            next = life.next(now);
            let notes = life.take_notes().into_iter();
            told.extend(notes.filter_map(|note| self.recorder.record(&slot.pod, note, now)));
        }
        let retry = slot.retry_at.filter(|at| *at > now);
        self.timers.set(uid, next.into_iter().chain(retry).min());
        if let Some((request, sent)) = slot.write(uid, now) {
            let id = self.send(request, out);
            self.under_way.insert(id, sent);
        }
        for request in told {
            self.send(request, out);
        }
    }

    fn answered(&mut self, sent: Sent, response: &Response, now: Time, out: &mut Outbox) {
        let uid = match sent {
            Sent::Node(index) => return self.registered(index, response, now, out),
            Sent::Back(index) => return self.back(index, response, now, out),
            Sent::Status(uid) | Sent::Release(uid) => uid,
        };
        if let Some(slot) = self.slots.get_mut(&uid) {
            slot.answered(response, now, &mut self.fleet);
        }
        self.advance(&uid, now, out);
    }

    fn arm(&mut self, out: &mut Outbox) {
        out.timers.extend(self.timers.arm().map(|at| (at, WAKE)));
    }
}

impl Client for Kubelets {
    fn name(&self) -> &'static str {
        AGENT
    }

    fn step(&mut self, now: Time, input: Input, out: &mut Outbox) {
        self.fleet.sources.take(now, &input, &mut self.ids, out);
        for change in self.pods.take(now, &input, &mut self.ids, out) {
            self.observe(&change, now, out);
        }
        match input {
            Input::Start => self.start(now, out),
            Input::Answer { id, response } => {
                if let Some(sent) = self.under_way.remove(&id) {
                    self.answered(sent, &response, now, out);
                }
            }
            Input::Timer { key: WAKE } => {
                for uid in self.timers.take_due(now) {
                    self.advance(&uid, now, out);
                }
            }
            Input::Timer { .. } | Input::Event { .. } | Input::WatchEnded { .. } => {}
        }
        self.arm(out);
    }
}
