//! Our own controllers, scheduler and nodes as clients of an API server over the wire, where that
//! has none of its own: what `sim::world` puts around the simulated server.

use std::collections::BTreeMap;

use super::heartbeats::Heartbeats;
use crate::api::{Client, Input, Outbox};
use crate::base::{Profile, Rng, Time};
use crate::sim::controllers::{ControllerManager, Scheduler};
use crate::sim::pods::{Behaviour, Images, Kubelets};
use crate::sim::world::{Parts, served};

const MANAGER: u32 = 1;
const SCHEDULER: u32 = 2;
/// The client number of the nodes.
pub(super) const KUBELETS: u32 = 3;
/// The client number of the nodes' heartbeats.
const BEATS: u32 = 4;

/// The parts of a cluster that the lab brings along.
#[derive(Default)]
pub(super) struct Inside {
    clients: BTreeMap<u32, Box<dyn Client + Send>>,
    kubelets: Option<Kubelets>,
    heartbeats: Heartbeats,
}

impl Inside {
    /// These parts, on whose nodes images do what `images` says.
    pub(super) fn new(parts: Parts, seed: &Rng, profile: &Profile, images: Images) -> Self {
        let mut clients: BTreeMap<u32, Box<dyn Client + Send>> = BTreeMap::new();
        if let Some(settings) = parts.controllers {
            clients.insert(MANAGER, Box::new(ControllerManager::new(&served(), settings)));
        }
        if parts.scheduler {
            let scheduler = Scheduler::new(seed.fork("scheduler"), profile.schedule);
            clients.insert(SCHEDULER, Box::new(scheduler));
        }
        let nodes = |count| Kubelets::new(count, profile, images, seed.fork("kubelets"));
        let kubelets = (parts.nodes > 0).then(|| nodes(parts.nodes));
        Self { clients, kubelets, heartbeats: Heartbeats::default() }
    }

    /// Every client that there is.
    pub(super) fn numbers(&self) -> Vec<u32> {
        let nodes = self.kubelets.as_ref().map(|_| [KUBELETS, BEATS]);
        self.clients.keys().copied().chain(nodes.into_iter().flatten()).collect()
    }

    /// Hands a client what it hears.
    pub(super) fn hear(&mut self, now: Time, client: u32, input: Input, out: &mut Outbox) {
        match (client, &mut self.kubelets) {
            (KUBELETS, Some(kubelets)) => kubelets.step(now, input, out),
            (BEATS, Some(kubelets)) => self.heartbeats.hear(now, &input, kubelets, out),
            _ => {
                if let Some(inside) = self.clients.get_mut(&client) {
                    inside.step(now, input, out);
                }
            }
        }
    }

    /// What images do from now on.
    pub(super) fn set_image(
        &mut self,
        now: Time,
        pattern: &str,
        behaviour: Behaviour,
        out: &mut Outbox,
    ) {
        if let Some(kubelets) = &mut self.kubelets {
            kubelets.set_image(now, pattern, behaviour, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::played::NODES;
    use super::*;
    use crate::api::Request;
    use crate::object::{Gvr, Object, json};
    use crate::sim::rest::Server;
    use crate::sim::world::{self, FIRST_FOREIGN, Signal, What, World};

    const T0: Time = Time::VIRTUAL_START;
    const LEASES: Gvr = Gvr::new("coordination.k8s.io", "v1", "leases");
    const DEPLOYMENTS: Gvr = Gvr::new("apps", "v1", "deployments");

    /// An API server without anything behind it, and our parts as its clients.
    struct Plane {
        world: World,
        inside: Inside,
        due: BTreeMap<(Time, usize), Signal>,
        sent: usize,
    }

    impl Plane {
        fn start(nodes: usize) -> Self {
            let (seed, profile) = (Rng::new(1), Profile::warm());
            let server = Server::new_at(&seed, T0);
            let world = World::with(Parts::NONE, server, &seed, &profile, Images::new());
            let inside = Inside::new(Parts::all(nodes), &seed, &profile, Images::new());
            let mut plane = Self { world, inside, due: BTreeMap::new(), sent: 0 };
            for client in plane.inside.numbers() {
                plane.hear(T0, client, Input::Start);
            }
            plane
        }

        fn hear(&mut self, now: Time, client: u32, input: Input) {
            let mut wants = Outbox::default();
            self.inside.hear(now, client, input, &mut wants);
            self.send(now, client, wants);
        }

        fn send(&mut self, now: Time, client: u32, wants: Outbox) {
            let mut out = world::Outbox::default();
            self.world.send(now, FIRST_FOREIGN + client, wants, &mut out);
            self.keep(out);
        }

        fn keep(&mut self, out: world::Outbox) {
            for (at, signal) in out.later {
                self.sent += 1;
                self.due.insert((at, self.sent), signal);
            }
        }

        /// Lets everything happen that is due until then.
        fn run_until(&mut self, end: Time) {
            while let Some(entry) = self.due.first_entry()
                && entry.key().0 <= end
            {
                let ((now, _), signal) = entry.remove_entry();
                match signal.what {
                    What::Hear(input) if signal.client >= FIRST_FOREIGN => {
                        self.hear(now, signal.client - FIRST_FOREIGN, input);
                    }
                    _ => {
                        let out = self.world.step(now, signal);
                        self.keep(out);
                    }
                }
            }
        }

        /// Somebody else sends a request.
        fn ask(&mut self, now: Time, request: Request) {
            let wants = Outbox { requests: vec![(1, request)], timers: Vec::new() };
            self.send(now, 99, wants);
        }

        fn check_nodes(&self, nodes: &[&str]) {
            for node in nodes {
                let node = self.world.peek(&NODES, "", node).unwrap();
                assert_eq!(node.condition("Ready").unwrap()["status"], "True");
                assert!(node.list(&["spec", "taints"]).is_empty(), "{node:?}");
            }
        }
    }

    fn deployment() -> Object {
        let labels = json!({"app": "web"});
        let value = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": "shop/web:1"}]}}}});
        Object::from_value(value).unwrap()
    }

    #[test]
    fn a_rollout_long_after_the_start_finds_nodes_that_are_alive() {
        let mut plane = Plane::start(2);
        let late = T0 + Duration::from_secs(600);
        plane.run_until(late);
        plane.check_nodes(&["node-1", "node-2"]);
        plane.ask(late, Request::create(DEPLOYMENTS, "default", deployment()));
        plane.run_until(late + Duration::from_secs(60));
        let rolled = plane.world.peek(&DEPLOYMENTS, "default", "web").unwrap();
        assert_eq!(rolled.int(&["status", "availableReplicas"]), Some(2));
    }

    #[test]
    fn a_node_whose_lease_is_taken_away_makes_another() {
        let mut plane = Plane::start(1);
        let taken = T0 + Duration::from_secs(5);
        plane.run_until(taken);
        plane.ask(taken, Request::delete(LEASES, "kube-node-lease", "node-1"));
        plane.run_until(T0 + Duration::from_secs(600));
        let lease = plane.world.peek(&LEASES, "kube-node-lease", "node-1").unwrap();
        let node = plane.world.peek(&NODES, "", "node-1").unwrap();
        assert!(lease.owners().any(|owner| owner.uid == node.uid()), "{lease:?}");
        plane.check_nodes(&["node-1"]);
    }
}
