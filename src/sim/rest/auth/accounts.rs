//! Tokens of service accounts: POST to `serviceaccounts/NAME/token`.
//!
//! Not here: whom such a token shows (`bearers`).

use std::sync::Arc;
use std::time::Duration;

use super::{account_user, token};
use crate::api::{Cause, Response, Status};
use crate::base::Time;
use crate::fields::{self, Write};
use crate::object::fieldset::Set;
use crate::object::schema::form;
use crate::object::{Gvk, Gvr, Map, Object, Value, json};
use crate::sim::rest::call::Call;
use crate::sim::rest::{Server, admission, names};
use crate::sim::store::{Key, Resource};

const VERSION: &str = "authentication.k8s.io/v1";
/// What the kubelet asks for: such a token of a pod lives on for a year, with a warning.
const WARN_ONLY_SECONDS: i64 = 3607;
const YEAR_SECONDS: i64 = 365 * 24 * 3600;

/// POST to `/token`.
pub(in crate::sim::rest) fn request_token(
    server: &mut Server,
    call: &mut Call,
) -> Result<Response, Status> {
    let mut request =
        super::questions::body(call, &Gvk::new("authentication.k8s.io", "v1", "TokenRequest"))?;
    call.place(&mut request)?;
    if !request.name().is_empty() && request.name() != call.name {
        let cause = invalid(
            "metadata.name",
            &request.name().into(),
            "must match the service account name if specified",
        );
        return Err(Status::invalid("authentication.k8s.io", "TokenRequest", call.name, &[cause]));
    }
    let account = server.store.get(&call.resource, &call.key()).cloned();
    let namespaces = Resource { group: "".into(), plural: "namespaces".into() };
    if account.is_none() && server.store.get(&namespaces, &Key::new("", call.namespace)).is_none() {
        return Err(Status::not_found(&Gvr::new("", "v1", "namespaces"), call.namespace));
    }
    let account = account.ok_or_else(|| call.not_found())?;
    complete(call, &account, &server.auth.issuer, &mut request)?;
    admission::on_posted(server, call, &request)?;
    let bound = bound_to(server, call, &request)?;
    let asked = request.int(&["spec", "expirationSeconds"]).unwrap_or(3600);
    let audiences = request.list(&["spec", "audiences"]).to_vec();
    let claims = claims(server, call.now, &account, &bound, asked, audiences);
    let expires = call.now + Duration::from_secs(u64::try_from(asked).unwrap_or(0));
    request.set(&["status", "token"], token::write(&*server.auth.key, &claims).into());
    request.set(&["status", "expirationTimestamp"], expires.rfc3339().into());
    Ok(Response::object(201, Arc::new(request)))
}

/// Fills in what the request leaves to the server, and refuses what cannot be.
fn complete(
    call: &Call,
    account: &Object,
    issuer: &str,
    request: &mut Object,
) -> Result<(), Status> {
    if request.int(&["spec", "expirationSeconds"]).is_none_or(|seconds| seconds == 0) {
        request.set(&["spec", "expirationSeconds"], 3600.into());
    }
    if request.at(&["spec", "boundObjectRef"]).is_none() {
        request.set(&["spec", "boundObjectRef"], Value::Null);
    }
    if request.list(&["spec", "audiences"]).is_empty() {
        request.remove(&["spec", "audiences"]);
    }
    track(call, request);
    if request.list(&["spec", "audiences"]).is_empty() {
        request.set(&["spec", "audiences"], json!([issuer]));
    }
    for field in ["name", "namespace", "uid"] {
        let own = account.text(&["metadata", field]).unwrap_or_default();
        let given = request.text(&["metadata", field]).unwrap_or_default();
        if field == "uid" && !given.is_empty() && given != own {
            let why = format!(
                "the UID in the token request ({given}) does not match the UID of the service account ({own})"
            );
            let gvr = Gvr::new("authentication.k8s.io", "", "TokenRequest");
            return Err(Status::conflict(&gvr, call.name, &why));
        }
        request.set(&["metadata", field], own.into());
    }
    request.set(&["metadata", "creationTimestamp"], call.now.rfc3339().into());
    let seconds = request.int(&["spec", "expirationSeconds"]).unwrap_or(3600);
    let fault = match seconds {
        ..600 => Some("may not specify a duration less than 10 minutes"),
        4_294_967_297.. => Some("may not specify a duration larger than 2^32 seconds"),
        _ => None,
    };
    fault.map_or(Ok(()), |detail| {
        let cause = invalid("spec.expirationSeconds", &seconds.into(), detail);
        Err(Status::invalid("authentication.k8s.io", "TokenRequest", "", &[cause]))
    })
}

