//! PATCH other than apply: the live object with a patch applied, then as an update (R-PAT).

use super::call::Call;
use super::{Server, apply, custom, scale, subresources, update};
use crate::api::{Cause, Details, PatchKind, Reason, Response, Status, Verb};
use crate::object::patch::{self, PatchError};
use crate::object::schema::{Schema, TypeId, order};
use crate::object::{Map, Object, Value, pointer_steps};

pub(super) fn answer(
    server: &mut Server,
    call: &mut Call,
    kind: PatchKind,
) -> Result<Response, Status> {
    if call.name.is_empty() {
        return Err(call.no_such_method());
    }
    match call.subresource {
        part if subresources::is_part(part) => {}
        "scale" => return scale::patch(server, call, kind),
        _ => return Err(Status::method_not_allowed()),
    }
    if kind == PatchKind::Apply {
        return apply::answer(server, call);
    }
    if kind == PatchKind::Strategic && call.kind.custom.is_some() {
        return Err(unsupported());
    }
    let live = custom::live(server, call);
    let live = live.ok_or_else(|| call.not_found())?;
    let patch = call.request.body.as_deref().unwrap_or(&Value::Null);
    let before = Object::clone(&live).into_value();
    let patched = apply_patch(call.kind.schema(), call.kind.ty, kind, before, patch)?;
    let mut object = decoded(call, &live, patched)?;
    call.name_as_in_url(&mut object)?;
    call.place(&mut object)?;
    let object = update::from_decoded(server, call, &live, object)?;
    Ok(Response::object(200, object))
}

/// Objects without a Go type cannot be merged by its rules.
fn unsupported() -> Status {
    let text = "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    Status::new(415, Reason::UnsupportedMediaType, text)
}

/// Applies a patch to a value of a kind.
pub(super) fn apply_patch(
    schema: &Schema,
    ty: TypeId,
    kind: PatchKind,
    before: Value,
    document: &Value,
) -> Result<Value, Status> {
    let patched = match kind {
        PatchKind::Json => patch::json(before, document),
        PatchKind::Strategic => patch::strategic(schema, ty, before, document),
        PatchKind::Merge | PatchKind::Apply => patch::merge(before, document),
    };
    patched.map_err(|error| match error {
        PatchError::Malformed(text) => Status::bad_request(text),
        PatchError::TooLong { .. } => {
            let text = format!("Request entity too large: {error}");
            Status::new(413, Reason::RequestEntityTooLarge, text)
        }
        PatchError::Rejected(_) => {
            let text = "the server rejected our request due to an error in our request";
            let mut status = Status::new(422, Reason::Invalid, text);
            status.details = Some(Details::default());
            status
        }
        PatchError::Failed(text) => Status::new(500, Reason::Unknown, text),
    })
}

/// The object that a patch gave, or why it is none of its kind (R-PAT-05).
fn decoded(call: &mut Call, live: &Object, patched: Value) -> Result<Object, Status> {
    if let (Some(_), Value::Object(map)) = (&call.kind.custom, &patched) {
        if matches!(map.get("kind"), None | Some(Value::Null)) {
            return Err(not_decoded(patched.to_string(), &custom::without_kind(map)));
        }
        custom::types_fit(&call.kind, map, None)?;
    }
    let result = is_of_kind(call, &patched)
        .and_then(|()| call.decode(&patched, Some(live)))
        .and_then(|problems| call.tell_or_refuse(problems));
    if let Err(why) = result {
        return Err(not_decoded(shown(call, &patched), &why));
    }
    Object::from_value(patched).map_err(|_| Status::bad_request("not an object"))
}

fn not_decoded(shown: String, why: &str) -> Status {
    let shown = Value::String(shown.into());
    let cause = Cause {
        reason: "FieldValueInvalid".to_owned(),
        message: format!("Invalid value: {shown}: {why}"),
        field: "patch".to_owned(),
    };
    Status::invalid("", "", "", &[cause])
}

/// The patched document in an error's text.
fn shown(call: &Call, patched: &Value) -> String {
    let patch = call.request.body.as_deref();
    match (call.request.verb, patch) {
        _ if call.kind.custom.is_some() => patched.to_string(),
        (Verb::Patch(PatchKind::Strategic), Some(patch)) => as_go_prints(patch),
        (Verb::Patch(PatchKind::Json), Some(patch)) => {
            order::patched_text(call.kind.ty, patched, Some(&taken_apart(patch)))
        }
        _ => order::patched_text(call.kind.ty, patched, patch),
    }
}

/// A patch as Go's `%v` prints it.
fn as_go_prints(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(as_go_prints).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(map) => {
            let fields = map.iter().map(|(key, value)| format!("{key}:{}", as_go_prints(value)));
            format!("map[{}]", fields.collect::<Vec<_>>().join(" "))
        }
        other => other.to_string(),
    }
}

/// The maps that a JSON patch had to take apart, as maps in a map: what is in those stands in the
/// order of their keys afterwards.
fn taken_apart(patch: &Value) -> Value {
    let mut apart = Value::Object(Map::new());
    for operation in patch.as_array().into_iter().flatten() {
        for key in ["path", "from"] {
            let Some(path) = operation.get(key).and_then(Value::as_str) else { continue };
            let Some(steps) = pointer_steps(path) else { continue };
            let mut steps: Vec<String> = steps.collect();
            steps.pop();
            let mut at = &mut apart;
            for step in steps {
                let Some(map) = at.as_object_mut() else { break };
                if !map.contains_key(step.as_str()) {
                    map.insert(step.clone(), Value::Object(Map::new()));
                }
                let Some(below) = map.get_mut(step.as_str()) else { break };
                at = below;
            }
        }
    }
    apart
}

fn is_of_kind(call: &Call, patched: &Value) -> Result<(), String> {
    if call.kind.custom.is_some() {
        return Ok(());
    }
    let text = |key: &str| patched.get(key).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    if kind == call.kind.name() && version == call.kind.api_version {
        return Ok(());
    }
    let short = version.rsplit('/').next().unwrap_or_default();
    Err(format!("unable to decode {version}, Kind={kind} into *{short}.{}", call.kind.name()))
}
