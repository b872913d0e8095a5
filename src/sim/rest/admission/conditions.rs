//! `matchConditions`: expressions that all must hold for a webhook or policy to be asked.

use super::cel::{self, Variables};
use crate::object::Value;
use crate::sim::rest::Server;
use kube_cel::cel::Value as Cel;

/// Whether every condition holds for a review's request. One that is false decides, whatever
/// went wrong with another.
///
/// # Errors
/// What went wrong, if no condition is false.
pub(super) fn hold(
    server: &mut Server,
    conditions: &Value,
    request: &Value,
    params: Option<&Value>,
) -> Result<bool, String> {
    let Some(conditions) = conditions.as_array().filter(|list| !list.is_empty()) else {
        return Ok(true);
    };
    let mut variables = of_request(request);
    if let Some(params) = params {
        variables.set("params", params);
    }
    let mut failed = None;
    for condition in conditions {
        let text = condition["expression"].as_str().unwrap_or_default();
        match cel::evaluate(&mut server.programs, text.trim(), &variables) {
            Ok(Cel::Bool(true)) => {}
            Ok(Cel::Bool(false)) => return Ok(false),
            Ok(_) => failed = failed.or(Some("match condition is no boolean".to_owned())),
            Err(why) => failed = failed.or(Some(why)),
        }
    }
    failed.map_or(Ok(true), Err)
}

/// `object`, `oldObject` and `request` of a review's request.
pub(super) fn of_request(request: &Value) -> Variables {
    let mut variables = Variables::default();
    variables.set("object", &request["object"]);
    variables.set("oldObject", &request["oldObject"]);
    let mut bare = request.clone();
    if let Some(bare) = bare.as_object_mut() {
        bare.remove("object");
        bare.remove("oldObject");
    }
    variables.set("request", &bare);
    variables
}
