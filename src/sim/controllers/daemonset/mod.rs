//! The DaemonSet controller, in its basics: one pod on every node that may have one, status
//! counts, and a rolling update by maxUnavailable (R-CTL-16).
//!
//! Not here: maxSurge (old pods go first in any case) and the back-off of pods that fail.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::deployment::pods_of;
use super::kinds::{DAEMON_SET, NODE, POD, gvr};
use super::plan::{Again, Call, Cx, Note, Plan};
use super::revisions::{Present, Revisions};
use super::scheduler::{may_run, may_stay};
use super::selector::Selector;
use super::{claim, pod};
use crate::api::Request;
use crate::object::{Map, Object, Value, json};

const HASH_LABEL: &str = "controller-revision-hash";

/// What every daemon pod tolerates: effect and key.
const TOLERATED: [(&str, &str); 6] = [
    ("NoExecute", "node.kubernetes.io/not-ready"),
    ("NoExecute", "node.kubernetes.io/unreachable"),
    ("NoSchedule", "node.kubernetes.io/disk-pressure"),
    ("NoSchedule", "node.kubernetes.io/memory-pressure"),
    ("NoSchedule", "node.kubernetes.io/pid-pressure"),
    ("NoSchedule", "node.kubernetes.io/unschedulable"),
];

/// Decides what to do for one DaemonSet.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let Some(set) = cx.caches.get(DAEMON_SET, cx.key.namespace(), cx.key.name()) else {
        return Plan::nothing();
    };
    if cx.failure.is_some() {
        return Plan::nothing();
    }
    let claims = claim::claims(cx.caches, POD, set);
    if !claims.is_empty() {
        return Plan::nothing().then(claims);
    }
    let revisions = Revisions::of(cx.caches, set);
    let collisions = set.int(&["status", "collisionCount"]);
    let revision = match revisions.present(HASH_LABEL, collisions) {
        Present::There(revision) => revision,
        Present::Write(call) if !set.is_deleting() => return Plan::nothing().then(vec![*call]),
        Present::Write(_) => return Plan::nothing(),
    };
    let hash = revision.label(HASH_LABEL).unwrap_or_default();
    let scene = Scene::of(cx, set, hash);
    let mut plan = Plan::nothing();
    if !set.is_deleting() {
        plan = plan.then(scene.missing_and_surplus());
        plan.notes = scene.notes();
        if plan.batches.is_empty() {
            plan = plan.then(scene.outdated());
        }
    }
    if let Some(status) = scene.status() {
        let object = pod::with_status(set, status);
        let put = Request::update(gvr(DAEMON_SET), set.namespace(), set.name(), object);
        plan = plan.then(vec![Call::new(put.subresource("status"))]);
    }
    let in_use = |r: &Object| {
        let label = r.label(HASH_LABEL);
        let mut pods = scene.by_node.values().flatten();
        r.name() == revision.name() || pods.any(|pod| pod.label(HASH_LABEL) == label)
    };
    let pods = scene.by_node.values().flatten().copied();
    let next = pod::next_available(pods, scene.min_ready, cx.now);
    plan.then(revisions.cleanup(in_use)).again(next.map_or(Again::OnChange, Again::At))
}

struct Scene<'a> {
    cx: &'a Cx<'a>,
    set: &'a Arc<Object>,
    hash: &'a str,
    min_ready: i64,
    /// Nodes that are to have a pod.
    nodes: Vec<&'a str>,
    /// Nodes that are to have none, on which a pod that is there may stay: those that are lost.
    kept: Vec<&'a str>,
    /// Pods by the node that they are on or meant for, oldest first.
    by_node: BTreeMap<String, Vec<&'a Arc<Object>>>,
}

impl<'a> Scene<'a> {
    fn of(cx: &'a Cx<'a>, set: &'a Arc<Object>, hash: &'a str) -> Self {
        let selector = Selector::of(set);
        let mut by_node: BTreeMap<String, Vec<&Arc<Object>>> = BTreeMap::new();
        for pod in cx.caches.controlled(POD, set.uid()).filter(|pod| selector.matches(pod)) {
            by_node.entry(node_of(pod).to_owned()).or_default().push(pod);
        }
        let made = |pod: &&Arc<Object>| {
            pod.text(&["metadata", "creationTimestamp"]).unwrap_or_default().to_owned()
        };
        by_node.values_mut().for_each(|pods| pods.sort_by_key(made));
        let sample = new_pod(set, "", hash);
        let (nodes, others): (Vec<_>, Vec<_>) =
            cx.caches.all(NODE).partition(|node| may_run(&sample, node));
        let kept = others.into_iter().filter(|node| may_stay(&sample, node));
        Self {
            cx,
            set,
            hash,
            min_ready: set.int(&["spec", "minReadySeconds"]).unwrap_or(0),
            nodes: nodes.iter().map(|node| node.name()).collect(),
            kept: kept.map(|node| node.name()).collect(),
            by_node,
        }
    }

