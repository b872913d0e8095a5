//! kube-scheduler as a client of the API: gives every pod that has no node the one with the most
//! left of those that can take it, and tells of pods that none can take (R-CTL-29).
//!
//! A pod is decided when the profile's latency for it has passed, by what is known then. One that
//! fits nowhere is tried again when a node changes or a pod gives room, after the back-off of the
//! real one; if less important pods are in its way they go, and the room is kept for it. An Event is
//! not repeated while its text stays the same.
//!
//! Reading order: `demand` and `nodes` (who takes what), `filter`, `others` and `peers` (who may be
//! where), `kin`, `near`, `spread`, `images` and `score` (where it is best), `preempt` and `room` (who has to go), `claims`, `told`
//! (what is sent).

mod claims;
mod demand;
mod filter;
mod images;
mod kin;
mod near;
mod nodes;
mod others;
mod peers;
mod preempt;
mod room;
mod score;
mod spread;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::kinds::{BUDGET, CLAIM, EVENTS, NODE, POD, STORAGE_CLASS, gvr};
use super::pod;
use crate::api::{Change, Client, Ids, Informer, Input, Outbox, Response};
use crate::base::profile;
use crate::base::{Rng, Time};
use crate::object::Object;
use claims::Claims;
use demand::Demand;
pub(super) use filter::tolerates;
use kin::Kin;
use near::Near;
use nodes::{Load, Loads, PodName};
use others::Others;
use peers::Peers;
use preempt::Refused;
use spread::Spread;
use told::Told;

const USER_AGENT: &str = "kube-scheduler";
const COMPONENT: &str = "default-scheduler";

/// First and longest pause before a pod that fitted nowhere is tried again (upstream's figures).
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

#[derive(Debug)]
enum State {
    /// To be decided when the timer rings.
    Waiting { timer: u64 },
    /// The binding is under way.
    Binding { id: u64, node: String },
    /// Fits nowhere.
    Parked,
}

#[derive(Debug)]
struct Pending {
    state: State,
    uid: String,
    failures: u32,
    tried: Time,
    message: String,
}

/// kube-scheduler.
#[derive(Debug)]
pub struct Scheduler {
    pods: Informer,
    nodes: Informer,
    claims: Informer,
    classes: Informer,
    budgets: Informer,
    kin: Kin,
    /// Pods to which it matters where others are.
    social: Vec<PodName>,
    /// Nodes that are kept for pods which made room there.
    nominated: BTreeMap<PodName, (String, Demand)>,
    ids: Ids,
    rng: Rng,
    latency: profile::Spread,
    loads: Loads,
    pending: BTreeMap<PodName, Pending>,
    timers: BTreeMap<u64, PodName>,
    bindings: BTreeMap<u64, PodName>,
    last_event: u64,
}

impl Scheduler {
    /// A scheduler that takes `latency` for a pod, drawn from `rng`.
    #[must_use]
    pub fn new(rng: Rng, latency: profile::Spread) -> Self {
        Self {
            pods: Informer::new(gvr(POD), "", USER_AGENT),
            nodes: Informer::new(gvr(NODE), "", USER_AGENT),
            claims: Informer::new(gvr(CLAIM), "", USER_AGENT),
            classes: Informer::new(gvr(STORAGE_CLASS), "", USER_AGENT),
            budgets: Informer::new(gvr(BUDGET), "", USER_AGENT),
            kin: Kin::new(),
            social: Vec::new(),
            nominated: BTreeMap::new(),
            ids: Ids::default(),
            rng,
            latency,
            loads: Loads::default(),
            pending: BTreeMap::new(),
            timers: BTreeMap::new(),
            bindings: BTreeMap::new(),
            last_event: 0,
        }
    }

