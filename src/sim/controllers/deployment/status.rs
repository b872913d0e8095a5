//! `status` of a Deployment: counts, Available, Progressing and its deadline, ReplicaFailure
//! (R-CTL-06 to R-CTL-10).

use std::borrow::Cow;
use std::time::Duration;

use super::model::{Deployment, Set, Sets, Status};
use crate::base::{Time, limits};
use crate::object::Value;
use crate::sim::controllers::condition::{self, Condition};

pub(super) const PROGRESSING: &str = "Progressing";
pub(super) const TIMED_OUT: &str = "ProgressDeadlineExceeded";
const AVAILABLE: &str = "Available";
const COMPLETE: &str = "NewReplicaSetAvailable";
const FAILURE: &str = "ReplicaFailure";

/// A condition Progressing.
pub(super) fn progressing<'a>(
    now: Time,
    status: &'a str,
    reason: &'a str,
    message: impl Into<Cow<'a, str>>,
) -> Condition<'a> {
    Condition::new(PROGRESSING, status, reason, message, now).updated()
}

/// Counts and the condition Available.
pub(super) fn counted<'a>(now: Time, d: &Deployment<'a>, sets: &Sets) -> Status<'a> {
    let sum = |field: &str| sets.all().map(|set| set.count(field)).sum::<i64>();
    let available = sum("availableReplicas");
    let mut status = Status {
        observed_generation: d.object.generation(),
        replicas: sum("replicas"),
        updated_replicas: sets.new.as_ref().map_or(0, |new| new.count("replicas")),
        ready_replicas: sum("readyReplicas"),
        available_replicas: available,
        unavailable_replicas: (sets.replicas() - available).max(0),
        terminating_replicas: terminating(sets),
        conditions: d.status.conditions.clone(),
        collision_count: d.status.collision_count,
    };
    let (is, reason, message) = if available >= d.replicas - d.unavailable {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    if !condition::stays(&status.conditions, AVAILABLE, is, reason) {
        let condition = Condition::new(AVAILABLE, is, reason, message, now).updated();
        condition::set(&mut status.conditions, condition);
    }
    status
}

/// The sum, unless a set was looked at by a controller that does not count them.
fn terminating(sets: &Sets) -> Option<i64> {
    let is_unseen = |set: &&Set| set.count("observedGeneration") == 0;
    sets.all()
        .filter(|set| {
            !is_unseen(set) || set.object.at(&["status", "terminatingReplicas"]).is_some()
        })
        .map(|set| set.object.int(&["status", "terminatingReplicas"]))
        .sum()
}

/// [`counted`], and how far the rollout is.
pub(super) fn rollout<'a>(now: Time, d: &Deployment<'a>, sets: &Sets) -> Status<'a> {
    let mut status = counted(now, d, sets);
    let current = condition::find(&d.status.conditions, PROGRESSING);
    let is_over = status.replicas == status.updated_replicas
        && current.is_some_and(|c| c.reason() == COMPLETE);
    if d.deadline.is_none() {
        condition::remove(&mut status.conditions, PROGRESSING);
    } else if !is_over {
        progress(now, d, sets, current, &mut status);
    }
    match failure(sets) {
        Some(failure) => condition::set(&mut status.conditions, failure),
        None => condition::remove(&mut status.conditions, FAILURE),
    }
    status
}

fn progress(
    now: Time,
    d: &Deployment,
    sets: &Sets,
    current: Option<&Condition>,
    status: &mut Status,
) {
    let subject = || match &sets.new {
        Some(new) => format!("ReplicaSet {:?}", new.object.name()),
        None => format!("Deployment {:?}", d.object.name()),
    };
    let conditions = &status.conditions;
    if is_complete(d, status) {
        if !condition::stays(conditions, PROGRESSING, "True", COMPLETE) {
            let message = format!("{} has successfully progressed.", subject());
            let condition = progressing(now, "True", COMPLETE, message);
            condition::set(&mut status.conditions, condition);
        }
    } else if has_progressed(&d.status, status) {
        let message = format!("{} is progressing.", subject());
        let mut condition = progressing(now, "True", "ReplicaSetUpdated", message);
        if let Some(since) = current.filter(|current| current.status == "True") {
            let since = since.last_transition_time.as_deref();
            condition.last_transition_time = since.map(|text| text.to_owned().into());
        }
        // Every sign of progress starts the deadline anew, so it is written even if the reason
        // stays (R-CTL-09).
        condition::remove(&mut status.conditions, PROGRESSING);
        status.conditions.push(condition);
    } else if is_timed_out(now, d, status)
        && !condition::stays(conditions, PROGRESSING, "False", TIMED_OUT)
    {
        let message = format!("{} has timed out progressing.", subject());
        let condition = progressing(now, "False", TIMED_OUT, message);
        condition::set(&mut status.conditions, condition);
    }
}

/// Whether the rollout that `status` tells of is over.
pub(super) fn is_complete(d: &Deployment, status: &Status) -> bool {
    status.updated_replicas == d.replicas
        && status.replicas == d.replicas
        && status.available_replicas == d.replicas
        && status.observed_generation >= d.object.generation()
}

fn has_progressed(before: &Status, after: &Status) -> bool {
    let old = |status: &Status| status.replicas - status.updated_replicas;
    after.updated_replicas > before.updated_replicas
        || old(after) < old(before)
        || after.ready_replicas > before.ready_replicas
        || after.available_replicas > before.available_replicas
}

fn is_timed_out(now: Time, d: &Deployment, status: &Status) -> bool {
    let Some(deadline) = d.deadline else { return false };
    match condition::find(&status.conditions, PROGRESSING) {
        None => false,
        Some(c) if c.reason() == COMPLETE => false,
        Some(c) if c.reason() == TIMED_OUT => true,
        Some(c) => c.updated_at().unwrap_or_default() + deadline < now,
    }
}

/// When to look whether the deadline has passed: a second after it, since conditions carry whole
/// seconds. `None` where none runs.
pub(super) fn deadline_check(now: Time, d: &Deployment, status: &Status) -> Option<Time> {
    let current = condition::find(&d.status.conditions, PROGRESSING)?;
    let deadline = d.deadline?;
    if is_complete(d, status) || current.reason() == TIMED_OUT {
        return None;
    }
    let at = current.updated_at().unwrap_or_default() + deadline;
    let second = Duration::from_secs(1);
    Some(if at < now + second { now + limits::CONTROLLER_RETRY_START } else { at + second })
}

/// The ReplicaFailure of the new set, or of the first that has one.
fn failure(sets: &Sets) -> Option<Condition<'static>> {
    let found = sets.new.iter().chain(&sets.old).find_map(|set| set.object.condition(FAILURE))?;
    let text = |key: &str| found.get(key).and_then(Value::as_str).map(|t| t.to_owned().into());
    Some(Condition {
        kind: FAILURE.into(),
        status: text("status").unwrap_or_default(),
        last_update_time: text("lastTransitionTime"),
        last_transition_time: text("lastTransitionTime"),
        reason: text("reason"),
        message: text("message"),
        ..Condition::default()
    })
}
