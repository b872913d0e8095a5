//! The caches that all controllers share, and the indices over them: objects by uid, dependents
//! by owner uid, and objects without a controller by namespace. No sync reads more than it needs.
//!
//! It holds no opinion on what a change means: who is to look at it is decided in `wake`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::kinds::{NODE, POD, REPLICA_SET, SERVICE, Served, Slot, WELL_KNOWN};
use super::labelled::{self, Labelled};
use super::node::noticed::Noticed;
use crate::api::{Change, Ids, Informer, Input, Outbox};
use crate::base::{Time, limits};
use crate::object::{Map, Object, Uid};

/// Where an object is cached: resource, namespace, name.
pub type Place = (Slot, Arc<str>, Arc<str>);

/// Objects of one namespace.
type ByName = BTreeMap<Arc<str>, Arc<Object>>;

/// The dependents of one owner, by place. A list, so that a place is found by borrowed parts.
type Dependents = Vec<(Place, Arc<Object>)>;

const OWNERS: &[&str] = &["metadata", "ownerReferences"];

/// All caches of one client.
#[derive(Debug)]
pub struct Caches {
    served: Vec<Served>,
    informers: Vec<Informer>,
    by_uid: BTreeMap<Uid, (Slot, Arc<Object>)>,
    by_owner: BTreeMap<Uid, Dependents>,
    orphans: BTreeMap<Slot, BTreeMap<Arc<str>, ByName>>,
    gone: BTreeSet<Uid>,
    gone_order: VecDeque<Uid>,
    pods: Labelled,
    services: Labelled,
    noticed: Noticed,
    leases: Option<Slot>,
    user_agent: &'static str,
}

impl Caches {
    /// Empty caches of the well-known resources and of `others`; of a resource that comes twice
    /// the first is taken.
    #[must_use]
    pub fn new(others: &[Served], user_agent: &'static str) -> Self {
        let mut caches = Self {
            served: Vec::new(),
            informers: Vec::new(),
            by_uid: BTreeMap::new(),
            by_owner: BTreeMap::new(),
            orphans: BTreeMap::new(),
            gone: BTreeSet::new(),
            gone_order: VecDeque::new(),
            pods: Labelled::default(),
            services: Labelled::default(),
            noticed: Noticed::default(),
            leases: None,
            user_agent,
        };
        for served in WELL_KNOWN.iter().chain(others) {
            caches.serve(served.clone());
        }
        caches.leases = caches.slot_of("coordination.k8s.io", "leases");
        caches
    }

    /// Adds a resource, unless there is one of its group and plural; gives its number if it is
    /// new. The informer waits for [`Caches::start`].
    pub fn serve(&mut self, served: Served) -> Option<Slot> {
        let gvr = &served.resource;
        let known = |s: &Served| s.resource.group == gvr.group && s.resource.plural == gvr.plural;
        if self.served.iter().any(known) {
            return None;
        }
        self.informers.push(Informer::new(served.resource.clone(), "", self.user_agent));
        self.served.push(served);
        Some(self.served.len() - 1)
    }

    /// Starts the informer of `slot`.
    pub fn start(&mut self, slot: Slot, ids: &mut Ids, out: &mut Outbox) {
        self.informers[slot].start(ids, out);
    }

    /// Empties the cache of `slot` and stops listening.
    pub fn stop(&mut self, slot: Slot) -> Vec<Change> {
        let changes = self.informers[slot].stop();
        changes.iter().for_each(|change| self.index(slot, change));
        changes
    }

    /// Gives `input` to the informer of `slot` and keeps the indices in step.
    pub fn take(
        &mut self,
        slot: Slot,
        now: Time,
        input: &Input,
        ids: &mut Ids,
        out: &mut Outbox,
    ) -> Vec<Change> {
        let changes = self.informers[slot].take(now, input, ids, out);
        for change in &changes {
            self.index(slot, change);
            self.notice(slot, change, now);
        }
        changes
    }

    /// What was noticed of nodes.
    pub(crate) fn noticed(&self) -> &Noticed {
        &self.noticed
    }

    /// See [`Noticed::keep`].
    pub(crate) fn keep_node(&mut self, node: &str, silent_since: Option<Time>) {
        self.noticed.keep(node, silent_since);
    }

    fn notice(&mut self, slot: Slot, change: &Change, now: Time) {
        if slot == NODE {
            self.noticed.see_node(change, now);
        } else if Some(slot) == self.leases {
            let object = change.object();
            if object.is_some_and(|lease| lease.namespace() == "kube-node-lease") {
                self.noticed.see_lease(change, now);
            }
        } else if slot == POD
            && let Some(pod) = &change.new
            && let Some(node) = pod.text(&["spec", "nodeName"]).filter(|node| !node.is_empty())
            && self.informers[NODE].is_synced()
            && self.get(NODE, "", node).is_none()
        {
            self.noticed.miss(node, now);
        }
    }

