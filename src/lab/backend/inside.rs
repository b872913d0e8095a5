//! Our own controllers, scheduler and nodes as clients of an API server over the wire, where that
//! has none of its own: what `sim::world` puts around the simulated server.

use std::collections::BTreeMap;

use crate::api::{Client, Input, Outbox};
use crate::base::{Profile, Rng, Time};
use crate::sim::controllers::{ControllerManager, Scheduler};
use crate::sim::pods::{Behaviour, Images, Kubelets};
use crate::sim::world::{Parts, served};

const MANAGER: u32 = 1;
const SCHEDULER: u32 = 2;
/// The client number of the nodes.
pub(super) const KUBELETS: u32 = 3;

/// The parts of a cluster that the lab brings along.
#[derive(Default)]
pub(super) struct Inside {
    clients: BTreeMap<u32, Box<dyn Client + Send>>,
    kubelets: Option<Kubelets>,
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
        Self { clients, kubelets: (parts.nodes > 0).then(|| nodes(parts.nodes)) }
    }

    /// Every client that there is.
    pub(super) fn numbers(&self) -> Vec<u32> {
        let kubelets = self.kubelets.as_ref().map(|_| KUBELETS);
        self.clients.keys().copied().chain(kubelets).collect()
    }

    /// Hands a client what it hears.
    pub(super) fn hear(&mut self, now: Time, client: u32, input: Input, out: &mut Outbox) {
        if client == KUBELETS {
            if let Some(kubelets) = &mut self.kubelets {
                kubelets.step(now, input, out);
            }
        } else if let Some(inside) = self.clients.get_mut(&client) {
            inside.step(now, input, out);
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
