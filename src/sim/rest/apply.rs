//! Server-side apply: the rules of the request (R-SSA-01 to R-SSA-05); the merge is `fields`.

use super::call::Call;
use super::{Server, admission, create, custom, update};
use crate::api::{Cause, Details, Reason, Response, Status, Verb, path};
use crate::fields::{self, Applied, ApplyError};
use crate::object::{Object, Value};

pub(super) fn answer(server: &mut Server, call: &mut Call) -> Result<Response, Status> {
    manager_is_named(call)?;
    let mut config = configuration(call)?;
    call.name_as_in_url(&mut config)?;
    if !config.namespace().is_empty() && config.namespace() != call.namespace {
        call.place(&mut config)?;
    }
    let live = custom::live(server, call);
    if live.is_none() && !call.is_whole() {
        return Err(call.not_found());
    }
    let kind = std::sync::Arc::clone(&call.kind);
    let force = call.request.options.force;
    let applied =
        fields::apply(kind.schema(), kind.ty, live.as_deref(), &config, force, &call.write())
            .map_err(status_of)?;
    match (live, applied) {
        (Some(live), Applied::Unchanged) => {
            precondition(call, &live, &config)?;
            if !admission::is_governed(server) && custom::is_as_stored(server, call, &live) {
                return Ok(Response::object(200, live));
            }
            let object = update::write_over(server, call, &live, Object::clone(&live))?;
            Ok(Response::object(200, object))
        }
        (Some(live), Applied::Changed(mut object)) => {
            call.place(&mut object)?;
            create::complete(call, Some(&live), &mut object);
            if !config.resource_version().is_empty() {
                let given = config.resource_version().into();
                object.set(&["metadata", "resourceVersion"], given);
            }
            let object = update::write_over(server, call, &live, object)?;
            Ok(Response::object(200, object))
        }
        (None, Applied::Changed(mut object)) => {
            let uid = config.uid();
            if !uid.is_empty() {
                let why = format!(
                    "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
                );
                return Err(call.conflict(&why));
            }
            // A version of what is not there is no precondition here.
            object.remove(&["metadata", "resourceVersion"]);
            call.place(&mut object)?;
            create::complete(call, None, &mut object);
            Ok(Response::object(201, create::admit_and_store(server, call, object)?))
        }
        (None, Applied::Unchanged) => Err(call.not_found()),
    }
}

/// An apply without a manager is refused before anything is read (R-SSA-01).
pub(super) fn manager_is_named(call: &Call) -> Result<(), Status> {
    let manager = call.request.options.field_manager.as_deref();
    match path::field_manager_fault(manager, true) {
        Some(cause) => Err(path::invalid_options(call.request.verb, &[cause])),
        None => Ok(()),
    }
}

fn configuration(call: &mut Call) -> Result<Object, Status> {
    let kind = std::sync::Arc::clone(&call.kind);
    configuration_of(call, kind.name(), &kind.api_version)
}

/// The configuration that the request carries, which must be of the endpoint's kind.
pub(super) fn configuration_of(
    call: &mut Call,
    kind: &str,
    api_version: &str,
) -> Result<Object, Status> {
    debug_assert!(matches!(call.request.verb, Verb::Patch(_)));
    let Some(Value::Object(body)) = call.request.body.as_deref() else {
        return Err(Status::bad_request("invalid object type: /, Kind="));
    };
    let config = Object(body.clone());
    if config.kind() != kind || config.api_version() != api_version {
        let text = format!("invalid object type: {}", config.gvk());
        return Err(Status::bad_request(text));
    }
    if config.at(&["metadata", "managedFields"]).is_some_and(|v| !v.is_null()) {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    if let Some(twins) = call.refused_twins() {
        return Err(Status::bad_request(format!(
            "error strict decoding YAML: error converting YAML to JSON: {twins}"
        )));
    }
    call.tell_or_refuse(Vec::new())
        .map_err(|why| Status::bad_request(format!("error strict decoding patch: {why}")))?;
    Ok(config)
}

fn precondition(call: &Call, live: &Object, config: &Object) -> Result<(), Status> {
    let version = config.resource_version();
    if version.is_empty() || version == live.resource_version() {
        return Ok(());
    }
    Err(call.conflict("the object has been modified; please apply your changes to the latest version and try again"))
}

pub(super) fn status_of(error: ApplyError) -> Status {
    match error {
        ApplyError::BadRequest(text) => Status::bad_request(text),
        ApplyError::Typed(text) => Status::new(500, Reason::Unknown, text),
        ApplyError::Conflicts(conflicts) => {
            let causes = conflicts.causes().map(|(field, message)| Cause {
                reason: "FieldManagerConflict".to_owned(),
                message,
                field,
            });
            let details = Details { causes: causes.collect(), ..Details::default() };
            let mut status = Status::new(409, Reason::Conflict, conflicts.message());
            status.details = Some(details);
            status
        }
    }
}
