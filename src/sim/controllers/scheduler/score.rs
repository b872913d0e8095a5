//! Which of the nodes that can take a pod is the best (R-CTL-29): soft taints, preferred nodes,
//! preferred neighbours, soft spread, and room, with the weights of the real scheduler.
//!
//! Each wish gives a node 0 to 100 in comparison with the other nodes. Where a pod and those that
//! are there wish for nothing, room alone decides. Of nodes as good as each other upstream takes
//! any; ours is the one with the fewest pods, then the first by name.
//!
//! Not here: images that a node has, and the spread that upstream wants for pods of one owner.

use std::collections::BTreeMap;

use super::demand::Demand;
use super::filter;
use super::near::Near;
use super::nodes::Load;
use crate::object::{Object, Value};

/// What a wish weighs beside room, of which each of its two parts weighs one.
const TAINTS: i64 = 3;
const NODES: i64 = 2;
const PEERS: i64 = 2;
const SPREAD: i64 = 2;

/// The best of the nodes that can take the pod; `None` where there is none.
pub(super) fn best<'a>(
    pod: &Object,
    demand: &Demand,
    fitting: &[(&'a Load, &'a Object)],
    near: &Near<'_>,
) -> Option<&'a Object> {
    let mut wishes = vec![0; fitting.len()];
    let mut add = |weight: i64, scores: Vec<i64>| {
        for (wish, score) in wishes.iter_mut().zip(scores) {
            *wish += weight * score;
        }
    };
    add(TAINTS, soft_taints(pod, fitting));
    add(NODES, preferred_nodes(pod, fitting));
    add(PEERS, neighbours(fitting, near));
    add(SPREAD, spread(fitting, &near.soft));
    let key = |at: usize| {
        let (load, node) = fitting[at];
        load.score(node.name(), demand, wishes[at])
    };
    let best = (0..fitting.len()).max_by_key(|at| key(*at));
    best.map(|at| fitting[at].1)
}

/// Fewer soft taints that the pod does not tolerate are better.
fn soft_taints(pod: &Object, fitting: &[(&Load, &Object)]) -> Vec<i64> {
    let count = |node: &Object| {
        let taints = node.list(&["spec", "taints"]).iter();
        let soft = taints.filter(|taint| taint["effect"] == "PreferNoSchedule");
        let borne = |taint: &&Value| !filter::is_tolerated(pod, taint);
        i64::try_from(soft.filter(borne).count()).unwrap_or(i64::MAX)
    };
    let counts: Vec<i64> = fitting.iter().map(|(_, node)| count(node)).collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return Vec::new();
    }
    counts.into_iter().map(|count| 100 - 100 * count / most).collect()
}

/// The sum of the weights of the terms that hold.
fn preferred_nodes(pod: &Object, fitting: &[(&Load, &Object)]) -> Vec<i64> {
    let path =
        ["spec", "affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"];
    let terms = pod.list(&path);
    if terms.is_empty() {
        return Vec::new();
    }
    let sum = |node: &Object| -> i64 {
        let held = terms.iter().filter(|term| filter::holds(&term["preference"], node));
        held.filter_map(|term| term["weight"].as_i64()).sum()
    };
    let sums: Vec<i64> = fitting.iter().map(|(_, node)| sum(node)).collect();
    let most = sums.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return Vec::new();
    }
    sums.into_iter().map(|sum| 100 * sum / most).collect()
}

/// What pods that would meet wish of each other, from the least to the most.
fn neighbours(fitting: &[(&Load, &Object)], near: &Near<'_>) -> Vec<i64> {
    if near.wishes.is_empty() {
        return Vec::new();
    }
    let sum = |node: &Object| -> i64 {
        let parts = near.wishes.iter().filter(|((key, value), _)| node.label(key) == Some(value));
        parts.map(|(_, weight)| weight).sum()
    };
    let sums: Vec<i64> = fitting.iter().map(|(_, node)| sum(node)).collect();
    let least = sums.iter().copied().min().unwrap_or(0);
    let most = sums.iter().copied().max().unwrap_or(0);
    if most == least {
        return Vec::new();
    }
    sums.into_iter().map(|sum| 100 * (sum - least) / (most - least)).collect()
}

/// Pods by part of the cluster, for one soft spread constraint.
pub(super) struct SoftSpread<'a> {
    pub(super) key: &'a str,
    pub(super) max_skew: i64,
    pub(super) counts: BTreeMap<&'a str, usize>,
}

impl SoftSpread<'_> {
    /// Fewer pods are better; `None` for a node that is in no part.
    fn raw(&self, node: &Object) -> Option<f64> {
        let count = self.counts.get(node.label(self.key)?).copied().unwrap_or(0);
        let float = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        let skew = f64::from(i32::try_from(self.max_skew - 1).unwrap_or(i32::MAX));
        Some(float(count) * (float(self.counts.len()) + 2.0).ln() + skew)
    }
}

/// Fewer pods that the constraints are about are better; a node without their labels is the worst.
fn spread(fitting: &[(&Load, &Object)], soft: &[SoftSpread<'_>]) -> Vec<i64> {
    if soft.is_empty() {
        return Vec::new();
    }
    let raw = |node: &Object| -> Option<i64> {
        let sum: f64 = soft.iter().map(|one| one.raw(node)).sum::<Option<f64>>()?;
        #[expect(clippy::cast_possible_truncation, reason = "as many as there are pods")]
        Some(sum.round() as i64)
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
