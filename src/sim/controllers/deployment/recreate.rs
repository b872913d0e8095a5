//! Recreate: all old pods go, and are gone, before the first new one comes (R-CTL-05).

use super::model::{Deployment, Set, Sets};
use super::scale::resize;
use super::{cleanup, one_by_one, revision, status, with_rollout_status};
use crate::sim::controllers::kinds::POD;
use crate::sim::controllers::plan::{Cx, Plan};
use crate::sim::controllers::pod;

/// What a Deployment with the strategy Recreate does next.
pub(super) fn sync(cx: &Cx, d: &Deployment, sets: &Sets) -> Plan {
    let active = sets.old.iter().filter(|set| set.replicas > 0);
    let down: Vec<_> = active.filter_map(|set| resize(d, set, 0, false)).collect();
    if !down.is_empty() {
        return with_rollout_status(cx, d, sets, one_by_one(down));
    }
    if sets.old.iter().any(|set| has_pods(cx, set)) {
        return with_rollout_status(cx, d, sets, Plan::nothing());
    }
    let Some(new) = &sets.new else { return revision::create(cx.now, d, sets) };
    let up = resize(d, new, d.replicas, false);
    let mut plan = one_by_one(up.into_iter().collect());
    if status::is_complete(d, &d.status) {
        plan = plan.then(cleanup(d, sets));
    }
    with_rollout_status(cx, d, sets, plan)
}

/// Whether no old set is to have, or has, a pod.
pub(super) fn is_clear(cx: &Cx, sets: &Sets) -> bool {
    sets.old.iter().all(|set| set.replicas == 0 && !has_pods(cx, set))
}

/// Whether anything of a set is left that has not ended, be it on its way out.
fn has_pods(cx: &Cx, set: &Set) -> bool {
    set.count("replicas") > 0
        || cx.caches.controlled(POD, set.object.uid()).any(|pod| !pod::is_finished(pod))
}
