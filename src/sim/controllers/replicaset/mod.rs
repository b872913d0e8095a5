//! The ReplicaSet controller: as many active pods as `spec.replicas` says (R-CTL-12, R-CTL-13).
//!
//! Pods are created in batches that double, 1, 2, 4, ..., as upstream does: a pod that the server
//! refuses is then refused once and not five hundred times. The status that goes with a change is
//! counted before it, as upstream: what was created or deleted is counted when it is seen.

mod order;
mod status;

use std::sync::Arc;

use super::kinds::{POD, REPLICA_SET, gvr};
use super::plan::{Again, Call, Cx, Plan};
use super::selector::Selector;
use super::{claim, pod};
use crate::api::Request;
use crate::object::Object;

/// Pods that one sync creates or deletes at most (upstream's burst).
const BURST: usize = 500;

/// Decides what to do for one ReplicaSet.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let Some(set) = cx.caches.get(REPLICA_SET, cx.key.namespace(), cx.key.name()) else {
        return Plan::nothing();
    };
    let claims = claim::claims(cx.caches, POD, set);
    if !claims.is_empty() && cx.failure.is_none() {
        return Plan::nothing().then(claims);
    }
    let selector = Selector::of(set);
    let pods: Vec<_> =
        cx.caches.controlled(POD, set.uid()).filter(|pod| selector.matches(pod)).collect();
    let (active, rest): (Vec<_>, Vec<_>) = pods.into_iter().partition(|pod| pod::is_active(pod));
    let terminating = rest.iter().filter(|pod| pod::is_terminating(pod)).count();

    let mut plan = Plan::nothing();
    if cx.failure.is_none() && !set.is_deleting() {
        for batch in replicas(cx, set, &active) {
            plan = plan.then(batch);
        }
    }
    let failure = cx.failure.and_then(|asked| asked.failure());
    let after = status::after(cx.now, set, &active, terminating, failure);
    if let Some(value) = after {
        let object = pod::with_status(set, value);
        let put = Request::update(gvr(REPLICA_SET), set.namespace(), set.name(), object);
        plan = plan.then(vec![Call::new(put.subresource("status"))]);
    }
    let next = pod::next_available(active, status::min_ready_seconds(set), cx.now);
    plan.again(next.map_or(Again::OnChange, Again::At))
}

/// The batches that bring the number of active pods to what is wanted.
fn replicas(cx: &Cx, set: &Arc<Object>, active: &[&Arc<Object>]) -> Vec<Vec<Call>> {
    let wanted = usize::try_from(wanted(set)).unwrap_or(0);
    if active.len() < wanted {
        let pod = pod::from_template(set);
        let missing = (wanted - active.len()).min(BURST);
        let mut calls = (0..missing).map(|_| pod::create(set, pod.clone()));
        let sizes = std::iter::successors(Some(1), |size| Some(size * 2));
        return sizes
            .map(|size| calls.by_ref().take(size).collect::<Vec<_>>())
            .take_while(|batch| !batch.is_empty())
            .collect();
    }
    let surplus = (active.len() - wanted).min(BURST);
    if surplus == 0 {
        return Vec::new();
    }
    let related = order::related(cx.caches, set);
    let chosen = order::first_to_go(cx.now, active, &related, surplus);
    vec![chosen.into_iter().map(|gone| pod::delete(set, gone)).collect()]
}

/// `spec.replicas`; one where it is not said.
fn wanted(set: &Object) -> i64 {
    set.int(&["spec", "replicas"]).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Response, Status};
    use crate::base::Time;
    use crate::object::{Value, json};
    use crate::sim::controllers::plan::Asked;
    use crate::sim::controllers::trial::Trial;

    fn set(replicas: u64) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": "rs", "namespace": "n", "uid": "u", "generation": 1},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": {}}}})
    }

    fn pod(name: &str, owner: &str, label: &str) -> Value {
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "status": {"phase": "Running"},
            "metadata": {"name": name, "namespace": "n", "uid": name, "labels": {"a": label}}});
        if !owner.is_empty() {
            pod["metadata"]["ownerReferences"] = json!([{"kind": "ReplicaSet", "apiVersion": "apps/v1", "name": "rs",
                    "uid": owner, "controller": true}]);
        }
        pod
    }

    /// The plan as text: one line a batch, `verb name` for each call.
    fn plan(objects: &[Value], failure: Option<&Asked>) -> Vec<String> {
        let trial = Trial::of(sync, "n", "rs", Time::VIRTUAL_START);
        let plan = Trial { failure, ..trial }.plan(objects);
        let call = |call: &Call| {
            let r = &call.request;
            format!("{} {}", r.verb_name(), r.name.as_deref().unwrap_or("-"))
        };
        plan.batches.iter().map(|b| b.iter().map(call).collect::<Vec<_>>().join(", ")).collect()
    }

    #[test]
    fn missing_pods_are_created_in_batches_that_double() {
        let lines = plan(&[set(4)], None);
        let creates = |n| vec!["create -"; n].join(", ");
        assert_eq!(lines, [creates(1), creates(2), creates(1), "update rs".to_owned()]);
    }

    #[test]
    fn a_matching_orphan_is_adopted_and_a_pod_that_no_longer_matches_is_released() {
        let lines = plan(&[set(1), pod("p", "", "b"), pod("q", "u", "c")], None);
        assert_eq!(lines, ["patch q, patch p"]);
    }

    #[test]
    fn pods_of_others_and_ended_pods_do_not_count() {
        let mut ended = pod("e", "u", "b");
        ended["status"]["phase"] = "Failed".into();
        let lines = plan(&[set(1), pod("p", "other", "b"), ended], None);
        assert_eq!(lines, ["create -", "update rs"]);
    }

    #[test]
    fn a_refused_create_is_reported_and_not_tried_in_the_same_breath() {
        let request = Request::create(gvr(POD), "n", Object::default());
        let status = Status::forbidden(&gvr(POD), "", "exceeded quota");
        let failure = Asked { request, response: Arc::new(Response::status(status)) };
        assert_eq!(plan(&[set(1)], Some(&failure)), ["update rs"]);
    }
}
