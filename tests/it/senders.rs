//! Who sends a recorded request, by its headers, and what the tokens in answers say.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use towtank::api::path::Incoming;
use towtank::api::{Request, Status};
use towtank::base::Time;
use towtank::object::{Value, json};
use towtank::sim::rest::{Asked, Credentials, Impersonate, WebhookAnswer};
use towtank::sim::{Handled, Server};

/// What the headers of a request show of its sender.
pub(crate) struct Sender {
    authorization: String,
    impersonate: Option<Impersonate>,
}

impl Sender {
    /// Reads recorded headers; who shows nothing else has `token`.
    pub(crate) fn read(headers: &Value, token: &str) -> Self {
        let own = headers.get("Authorization").and_then(Value::as_str);
        let authorization = own.map_or_else(|| format!("Bearer {token}"), ToOwned::to_owned);
        let each = headers.as_object().into_iter().flatten().flat_map(|(key, value)| {
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            values.iter().filter_map(move |value| Some((key.as_str(), value.as_str()?)))
        });
        let impersonate = Impersonate::of_headers(each);
        Self { authorization, impersonate }
    }

    /// Puts the user into a request, as a server on the wire does.
    pub(crate) fn sign(
        &self,
        server: &mut Server,
        now: Time,
        incoming: &Incoming,
        parsed: &mut Result<Request, Status>,
    ) -> Result<(), Status> {
        let credentials = Credentials {
            proxied: None,
            certificate: None,
            authorization: Some(&self.authorization),
            impersonate: self.impersonate.as_ref(),
        };
        let method = incoming.method.to_lowercase();
        match parsed {
            Ok(request) => {
                let user = server.authenticate(now, &credentials, &Asked::Request(request))?;
                request.user = Some(user);
                Ok(())
            }
            Err(status) if status.message == "404 page not found" => {
                let path = incoming.target.split('?').next().unwrap_or_default();
                let verb = if method == "get" { "get" } else { method.as_str() };
                let asked = Asked::Path(verb, path);
                let user = server.authenticate(now, &credentials, &asked)?;
                server.authorize_path(&user, verb, path)
            }
            Err(_) => Ok(()),
        }
    }
}

/// Answers the webhooks of a request as recorded, and notes what they were asked.
pub(crate) fn answer_webhooks(
    server: &mut Server,
    mut handled: Handled,
    answers: &Value,
    reviews: &mut Vec<Value>,
) -> Handled {
    while let Some(call_out) = handled.call_out.take() {
        let url = call_out.call.url.split('?').next().unwrap_or_default();
        let path = url.rsplit('/').next().unwrap_or_default();
        let request = &call_out.call.body["request"];
        reviews.push(json!([path, request]));
        let mut response = json!({ "uid": request["uid"], "allowed": true });
        let review = match answers.get(path) {
            Some(Value::String(body)) => serde_json::from_str(body).unwrap_or_default(),
            answer => {
                for (key, value) in answer.and_then(Value::as_object).into_iter().flatten() {
                    let is_patch = key == "patch" && value.is_array();
                    let encoded = STANDARD.encode(value.to_string()).into();
                    response[key] = if is_patch { encoded } else { value.clone() };
                }
                json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                    "response": response })
            }
        };
        handled = server.resume(*call_out, WebhookAnswer::Review(review));
    }
    handled
}

/// What the token in an answer says, its times counted from when it was issued.
pub(crate) fn claims(answer: &Value) -> Option<Value> {
    let token = answer.get("status")?.get("token")?.as_str()?;
    let part = token.split('.').nth(1)?;
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
    let issued = claims["iat"].as_i64()?;
    count_from(&mut claims, issued);
    Some(claims)
}

fn count_from(value: &mut Value, issued: i64) {
    for (key, value) in value.as_object_mut().into_iter().flatten() {
        match value.as_i64() {
            Some(time) if matches!(key.as_str(), "iat" | "nbf" | "exp" | "warnafter") => {
                *value = (time - issued).into();
            }
            _ => count_from(value, issued),
        }
    }
}
