//! Pods that the lab plays on a cluster that has nodes of its own: those are taken out of the
//! scheduler's choice for the run and given back after it, and the lab's nodes are kept alive in
//! the eyes of the controllers by renewing their Leases, as kubelets do.

use std::time::Duration;

use crate::api::{PatchKind, Payload, Request};
use crate::base::Time;
use crate::object::{Gvr, json};

use super::error::SiteError;
use super::seen::AGENT;
use super::trouble::is_out_of_reach;
use super::wire::Wire;

/// The resource of nodes.
pub(super) const NODES: Gvr = Gvr::new("", "v1", "nodes");
/// The name of the first node of a world.
pub(super) const FIRST_NODE: &str = "node-1";
const LEASES: Gvr = Gvr::new("coordination.k8s.io", "v1", "leases");

/// How often Leases are renewed (a kubelet's own figure).
pub(super) const RENEW_EVERY: Duration = Duration::from_secs(10);

/// Marks a node that was taken out for a run, so that it is known whose doing that is.
const CORDONED: &str = "towtank.dev/cordoned-by";

impl Wire {
    /// Takes the cluster's own nodes out of the scheduler's choice.
    ///
    /// # Errors
    /// `Unusable`: they cannot be listed or changed.
    pub(super) fn cordon(&mut self) -> Result<(), SiteError> {
        let answer = self.ask(&Request::list(NODES, "").by(AGENT));
        let Payload::List(nodes) = &answer.payload else {
            let why = answer.as_status().map_or_else(String::new, |s| s.message.clone());
            return Err(self.unusable(format!("its nodes cannot be listed: {why}")));
        };
        for node in &nodes.items {
            if node.at(&["spec", "unschedulable"]).is_some() {
                continue;
            }
            let (name, run) = (node.name().to_owned(), self.run.clone());
            let body = json!({"metadata": {"annotations": {CORDONED: run.as_str()}},
                "spec": {"unschedulable": true}});
            let patch = Request::patch(NODES, "", &name, PatchKind::Merge, body).by(AGENT);
            let answer = self.ask(&patch);
            if !answer.is_ok() {
                let why = answer.as_status().map_or_else(String::new, |s| s.message.clone());
                return Err(self.unusable(format!("node {name} cannot be cordoned: {why}")));
            }
            self.cordoned.push(name);
        }
        Ok(())
    }

    /// Gives the cluster's own nodes back.
    pub(super) fn uncordon(&mut self) {
        for name in std::mem::take(&mut self.cordoned) {
            let body = json!({"metadata": {"annotations": {CORDONED: null}},
                "spec": {"unschedulable": null}});
            let patch = Request::patch(NODES, "", &name, PatchKind::Merge, body).by(AGENT);
            // A node that is gone needs nothing.
            if is_out_of_reach(&self.ask(&patch)) {
                return;
            }
        }
    }

    /// Renews the Leases of the lab's nodes.
    pub(super) fn renew(&self, now: Time) -> Vec<Request> {
        let nodes = self.guard.made_of(&NODES);
        let renewal = |name: &str| {
            let body = json!({"spec": {"renewTime": now.rfc3339_micro()}});
            let (kind, namespace) = (PatchKind::Merge, "kube-node-lease");
            Request::patch(LEASES, namespace, name, kind, body).by(AGENT)
        };
        nodes.map(renewal).collect()
    }
}
