//! Where a pod may go by the pods that are there (R-CTL-29): required affinity and anti-affinity
//! between pods, and spread constraints that forbid.
//!
//! And where it would rather go by them: [`Near`], which `score` weighs.

use std::collections::BTreeMap;

use super::filter::{self, Refusal};
use super::nodes::{Loads, PodName};
use super::score::SoftSpread;
use crate::api::Informer;
use crate::object::{LabelSelector, Object, Value};

const ANTI: &str = "node(s) didn't match pod anti-affinity rules";
const EXISTING: &str = "node(s) didn't satisfy existing pods anti-affinity rules";
const AFFINITY: &str = "node(s) didn't match pod affinity rules";
const SPREAD: &str = "node(s) didn't match pod topology spread constraints";
const NO_LABEL: &str =
    "node(s) didn't match pod topology spread constraints (missing required label)";

/// A rule that looks at pods of the same part of the cluster.
struct Term<'a> {
    key: &'a str,
    selector: LabelSelector,
    namespaces: Vec<&'a str>,
    everywhere: bool,
}

impl<'a> Term<'a> {
    fn read(value: &'a Value, pod: &'a Object) -> Self {
        let named = value["namespaces"].as_array().map_or(&[][..], Vec::as_slice);
        let mut namespaces: Vec<&str> = named.iter().filter_map(Value::as_str).collect();
        let selector = &value["namespaceSelector"];
        if namespaces.is_empty() && !selector.is_object() {
            namespaces.push(pod.namespace());
        }
        Self {
            key: value["topologyKey"].as_str().unwrap_or_default(),
            selector: LabelSelector::from_value(&value["labelSelector"]),
            namespaces,
            // One that selects by labels is taken as one that selects all.
            everywhere: selector.is_object(),
        }
    }

    fn is_about(&self, pod: &Object) -> bool {
        (self.everywhere || self.namespaces.contains(&pod.namespace()))
            && self.selector.matches(pod.labels())
    }
}

fn terms<'a>(pod: &'a Object, kind: &str) -> Vec<Term<'a>> {
    let path = ["spec", "affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution"];
    pod.list(&path).iter().map(|value| Term::read(value, pod)).collect()
}

/// Preferred terms and their weights.
fn preferred<'a>(pod: &'a Object, kind: &str) -> Vec<(i64, Term<'a>)> {
    let path = ["spec", "affinity", kind, "preferredDuringSchedulingIgnoredDuringExecution"];
    let read = |value: &'a Value| {
        (value["weight"].as_i64().unwrap_or(0), Term::read(&value["podAffinityTerm"], pod))
    };
    pod.list(&path).iter().map(read).collect()
}

/// Whether it matters to others where a pod is, beyond the room that it takes.
pub(super) fn is_social(pod: &Object) -> bool {
    ["podAffinity", "podAntiAffinity"]
        .iter()
        .any(|kind| pod.at(&["spec", "affinity", kind]).is_some_and(Value::is_object))
}

/// A spread constraint that forbids.
struct Spread<'a> {
    key: &'a str,
    max_skew: usize,
    /// Pods by part of the cluster.
    counts: BTreeMap<String, usize>,
    least: usize,
    counts_itself: bool,
}

/// What is to be known of the other pods to place one: made once for a pod.
pub(super) struct Peers<'a> {
    /// Parts of the cluster, by key and value, where the pod must not go: its own rule, others'.
    closed: Vec<(&'a str, String, &'static str)>,
    /// For each affinity of the pod its key, and the values where it is met; all, if it may be
    /// the first.
    open: Vec<(&'a str, Vec<String>, bool)>,
    spreads: Vec<Spread<'a>>,
}

