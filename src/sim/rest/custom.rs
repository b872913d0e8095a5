//! Custom resources on their way in and out: what their definition's version does to them and
//! says of them (R-CRD-05 to R-CRD-22), and how an object that is stored in one version is read in
//! another.

use std::borrow::Cow;
use std::sync::Arc;

use super::call::{Call, no_such_resource};
use super::kinds::Kind;
use super::validate::embedded_metadata;
use super::{Server, names, views};
use crate::api::{Cause, Details, Reason, Request, Status, Verb, path};
use crate::object::{Map, Object, Value, go};
use crate::sim::crd::{self, coerce, validate};
use crate::sim::store::Delivery;

/// What decoding an object of a kind finds: unknown fields, in the order in which they are told.
///
/// # Errors
/// The decoder's words, where the object cannot be read.
pub(super) fn decode(version: &crd::Version, value: &Value) -> Result<Vec<String>, String> {
    let Value::Object(map) = value else { return Err("not an object".to_owned()) };
    let unknown = coerce::decode(&version.root, &mut Object(map.clone()))?;
    Ok(unknown.into_iter().map(|path| format!("unknown field {path:?}")).collect())
}

/// Whether a body is of the version that the URL says; of another kind it is refused later.
/// `source` is the text of the body, where it is known.
pub(super) fn types_fit(kind: &Kind, body: &Map, source: Option<&[u8]>) -> Result<(), Status> {
    let name = kind.name();
    let unrecognized = |why: &str| {
        Status::bad_request(format!(
            "the object provided is unrecognized (must be of type {name}): {why}"
        ))
    };
    match body.get("kind") {
        None | Some(Value::Null) => {
            let Some(source) = source else { return Err(unrecognized(&without_kind(body))) };
            let (text, head) = (String::from_utf8_lossy(source), path::summary(source));
            return Err(unrecognized(&format!("Object 'Kind' is missing in '{text}' ({head})")));
        }
        Some(Value::String(_)) => {}
        Some(other) => {
            let found = go::json_name(other);
            let why = "couldn't get version/kind; json parse error: json: cannot unmarshal";
            return Err(unrecognized(&format!(
                "{why} {found} into Go struct field .kind of type string"
            )));
        }
    }
    let found = body.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    if found != kind.api_version {
        return Err(Status::bad_request(format!(
            "the API version in the data ({found}) does not match the expected API version ({})",
            kind.api_version
        )));
    }
    Ok(())
}

/// What is said of a document that does not say what it is.
pub(super) fn without_kind(body: &Map) -> String {
    format!("Object 'Kind' is missing in '{}'", Value::Object(body.clone()))
}

/// Whether a request for a kind names a path that is served (R-CRD-05, R-CRD-17).
pub(super) fn path_fits(kind: &Kind, request: &Request, unknown: bool) -> Result<(), Status> {
    let at_namespace = request.namespace.as_deref().is_some_and(|n| !n.is_empty());
    let across = matches!(request.verb, Verb::List | Verb::Watch);
    if kind.namespaced() != at_namespace && !(kind.namespaced() && across) {
        return Err(no_such_resource(false));
    }
    if unknown {
        let name = request.name.as_deref().unwrap_or_default();
        return Err(Status::not_found(&request.resource, name));
    }
    Ok(())
}

/// Subresources of custom resources can be read and changed.
pub(super) fn has_verb(call: &Call, verb: &str) -> Result<(), Status> {
    if call.kind.custom.is_none() || call.is_whole() {
        return Ok(());
    }
    let (group, plural) = (call.kind.group_name(), call.kind.plural());
    let text = format!("{verb} is not supported on resources of kind \"{plural}.{group}\"");
    let mut status = Status::new(405, Reason::MethodNotAllowed, text);
    let details =
        Details { group: group.to_owned(), kind: plural.to_owned(), ..Details::default() };
    status.details = Some(details);
    Err(status)
}

/// Brings a decoded object into the form in which it is kept.
pub(super) fn complete(version: &crd::Version, object: &mut Object) {
    // What cannot be read was refused when it was decoded.
    let _ = coerce::decode(&version.root, object);
    coerce::fill(&version.root, object);
}

/// Fills in what became due since the object was decoded, such as the default of a status that a
/// create dropped.
pub(super) fn fill(version: &crd::Version, object: &mut Object) {
    coerce::fill(&version.root, object);
}

/// An object as it would be read back if it were stored.
pub(super) fn as_kept(kind: &Kind, object: Object) -> Arc<Object> {
    let stored = Arc::new(to_storage(kind, object));
    read(kind, &stored)
}