    fn pod_changed(&mut self, now: Time, change: &Change, out: &mut Outbox) {
        let Some(object) = change.object() else { return };
        let name = (object.namespace().to_owned(), object.name().to_owned());
        let Some(new) = change.new.as_ref().filter(|new| !pod::is_finished(new)) else {
            self.pending.remove(&name);
            self.nominated.remove(&name);
            if object.at(&["spec", "affinity"]).is_some() {
                self.social.retain(|other| *other != name);
            }
            self.kin.lose(object, &name);
            if self.loads.remove(&name) {
                self.retry_parked(now, out);
            }
            return;
        };
        if change.old.is_none() && others::is_social(new) {
            self.social.push(name.clone());
        }
        if let Some(node) = node_of(new) {
            self.pending.remove(&name);
            self.nominated.remove(&name);
            let labels = change.old.as_ref().map(|old| old.labels());
            if let Some(old) = change.old.as_ref().filter(|_| labels != Some(new.labels())) {
                self.kin.lose(old, &name);
                self.kin.put(new, &name);
            }
            if !self.loads.holds(&name) {
                self.kin.put(new, &name);
                self.loads.add(name, node, Demand::of(new));
            }
        } else if is_ours(new) {
            let is_known = self.pending.get(&name).is_some_and(|p| p.uid == new.uid());
            if !is_known {
                self.expect(now, name, new, out);
            }
        } else {
            self.pending.remove(&name);
        }
    }

    fn node_changed(&mut self, now: Time, change: &Change, out: &mut Outbox) {
        let parts: [&[&str]; 3] = [&["spec"], &["metadata", "labels"], &["status", "allocatable"]];
        let is_same = |old: &Object, new: &Object| parts.iter().all(|p| old.at(p) == new.at(p));
        match (&change.old, &change.new) {
            (Some(old), Some(new)) if is_same(old, new) => {}
            (_, Some(_)) => self.retry_parked(now, out),
            (_, None) => {}
        }
    }

    fn expect(&mut self, now: Time, name: PodName, pod: &Object, out: &mut Outbox) {
        if let Some(node) = room::nominated_node(pod) {
            self.nominated.insert(name.clone(), (node.to_owned(), Demand::of(pod)));
        }
        let at = now + self.latency.draw(&mut self.rng);
        let timer = self.wait(&name, at, out);
        let pending = Pending {
            state: State::Waiting { timer },
            uid: pod.uid().to_owned(),
            failures: 0,
            tried: now,
            message: String::new(),
        };
        self.pending.insert(name, pending);
    }

    fn wait(&mut self, name: &PodName, at: Time, out: &mut Outbox) -> u64 {
        let timer = self.ids.draw();
        self.timers.insert(timer, name.clone());
        out.timers.push((at, timer));
        timer
    }

    fn retry_parked(&mut self, now: Time, out: &mut Outbox) {
        let parked = self.pending.iter().filter(|(_, p)| matches!(p.state, State::Parked));
        let parked: Vec<(PodName, Time)> =
            parked.map(|(name, p)| (name.clone(), p.tried + backoff(p.failures))).collect();
        for (name, earliest) in parked {
            let at = earliest.max(now + self.latency.draw(&mut self.rng));
            let timer = self.wait(&name, at, out);
            if let Some(pending) = self.pending.get_mut(&name) {
                pending.state = State::Waiting { timer };
            }
        }
    }

    /// Decides about the pod whose timer rang.
    fn decide(&mut self, now: Time, timer: u64, out: &mut Outbox) {
        let Some(name) = self.timers.remove(&timer) else { return };
        let is_current = self
            .pending
            .get(&name)
            .is_some_and(|p| matches!(p.state, State::Waiting { timer: t } if t == timer));
        let Some(pod) = self.pods.get(&name.0, &name.1).cloned().filter(|_| is_current) else {
            return;
        };
        if !self.nodes.is_synced() {
            if let Some(pending) = self.pending.get_mut(&name) {
                pending.state = State::Parked;
            }
            return;
        }
        let claims = claims::of(&pod, &self.claims, &self.classes);
        if let Claims::Missing(why) = &claims {
            let text = filter::message_of_pod(self.nodes.iter().count(), why);
            return self.park(now, &name, &pod, text, None, out);
        }
        let demand = Demand::of(&pod);
        match self.choose(&name, &pod, &demand) {
            Ok(node) if matches!(claims, Claims::WaitForNode(_)) => {
                self.await_volumes(&name, &node, claims, out);
            }
            Ok(node) => {
                let id = self.ids.draw();
                out.requests.push((id, told::binding(&pod, &node)));
                self.bindings.insert(id, name.clone());
                self.kin.put(&pod, &name);
                self.loads.add(name.clone(), &node, demand);
                if let Some(pending) = self.pending.get_mut(&name) {
                    pending.state = State::Binding { id, node };
                }
            }
            Err(refused) => self.make_room(now, &name, &pod, &demand, &refused, out),
        }
    }

