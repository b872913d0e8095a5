//! Subresources that are no plain reads and writes of the object: `binding` and `eviction` of
//! pods, tokens, what goes to the containers themselves, and those that change one part of a pod.
//! (`scale` has a file of its own; `status` and `finalize` go the way of updates.)

mod approval;
mod binding;
mod containers;
mod eviction;

use std::sync::Arc;

use super::call::Call;
use super::{Server, auth};
use crate::api::{Reason, Response, Status};
use crate::object::Object;

/// Subresources that are the object, with one part of it to be written.
const PARTS: [&str; 4] = ["status", "approval", "ephemeralcontainers", "resize"];

/// Whether reads and writes of the subresource are those of the object.
pub(super) fn is_part(subresource: &str) -> bool {
    subresource.is_empty() || PARTS.contains(&subresource)
}

/// Refuses a verb that a subresource does not have. Those of custom resources are `custom`'s.
pub(super) fn has_verb(call: &Call) -> Result<(), Status> {
    if call.kind.custom.is_some() {
        return Ok(());
    }
    let details = &call.kind.info.subresource_details;
    let Some(own) = details.iter().find(|own| own.name == call.subresource) else { return Ok(()) };
    let word = call.request.verb.word();
    if own.verbs.iter().any(|verb| verb == word) {
        Ok(())
    } else {
        Err(Status::method_not_allowed())
    }
}

/// POST to a subresource.
pub(super) fn create(server: &mut Server, call: &mut Call) -> Result<Response, Status> {
    match call.subresource {
        "binding" => binding::bind(server, call),
        "eviction" => eviction::evict(server, call),
        "token" => auth::request_token(server, call),
        "exec" | "attach" | "portforward" | "proxy" => containers::connect(server, call),
        _ => Err(Status::method_not_allowed()),
    }
}

/// POST of a Binding, the old way to bind a pod; `None` for another kind.
pub(super) fn create_binding(
    server: &mut Server,
    call: &mut Call,
) -> Option<Result<Response, Status>> {
    (call.kind.kind == "Binding").then(|| binding::bind(server, call))
}

/// GET of a subresource that is no part of the object.
pub(super) fn get(server: &mut Server, call: &mut Call) -> Result<Response, Status> {
    match call.subresource {
        "log" => containers::log(server, call),
        "exec" | "attach" | "portforward" | "proxy" => containers::connect(server, call),
        _ => Err(Status::method_not_allowed()),
    }
}

/// Keeps all of `live` that the subresource does not let its writers change.
pub(super) fn narrow(call: &Call, live: &Object, object: &mut Object) {
    match call.subresource {
        "approval" => approval::narrow(call.now, live, object),
        "ephemeralcontainers" | "resize" => containers::narrow(call.subresource, live, object),
        _ => {}
    }
}

/// What is wrong with a part that is written through a subresource.
pub(super) fn faults(call: &Call, live: &Object, object: &Object) -> Vec<crate::api::Cause> {
    match call.subresource {
        "approval" => approval::faults(live, object),
        "ephemeralcontainers" => containers::faults(live, object),
        _ => Vec::new(),
    }
}

fn success(code: u16) -> Response {
    Response::status(Status::new(code, Reason::Unknown, ""))
}

fn live(server: &Server, call: &Call) -> Result<Arc<Object>, Status> {
    let live = server.store.get(&call.resource, &call.key()).cloned();
    live.ok_or_else(|| call.not_found())
}

/// 500 without a reason, which upstream answers where an error has no type.
fn untyped(text: impl Into<String>) -> Status {
    Status::new(500, Reason::Unknown, text)
}
