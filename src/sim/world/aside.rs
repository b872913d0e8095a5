//! What goes on in a world beside its requests: heartbeats of nodes, which are written when
//! somebody is about to look, nodes that stop and start, stages that are added.

use super::{BEAT, FIRST_FOREIGN, KUBELETS, MANAGER, Outbox, SCHEDULER, STAGES, World};
use crate::api::{self, Request};
use crate::base::Time;
use crate::object::Gvr;
use crate::sim::pods::Kubelets;
use crate::sim::stages::Stage;

const NODES: Gvr = Gvr::new("", "v1", "nodes");

/// What is asked for besides, and by whom: resource and kind.
const BESIDES: [(u32, &str, &str); 8] = [
    (SCHEDULER, "persistentvolumeclaims", "PersistentVolumeClaim"),
    (SCHEDULER, "storageclasses", "StorageClass"),
    (SCHEDULER, "poddisruptionbudgets", "PodDisruptionBudget"),
    (SCHEDULER, "services", "Service"),
    (SCHEDULER, "replicasets", "ReplicaSet"),
    (SCHEDULER, "statefulsets", "StatefulSet"),
    (KUBELETS, "configmaps", "ConfigMap"),
    (KUBELETS, "secrets", "Secret"),
];

/// Whether the latency of a message is drawn from a stream of its own. What is asked for besides
/// does not change the times of all else in a world that has nothing of it. `what` is a resource
/// or a kind.
pub(super) fn is_aside(client: u32, what: &str) -> bool {
    let mut besides = BESIDES.iter().filter(|(who, ..)| *who == client);
    client == STAGES || besides.any(|(_, plural, kind)| [*plural, *kind].contains(&what))
}

/// The same of a request: what is told of nodes is told besides, too.
pub(super) fn is_request_aside(client: u32, request: &Request) -> bool {
    let is_of_node = || {
        let about = request.body.as_ref().map(|body| &body["involvedObject"]["kind"]);
        World::is_inside(client) && about.is_some_and(|kind| *kind == "Node")
    };
    is_aside(client, &request.resource.plural)
        || (request.resource.plural == "events" && is_of_node())
}

/// Whether nodes keep writing to the objects of a resource.
fn is_beaten(resource: &Gvr) -> bool {
    (resource.group == "coordination.k8s.io" && resource.plural == "leases")
        || (resource.group.is_empty() && resource.plural == "nodes")
}

impl World {
    /// What becomes of objects whose controllers are not there, from now on.
    pub fn add_stages(&mut self, now: Time, stages: Vec<Stage>, out: &mut Outbox) {
        let mut wants = api::Outbox::default();
        if let Some(player) = &mut self.stages {
            player.add(now, stages, &mut wants);
        }
        self.send(now, STAGES, wants, out);
    }

    /// A node falls silent: its kubelet stops, and what its pods do is not heard of. False where
    /// there is no such node.
    pub fn stop_node(&mut self, now: Time, name: &str, out: &mut Outbox) -> bool {
        self.beat(now, out);
        let Some(last) = self.kubelets.stop_node(now, name) else { return false };
        self.keep_node(now, name, Some(last), out);
        true
    }

    /// A node that was silent, or was deleted, is back. False where there is no such node.
    pub fn start_node(&mut self, now: Time, name: &str, out: &mut Outbox) -> bool {
        let mut wants = api::Outbox::default();
        let is_there = self.kubelets.start_node(now, name, &mut wants);
        self.send(now, KUBELETS, wants, out);
        if is_there {
            self.keep_node(now, name, None, out);
        }
        is_there
    }

    fn keep_node(&mut self, now: Time, name: &str, silent: Option<Time>, out: &mut Outbox) {
        let mut wants = api::Outbox::default();
        if let Some(manager) = &mut self.manager {
            manager.keep_node(now, name, silent, &mut wants);
        }
        self.send(now, MANAGER, wants, out);
    }

    /// Somebody outside is about to look at nodes or their Leases: heartbeats are made up for.
    pub(super) fn before(&mut self, now: Time, client: u32, request: &Request, out: &mut Outbox) {
        if Self::is_inside(client) || !is_beaten(&request.resource) {
            return;
        }
        self.beat(now, out);
        if request.verb == api::Verb::Watch && self.beat_at.is_none() {
            self.beat_at = self.kubelets.next_beat(now);
            out.later.extend(self.beat_at.map(|at| (at, BEAT)));
        }
    }

    /// Writes the heartbeats that are due.
    pub(super) fn beat(&mut self, now: Time, out: &mut Outbox) {
        for (at, request) in self.kubelets.take_overdue(now) {
            let mut handled = self.server.handle(at, KUBELETS, 0, &request);
            if handled.response.code == 404 && request.subresource.is_none() {
                // Somebody deleted the Lease. One of a node that is gone is not made again.
                let name = request.name.as_deref().unwrap_or_default();
                let Some(node) = self.server.peek(&NODES, "", name) else { continue };
                let create = Kubelets::lease(node, at);
                handled = self.server.handle(at, KUBELETS, 0, &create);
            }
            self.deliver_from(now, handled.deliveries, true, out);
            self.end(now, handled.ended, out);
        }
        self.plan_tick(out);
    }

    /// Goes on while somebody outside watches.
    pub(super) fn plan_beat(&mut self, now: Time, out: &mut Outbox) {
        if self.server.is_watched(FIRST_FOREIGN, &["Lease", "Node"]) {
            self.beat_at = self.kubelets.next_beat(now);
            out.later.extend(self.beat_at.map(|at| (at, BEAT)));
        }
    }
}