fn invalid(field: &str, value: &Value, detail: &str) -> Cause {
    Cause {
        reason: "FieldValueInvalid".to_owned(),
        message: format!("Invalid value: {value}: {detail}"),
        field: field.to_owned(),
    }
}

/// The request has managed fields, as any object that is sent.
fn track(call: &Call, request: &mut Object) {
    let schema = call.kind.schema();
    let gvk = Gvk::new("authentication.k8s.io", "v1", "TokenRequest");
    let Some(ty) = schema.type_of(&gvk) else { return };
    form::print_object(schema, ty, request);
    let none = Set::new();
    let write = Write { api_version: VERSION, reset: &none, ..call.write() };
    fields::update(schema, ty, None, request, &write);
}

/// An object that a token is bound to, as its claims name it.
type Bound = Vec<(&'static str, Value)>;

fn bound_to(server: &Server, call: &Call, request: &Object) -> Result<Bound, Status> {
    let Some(reference) = request.at(&["spec", "boundObjectRef"]).filter(|r| r.is_object()) else {
        return Ok(Vec::new());
    };
    let text = |key: &str| reference.get(key).and_then(Value::as_str).unwrap_or_default();
    let (kind, name) = (text("kind"), text("name"));
    let (claim, plural, namespace) = match (text("apiVersion"), kind) {
        ("v1", "Pod") => ("pod", "pods", call.namespace),
        ("v1", "Secret") => ("secret", "secrets", call.namespace),
        ("v1", "Node") => ("node", "nodes", ""),
        (version, _) => {
            let gvk = Gvk::from_api_version(version, kind);
            let text = format!(
                "cannot bind token to object of type {}/{}, Kind={kind}",
                gvk.group, gvk.version
            );
            return Err(Status::bad_request(text));
        }
    };
    if name.is_empty() {
        return Err(Status::bad_request("Name parameter required."));
    }
    let resource = Resource { group: "".into(), plural: plural.into() };
    let object = server.store.get(&resource, &Key::new(namespace, name));
    let object = object.ok_or_else(|| Status::not_found(&Gvr::new("", "v1", plural), name))?;
    let mut bound = vec![(claim, reference_to(object))];
    if kind == "Pod" {
        if object.text(&["spec", "serviceAccountName"]) != Some(call.name) {
            return Err(Status::bad_request(format!(
                "cannot bind token for serviceaccount {:?} to pod running with different serviceaccount name.",
                call.name
            )));
        }
        bound.extend(node_of(server, object).map(|node| ("node", node)));
    }
    let wanted = text("uid");
    if !wanted.is_empty() && wanted != object.uid() {
        let why = format!(
            "the UID in the bound object reference ({wanted}) does not match the UID in record. The object might have been deleted and then recreated"
        );
        let gvr = Gvr { plural: kind.to_owned().into(), ..Gvr::new("", "v1", "") };
        return Err(Status::conflict(&gvr, name, &why));
    }
    Ok(bound)
}

fn reference_to(object: &Object) -> Value {
    json!({ "name": object.name(), "uid": object.uid() })
}

/// The node that a pod is on, known or not.
fn node_of(server: &Server, pod: &Object) -> Option<Value> {
    let name = pod.text(&["spec", "nodeName"]).filter(|name| !name.is_empty())?;
    let nodes = Resource { group: "".into(), plural: "nodes".into() };
    let node = server.store.get(&nodes, &Key::new("", name));
    Some(node.map_or_else(|| json!({ "name": name }), |node| reference_to(node)))
}

fn claims(
    server: &mut Server,
    now: Time,
    account: &Object,
    bound: &Bound,
    asked_seconds: i64,
    audiences: Vec<Value>,
) -> Value {
    let issued = seconds(now);
    let mut own = Map::new();
    own.insert("namespace".to_owned(), account.namespace().into());
    own.insert("serviceaccount".to_owned(), reference_to(account));
    for (claim, reference) in bound {
        own.insert((*claim).to_owned(), reference.clone());
    }
    let for_us = audiences.iter().all(|audience| *audience == *server.auth.issuer);
    let of_pod = bound.iter().any(|(claim, _)| *claim == "pod");
    let mut lifetime = asked_seconds;
    if of_pod && for_us && asked_seconds == WARN_ONLY_SECONDS {
        own.insert("warnafter".to_owned(), (issued + asked_seconds).into());
        lifetime = YEAR_SECONDS;
    }
    json!({
        "aud": audiences,
        "exp": issued + lifetime,
        "iat": issued,
        "iss": server.auth.issuer,
        "jti": names::uid(&mut server.rng),
        "kubernetes.io": own,
        "nbf": issued,
        "sub": account_user(account.namespace(), account.name()),
    })
}

pub(super) fn seconds(time: Time) -> i64 {
    i64::try_from(time.as_micros() / 1_000_000).unwrap_or(i64::MAX)
}