    fn is_available(&self, pod: &Object) -> bool {
        pod::is_available(pod, self.min_ready, self.cx.now)
    }

    fn pods(&self, node: &str) -> &[&'a Arc<Object>] {
        self.by_node.get(node).map_or(&[], Vec::as_slice)
    }

    /// Creates what a node lacks; deletes what ended, what is too much, and what is on a node
    /// that is to have none.
    fn missing_and_surplus(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        for node in &self.nodes {
            let pods = self.pods(node);
            if pods.is_empty() {
                calls.push(pod::create(self.set, new_pod(self.set, node, self.hash)));
            }
            let alive = pods.iter().filter(|pod| !pod.is_deleting());
            let ended = alive.clone().filter(|pod| pod::is_finished(pod));
            calls.extend(ended.map(|gone| pod::delete(self.set, gone)));
            let running: Vec<_> = alive.filter(|pod| !pod::is_finished(pod)).copied().collect();
            let surplus = match self.surge() {
                0 => running.get(1..).unwrap_or_default().to_vec(),
                _ => self.surplus_in_surge(&running),
            };
            calls.extend(surplus.into_iter().map(|gone| pod::delete(self.set, gone)));
        }
        for (node, pods) in &self.by_node {
            if !self.nodes.contains(&node.as_str()) && !self.kept.contains(&node.as_str()) {
                let alive = pods.iter().filter(|pod| !pod.is_deleting());
                calls.extend(alive.map(|gone| pod::delete(self.set, gone)));
            }
        }
        calls
    }

    /// What is told of pods that ended, which daemons never should.
    fn notes(&self) -> Vec<Note> {
        let here = self.nodes.iter().flat_map(|node| self.pods(node));
        let ended = here.filter(|pod| !pod.is_deleting() && pod::is_finished(pod));
        let note = |pod: &&Arc<Object>| {
            let failed = pod::phase(pod) == "Failed";
            let (reason, how, what) = match failed {
                true => ("FailedDaemonPod", "failed", "kill"),
                false => ("SucceededDaemonPod", "succeeded", "delete"),
            };
            let (namespace, name, node) = (pod.namespace(), pod.name(), node_of(pod));
            let message = format!(
                "Found {how} daemon pod {namespace}/{name} on node {node}, will try to {what} it"
            );
            Note { about: Arc::clone(self.set), warning: failed, reason, message }
        };
        ended.map(note).collect()
    }

    /// How many nodes may have a new pod beside the old one.
    fn surge(&self) -> i64 {
        let value = self.set.at(&["spec", "updateStrategy", "rollingUpdate", "maxSurge"]);
        pods_of(value, i64::try_from(self.nodes.len()).unwrap_or(i64::MAX), true)
    }

