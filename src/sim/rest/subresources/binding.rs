//! `binding`: puts a pod on a node, once.

use super::super::call::Call;
use super::super::{Server, admission};
use super::{success, untyped};
use crate::api::{Response, Status};
use crate::object::{Gvr, Object, Value, json};
use crate::sim::store::{Key, Resource};

/// POST to `pods/NAME/binding`, or of a Binding to the namespace.
pub(super) fn bind(server: &mut Server, call: &mut Call) -> Result<Response, Status> {
    let body = call.request.body.as_deref().cloned().unwrap_or_default();
    let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    let own = text(&body["metadata"], "name");
    let name = if call.name.is_empty() { own.as_str() } else { call.name };
    if !own.is_empty() && own != name {
        return Err(Status::bad_request("name in URL does not match name in Binding object"));
    }
    let target = &body["target"];
    let (kind, node) = (text(target, "kind"), text(target, "name"));
    if !matches!(kind.as_str(), "" | "Node") {
        return Err(untyped(format!(
            "target.kind: Unsupported value: {kind:?}: supported values: \"Node\", \"<empty>\""
        )));
    }
    if node.is_empty() {
        return Err(untyped("target.name: Required value"));
    }
    let pods = Resource { group: "".into(), plural: "pods".into() };
    let key = Key::new(call.namespace, name);
    let pod = server.store.get(&pods, &key).cloned();
    let pod = pod.ok_or_else(|| Status::not_found(&Gvr::new("", "v1", "pods"), name))?;
    let mut binding = Object::from_value(body.clone()).unwrap_or_default();
    binding.set(&["metadata", "namespace"], call.namespace.into());
    admission::on_posted(server, call, &binding)?;
    is_free(&pod)?;
    let mut object = Object::clone(&pod);
    object.set(&["spec", "nodeName"], node.into());
    for field in ["labels", "annotations"] {
        for (key, value) in body["metadata"][field].as_object().into_iter().flatten() {
            object.set(&["metadata", field, key], value.clone());
        }
    }
    let mut conditions = object.list(&["status", "conditions"]).to_vec();
    conditions.retain(|c| c["type"] != *"PodScheduled");
    conditions.push(json!({ "type": "PodScheduled", "status": "True", "lastProbeTime": null,
        "lastTransitionTime": call.now.rfc3339() }));
    object.set(&["status", "conditions"], Value::Array(conditions));
    // What was kept for it elsewhere is not any more.
    object.remove(&["status", "nominatedNodeName"]);
    if !call.dry_run() {
        server.store.put(&pods, key, object);
    }
    Ok(success(201))
}

/// 409 that names the subresource, as the real server's does.
fn is_free(pod: &Object) -> Result<(), Status> {
    let name = pod.name();
    let conflict =
        |why: String| Err(Status::conflict(&Gvr::new("", "v1", "pods/binding"), name, &why));
    if pod.is_deleting() {
        return conflict(format!("pod {name} is being deleted, cannot be assigned to a host"));
    }
    let bound = pod.text(&["spec", "nodeName"]).unwrap_or_default();
    if !bound.is_empty() {
        return conflict(format!("pod {name} is already assigned to node {bound:?}"));
    }
    if !pod.list(&["spec", "schedulingGates"]).is_empty() {
        return conflict(format!("pod {name} has non-empty .spec.schedulingGates"));
    }
    Ok(())
}
