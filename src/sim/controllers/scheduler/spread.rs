//! How evenly pods of a kind are spread over parts of the cluster, as a wish (R-CTL-29): spread
//! constraints that do not forbid, and, for a pod without constraints, those that upstream has
//! for all pods that something selects: by node (skew 3) and by zone (skew 5). (kubernetes/
//! kubernetes: pkg/scheduler/framework/plugins/podtopologyspread/{plugin,scoring}.go.)
//!
//! Not here: constraints that forbid (`peers`), who is of a kind (`kin`).

use std::collections::{BTreeMap, BTreeSet};

use super::filter;
use super::kin::Kin;
use super::nodes::Load;
use super::others::{self, Others};
use crate::object::{LabelSelector, Object, Value};

const HOSTNAME: &str = "kubernetes.io/hostname";
/// Key and skew of the constraints of a pod that has none.
const USUAL: [(&str, i64); 2] = [(HOSTNAME, 3), ("topology.kubernetes.io/zone", 5)];

/// Pods of a kind by part of the cluster, for one constraint; by node for that of the node's name.
struct Counts<'a> {
    key: &'a str,
    max_skew: i64,
    counts: BTreeMap<&'a str, usize>,
}

/// The soft constraints of a pod.
#[derive(Default)]
pub(super) struct Spread<'a> {
    constraints: Vec<Counts<'a>>,
    /// Whether a node that lacks one of the labels is not looked at: so for constraints of the
    /// pod's own.
    needs_all: bool,
}

impl<'a> Spread<'a> {
    /// For a pod that one of several nodes will take.
    pub(super) fn of(pod: &'a Object, others: Others<'a>, kin: &Kin) -> Self {
        let own = pod.list(&["spec", "topologySpreadConstraints"]);
        if own.is_empty() {
            return Self::usual(pod, others, kin);
        }
        let soft = || own.iter().filter(|one| one["whenUnsatisfiable"] == "ScheduleAnyway");
        let key = |one: &'a Value| one["topologyKey"].as_str().unwrap_or_default();
        let keys: Vec<&str> = soft().map(key).collect();
        let constraints = soft().map(|one| {
            let selector = others::selector_of_spread(one, pod);
            let names = kin.candidates(pod.namespace(), &selector);
            let placed = others.nodes_of(names, pod, &selector);
            let counts = |node: &Object| {
                keys.iter().all(|key| node.label(key).is_some())
                    && others::counts_for_spread(one, pod, node)
            };
            Counts::of(key(one), one["maxSkew"].as_i64().unwrap_or(1), placed, counts)
        });
        Self { constraints: constraints.collect(), needs_all: true }
    }

    fn usual(pod: &Object, others: Others<'a>, kin: &Kin) -> Self {
        let selector = kin.selector(pod);
        if selector.is_empty() {
            return Self::default();
        }
        let names = kin.candidates(pod.namespace(), &selector);
        let placed: Vec<&Object> = others.nodes_of(names, pod, &selector).collect();
        let counts = |node: &Object| filter::is_wanted(pod, node);
        let constraints =
            USUAL.map(|(key, skew)| Counts::of(key, skew, placed.iter().copied(), counts));
        Self { constraints: constraints.into(), needs_all: false }
    }

    /// Fewer pods of a kind are better; nothing where there are no constraints.
    pub(super) fn scores(&self, fitting: &[(&Load, &Object)]) -> Vec<i64> {
        if self.constraints.is_empty() {
            return Vec::new();
        }
        let has_all =
            |node: &Object| self.constraints.iter().all(|one| node.label(one.key).is_some());
        let counts = |node: &Object| !self.needs_all || has_all(node);
        let nodes = || fitting.iter().map(|(_, node)| *node).filter(|node| counts(node));
        let sizes: Vec<f64> = self.constraints.iter().map(|one| one.size(nodes())).collect();
        let raw = |node: &Object| {
            let sum: f64 =
                self.constraints.iter().zip(&sizes).map(|(o, size)| o.raw(node, *size)).sum();
            #[expect(clippy::cast_possible_truncation, reason = "as many as there are pods")]
            counts(node).then_some(sum.round() as i64)
        };
        let raw: Vec<Option<i64>> = fitting.iter().map(|(_, node)| raw(node)).collect();
        let known = || raw.iter().copied().flatten();
        let (least, most) = (known().min().unwrap_or(0), known().max().unwrap_or(0));
        let score = |one: &Option<i64>| match one {
            Some(_) if most == 0 => 100,
            Some(one) => 100 * (most + least - one) / most,
            None => 0,
        };
        raw.iter().map(score).collect()
    }
}

impl<'a> Counts<'a> {
    fn of(
        key: &'a str,
        max_skew: i64,
        placed: impl Iterator<Item = &'a Object>,
        counts_node: impl Fn(&Object) -> bool,
    ) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for node in placed {
            let part = if key == HOSTNAME {
                Some(node.name())
            } else {
                node.label(key).filter(|_| counts_node(node))
            };
            if let Some(part) = part {
                *counts.entry(part).or_default() += 1;
            }
        }
        Self { key, max_skew, counts }
    }

    /// How much one pod more weighs: more, the more parts there are.
    fn size<'b>(&self, nodes: impl Iterator<Item = &'b Object>) -> f64 {
        // Nothing is multiplied with it: parts are not counted for nobody.
        if self.counts.is_empty() {
            return 0.0;
        }
        let parts = if self.key == HOSTNAME {
            nodes.count()
        } else {
            nodes
                .map(|node| node.label(self.key).unwrap_or_default())
                .collect::<BTreeSet<_>>()
                .len()
        };
        (float(parts) + 2.0).ln()
    }

    fn raw(&self, node: &Object, size: f64) -> f64 {
        let Some(value) = node.label(self.key) else { return 0.0 };
        let part = if self.key == HOSTNAME { node.name() } else { value };
        let count = self.counts.get(part).copied().unwrap_or(0);
        let skew = f64::from(i32::try_from(self.max_skew - 1).unwrap_or(i32::MAX));
        float(count) * size + skew
    }
}

fn float(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Nobody is selected by a constraint that selects by nothing.
pub(super) fn selects(selector: &LabelSelector, pod: &Object) -> bool {
    !selector.is_empty() && selector.matches(pod.labels())
}