impl<'a> Peers<'a> {
    /// For a pod; among the `social` pods are those that keep others away.
    pub(super) fn of(
        pod: &'a Object,
        pods: &'a Informer,
        nodes: &'a Informer,
        loads: &Loads,
        social: &'a [PodName],
    ) -> Self {
        let mut peers = Self { closed: Vec::new(), open: Vec::new(), spreads: Vec::new() };
        let affinity = terms(pod, "podAffinity");
        let own = terms(pod, "podAntiAffinity");
        let constraints = pod.list(&["spec", "topologySpreadConstraints"]);
        let place = |other: &Object| {
            let name = (other.namespace().to_owned(), other.name().to_owned());
            loads.node_of(&name).and_then(|node| nodes.get("", node))
        };
        for (namespace, name) in social {
            let Some(other) = pods.get(namespace, name) else { continue };
            let Some(node) = place(other) else { continue };
            for term in terms(other, "podAntiAffinity").iter().filter(|term| term.is_about(pod)) {
                if let Some(value) = node.label(term.key) {
                    peers.closed.push((term.key, value.to_owned(), EXISTING));
                }
            }
        }
        if affinity.is_empty() && own.is_empty() && constraints.is_empty() {
            return peers;
        }
        let placed: Vec<(&Object, &Object)> = pods
            .iter()
            .filter(|other| other.uid() != pod.uid())
            .filter_map(|other| Some((&**other, &**place(other)?)))
            .collect();
        for term in own {
            for (_, node) in placed.iter().filter(|(other, _)| term.is_about(other)) {
                if let Some(value) = node.label(term.key) {
                    peers.closed.push((term.key, value.to_owned(), ANTI));
                }
            }
        }
        for term in affinity {
            let near = placed.iter().filter(|(other, _)| term.is_about(other));
            let values: Vec<String> =
                near.filter_map(|(_, node)| node.label(term.key).map(ToOwned::to_owned)).collect();
            let may_be_first = values.is_empty() && term.is_about(pod);
            peers.open.push((term.key, values, may_be_first));
        }
        for value in constraints.iter().filter(|c| c["whenUnsatisfiable"] == "DoNotSchedule") {
            peers.spreads.push(Spread::of(value, pod, nodes, &placed));
        }
        peers
    }

    /// Whether the pod may go to `node`.
    pub(super) fn admit(&self, node: &Object) -> Result<(), Refusal> {
        for spread in &self.spreads {
            spread.admit(node)?;
        }
        let is_at = |key: &str, value: &String| node.label(key) == Some(value.as_str());
        for (key, values, may_be_first) in &self.open {
            let is_met = values.iter().any(|value| is_at(key, value));
            if !(is_met || *may_be_first && node.label(key).is_some()) {
                return Err(Refusal::outright(AFFINITY));
            }
        }
        let mut closed = self.closed.iter().filter(|(key, value, _)| is_at(key, value));
        // The pod's own rules are named before those of others.
        let first = closed.clone().find(|(_, _, why)| *why == ANTI).or_else(|| closed.next());
        first.map_or(Ok(()), |(_, _, why)| {
            Err(Refusal { reasons: vec![why], is_for_lack_of_room: true })
        })
    }
}

impl<'a> Spread<'a> {
    fn of(value: &'a Value, pod: &Object, nodes: &Informer, placed: &[(&Object, &Object)]) -> Self {
        let key = value["topologyKey"].as_str().unwrap_or_default();
        let selector = LabelSelector::from_value(&value["labelSelector"]);
        let counts_itself = selector.matches(pod.labels());
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        // By default a node that the pod cannot be on for its affinity is not counted.
        let all = value["nodeAffinityPolicy"] == "Ignore";
        for node in nodes.iter().filter(|node| all || filter::is_wanted(pod, node)) {
            if let Some(value) = node.label(key) {
                counts.entry(value.to_owned()).or_default();
            }
        }
        for (other, node) in placed {
            let counted = other.namespace() == pod.namespace()
                && !other.is_deleting()
                && selector.matches(other.labels());
            if let Some(count) = node.label(key).and_then(|value| counts.get_mut(value))
                && counted
            {
                *count += 1;
            }
        }
        let number = |name: &str| {
            value[name].as_i64().and_then(|number| usize::try_from(number).ok()).unwrap_or(1)
        };
        let least = counts.values().copied().min().unwrap_or(0);
        let least = if counts.len() < number("minDomains") { 0 } else { least };
        Self { key, max_skew: number("maxSkew"), counts, least, counts_itself }
    }