/// An object as it is stored: of the storage version.
pub(super) fn to_storage(kind: &Kind, object: Object) -> Object {
    let mut object = views::to_storage(kind, object);
    let stored = kind.custom.as_ref().and_then(|version| version.stored.as_deref());
    if let Some(stored) = stored {
        object.set(&["apiVersion"], stored.api_version.as_str().into());
        let _ = coerce::decode(&stored.root, &mut object);
        coerce::fill(&stored.root, &mut object);
    }
    object
}

/// A stored object as the version of a kind reads it. One that was written through this version
/// since its schema is what it is comes as it is.
pub(super) fn read(kind: &Kind, stored: &Arc<Object>) -> Arc<Object> {
    let Some(version) = &kind.custom else {
        return views::read_as(&kind.api_version, stored).unwrap_or_else(|| Arc::clone(stored));
    };
    let written = stored.resource_version().parse().unwrap_or(0);
    if written > version.since && stored.api_version() == kind.api_version {
        return Arc::clone(stored);
    }
    let mut object = Object::clone(stored);
    if stored.api_version() == kind.api_version {
        complete(version, &mut object);
        return Arc::new(object);
    }
    // What the stored version fills in, it fills in before it is read as another.
    if let Some(own) = version.stored.as_deref().filter(|s| s.api_version == stored.api_version()) {
        let _ = coerce::decode(&own.root, &mut object);
        coerce::fill(&own.root, &mut object);
    }
    object.set(&["apiVersion"], kind.api_version.as_str().into());
    let _ = coerce::decode(&version.root, &mut object);
    Arc::new(object)
}

/// Whether a request needs no webhook that converts: no such webhook is called, and what it would
/// do cannot be guessed. Through the version that is stored, and where there is nothing to convert,
/// nothing is. The controllers of the cluster, which look at metadata alone, may always.
pub(super) fn is_convertible(server: &Server, call: &Call) -> Result<(), Status> {
    let request = call.request;
    let Some(version) = call.kind.custom.as_deref().filter(|version| version.has_converter) else {
        return Ok(());
    };
    let Some(stored) = version.stored.as_deref() else { return Ok(()) };
    let is_a_controller = request.user.is_none() && request.user_agent.starts_with("kube-");
    let reads = matches!(request.verb, Verb::Get | Verb::List);
    if is_a_controller || (reads && server.store.all_of(&call.resource).next().is_none()) {
        return Ok(());
    }
    let (kind, stored) = (&version.info.gvk, &stored.api_version);
    Err(Status::new(
        500,
        Reason::InternalError,
        format!(
            "conversion webhook for {kind} failed: this server calls no conversion webhooks; use {stored}, which is the stored version, or conversion strategy None"
        ),
    ))
}

/// The live object that a request names, as its version reads it.
pub(super) fn live(server: &Server, call: &Call) -> Option<Arc<Object>> {
    if call.kind.kind == "ComponentStatus" {
        return views::component(call.name);
    }
    let stored = server.store.get(&call.resource, &call.key())?;
    Some(read(&call.kind, stored))
}

/// Whether an object was read just as it is stored. If not, because a default was filled in, say,
/// a write that changes nothing has something to store all the same.
pub(super) fn is_as_stored(server: &Server, call: &Call, live: &Arc<Object>) -> bool {
    call.kind.custom.is_none()
        || server.store.get(&call.resource, &call.key()).is_some_and(|s| Arc::ptr_eq(s, live))
}

/// Stores an object and gives it back as its version reads it.
pub(super) fn keep(server: &mut Server, call: &Call, object: Object) -> Arc<Object> {
    let key = call.key_of(object.name());
    let stored = server.store.put(&call.resource, key, to_storage(&call.kind, object));
    read(&call.kind, &stored)
}

