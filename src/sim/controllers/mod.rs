//! The controllers of a cluster, as one client of its API: workloads, namespaces and garbage
//! collection, endpoints, volumes, budgets, accounts, addresses; and the scheduler as another.
//!
//! They see requests, answers, watch events and timers, like the real ones, and could run
//! against a real API server. Each controller is a pure function from the shared caches to a
//! [`Plan`]; [`ControllerManager`] keeps the caches, and `work` carries the plans out.
//!
//! Reading order: `plan` (the words), `work` (who is synced when), `wake` (what concerns whom),
//! then a folder or file for each controller. Nodes and pods are played elsewhere (`sim::pods`).
//!
//! Unlike the real one, requests are not held back by a client-side rate limit, and any number of
//! keys is worked on at the same time.

mod account;
mod aggregate;
mod autoscaler;
mod budget;
pub mod caches;
mod claim;
mod condition;
mod cronjob;
mod daemonset;
mod deployment;
mod endpoints;
mod expiry;
mod expose;
mod garbage;
mod job;
pub mod kinds;
mod labelled;
pub mod metrics;
mod namespace;
mod node;
pub mod plan;
mod pod;
mod protection;
mod quota;
mod recorder;
mod replicaset;
mod revisions;
pub mod scheduler;
mod selector;
pub mod settings;
mod statefulset;
mod template;
#[cfg(test)]
mod trial;
mod volume;
mod wake;
mod work;

use std::collections::BTreeMap;

pub use autoscaler::Autoscaling;
pub use caches::Caches;
pub use kinds::Served;
pub use metrics::{Measured, Metrics, Reading};
pub use plan::{Again, Call, Controller, Cx, Key, Plan};
pub use scheduler::Scheduler;
pub use settings::Settings;

use crate::api::{Change, Client, Ids, Input, Outbox, Payload};
use crate::base::{Rng, Time};
use kinds::{DEFINITION, POD, Slot};
use work::{Desk, Work};

const USER_AGENT: &str = "kube-controller-manager";

/// kube-controller-manager as a client of the API.
#[derive(Debug)]
pub struct ControllerManager {
    caches: Caches,
    work: Work,
    ids: Ids,
    settings: Settings,
    /// Which cache a request or timer belongs to.
    routes: BTreeMap<u64, Slot>,
}

impl ControllerManager {
    /// Controllers over the resources that the server serves, each at one version; those that
    /// the controllers need are added where they are missing. Resources of
    /// CustomResourceDefinitions are found by themselves.
    #[must_use]
    pub fn new(served: &[Served], settings: Settings) -> Self {
        Self {
            settings,
            caches: Caches::new(served, USER_AGENT),
            work: Work::default(),
            ids: Ids::default(),
            routes: BTreeMap::new(),
        }
    }

    /// The same, in a world that plays these nodes itself: see [`ControllerManager::keep_node`].
    #[must_use]
    pub fn keeping(mut self, nodes: &[String]) -> Self {
        nodes.iter().for_each(|node| self.caches.keep_node(node, None));
        self
    }

    /// The same with the controllers in an order that follows from `rng` wherever several have
    /// something to do: what comes of it in the end must not depend on that.
    #[must_use]
    pub fn shuffled(mut self, rng: Rng) -> Self {
        self.work.shuffle(rng);
        self
    }

    /// From now on this is measured of what runs in the cluster.
    pub fn metrics(&mut self) -> &mut Metrics {
        &mut self.settings.metrics
    }

    /// What the controllers know of the cluster.
    #[must_use]
    pub fn caches(&self) -> &Caches {
        &self.caches
    }

    /// The world that the controllers work in plays the node called `node` itself: it is alive,
    /// or silent since then. Without this only what a node writes tells.
    pub fn keep_node(
        &mut self,
        now: Time,
        node: &str,
        silent_since: Option<Time>,
        out: &mut Outbox,
    ) {
        self.caches.keep_node(node, silent_since);
        self.work.wake(Key::new(Controller::Node, "", node));
        if self.caches.are_synced() {
            let (caches, settings, ids) = (&self.caches, &self.settings, &mut self.ids);
            let desk = &mut Desk { now, caches, settings, ids, out, user_agent: USER_AGENT };
            self.work.drain(sync, desk);
        }
    }

    fn start(&mut self, slot: Slot, out: &mut Outbox) {
        let sent = (out.requests.len(), out.timers.len());
        self.caches.start(slot, &mut self.ids, out);
        self.route(slot, sent, out);
    }

    /// Notes that what was sent since `sent` belongs to the cache of `slot`.
    fn route(&mut self, slot: Slot, sent: (usize, usize), out: &Outbox) {
        let requests = out.requests[sent.0..].iter().map(|(id, _)| *id);
        let timers = out.timers[sent.1..].iter().map(|(_, id)| *id);
        self.routes.extend(requests.chain(timers).map(|id| (id, slot)));
    }

    fn take(&mut self, slot: Slot, now: Time, input: &Input, out: &mut Outbox) {
        let was_synced = self.caches.are_synced();
        let sent = (out.requests.len(), out.timers.len());
        let changes = self.caches.take(slot, now, input, &mut self.ids, out);
        self.route(slot, sent, out);
        for change in &changes {
            self.changed(slot, now, change, out);
        }
        self.work.seen(slot, self.caches.revision(slot), None);
        if was_synced != self.caches.are_synced() {
            // Whatever was heard before is looked at once more now that all of it is known.
            self.look_at_all(now, out);
        }
    }

