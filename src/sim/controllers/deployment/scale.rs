//! Scaling: of one set, and of all in proportion when the Deployment's size changes while it
//! rolls or is paused (R-CTL-05).

use super::model::{DESIRED, Deployment, MAX, Set, Sets};
use super::{cleanup, one_by_one, status, with_status};
use crate::api::Request;
use crate::base::Time;
use crate::object::Object;
use crate::sim::controllers::kinds::{REPLICA_SET, gvr};
use crate::sim::controllers::plan::{Call, Note, Plan};

pub(super) const EVENT: &str = "ScalingReplicaSet";

/// Whether the size of the Deployment changed since its sets were last scaled.
pub(super) fn is_scaling(d: &Deployment, sets: &Sets) -> bool {
    sets.all()
        .filter(|set| set.replicas > 0)
        .any(|set| set.number(DESIRED).is_some_and(|desired| desired != d.replicas))
}

/// What a paused or resized Deployment does: scale, and nothing of a rollout.
pub(super) fn sync(now: Time, d: &Deployment, sets: &Sets) -> Plan {
    let mut plan = one_by_one(scaled(d, sets));
    if d.is_paused {
        plan = plan.then(cleanup(d, sets));
    }
    with_status(d, plan, status::counted(now, d, sets))
}

fn scaled(d: &Deployment, sets: &Sets) -> Vec<Call> {
    let active: Vec<&Set> = sets.all().filter(|set| set.replicas > 0).collect();
    let only = match active.as_slice() {
        [] => sets.new.as_ref().or(sets.old.last()),
        [one] => Some(*one),
        _ => None,
    };
    if let Some(only) = only {
        return resize(d, only, d.replicas, false).into_iter().collect();
    }
    if sets.new.as_ref().is_some_and(|new| is_saturated(d, new)) {
        let old = sets.old.iter().filter(|set| set.replicas > 0);
        return old.filter_map(|set| resize(d, set, 0, false)).collect();
    }
    if d.is_rolling { proportional(d, active) } else { Vec::new() }
}

/// Whether the new set has all replicas, knows of it, and they are available.
fn is_saturated(d: &Deployment, new: &Set) -> bool {
    new.replicas == d.replicas
        && new.number(DESIRED) == Some(d.replicas)
        && new.available() == d.replicas
}

/// Shares what is to be added or taken among the active sets by their size; the largest gets
/// the rest. Among equals the newer gains first and the older loses first.
fn proportional(d: &Deployment, mut active: Vec<&Set>) -> Vec<Call> {
    let allowed = if d.replicas > 0 { d.replicas + d.surge } else { 0 };
    let to_add = allowed - active.iter().map(|set| set.replicas).sum::<i64>();
    // `active` comes oldest first but for the new set, which is at the end.
    let made = |set: &Set| {
        let text = set.object.text(&["metadata", "creationTimestamp"]).unwrap_or_default();
        (text.to_owned(), set.object.name().to_owned())
    };
    active.sort_by_key(|set| made(set));
    if to_add > 0 {
        active.reverse();
    }
    if to_add != 0 {
        active.sort_by_key(|set| std::cmp::Reverse(set.replicas));
    }
    let mut sizes: Vec<i64> = Vec::new();
    let mut added = 0;
    for set in &active {
        let share = share(d, set, to_add, added);
        sizes.push(set.replicas + share);
        added += share;
    }
    if let Some(first) = sizes.first_mut()
        && to_add != 0
    {
        *first = (*first + to_add - added).max(0);
    }
    active.into_iter().zip(sizes).filter_map(|(set, size)| resize(d, set, size, true)).collect()
}

fn share(d: &Deployment, set: &Set, to_add: i64, added: i64) -> i64 {
    if set.replicas == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let fraction = fraction(d, set);
    if to_add > 0 { fraction.min(to_add - added) } else { fraction.max(to_add - added) }
}

/// By how much a set would grow if it kept its part of the whole, rounded to the nearest.
fn fraction(d: &Deployment, set: &Set) -> i64 {
    if d.replicas == 0 {
        return -set.replicas;
    }
    let before = match set.number(MAX) {
        Some(max) if max > 0 => max,
        _ if d.status.replicas > 0 => d.status.replicas,
        _ => return 0,
    };
    let size = set.replicas * (d.replicas + d.surge);
    (2 * size + before).div_euclid(2 * before) - set.replicas
}

/// The call that scales `set` to `size` and notes the Deployment's size on it; `None` where
/// nothing would change. Unless `always`, a set of the right size is not touched at all.
pub(super) fn resize(d: &Deployment, set: &Set, size: i64, always: bool) -> Option<Call> {
    let is_resize = set.replicas != size;
    if !is_resize && !always {
        return None;
    }
    let mut object = Object::clone(&set.object);
    object.set(&["spec", "replicas"], size.into());
    annotate(d, &mut object);
    if object == *set.object {
        return None;
    }
    let name = object.name().to_owned();
    let direction = if set.replicas < size { "up" } else { "down" };
    let from = set.replicas;
    let message = format!("Scaled {direction} replica set {name} from {from} to {size}");
    let note = Note { about: d.object.clone(), warning: false, reason: EVENT, message };
    let request = Request::update(gvr(REPLICA_SET), d.object.namespace(), &name, object);
    Some(Call { done: is_resize.then_some(note), ..Call::new(request) })
}

/// Notes the Deployment's size on a set.
pub(super) fn annotate(d: &Deployment, set: &mut Object) {
    let max = (d.replicas + d.surge).to_string();
    set.set(&["metadata", "annotations", DESIRED], d.replicas.to_string().into());
    set.set(&["metadata", "annotations", MAX], max.into());
}
