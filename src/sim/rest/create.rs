//! POST of an object, and the second half of every other way to make one (R-STO-03, 09, 13, 16).

use std::sync::Arc;

use super::call::Call;
use super::{
    Server, admission, auth, custom, defaults, names, secrets, services, strategy, subresources,
    validate,
};
use crate::api::{Reason, Response, Status};
use crate::fields;
use crate::object::Object;
use crate::object::schema::form;

pub(super) fn answer(server: &mut Server, call: &mut Call) -> Result<Response, Status> {
    custom::has_verb(call, "create")?;
    if !call.is_whole() {
        return subresources::create(server, call);
    }
    let is_nowhere =
        call.kind.custom.is_none() && call.kind.namespaced() && call.namespace.is_empty();
    if !call.name.is_empty() || is_nowhere {
        return Err(Status::method_not_allowed());
    }
    if let Some(answer) = auth::answer_review(server, call) {
        return answer;
    }
    if let Some(answer) = subresources::create_binding(server, call) {
        return answer;
    }
    let object = call.body()?;
    let object = from_decoded(server, call, object)?;
    Ok(Response::object(201, object))
}

/// Takes a decoded object that somebody posted from there to the store.
pub(super) fn from_decoded(
    server: &mut Server,
    call: &mut Call,
    mut object: Object,
) -> Result<Arc<Object>, Status> {
    call.place(&mut object)?;
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
        object.remove(&["metadata", field]);
    }
    complete(call, None, &mut object);
    let kind = Arc::clone(&call.kind);
    fields::update(kind.schema(), kind.ty, None, &mut object, &call.write());
    admit_and_store(server, call, object)
}

/// Brings a decoded object into the form in which it is stored, and fills in its defaults. Parts
/// that are those of `live` were brought there when they were written.
pub(super) fn complete(call: &mut Call, live: Option<&Object>, object: &mut Object) {
    admission::single_owners(call, object);
    if let Some(version) = &call.kind.custom {
        custom::complete(version, object);
        return;
    }
    form::print_object_over(call.kind.schema(), call.kind.ty, object, live);
    if call.kind.kind == "Secret" {
        secrets::fold_string_data(object);
    }
    defaults::fill(call.kind.ty, object, live);
    debug_assert!(
        live.is_none() || {
            let mut all = object.clone();
            form::print_object(call.kind.schema(), call.kind.ty, &mut all);
            defaults::fill(call.kind.ty, &mut all, None);
            all == *object
        },
        "what is stored is complete: {object:?}"
    );
}

/// Takes a complete object with its managed fields from there to the store.
pub(super) fn admit_and_store(
    server: &mut Server,
    call: &mut Call,
    mut object: Object,
) -> Result<Arc<Object>, Status> {
    system_fields(server, call, &mut object);
    custom::forbid_create(server, call, object.name())?;
    admission::on_create(server, call, &mut object)?;
    services::allocate(server, call, None, &mut object)?;
    let labels = |body: &crate::object::Value| body.get("metadata")?.get("labels").cloned();
    let is_labelled = call.request.body.as_deref().and_then(labels).is_some_and(|l| !l.is_null());
    strategy::prepare_for_create(&call.kind, call.now, is_labelled, &mut object);
    let name = object.name().to_owned();
    let mut causes = validate::create(call, &object);
    let warnings = custom::check(call, None, &object, &mut causes);
    call.warnings.extend(warnings);
    if !causes.is_empty() {
        return Err(call.invalid_object(&object, &causes));
    }
    call.warnings.extend(validate::warnings(call, &object, true));
    let charges = admission::check_create(server, call, &object)?;
    strategy::read_back(&call.kind, None, &mut object);
    let key = call.key_of(&name);
    if !call.dry_run() {
        has_no_version(&object)?;
    }
    if let Some(holder) = server.store.get(&call.resource, &key) {
        let mut status = Status::already_exists(&call.request.resource, &name);
        if holder.is_deleting() {
            status.message = format!("object is being deleted: {}", status.message);
        }
        return Err(status);
    }
    if call.dry_run() {
        return Ok(custom::as_kept(&call.kind, object));
    }
    let kept = custom::keep(server, call, object);
    admission::after_write(server, call, charges);
    Ok(kept)
}

/// Whether an object comes without a version; none and what is no number are passed over
/// (R-STO-03).
fn has_no_version(object: &Object) -> Result<(), Status> {
    if object.resource_version().parse::<u64>().unwrap_or_default() == 0 {
        return Ok(());
    }
    let text = "resourceVersion should not be set on objects to be created";
    Err(Status::new(500, Reason::Unknown, text))
}

/// What the server alone decides.
fn system_fields(server: &mut Server, call: &Call, object: &mut Object) {
    object.remove(&["metadata", "selfLink"]);
    object.set(&["metadata", "creationTimestamp"], call.now.rfc3339().into());
    let uid = names::uid(&mut server.rng);
    object.set(&["metadata", "uid"], uid.into());
    let prefix = object.text(&["metadata", "generateName"]).unwrap_or_default();
    // The one kind that is given a name where it has none.
    if call.kind.kind == "LimitRange" && object.name().is_empty() && prefix.is_empty() {
        let name = names::uid(&mut server.rng);
        object.set(&["metadata", "name"], name.into());
        return;
    }
    if object.name().is_empty() && !prefix.is_empty() {
        let mut name = String::new();
        // Eight tries, as upstream; the last may be taken and then fails (R-STO-13).
        for _ in 0..8 {
            name = names::generated(&mut server.rng, prefix);
            if server.store.get(&call.resource, &call.key_of(&name)).is_none() {
                break;
            }
        }
        object.set(&["metadata", "name"], name.into());
    }
}
