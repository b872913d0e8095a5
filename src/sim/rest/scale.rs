//! `/scale`: a workload as an autoscaling/v1 Scale, read and written (R-SSA-34).

use std::sync::Arc;

use super::apply::{self, configuration_of};
use super::call::Call;
use super::{Server, patch, update};
use crate::api::{Cause, PatchKind, Reason, Response, Status};
use crate::fields::{self, Applied, Write, scale};
use crate::object::fieldset::Set;
use crate::object::schema::TypeId;
use crate::object::{Gvk, LabelSelector, Object, Value, json};

const VERSION: &str = "autoscaling/v1";

fn live(server: &Server, call: &Call) -> Result<Arc<Object>, Status> {
    let live = server.store.get(&call.resource, &call.key()).cloned();
    live.ok_or_else(|| call.not_found())
}

/// GET.
pub(super) fn get(server: &Server, call: &Call) -> Result<Response, Status> {
    let live = live(server, call)?;
    Ok(Response::object(200, Arc::new(scale_of(&live))))
}

/// PUT.
pub(super) fn update(server: &mut Server, call: &mut Call) -> Result<Response, Status> {
    let live = live(server, call)?;
    let body = call.request.body.as_deref().cloned().unwrap_or_default();
    let config = Object::from_value(body).unwrap_or_default();
    write(server, call, &live, config)
}

/// PATCH.
pub(super) fn patch(
    server: &mut Server,
    call: &mut Call,
    kind: PatchKind,
) -> Result<Response, Status> {
    let live = live(server, call)?;
    if kind == PatchKind::Apply {
        return apply(server, call, &live);
    }
    let document = call.request.body.as_deref().cloned().unwrap_or_default();
    let before = scale_of(&live).into_value();
    let schema = call.kind.schema();
    let after = patch::apply_patch(schema, scale_type(call), kind, before, &document)?;
    write(server, call, &live, Object::from_value(after).unwrap_or_default())
}

fn scale_type(call: &Call) -> TypeId {
    let gvk = Gvk::new("autoscaling", "v1", "Scale");
    call.kind.schema().type_of(&gvk).unwrap_or(TypeId::DEDUCED)
}

/// A workload as its Scale.
fn scale_of(live: &Object) -> Object {
    let mut scale = Object::default();
    scale.set(&["kind"], "Scale".into());
    scale.set(&["apiVersion"], VERSION.into());
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = live.at(&["metadata", field]) {
            scale.set(&["metadata", field], value.clone());
        }
    }
    scale.set(&["spec"], json!({}));
    if let Some(replicas) = live.int(&["spec", "replicas"]).filter(|replicas| *replicas != 0) {
        scale.set(&["spec", "replicas"], replicas.into());
    }
    scale.set(&["status", "replicas"], live.int(&["status", "replicas"]).unwrap_or(0).into());
    let selector = match live.at(&["spec", "selector"]) {
        Some(Value::Object(map)) if live.kind() == "ReplicationController" => {
            LabelSelector::from_map(map)
        }
        Some(selector) => LabelSelector::from_value(selector),
        None => LabelSelector::default(),
    };
    if !selector.is_empty() {
        scale.set(&["status", "selector"], selector.to_string().into());
    }
    scale
}

/// The Scale with the owners of its replicas, who are those of the workload's.
fn tracked(live: &Object) -> Result<Object, Status> {
    let mut object = scale_of(live);
    scale::to_scale(live, &mut object).map_err(unreadable)?;
    Ok(object)
}

fn unreadable(error: fields::NotManaged) -> Status {
    Status::new(500, Reason::Unknown, error.to_string())
}

fn by<'a>(call: &'a Call, none: &'a Set) -> Write<'a> {
    Write { api_version: VERSION, reset: none, ..call.write() }
}

fn write(
    server: &mut Server,
    call: &mut Call,
    live: &Arc<Object>,
    mut scale: Object,
) -> Result<Response, Status> {
    checked(call, &scale)?;
    call.name_as_in_url(&mut scale)?;
    call.place(&mut scale)?;
    let before = tracked(live)?;
    let given = [scale.resource_version().to_owned(), scale.uid().to_owned()];
    let replicas = scale.int(&["spec", "replicas"]).unwrap_or(0);
    let mut after = before.clone();
    after.set(&["spec", "replicas"], replicas.into());
    let none = Set::new();
    let schema = call.kind.schema();
    fields::update(schema, scale_type(call), Some(&before), &mut after, &by(call, &none));
    store(server, call, live, &after, given)
}

fn apply(server: &mut Server, call: &mut Call, live: &Arc<Object>) -> Result<Response, Status> {
    apply::manager_is_named(call)?;
    let config = configuration_of(call, "Scale", VERSION)?;
    checked(call, &config)?;
    let before = tracked(live)?;
    let given = [config.resource_version().to_owned(), config.uid().to_owned()];
    let none = Set::new();
    let force = call.request.options.force;
    let (schema, ty) = (call.kind.schema(), scale_type(call));
    let applied = fields::apply(schema, ty, Some(&before), &config, force, &by(call, &none));
    match applied.map_err(apply::status_of)? {
        Applied::Unchanged => Ok(Response::object(200, Arc::new(scale_of(live)))),
        Applied::Changed(after) => store(server, call, live, &after, given),
    }
}

fn checked(call: &Call, scale: &Object) -> Result<(), Status> {
    let replicas = scale.int(&["spec", "replicas"]).unwrap_or(0);
    if replicas >= 0 {
        return Ok(());
    }
    let cause = Cause {
        reason: "FieldValueInvalid".to_owned(),
        message: format!("Invalid value: {replicas}: must be greater than or equal to 0"),
        field: "spec.replicas".to_owned(),
    };
    Err(Status::invalid("autoscaling", "Scale", call.name, &[cause]))
}

/// Writes the workload as its Scale has become; `given` is the version and the uid that the
/// writer knew.
fn store(
    server: &mut Server,
    call: &mut Call,
    live: &Arc<Object>,
    scale: &Object,
    given: [String; 2],
) -> Result<Response, Status> {
    let mut object = Object::clone(live);
    object.set(&["spec", "replicas"], scale.int(&["spec", "replicas"]).unwrap_or(0).into());
    scale::to_parent(scale, &mut object, &call.kind.api_version).map_err(unreadable)?;
    let [version, uid] = given;
    object.set(&["metadata", "resourceVersion"], version.into());
    if !uid.is_empty() {
        object.set(&["metadata", "uid"], uid.into());
    }
    let written = update::write_over(server, call, live, object)?;
    Ok(Response::object(200, Arc::new(scale_of(&written))))
}
