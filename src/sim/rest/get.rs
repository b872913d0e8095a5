//! GET of one object.

use super::call::Call;
use super::{Server, custom, list, scale, subresources};
use crate::api::{Response, Status};

pub(super) fn answer(server: &mut Server, call: &mut Call) -> Result<Response, Status> {
    if let Some(version) = &call.request.options.resource_version {
        list::revision_not_ahead(server, list::parse_revision(version)?)?;
    }
    if call.subresource == "scale" {
        return scale::get(server, call);
    }
    if !subresources::is_part(call.subresource) {
        return subresources::get(server, call);
    }
    let object = custom::live(server, call).ok_or_else(|| call.not_found())?;
    Ok(Response::object(200, object))
}
