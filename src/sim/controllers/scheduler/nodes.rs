//! How much of each node is taken, by the pods that are bound to it or about to be.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::demand::{Amount, Demand};
use crate::object::Object;

/// A pod's namespace and name.
pub(super) type PodName = (String, String);

/// What one node has and its pods take.
#[derive(Clone, Debug, Default)]
pub(super) struct Load {
    pub(super) has: Amount,
    pub(super) asked: Amount,
    pub(super) weight: Amount,
    pub(super) ports: BTreeSet<(String, i64)>,
    /// Size in bytes by name of the images that it has.
    pub(super) images: BTreeMap<String, i64>,
    /// The node itself, while it is there.
    pub(super) node: Option<Arc<Object>>,
    /// Whether it takes whoever has room on it: neither cordoned nor tainted.
    pub(super) is_open: bool,
}

/// The load of every node, kept by adding and taking away one pod at a time.
#[derive(Debug, Default)]
pub(super) struct Loads {
    nodes: BTreeMap<String, Load>,
    pods: BTreeMap<PodName, (String, Demand)>,
    /// How many pods there are of each importance.
    priorities: BTreeMap<i64, usize>,
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
        self.nodes.entry(node.to_owned()).or_default().take(&demand);
        *self.priorities.entry(demand.priority).or_default() += 1;
        self.pods.insert(pod, (node.to_owned(), demand));
    }

    /// What a pod that is counted takes.
    pub(super) fn demand_of(&self, pod: &PodName) -> Option<&Demand> {
        self.pods.get(pod).map(|(_, demand)| demand)
    }

    /// The pods that are less important than that, by node.
    pub(super) fn less_important(&self, priority: i64) -> BTreeMap<String, Vec<PodName>> {
        let mut by_node: BTreeMap<String, Vec<PodName>> = BTreeMap::new();
        if self.priorities.first_key_value().is_some_and(|(least, _)| *least < priority) {
            for (name, (node, _)) in self.pods.iter().filter(|(_, (_, d))| d.priority < priority) {
                by_node.entry(node.clone()).or_default().push(name.clone());
            }
        }
        by_node
    }

    /// Counts a pod no more; false where it was not counted.
    pub(super) fn remove(&mut self, pod: &(String, String)) -> bool {
        let Some((node, demand)) = self.pods.remove(pod) else { return false };
        if let Some(count) = self.priorities.get_mut(&demand.priority) {
            *count -= 1;
            if *count == 0 {
                self.priorities.remove(&demand.priority);
            }
        }
        if let Some(load) = self.nodes.get_mut(&node) {
            load.asked = load.asked.minus(demand.asked);
            load.weight = load.weight.minus(demand.weight);
            for port in &demand.ports {
                load.ports.remove(port);
            }
        }
        true
    }

    /// Takes down what a node has: it is read once a version, not once a pod.
    pub(super) fn measure(&mut self, node: &Arc<Object>) {
        let load = self.nodes.entry(node.name().to_owned()).or_default();
        load.has = Amount::of_node(node);
        load.images = super::images::of_node(node);
        load.is_open =
            !node.flag(&["spec", "unschedulable"]) && node.list(&["spec", "taints"]).is_empty();
        load.node = Some(Arc::clone(node));
    }

    /// A node is not there any more.
    pub(super) fn lose(&mut self, node: &str) {
        if let Some(load) = self.nodes.get_mut(node) {
            load.node = None;
        }
    }

    /// The nodes that are there, by name.
    pub(super) fn there(&self) -> impl Iterator<Item = (&Load, &Arc<Object>)> {
        self.nodes.values().filter_map(|load| Some((load, load.node.as_ref()?)))
    }
}

impl Load {
    /// One more pod is on it.
    pub(super) fn take(&mut self, demand: &Demand) {
        self.asked = self.asked.plus(demand.asked);
        self.weight = self.weight.plus(demand.weight);
        self.ports.extend(demand.ports.iter().cloned());
    }

    /// How good the node `name` is for a pod, the best being the greatest: what is wished for, the
    /// larger part of CPU and memory left free, both of them used more alike than before; then the fewer pods, then
    /// the earlier name.
    pub(super) fn score<'a>(
        &self,
        name: &'a str,
        demand: &Demand,
        wish: i64,
    ) -> impl Ord + use<'a> {
        let has = self.has;
        let free = has.minus(self.weight.plus(demand.weight));
        let parts = [(free.cpu_millis, has.cpu_millis), (free.memory_bytes, has.memory_bytes)];
        // What a node says nothing of does not count.
        let parts = parts.iter().filter(|(_, has)| *has > 0);
        let percents = parts.map(|(free, has)| free.max(&0).saturating_mul(100).div_euclid(*has));
        let (sum, count) = percents.fold((0, 0), |(sum, count), one| (sum + one, count + 1));
        let score = if count == 0 { 0 } else { sum / count };
        (wish + score + self.balance(demand), Reverse(self.asked.pods), Reverse(name))
    }

    /// Whether the pod makes the use of CPU and memory more alike (up to 100) or less (down to 50);
    /// nothing for a pod that asks for neither.
    fn balance(&self, demand: &Demand) -> i64 {
        if demand.asked.cpu_millis == 0 && demand.asked.memory_bytes == 0 {
            return 0;
        }
        let (before, then) =
            (self.evenness(self.asked), self.evenness(self.asked.plus(demand.asked)));
        50 + (50 + then - before) / 2
    }

    /// How alike CPU and memory are used, up to 100.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as upstream")]
    fn evenness(&self, asked: Amount) -> i64 {
        let has = self.has;
        if has.cpu_millis <= 0 || has.memory_bytes <= 0 {
            return 100;
        }
        let part = |asked: i64, has: i64| (asked as f64 / has as f64).min(1.0);
        let apart =
            part(asked.cpu_millis, has.cpu_millis) - part(asked.memory_bytes, has.memory_bytes);
        ((1.0 - (apart / 2.0).abs()) * 100.0) as i64
    }
}
