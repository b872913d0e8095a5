//! The engine's view of the cluster: one watch for each kind that an App has, and, once something
//! runs pods, for pods and what stands between them and a workload.
//!
//! It holds what the API server said and nothing else; what it means is `health`'s and `drift`'s.

mod newest;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::informer::{Change, Ids, Informer};
use crate::api::{Input, Outbox};
use crate::base::{Bug, Time};
use crate::engine::model::MANAGER;
use crate::object::{Gvr, Object, ObjectId, Value};

const PODS: Gvr = Gvr::new("", "v1", "pods");
const REPLICA_SETS: Gvr = Gvr::new("apps", "v1", "replicasets");

/// The annotation that keeps an object from being deleted when it leaves the repository.
const PRUNE: &str = "towtank.dev/prune";

/// The view.
#[derive(Debug, Default)]
pub struct Live {
    informers: BTreeMap<Gvr, Informer>,
    /// Pods and ReplicaSets by the uid of what controls them.
    controlled: BTreeMap<String, BTreeMap<String, Arc<Object>>>,
    /// The id of every Deployment, StatefulSet and so on by uid.
    workloads: BTreeMap<String, ObjectId>,
    /// Wrong on purpose.
    bug: Option<Bug>,
}

/// What an input changed.
#[derive(Debug, Default)]
pub struct Touched {
    /// Objects that changed, came or went.
    pub objects: BTreeSet<ObjectId>,
    /// Workloads whose pods changed.
    pub owners_of_pods: BTreeSet<ObjectId>,
    /// A kind was listed for the first time.
    pub synced: bool,
    /// Kinds that were listed anew. What was written and deleted since the last list was never in
    /// the view, so that its going is no change of it.
    pub listed_anew: BTreeSet<Gvr>,
}

/// Whether objects of this kind run pods.
#[must_use]
pub fn runs_pods(id: &ObjectId) -> bool {
    matches!(id.kind.as_ref(), "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicaSet")
}

/// Whether the live object says that we applied it.
#[must_use]
pub fn is_ours(live: &Object) -> bool {
    live.list(&["metadata", "managedFields"]).iter().any(|entry| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        text("manager") == MANAGER && text("operation") == "Apply"
    })
}

/// Whether the object may be deleted when it leaves the repository.
#[must_use]
pub fn may_prune(live: &Object) -> bool {
    live.annotation(PRUNE) != Some("disabled")
}

impl Live {
    /// From now on wrong on purpose.
    pub fn set_bug(&mut self, bug: Option<Bug>) {
        self.bug = bug;
    }

    /// Makes sure that a kind is watched.
    pub fn want(&mut self, gvr: &Gvr, ids: &mut Ids, out: &mut Outbox) {
        if self.informers.contains_key(gvr) {
            return;
        }
        let mut informer = Informer::new(gvr.clone(), "", MANAGER).with_bug(self.bug);
        informer.start(ids, out);
        self.informers.insert(gvr.clone(), informer);
    }

    /// Makes sure that pods are watched, and the ReplicaSets that say whose they are.
    pub fn want_pods(&mut self, ids: &mut Ids, out: &mut Outbox) {
        self.want(&REPLICA_SETS, ids, out);
        self.want(&PODS, ids, out);
    }

    /// Ends the watch of a kind that is not served any more.
    pub fn forget(&mut self, gvr: &Gvr) {
        self.informers.remove(gvr);
    }

    /// Every object of a kind, as last seen.
    pub fn all(&self, gvr: &Gvr) -> impl Iterator<Item = &Arc<Object>> {
        self.informers.get(gvr).into_iter().flat_map(Informer::iter)
    }

    /// Whether the kind has been listed.
    #[must_use]
    pub fn is_synced(&self, gvr: &Gvr) -> bool {
        self.informers.get(gvr).is_some_and(Informer::is_synced)
    }

    /// The revision up to which the kind has been seen.
    #[must_use]
    pub fn revision(&self, gvr: &Gvr) -> u64 {
        self.informers.get(gvr).map_or(0, Informer::revision)
    }

    /// One object as last seen.
    #[must_use]
    pub fn get(&self, gvr: &Gvr, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.informers.get(gvr)?.get(namespace, name)
    }

