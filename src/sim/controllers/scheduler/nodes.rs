//! How much of each node is taken, by the pods that are bound to it or about to be.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::demand::{Amount, Demand};
use crate::object::Object;

/// What one node has and its pods take.
#[derive(Clone, Debug, Default)]
pub(super) struct Load {
    pub(super) has: Amount,
    pub(super) asked: Amount,
    pub(super) weight: Amount,
    pub(super) ports: BTreeSet<(String, i64)>,
}

/// The load of every node, kept by adding and taking away one pod at a time.
#[derive(Debug, Default)]
pub(super) struct Loads {
    nodes: BTreeMap<String, Load>,
    pods: BTreeMap<(String, String), (String, Demand)>,
    nothing: Load,
}

impl Loads {
    /// The load of a node.
    pub(super) fn of(&self, node: &str) -> &Load {
        self.nodes.get(node).unwrap_or(&self.nothing)
    }

    /// The node that a pod is on, or is about to be bound to.
    pub(super) fn node_of(&self, pod: &(String, String)) -> Option<&str> {
        self.pods.get(pod).map(|(node, _)| node.as_str())
    }

    /// Whether the pod of that namespace and name is counted.
    pub(super) fn holds(&self, pod: &(String, String)) -> bool {
        self.pods.contains_key(pod)
    }

    /// Counts a pod on `node`.
    pub(super) fn add(&mut self, pod: (String, String), node: &str, demand: Demand) {
        self.remove(&pod);
        let load = self.nodes.entry(node.to_owned()).or_default();
        load.asked = load.asked.plus(demand.asked);
        load.weight = load.weight.plus(demand.weight);
        load.ports.extend(demand.ports.iter().cloned());
        self.pods.insert(pod, (node.to_owned(), demand));
    }

    /// Counts a pod no more; false where it was not counted.
    pub(super) fn remove(&mut self, pod: &(String, String)) -> bool {
        let Some((node, demand)) = self.pods.remove(pod) else { return false };
        if let Some(load) = self.nodes.get_mut(&node) {
            load.asked = load.asked.minus(demand.asked);
            load.weight = load.weight.minus(demand.weight);
            for port in &demand.ports {
                load.ports.remove(port);
            }
        }
        true
    }

    /// Takes down what a node has: quantities are read once a version, not once a pod.
    pub(super) fn measure(&mut self, node: &Object) {
        let has = Amount::of_node(node);
        self.nodes.entry(node.name().to_owned()).or_default().has = has;
    }
}

impl Load {
    /// How good the node `name` is for a pod, the best being the greatest: the larger part of CPU
    /// and memory left free, then the fewer pods, then the earlier name.
    pub(super) fn score<'a>(&self, name: &'a str, demand: &Demand) -> impl Ord + use<'a> {
        let has = self.has;
        let free = has.minus(self.weight.plus(demand.weight));
        let percent = |free: i64, has: i64| {
            if has <= 0 { 0 } else { free.max(0).saturating_mul(100).div_euclid(has) }
        };
        let score = (percent(free.cpu_millis, has.cpu_millis)
            + percent(free.memory_bytes, has.memory_bytes))
            / 2;
        (score, Reverse(self.asked.pods), Reverse(name))
    }
}
