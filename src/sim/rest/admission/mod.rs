//! Admission: what is asked of other objects, and set because of them, before an object is kept.
//!
//! A write goes through here twice, as upstream: first plugins may change the object, then,
//! after its validation, they may refuse it. Each plugin is a file; those of a few lines are in
//! `plugins`. Policies and webhooks come last.
//!
//! Not here: what an object's own kind sets (`strategy`, `defaults`) and demands (`validate`).

mod accounts;
mod calls;
mod cel;
mod conditions;
mod limits;
mod matching;
mod mutations;
mod plugins;
mod pod_security;
mod policies;
mod quota;
mod review;
mod runtime;
mod webhooks;

use std::sync::Arc;

use super::call::Call;
use super::{Server, auth, scale};
use crate::api::{Status, Verb};
use crate::base::Time;
use crate::fields::{self, Write};
use crate::object::{Gvr, Name, Object};
use crate::sim::store::{Filter, Key, Resource};
pub(super) use calls::Calls;
pub use calls::{CallOut, WebhookAnswer, WebhookCall, WebhookService, Webhooks};
pub(super) use cel::Programs;
use matching::Asked;
pub(super) use plugins::single_owners;

/// Which plugins are on, where that is not the same for every server.
///
/// The default is for a cluster without controllers for accounts and quotas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// Whether a pod must have a service account, and gets a token of it. For servers with
    /// something that makes the account `default` of each namespace.
    pub service_accounts: bool,
    /// Whether somebody else counts what quotas are used up by, as a controller does; else the
    /// server counts for itself.
    pub quota_is_counted: bool,
}

impl Server {
    /// The same server with other plugins.
    #[must_use]
    pub fn with_admission(mut self, admission: Admission) -> Self {
        self.admission = admission;
        self
    }
}

fn resource(group: &'static str, plural: &'static str) -> Resource {
    Resource { group: group.into(), plural: plural.into() }
}

/// The objects of a resource in a namespace.
fn objects_in(server: &Server, group: &str, plural: &str, namespace: &str) -> Vec<Arc<Object>> {
    let resource =
        Resource { group: Name::Owned(group.to_owned()), plural: Name::Owned(plural.to_owned()) };
    let filter = Filter { namespace: Some(namespace.to_owned()), ..Filter::default() };
    server.store.list(&resource, &filter, None, None, 0).map(|page| page.items).unwrap_or_default()
}

/// What is set at a create, before the object is looked at.
pub(super) fn on_create(
    server: &mut Server,
    call: &mut Call,
    object: &mut Object,
) -> Result<(), Status> {
    if call.request.verb != Verb::Create {
        auth::authorize_create(server, call.request)?;
    }
    plugins::namespace_takes_content(server, call, object)?;
    let is_pod = call.kind.kind == "Pod";
    if is_pod {
        limits::set_defaults(server, call, object);
        if server.admission.service_accounts {
            accounts::set(server, call, object)?;
        }
    }
    plugins::set(server, call, object)?;
    if is_pod {
        runtime::set(server, call, object)?;
    }
    mutate(server, call, None, object)?;
    auth::check_escalation(server, call, None, object)
}

/// What may be refused of a new object; gives back what it uses up of quotas.
pub(super) fn check_create(
    server: &mut Server,
    call: &mut Call,
    object: &Object,
) -> Result<quota::Charges, Status> {
    limits::check(server, call, object)?;
    if call.kind.kind == "Pod" {
        runtime::check(server, call, object)?;
    }
    pod_security::check(server, call, None, object)?;
    plugins::check_create(server, call, object)?;
    validate(server, call, Some(object), None)?;
    quota::check(server, call, None, object)
}

/// What is set at an update, before the new state is looked at.
pub(super) fn before_update(
    server: &mut Server,
    call: &mut Call,
    live: &Object,
    object: &mut Object,
) -> Result<(), Status> {
    plugins::keep_priority(call, live, object);
    mutate(server, call, Some(live), object)?;
    auth::check_escalation(server, call, Some(live), object)
}

