//! Where a pod may go by the pods that are there (R-CTL-29): required affinity and anti-affinity
//! between pods, and spread constraints that forbid. Where it would rather go by them: `near`.

use std::collections::BTreeMap;

use super::filter::Refusal;
use super::others::{self, Others, terms};
use crate::object::{Object, Value};

const ANTI: &str = "node(s) didn't match pod anti-affinity rules";
const EXISTING: &str = "node(s) didn't satisfy existing pods anti-affinity rules";
const AFFINITY: &str = "node(s) didn't match pod affinity rules";
const SPREAD: &str = "node(s) didn't match pod topology spread constraints";
const NO_LABEL: &str =
    "node(s) didn't match pod topology spread constraints (missing required label)";

/// A spread constraint that forbids.
struct Spread<'a> {
    key: &'a str,
    max_skew: usize,
    /// Pods by part of the cluster.
    counts: BTreeMap<&'a str, usize>,
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
    /// For a pod; among the others are those that keep it away.
    pub(super) fn of(pod: &'a Object, others: Others<'a>) -> Self {
        let mut peers = Self { closed: Vec::new(), open: Vec::new(), spreads: Vec::new() };
        let affinity = terms(pod, "podAffinity");
        let own = terms(pod, "podAntiAffinity");
        let constraints = pod.list(&["spec", "topologySpreadConstraints"]);
        for (other, node) in others.social() {
            for term in terms(other, "podAntiAffinity").iter().filter(|term| term.is_about(pod)) {
                if let Some(value) = node.label(term.key) {
                    peers.closed.push((term.key, value.to_owned(), EXISTING));
                }
            }
        }
        if affinity.is_empty() && own.is_empty() && constraints.is_empty() {
            return peers;
        }
        let placed = others.placed(pod);
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
            peers.spreads.push(Spread::of(value, pod, others, &placed));
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
    fn of(
        value: &'a Value,
        pod: &Object,
        others: Others<'a>,
        placed: &[(&Object, &Object)],
    ) -> Self {
        let nodes = others.nodes.iter().map(AsRef::as_ref);
        let nodes = nodes.filter(|node| others::counts_for_spread(value, pod, node));
        let counts = others::count(value, pod, nodes, placed);
        let number = |name: &str| {
            value[name].as_i64().and_then(|number| usize::try_from(number).ok()).unwrap_or(1)
        };
        let least = counts.values().copied().min().unwrap_or(0);
        let least = if counts.len() < number("minDomains") { 0 } else { least };
        let selector = others::selector_of_spread(value, pod);
        let counts_itself = selector.matches(pod.labels());
        let key = value["topologyKey"].as_str().unwrap_or_default();
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
