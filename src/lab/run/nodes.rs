//! What a step does to a node: the world stops and starts it, all else is a write of the
//! script's as an operator's kubectl would send it.
//!
//! A drain goes on after its step: evictions that a budget refuses are tried again until they
//! are taken, as `kubectl drain` does.

use std::time::Duration;

use crate::api::{PatchKind, Request};
use crate::lab::scenario::model::{NodeStep, NodeStepKind};
use crate::object::{Gvr, Object, Value, json};
use crate::sim::world::{Handled, Outbox};

use super::{Item, Run};

const NODES: Gvr = Gvr::new("", "v1", "nodes");
const PODS: Gvr = Gvr::new("", "v1", "pods");

/// The pause of `kubectl drain` after a refused eviction.
const EVICT_AGAIN: Duration = Duration::from_secs(5);

impl Run<'_> {
    /// Does it.
    ///
    /// # Errors
    /// There is no such node.
    pub(super) fn node(&mut self, step: &NodeStep) -> Result<(), String> {
        let name = &step.name.value;
        match step.kind {
            NodeStepKind::Stop | NodeStepKind::Start => return self.stop_or_start(step),
            NodeStepKind::Delete => self.send_as_script(Request::delete(NODES, "", name), true),
            NodeStepKind::Cordon => self.patch_node(name, json!({"unschedulable": true})),
            NodeStepKind::Uncordon => self.patch_node(name, json!({"unschedulable": null})),
            NodeStepKind::OutOfService => {
                let node = self.cluster.peek(&NODES, "", name);
                let node = node.ok_or_else(|| format!("node {name} is not there"))?;
                let mut taints = node.list(&["spec", "taints"]).to_vec();
                taints.push(json!({"key": "node.kubernetes.io/out-of-service",
                    "value": "nodeshutdown", "effect": "NoExecute"}));
                self.patch_node(name, json!({ "taints": taints }));
            }
            NodeStepKind::Drain => {
                self.patch_node(name, json!({"unschedulable": true}));
                for (namespace, pod) in self.drained(name) {
                    self.evict(&namespace, &pod);
                }
            }
        }
        Ok(())
    }

    fn stop_or_start(&mut self, step: &NodeStep) -> Result<(), String> {
        let (name, mut out) = (&step.name.value, Outbox::default());
        let is_there = match step.kind {
            NodeStepKind::Stop => self.cluster.stop_node(self.now, name, &mut out),
            _ => self.cluster.start_node(self.now, name, &mut out),
        };
        self.take_world(out);
        is_there.then_some(()).ok_or_else(|| format!("there is no node {name}"))
    }

    fn patch_node(&mut self, name: &str, spec: Value) {
        let body = json!({ "spec": spec });
        let mut patch = Request::patch(NODES, "", name, PatchKind::Merge, body);
        patch.options.field_manager = Some("kubectl".into());
        self.send_as_script(patch, true);
    }

    /// The pods that a drain evicts: those of DaemonSets stay.
    fn drained(&self, node: &str) -> Vec<(String, String)> {
        let is_daemon = |pod: &Object| pod.controller().is_some_and(|c| c.kind == "DaemonSet");
        let pods = self.cluster.all_of(&PODS);
        let here = pods.filter(|pod| pod.text(&["spec", "nodeName"]) == Some(node));
        here.filter(|pod| !is_daemon(pod) && !pod.is_deleting())
            .map(|pod| (pod.namespace().to_owned(), pod.name().to_owned()))
            .collect()
    }

    /// Asks for the eviction of a pod.
    pub(super) fn evict(&mut self, namespace: &str, pod: &str) {
        let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace}});
        let eviction = Object::from_value(eviction).unwrap_or_default();
        let mut request = Request::create(PODS, namespace, eviction).subresource("eviction");
        request.name = Some(pod.to_owned());
        self.send_as_script(request, true);
    }

    /// The answer to an eviction: one that a budget refuses is asked for again.
    pub(super) fn evict_again(&mut self, handled: &Handled) {
        let request = &handled.request;
        if request.subresource.as_deref() == Some("eviction") && handled.code == 429 {
            let namespace = request.namespace.clone().unwrap_or_default();
            let pod = request.name.clone().unwrap_or_default();
            self.queue.push(self.now + EVICT_AGAIN, Item::Evict { namespace, pod });
        }
    }
}
