//! The AdmissionReview that a webhook is sent.

use super::matching::Asked;
use crate::api::User;
use crate::object::{Gvr, Object, Value, json};
use crate::sim::rest::auth;

/// The request part of a review, which expressions see as `request`.
pub(super) fn request(asked: &Asked, matched: &Gvr, uid: &str) -> Value {
    let call = asked.call;
    let kind = asked.gvk();
    let own = &call.request.resource;
    let shown = |group: &str, version: &str, key: &str, name: &str| {
        let mut shown = json!({ "group": group, "version": version });
        shown[key] = name.into();
        shown
    };
    let version = if kind.group == own.group { &matched.version } else { &kind.version };
    let mut request = json!({
        "uid": uid,
        "kind": shown(&kind.group, version, "kind", &kind.kind),
        "resource": shown(&matched.group, &matched.version, "resource", &matched.plural),
        "requestKind": shown(&kind.group, &kind.version, "kind", &kind.kind),
        "requestResource": shown(&own.group, &own.version, "resource", &own.plural),
        "operation": asked.operation,
        "userInfo": user_info(call.request.user.as_deref()),
        "object": versioned(asked.object, matched, own),
        "oldObject": versioned(asked.old, matched, own),
        "dryRun": call.dry_run(),
        "options": asked.options(),
    });
    if !call.subresource.is_empty() {
        request["subResource"] = call.subresource.into();
        request["requestSubResource"] = call.subresource.into();
    }
    for (key, value) in [("name", asked.name()), ("namespace", asked.namespace())] {
        if !value.is_empty() {
            request[key] = value.into();
        }
    }
    request
}

/// An object as the version that the webhook asked for.
fn versioned(object: Option<&Object>, matched: &Gvr, own: &Gvr) -> Value {
    let Some(object) = object else { return Value::Null };
    let mut object = object.clone();
    if matched.version != own.version && object.gvk().group == own.group {
        object.set(&["apiVersion"], matched.api_version().into());
    }
    object.into_value()
}

/// A user as reviews show him; a client in this process is the server itself.
pub(super) fn user_info(user: Option<&User>) -> Value {
    let Some(user) = user else {
        return json!({ "username": "system:apiserver", "groups": ["system:masters"] });
    };
    auth::user_info(user)
}