    /// Every resource, by its number.
    #[must_use]
    pub fn served(&self) -> &[Served] {
        &self.served
    }

    /// The number of the resource that a kind of a group is kept in.
    #[must_use]
    pub fn slot_of_kind(&self, group: &str, kind: &str) -> Option<Slot> {
        self.served.iter().position(|s| s.resource.group == group && s.kind == kind)
    }

    /// The number of a resource, at whatever version.
    #[must_use]
    pub fn slot_of(&self, group: &str, plural: &str) -> Option<Slot> {
        self.served.iter().position(|s| s.resource.group == group && s.resource.plural == plural)
    }

    /// Whether the well-known resources were listed once.
    #[must_use]
    pub fn are_synced(&self) -> bool {
        self.informers[..WELL_KNOWN.len()].iter().all(Informer::is_synced)
    }

    /// Up to which revision the cache of `slot` saw every change.
    #[must_use]
    pub fn revision(&self, slot: Slot) -> u64 {
        self.informers[slot].revision()
    }

    /// One object; `namespace` is empty for cluster scope.
    #[must_use]
    pub fn get(&self, slot: Slot, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.informers[slot].get(namespace, name)
    }

    /// All objects of a resource, by namespace and name.
    pub fn all(&self, slot: Slot) -> impl Iterator<Item = &Arc<Object>> {
        self.informers[slot].iter()
    }

