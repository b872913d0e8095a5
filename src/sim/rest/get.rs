//! GET of one object.

use std::sync::Arc;

use super::call::{Call, method_not_allowed};
use super::{Server, list, scale};
use crate::api::{Response, Status};

pub(super) fn answer(server: &Server, call: &Call) -> Result<Response, Status> {
    if let Some(version) = &call.request.options.resource_version {
        list::revision_not_ahead(server, list::parse_revision(version)?)?;
    }
    if call.subresource == "scale" {
        return scale::get(server, call);
    }
    if !matches!(call.subresource, "" | "status") {
        return Err(method_not_allowed());
    }
    let object = server.store.get(&call.resource, &call.key()).ok_or_else(|| call.not_found())?;
    Ok(Response::object(200, Arc::clone(object)))
}
