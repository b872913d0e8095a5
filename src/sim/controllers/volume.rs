//! Claims find their volumes (R-CTL-22): one that is there and fits, or one that is made for the
//! claim, as an external provisioner does. Claims of a class that waits for its first consumer
//! wait for a pod that uses them.
//!
//! Every class but the empty one can be provisioned, also one that no StorageClass describes:
//! a cluster without its cloud would leave every such claim pending, and it is not the cloud
//! that is tried here.

use std::sync::Arc;

use super::kinds::{CLAIM, POD, STORAGE_CLASS, VOLUME, gvr};
use super::plan::{Call, Cx, Note, Plan};
use super::pod;
use crate::api::Request;
use crate::object::quantity::Quantity;
use crate::object::{LabelSelector, Object, Value, json};

const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const PROVISIONER: &str = "provisioner.towtank.dev";

/// The claims that a pod uses, by name.
pub(crate) fn claims_of(pod: &Object) -> impl Iterator<Item = &str> {
    let volumes = pod.list(&["spec", "volumes"]).iter();
    volumes.filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str())
}

/// Decides the next step for one claim: a volume is made or taken, then the claim names it, then
/// the volume is bound, then the claim. One step a sync. A key without a namespace is a volume's.
pub(crate) fn sync(cx: &Cx) -> Plan {
    if cx.key.namespace().is_empty() {
        return sync_volume(cx);
    }
    let claim = cx.caches.get(CLAIM, cx.key.namespace(), cx.key.name());
    let Some(claim) = claim.filter(|claim| cx.failure.is_none() && !claim.is_deleting()) else {
        return Plan::nothing();
    };
    let named = claim.text(&["spec", "volumeName"]).filter(|name| !name.is_empty());
    let taken = || cx.caches.all(VOLUME).find(|volume| is_for(volume, claim));
    let volume = match named {
        Some(name) => cx.caches.get(VOLUME, "", name),
        None => taken(),
    };
    match volume {
        Some(volume) => bind(cx, claim, volume),
        None if named.is_some() => lost(claim),
        None => {
            let fitting = cx.caches.all(VOLUME).filter(|volume| fits(volume, claim));
            match fitting.min_by_key(|volume| size(volume, &["spec", "capacity", "storage"])) {
                Some(volume) => reserve(claim, volume),
                None => provision(cx, claim),
            }
        }
    }
}

/// Whether a volume is set aside for a claim.
fn is_for(volume: &Object, claim: &Object) -> bool {
    let reference = |field: &str| volume.text(&["spec", "claimRef", field]);
    reference("name") == Some(claim.name())
        && reference("namespace") == Some(claim.namespace())
        && reference("uid").is_none_or(|uid| uid == claim.uid())
}

fn class(object: &Object) -> &str {
    object.text(&["spec", "storageClassName"]).unwrap_or_default()
}

/// Bytes; 0 where it does not say.
fn size(object: &Object, path: &[&str]) -> i64 {
    object.text(path).and_then(|text| Quantity::parse(text).ok()).map_or(0, |size| size.whole())
}

/// Whether a volume that nobody has may be given to a claim.
fn fits(volume: &Object, claim: &Object) -> bool {
    let modes = volume.list(&["spec", "accessModes"]);
    let selector = claim.at(&["spec", "selector"]).filter(|selector| selector.is_object());
    volume.at(&["spec", "claimRef"]).is_none_or(Value::is_null)
        && !volume.is_deleting()
        && class(volume) == class(claim)
        && claim.list(&["spec", "accessModes"]).iter().all(|mode| modes.contains(mode))
        && size(volume, &["spec", "capacity", "storage"])
            >= size(claim, &["spec", "resources", "requests", "storage"])
        && selector.is_none_or(|s| LabelSelector::from_value(s).matches(volume.labels()))
}

fn claim_reference(claim: &Object) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": claim.name(),
        "namespace": claim.namespace(), "uid": claim.uid(),
        "resourceVersion": claim.resource_version()})
}

fn update(slot: usize, object: Object) -> Call {
    let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
    Call::new(Request::update(gvr(slot), &namespace, &name, object))
}

fn reserve(claim: &Object, volume: &Object) -> Plan {
    let mut object = Object::clone(volume);
    object.set(&["spec", "claimRef"], claim_reference(claim));
    object.set(&["metadata", "annotations", BOUND_BY_CONTROLLER], "yes".into());
    Plan::nothing().then(vec![update(VOLUME, object)])
}

