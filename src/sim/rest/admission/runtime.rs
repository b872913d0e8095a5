//! RuntimeClass: the overhead and the scheduling of a pod's class.

use std::sync::Arc;

use super::resource;
use crate::api::Status;
use crate::object::{Object, Value};
use crate::sim::rest::Server;
use crate::sim::rest::call::Call;
use crate::sim::store::Key;

fn class_of(server: &Server, call: &Call, pod: &Object) -> Result<Option<Arc<Object>>, Status> {
    let Some(name) = pod.text(&["spec", "runtimeClassName"]) else { return Ok(None) };
    let class = server.store.get(&resource("node.k8s.io", "runtimeclasses"), &Key::new("", name));
    let missing = || {
        let why = format!("pod rejected: RuntimeClass {name:?} not found");
        call.forbidden(pod.name(), &why)
    };
    class.cloned().map(Some).ok_or_else(missing)
}

fn differs(call: &Call, pod: &Object) -> Status {
    let why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
    call.forbidden(pod.name(), why)
}

/// Gives a new pod what its class says.
pub(super) fn set(server: &Server, call: &Call, pod: &mut Object) -> Result<(), Status> {
    let Some(class) = class_of(server, call, pod)? else { return Ok(()) };
    if let Some(overhead) = class.at(&["overhead", "podFixed"]) {
        let own = pod.at(&["spec", "overhead"]);
        if own.is_some_and(|own| own != overhead) {
            return Err(differs(call, pod));
        }
        pod.set(&["spec", "overhead"], overhead.clone());
    }
    let selector = class.at(&["scheduling", "nodeSelector"]).and_then(Value::as_object);
    for (key, value) in selector.into_iter().flatten() {
        let path = ["spec", "nodeSelector", key.as_str()];
        let (wanted, own) = (value.as_str().unwrap_or_default(), pod.text(&path));
        if let Some(own) = own.filter(|own| *own != wanted) {
            let why = format!(
                "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {wanted}; pod.spec.nodeSelector[{key}] = {own}"
            );
            return Err(call.forbidden(pod.name(), &why));
        }
        pod.set(&path, value.clone());
    }
    let more = class.list(&["scheduling", "tolerations"]);
    if !more.is_empty() {
        let mut tolerations = pod.list(&["spec", "tolerations"]).to_vec();
        for toleration in more {
            if !tolerations.contains(toleration) {
                tolerations.push(toleration.clone());
            }
        }
        pod.set(&["spec", "tolerations"], Value::Array(tolerations));
    }
    Ok(())
}

/// Refuses an overhead that is not that of the class.
pub(super) fn check(server: &Server, call: &Call, pod: &Object) -> Result<(), Status> {
    let class = class_of(server, call, pod)?;
    let wanted = class.as_ref().and_then(|class| class.at(&["overhead", "podFixed"]));
    let own = pod.at(&["spec", "overhead"]);
    match (wanted, own) {
        (None, Some(_)) => {
            let why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";
            Err(call.forbidden(pod.name(), why))
        }
        (Some(wanted), own) if own != Some(wanted) => Err(differs(call, pod)),
        _ => Ok(()),
    }
}