    /// The objects of a resource in one namespace, by name.
    pub fn in_namespace<'a>(
        &'a self,
        slot: Slot,
        namespace: &str,
    ) -> impl Iterator<Item = &'a Arc<Object>> {
        self.informers[slot].in_namespace(namespace)
    }

    /// The object with a uid, and its resource.
    #[must_use]
    pub fn by_uid(&self, uid: &str) -> Option<(Slot, &Arc<Object>)> {
        self.by_uid.get(&uid.into()).map(|(slot, object)| (*slot, object))
    }

    /// Everything that names `uid` among its owners, by resource, namespace and name.
    pub fn dependents(&self, uid: &str) -> impl Iterator<Item = (&Place, &Arc<Object>)> {
        let dependents = self.by_owner.get(&uid.into()).into_iter().flatten();
        dependents.map(|(place, object)| (place, object))
    }

    /// The objects of a resource that `uid` controls, by name.
    pub fn controlled<'a>(
        &'a self,
        slot: Slot,
        uid: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Object>> {
        self.dependents(uid)
            .filter(move |((s, ..), o)| *s == slot && o.controller_uid() == Some(uid))
            .map(|(_, object)| object)
    }

    /// The Pods or ReplicaSets of a namespace that nobody controls, by name.
    pub fn orphans(&self, slot: Slot, namespace: &str) -> impl Iterator<Item = &Arc<Object>> {
        let names = self.orphans.get(&slot).and_then(|spaces| spaces.get(namespace));
        names.into_iter().flat_map(BTreeMap::values)
    }

    /// Whether an object with this uid was seen to go. Only the latest few are remembered: what
    /// is not known has to be asked for.
    #[must_use]
    pub fn was_seen_to_go(&self, uid: &str) -> bool {
        self.gone.contains(&uid.into())
    }

    /// The pods that may have all of some labels, by name.
    pub(crate) fn pods_labelled<'a>(
        &'a self,
        namespace: &'a str,
        labels: Option<&'a Map>,
    ) -> impl Iterator<Item = &'a Arc<Object>> {
        let names = self.pods.under_rarest(namespace, labels);
        names.filter_map(move |name| self.get(POD, namespace, name))
    }

    /// The Services that may select a pod, by name.
    pub(crate) fn services_for(&self, pod: &Object) -> impl Iterator<Item = &Arc<Object>> {
        let namespace = pod.namespace().to_owned();
        let names = self.services.under_any(&namespace, pod.labels());
        names.into_iter().filter_map(move |name| self.get(SERVICE, &namespace, name))
    }

    /// Keeps in step who is found by which labels.
    fn relabel(&mut self, slot: Slot, change: &Change) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        match slot {
            POD => {
                if old.map(Object::labels) == new.map(Object::labels) {
                    return;
                }
                old.iter().for_each(|pod| self.pods.remove(pod, pod.labels()));
                new.iter().for_each(|pod| self.pods.add_under_all(pod, pod.labels()));
            }
            SERVICE => {
                let pairs = labelled::selector;
                if old.map(pairs) == new.map(pairs) {
                    return;
                }
                old.iter().for_each(|service| self.services.remove(service, pairs(service)));
                new.iter().for_each(|service| self.services.add_under_one(service, pairs(service)));
            }
            _ => {}
        }
    }

    fn index(&mut self, slot: Slot, change: &Change) {
        self.relabel(slot, change);
        if let (Some(old), Some(new)) = (&change.old, &change.new)
            && old.at(OWNERS) == new.at(OWNERS)
        {
            return self.replace(slot, new);
        }
        if let Some(old) = &change.old {
            self.unlink(slot, old, change.new.is_none());
        }
        if let Some(new) = &change.new {
            self.link(slot, new);
        }
    }

    /// Puts a newer version of an object where the one before is: its owners stayed.
    fn replace(&mut self, slot: Slot, object: &Arc<Object>) {
        let (namespace, name) = (object.namespace(), object.name());
        self.by_uid.insert(object.uid().into(), (slot, Arc::clone(object)));
        for owner in object.owners() {
            if let Some(dependents) = self.by_owner.get_mut(&owner.uid.into())
                && let Ok(at) = position(dependents, slot, namespace, name)
            {
                dependents[at].1 = Arc::clone(object);
            }
        }
        if matches!(slot, POD | REPLICA_SET)
            && let Some(names) = self.orphans.get_mut(&slot).and_then(|s| s.get_mut(namespace))
            && let Some(entry) = names.get_mut(name)
        {
            *entry = Arc::clone(object);
        }
    }

    fn link(&mut self, slot: Slot, object: &Arc<Object>) {
        self.by_uid.insert(object.uid().into(), (slot, Arc::clone(object)));
        let (namespace, name) = (object.namespace(), object.name());
        for owner in object.owners() {
            let dependents = self.by_owner.entry(owner.uid.into()).or_default();
            match position(dependents, slot, namespace, name) {
                Ok(at) => dependents[at].1 = Arc::clone(object),
                Err(at) => {
                    let place = (slot, namespace.into(), name.into());
                    dependents.insert(at, (place, Arc::clone(object)));
                }
            }
        }
        if matches!(slot, POD | REPLICA_SET) && object.controller_uid().is_none() {
            let namespaces = self.orphans.entry(slot).or_default();
            let names = namespaces.entry(namespace.into()).or_default();
            names.insert(name.into(), Arc::clone(object));
        }
    }

    fn unlink(&mut self, slot: Slot, object: &Object, is_gone: bool) {
        let (namespace, name) = (object.namespace(), object.name());
        for owner in object.owners() {
            if let Some(dependents) = self.by_owner.get_mut(&owner.uid.into()) {
                if let Ok(at) = position(dependents, slot, namespace, name) {
                    dependents.remove(at);
                }
                if dependents.is_empty() {
                    self.by_owner.remove(&owner.uid.into());
                }
            }
        }
        if let Some(names) = self.orphans.get_mut(&slot).and_then(|s| s.get_mut(namespace)) {
            names.remove(name);
        }
        if is_gone {
            self.by_uid.remove(&object.uid().into());
            self.remember_gone(object.uid());
        }
    }

    fn remember_gone(&mut self, uid: &str) {
        // An owner without dependents is asked for by nobody.
        let uid = Uid::from(uid);
        if !self.by_owner.contains_key(&uid) {
            return;
        }
        if self.gone.insert(uid.clone()) {
            self.gone_order.push_back(uid);
        }
        if self.gone_order.len() > limits::ABSENT_OWNERS
            && let Some(oldest) = self.gone_order.pop_front()
        {
            self.gone.remove(&oldest);
        }
    }

    /// Caches filled by hand, for tests of the pure functions.
    #[cfg(test)]
    pub(crate) fn of(objects: &[crate::object::Value]) -> Self {
        let mut caches = Self::new(&[], "test");
        for value in objects {
            let object = Arc::new(Object::from_value(value.clone()).unwrap());
            let slot = caches.slot_of_kind(&object.gvk().group, object.kind()).unwrap();
            let (mut ids, mut out) = (Ids::default(), Outbox::default());
            caches.informers[slot].start(&mut ids, &mut out);
            let mut items: Vec<_> = caches.informers[slot].iter().cloned().collect();
            items.push(object);
            let list = crate::api::List {
                kind: "List".into(),
                api_version: String::new(),
                revision: 1,
                continue_token: None,
                remaining: None,
                items,
            };
            let response = Arc::new(crate::api::Response::list(list));
            let input = Input::Answer { id: 1, response };
            caches.take(slot, Time::VIRTUAL_START, &input, &mut ids, &mut out);
        }
        caches
    }
}

/// Where the dependent of that place is in the list, or would be.
fn position(
    dependents: &Dependents,
    slot: Slot,
    namespace: &str,
    name: &str,
) -> Result<usize, usize> {
    dependents.binary_search_by(|((s, n, o), _)| (*s, &**n, &**o).cmp(&(slot, namespace, name)))
}
