//! Rolling update: one sync either scales the new set up or old ones down, within the bounds
//! (R-CTL-04).

use super::model::{Deployment, Set, Sets};
use super::scale::resize;
use super::{cleanup, one_by_one, revision, status, with_rollout_status};
use crate::sim::controllers::plan::{Call, Cx, Plan};

/// What a rolling Deployment does next.
pub(super) fn sync(cx: &Cx, d: &Deployment, sets: &Sets) -> Plan {
    let Some(new) = &sets.new else { return revision::create(cx.now, d, sets) };
    let mut calls: Vec<Call> = scaled_up(d, sets, new).into_iter().collect();
    if calls.is_empty() {
        calls = scaled_down(d, sets, new);
    }
    let mut plan = one_by_one(calls);
    if plan.batches.is_empty() && status::is_complete(d, &d.status) {
        plan = plan.then(cleanup(d, sets));
    }
    with_rollout_status(cx, d, sets, plan)
}

fn scaled_up(d: &Deployment, sets: &Sets, new: &Set) -> Option<Call> {
    let size =
        if new.replicas > d.replicas { d.replicas } else { revision::room(d, sets, new.replicas) };
    resize(d, new, size, false)
}

/// Takes from the old sets, oldest first: at first what is not available anyway, and when no more
/// of that can go, as many as availability allows.
///
/// Upstream does both in one sync; the second step of the next sync comes to the same numbers.
fn scaled_down(d: &Deployment, sets: &Sets, new: &Set) -> Vec<Call> {
    let active: Vec<&Set> = sets.old.iter().filter(|set| set.replicas > 0).collect();
    let available_min = d.replicas - d.unavailable;
    let new_unavailable = new.replicas - new.available();
    let most = sets.replicas() - available_min - new_unavailable;
    if active.is_empty() || most <= 0 {
        return Vec::new();
    }
    let unhealthy = take(d, &active, most, |set| (set.replicas - set.available()).max(0));
    if !unhealthy.is_empty() {
        return unhealthy;
    }
    let available: i64 = sets.all().map(Set::available).sum();
    take(d, &active, available - available_min, |set| set.replicas)
}

/// Scales sets down by what `part` says, in all by no more than `most`.
fn take(d: &Deployment, sets: &[&Set], most: i64, part: impl Fn(&Set) -> i64) -> Vec<Call> {
    let mut left = most;
    let mut calls = Vec::new();
    for set in sets {
        let count = part(set).min(left);
        if count > 0 {
            left -= count;
            calls.extend(resize(d, set, set.replicas - count, false));
        }
    }
    calls
}
