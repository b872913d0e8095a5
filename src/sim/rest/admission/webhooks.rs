//! Validating and mutating webhooks: whom to ask, and what an answer means (R-FLT-16).
//!
//! Not here: the call itself (`calls`, and whoever carries it out).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::calls::{Calls, WebhookAnswer, WebhookCall, WebhookService};
use super::matching::{Asked, by_labels, by_rules, is_exempt};
use super::{conditions, resource, review};
use crate::api::{Cause, Details, Reason, Status};
use crate::object::schema::{self, form};
use crate::object::{Gvr, Object, Value, json, patch};
use crate::sim::rest::subresources::is_part;
use crate::sim::rest::{Server, defaults, names};
use crate::sim::store::Key;

/// A webhook that wants to see the request.
struct Hook {
    /// The configuration's name and the webhook's place in it.
    id: (String, usize),
    spec: Value,
    /// The resource that its rules name.
    matched: Gvr,
}

impl Hook {
    fn name(&self) -> &str {
        self.spec["name"].as_str().unwrap_or_default()
    }

    fn fails_open(&self) -> bool {
        self.spec["failurePolicy"] == "Ignore"
    }
}

/// The webhooks of a kind of configuration that are for `asked`, in their order.
fn hooks(server: &Server, asked: &Asked, plural: &'static str) -> Vec<Hook> {
    if is_exempt(asked) {
        return Vec::new();
    }
    let configurations = resource("admissionregistration.k8s.io", plural);
    let mut found = Vec::new();
    for configuration in server.store.all_of(&configurations) {
        for (place, spec) in configuration.list(&["webhooks"]).iter().enumerate() {
            let equivalent = spec["matchPolicy"] != "Exact";
            let Some(matched) = by_rules(asked, &spec["rules"], equivalent) else { continue };
            if by_labels(server, asked, spec) {
                let id = (configuration.name().to_owned(), place);
                found.push(Hook { id, spec: spec.clone(), matched });
            }
        }
    }
    found
}

/// Asks the mutating webhooks, and changes the object as they want.
pub(super) fn mutate(
    server: &mut Server,
    asked: &Asked,
    object: Option<&mut Object>,
    warnings: &mut Vec<String>,
) -> Result<bool, Status> {
    let hooks = hooks(server, asked, "mutatingwebhookconfigurations");
    let mut object = object;
    let mut again: Vec<(String, usize)> = Vec::new();
    let mut changed = false;
    for pass in 0..2 {
        // Those that were asked, want to be asked again and have not seen the last change.
        let mut seen: Vec<(String, usize)> = Vec::new();
        let mut stale: Vec<(String, usize)> = Vec::new();
        for hook in &hooks {
            if pass == 1 && !again.contains(&hook.id) {
                continue;
            }
            let current = object.as_deref().cloned();
            let asked = Asked { object: current.as_ref(), ..*asked };
            let Some(answer) = ask(server, &asked, hook, true, warnings)? else { continue };
            let patched = patched(hook, &asked, &answer)?;
            if let (Some(patched), Some(object)) = (patched, object.as_deref_mut()) {
                *object = patched;
                changed = true;
                stale.append(&mut seen);
            }
            if hook.spec["reinvocationPolicy"] == "IfNeeded" {
                seen.push(hook.id.clone());
            }
        }
        again = stale;
        if again.is_empty() {
            break;
        }
    }
    Ok(changed)
}

/// Asks the validating webhooks.
pub(super) fn validate(
    server: &mut Server,
    asked: &Asked,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    for hook in hooks(server, asked, "validatingwebhookconfigurations") {
        ask(server, asked, &hook, false, warnings)?;
    }
    Ok(())
}