/// Turns what watches of custom resources hear into the version that they asked for.
pub(super) fn present(server: &Server, mut deliveries: Vec<Delivery>) -> Vec<Delivery> {
    for delivery in &mut deliveries {
        let object = &delivery.event.object;
        if views::has_forms(object.kind()) {
            let mut watches = server.store.watches();
            let watch = watches.find(|w| w.client == delivery.client && w.id == delivery.id);
            let presented = watch.and_then(|watch| views::read_as(&watch.api_version, object));
            if let Some(presented) = presented {
                delivery.event.object = presented;
            }
        }
    }
    if !server.kinds.has_custom() {
        return deliveries;
    }
    let mut of_builtin: Option<Arc<Object>> = None;
    for delivery in &mut deliveries {
        let object = &delivery.event.object;
        if of_builtin.as_ref().is_some_and(|known| Arc::ptr_eq(known, object)) {
            continue;
        }
        let group = object.api_version().split('/').next().unwrap_or_default();
        if !server.kinds.is_custom_group(group) {
            of_builtin = Some(Arc::clone(object));
            continue;
        }
        let mut watches = server.store.watches();
        let watch = watches.find(|w| w.client == delivery.client && w.id == delivery.id);
        let kind = watch.and_then(|w| server.kinds.of_kind(&w.api_version, &w.kind));
        if let Some(kind) = kind.filter(|kind| object.kind() == kind.name()) {
            delivery.event.object = read(kind, object);
        }
    }
    deliveries
}

/// What a new object, or a new state of one, sets by itself or may not set.
pub(super) fn prepare_for_create(version: &crd::Version, object: &mut Object) {
    if version.has_status {
        object.remove(&["status"]);
    }
}

/// A writer of the status changes nothing else.
pub(super) fn keep_all_but_status(live: &Object, object: &mut Object) {
    let status = object.0.remove("status");
    let managed = object.remove(&["metadata", "managedFields"]);
    let version = object.resource_version().to_owned();
    *object = live.clone();
    object.set(&["metadata", "resourceVersion"], version.into());
    match managed {
        Some(managed) => object.set(&["metadata", "managedFields"], managed),
        None => {
            object.remove(&["metadata", "managedFields"]);
        }
    }
    match status {
        Some(status) => object.set(&["status"], status),
        None => {
            object.remove(&["status"]);
        }
    }
}

/// What is wrong with an object, after `causes` were found in its metadata; warnings go into the
/// answer.
pub(super) fn check(
    call: &Call,
    live: Option<&Object>,
    object: &Object,
    causes: &mut Vec<Cause>,
) -> Vec<String> {
    let Some(version) = &call.kind.custom else { return Vec::new() };
    if object.kind() != call.kind.name() {
        causes.push(Cause {
            reason: "FieldValueInvalid".to_owned(),
            message: format!("Invalid value: {:?}: must be {}", object.kind(), call.kind.name()),
            field: "kind".to_owned(),
        });
        return Vec::new();
    }
    let blocks = causes.iter().any(|cause| cause.reason == "FieldValueRequired");
    let verdict = match (live, call.subresource) {
        (None, _) => validate::create(version, object, embedded_metadata, blocks),
        (Some(live), "status") => validate::status(version, live, object, blocks),
        (Some(live), _) => validate::update(version, live, object, embedded_metadata, blocks),
    };
    causes.extend(verdict.causes);
    let mut warnings = verdict.warnings;
    if causes.is_empty() && call.subresource != "status" {
        warnings.extend(finalizer_warnings(live, object));
    }
    warnings
}

/// New finalizers without a path (R-CRD-22).
fn finalizer_warnings(live: Option<&Object>, object: &Object) -> Vec<String> {
    const STANDARD: [&str; 3] = ["orphan", "foregroundDeletion", "kubernetes"];
    let known: Vec<&str> = live.into_iter().flat_map(Object::finalizers).collect();
    let mut new: Vec<&str> = object.finalizers().filter(|f| !known.contains(f)).collect();
    new.sort_unstable();
    new.dedup();
    let plain = new.into_iter().filter(|f| !f.contains('/') && !STANDARD.contains(f));
    let text = |finalizer: &str| {
        let path = if finalizer.contains('.') { " including a path (/)" } else { "" };
        format!(
            "metadata.finalizers: {finalizer:?}: prefer a domain-qualified finalizer name{path} to avoid accidental conflicts with other finalizer writers"
        )
    };
    plain.filter(|f| names::qualified(f).is_empty()).map(text).collect()
}

/// While a definition is on its way out none of its objects can be made (R-CRD-07).
pub(super) fn forbid_create(server: &Server, call: &Call, name: &str) -> Result<(), Status> {
    let ending = call.kind.custom.as_ref().is_some_and(|v| server.kinds.is_ending(&v.definition));
    if ending {
        let why = "create not allowed while custom resource definition is terminating";
        return Err(call.forbidden(name, why));
    }
    Ok(())
}

/// The fields by which objects of a kind can be selected, if it says which.
pub(super) fn selectable(kind: &Kind) -> Option<Vec<Cow<'_, str>>> {
    let version = kind.custom.as_ref()?;
    Some(version.selectable.iter().map(|field| Cow::Borrowed(field.as_str())).collect())
}
