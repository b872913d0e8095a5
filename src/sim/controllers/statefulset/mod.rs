//! The StatefulSet controller, in its basics: pods with ordinals, created upwards and taken
//! downwards one at a time (or all at once), claims from templates, and a rolling update from the
//! highest ordinal to the partition (R-CTL-14, R-CTL-15).
//!
//! `claims` has the claims and how long they are kept. Not here: repair of a pod's identity.

mod claims;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::kinds::{POD, STATEFUL_SET, gvr};
use super::plan::{Again, Call, Cx, Note, Plan};
use super::revisions::{Present, Revisions, applied};
use super::selector::Selector;
use super::{claim, pod};
use crate::api::{Request, Verb};
use crate::object::{Object, Value, value};

const HASH_LABEL: &str = "controller-revision-hash";

/// `status`, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[serde(skip_serializing_if = "is_zero")]
    observed_generation: i64,
    replicas: i64,
    #[serde(skip_serializing_if = "is_zero")]
    ready_replicas: i64,
    #[serde(skip_serializing_if = "is_zero")]
    current_replicas: i64,
    #[serde(skip_serializing_if = "is_zero")]
    updated_replicas: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    current_revision: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    update_revision: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    collision_count: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<Condition<'static>>,
    available_replicas: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(n: &i64) -> bool {
    *n == 0
}

/// A set, its two revisions and its pods by ordinal.
struct Scene<'a> {
    cx: &'a Cx<'a>,
    set: &'a Arc<Object>,
    current: &'a Arc<Object>,
    update: &'a Arc<Object>,
    before: Status,
    start: i64,
    replicas: i64,
    min_ready: i64,
    /// One pod at a time.
    is_ordered: bool,
    pods: Vec<(i64, &'a Arc<Object>)>,
}

/// Decides what to do for one StatefulSet.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let Some(set) = cx.caches.get(STATEFUL_SET, cx.key.namespace(), cx.key.name()) else {
        return Plan::nothing();
    };
    if cx.failure.is_some() {
        return Plan::nothing();
    }
    let is_member = |object: &Object| ordinal(set, object).is_some();
    let claims = claim::claims_of(cx.caches, POD, set, is_member);
    if !claims.is_empty() {
        return Plan::nothing().then(claims);
    }
    let before = set
        .at(&["status"])
        .and_then(|s| value::from_value::<Status>(s.clone()).ok())
        .unwrap_or_default();
    let revisions = Revisions::of(cx.caches, set);
    let collisions = Some(before.collision_count.unwrap_or(0));
    let update = match revisions.present("controller.kubernetes.io/hash", collisions) {
        Present::There(revision) => revision,
        Present::Write(_) if set.is_deleting() => return Plan::nothing(),
        Present::Write(call) => return Plan::nothing().then(vec![*call]),
    };
    let current = revisions.named(&before.current_revision).unwrap_or(update);
    let selector = Selector::of(set);
    let mut pods: Vec<_> = cx
        .caches
        .controlled(POD, set.uid())
        .filter(|pod| selector.matches(pod))
        .filter_map(|pod| Some((ordinal(set, pod)?, pod)))
        .collect();
    pods.sort_by_key(|(ordinal, _)| *ordinal);
    let scene = Scene {
        cx,
        set,
        current,
        update,
        before,
        start: set.int(&["spec", "ordinals", "start"]).unwrap_or(0),
        replicas: set.int(&["spec", "replicas"]).unwrap_or(1),
        min_ready: set.int(&["spec", "minReadySeconds"]).unwrap_or(0),
        is_ordered: set.text(&["spec", "podManagementPolicy"]) != Some("Parallel"),
        pods,
    };
    let used = |revision: &Object| {
        [current.name(), update.name()].contains(&revision.name())
            || scene.pods.iter().any(|(_, pod)| pod.label(HASH_LABEL) == Some(revision.name()))
    };
    scene.plan().then(revisions.cleanup(used))
}

/// The ordinal in a pod's name; `None` where it is not named after the set.
fn ordinal(set: &Object, pod: &Object) -> Option<i64> {
    let (parent, ordinal) = pod.name().rsplit_once('-')?;
    (parent == set.name()).then(|| ordinal.parse().ok()).flatten()
}

