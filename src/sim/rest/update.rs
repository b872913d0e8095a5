//! PUT of an object, and the second half of every change to one (R-STO-04 to 10, 14, 21).

use std::sync::Arc;

use super::call::Call;
use super::{Server, admission, create, custom, scale, services, strategy, subresources, validate};
use crate::api::{Cause, Reason, Response, Status, Verb};
use crate::fields;
use crate::object::Object;

pub(super) fn answer(server: &mut Server, call: &mut Call) -> Result<Response, Status> {
    if call.name.is_empty() {
        return Err(call.no_such_method());
    }
    match call.subresource {
        "finalize" => {}
        part if subresources::is_part(part) => {}
        "scale" => return scale::update(server, call),
        _ => return Err(Status::method_not_allowed()),
    }
    let live = custom::live(server, call);
    let mut object = call.body_over(live.as_deref())?;
    if object.name().is_empty() {
        return Err(Status::bad_request(format!(
            "the name of the object ({} based on URL) was undeterminable: name must be provided",
            call.name
        )));
    }
    call.name_as_in_url(&mut object)?;
    call.place(&mut object)?;
    let Some(live) = live else {
        if !call.is_whole() || !call.kind.strategy.create_on_update {
            return Err(call.not_found());
        }
        // Nothing has a uid to be held to, and no version counts (R-STO-06).
        if !object.uid().is_empty() {
            return Err(wrong_uid(call, object.uid(), ""));
        }
        object.remove(&["metadata", "resourceVersion"]);
        return Ok(Response::object(201, create::from_decoded(server, call, object)?));
    };
    let object = from_decoded(server, call, &live, object)?;
    Ok(Response::object(200, object))
}

/// Takes a decoded new state of `live` from there to the store.
pub(super) fn from_decoded(
    server: &mut Server,
    call: &mut Call,
    live: &Arc<Object>,
    mut object: Object,
) -> Result<Arc<Object>, Status> {
    create::complete(call, Some(live), &mut object);
    // Without a Go type an empty list of managers is none, and does not clear them.
    let managers = ["metadata", "managedFields"];
    if call.kind.custom.is_some() && object.list(&managers).is_empty() {
        object.remove(&managers);
    }
    let kind = Arc::clone(&call.kind);
    fields::update(kind.schema(), kind.ty, Some(live), &mut object, &call.write());
    write_over(server, call, live, object)
}

/// Takes a complete new state with its managed fields from there to the store.
pub(super) fn write_over(
    server: &mut Server,
    call: &mut Call,
    live: &Arc<Object>,
    mut object: Object,
) -> Result<Arc<Object>, Status> {
    admission::before_update(server, call, live, &mut object)?;
    preconditions(call, live, &mut object)?;
    keep_system_fields(live, &mut object);
    services::patch_from_live(call, live, &mut object);
    services::allocate(server, call, Some(live), &mut object)?;
    subresources::narrow(call, live, &mut object);
    strategy::prepare_for_update(&call.kind, call.subresource, live, &mut object);
    let mut causes = subresources::faults(call, live, &object);
    causes.extend(validate::update(call, live, &object));
    let warnings = custom::check(call, Some(live), &object, &mut causes);
    call.warnings.extend(warnings);
    if !causes.is_empty() {
        return Err(call.invalid_object(&object, &causes));
    }
    if matches!(call.subresource, "" | "scale") {
        call.warnings.extend(validate::warnings(call, &object, false));
        call.warnings.extend(validate::warnings_of_change(call, live, &object));
    }
    let charges = admission::check_update(server, call, live, &object)?;
    strategy::read_back(&call.kind, Some(live), &mut object);
    fields::keep_times(live, &mut object);
    if call.dry_run() {
        return Ok(custom::as_kept(&call.kind, object));
    }
    if is_released(&object) {
        let response = Arc::new(object);
        server.store.remove(&call.resource, call.key());
        admission::after_delete(server, call.now, response.namespace());
        return Ok(response);
    }
    let kept = custom::keep(server, call, object);
    admission::after_write(server, call, charges);
    Ok(kept)
}

