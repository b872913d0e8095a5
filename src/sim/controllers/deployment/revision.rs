//! Revisions: the new ReplicaSet, its annotations, the history, and hash collisions
//! (R-CTL-01 to R-CTL-03).

use super::model::{DESIRED, Deployment, HISTORY, MAX, REVISION, Set, Sets, Status};
use super::{put_status, scale, status, with_status};
use crate::api::{Request, Verb};
use crate::base::Time;
use crate::object::value::ToValue;
use crate::object::{Key, Object, Value, json};
use crate::sim::controllers::kinds::{DEPLOYMENT, REPLICA_SET, gvr};
use crate::sim::controllers::plan::{Asked, Call, Cx, Note, Plan};
use crate::sim::controllers::{condition, pod, template};

/// Annotations of a Deployment that its sets do not get.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MAX,
    "deprecated.deployment.rollback.to",
];

/// Characters of a revision history, after which the oldest entries go.
const HISTORY_CHARACTERS: usize = 2_000;

/// The write that brings the new set's annotations, then the Deployment's revision, up to date;
/// `None` where they are, and where there is no new set yet.
pub(super) fn keep_in_step(now: Time, d: &Deployment, sets: &Sets) -> Option<Plan> {
    let new = sets.new.as_ref()?;
    let next = next_revision(sets);
    let seconds = new.object.int(&["spec", "minReadySeconds"]).unwrap_or(0);
    if !is_annotated(d, &new.object, next) || seconds != d.min_ready_seconds {
        let mut object = Object::clone(&new.object);
        annotate(d, &mut object, next);
        if seconds != d.min_ready_seconds {
            object.set(&["spec", "minReadySeconds"], d.min_ready_seconds.into());
        }
        let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
        return Some(Plan::one(Request::update(gvr(REPLICA_SET), &namespace, &name, object)));
    }
    let revision = new.object.annotation(REVISION).unwrap_or_default();
    let is_found = d.deadline.is_some()
        && condition::find(&d.status.conditions, status::PROGRESSING).is_none();
    if d.object.annotation(REVISION) == Some(revision) && !is_found {
        return None;
    }
    let mut after = d.status.clone();
    if is_found {
        let message = format!("Found new replica set {:?}", new.object.name());
        let condition = status::progressing(now, "True", "FoundNewReplicaSet", message);
        condition::set(&mut after.conditions, condition);
    }
    Some(Plan::nothing().then(vec![put_revision(d, revision, after)]))
}

/// Writes the Deployment's status and, as its annotation, the revision.
fn put_revision(d: &Deployment, revision: &str, after: Status) -> Call {
    let value = after.to_value();
    let mut object = pod::with_status(d.object, value);
    object.set(&["metadata", "annotations", REVISION], revision.into());
    let (namespace, name) = (d.object.namespace(), d.object.name());
    let put = Request::update(gvr(DEPLOYMENT), namespace, name, object);
    Call::new(put.subresource("status"))
}

fn next_revision(sets: &Sets) -> i64 {
    sets.old.iter().map(|set| set.revision).max().unwrap_or(0) + 1
}

/// The annotations that a set gets from its Deployment.
fn copied<'a>(d: &Deployment<'a>) -> impl Iterator<Item = (&'a Key, &'a Value)> {
    let annotations = d.object.at(&["metadata", "annotations"]).and_then(Value::as_object);
    annotations.into_iter().flatten().filter(|(key, _)| !NOT_COPIED.contains(&key.as_str()))
}

/// Whether a revision that a set has is lower than `revision`. One that is no number is somebody
/// else's: it is left alone.
fn is_behind(has: Option<&str>, revision: i64) -> bool {
    has.map_or(Ok(0), str::parse::<i64>).is_ok_and(|number| number < revision)
}

/// Whether [`annotate`] would leave the set as it is.
fn is_annotated(d: &Deployment, set: &Object, revision: i64) -> bool {
    let has = |key: &str| set.at(&["metadata", "annotations", key]);
    copied(d).all(|(key, value)| has(key) == Some(value))
        && !is_behind(set.annotation(REVISION), revision)
}

/// The Deployment's annotations and, if it is higher, the revision; the one it had before joins
/// the history (R-CTL-02).
fn annotate(d: &Deployment, set: &mut Object, revision: i64) {
    for (key, value) in copied(d) {
        set.set(&["metadata", "annotations", key], value.clone());
    }
    if !is_behind(set.annotation(REVISION), revision) {
        return;
    }
    let before = set.annotation(REVISION).map(ToOwned::to_owned);
    set.set(&["metadata", "annotations", REVISION], revision.to_string().into());
    if let Some(before) = before {
        let history = set.annotation(HISTORY).unwrap_or_default();
        let history = longer_history(history, &before);
        set.set(&["metadata", "annotations", HISTORY], history.into());
    }
}

fn longer_history(history: &str, revision: &str) -> String {
    let mut entries: Vec<&str> = history.split(',').filter(|entry| !entry.is_empty()).collect();
    entries.push(revision);
    let length = |entries: &[&str]| entries.iter().map(|e| e.len() + 1).sum::<usize>();
    while length(&entries) > HISTORY_CHARACTERS + 1 && entries.len() > 1 {
        entries.remove(0);
    }
    entries.join(",")
}

