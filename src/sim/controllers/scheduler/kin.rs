//! Which pods are of a kind with one that looks for a node (R-CTL-29): those that the same Services
//! and the same ReplicaSet or StatefulSet select. By these it is spread where it has no
//! constraints of its own.
//!
//! Pods that have a node are kept by label, so that finding those of a kind costs what there are
//! of them, not what the cluster has. Not here: what spread weighs (`spread`), and
//! ReplicationControllers, which no controller of ours makes pods for.

use std::collections::{BTreeMap, BTreeSet};

use super::super::kinds::{REPLICA_SET, SERVICE, STATEFUL_SET, gvr};
use super::USER_AGENT;
use super::nodes::PodName;
use crate::api::{Ids, Informer, Input, Outbox};
use crate::base::Time;
use crate::object::selector::Operator;
use crate::object::{LabelSelector, Object, Value, json};

/// Namespace, key and value of a label.
type Label = (String, String, String);

/// Services, owners of pods, and pods by label.
#[derive(Debug)]
pub(super) struct Kin {
    services: Informer,
    replica_sets: Informer,
    stateful_sets: Informer,
    /// Services by the first label that they select by.
    chosen: BTreeMap<Label, BTreeSet<String>>,
    /// Pods that have a node.
    alike: BTreeMap<Label, BTreeSet<PodName>>,
}

impl Kin {
    pub(super) fn new() -> Self {
        let informer = |slot| Informer::new(gvr(slot), "", USER_AGENT);
        Self {
            services: informer(SERVICE),
            replica_sets: informer(REPLICA_SET),
            stateful_sets: informer(STATEFUL_SET),
            chosen: BTreeMap::new(),
            alike: BTreeMap::new(),
        }
    }

    pub(super) fn start(&mut self, ids: &mut Ids, out: &mut Outbox) {
        for informer in [&mut self.services, &mut self.replica_sets, &mut self.stateful_sets] {
            informer.start(ids, out);
        }
    }

    pub(super) fn take(&mut self, now: Time, input: &Input, ids: &mut Ids, out: &mut Outbox) {
        for change in self.services.take(now, input, ids, out) {
            if let Some(label) = change.old.as_deref().and_then(first_label)
                && let Some(names) = self.chosen.get_mut(&label)
            {
                names.remove(change.old.as_ref().map_or("", |old| old.name()));
                if names.is_empty() {
                    self.chosen.remove(&label);
                }
            }
            if let Some(new) = &change.new
                && let Some(label) = first_label(new)
            {
                self.chosen.entry(label).or_default().insert(new.name().to_owned());
            }
        }
        self.replica_sets.take(now, input, ids, out);
        self.stateful_sets.take(now, input, ids, out);
    }

    /// A pod has a node.
    pub(super) fn put(&mut self, pod: &Object, name: &PodName) {
        for label in labels(pod) {
            self.alike.entry(label).or_default().insert(name.clone());
        }
    }

    /// A pod has none any more.
    pub(super) fn lose(&mut self, pod: &Object, name: &PodName) {
        for label in labels(pod) {
            if let Some(names) = self.alike.get_mut(&label) {
                names.remove(name);
                if names.is_empty() {
                    self.alike.remove(&label);
                }
            }
        }
    }

    /// What selects the pod; nothing where nobody does.
    pub(super) fn selector(&self, pod: &Object) -> LabelSelector {
        let mut selector = LabelSelector::default();
        for label in labels(pod) {
            for name in self.chosen.get(&label).into_iter().flatten() {
                let service = self.services.get(pod.namespace(), name);
                let service = service.map_or_else(LabelSelector::default, |s| selector_of(s));
                if service.matches(pod.labels()) {
                    selector.requirements.extend(service.requirements);
                }
            }
        }
        let Some(owner) = pod.controller() else { return selector };
        let sets = match (owner.api_version, owner.kind) {
            ("apps/v1", "ReplicaSet") => &self.replica_sets,
            ("apps/v1", "StatefulSet") => &self.stateful_sets,
            _ => return selector,
        };
        if let Some(set) = sets.get(pod.namespace(), owner.name) {
            let of_set = set.at(&["spec", "selector"]).map(LabelSelector::from_value);
            selector.requirements.extend(of_set.unwrap_or_default().requirements);
        }
        selector
    }

    /// Pods with a node that may be selected in a namespace: all that are, and some that are not.
    pub(super) fn candidates(
        &self,
        namespace: &str,
        selector: &LabelSelector,
    ) -> impl Iterator<Item = &PodName> {
        let one = |requirement: &&crate::object::selector::Requirement| {
            requirement.operator == Operator::In && requirement.values.len() == 1
        };
        let sets = selector.requirements.iter().filter(one).map(|requirement| {
            let (key, value) = (requirement.key.clone(), requirement.values[0].clone());
            self.alike.get(&(namespace.to_owned(), key, value))
        });
        let least = sets.min_by_key(|set| set.map_or(0, BTreeSet::len));
        // A selector without equality is rare: whoever has any label may be meant.
        let all = least.is_none().then(|| self.alike.values().flatten().collect::<BTreeSet<_>>());
        least.flatten().into_iter().flatten().chain(all.into_iter().flatten())
    }
}

fn selector_of(service: &Object) -> LabelSelector {
    let pairs = service.at(&["spec", "selector"]).cloned().unwrap_or_default();
    LabelSelector::from_value(&json!({ "matchLabels": pairs }))
}

/// The first label that a Service selects by; one that selects by none selects nothing.
fn first_label(service: &Object) -> Option<Label> {
    let pairs = service.at(&["spec", "selector"])?.as_object()?;
    let (key, value) = pairs.iter().next()?;
    Some((service.namespace().to_owned(), key.to_string(), value.as_str()?.to_owned()))
}

fn labels(pod: &Object) -> impl Iterator<Item = Label> + '_ {
    let labels = pod.labels().into_iter().flatten();
    labels.filter_map(|(key, value)| {
        let value = Value::as_str(value)?.to_owned();
        Some((pod.namespace().to_owned(), key.to_string(), value))
    })
}