/// One step of the binding of a claim to a volume that is set aside for it.
fn bind(cx: &Cx, claim: &Arc<Object>, volume: &Object) -> Plan {
    if !is_for(volume, claim) {
        let is_free = volume.at(&["spec", "claimRef"]).is_none_or(Value::is_null);
        return if is_free { reserve(claim, volume) } else { Plan::nothing() };
    }
    if volume.text(&["status", "phase"]) != Some("Bound") {
        return set_phase(cx, volume, "Bound");
    }
    if claim.annotation(BIND_COMPLETED).is_none() {
        let mut object = Object::clone(claim);
        object.set(&["metadata", "annotations", BIND_COMPLETED], "yes".into());
        if claim.text(&["spec", "volumeName"]).is_none_or(str::is_empty) {
            object.set(&["metadata", "annotations", BOUND_BY_CONTROLLER], "yes".into());
            object.set(&["spec", "volumeName"], volume.name().into());
        }
        return Plan::nothing().then(vec![update(CLAIM, object)]);
    }
    if claim.text(&["status", "phase"]) == Some("Bound") {
        return Plan::nothing();
    }
    let status = json!({"phase": "Bound",
        "accessModes": volume.list(&["spec", "accessModes"]),
        "capacity": volume.at(&["spec", "capacity"]).cloned().unwrap_or_default()});
    put_status(CLAIM, claim, status)
}

fn put_status(slot: usize, object: &Object, status: Value) -> Plan {
    let written = pod::with_status(object, status);
    let request = Request::update(gvr(slot), object.namespace(), object.name(), written);
    Plan::nothing().then(vec![Call::new(request.subresource("status"))])
}

fn lost(claim: &Arc<Object>) -> Plan {
    if claim.annotation(BIND_COMPLETED).is_none()
        || claim.text(&["status", "phase"]) == Some("Lost")
    {
        return Plan::nothing();
    }
    let note = Note {
        about: Arc::clone(claim),
        warning: true,
        reason: "ClaimLost",
        message: "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
            .to_owned(),
    };
    let plan = put_status(CLAIM, claim, json!({"phase": "Lost"}));
    Plan { notes: vec![note], ..plan }
}

/// Makes a volume for a claim, or says what it waits for.
fn provision(cx: &Cx, claim: &Arc<Object>) -> Plan {
    let told = |reason, message: &str| {
        let note =
            Note { about: Arc::clone(claim), warning: false, reason, message: message.to_owned() };
        Plan { notes: vec![note], ..Plan::nothing() }
    };
    let name = class(claim);
    if name.is_empty() {
        return told(
            "FailedBinding",
            "no persistent volumes available for this claim and no storage class is set",
        );
    }
    let class = cx.caches.get(STORAGE_CLASS, "", name);
    let waits = class.and_then(|class| class.text(&["volumeBindingMode"]));
    if waits == Some("WaitForFirstConsumer") {
        let uses = |pod: &&Arc<Object>| claims_of(pod).any(|used| used == claim.name());
        if cx.caches.in_namespace(POD, claim.namespace()).find(uses).is_none() {
            return told(
                "WaitForFirstConsumer",
                "waiting for first consumer to be created before binding",
            );
        }
    }
    let reclaim = class.and_then(|class| class.text(&["reclaimPolicy"])).unwrap_or("Delete");
    let storage = claim.at(&["spec", "resources", "requests", "storage"]).cloned();
    let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": format!("pvc-{}", claim.uid()),
            "annotations": {PROVISIONED_BY: PROVISIONER}},
        "spec": {"accessModes": claim.list(&["spec", "accessModes"]),
            "capacity": {"storage": storage.unwrap_or_default()},
            "claimRef": claim_reference(claim), "persistentVolumeReclaimPolicy": reclaim,
            "storageClassName": name,
            "volumeMode": claim.text(&["spec", "volumeMode"]).unwrap_or("Filesystem"),
            "csi": {"driver": PROVISIONER, "volumeHandle": claim.uid()}}});
    let request = Request::create(gvr(VOLUME), "", Object::from_value(volume).unwrap_or_default());
    Plan::one(request)
}