/// What may be refused of a new state; gives back what it uses up of quotas.
pub(super) fn check_update(
    server: &mut Server,
    call: &mut Call,
    live: &Object,
    object: &Object,
) -> Result<quota::Charges, Status> {
    if call.subresource == "resize" {
        limits::check(server, call, object)?;
    }
    pod_security::check(server, call, Some(live), object)?;
    plugins::check_update(server, call, live, object)?;
    validate(server, call, Some(object), Some(live))?;
    quota::check(server, call, Some(live), object)
}

/// To be told of what was kept: quotas are charged.
pub(super) fn after_write(server: &mut Server, call: &Call, charges: quota::Charges) {
    quota::charge(server, call, charges);
}

/// To be told of what is gone: it is no longer used up.
pub(super) fn after_delete(server: &mut Server, now: Time, namespace: &str) {
    if !namespace.is_empty() {
        quota::recount(server, now, namespace);
    }
}

/// Whether anybody may delete an object; asked before it is touched.
pub(super) fn on_delete(server: &mut Server, call: &mut Call, live: &Object) -> Result<(), Status> {
    if !is_governed(server) {
        return Ok(());
    }
    let mut warnings = std::mem::take(&mut call.warnings);
    let asked = Asked { call, operation: "DELETE", object: None, old: Some(live) };
    let answer = webhooks::mutate(server, &asked, None, &mut warnings);
    call.warnings = warnings;
    answer?;
    judge(server, call, "DELETE", None, Some(live))
}

/// Whether there may be any policy or webhook at all.
pub(super) fn is_governed(server: &Server) -> bool {
    server.store.has_any_of("admissionregistration.k8s.io")
}

fn operation(live: Option<&Object>) -> &'static str {
    if live.is_some() { "UPDATE" } else { "CREATE" }
}

/// An object as its subresource shows it.
fn as_sent(call: &Call, object: &Object) -> Object {
    if call.subresource == "scale" { scale::as_reviewed(call, object) } else { object.clone() }
}

/// Asks those who may change an object.
fn mutate(
    server: &mut Server,
    call: &mut Call,
    live: Option<&Object>,
    object: &mut Object,
) -> Result<(), Status> {
    if !is_governed(server) {
        return Ok(());
    }
    let (mut sent, old) = (as_sent(call, object), live.map(|live| as_sent(call, live)));
    // What is made has nothing yet that the server gives it.
    let mut own = vec!["uid", "creationTimestamp"];
    if call.request.body.as_ref().is_none_or(|body| body["metadata"]["name"].is_null()) {
        own.push("name");
    }
    own.retain(|_| live.is_none());
    for field in &own {
        sent.remove(&["metadata", field]);
    }
    let mut warnings = std::mem::take(&mut call.warnings);
    let first = sent.clone();
    let asked = Asked { call, operation: operation(live), object: Some(&first), old: old.as_ref() };
    let changed = mutations::mutate(server, &asked, &mut sent).and_then(|changed| {
        let now = sent.clone();
        let asked = Asked { object: Some(&now), ..asked };
        Ok(webhooks::mutate(server, &asked, Some(&mut sent), &mut warnings)? || changed)
    });
    call.warnings = warnings;
    if !changed? {
        return Ok(());
    }
    if call.subresource == "scale" {
        let replicas = sent.int(&["spec", "replicas"]).unwrap_or(0);
        object.set(&["spec", "replicas"], replicas.into());
        return Ok(());
    }
    for field in own {
        if let Some(value) = object.at(&["metadata", field]) {
            sent.set(&["metadata", field], value.clone());
        }
    }
    *object = sent;
    super::create::complete(call, live, object);
    Ok(())
}

