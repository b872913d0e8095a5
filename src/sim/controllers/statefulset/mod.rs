//! The StatefulSet controller, in its basics: pods with ordinals, created upwards and taken
//! downwards one at a time (or all at once), claims from templates, and a rolling update from the
//! highest ordinal to the partition (R-CTL-14, R-CTL-15).
//!
//! Not here: maxUnavailable, the retention policy of claims, and repair of a pod's identity.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::kinds::{CLAIM, POD, STATEFUL_SET, gvr};
use super::plan::{Again, Call, Cx, Note, Plan};
use super::revisions::{Present, Revisions, applied};
use super::selector::Selector;
use super::{claim, pod};
use crate::api::Request;
use crate::object::{Object, Value, json, value};

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
    let Some(set) = cx.caches.get(STATEFUL_SET, &cx.key.namespace, &cx.key.name) else {
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
        if !self.set.is_deleting() {
            for batch in self.actions() {
                plan = plan.then(batch);
            }
        }
        let status = self.status();
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

    /// Takes the highest pod of an old revision, if all above it are new and available.
    fn update_action(&self) -> Vec<Vec<Call>> {
        if self.set.text(&["spec", "updateStrategy", "type"]) == Some("OnDelete") {
            return Vec::new();
        }
        let partition = self.partition().unwrap_or(0);
        for ordinal in (self.start + partition..self.start + self.replicas).rev() {
            let Some(pod) = self.pod(ordinal) else { return Vec::new() };
            let is_old = pod.label(HASH_LABEL) != Some(self.update.name());
            if is_old && !pod.is_deleting() {
                return vec![vec![self.deletion(pod)]];
            }
            if !self.is_available(pod) || pod.is_deleting() {
                return Vec::new();
            }
        }
        Vec::new()
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
        let claims = self.claims(&name, &mut pod);
        let request = Request::create(gvr(POD), self.set.namespace(), pod);
        vec![claims, vec![self.told(Call::new(request), "Create", &name)]]
    }

    /// The claims that are missing; the pod gets a volume for each template.
    fn claims(&self, pod_name: &str, pod: &mut Object) -> Vec<Call> {
        let mut calls = Vec::new();
        let mut volumes = pod.list(&["spec", "volumes"]).to_vec();
        for template in self.set.list(&["spec", "volumeClaimTemplates"]) {
            let Ok(mut object) = Object::from_value(template.clone()) else { continue };
            let volume = object.name().to_owned();
            let name = format!("{volume}-{pod_name}");
            volumes.retain(|v| v["name"] != *volume);
            volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": name}}));
            if self.cx.caches.get(CLAIM, self.set.namespace(), &name).is_some() {
                continue;
            }
            object.set(&["apiVersion"], "v1".into());
            object.set(&["kind"], "PersistentVolumeClaim".into());
            object.set(&["metadata", "name"], name.into());
            object.set(&["metadata", "namespace"], self.set.namespace().into());
            let labels = self.set.at(&["spec", "selector", "matchLabels"]);
            for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
                object.set(&["metadata", "labels", key], value.clone());
            }
            object.remove(&["status"]);
            let create = Request::create(gvr(CLAIM), self.set.namespace(), object);
            calls.push(Call::new(create));
        }
        if !volumes.is_empty() {
            pod.set(&["spec", "volumes"], volumes.into());
        }
        calls
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
