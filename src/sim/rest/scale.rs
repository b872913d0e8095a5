//! `/scale`: a workload as an autoscaling/v1 Scale, read and written (R-SSA-34).

use std::sync::Arc;

use super::apply::{self, configuration_of};
use super::call::Call;
use super::kinds::Kind;
use super::{Server, custom, patch, update};
use crate::api::{Cause, PatchKind, Reason, Response, Status};
use crate::fields::{self, Applied, Write, scale};
use crate::object::fieldset::Set;
use crate::object::schema::{self, TypeId};
use crate::object::{Gvk, LabelSelector, Object, Value, json};
use crate::sim::crd;

const VERSION: &str = "autoscaling/v1";

fn live(server: &Server, call: &Call) -> Result<Arc<Object>, Status> {
    custom::live(server, call).ok_or_else(|| call.not_found())
}

/// Where a kind keeps what its Scale shows.
struct Paths<'p> {
    spec: Vec<&'p str>,
    status: Vec<&'p str>,
    /// `None` for a built-in kind, whose selector is `spec.selector`.
    selector: Option<Vec<&'p str>>,
}

fn paths(kind: &Kind) -> Paths<'_> {
    let keys = |path: &'static str| -> Vec<&'static str> { path.split('.').collect() };
    let Some(scale) = kind.custom.as_ref().and_then(|version| version.scale.as_ref()) else {
        let (spec, status) = (keys("spec.replicas"), keys("status.replicas"));
        return Paths { spec, status, selector: None };
    };
    Paths {
        spec: crd::path_keys(&scale.spec_replicas),
        status: crd::path_keys(&scale.status_replicas),
        selector: Some(scale.label_selector.as_deref().map_or_else(Vec::new, crd::path_keys)),
    }
}

/// GET.
pub(super) fn get(server: &Server, call: &Call) -> Result<Response, Status> {
    let live = live(server, call)?;
    Ok(Response::object(200, Arc::new(scale_of(call, &live))))
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
    let before = scale_of(call, &live).into_value();
    let schema = schema::builtin();
    let after = patch::apply_patch(schema, scale_type(), kind, before, &document)?;
    write(server, call, &live, Object::from_value(after).unwrap_or_default())
}

fn scale_type() -> TypeId {
    let gvk = Gvk::new("autoscaling", "v1", "Scale");
    schema::builtin().type_of(&gvk).unwrap_or(TypeId::DEDUCED)
}

/// A workload as its Scale.
fn scale_of(call: &Call, live: &Object) -> Object {
    let paths = paths(&call.kind);
    let mut scale = Object::default();
    scale.set(&["kind"], "Scale".into());
    scale.set(&["apiVersion"], VERSION.into());
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = live.at(&["metadata", field]) {
            scale.set(&["metadata", field], value.clone());
        }
    }
    scale.set(&["spec"], json!({}));
    if let Some(replicas) = live.int(&paths.spec).filter(|replicas| *replicas != 0) {
        scale.set(&["spec", "replicas"], replicas.into());
    }
    scale.set(&["status", "replicas"], live.int(&paths.status).unwrap_or(0).into());
    if let Some(path) = &paths.selector {
        if let Some(selector) = live.text(path).filter(|text| !text.is_empty()) {
            scale.set(&["status", "selector"], selector.into());
        }
        return scale;
    }
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
fn tracked(call: &Call, live: &Object) -> Result<Object, Status> {
    let mut object = scale_of(call, live);
    scale::to_scale(live, &mut object, &paths(&call.kind).spec).map_err(unreadable)?;
    Ok(object)
}

/// A workload's new or old state as those see it who are asked about a write of its Scale.
pub(super) fn as_reviewed(call: &Call, workload: &Object) -> Object {
    tracked(call, workload).unwrap_or_else(|_| scale_of(call, workload))
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
    let before = tracked(call, live)?;
    let given = [scale.resource_version().to_owned(), scale.uid().to_owned()];
    let replicas = scale.int(&["spec", "replicas"]).unwrap_or(0);
    let mut after = before.clone();
    // None at all is not written, and thus nobody's.
    if replicas == 0 {
        after.remove(&["spec", "replicas"]);
    } else {
        after.set(&["spec", "replicas"], replicas.into());
    }
    let none = Set::new();
    let schema = schema::builtin();
    fields::update(schema, scale_type(), Some(&before), &mut after, &by(call, &none));
    store(server, call, live, &after, given)
}

fn apply(server: &mut Server, call: &mut Call, live: &Arc<Object>) -> Result<Response, Status> {
    apply::manager_is_named(call)?;
    let config = configuration_of(call, "Scale", VERSION)?;
    checked(call, &config)?;
    let before = tracked(call, live)?;
    if call.kind.custom.is_some() {
        return Err(inconvertible(&before, &config));
    }
    let given = [config.resource_version().to_owned(), config.uid().to_owned()];
    let none = Set::new();
    let force = call.request.options.force;
    let (schema, ty) = (schema::builtin(), scale_type());
    let applied = fields::apply(schema, ty, Some(&before), &config, force, &by(call, &none));
    match applied.map_err(apply::status_of)? {
        Applied::Unchanged => Ok(Response::object(200, Arc::new(scale_of(call, live)))),
        Applied::Changed(after) => store(server, call, live, &after, given),
    }
}

/// An apply to the Scale of a custom resource fails upstream, which tries to convert it as if it
/// were one.
fn inconvertible(before: &Object, config: &Object) -> Status {
    let what = if before.list(&["metadata", "managedFields"]).is_empty() {
        "create manager for existing fields: failed to convert live object (/".to_owned()
    } else {
        format!("convert new object ({}/{}", config.namespace(), config.name())
    };
    let text = format!(
        "failed to {what}; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1"
    );
    Status::new(500, Reason::Unknown, text)
}

fn checked(call: &Call, scale: &Object) -> Result<(), Status> {
    let replicas = scale.int(&["spec", "replicas"]).unwrap_or(0);
    // Of a custom resource the object itself is judged.
    if replicas >= 0 || call.kind.custom.is_some() {
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
    let kind = Arc::clone(&call.kind);
    let path = paths(&kind).spec;
    object.set(&path, scale.int(&["spec", "replicas"]).unwrap_or(0).into());
    scale::to_parent(scale, &mut object, &kind.api_version, &path).map_err(unreadable)?;
    let [version, uid] = given;
    if !version.is_empty() {
        object.set(&["metadata", "resourceVersion"], version.into());
    }
    if !uid.is_empty() {
        object.set(&["metadata", "uid"], uid.into());
    }
    let written = update::write_over(server, call, live, object)?;
    Ok(Response::object(200, Arc::new(scale_of(call, &written))))
}
