//! The Deployment controller (R-CTL-01 to R-CTL-11).
//!
//! One sync does what upstream's does up to the point where the next step needs an answer; the
//! writes of one sync go out in upstream's order. Where upstream runs into its own stale copy and
//! retries, the queue waits for the caches instead; the sequence of states is the same.
//!
//! Not here: `deprecated.deployment.rollback.to`, which only a removed API could set.

mod model;
mod recreate;
mod revision;
mod rolling;
mod scale;
mod status;

use super::kinds::{DEPLOYMENT, REPLICA_SET};
use super::plan::{Again, Call, Cx, Note, Plan};
use super::selector::Selector;
use super::{claim, condition};
use crate::api::Request;
use crate::base::Time;
use crate::object::value::ToValue;
pub(super) use model::pods as pods_of;
use model::{Deployment, Set, Sets, Status};

/// Decides what to do for one Deployment.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let Some(object) = cx.caches.get(DEPLOYMENT, cx.key.namespace(), cx.key.name()) else {
        return Plan::nothing();
    };
    let d = Deployment::of(object);
    if Selector::of(object).is_everything() {
        return selecting_all(&d);
    }
    if let Some(failure) = cx.failure {
        return revision::after_failure(cx, &d, failure);
    }
    let claims = claim::claims(cx.caches, REPLICA_SET, object);
    if !claims.is_empty() {
        return Plan::nothing().then(claims);
    }
    let sets = Sets::of(cx.caches, &d);
    if !d.object.is_deleting()
        && let Some(plan) = pause_or_resume(cx.now, &d)
    {
        return create_after_resuming(cx, &d, &sets, plan);
    }
    if let Some(plan) = revision::keep_in_step(cx.now, &d, &sets) {
        return plan;
    }
    if d.object.is_deleting() {
        return with_status(&d, Plan::nothing(), status::counted(cx.now, &d, &sets));
    }
    if d.is_paused || scale::is_scaling(&d, &sets) {
        return scale::sync(cx.now, &d, &sets);
    }
    if d.is_rolling { rolling::sync(cx, &d, &sets) } else { recreate::sync(cx, &d, &sets) }
}

fn selecting_all(d: &Deployment) -> Plan {
    let note = Note {
        about: d.object.clone(),
        warning: true,
        reason: "SelectingAll",
        message: "This deployment is selecting all pods. A non-empty selector is required."
            .to_owned(),
    };
    let plan = Plan { notes: vec![note], ..Plan::nothing() };
    let generation = d.object.generation();
    let status = Status { observed_generation: generation, ..d.status.clone() };
    if d.status.observed_generation < generation { with_status(d, plan, status) } else { plan }
}

/// Writes down that the Deployment was paused or resumed, so that the pause does not count
/// against the deadline.
fn pause_or_resume(now: Time, d: &Deployment) -> Option<Plan> {
    d.deadline?;
    let current = condition::find(&d.status.conditions, status::PROGRESSING);
    let reason = current.map_or("", |c| c.reason());
    let was_paused = reason == "DeploymentPaused";
    if reason == status::TIMED_OUT || was_paused == d.is_paused {
        return None;
    }
    let (reason, message) = if d.is_paused {
        ("DeploymentPaused", "Deployment is paused")
    } else {
        ("DeploymentResumed", "Deployment is resumed")
    };
    let mut status = d.status.clone();
    let condition = status::progressing(now, "Unknown", reason, message);
    condition::set(&mut status.conditions, condition);
    Some(with_status(d, Plan::nothing(), status))
}

/// Upstream goes on after it wrote that the Deployment was resumed, creates the new set, and then
/// fails to write its status because its copy is stale: NewReplicaSetCreated is never seen.
fn create_after_resuming(cx: &Cx, d: &Deployment, sets: &Sets, plan: Plan) -> Plan {
    let rolls = !d.is_paused && !scale::is_scaling(d, sets);
    if !rolls || sets.new.is_some() || !(d.is_rolling || recreate::is_clear(cx, sets)) {
        return plan;
    }
    let create = revision::create(cx.now, d, sets).batches.into_iter().next();
    plan.then(create.unwrap_or_default())
}

/// `plan`, then the status if it differs from what the Deployment has.
fn with_status(d: &Deployment, plan: Plan, status: Status) -> Plan {
    if status == d.status { plan } else { plan.then(vec![put_status(d, status)]) }
}

fn put_status(d: &Deployment, status: Status) -> Call {
    let object = super::pod::with_status(d.object, status.to_value());
    let put = Request::update(
        super::kinds::gvr(DEPLOYMENT),
        d.object.namespace(),
        d.object.name(),
        object,
    );
    Call::new(put.subresource("status"))
}

/// `plan`, then the rollout's status; with nothing to write, a look at the deadline later.
fn with_rollout_status(cx: &Cx, d: &Deployment, sets: &Sets, plan: Plan) -> Plan {
    let status = status::rollout(cx.now, d, sets);
    if status == d.status {
        let again = status::deadline_check(cx.now, d, &status).map_or(Again::OnChange, Again::At);
        return plan.again(again);
    }
    with_status(d, plan, status)
}

/// The calls in order, each sent when the one before is done.
fn one_by_one(calls: Vec<Call>) -> Plan {
    calls.into_iter().fold(Plan::nothing(), |plan, call| plan.then(vec![call]))
}

/// Deletes the oldest sets that are scaled to nothing, beyond `revisionHistoryLimit` (R-CTL-11).
fn cleanup(d: &Deployment, sets: &Sets) -> Vec<Call> {
    let Some(limit) = d.history_limit else { return Vec::new() };
    let mut old: Vec<&Set> = sets.old.iter().filter(|set| !set.object.is_deleting()).collect();
    let surplus = old.len().saturating_sub(limit);
    old.sort_by_key(|set| set.revision);
    old.truncate(surplus);
    old.retain(|set| set.is_at_rest_with_nothing());
    let delete = |set: &Set| {
        let gvr = super::kinds::gvr(REPLICA_SET);
        Call::new(Request::delete(gvr, set.object.namespace(), set.object.name()))
    };
    old.into_iter().map(delete).collect()
}

#[cfg(test)]
mod tests;