/// The uid and the version that the writer thinks it writes over. A uid is a precondition of PUT
/// alone; other writers are told that it is immutable.
fn preconditions(call: &Call, live: &Object, object: &mut Object) -> Result<(), Status> {
    let uid = object.uid();
    if call.request.verb == Verb::Update && !uid.is_empty() && uid != live.uid() {
        return Err(wrong_uid(call, uid, live.uid()));
    }
    let version = object.resource_version();
    if !version.is_empty() && version.parse::<u64>().is_err() {
        let text = format!("strconv.ParseUint: parsing {version:?}: invalid syntax");
        return Err(Status::new(500, Reason::Unknown, text));
    }
    if version.is_empty() || version == "0" {
        if !call.kind.strategy.unconditional_update {
            let cause = Cause {
                reason: "FieldValueInvalid".to_owned(),
                message: "Invalid value: 0: must be specified for an update".to_owned(),
                field: "metadata.resourceVersion".to_owned(),
            };
            let (group, resource) = (call.kind.group_name(), call.kind.plural());
            return Err(Status::invalid(group, resource, call.name, &[cause]));
        }
        object.set(&["metadata", "resourceVersion"], live.resource_version().into());
    } else if version != live.resource_version() {
        return Err(call.conflict("the object has been modified; please apply your changes to the latest version and try again"));
    }
    Ok(())
}

/// A uid was asked for that is not the one found.
fn wrong_uid(call: &Call, uid: &str, found: &str) -> Status {
    let key = format!("/registry/{}/{}", place_in_storage(call), call.key().as_str());
    call.conflict(&format!(
        "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {found}"
    ))
}

/// Where a real server keeps objects of a kind in etcd, as its errors show it.
fn place_in_storage(call: &Call) -> String {
    let plural = call.kind.plural();
    match (call.kind.group_name(), plural) {
        // The servers behind these groups keep objects under their names.
        (group, plural)
            if call.kind.custom.is_some()
                || matches!(group, "apiextensions.k8s.io" | "apiregistration.k8s.io") =>
        {
            format!("{group}/{plural}")
        }
        ("", "services") => "services/specs".to_owned(),
        ("", "endpoints") => "services/endpoints".to_owned(),
        ("", "nodes") => "minions".to_owned(),
        ("", "replicationcontrollers") => "controllers".to_owned(),
        (_, "ingresses") => "ingress".to_owned(),
        (_, plural) => plural.to_owned(),
    }
}

/// What no writer can change (R-STO-10).
fn keep_system_fields(live: &Object, object: &mut Object) {
    if object.uid().is_empty() {
        object.set(&["metadata", "uid"], live.uid().into());
    }
    object.remove(&["metadata", "selfLink"]);
    for field in ["creationTimestamp", "generation", "deletionTimestamp"] {
        let path = ["metadata", field];
        match live.at(&path) {
            Some(value) if object.at(&path) == Some(value) => {}
            Some(value) => object.set(&path, value.clone()),
            // A first time of deletion is no writer's to set; validation says so.
            None if field == "deletionTimestamp" => {}
            None => {
                object.remove(&path);
            }
        }
    }
    let grace = ["metadata", "deletionGracePeriodSeconds"];
    if object.at(&grace).is_none()
        && let Some(value) = live.at(&grace)
    {
        object.set(&grace, value.clone());
    }
}

/// Whether nothing holds an object any more that is to be deleted (R-STO-21).
fn is_released(object: &Object) -> bool {
    object.is_deleting()
        && object.finalizers().next().is_none()
        && object.int(&["metadata", "deletionGracePeriodSeconds"]).unwrap_or(0) == 0
        && (object.kind() != "Namespace" || object.list(&["spec", "finalizers"]).is_empty())
}
