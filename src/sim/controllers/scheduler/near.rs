//! Where a pod would rather go by the pods that are there (R-CTL-29): preferred affinity between
//! pods. What it weighs: `score`; spread: `spread`.

use std::collections::BTreeMap;

use super::others::{Others, preferred, terms};
use crate::object::Object;

/// What a pod and those that are there wish of each other.
#[derive(Default)]
pub(super) struct Near<'a> {
    /// By key and value of a node's labels: the weight of all wishes that would be met there.
    pub(super) wishes: BTreeMap<(&'a str, &'a str), i64>,
}

/// How much it weighs that a pod must be near those that it asks for (upstream's figure).
const MUST: i64 = 1;

impl<'a> Near<'a> {
    /// For a pod that one of these nodes will take.
    pub(super) fn of(pod: &'a Object, others: Others<'a>) -> Self {
        let mut near = Self::default();
        for (other, node) in others.social() {
            near.of_other(pod, other, node);
        }
        let own = [(1, preferred(pod, "podAffinity")), (-1, preferred(pod, "podAntiAffinity"))];
        if own.iter().all(|(_, terms)| terms.is_empty()) {
            return near;
        }
        let placed = others.placed(pod);
        for (sign, terms) in &own {
            for (weight, term) in terms {
                for (_, node) in placed.iter().filter(|(other, _)| term.is_about(other)) {
                    near.wish(term.key, node, sign * weight);
                }
            }
        }
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
