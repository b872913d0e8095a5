//! kube-scheduler as a client of the API: gives every pod that has no node the one with the most
//! left of those that can take it, and tells of pods that none can take (R-CTL-29).
//!
//! A pod is decided when the profile's latency for it has passed, by what is known then. One that
//! fits nowhere is tried again when a node changes or a pod gives room, after the back-off of the
//! real one. Nothing is preempted, and an Event is not repeated while its text stays the same.

mod claims;
mod demand;
mod filter;
mod nodes;
mod peers;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::kinds::{CLAIM, EVENTS, NODE, POD, STORAGE_CLASS, gvr};
use super::pod;
use crate::api::{Change, Client, Ids, Informer, Input, Outbox, PatchKind, Request, Response};
use crate::base::profile::Spread;
use crate::base::{Rng, Time};
use crate::object::{Map, Object, Value, json};
use claims::Claims;
use demand::Demand;
use filter::Refusal;
pub(super) use filter::tolerates;
use nodes::Loads;
use peers::Peers;

const USER_AGENT: &str = "kube-scheduler";
const COMPONENT: &str = "default-scheduler";

/// First and longest pause before a pod that fitted nowhere is tried again (upstream's figures).
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// A pod's namespace and name.
type PodName = (String, String);

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
    /// Pods that keep others away.
    anti: Vec<PodName>,
    ids: Ids,
    rng: Rng,
    latency: Spread,
    loads: Loads,
    pending: BTreeMap<PodName, Pending>,
    timers: BTreeMap<u64, PodName>,
    bindings: BTreeMap<u64, PodName>,
    last_event: u64,
}

impl Scheduler {
    /// A scheduler that takes `latency` for a pod, drawn from `rng`.
    #[must_use]
    pub fn new(rng: Rng, latency: Spread) -> Self {
        Self {
            pods: Informer::new(gvr(POD), "", USER_AGENT),
            nodes: Informer::new(gvr(NODE), "", USER_AGENT),
            claims: Informer::new(gvr(CLAIM), "", USER_AGENT),
            classes: Informer::new(gvr(STORAGE_CLASS), "", USER_AGENT),
            anti: Vec::new(),
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
            self.anti.retain(|other| *other != name);
            if self.loads.remove(&name) {
                self.retry_parked(now, out);
            }
            return;
        };
        if change.old.is_none() && peers::keeps_others_away(new) {
            self.anti.push(name.clone());
        }
        if let Some(node) = node_of(new) {
            self.pending.remove(&name);
            if !self.loads.holds(&name) {
                self.loads.add(name, node, Demand::of(new));
            }
        } else if is_ours(new) {
            let is_known = self.pending.get(&name).is_some_and(|p| p.uid == new.uid());
            if !is_known {
                self.expect(now, name, new.uid(), out);
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

    fn expect(&mut self, now: Time, name: PodName, uid: &str, out: &mut Outbox) {
        let at = now + self.latency.draw(&mut self.rng);
        let timer = self.wait(&name, at, out);
        let pending = Pending {
            state: State::Waiting { timer },
            uid: uid.to_owned(),
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
            return self.park(now, &name, &pod, text, out);
        }
        let demand = Demand::of(&pod);
        match self.choose(&pod, &demand) {
            Ok(node) if matches!(claims, Claims::WaitForNode(_)) => {
                self.await_volumes(&name, &node, claims, out);
            }
            Ok(node) => {
                let id = self.ids.draw();
                out.requests.push((id, binding(&pod, &node)));
                self.bindings.insert(id, name.clone());
                self.loads.add(name.clone(), &node, demand);
                if let Some(pending) = self.pending.get_mut(&name) {
                    pending.state = State::Binding { id, node };
                }
            }
            Err(refusals) => self.park(now, &name, &pod, filter::message(&refusals), out),
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

    fn choose(&self, pod: &Object, demand: &Demand) -> Result<String, Vec<Refusal>> {
        let mut refusals = Vec::new();
        let mut fitting = Vec::new();
        let peers = Peers::of(pod, &self.pods, &self.nodes, &self.loads, &self.anti);
        for node in self.nodes.iter() {
            let name = node.name();
            let load = self.loads.of(name);
            let checked = filter::check(pod, demand, node, load);
            match checked.and_then(|()| peers.admit(node)) {
                Ok(()) => fitting.push((load, name)),
                Err(refusal) => refusals.push(refusal),
            }
        }
        let best = fitting.into_iter().max_by_key(|(load, name)| load.score(name, demand));
        best.map(|(_, name)| name.to_owned()).ok_or(refusals)
    }

    fn park(
        &mut self,
        now: Time,
        name: &PodName,
        pod: &Arc<Object>,
        text: String,
        out: &mut Outbox,
    ) {
        let Some(pending) = self.pending.get_mut(name) else { return };
        pending.state = State::Parked;
        pending.failures += 1;
        pending.tried = now;
        if pending.message == text {
            return;
        }
        pending.message.clone_from(&text);
        let condition = json!({
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": text,
            "lastTransitionTime": now.rfc3339(),
            "lastProbeTime": null,
            "observedGeneration": pod.generation(),
        });
        let body = json!({"status": {"conditions": [condition]}});
        let patch =
            Request::patch(gvr(POD), &name.0, &name.1, PatchKind::Strategic, body).by(USER_AGENT);
        out.requests.push((self.ids.draw(), patch.subresource("status")));
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
        let name = format!("{}.{:x}", pod.name(), self.last_event);
        let involved = [
            ("apiVersion", "v1"),
            ("kind", "Pod"),
            ("name", pod.name()),
            ("namespace", pod.namespace()),
            ("uid", pod.uid()),
            ("resourceVersion", pod.resource_version()),
        ];
        let mut event = Map::new();
        let mut set = |key: &str, value: Value| event.insert(key.to_owned(), value);
        set("apiVersion", "v1".into());
        set("kind", "Event".into());
        set("metadata", Value::from_iter([("name", &*name), ("namespace", pod.namespace())]));
        set("involvedObject", Value::from_iter(involved));
        set("reason", told.reason.into());
        set("action", told.action.into());
        set("message", told.text.into());
        set("type", if told.is_warning { "Warning" } else { "Normal" }.into());
        set("eventTime", now.rfc3339_micro().into());
        set("firstTimestamp", Value::Null);
        set("lastTimestamp", Value::Null);
        set("source", Map::new().into());
        set("reportingComponent", COMPONENT.into());
        set("reportingInstance", COMPONENT.into());
        let event = Object(event);
        let create = Request::create(EVENTS.resource.clone(), pod.namespace(), event);
        out.requests.push((self.ids.draw(), create.by(USER_AGENT)));
    }
}

/// An Event about a pod.
struct Told {
    is_warning: bool,
    reason: &'static str,
    action: &'static str,
    text: String,
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

fn binding(pod: &Object, node: &str) -> Request {
    let value = json!({
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": pod.name(), "namespace": pod.namespace(), "uid": pod.uid()},
        "target": {"kind": "Node", "name": node},
    });
    let body = Object::from_value(value).unwrap_or_default();
    let mut request = Request::create(gvr(POD), pod.namespace(), body).subresource("binding");
    request.name = Some(pod.name().to_owned());
    request.by(USER_AGENT)
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
            return;
        }
        for change in self.nodes.take(now, &input, &mut self.ids, out) {
            change.new.iter().for_each(|node| self.loads.measure(node));
            self.node_changed(now, &change, out);
        }
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
