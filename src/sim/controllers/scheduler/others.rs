//! The other pods, as a pod that looks for a node sees them: where they are, and which rules
//! between pods there are (R-CTL-29). What follows from it: `peers` (where a pod may go) and
//! `near` (where it would rather go).

use std::collections::BTreeMap;

use super::nodes::{Loads, PodName};
use super::{filter, spread};
use crate::api::Informer;
use crate::object::selector::{Operator, Requirement};
use crate::object::{LabelSelector, Object, Value};

/// The pods and nodes that are there.
#[derive(Clone, Copy)]
pub(super) struct Others<'a> {
    pub(super) pods: &'a Informer,
    pub(super) nodes: &'a Informer,
    pub(super) loads: &'a Loads,
    /// Pods to which it matters who is near.
    pub(super) social: &'a [PodName],
}

impl<'a> Others<'a> {
    /// Pods to which it matters who is near, and their nodes.
    pub(super) fn social(self) -> impl Iterator<Item = (&'a Object, &'a Object)> {
        self.social.iter().filter_map(move |name| {
            let other = self.pods.get(&name.0, &name.1)?;
            Some((&**other, self.node_of(name)?))
        })
    }

    /// All pods but `pod` that have a node, and their nodes.
    pub(super) fn placed(self, pod: &Object) -> Vec<(&'a Object, &'a Object)> {
        let others = self.pods.iter().filter(|other| other.uid() != pod.uid());
        let placed = others.filter_map(|other| {
            let name = (other.namespace().to_owned(), other.name().to_owned());
            Some((&**other, self.node_of(&name)?))
        });
        placed.collect()
    }

    /// The nodes of those pods that are in the namespace of `pod`, stay and are selected.
    pub(super) fn nodes_of<'k>(
        self,
        names: impl Iterator<Item = &'k PodName>,
        pod: &Object,
        selector: &LabelSelector,
    ) -> impl Iterator<Item = &'a Object> {
        names.filter_map(move |name| {
            let other = self.pods.get(&name.0, &name.1)?;
            let counts = other.namespace() == pod.namespace()
                && other.uid() != pod.uid()
                && !other.is_deleting()
                && spread::selects(selector, other);
            counts.then(|| self.node_of(name))?
        })
    }

    fn node_of(self, name: &PodName) -> Option<&'a Object> {
        let node = self.loads.node_of(name)?;
        self.nodes.get("", node).map(AsRef::as_ref)
    }
}

/// Pods by part of the cluster that a spread constraint of `pod` is about. Parts are those of
/// `nodes`.
pub(super) fn count<'a>(
    constraint: &Value,
    pod: &Object,
    nodes: impl Iterator<Item = &'a Object>,
    placed: &[(&Object, &Object)],
) -> BTreeMap<&'a str, usize> {
    let key = constraint["topologyKey"].as_str().unwrap_or_default();
    let selector = selector_of_spread(constraint, pod);
    let mut counts: BTreeMap<&str, usize> =
        nodes.filter_map(|node| Some((node.label(key)?, 0))).collect();
    for (other, node) in placed {
        let counted = other.namespace() == pod.namespace()
            && !other.is_deleting()
            && spread::selects(&selector, other);
        if let Some(count) = node.label(key).and_then(|value| counts.get_mut(value))
            && counted
        {
            *count += 1;
        }
    }
    counts
}

/// Which pods a spread constraint of `pod` is about: with `matchLabelKeys` those alone that have
/// the same values as the pod.
pub(super) fn selector_of_spread(constraint: &Value, pod: &Object) -> LabelSelector {
    let mut selector = LabelSelector::from_value(&constraint["labelSelector"]);
    let keys = constraint["matchLabelKeys"].as_array().into_iter().flatten();
    for key in keys.filter_map(Value::as_str) {
        if let Some(value) = pod.label(key) {
            let (key, values) = (key.to_owned(), vec![value.to_owned()]);
            selector.requirements.push(Requirement { key, operator: Operator::In, values });
        }
    }
    selector
}

/// Whether a spread constraint counts the pods of a node: by default not of one that the pod
/// cannot be on for its affinity, whatever its taints.
pub(super) fn counts_for_spread(constraint: &Value, pod: &Object, node: &Object) -> bool {
    (constraint["nodeAffinityPolicy"] == "Ignore" || filter::is_wanted(pod, node))
        && (constraint["nodeTaintsPolicy"] != "Honor" || !filter::is_kept_out(pod, node))
}

/// A rule that looks at pods of the same part of the cluster.
pub(super) struct Term<'a> {
    pub(super) key: &'a str,
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

    /// Whether the rule is about a pod.
    pub(super) fn is_about(&self, pod: &Object) -> bool {
        (self.everywhere || self.namespaces.contains(&pod.namespace()))
            && self.selector.matches(pod.labels())
    }
}

/// Required terms.
pub(super) fn terms<'a>(pod: &'a Object, kind: &str) -> Vec<Term<'a>> {
    let path = ["spec", "affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution"];
    pod.list(&path).iter().map(|value| Term::read(value, pod)).collect()
}

/// Preferred terms and their weights.
pub(super) fn preferred<'a>(pod: &'a Object, kind: &str) -> Vec<(i64, Term<'a>)> {
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