    fn changed(&mut self, slot: Slot, now: Time, change: &Change, out: &mut Outbox) {
        self.work.seen(slot, self.caches.revision(slot), Some(change));
        if slot == DEFINITION {
            self.follow_definition(now, change, out);
        }
        let keys = wake::keys(&self.caches, slot, change);
        let (caches, settings, ids) = (&self.caches, &self.settings, &mut self.ids);
        let desk = &mut Desk { now, caches, settings, ids, out, user_agent: USER_AGENT };
        for key in keys.into_iter().filter(|key| settings.controllers.contains(&key.controller)) {
            match key.controller {
                Controller::Job if slot == POD => {
                    self.work.wake_at(key, now + job::GATHERING, desk);
                }
                // Upstream looks at all of them in one rhythm, whatever happens in between.
                Controller::Autoscaler => {
                    self.work.wake_at(key, now + settings.autoscaling.period, desk);
                }
                _ => self.work.wake(key),
            }
        }
        if let Some(key) = wake::namespace_key(slot, change)
            && settings.controllers.contains(&key.controller)
        {
            self.work.wake_at(key, now + namespace::PAUSE, desk);
        }
    }

    fn look_at_all(&mut self, now: Time, out: &mut Outbox) {
        for slot in 0..self.caches.served().len() {
            let objects: Vec<_> = self.caches.all(slot).cloned().collect();
            for object in objects {
                let change = Change { old: None, new: Some(object) };
                self.changed(slot, now, &change, out);
            }
        }
    }

    /// Starts or stops the cache of what a CustomResourceDefinition defines.
    fn follow_definition(&mut self, now: Time, change: &Change, out: &mut Outbox) {
        let Some(served) = change.object().and_then(|crd| Served::of_crd(crd)) else { return };
        let known = self.caches.slot_of(&served.resource.group, &served.resource.plural);
        match (&change.new, known) {
            (Some(_), None) => {
                if let Some(slot) = self.caches.serve(served) {
                    self.start(slot, out);
                }
            }
            (Some(_), Some(slot)) if !self.routes.values().any(|s| *s == slot) => {
                self.start(slot, out);
            }
            (None, Some(slot)) => {
                self.routes.retain(|_, s| *s != slot);
                for change in self.caches.stop(slot) {
                    self.changed(slot, now, &change, out);
                }
                self.work.seen(slot, u64::MAX, None);
            }
            _ => {}
        }
    }
}

impl Client for ControllerManager {
    fn name(&self) -> &'static str {
        USER_AGENT
    }

    fn step(&mut self, now: Time, input: Input, out: &mut Outbox) {
        let route = match &input {
            Input::Start => {
                for slot in 0..self.caches.served().len() {
                    if self.caches.served()[slot].is_cached() {
                        self.start(slot, out);
                    }
                }
                None
            }
            Input::Event { id, .. } => self.routes.get(id).copied(),
            Input::Answer { id, response } if response.payload == Payload::Watching => {
                self.routes.get(id).copied()
            }
            Input::Answer { id, .. } | Input::WatchEnded { id } | Input::Timer { key: id } => {
                self.routes.remove(id)
            }
        };
        if let Some(slot) = route {
            self.take(slot, now, &input, out);
        }
        let (caches, settings, ids) = (&self.caches, &self.settings, &mut self.ids);
        let desk = &mut Desk { now, caches, settings, ids, out, user_agent: USER_AGENT };
        match &input {
            Input::Answer { id, response } => {
                self.work.answer(*id, response, desk);
            }
            Input::Timer { key } => {
                self.work.timer(*key);
            }
            _ => {}
        }
        if self.caches.are_synced() {
            self.work.drain(sync, desk);
        }
    }
}

fn sync(cx: &Cx) -> Plan {
    match cx.key.controller {
        Controller::Deployment => deployment::sync(cx),
        Controller::ReplicaSet => replicaset::sync(cx),
        Controller::Node => node::sync(cx),
        Controller::TaintEviction => node::evict::sync(cx),
        Controller::PodGc => node::pod_gc::sync(cx),
        Controller::Namespace => namespace::sync(cx),
        Controller::Garbage => garbage::sync(cx),
        Controller::StatefulSet => statefulset::sync(cx),
        Controller::DaemonSet => daemonset::sync(cx),
        Controller::Job => job::sync(cx),
        Controller::ServiceAccount => account::sync(cx),
        Controller::RootCa => account::sync_root_ca(cx),
        Controller::ClusterRole => aggregate::sync(cx),
        Controller::Budget => budget::sync(cx),
        Controller::Volume => volume::sync(cx),
        Controller::ClaimProtection => protection::sync_claim(cx),
        Controller::VolumeProtection => protection::sync_volume(cx),
        Controller::ServiceAddress => expose::sync_service(cx),
        Controller::IngressAddress => expose::sync_ingress(cx),
        Controller::EndpointSlice => endpoints::sync(cx),
        Controller::Endpoints => endpoints::sync_legacy(cx),
        Controller::CronJob => cronjob::sync(cx),
        Controller::Expiry => expiry::sync(cx),
        Controller::OrphanPod => job::sync_orphan(cx),
        Controller::Autoscaler => autoscaler::sync(cx),
        Controller::Quota => quota::sync(cx),
    }
}