    fn admit(&self, node: &Object) -> Result<(), Refusal> {
        let Some(count) = node.label(self.key).and_then(|value| self.counts.get(value)) else {
            return Err(Refusal::outright(NO_LABEL));
        };
        if count + usize::from(self.counts_itself) > self.least + self.max_skew {
            return Err(Refusal { reasons: vec![SPREAD], is_for_lack_of_room: true });
        }
        Ok(())
    }
}

/// What a pod and those that are there wish of each other.
#[derive(Default)]
pub(super) struct Near<'a> {
    /// By key and value of a node's labels: the weight of all wishes that would be met there.
    pub(super) wishes: BTreeMap<(&'a str, &'a str), i64>,
    /// Spread constraints that do not forbid.
    pub(super) soft: Vec<SoftSpread<'a>>,
}

/// How much it weighs that a pod must be near those that it asks for (upstream's figure).
const MUST: i64 = 1;

impl<'a> Near<'a> {
    /// For a pod that one of these nodes will take.
    pub(super) fn of(
        pod: &'a Object,
        pods: &'a Informer,
        nodes: &'a Informer,
        loads: &Loads,
        social: &'a [PodName],
    ) -> Self {
        let mut near = Self::default();
        let place = |name: &PodName| loads.node_of(name).and_then(|node| nodes.get("", node));
        for name in social {
            if let Some((other, node)) = pods.get(&name.0, &name.1).zip(place(name)) {
                near.of_other(pod, other, node);
            }
        }
        let own = [(1, preferred(pod, "podAffinity")), (-1, preferred(pod, "podAntiAffinity"))];
        let soft = pod.list(&["spec", "topologySpreadConstraints"]).iter();
        let soft: Vec<&Value> =
            soft.filter(|one| one["whenUnsatisfiable"] == "ScheduleAnyway").collect();
        if soft.is_empty() && own.iter().all(|(_, terms)| terms.is_empty()) {
            return near;
        }
        let others = pods.iter().filter(|other| other.uid() != pod.uid());
        let placed: Vec<(&Object, &Object)> = others
            .filter_map(|other| {
                let name = (other.namespace().to_owned(), other.name().to_owned());
                Some((&**other, &**place(&name)?))
            })
            .collect();
        for (sign, terms) in &own {
            for (weight, term) in terms {
                for (_, node) in placed.iter().filter(|(other, _)| term.is_about(other)) {
                    near.wish(term.key, node, sign * weight);
                }
            }
        }
        let soft = soft.into_iter().map(|value| soft_spread(value, pod, nodes, &placed));
        near.soft = soft.collect();
        near
    }

    /// What a pod on `node` wishes of the new one.
    fn of_other(&mut self, pod: &Object, other: &'a Object, node: &'a Object) {
        let required = terms(other, "podAffinity").into_iter().map(|term| (MUST, term));
        let liked = preferred(other, "podAffinity").into_iter().chain(required);
        for (weight, term) in liked.filter(|(_, term)| term.is_about(pod)) {
            self.wish(term.key, node, weight);
        }
        let disliked = preferred(other, "podAntiAffinity").into_iter();
        for (weight, term) in disliked.filter(|(_, term)| term.is_about(pod)) {
            self.wish(term.key, node, -weight);
        }
    }

    fn wish(&mut self, key: &'a str, node: &'a Object, weight: i64) {
        if let Some(value) = node.label(key) {
            *self.wishes.entry((key, value)).or_default() += weight;
        }
    }
}

fn soft_spread<'a>(
    value: &'a Value,
    pod: &Object,
    nodes: &'a Informer,
    placed: &[(&Object, &Object)],
) -> SoftSpread<'a> {
    let key = value["topologyKey"].as_str().unwrap_or_default();
    let selector = LabelSelector::from_value(&value["labelSelector"]);
    let wanted = nodes.iter().filter(|node| filter::is_wanted(pod, node));
    let mut counts: BTreeMap<&str, i64> =
        wanted.filter_map(|node| Some((node.label(key)?, 0))).collect();
    for (other, node) in placed {
        let counted = other.namespace() == pod.namespace()
            && !other.is_deleting()
            && selector.matches(other.labels());
        if let Some(count) = node.label(key).and_then(|value| counts.get_mut(value))
            && counted
        {
            *count += 1;
        }
    }
    SoftSpread { key, max_skew: value["maxSkew"].as_i64().unwrap_or(1), counts }
}