/// Creates the new set and then writes the Deployment's revision and that it progresses.
pub(super) fn create(now: Time, d: &Deployment, sets: &Sets) -> Plan {
    let set = new_set(d, sets);
    let replicas = set.int(&["spec", "replicas"]).unwrap_or(0);
    let name = set.name().to_owned();
    let note =
        |warning, reason, message| Some(Note { about: d.object.clone(), warning, reason, message });
    let text = format!("Scaled up replica set {name} from 0 to {replicas}");
    let create = Call {
        request: Request::create(gvr(REPLICA_SET), d.object.namespace(), set),
        done: if replicas > 0 { note(false, scale::EVENT, text) } else { None },
        failed: None,
        forgives_ending_namespace: false,
    };
    let mut after = d.status.clone();
    if d.deadline.is_some() {
        let message = format!("Created new replica set {name:?}");
        let condition = status::progressing(now, "True", "NewReplicaSetCreated", message);
        condition::set(&mut after.conditions, condition);
    }
    let revision = next_revision(sets).to_string();
    let plan = Plan::nothing().then(vec![create]);
    if after == d.status && d.object.annotation(REVISION) == Some(&revision) {
        return plan;
    }
    plan.then(vec![put_revision(d, &revision, after)])
}

fn new_set(d: &Deployment, sets: &Sets) -> Object {
    let template = d.object.at(&["spec", "template"]).cloned().unwrap_or_default();
    let hash = template::hash(&template, d.status.collision_count);
    let mut set = Object::default();
    set.set(&["apiVersion"], "apps/v1".into());
    set.set(&["kind"], "ReplicaSet".into());
    set.set(&["metadata", "name"], set_name(d.object.name(), &hash).into());
    set.set(&["metadata", "namespace"], d.object.namespace().into());
    let reference = pod::controller_reference(d.object);
    set.set(&["metadata", "ownerReferences"], json!([reference]));
    let replicas = if d.is_rolling { room(d, sets, 0) } else { d.replicas };
    set.set(&["spec", "replicas"], replicas.into());
    if d.min_ready_seconds != 0 {
        set.set(&["spec", "minReadySeconds"], d.min_ready_seconds.into());
    }
    let selector = d.object.at(&["spec", "selector"]).cloned().unwrap_or_default();
    set.set(&["spec", "selector"], selector);
    set.set(&["spec", "selector", "matchLabels", template::HASH_LABEL], hash.as_str().into());
    set.set(&["spec", "template"], template);
    let label = ["spec", "template", "metadata", "labels", template::HASH_LABEL];
    set.set(&label, hash.into());
    let labels = set.at(&["spec", "template", "metadata", "labels"]).cloned().unwrap_or_default();
    set.set(&["metadata", "labels"], labels);
    annotate(d, &mut set, next_revision(sets));
    scale::annotate(d, &mut set);
    set
}

/// How many replicas the new set may have, which has `has`: as many as the surge leaves room for
/// beside all sets, and no more than are wanted (R-CTL-04).
pub(super) fn room(d: &Deployment, sets: &Sets, has: i64) -> i64 {
    let free = d.replicas + d.surge - sets.replicas();
    if free <= 0 { has } else { has + free.min(d.replicas - has) }
}

/// `<deployment>-<hash>`, the front cut where it would grow over 253 characters.
fn set_name(deployment: &str, hash: &str) -> String {
    let front = deployment.len().min(253 - 1 - hash.len().min(200));
    format!("{}-{hash}", deployment.get(..front).unwrap_or(deployment))
}

/// What a refused creation of the new set means: a name taken by another set is a collision, and
/// the next hash counts it in; anything else is told in the status (R-CTL-08).
pub(super) fn after_failure(cx: &Cx, d: &Deployment, failure: &Asked) -> Plan {
    let request = &failure.request;
    let is_create = request.verb == Verb::Create && request.resource.plural == "replicasets";
    let Some(refusal) = failure.failure().filter(|_| is_create) else { return Plan::nothing() };
    let sent = request.body.as_deref().and_then(|body| body.get("metadata")?.get("name")?.as_str());
    let name = sent.unwrap_or_default();
    let mut after = d.status.clone();
    if refusal.code == 409 {
        let sets = Sets::of(cx.caches, d);
        let is_ours = sets.new.is_some_and(|new: Set| new.object.name() == name);
        if is_ours || cx.caches.get(REPLICA_SET, d.object.namespace(), name).is_none() {
            return Plan::nothing();
        }
        after.collision_count = Some(after.collision_count.unwrap_or(0) + 1);
        return Plan::nothing().then(vec![put_status(d, after)]);
    }
    let message = format!("Failed to create new replica set {name:?}: {}", refusal.message);
    if d.deadline.is_some() {
        let condition =
            status::progressing(cx.now, "False", "ReplicaSetCreateError", message.clone());
        condition::set(&mut after.conditions, condition);
    }
    let note =
        Note { about: d.object.clone(), warning: true, reason: "ReplicaSetCreateError", message };
    let plan = Plan { notes: vec![note], ..Plan::nothing() };
    with_status(d, plan, after)
}
