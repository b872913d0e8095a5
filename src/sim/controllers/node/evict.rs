//! The taint eviction controller (R-CTL-28): a pod that does not tolerate a `NoExecute` taint of
//! its node is deleted, one that tolerates it for a while when that is over.

use std::sync::Arc;
use std::time::Duration;

use super::noticed::Taint;
use crate::api::{PatchKind, Request};
use crate::base::Time;
use crate::object::{Object, Value, json};
use crate::sim::controllers::kinds::{POD, gvr};
use crate::sim::controllers::plan::{Again, Call, Cx, Note, Plan};
use crate::sim::controllers::pod;
use crate::sim::controllers::scheduler::tolerates;

/// Decides for one pod.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let pod = cx.caches.get(POD, cx.key.namespace(), cx.key.name());
    let Some(pod) = pod.filter(|pod| !pod.is_deleting() && cx.failure.is_none()) else {
        return Plan::nothing();
    };
    let node = pod.text(&["spec", "nodeName"]).unwrap_or_default();
    let noticed = cx.caches.noticed();
    let taints = noticed.taints(node);
    let cancelled = cancelled(pod, noticed.former(node, cx.now));
    if taints.is_empty() {
        return Plan { notes: cancelled.into_iter().collect(), ..Plan::nothing() };
    }
    match due(pod, taints) {
        Some(at) if at <= cx.now => {
            let mut plan = evict(pod, cx.now);
            plan.notes.splice(0..0, cancelled);
            plan
        }
        Some(at) => Plan::nothing().again(Again::At(at)),
        None => Plan::nothing(),
    }
}

/// When a pod is to go from under these taints; `None` for never.
fn due(pod: &Object, taints: &[Taint]) -> Option<Time> {
    let mut seconds = Vec::new();
    for Taint { taint, since } in taints {
        let Some(toleration) = toleration(pod, taint) else { return Some(*since) };
        seconds.extend(toleration.get("tolerationSeconds").and_then(Value::as_i64));
    }
    // Upstream a wait that is under way keeps its beginning, so the earliest taint counts.
    let begun = taints.iter().map(|taint| taint.since).min()?;
    let least = seconds.into_iter().min()?;
    Some(begun + Duration::from_secs(u64::try_from(least).unwrap_or(0)))
}

fn toleration<'a>(pod: &'a Object, taint: &Value) -> Option<&'a Value> {
    let tolerations = pod.list(&["spec", "tolerations"]).iter();
    tolerations.into_iter().find(|toleration| tolerates(toleration, taint))
}

fn note(pod: &Arc<Object>, message: &str) -> Note {
    let (namespace, name) = (pod.namespace(), pod.name());
    Note {
        about: Arc::clone(pod),
        warning: false,
        reason: "TaintManagerEviction",
        message: format!("{message} Pod {namespace}/{name}"),
    }
}

fn evict(pod: &Arc<Object>, now: Time) -> Plan {
    let message = "Taint manager: deleting due to NoExecute taint";
    let condition = pod::disruption(pod, "DeletionByTaintManager", message, now);
    // As a client that compares two versions sends it: a new condition stands last.
    let had = pod.list(&["status", "conditions"]).iter().map(|had| had["type"].clone());
    let order = had.filter(|kind| *kind != condition["type"]).chain([condition["type"].clone()]);
    let order: Vec<Value> = order.map(|kind| json!({ "type": kind })).collect();
    let body = json!({"metadata": {"uid": pod.uid()}, "status": {
        "$setElementOrder/conditions": order, "conditions": [condition]}});
    let (namespace, name) = (pod.namespace(), pod.name());
    let patch = Request::patch(gvr(POD), namespace, name, PatchKind::Strategic, body);
    let delete = Request::delete(gvr(POD), namespace, name);
    let plan = Plan::nothing()
        .then(vec![Call::new(patch.subresource("status"))])
        .then(vec![Call::new(delete)]);
    Plan { notes: vec![note(pod, "Marking for deletion")], ..plan }
}

/// The taints changed before a pod's time was over.
fn cancelled(pod: &Arc<Object>, former: &[Value]) -> Option<Note> {
    let waited = |taint: &Value| {
        toleration(pod, taint).is_some_and(|t| t.get("tolerationSeconds").is_some())
    };
    let was_due = former.iter().any(waited)
        && former.iter().all(|taint| toleration(pod, taint).is_some())
        && !pod::is_finished(pod);
    was_due.then(|| note(pod, "Cancelling deletion of"))
}
