//! What is about a pod's containers: streams to them and their logs, of which there are none
//! here, and the two parts of a pod that can change while it runs.

use super::super::call::Call;
use super::super::{Server, admission};
use super::{live, success};
use crate::api::{Cause, Reason, Response, Status};
use crate::object::{Object, Value};

/// GET of a pod's log. Nothing runs here that could write one: 204 while the pod has no node, as
/// upstream, and a clear refusal after.
pub(super) fn log(server: &Server, call: &Call) -> Result<Response, Status> {
    let pod = live(server, call)?;
    if pod.text(&["spec", "nodeName"]).is_none_or(str::is_empty) {
        return Ok(success(204));
    }
    Err(nothing_runs("log"))
}

/// `exec`, `attach`, `portforward` and `proxy`.
pub(super) fn connect(server: &mut Server, call: &mut Call) -> Result<Response, Status> {
    let object = live(server, call)?;
    if call.kind.kind != "Pod" {
        let text =
            format!("no endpoints available for {} {:?}", call.kind.info.singular, call.name);
        return Err(Status::new(503, Reason::ServiceUnavailable, text));
    }
    let options = match call.subresource {
        "exec" => "PodExecOptions",
        "attach" => "PodAttachOptions",
        "portforward" => "PodPortForwardOptions",
        _ => "PodProxyOptions",
    };
    admission::on_connect(server, call, options)?;
    if object.text(&["spec", "nodeName"]).is_none_or(str::is_empty) {
        let text = match call.subresource {
            "proxy" => "address not allowed".to_owned(),
            _ => format!("pod {} does not have a host assigned", object.name()),
        };
        return Err(Status::bad_request(text));
    }
    Err(nothing_runs(call.subresource))
}

fn nothing_runs(what: &str) -> Status {
    let text = format!("{what} is not possible: the containers of this cluster are simulated");
    Status::new(501, Reason::Unknown, text)
}

/// Takes from a new state only what `ephemeralcontainers` or `resize` lets its writers change.
pub(super) fn narrow(subresource: &str, live: &Object, object: &mut Object) {
    let mut spec = live.at(&["spec"]).cloned().unwrap_or_default();
    if subresource == "ephemeralcontainers" {
        if let Some(spec) = spec.as_object_mut() {
            match object.at(&["spec", "ephemeralContainers"]) {
                Some(list) => spec.insert("ephemeralContainers".to_owned(), list.clone()),
                None => spec.remove("ephemeralContainers"),
            };
        }
    } else {
        for field in ["containers", "initContainers"] {
            let own = spec.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten();
            for container in own {
                let mut wanted = object.list(&["spec", field]).iter();
                let wanted = wanted.find(|c| c["name"] == container["name"]);
                for part in ["resources", "resizePolicy"] {
                    if let Some(value) = wanted.and_then(|wanted| wanted.get(part)) {
                        container[part] = value.clone();
                    }
                }
            }
        }
    }
    object.set(&["spec"], spec);
    for field in ["labels", "annotations", "finalizers", "ownerReferences"] {
        match live.at(&["metadata", field]) {
            Some(value) => object.set(&["metadata", field], value.clone()),
            None => {
                object.remove(&["metadata", field]);
            }
        }
    }
}

/// Fields that a container has and an ephemeral one has not.
const NOT_EPHEMERAL: [&str; 5] =
    ["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"];

/// What is wrong with a pod's ephemeral containers: they come and stay as they are.
pub(super) fn faults(live: &Object, object: &Object) -> Vec<Cause> {
    let path = ["spec", "ephemeralContainers"];
    let now = object.list(&path);
    let mut causes = Vec::new();
    let mut forbidden = |field: String, detail: &str| {
        let (reason, message) = ("FieldValueForbidden".to_owned(), format!("Forbidden: {detail}"));
        causes.push(Cause { reason, message, field });
    };
    for (i, container) in now.iter().enumerate() {
        for field in NOT_EPHEMERAL.into_iter().filter(|field| container.get(field).is_some()) {
            let at = format!("spec.ephemeralContainers[{i}].{field}");
            forbidden(at, "cannot be set for an Ephemeral Container");
        }
    }
    for before in live.list(&path) {
        let name = &before["name"];
        match now.iter().find(|container| container["name"] == *name) {
            None => forbidden(
                "spec.ephemeralContainers".to_owned(),
                &format!("existing ephemeral containers {name} may not be removed\n"),
            ),
            Some(container) if container != before => forbidden(
                "spec.ephemeralContainers".to_owned(),
                &format!("existing ephemeral containers {name} may not be changed\n"),
            ),
            Some(_) => {}
        }
    }
    causes
}