impl Scene<'_> {
    fn plan(&self) -> Plan {
        let mut plan = Plan::nothing();
        let mut status = self.status();
        if !self.set.is_deleting() {
            plan = plan.then(self.retention());
            for batch in self.actions() {
                self.foresee(&mut status, &batch);
                plan = plan.then(batch);
            }
        }
        if status != self.before {
            let value = value::to_value(status).unwrap_or_default();
            let object = pod::with_status(self.set, value);
            let (namespace, name) = (self.set.namespace(), self.set.name());
            let put = Request::update(gvr(STATEFUL_SET), namespace, name, object);
            plan = plan.then(vec![Call::new(put.subresource("status"))]);
        }
        let pods = self.pods.iter().map(|(_, pod)| *pod);
        let next = pod::next_available(pods, self.min_ready, self.cx.now);
        plan.again(next.map_or(Again::OnChange, Again::At))
    }

    /// Pods that an update is about to take do not count as current any more.
    fn foresee(&self, status: &mut Status, batch: &[Call]) {
        let gone = batch.iter().filter(|call| call.request.verb == Verb::Delete);
        for name in gone.filter_map(|call| call.request.name.as_deref()) {
            let pod = self.pods.iter().find(|(_, pod)| pod.name() == name);
            let Some((_, pod)) = pod.filter(|(ordinal, _)| self.is_wanted(*ordinal)) else {
                continue;
            };
            let hash = pod.label(HASH_LABEL);
            if hash == Some(self.current.name()) && hash != Some(self.update.name()) {
                status.current_replicas -= 1;
            }
        }
    }

    fn is_available(&self, pod: &Object) -> bool {
        is_running(pod) && pod::is_available(pod, self.min_ready, self.cx.now)
    }

    fn pod(&self, ordinal: i64) -> Option<&Arc<Object>> {
        self.pods.iter().find(|(o, _)| *o == ordinal).map(|(_, pod)| *pod)
    }

    fn is_wanted(&self, ordinal: i64) -> bool {
        (self.start..self.start + self.replicas).contains(&ordinal)
    }

    /// Batches of calls; with order, those for the first pod that is not as it should be.
    fn actions(&self) -> Vec<Vec<Call>> {
        let mut batches = Vec::new();
        for ordinal in self.start..self.start + self.replicas {
            let is_settled = match self.pod(ordinal) {
                None => {
                    batches.extend(self.creation(ordinal));
                    false
                }
                Some(pod) if pod::is_finished(pod) => {
                    if !pod.is_deleting() {
                        batches.push(vec![self.deletion(pod)]);
                    }
                    false
                }
                Some(pod) => !pod.is_deleting() && self.is_available(pod),
            };
            if self.is_ordered && !is_settled {
                return batches;
            }
        }
        let unavailable = self.pods.iter().find(|(_, pod)| !self.is_available(pod));
        let first_unavailable = unavailable.map(|(ordinal, _)| *ordinal);
        let condemned = self.pods.iter().rev().filter(|(ordinal, _)| !self.is_wanted(*ordinal));
        for (ordinal, pod) in condemned {
            let is_blocked = !self.is_available(pod) && first_unavailable != Some(*ordinal);
            let has_to_wait = pod.is_deleting() || (self.is_ordered && is_blocked);
            if !has_to_wait {
                batches.push(vec![self.deletion(pod)]);
            }
            if self.is_ordered {
                return batches;
            }
        }
        if batches.is_empty() { self.update_action() } else { batches }
    }

    /// Takes pods of an old revision from the top, as many as may be unavailable at once.
    fn update_action(&self) -> Vec<Vec<Call>> {
        if self.set.text(&["spec", "updateStrategy", "type"]) == Some("OnDelete") {
            return Vec::new();
        }
        let partition = self.partition().unwrap_or(0);
        let mut free = self.may_be_unavailable();
        let mut gone = Vec::new();
        for ordinal in (self.start + partition..self.start + self.replicas).rev() {
            if free == 0 {
                break;
            }
            let Some(pod) = self.pod(ordinal) else {
                free -= 1;
                continue;
            };
            let is_old = pod.label(HASH_LABEL) != Some(self.update.name());
            if is_old && !pod.is_deleting() {
                gone.push(self.deletion(pod));
                free -= 1;
            } else if !self.is_available(pod) || pod.is_deleting() {
                free -= 1;
            }
        }
        vec![gone]
    }

    /// How many pods an update may have unavailable: one, unless more are said to be.
    fn may_be_unavailable(&self) -> i64 {
        let path = ["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"];
        let percent = |text: &str| text.strip_suffix('%')?.parse::<i64>().ok();
        match self.set.at(&path) {
            Some(Value::String(text)) => {
                percent(text).map_or(1, |percent| (percent * self.replicas + 99) / 100).max(1)
            }
            Some(value) => value.as_i64().unwrap_or(1).max(1),
            None => 1,
        }
    }

    fn partition(&self) -> Option<i64> {
        self.set.int(&["spec", "updateStrategy", "rollingUpdate", "partition"])
    }

    /// Creates a pod's claims, then the pod. Below the partition it is of the current revision.
    fn creation(&self, ordinal: i64) -> Vec<Vec<Call>> {
        let kept = self.partition().unwrap_or(self.before.current_replicas);
        let is_rolling = self.set.text(&["spec", "updateStrategy", "type"]) != Some("OnDelete");
        let is_current = is_rolling && ordinal < self.start + kept;
        let revision = if is_current { self.current } else { self.update };
        let owner = applied(self.set, revision);
        let name = format!("{}-{ordinal}", self.set.name());
        let mut pod = pod::from_template(&owner);
        pod.remove(&["metadata", "generateName"]);
        pod.set(&["metadata", "name"], name.as_str().into());
        for (label, value) in [
            ("statefulset.kubernetes.io/pod-name", name.as_str()),
            ("apps.kubernetes.io/pod-index", &ordinal.to_string()),
            (HASH_LABEL, revision.name()),
        ] {
            pod.set(&["metadata", "labels", label], value.into());
        }
        pod.set(&["spec", "hostname"], name.as_str().into());
        if let Some(service) = self.set.at(&["spec", "serviceName"]) {
            pod.set(&["spec", "subdomain"], service.clone());
        }
        if self.has_leaving_claim(ordinal) {
            // The claim of the pod before is on its way out; its end brings this here again.
            return Vec::new();
        }
        let claims = self.claims(&name, &mut pod);
        let request = Request::create(gvr(POD), self.set.namespace(), pod);
        vec![claims, vec![self.told(Call::new(request), "Create", &name)]]
    }

    fn deletion(&self, pod: &Object) -> Call {
        let delete = Request::delete(gvr(POD), pod.namespace(), pod.name());
        self.told(Call::new(delete), "Delete", pod.name())
    }

    fn told(&self, call: Call, verb: &str, name: &str) -> Call {
        let (set, is_create) = (self.set, verb == "Create");
        let (done, failed) = if is_create {
            ("SuccessfulCreate", "FailedCreate")
        } else {
            ("SuccessfulDelete", "FailedDelete")
        };
        let note = |warning, reason, outcome: &str| {
            let message = format!("{verb} Pod {name} in StatefulSet {} {outcome}", set.name());
            Some(Note { about: Arc::clone(set), warning, reason, message })
        };
        Call {
            done: note(false, done, "successful"),
            failed: note(true, failed, "failed error: {}"),
            forgives_ending_namespace: is_create,
            ..call
        }
    }

    fn status(&self) -> Status {
        let count = |wanted: &dyn Fn(&Object) -> bool| {
            let found = self.pods.iter().filter(|(_, pod)| wanted(pod)).count();
            i64::try_from(found).unwrap_or(i64::MAX)
        };
        let of = |revision: &Object, pod: &Object| {
            !pod.is_deleting() && pod.label(HASH_LABEL) == Some(revision.name())
        };
        let mut status = Status {
            observed_generation: self.set.generation(),
            replicas: count(&|_| true),
            ready_replicas: count(&|pod| is_running(pod) && pod::is_ready(pod)),
            current_replicas: count(&|pod| of(self.current, pod)),
            updated_replicas: count(&|pod| of(self.update, pod)),
            current_revision: self.current.name().to_owned(),
            update_revision: self.update.name().to_owned(),
            collision_count: Some(self.before.collision_count.unwrap_or(0)),
            conditions: self.before.conditions.clone(),
            available_replicas: count(&|pod| self.is_available(pod)),
        };
        let is_rolling = self.set.text(&["spec", "updateStrategy", "type"]) != Some("OnDelete");
        let all = [status.updated_replicas, status.ready_replicas, status.replicas];
        if is_rolling && all == [self.replicas; 3] {
            status.current_replicas = status.updated_replicas;
            status.current_revision.clone_from(&status.update_revision);
        }
        status
    }
}

fn is_running(pod: &Object) -> bool {
    pod::phase(pod) == "Running"
}

#[cfg(test)]
mod tests;
