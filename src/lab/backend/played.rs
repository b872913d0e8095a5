//! Pods that the lab plays on a cluster that has nodes of its own: those are taken out of the
//! scheduler's choice for the run and given back after it. Those of the lab are `inside`.

use crate::api::{PatchKind, Payload, Request};
use crate::object::{Gvr, json};

use super::error::SiteError;
use super::seen::AGENT;
use super::trouble::is_out_of_reach;
use super::wire::Wire;

/// The resource of nodes.
pub(super) const NODES: Gvr = Gvr::new("", "v1", "nodes");
/// The name of the first node of a world.
pub(super) const FIRST_NODE: &str = "node-1";

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
}
