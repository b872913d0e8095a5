//! Pods that bear the finalizer of a Job that will not count them any more: it is finished, gone,
//! or theirs no longer. The finalizer is taken off, so that they can go (R-CTL-17).

use super::{is_finished, is_tracked, untrack};
use crate::object::Object;
use crate::sim::controllers::caches::Caches;
use crate::sim::controllers::kinds::{JOB, POD};
use crate::sim::controllers::plan::{Cx, Plan};

/// Whether a pod bears the finalizer.
pub(crate) fn has_tracked(pod: &Object) -> bool {
    is_tracked(pod)
}

/// Looks at one pod.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let pod = cx.caches.get(POD, cx.key.namespace(), cx.key.name());
    let pod = pod.filter(|pod| cx.failure.is_none() && is_let_go(cx.caches, pod));
    pod.map_or_else(Plan::nothing, |pod| Plan::nothing().then(vec![untrack(pod)]))
}

/// Whether a pod bears the finalizer and no Job is going to take it off.
pub(crate) fn is_let_go(caches: &Caches, pod: &Object) -> bool {
    if !is_tracked(pod) {
        return false;
    }
    let Some(owner) = pod.controller() else { return true };
    let job = caches.get(JOB, pod.namespace(), owner.name);
    let is_counting = |job: &Object| {
        job.uid() == owner.uid && (!is_finished(job) || job.text(&["spec", "managedBy"]).is_some())
    };
    owner.kind == "Job" && !job.is_some_and(|job| is_counting(job))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::object::{Value, json};
    use crate::sim::controllers::trial;

    #[test]
    fn a_pod_is_let_go_once_nobody_counts_it() {
        let pod = |owner: Value| {
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "w", "namespace": "n",
                "uid": "p", "ownerReferences": owner, "finalizers": [super::super::TRACKING]}})
        };
        let job = |conditions: Value| {
            json!({"apiVersion": "batch/v1", "kind": "Job", "status": {"conditions": conditions},
                "metadata": {"name": "j", "namespace": "n", "uid": "j"}})
        };
        let of = |kind: &str| {
            json!([{"apiVersion": "batch/v1", "kind": kind, "name": "j", "uid": "j",
                "controller": true}])
        };
        let check = |objects: &[Value], is_freed: bool| {
            let plan = trial::plan(sync, objects, Time::VIRTUAL_START, &[]);
            assert_eq!(trial::text(&plan) == "patch pods w", is_freed, "{objects:?}");
        };
        let over = json!([{"type": "Complete", "status": "True"}]);
        check(&[pod(of("Job")), job(json!([]))], false);
        check(&[pod(of("Job")), job(over)], true);
        check(&[pod(of("Job"))], true);
        check(&[pod(json!([]))], true);
        check(&[pod(of("Other"))], false);
    }
}
