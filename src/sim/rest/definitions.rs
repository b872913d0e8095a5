//! What follows from a write of a CustomResourceDefinition: its status is brought up to date as
//! the controllers inside a kube-apiserver do it, step by step, and its kinds are served or not
//! any more. In this server that is done when the write is answered.

use std::sync::Arc;

use super::call::Call;
use super::{Server, update};
use crate::api::{Request, Status, Verb};
use crate::base::Time;
use crate::object::{Gvr, Object};
use crate::sim::crd::conditions::{self, Left};
use crate::sim::store::{Key, Resource};

const DEFINITIONS: Gvr = Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions");

/// Whether a request may have changed a definition, or the last object of one that goes.
pub(super) fn concerns(server: &Server, call: &Call) -> bool {
    if matches!(call.request.verb, Verb::Get | Verb::List | Verb::Watch) {
        return false;
    }
    match &call.kind.custom {
        Some(version) => server.kinds.is_ending(&version.definition),
        None => call.kind.kind == "CustomResourceDefinition",
    }
}

/// Does what is due for every definition.
pub(super) fn settle(server: &mut Server, now: Time) {
    let resource = resource();
    loop {
        let crds: Vec<Arc<Object>> = server.store.all_of(&resource).cloned().collect();
        server.kinds.define(&crds, server.store.revision());
        let all: Vec<&Object> = crds.iter().map(AsRef::as_ref).collect();
        let step = all.iter().find_map(|crd| {
            let left = || left_of(server, crd);
            conditions::next(now, crd, &all, &left)
        });
        let Some(step) = step else { return };
        let begins = conditions::is_true(&step, "Terminating");
        let is_written = write(server, now, &step);
        if !is_written {
            return;
        }
        if begins && conditions::is_true(&step, "Established") {
            delete_objects(server, now, &step);
        }
    }
}

/// What the writer of a delete thinks he deletes, in the words of this kind.
pub(super) fn preconditions(call: &Call, live: &Object) -> Result<(), Status> {
    let wanted = &call.request.options.delete;
    let pairs = [
        ("UID", wanted.uid.as_deref(), live.uid()),
        ("ResourceVersion", wanted.resource_version.as_deref(), live.resource_version()),
    ];
    for (what, wanted, found) in pairs {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
            return Err(call.conflict(&format!(
                "Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"
            )));
        }
    }
    Ok(())
}

/// Marks a definition that is deleted for the first time: its objects go before it does.
pub(super) fn mark(server: &mut Server, call: &Call, live: &Arc<Object>) -> Arc<Object> {
    let mut object = Object::clone(live);
    object.set(&["metadata", "deletionTimestamp"], call.now.rfc3339().into());
    if !object.finalizers().any(|f| f == conditions::FINALIZER) {
        let mut finalizers = object.list(&["metadata", "finalizers"]).to_vec();
        finalizers.push(conditions::FINALIZER.into());
        object.set(&["metadata", "finalizers"], finalizers.into());
    }
    conditions::mark_ending(&mut object, call.now);
    if call.dry_run() {
        return Arc::new(object);
    }
    server.store.put(&call.resource, call.key(), object)
}

fn resource() -> Resource {
    Resource { group: DEFINITIONS.group, plural: DEFINITIONS.plural }
}

fn left_of(server: &Server, crd: &Object) -> Left {
    let resource = objects_of(crd);
    if server.kinds.is_builtin(&resource) {
        Left::BuiltIn
    } else if server.store.all_of(&resource).next().is_none() {
        Left::None
    } else {
        Left::Some
    }
}

/// Where the objects of a definition are kept.
fn objects_of(crd: &Object) -> Resource {
    let text = |path: &[&str]| crd.text(path).unwrap_or_default().to_owned().into();
    Resource { group: text(&["spec", "group"]), plural: text(&["spec", "names", "plural"]) }
}

/// Writes the status, and the finalizers with it; whether that did anything.
fn write(server: &mut Server, now: Time, crd: &Object) -> bool {
    let before = server.revision();
    let request = Request::update(DEFINITIONS, "", crd.name(), crd.clone())
        .subresource("status")
        .by("kube-apiserver");
    let Ok(mut call) = Call::new(&server.kinds, now, &request) else { return false };
    let key = Key::new("", crd.name());
    let Some(live) = server.store.get(&call.resource, &key).cloned() else { return false };
    let written = update::from_decoded(server, &mut call, &live, crd.clone());
    debug_assert!(written.is_ok(), "{written:?}");
    server.revision() != before
}

/// Deletes every object of a definition that goes.
fn delete_objects(server: &mut Server, now: Time, crd: &Object) {
    let Some(gvr) = server.kinds.any_of(crd.name()) else { return };
    // All namespaces at once, which only a list may ask for.
    let request = Request::list(gvr, "");
    let Ok(mut call) = Call::new(&server.kinds, now, &request) else { return };
    let deleted = super::delete::answer_collection(server, &mut call);
    debug_assert!(deleted.is_ok(), "{deleted:?}");
}
