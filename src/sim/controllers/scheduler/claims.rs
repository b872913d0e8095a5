//! The claims of a pod (R-CTL-22, R-CTL-34): one that is missing, or that has no volume yet, keeps
//! the pod from every node.

use crate::api::{Informer, PatchKind, Request};
use crate::object::{Object, json};
use crate::sim::controllers::kinds::{CLAIM, gvr};

const SELECTED: &str = "volume.kubernetes.io/selected-node";

/// What the claims of a pod come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claims {
    /// All have their volumes.
    Bound,
    /// These get theirs when a node was chosen for the pod.
    WaitForNode(Vec<String>),
    /// No node will do, and why.
    Missing(String),
}

/// Looks at the claims that a pod names.
pub(super) fn of(pod: &Object, claims: &Informer, classes: &Informer) -> Claims {
    let mut waiting = Vec::new();
    for name in names(pod) {
        let Some(claim) = claims.get(pod.namespace(), name) else {
            return Claims::Missing(format!("persistentvolumeclaim {name:?} not found"));
        };
        if claim.is_deleting() {
            return Claims::Missing(format!("persistentvolumeclaim {name:?} is being deleted"));
        }
        if claim.text(&["spec", "volumeName"]).is_some_and(|volume| !volume.is_empty()) {
            continue;
        }
        let class = claim.text(&["spec", "storageClassName"]).unwrap_or_default();
        let class = classes.get("", class);
        let mode = class.and_then(|class| class.text(&["volumeBindingMode"]));
        if mode != Some("WaitForFirstConsumer") {
            let why = "pod has unbound immediate PersistentVolumeClaims";
            return Claims::Missing(why.to_owned());
        }
        waiting.push(name.to_owned());
    }
    if waiting.is_empty() { Claims::Bound } else { Claims::WaitForNode(waiting) }
}

/// Whether the pod names a claim.
pub(super) fn has_any(pod: &Object) -> bool {
    names(pod).next().is_some()
}

fn names(pod: &Object) -> impl Iterator<Item = &str> {
    let volumes = pod.list(&["spec", "volumes"]).iter();
    volumes.filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str())
}

/// Tells the provisioner of a claim which node its pod will be on.
pub(super) fn select(namespace: &str, claim: &str, node: &str) -> Request {
    let body = json!({"metadata": {"annotations": {SELECTED: node}}});
    Request::patch(gvr(CLAIM), namespace, claim, PatchKind::Merge, body)
}