    /// The claims of a pod get their volumes now that its node is known; it is looked at again
    /// when they have them.
    fn await_volumes(&mut self, name: &PodName, node: &str, claims: Claims, out: &mut Outbox) {
        let Claims::WaitForNode(claims) = claims else { return };
        for claim in claims {
            let select = claims::select(&name.0, &claim, node).by(USER_AGENT);
            out.requests.push((self.ids.draw(), select));
        }
        if let Some(pending) = self.pending.get_mut(name) {
            pending.state = State::Parked;
        }
    }

    /// Claims were bound or made: pods that wait for theirs are looked at again.
    fn claims_changed(&mut self, now: Time, out: &mut Outbox) {
        let waits = |name: &PodName| {
            self.pods.get(&name.0, &name.1).is_some_and(|pod| claims::has_any(pod))
        };
        if self.pending.keys().any(waits) {
            self.retry_parked(now, out);
        }
    }

    fn choose(
        &self,
        name: &PodName,
        pod: &Object,
        demand: &Demand,
    ) -> Result<String, Vec<Refused>> {
        let mut refused = Vec::new();
        let mut fitting: Vec<(&Load, &Object)> = Vec::new();
        let others = Others {
            pods: &self.pods,
            nodes: &self.nodes,
            loads: &self.loads,
            social: &self.social,
        };
        let peers = Peers::of(pod, others);
        let is_choosy = filter::is_choosy(pod);
        for (load, node) in self.loads.there() {
            let kept = self.kept(name, node, demand, load);
            let load_then = kept.as_ref().unwrap_or(load);
            let checked = if load.is_open && !is_choosy {
                filter::fits(demand, load_then)
            } else {
                filter::check(pod, demand, node, load_then)
            };
            match checked.and_then(|()| peers.admit(node)) {
                Ok(()) => fitting.push((load, node)),
                Err(refusal) => refused.push(Refused { node: node.name().to_owned(), refusal }),
            }
        }
        if fitting.is_empty() {
            return Err(refused);
        }
        let wishes = score::Wishes {
            near: Near::of(pod, others),
            spread: Spread::of(pod, others, &self.kin),
            images: images::scores(pod, &fitting, self.loads.there().map(|(load, _)| load)),
        };
        let best = score::best(pod, demand, &fitting, &wishes);
        best.map(|node| node.name().to_owned()).ok_or(refused)
    }

    /// The pod waits, and says why; `nominated` is what is written of its node, if anything.
    fn park(
        &mut self,
        now: Time,
        name: &PodName,
        pod: &Arc<Object>,
        text: String,
        nominated: Option<&str>,
        out: &mut Outbox,
    ) {
        let Some(pending) = self.pending.get_mut(name) else { return };
        pending.state = State::Parked;
        pending.failures += 1;
        pending.tried = now;
        if pending.message == text && nominated.is_none() {
            return;
        }
        let is_new = pending.message != text;
        pending.message.clone_from(&text);
        out.requests.push((self.ids.draw(), told::unschedulable(pod, &text, nominated, now)));
        if !is_new {
            return;
        }
        self.tell(
            now,
            pod,
            Told { is_warning: true, reason: "FailedScheduling", action: "Scheduling", text },
            out,
        );
    }