/// The answer of a webhook that allows the request; `None` if it was not asked, or could not be
/// and does not matter.
fn ask(
    server: &mut Server,
    asked: &Asked,
    hook: &Hook,
    mutates: bool,
    warnings: &mut Vec<String>,
) -> Result<Option<Value>, Status> {
    let uid = names::uid(&mut server.rng);
    let request = review::request(asked, &hook.matched, &uid);
    match conditions::hold(server, &hook.spec["matchConditions"], &request, None) {
        Ok(true) => {}
        Ok(false) => return Ok(None),
        Err(_) if hook.fails_open() => return Ok(None),
        Err(why) => return Err(asked.call.forbidden(asked.name(), &why)),
    }
    let silent = matches!(hook.spec["sideEffects"].as_str(), Some("None" | "NoneOnDryRun"));
    if asked.call.dry_run() && !silent {
        let text = format!("admission webhook {:?} does not support dry run", hook.name());
        return Err(Status::bad_request(text));
    }
    let call = call_of(hook, request);
    let url = call.url.clone();
    let answer = match missing_service(server, &call) {
        Some(why) => WebhookAnswer::Failed(why),
        None => server.calls.answer(call).ok_or_else(Calls::stop)?,
    };
    let review = match answer {
        WebhookAnswer::Review(review) => checked(&review, &uid, mutates),
        WebhookAnswer::Failed(why) => Err(format!("failed to call webhook: Post {url:?}: {why}")),
    };
    let response = match review {
        Ok(response) => response,
        Err(_) if hook.fails_open() => return Ok(None),
        Err(why) => {
            return Err(internal(&format!("failed calling webhook {:?}: {why}", hook.name())));
        }
    };
    let told = response["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str);
    warnings.extend(told.map(ToOwned::to_owned));
    if response["allowed"] == true {
        return Ok(Some(response));
    }
    Err(denied(hook.name(), &response["status"]))
}

/// Why a Service cannot be called at all.
fn missing_service(server: &Server, call: &WebhookCall) -> Option<String> {
    let service = call.service.as_ref()?;
    let key = Key::new(&service.namespace, &service.name);
    let known = server.store.get(&resource("", "services"), &key).is_some();
    (!known).then(|| format!("service {:?} not found", service.name))
}

/// The response in a review, if it is one to our question.
fn checked(review: &Value, uid: &str, mutates: bool) -> Result<Value, String> {
    let (version, kind) = (text(review, "apiVersion"), text(review, "kind"));
    let (group, short) = version.split_once('/').unwrap_or(("", version));
    if kind != "AdmissionReview" || group != "admission.k8s.io" {
        return Err(format!(
            "failed to call webhook: no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""
        ));
    }
    if short != "v1" {
        return Err(format!(
            "failed to call webhook: converting ({short}.{kind}) to (v1.{kind}): unknown conversion"
        ));
    }
    let invalid = |why: &str| Err(format!("received invalid webhook response: {why}"));
    let response = &review["response"];
    if !response.is_object() {
        return invalid("webhook response was absent");
    }
    let found = text(response, "uid");
    if found != uid {
        return invalid(&format!("expected response.uid={uid:?}, got {found:?}"));
    }
    let (patch, kind) = (text(response, "patch"), response["patchType"].as_str());
    match (patch.is_empty(), kind) {
        (false, _) if !mutates => invalid("validating webhook may not return response.patch"),
        (_, Some(_)) if !mutates => invalid("validating webhook may not return response.patchType"),
        (false, None) => invalid("webhook returned response.patch but not response.patchType"),
        (true, Some(_)) => invalid("webhook returned response.patchType but not response.patch"),
        (false, Some(kind)) if kind != "JSONPatch" => {
            Err(format!("unsupported patch type {kind:?}"))
        }
        _ => Ok(response.clone()),
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn call_of(hook: &Hook, request: Value) -> WebhookCall {
    let config = &hook.spec["clientConfig"];
    let seconds = hook.spec["timeoutSeconds"].as_u64().unwrap_or(10);
    let service = &config["service"];
    let text = |key: &str| service[key].as_str().unwrap_or_default().to_owned();
    let service = service.is_object().then(|| WebhookService {
        namespace: text("namespace"),
        name: text("name"),
        port: service["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(443),
    });
    let base = match &service {
        Some(WebhookService { namespace, name, port }) => {
            let path = text("path");
            let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
            format!("https://{name}.{namespace}.svc:{port}{slash}{path}")
        }
        None => config["url"].as_str().unwrap_or_default().to_owned(),
    };
    let joint = if base.contains('?') { '&' } else { '?' };
    WebhookCall {
        webhook: hook.name().to_owned(),
        url: format!("{base}{joint}timeout={seconds}s"),
        service,
        ca_bundle: config["caBundle"].as_str().unwrap_or_default().to_owned(),
        timeout: Duration::from_secs(seconds),
        body: json!({
            "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request,
        }),
    }
}

/// The object with the patch of an answer, if there is one. Any patch counts as a change.
fn patched(hook: &Hook, asked: &Asked, answer: &Value) -> Result<Option<Object>, Status> {
    let (Some(before), Some(encoded)) = (asked.object, answer["patch"].as_str()) else {
        return Ok(None);
    };
    let document = STANDARD.decode(encoded).ok();
    let document = document.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let Some(document) = document.filter(Value::is_array) else {
        let why =
            format!("failed calling webhook {:?}: received invalid webhook patch", hook.name());
        return Err(internal(&why));
    };
    if document.as_array().is_some_and(Vec::is_empty) {
        return Ok(None);
    }
    let after = patch::json(Value::Object(before.0.clone()), &document).map_err(|error| {
        internal(&misfit(before.clone(), &document).unwrap_or_else(|| error.to_string()))
    })?;
    let call = asked.call;
    if is_part(call.subresource) {
        call.decode(&after, None).map_err(|why| internal(&why))?;
    }
    let no_object = |_| internal("the patch of a webhook made something that is no object");
    let mut after = Object::from_value(after).map_err(no_object)?;
    after.set(&["apiVersion"], before.api_version().into());
    // The next webhook sees the object complete. Defaults by type are those of built-in kinds;
    // others are completed once all have been asked.
    if is_part(call.subresource) && std::ptr::eq(call.kind.schema(), schema::builtin()) {
        form::print_object(call.kind.schema(), call.kind.ty, &mut after);
        defaults::fill(call.kind.ty, &mut after, None);
    }
    Ok(Some(after))
}

/// Why a patch does not fit an object, in the words of the library that upstream patches with.
fn misfit(object: Object, document: &Value) -> Option<String> {
    let mut value = object.into_value();
    for operation in document.as_array()? {
        let one = Value::Array(vec![operation.clone()]);
        match patch::json(value.clone(), &one) {
            Ok(next) => value = next,
            Err(_) => {
                let path = text(operation, "path");
                let key = path.rsplit('/').next().unwrap_or_default();
                return match text(operation, "op") {
                    "remove" => Some(format!(
                        "error in remove for path: '{path}': Unable to remove nonexistent key: {key}: missing value"
                    )),
                    "test" => Some(format!("testing value {path} failed: test failed")),
                    "replace" => Some(format!(
                        "replace operation does not apply: doc is missing key: {path}: missing value"
                    )),
                    "add" => Some(format!(
                        "add operation does not apply: doc is missing path: \"{path}\": missing value"
                    )),
                    _ => None,
                };
            }
        }
    }
    None
}

/// 500 that names its cause.
pub(super) fn internal(why: &str) -> Status {
    let text = format!("Internal error occurred: {why}");
    let mut status = Status::new(500, Reason::InternalError, text);
    let cause = Cause { message: why.to_owned(), ..Cause::default() };
    status.details = Some(Details { causes: vec![cause], ..Details::default() });
    status
}

/// The refusal of a webhook, whose status is never less than 400.
fn denied(webhook: &str, result: &Value) -> Status {
    let by = format!("admission webhook {webhook:?} denied the request");
    let text = |key: &str| result[key].as_str().unwrap_or_default();
    let message = match (text("message"), text("reason")) {
        ("", "") => format!("{by} without explanation"),
        ("", reason) => format!("{by}: {reason}"),
        (message, _) => format!("{by}: {message}"),
    };
    let code = result["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(0);
    let reason =
        crate::object::value::from_value(result["reason"].clone()).unwrap_or(Reason::Unknown);
    let mut status = Status::new(code.max(400), reason, message);
    status.details = crate::object::value::from_value(result["details"].clone()).ok();
    status
}