    /// One object as it is known best: the newer of what was seen and what a write was answered.
    #[must_use]
    pub fn newest<'a>(
        &'a self,
        gvr: &Gvr,
        id: &ObjectId,
        answer: Option<&'a Arc<Object>>,
    ) -> Option<&'a Arc<Object>> {
        match (self.get(gvr, &id.namespace, &id.name), answer) {
            (Some(seen), Some(answer)) if answer.revision() > seen.revision() => Some(answer),
            (Some(seen), _) => Some(seen),
            // Not seen yet, or seen and gone: in the former case the answer is ahead of the view.
            (None, answer) => answer.filter(|answer| answer.revision() > self.revision(gvr)),
        }
    }

    /// The pods of a workload that belong to its newest revision.
    pub fn pods_of_new_revision<'a>(
        &'a self,
        workload: &'a Object,
    ) -> impl Iterator<Item = &'a Object> {
        let direct = self.controlled.get(workload.uid()).into_iter().flat_map(BTreeMap::values);
        let direct = direct.map(AsRef::as_ref);
        let sets: Vec<&Object> =
            direct.clone().filter(|object: &&Object| object.kind() == "ReplicaSet").collect();
        let of_sets = sets
            .clone()
            .into_iter()
            .filter_map(|set| self.controlled.get(set.uid()))
            .flat_map(BTreeMap::values)
            .map(AsRef::as_ref);
        let pods = direct.filter(|object| object.kind() != "ReplicaSet").chain(of_sets);
        let is_new = newest::is_of_new_revision(workload, &sets);
        pods.filter(move |pod| is_new(pod))
    }

    /// Takes an input from the cluster.
    pub fn take(&mut self, now: Time, input: &Input, ids: &mut Ids, out: &mut Outbox) -> Touched {
        let mut touched = Touched::default();
        let mut changes: Vec<(Gvr, Change)> = Vec::new();
        for (gvr, informer) in &mut self.informers {
            let (was_synced, lists) = (informer.is_synced(), informer.lists());
            let of_kind = informer.take(now, input, ids, out);
            touched.synced |= informer.is_synced() && !was_synced;
            if was_synced && informer.lists() > lists {
                touched.listed_anew.insert(gvr.clone());
            }
            changes.extend(of_kind.into_iter().map(|change| (gvr.clone(), change)));
        }
        for (gvr, change) in changes {
            self.index(&gvr, &change, &mut touched);
        }
        touched
    }

    fn index(&mut self, gvr: &Gvr, change: &Change, touched: &mut Touched) {
        let Some(object) = change.object() else { return };
        if *gvr == PODS || *gvr == REPLICA_SETS {
            self.index_controlled(gvr, change, touched);
        }
        // Items of a typed list carry no kind of their own: the id comes from the table.
        let id = self.id_of(gvr, object);
        if runs_pods(&id) {
            match &change.new {
                Some(new) => self.workloads.insert(new.uid().to_owned(), id.clone()),
                None => self.workloads.remove(object.uid()),
            };
        }
        touched.objects.insert(id);
    }

    fn id_of(&self, gvr: &Gvr, object: &Object) -> ObjectId {
        let kind = crate::object::schema::builtin().resource(gvr);
        ObjectId::new(
            gvr.group.clone(),
            kind.map_or_else(|| object.gvk().kind, |kind| kind.gvk.kind.clone()),
            object.namespace(),
            object.name(),
        )
    }

    fn index_controlled(&mut self, gvr: &Gvr, change: &Change, touched: &mut Touched) {
        let key =
            |object: &Object| format!("{}/{}/{}", gvr.plural, object.namespace(), object.name());
        if let Some(old) = &change.old
            && let Some(owner) = old.controller()
            && let Some(of_owner) = self.controlled.get_mut(owner.uid)
        {
            of_owner.remove(&key(old));
            if of_owner.is_empty() {
                self.controlled.remove(owner.uid);
            }
        }
        let Some(object) = change.object() else { return };
        let Some(owner) = object.controller() else { return };
        if let Some(new) = &change.new {
            let of_owner = self.controlled.entry(owner.uid.to_owned()).or_default();
            of_owner.insert(key(new), Arc::clone(new));
        }
        touched.owners_of_pods.extend(self.workload_above(
            owner.uid,
            owner.name,
            object.namespace(),
        ));
    }

    /// The workload that is, or stands above, the owner with this uid.
    fn workload_above(&self, uid: &str, name: &str, namespace: &str) -> Option<ObjectId> {
        let set = self.get(&REPLICA_SETS, namespace, name).filter(|set| set.uid() == uid);
        let above = set.and_then(|set| set.controller()).and_then(|o| self.workloads.get(o.uid));
        above.or_else(|| self.workloads.get(uid)).cloned()
    }
}
