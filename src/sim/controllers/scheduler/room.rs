//! Room that is made for a pod which fits nowhere, and kept for it until it is there (R-CTL-29).
//!
//! Who has to go is decided in `preempt`; when a pod is looked at again, in `mod`.

use std::sync::Arc;

use super::Scheduler;
use super::demand::Demand;
use super::filter;
use super::nodes::{Load, PodName};
use super::preempt::{self, Found, Refused, View};
use super::told::{self, Told};
use crate::api::Outbox;
use crate::base::Time;
use crate::object::Object;

impl Scheduler {
    /// The load of a node with those for whom it is kept, as far as they come before the pod.
    pub(super) fn kept(
        &self,
        name: &PodName,
        node: &Object,
        demand: &Demand,
        load: &Load,
    ) -> Option<Load> {
        let mut kept: Option<Load> = None;
        for (other, (at, needs)) in &self.nominated {
            if at == node.name() && other != name && needs.priority >= demand.priority {
                kept.get_or_insert_with(|| load.clone()).take(needs);
            }
        }
        kept
    }

    /// Lets less important pods go for one that fits nowhere, or says that this would not help.
    pub(super) fn make_room(
        &mut self,
        now: Time,
        name: &PodName,
        pod: &Arc<Object>,
        demand: &Demand,
        refused: &[Refused],
        out: &mut Outbox,
    ) {
        if let Err(why) = self.may_preempt(name, pod, demand) {
            let text = filter::message(refused, &format!("preemption: {why}"));
            return self.park(now, name, pod, text, None, out);
        }
        let (pods, nodes, budgets) = (&self.pods, &self.nodes, &self.budgets);
        let view = View { pods, nodes, budgets, social: &self.social, loads: &mut self.loads };
        match preempt::find(pod, demand, refused, view) {
            Found::Nobody(reasons) => {
                let text = filter::message(refused, &filter::no_victims(refused.len(), &reasons));
                let was = self.nominated.remove(name).map(|_| "");
                self.park(now, name, pod, text, was, out);
            }
            Found::Victims { node, pods } => {
                self.let_go(now, pod, &node, &pods, out);
                self.nominated.insert(name.clone(), (node.clone(), demand.clone()));
                let text = filter::message(refused, "");
                self.park(now, name, pod, text, Some(&node), out);
            }
        }
    }

    /// Whether a pod may have others go for it.
    fn may_preempt(
        &self,
        name: &PodName,
        pod: &Object,
        demand: &Demand,
    ) -> Result<(), &'static str> {
        if pod.text(&["spec", "preemptionPolicy"]) == Some("Never") {
            return Err("not eligible due to preemptionPolicy=Never.");
        }
        let Some((node, _)) = self.nominated.get(name) else { return Ok(()) };
        let going = self.loads.less_important(demand.priority).remove(node).unwrap_or_default();
        let is_going =
            |name: &PodName| self.pods.get(&name.0, &name.1).is_some_and(|pod| pod.is_deleting());
        if going.iter().any(is_going) {
            return Err("not eligible due to a terminating pod on the nominated node.");
        }
        Ok(())
    }

    fn let_go(
        &mut self,
        now: Time,
        pod: &Object,
        node: &str,
        victims: &[PodName],
        out: &mut Outbox,
    ) {
        for (namespace, name) in victims {
            let Some(victim) = self.pods.get(namespace, name).cloned() else { continue };
            if victim.is_deleting() {
                continue;
            }
            for request in told::preempt(&victim, now) {
                out.requests.push((self.ids.draw(), request));
            }
            let text = format!("Preempted by pod {} on node {node}", pod.uid());
            let told = Told { is_warning: false, reason: "Preempted", action: "Preempting", text };
            self.tell(now, &victim, told, out);
        }
    }
}

/// The node that is kept for a pod.
pub(super) fn nominated_node(pod: &Object) -> Option<&str> {
    pod.text(&["status", "nominatedNodeName"]).filter(|node| !node.is_empty())
}
