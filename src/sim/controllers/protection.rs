//! Claims in use and volumes that are bound are kept, although they are being deleted, until
//! they are so no more (R-CTL-22). The finalizers that keep them are set by the server.

use super::kinds::{CLAIM, POD, Slot, VOLUME, gvr};
use super::plan::{Cx, Plan};
use super::{pod, volume};
use crate::api::Request;
use crate::object::{Object, Value};

const CLAIM_PROTECTION: &str = "kubernetes.io/pvc-protection";
const VOLUME_PROTECTION: &str = "kubernetes.io/pv-protection";

/// Lets one claim go when no pod uses it.
pub(crate) fn sync_claim(cx: &Cx) -> Plan {
    let claim = cx.caches.get(CLAIM, cx.key.namespace(), cx.key.name());
    let Some(claim) = claim.filter(|_| cx.failure.is_none()) else { return Plan::nothing() };
    let mut pods = cx.caches.in_namespace(POD, claim.namespace());
    let is_used = pods.any(|pod| {
        !pod::is_finished(pod) && volume::claims_of(pod).any(|name| name == claim.name())
    });
    if is_used { Plan::nothing() } else { free(CLAIM, claim, CLAIM_PROTECTION) }
}

/// Lets one volume go when it is not bound.
pub(crate) fn sync_volume(cx: &Cx) -> Plan {
    let volume = cx.caches.get(VOLUME, "", cx.key.name());
    let Some(volume) = volume.filter(|_| cx.failure.is_none()) else { return Plan::nothing() };
    let is_bound = volume.text(&["status", "phase"]) == Some("Bound");
    if is_bound { Plan::nothing() } else { free(VOLUME, volume, VOLUME_PROTECTION) }
}

fn free(slot: Slot, object: &Object, finalizer: &str) -> Plan {
    if !object.is_deleting() || !object.finalizers().any(|f| f == finalizer) {
        return Plan::nothing();
    }
    let left: Vec<Value> =
        object.finalizers().filter(|f| *f != finalizer).map(Value::from).collect();
    let mut freed = Object::clone(object);
    freed.set(&["metadata", "finalizers"], left.into());
    Plan::one(Request::update(gvr(slot), object.namespace(), object.name(), freed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::object::json;
    use crate::sim::controllers::trial;

    const T0: Time = Time::VIRTUAL_START;

    #[test]
    fn a_claim_that_a_pod_uses_stays() {
        let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata":
            {"name": "w", "namespace": "n", "uid": "c", "deletionTimestamp": T0.rfc3339(),
                "finalizers": [CLAIM_PROTECTION]}});
        let pod = |phase: &str| {
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n",
                "uid": "p"}, "status": {"phase": phase}, "spec": {"volumes":
                [{"persistentVolumeClaim": {"claimName": "w"}}]}})
        };
        let text = |objects: &[Value]| trial::text(&trial::plan(sync_claim, objects, T0, &[]));
        assert_eq!(text(&[claim.clone(), pod("Running")]), "");
        let freed = "update persistentvolumeclaims w";
        assert_eq!(text(&[claim.clone(), pod("Succeeded")]), freed);
        assert_eq!(text(&[claim]), freed);
    }

    #[test]
    fn a_volume_that_is_bound_stays() {
        let volume = |phase: &str| {
            json!({"apiVersion": "v1", "kind": "PersistentVolume", "status": {"phase": phase},
                "metadata": {"name": "w", "uid": "v", "deletionTimestamp": T0.rfc3339(),
                    "finalizers": [VOLUME_PROTECTION]}})
        };
        let text = |phase| trial::text(&trial::plan(sync_volume, &[volume(phase)], T0, &[]));
        assert_eq!(text("Bound"), "");
        assert_eq!(text("Released"), "update persistentvolumes w");
    }
}
