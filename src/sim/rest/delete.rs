//! DELETE of one object and of a collection (R-STO-18 to 25).

use std::sync::Arc;
use std::time::Duration;

use super::call::Call;
use super::{Server, admission, custom, definitions, selection};
use crate::api::{Details, List, Propagation, Reason, Response, Status};
use crate::object::{Object, Value};
use crate::sim::store::Key;

const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

const PODS_STAY: &str = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

pub(super) fn answer(server: &mut Server, call: &mut Call) -> Result<Response, Status> {
    custom::has_verb(call, "delete")?;
    if call.kind.kind == "Namespace" && IMMORTAL.contains(&call.name) {
        let why = "this namespace may not be deleted";
        return Err(Status::forbidden(&call.request.resource, call.name, why));
    }
    if call.kind.kind == "Job" && call.request.options.delete.propagation.is_none() {
        call.warnings.push(PODS_STAY.to_owned());
    }
    let live = custom::live(server, call).ok_or_else(|| call.not_found())?;
    if call.kind.kind == "CustomResourceDefinition" {
        definitions::preconditions(call, &live)?;
        if !live.is_deleting() {
            return Ok(Response::object(200, definitions::mark(server, call, &live)));
        }
    }
    match call.kind.kind {
        "Namespace" => definitions::preconditions(call, &live)?,
        _ => preconditions(call, &live)?,
    }
    admission::on_delete(server, call, &live)?;
    let (object, gone) = delete(server, call, &live);
    if !gone {
        let waits = call.request.options.delete.in_cascade;
        return Ok(Response::object(if waits { 202 } else { 200 }, object));
    }
    if call.kind.strategy.returns_deleted {
        return Ok(Response::object(200, object));
    }
    let mut status = Status::new(200, Reason::Unknown, "");
    status.details = Some(Details {
        name: live.name().to_owned(),
        group: call.kind.group_name().to_owned(),
        kind: call.kind.plural().to_owned(),
        uid: live.uid().to_owned(),
        ..Details::default()
    });
    Ok(Response::status(status))
}

pub(super) fn answer_collection(server: &mut Server, call: &mut Call) -> Result<Response, Status> {
    let filter = selection::of(call)?;
    let page = server.store.list(&call.resource, &filter, None, None, 0).unwrap_or_default();
    // All are asked about before the first goes: a request that has to wait starts again.
    for live in &page.items {
        admission::on_delete(server, call, live)?;
    }
    let mut items = Vec::with_capacity(page.items.len());
    for live in page.items {
        delete(server, call, &live);
        // What is gone or marked is told as it was listed.
        items.push(custom::read(&call.kind, &live));
    }
    let api_version = call.request.resource.api_version();
    let kind = call.kind.list_kind();
    let revision = server.revision();
    Ok(Response::list(List {
        kind,
        api_version,
        revision,
        continue_token: call.kind.custom.is_some().then(String::new),
        remaining: None,
        items,
    }))
}

fn preconditions(call: &Call, live: &Object) -> Result<(), Status> {
    let wanted = &call.request.options.delete;
    let differs = |what: &str, wanted: &str, found: &str, then: &str| {
        let why = format!(
            "the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). {then}"
        );
        // The real server names the kind here, not the resource.
        let mut of_kind = call.kind.name().to_owned();
        if !call.kind.group_name().is_empty() {
            of_kind = format!("{of_kind}.{}", call.kind.group_name());
        }
        let text = format!("Operation cannot be fulfilled on {of_kind} {:?}: {why}", call.name);
        let mut status = call.conflict(&why);
        status.message = text;
        if let Some(details) = &mut status.details {
            details.kind = call.kind.name().to_owned();
        }
        Err(status)
    };
    if let Some(uid) = wanted.uid.as_deref().filter(|uid| *uid != live.uid()) {
        let then = "The object might have been deleted and then recreated";
        return differs("UID", uid, live.uid(), then);
    }
    if let Some(version) =
        wanted.resource_version.as_deref().filter(|v| *v != live.resource_version())
    {
        let then = "The object might have been modified";
        return differs("ResourceVersion", version, live.resource_version(), then);
    }
    Ok(())
}

/// Deletes, or marks for deletion; gives back the object as the answer has it, and whether it is
/// gone.
fn delete(server: &mut Server, call: &Call, live: &Arc<Object>) -> (Arc<Object>, bool) {
    if has_its_grace(call, live) {
        return (custom::read(&call.kind, live), false);
    }
    let key = Key::new(live.namespace(), live.name());
    let finalizers = finalizers_after(call, live);
    let grace = grace_seconds(call, live);
    let gone = finalizers.is_empty() && grace == 0 && !is_held_namespace(call, live);
    // A pod is told of its end even where it gets no time for it.
    if !gone || call.kind.kind == "Pod" {
        let mut object = Object::clone(live);
        set_finalizers(&mut object, &finalizers);
        mark(call, &mut object, grace);
        if call.dry_run() {
            return (Arc::new(object), gone);
        }
        let object = custom::to_storage(&call.kind, object);
        let marked = server.store.put(&call.resource, key.clone(), object);
        if !gone {
            return (custom::read(&call.kind, &marked), false);
        }
    }
    if call.dry_run() {
        return (Arc::clone(live), true);
    }
    let last = server.store.remove(&call.resource, key);
    admission::after_delete(server, call.now, live.namespace());
    (last.unwrap_or_else(|| Arc::clone(live)), true)
}

