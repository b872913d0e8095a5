//! Which of the nodes that can take a pod is the best (R-CTL-29): soft taints, preferred nodes,
//! preferred neighbours, soft spread, and room, with the weights of the real scheduler.
//!
//! Each wish gives a node 0 to 100 in comparison with the other nodes. Where a pod and those that
//! are there wish for nothing, room alone decides. Of nodes as good as each other upstream takes
//! any; ours is the one with the fewest pods, then the first by name.
//!
//! Not here: what neighbours wish (`near`), spread (`spread`), images that a node has (`images`).

use super::demand::Demand;
use super::filter;
use super::near::Near;
use super::nodes::Load;
use super::spread::Spread;
use crate::object::{Object, Value};

/// What a wish weighs beside room, of which each of its two parts weighs one.
const TAINTS: i64 = 3;
const NODES: i64 = 2;
const PEERS: i64 = 2;
const SPREAD: i64 = 2;
const IMAGES: i64 = 1;

/// What is wished for beside room, soft taints and preferred nodes.
pub(super) struct Wishes<'a> {
    pub(super) near: Near<'a>,
    pub(super) spread: Spread<'a>,
    /// By node that fits.
    pub(super) images: Vec<i64>,
}

/// The best of the nodes that can take the pod; `None` where there is none.
pub(super) fn best<'a>(
    pod: &Object,
    demand: &Demand,
    fitting: &[(&'a Load, &'a Object)],
    wishes: &Wishes<'_>,
) -> Option<&'a Object> {
    let mut sums = vec![0; fitting.len()];
    let mut add = |weight: i64, scores: Vec<i64>| {
        for (wish, score) in sums.iter_mut().zip(scores) {
            *wish += weight * score;
        }
    };
    add(TAINTS, soft_taints(pod, fitting));
    add(NODES, preferred_nodes(pod, fitting));
    add(PEERS, neighbours(fitting, &wishes.near));
    add(SPREAD, wishes.spread.scores(fitting));
    add(IMAGES, wishes.images.clone());
    let key = |at: usize| {
        let (load, node) = fitting[at];
        load.score(node.name(), demand, sums[at])
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
