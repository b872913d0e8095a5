//! The claims of a StatefulSet: one for each template and ordinal, made before the pod, and kept or
//! not when their pod or the set goes (R-CTL-14).
//!
//! Who keeps a claim is told by its owners, and the collector does the rest: the set, where claims
//! are to go with it; the pod, once it is above the number of replicas and claims are to go then.

use std::sync::Arc;

use super::Scene;
use crate::api::Request;
use crate::object::{Object, Value, json};
use crate::sim::controllers::kinds::{CLAIM, gvr};
use crate::sim::controllers::plan::{Call, Note};
use crate::sim::controllers::pod;

impl<'a> Scene<'a> {
    /// The claims of an ordinal by the volume that they are.
    fn claim_names(&self, ordinal: i64) -> impl Iterator<Item = String> {
        let set = self.set;
        let templates = set.list(&["spec", "volumeClaimTemplates"]).iter();
        let names = templates.filter_map(|template| template["metadata"]["name"].as_str());
        names.map(move |volume| format!("{volume}-{}-{ordinal}", set.name()))
    }

    fn claim(&self, name: &str) -> Option<&'a Arc<Object>> {
        self.cx.caches.get(CLAIM, self.set.namespace(), name)
    }

    /// Whether a claim that a pod of this ordinal would take is being deleted.
    pub(super) fn has_leaving_claim(&self, ordinal: i64) -> bool {
        self.claim_names(ordinal).any(|name| self.claim(&name).is_some_and(|c| c.is_deleting()))
    }

    /// The claims that are missing; the pod gets a volume for each template.
    pub(super) fn claims(&self, pod_name: &str, pod: &mut Object) -> Vec<Call> {
        let mut calls = Vec::new();
        let mut volumes = pod.list(&["spec", "volumes"]).to_vec();
        for template in self.set.list(&["spec", "volumeClaimTemplates"]) {
            let Ok(mut object) = Object::from_value(template.clone()) else { continue };
            let volume = object.name().to_owned();
            let name = format!("{volume}-{pod_name}");
            volumes.retain(|v| v["name"] != *volume);
            volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": name}}));
            if self.claim(&name).is_some() {
                continue;
            }
            object.set(&["apiVersion"], "v1".into());
            object.set(&["kind"], "PersistentVolumeClaim".into());
            object.set(&["metadata", "name"], name.as_str().into());
            object.set(&["metadata", "namespace"], self.set.namespace().into());
            let labels = self.set.at(&["spec", "selector", "matchLabels"]);
            for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
                object.set(&["metadata", "labels", key], value.clone());
            }
            object.remove(&["status"]);
            if self.goes("whenDeleted") {
                let owner = pod::controller_reference(self.set);
                object.set(&["metadata", "ownerReferences"], json!([owner]));
            }
            calls.push(self.told_of_claim(object, &name, pod_name));
        }
        if !volumes.is_empty() {
            pod.set(&["spec", "volumes"], volumes.into());
        }
        calls
    }

    fn told_of_claim(&self, claim: Object, name: &str, pod: &str) -> Call {
        let about = Arc::clone(self.set);
        let what = format!("Claim {name} Pod {pod} in StatefulSet {}", self.set.name());
        let note = |warning, reason, outcome: &str| {
            let message = format!("Create {what} {outcome}");
            Some(Note { about: Arc::clone(&about), warning, reason, message })
        };
        Call {
            done: note(false, "SuccessfulCreate", "success"),
            failed: note(true, "FailedCreate", "failed error: {}"),
            forgives_ending_namespace: true,
            ..Call::new(Request::create(gvr(CLAIM), self.set.namespace(), claim))
        }
    }

    /// Whether claims go `whenScaled` or `whenDeleted`.
    fn goes(&self, when: &str) -> bool {
        let policy = ["spec", "persistentVolumeClaimRetentionPolicy", when];
        self.set.text(&policy) == Some("Delete")
    }

    /// Sets the owners of claims whose pods are there as the policy has them now.
    pub(super) fn retention(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        for (ordinal, pod) in &self.pods {
            let is_condemned = !self.is_wanted(*ordinal) && self.goes("whenScaled");
            let owner = if is_condemned {
                Some(pod::controller_reference(pod))
            } else {
                self.goes("whenDeleted").then(|| pod::controller_reference(self.set))
            };
            for name in self.claim_names(*ordinal) {
                let Some(claim) = self.claim(&name) else { continue };
                calls.extend(self.owned(claim, pod, owner.as_ref()));
            }
        }
        calls
    }

    /// The write that makes `owner` the one of us that owns a claim, if it is not so already.
    fn owned(&self, claim: &Object, pod: &Object, owner: Option<&Value>) -> Option<Call> {
        let before = claim.list(&["metadata", "ownerReferences"]);
        let is_ours = |reference: &Value| {
            [self.set.uid(), pod.uid()].iter().any(|uid| reference["uid"] == **uid)
        };
        let mut owners: Vec<Value> = before.iter().filter(|r| !is_ours(r)).cloned().collect();
        owners.extend(owner.cloned());
        let same = |a: &[Value], b: &[Value]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a["uid"] == b["uid"])
        };
        if claim.is_deleting() || same(before, &owners) {
            return None;
        }
        let mut object = claim.clone();
        object.set(&["metadata", "ownerReferences"], owners.into());
        let put = Request::update(gvr(CLAIM), claim.namespace(), claim.name(), object);
        Some(Call::new(put))
    }
}