/// Decides for one volume: free, or without its claim.
fn sync_volume(cx: &Cx) -> Plan {
    let volume = cx.caches.get(VOLUME, "", cx.key.name());
    let Some(volume) = volume.filter(|_| cx.failure.is_none()) else { return Plan::nothing() };
    let phase = volume.text(&["status", "phase"]).unwrap_or_default();
    let reference = |field: &str| volume.text(&["spec", "claimRef", field]);
    let Some((namespace, name)) = reference("namespace").zip(reference("name")) else {
        let is_free = phase == "Available" || volume.is_deleting();
        return if is_free { Plan::nothing() } else { set_phase(cx, volume, "Available") };
    };
    let claim = cx.caches.get(CLAIM, namespace, name).filter(|claim| is_for(volume, claim));
    if claim.is_some() || phase != "Bound" {
        return Plan::nothing();
    }
    let policy = volume.text(&["spec", "persistentVolumeReclaimPolicy"]);
    if policy == Some("Delete") && volume.annotation(PROVISIONED_BY) == Some(PROVISIONER) {
        // Bound volumes are protected, so the phase goes first.
        let gone = Call::new(Request::delete(gvr(VOLUME), "", volume.name()));
        return set_phase(cx, volume, "Released").then(vec![gone]);
    }
    set_phase(cx, volume, "Released")
}

/// Upstream the server notes the time of a change of phase.
fn set_phase(cx: &Cx, volume: &Object, phase: &str) -> Plan {
    let status = json!({"phase": phase, "lastPhaseTransitionTime": cx.now.rfc3339()});
    put_status(VOLUME, volume, status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::sim::controllers::trial;

    fn claim(spec: Value) -> Value {
        let mut spec = spec;
        spec["accessModes"] = json!(["ReadWriteOnce"]);
        spec["resources"] = json!({"requests": {"storage": "1Gi"}});
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": spec,
            "metadata": {"name": "w", "namespace": "n", "uid": "u"}})
    }

    fn volume(spec: Value) -> Value {
        let mut spec = spec;
        spec["accessModes"] = json!(["ReadWriteOnce"]);
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "spec": spec,
            "metadata": {"name": "v", "uid": "v"}})
    }

    fn check(objects: &[Value], expected: &str) {
        let plan = trial::plan(sync, objects, Time::VIRTUAL_START, &[]);
        let told: Vec<_> = plan.notes.iter().map(|note| note.reason).collect();
        let text = [trial::text(&plan), told.join(" ")].join(" ");
        assert_eq!(text.trim(), expected, "{objects:?}");
    }

    #[test]
    fn a_claim_takes_what_fits_or_has_one_made() {
        let fast = claim(json!({"storageClassName": "fast"}));
        let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "volumeBindingMode": "WaitForFirstConsumer", "metadata": {"name": "fast", "uid": "c"}});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p",
            "namespace": "n", "uid": "p"}, "spec": {"volumes":
            [{"name": "d", "persistentVolumeClaim": {"claimName": "w"}}]}});
        check(&[claim(json!({}))], "FailedBinding");
        check(std::slice::from_ref(&fast), "create persistentvolumes pvc-u");
        check(&[fast.clone(), class.clone()], "WaitForFirstConsumer");
        check(&[fast, class, pod], "create persistentvolumes pvc-u");
        let big = volume(json!({"capacity": {"storage": "2Gi"}}));
        check(&[claim(json!({})), big], "update persistentvolumes v");
        let small = volume(json!({"capacity": {"storage": "1Mi"}}));
        check(&[claim(json!({})), small], "FailedBinding");
    }

    #[test]
    fn binding_goes_volume_first_and_deletion_follows_the_policy() {
        let mut mine = volume(json!({"capacity": {"storage": "2Gi"}, "claimRef":
            {"name": "w", "namespace": "n", "uid": "u"}}));
        check(&[claim(json!({})), mine.clone()], "update persistentvolumes v/status");
        mine["status"] = json!({"phase": "Bound"});
        check(&[claim(json!({})), mine.clone()], "update persistentvolumeclaims w");
        let mut bound = claim(json!({"volumeName": "v"}));
        bound["metadata"]["annotations"] = json!({BIND_COMPLETED: "yes"});
        check(&[bound.clone(), mine.clone()], "update persistentvolumeclaims w/status");
        bound["status"] = json!({"phase": "Bound"});
        check(&[bound.clone(), mine.clone()], "");
        check(&[bound], "update persistentvolumeclaims w/status ClaimLost");
        let of_volume = |volume: &Value| {
            let trial = trial::Trial::of(sync, "", "v", Time::VIRTUAL_START);
            trial::text(&trial.plan(std::slice::from_ref(volume)))
        };
        assert_eq!(of_volume(&mine), "update persistentvolumes v/status");
        mine["spec"]["persistentVolumeReclaimPolicy"] = "Delete".into();
        mine["metadata"]["annotations"] = json!({PROVISIONED_BY: PROVISIONER});
        let both = "update persistentvolumes v/status; delete persistentvolumes v";
        assert_eq!(of_volume(&mine), both);
    }
}