    /// The pods of a node that are too many where new ones may come beside old ones: all but the
    /// oldest of each, and the old one once it is of no use or the new one is available.
    fn surplus_in_surge(&self, running: &[&'a Arc<Object>]) -> Vec<&'a Arc<Object>> {
        let is_new = |pod: &&'a Arc<Object>| pod.label(HASH_LABEL) == Some(self.hash);
        let (new, old): (Vec<_>, Vec<_>) = running.iter().copied().partition(is_new);
        let mut gone: Vec<&'a Arc<Object>> = new.iter().chain(&old).copied().collect();
        gone.retain(|pod| {
            [new.first(), old.first()].into_iter().flatten().all(|first| first.uid() != pod.uid())
        });
        if let (Some(new), Some(old)) = (new.first(), old.first())
            && (!pod::is_ready(old) || self.is_available(new))
        {
            gone.push(old);
        }
        gone
    }

    /// New pods beside old ones, and the end of the old ones beside which a new one is available.
    fn surging(&self, surge: i64) -> Vec<Call> {
        let (mut calls, mut under_way) = (Vec::new(), 0);
        let (mut now, mut candidates) = (Vec::new(), Vec::new());
        for node in &self.nodes {
            let alive = || self.pods(node).iter().filter(|pod| pod::is_active(pod));
            let is_new = |pod: &&&Arc<Object>| pod.label(HASH_LABEL) == Some(self.hash);
            match (alive().find(is_new), alive().find(|pod| !is_new(pod))) {
                (Some(new), Some(old)) if self.is_available(new) => {
                    calls.push(pod::delete(self.set, old));
                }
                (Some(_), Some(_)) => under_way += 1,
                (None, Some(old)) if self.is_available(old) => candidates.push(*node),
                (None, Some(_)) => now.push(*node),
                (_, None) => {}
            }
        }
        let free = usize::try_from(surge - under_way).unwrap_or(0);
        now.extend(candidates.into_iter().take(free));
        let create = |node: &str| pod::create(self.set, new_pod(self.set, node, self.hash));
        calls.extend(now.into_iter().map(create));
        calls
    }

    /// Deletes old pods: those that are not available, and of the others as many as may be
    /// unavailable.
    fn outdated(&self) -> Vec<Call> {
        if self.set.text(&["spec", "updateStrategy", "type"]) == Some("OnDelete") {
            return Vec::new();
        }
        let surge = self.surge();
        if surge > 0 {
            return self.surging(surge);
        }
        let value = self.set.at(&["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]);
        let total = i64::try_from(self.nodes.len()).unwrap_or(i64::MAX);
        // Upwards, unlike elsewhere, so that a small percentage is one pod.
        let allowed = pods_of(value, total, true).max(1);
        let (mut unavailable, mut replaced, mut candidates) = (0, Vec::new(), Vec::new());
        for node in &self.nodes {
            let mut alive = self.pods(node).iter().filter(|pod| pod::is_active(pod));
            match alive.next() {
                None => unavailable += 1,
                Some(pod) if pod.label(HASH_LABEL) == Some(self.hash) => {
                    unavailable += i64::from(!self.is_available(pod));
                }
                Some(pod) if !self.is_available(pod) => {
                    unavailable += 1;
                    replaced.push(*pod);
                }
                Some(pod) => candidates.push(*pod),
            }
        }
        let free = usize::try_from(allowed - unavailable).unwrap_or(0);
        replaced.extend(candidates.into_iter().take(free));
        replaced.into_iter().map(|old| pod::delete(self.set, old)).collect()
    }

    /// The status that the set should have; `None` if it has it.
    fn status(&self) -> Option<Value> {
        let firsts: Vec<_> = self.nodes.iter().filter_map(|node| self.pods(node).first()).collect();
        let count =
            |wanted: &dyn Fn(&Object) -> bool| firsts.iter().filter(|pod| wanted(pod)).count();
        let available = count(&|pod| self.is_available(pod));
        let stray = self.by_node.keys().filter(|node| !self.nodes.contains(&node.as_str()));
        let counts = [
            ("currentNumberScheduled", firsts.len()),
            ("desiredNumberScheduled", self.nodes.len()),
            ("numberMisscheduled", stray.count()),
            ("numberReady", count(&pod::is_ready)),
            ("numberAvailable", available),
            ("numberUnavailable", self.nodes.len() - available),
            ("updatedNumberScheduled", count(&|pod| pod.label(HASH_LABEL) == Some(self.hash))),
        ];
        // The first four are always written, the others only if they are not zero.
        let mut status: Map = counts
            .iter()
            .enumerate()
            .filter(|(index, (_, count))| *index < 4 || *count > 0)
            .map(|(_, (name, count))| ((*name).to_owned(), json!(count)))
            .collect();
        let before = self.set.at(&["status"]);
        status.insert("observedGeneration".to_owned(), self.set.generation().into());
        for kept in ["collisionCount", "conditions"] {
            if let Some(value) = before.and_then(|before| before.get(kept)) {
                status.insert(kept.to_owned(), value.clone());
            }
        }
        (before.and_then(Value::as_object) != Some(&status)).then_some(Value::Object(status))
    }
}

/// The node that a pod is on, or is meant for.
fn node_of(pod: &Object) -> &str {
    let terms = pod.list(&[
        "spec",
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    ]);
    let meant = terms.first().and_then(|term| term["matchFields"][0]["values"][0].as_str());
    let bound = pod.text(&["spec", "nodeName"]).filter(|node| !node.is_empty());
    bound.or(meant).unwrap_or_default()
}

/// The pod for a node; with an empty name, for any.
fn new_pod(set: &Object, node: &str, hash: &str) -> Object {
    let mut pod = pod::from_template(set);
    pod.set(&["metadata", "labels", HASH_LABEL], hash.into());
    let generation = set.annotation("deprecated.daemonset.template.generation");
    if let Some(generation) = generation {
        pod.set(&["metadata", "labels", "pod-template-generation"], generation.into());
    }
    let mut tolerations = pod.list(&["spec", "tolerations"]).to_vec();
    for (effect, key) in TOLERATED {
        let toleration = json!({"effect": effect, "key": key, "operator": "Exists"});
        if !tolerations.contains(&toleration) {
            tolerations.push(toleration);
        }
    }
    pod.set(&["spec", "tolerations"], tolerations.into());
    if !node.is_empty() {
        let field = json!({"key": "metadata.name", "operator": "In", "values": [node]});
        let required = [
            "spec",
            "affinity",
            "nodeAffinity",
            "requiredDuringSchedulingIgnoredDuringExecution",
            "nodeSelectorTerms",
        ];
        // What the template asks for was looked at when the node was chosen.
        pod.set(&required, json!([{ "matchFields": [field] }]));
    }
    pod
}

#[cfg(test)]
mod tests;