    /// A binding was answered.
    fn bound(&mut self, now: Time, id: u64, response: &Response, out: &mut Outbox) {
        let Some(name) = self.bindings.remove(&id) else { return };
        let Some(Pending { state: State::Binding { id: current, node }, .. }) =
            self.pending.get(&name)
        else {
            // The watch told of the node before the answer came, or the pod is gone.
            if response.is_ok() {
                let pod = self.pods.get(&name.0, &name.1).cloned();
                if let Some((pod, node)) =
                    pod.as_ref().and_then(|pod| Some((pod, node_of(pod)?.to_owned())))
                {
                    self.tell_bound(now, &name, pod, &node, out);
                }
            }
            return;
        };
        if *current != id {
            return;
        }
        let node = node.clone();
        if response.is_ok() {
            if let Some(pod) = self.pods.get(&name.0, &name.1).cloned() {
                self.tell_bound(now, &name, &pod, &node, out);
            }
            return;
        }
        if let Some(pod) = self.pods.get(&name.0, &name.1) {
            self.kin.lose(pod, &name);
        }
        self.loads.remove(&name);
        if response.code == 404 {
            return;
        }
        let failures = self.pending.get(&name).map_or(0, |p| p.failures) + 1;
        let timer = self.wait(&name, now + backoff(failures), out);
        if let Some(pending) = self.pending.get_mut(&name) {
            pending.failures = failures;
            pending.state = State::Waiting { timer };
        }
    }

    fn tell_bound(
        &mut self,
        now: Time,
        name: &PodName,
        pod: &Object,
        node: &str,
        out: &mut Outbox,
    ) {
        let text = format!("Successfully assigned {}/{} to {node}", name.0, name.1);
        self.tell(
            now,
            pod,
            Told { is_warning: false, reason: "Scheduled", action: "Binding", text },
            out,
        );
    }

    fn tell(&mut self, now: Time, pod: &Object, told: Told, out: &mut Outbox) {
        self.last_event = (now.as_micros() * 1_000).max(self.last_event + 1);
        out.requests.push((self.ids.draw(), told::event(pod, told, self.last_event, now)));
    }
}

fn backoff(failures: u32) -> Duration {
    if failures == 0 {
        return Duration::ZERO;
    }
    BACKOFF.0.saturating_mul(1 << failures.saturating_sub(1).min(8)).min(BACKOFF.1)
}

fn node_of(pod: &Object) -> Option<&str> {
    pod.text(&["spec", "nodeName"]).filter(|node| !node.is_empty())
}

/// Whether a node may have a daemon pod, which asks only about taints, selector and affinity.
pub(super) fn may_run(pod: &Object, node: &Object) -> bool {
    filter::admits(pod, node).is_ok()
}

/// Whether a daemon pod that a node has may stay there.
pub(super) fn may_stay(pod: &Object, node: &Object) -> bool {
    filter::keeps(pod, node)
}

/// Whether the pod waits for this scheduler.
fn is_ours(pod: &Object) -> bool {
    let scheduler = pod.text(&["spec", "schedulerName"]).unwrap_or(COMPONENT);
    matches!(scheduler, "" | COMPONENT)
        && !pod.is_deleting()
        && pod.list(&["spec", "schedulingGates"]).is_empty()
}

impl Client for Scheduler {
    fn name(&self) -> &'static str {
        USER_AGENT
    }

    fn step(&mut self, now: Time, input: Input, out: &mut Outbox) {
        if matches!(input, Input::Start) {
            self.nodes.start(&mut self.ids, out);
            self.pods.start(&mut self.ids, out);
            self.claims.start(&mut self.ids, out);
            self.classes.start(&mut self.ids, out);
            self.budgets.start(&mut self.ids, out);
            self.kin.start(&mut self.ids, out);
            return;
        }
        for change in self.nodes.take(now, &input, &mut self.ids, out) {
            match (&change.new, &change.old) {
                (Some(node), _) => self.loads.measure(node),
                (None, Some(old)) => self.loads.lose(old.name()),
                (None, None) => {}
            }
            self.node_changed(now, &change, out);
        }
        self.budgets.take(now, &input, &mut self.ids, out);
        self.kin.take(now, &input, &mut self.ids, out);
        let claims = self.claims.take(now, &input, &mut self.ids, out);
        let classes = self.classes.take(now, &input, &mut self.ids, out);
        if !(claims.is_empty() && classes.is_empty()) {
            self.claims_changed(now, out);
        }
        for change in self.pods.take(now, &input, &mut self.ids, out) {
            self.pod_changed(now, &change, out);
        }
        match &input {
            Input::Timer { key } => self.decide(now, *key, out),
            Input::Answer { id, response } => self.bound(now, *id, response, out),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