/// Asks those who may refuse an object.
fn validate(
    server: &mut Server,
    call: &mut Call,
    object: Option<&Object>,
    live: Option<&Object>,
) -> Result<(), Status> {
    if !is_governed(server) {
        return Ok(());
    }
    // A Scale shows its owners to those who may change it, and not to those who judge it.
    let shown = |object: &Object| {
        let mut shown = as_sent(call, object);
        if call.subresource == "scale" {
            shown.remove(&["metadata", "managedFields"]);
        }
        shown
    };
    let (sent, old) = (object.map(shown), live.map(shown));
    let operation = operation(live);
    judge(server, call, operation, sent.as_ref(), old.as_ref())
}

fn judge(
    server: &mut Server,
    call: &mut Call,
    operation: &'static str,
    object: Option<&Object>,
    old: Option<&Object>,
) -> Result<(), Status> {
    let mut warnings = std::mem::take(&mut call.warnings);
    let asked = Asked { call, operation, object, old };
    let answer = policies::check(server, &asked, &mut warnings)
        .and_then(|()| webhooks::validate(server, &asked, &mut warnings));
    call.warnings = warnings;
    answer
}

/// Asks about an object that is posted to a subresource and not kept, such as an Eviction. It can
/// be refused; nothing is made of changes.
pub(super) fn on_posted(
    server: &mut Server,
    call: &mut Call,
    object: &Object,
) -> Result<(), Status> {
    posted(server, call, "CREATE", object)
}

/// Asks about a stream to a container.
pub(super) fn on_connect(server: &mut Server, call: &mut Call, kind: &str) -> Result<(), Status> {
    let mut options = Object::default();
    options.set(&["kind"], kind.into());
    options.set(&["apiVersion"], "v1".into());
    posted(server, call, "CONNECT", &options)
}

fn posted(
    server: &mut Server,
    call: &mut Call,
    operation: &'static str,
    object: &Object,
) -> Result<(), Status> {
    if !is_governed(server) {
        return Ok(());
    }
    let mut warnings = std::mem::take(&mut call.warnings);
    let asked = Asked { call, operation, object: Some(object), old: None };
    let answer = webhooks::mutate(server, &asked, Some(&mut object.clone()), &mut warnings);
    call.warnings = warnings;
    answer?;
    judge(server, call, operation, Some(object), None)
}

/// The resource of a kind that is no built-in one, and whether it lies in namespaces.
fn kind_named(server: &Server, api_version: &str, kind: &str) -> Option<(Resource, bool)> {
    let crds = resource("apiextensions.k8s.io", "customresourcedefinitions");
    let (group, _) = api_version.split_once('/')?;
    let crd = server.store.all_of(&crds).find(|crd| {
        crd.text(&["spec", "group"]) == Some(group)
            && crd.text(&["spec", "names", "kind"]) == Some(kind)
    })?;
    let plural = crd.text(&["spec", "names", "plural"]).unwrap_or_default().to_owned();
    let resource = Resource { group: Name::Owned(group.to_owned()), plural: Name::Owned(plural) };
    Some((resource, crd.text(&["spec", "scope"]) == Some("Namespaced")))
}

/// Changes the status of an object as the server's own client does, which has managed fields.
pub(super) fn write_own_status(
    server: &mut Server,
    now: Time,
    gvr: &Gvr,
    key: &Key,
    change: impl FnOnce(&mut Object),
) {
    let resource = Resource { group: gvr.group.clone(), plural: gvr.plural.clone() };
    let live = server.store.get(&resource, key).cloned();
    let (Some(live), Some(kind)) = (live, server.kinds.of(gvr)) else { return };
    let mut object = Object::clone(&live);
    change(&mut object);
    if object.at(&["status"]) == live.at(&["status"]) {
        return;
    }
    let write = Write {
        manager: "kube-apiserver",
        api_version: &kind.api_version,
        subresource: "status",
        now,
        reset: kind.reset("status"),
    };
    let before: &Object = &live;
    fields::update(kind.schema(), kind.ty, Some(before), &mut object, &write);
    server.store.put(&resource, key.clone(), object);
}

#[cfg(test)]
mod tests;
