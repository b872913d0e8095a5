//! The heartbeats of the nodes that the lab brings along.
//!
//! Over the wire anybody may look at nodes at any time, and whoever decides whether they are alive
//! (our node controller in envtest, the cluster's own elsewhere) goes by what they write alone. So
//! heartbeats are written whenever they are due, not only when somebody is known to look.
//!
//! A Lease that is gone is made anew, as a kubelet does: a node that takes the name of one that
//! has just gone finds that one's Lease, which the garbage collector then takes away.
//!
//! When a heartbeat is due and what is in it is said in `sim::pods`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::played::NODES;
use crate::api::{Ids, Input, Outbox, Request};
use crate::base::Time;
use crate::sim::pods::Kubelets;

/// How often it is looked whether the first node is registered, and beats.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The heartbeats of all nodes, as a client of the API beside that of the nodes.
#[derive(Debug, Default)]
pub(super) struct Heartbeats {
    ids: Ids,
    under_way: BTreeMap<u64, Asked>,
}

/// What an answer is to.
#[derive(Debug)]
enum Asked {
    /// The Lease of the node of this name is renewed.
    Renewal(String),
    /// A node whose Lease is gone is looked at: the Lease belongs to it.
    Node,
}

impl Heartbeats {
    /// Takes what this client hears.
    pub(super) fn hear(
        &mut self,
        now: Time,
        input: &Input,
        kubelets: &mut Kubelets,
        out: &mut Outbox,
    ) {
        match input {
            Input::Start | Input::Timer { .. } => {
                for (_, request) in kubelets.take_overdue(now) {
                    let renewed = request.name.clone().filter(|_| request.subresource.is_none());
                    self.ask(request, renewed.map(Asked::Renewal), out);
                }
                out.timers.push((kubelets.next_beat(now).unwrap_or(now + LOOK_EVERY), 0));
            }
            Input::Answer { id, response } => match self.under_way.remove(id) {
                Some(Asked::Renewal(node)) if response.code == 404 => {
                    let get = Request::get(NODES, "", &node).by(crate::sim::pods::AGENT);
                    self.ask(get, Some(Asked::Node), out);
                }
                // The Lease of a node that is gone as well is not made again.
                Some(Asked::Node) => {
                    if let Some(node) = response.as_object() {
                        self.ask(Kubelets::lease(node, now), None, out);
                    }
                }
                Some(Asked::Renewal(_)) | None => {}
            },
            Input::Event { .. } | Input::WatchEnded { .. } => {}
        }
    }

    fn ask(&mut self, request: Request, asked: Option<Asked>, out: &mut Outbox) {
        let id = self.ids.draw();
        self.under_way.extend(asked.map(|asked| (id, asked)));
        out.requests.push((id, request));
    }
}
