//! Plays nodes and pods as kwok's fast stages do: a bound pod is Running and Ready at once, a
//! deleted one gone at once, and one of a Job succeeds at once.

use std::collections::BTreeMap;
use std::time::Duration;

use towtank::api::{Change, Client, Ids, Informer, Input, Outbox, PatchKind, Request};
use towtank::base::Time;
use towtank::object::{Gvr, Object, json};

#[derive(Debug)]
pub(crate) struct Player {
    pods: Informer,
    ids: Ids,
    takes: Duration,
    timers: BTreeMap<u64, Request>,
}

const PODS: Gvr = Gvr::new("", "v1", "pods");

impl Player {
    pub(crate) fn new(takes: Duration) -> Self {
        let pods = Informer::new(PODS, "", "kwok");
        Self { pods, ids: Ids::default(), takes, timers: BTreeMap::new() }
    }

    fn play(&mut self, now: Time, pod: &Object, out: &mut Outbox) {
        let is_pending = matches!(pod.text(&["status", "phase"]), None | Some("Pending"));
        let timer = self.ids.draw();
        let request = if pod.is_deleting() {
            let mut request = Request::delete(PODS, pod.namespace(), pod.name());
            request.options.delete.grace_seconds = Some(0);
            // The next pod of a StatefulSet has the same name.
            request.options.delete.uid = Some(pod.uid().to_owned());
            request
        } else if is_pending && pod.text(&["spec", "nodeName"]).is_some() {
            let at = (now + self.takes).rfc3339();
            let condition =
                |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": at});
            let status = json!({"phase": "Running", "startTime": at, "podIP": format!("10.244.0.{}", timer % 250 + 1),
                "conditions": [condition("Initialized"), condition("Ready"),
                    condition("ContainersReady")]});
            let body = json!({ "status": status });
            Request::patch(PODS, pod.namespace(), pod.name(), PatchKind::Strategic, body)
                .subresource("status")
        } else if pod.text(&["spec", "nodeName"]).is_some()
            && pod.owners().any(|owner| owner.kind == "Job")
            && !is_finished(pod)
            && !is_pending
        {
            let body = json!({"status": {"phase": "Succeeded"}});
            Request::patch(PODS, pod.namespace(), pod.name(), PatchKind::Strategic, body)
                .subresource("status")
        } else {
            return;
        };
        self.timers.insert(timer, request.by("kwok"));
        out.timers.push((now + self.takes, timer));
    }
}

fn is_finished(pod: &Object) -> bool {
    matches!(pod.text(&["status", "phase"]), Some("Succeeded" | "Failed"))
}

impl Client for Player {
    fn name(&self) -> &'static str {
        "kwok"
    }

    fn step(&mut self, now: Time, input: Input, out: &mut Outbox) {
        if matches!(input, Input::Start) {
            self.pods.start(&mut self.ids, out);
        }
        for change in self.pods.take(now, &input, &mut self.ids, out) {
            if let Change { new: Some(pod), .. } = change {
                self.play(now, &pod, out);
            }
        }
        if let Input::Timer { key } = input
            && let Some(request) = self.timers.remove(&key)
        {
            out.requests.push((self.ids.draw(), request));
        }
    }
}