/// An eviction's delete.
pub(super) fn pod(server: &mut Server, call: &Call, live: &Arc<Object>) {
    delete(server, call, live);
}

fn is_held_namespace(call: &Call, object: &Object) -> bool {
    call.kind.kind == "Namespace" && !object.list(&["spec", "finalizers"]).is_empty()
}

/// How long the object's owner on a node may take. Pods alone have such a time (R-STO-23).
fn grace_seconds(call: &Call, live: &Object) -> i64 {
    if call.kind.kind != "Pod" {
        return 0;
    }
    let asked = call.request.options.delete.grace_seconds.map(at_least_none);
    if let Some(given) = given_grace(live) {
        return asked.unwrap_or(given);
    }
    let bound = live.text(&["spec", "nodeName"]).is_some_and(|node| !node.is_empty());
    let phase = live.text(&["status", "phase"]).unwrap_or_default();
    if !bound || matches!(phase, "Succeeded" | "Failed") {
        return 0;
    }
    let own = live.int(&["spec", "terminationGracePeriodSeconds"]).unwrap_or(30);
    asked.unwrap_or(at_least_none(own))
}

/// The time that an object that is being deleted was given.
fn given_grace(live: &Object) -> Option<i64> {
    live.int(&["metadata", "deletionGracePeriodSeconds"]).filter(|_| live.is_deleting())
}

/// A time that is less than none is a second.
fn at_least_none(seconds: i64) -> i64 {
    if seconds < 0 { 1 } else { seconds }
}

/// Whether a pod was given its time already, and no less of it is asked for now. Then nothing that
/// is asked for counts, its dependents' fate neither (R-STO-24).
fn has_its_grace(call: &Call, live: &Object) -> bool {
    call.kind.kind == "Pod"
        && given_grace(live).is_some_and(|given| grace_seconds(call, live) >= given)
}

/// Sets the time of deletion, or shortens the one that is set.
fn mark(call: &Call, object: &mut Object, grace: i64) {
    let before = object.int(&["metadata", "deletionGracePeriodSeconds"]);
    if object.is_deleting() && before.is_none_or(|before| before <= grace) {
        // A definition was marked without a grace.
        if before.is_none() && call.kind.kind == "CustomResourceDefinition" {
            object.set(&["metadata", "deletionGracePeriodSeconds"], grace.into());
        }
        return;
    }
    let first = !object.is_deleting();
    let at = call.now + Duration::from_secs(u64::try_from(grace).unwrap_or(0));
    object.set(&["metadata", "deletionTimestamp"], at.rfc3339().into());
    if first && object.generation() > 0 {
        object.set(&["metadata", "generation"], (object.generation() + 1).into());
    }
    if call.kind.kind == "Namespace" {
        object.set(&["status", "phase"], "Terminating".into());
    } else {
        object.set(&["metadata", "deletionGracePeriodSeconds"], grace.into());
    }
}

/// Kinds older than the collector, whose pods stay unless it is told otherwise.
fn orphans_by_default(call: &Call) -> bool {
    matches!((call.kind.group, call.kind.kind), ("batch", "Job") | ("", "ReplicationController"))
}

/// The finalizers that hold the object from now on: what is to happen to its dependents is
/// written down as one (R-STO-24).
fn finalizers_after<'a>(call: &Call, live: &'a Object) -> Vec<&'a str> {
    let given = call.request.options.delete.propagation;
    let decided = live.finalizers().any(|f| matches!(f, "orphan" | "foregroundDeletion"));
    let orphans = orphans_by_default(call) && !decided;
    let Some(propagation) = given.or(orphans.then_some(Propagation::Orphan)) else {
        return live.finalizers().collect();
    };
    let of_others = |f: &&str| !matches!(*f, "orphan" | "foregroundDeletion");
    let mut finalizers: Vec<&str> = live.finalizers().filter(of_others).collect();
    match propagation {
        Propagation::Orphan => finalizers.push("orphan"),
        Propagation::Foreground => finalizers.push("foregroundDeletion"),
        Propagation::Background => {}
    }
    finalizers
}

fn set_finalizers(object: &mut Object, finalizers: &[&str]) {
    if finalizers.is_empty() {
        object.remove(&["metadata", "finalizers"]);
    } else {
        let list = finalizers.iter().map(|f| Value::from(*f)).collect();
        object.set(&["metadata", "finalizers"], Value::Array(list));
    }
}
