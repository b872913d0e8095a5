//! What is sent to ask for something: reading it, and what is wrong with it.

use crate::api::{Cause, Status};
use crate::object::schema::check::{self, Mode, ProblemKind};
use crate::object::{Gvk, Object, Value};
use crate::sim::rest::call::Call;

/// An object of a kind that is not the resource's, which a subresource takes.
pub(super) fn body(call: &mut Call, gvk: &Gvk) -> Result<Object, Status> {
    let kind = &*gvk.kind;
    let version = &*gvk.version;
    let Some(Value::Object(body)) = call.request.body.as_deref() else {
        let text = format!("the object provided is unrecognized (must be of type {kind})");
        return Err(Status::bad_request(text));
    };
    let mut object = Object(body.clone());
    let found = object.kind().to_owned();
    if !found.is_empty() && found != kind {
        let own = object.gvk();
        let package = gvk.group.split('.').next().filter(|p| !p.is_empty()).unwrap_or("core");
        let own = &own.version;
        return Err(Status::bad_request(format!(
            "{found} in version {own:?} cannot be handled as a {kind}: converting ({own}.{found}) to ({package}.{kind}): unknown conversion"
        )));
    }
    let unreadable = |why: String| {
        let text = format!("{kind} in version {version:?} cannot be handled as a {kind}: {why}");
        Status::bad_request(text)
    };
    let schema = call.kind.schema();
    if let Some(ty) = schema.type_of(gvk) {
        let problems = check::check(schema, ty, &Value::Object(body.clone()), Mode::Decode);
        if let Some(wrong) = problems.iter().find(|p| p.kind == ProblemKind::WrongType) {
            return Err(unreadable(wrong.message.clone()));
        }
        let unknown = problems.into_iter().map(|problem| problem.message).collect();
        call.tell_or_refuse(unknown).map_err(unreadable)?;
    }
    object.set(&["kind"], kind.into());
    object.set(&["apiVersion"], gvk.api_version().into());
    Ok(object)
}

/// What is wrong with a question of what somebody may do.
pub(super) fn faults(kind: &str, review: &Object) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut invalid = |field: &str, value: String, detail: &str| {
        let message = format!("Invalid value: {value}: {detail}");
        let reason = "FieldValueInvalid".to_owned();
        causes.push(Cause { reason, message, field: field.to_owned() });
    };
    let resource = review.at(&["spec", "resourceAttributes"]).filter(|v| v.is_object());
    let path = review.at(&["spec", "nonResourceAttributes"]).filter(|v| v.is_object());
    let shown = path.map(|path| {
        let text = |key: &str| path.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("{{\"Path\":{:?},\"Verb\":{:?}}}", text("path"), text("verb"))
    });
    match (resource, &shown) {
        (Some(_), Some(shown)) => {
            let detail = "cannot be specified in combination with resourceAttributes";
            invalid("spec.nonResourceAttributes", shown.clone(), detail);
        }
        (None, None) => {
            let detail =
                "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            invalid("spec.resourceAttributes", "null".to_owned(), detail);
        }
        _ => {}
    }
    if kind != "SelfSubjectAccessReview"
        && review.text(&["spec", "user"]).is_none_or(str::is_empty)
        && review.list(&["spec", "groups"]).is_empty()
    {
        let detail = "at least one of user or group must be specified";
        invalid("spec.user", "\"\"".to_owned(), detail);
    }
    let is_local = kind == "LocalSubjectAccessReview";
    let empty = Value::Null;
    let metadata = review.at(&["metadata"]).unwrap_or(&empty);
    let fields = metadata.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    let given = fields.filter(|key| *key != "managedFields" && !(is_local && *key == "namespace"));
    if given.count() > 0 {
        let detail = if is_local { "must be empty except for namespace" } else { "must be empty" };
        invalid("metadata", metadata.to_string(), detail);
    }
    if is_local {
        let asked = resource.and_then(|r| r.get("namespace")).and_then(Value::as_str);
        let asked = asked.unwrap_or_default();
        if resource.is_some() && asked != review.namespace() {
            let field = "spec.resourceAttributes.namespace";
            invalid(field, format!("{asked:?}"), "must match metadata.namespace");
        }
        if let Some(shown) = shown {
            let detail = "disallowed on this kind of request";
            invalid("spec.nonResourceAttributes", shown, detail);
        }
    }
    causes
}
