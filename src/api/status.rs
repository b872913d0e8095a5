//! `Status`, the API's way to say that something went wrong (R-HTTP-21, R-HTTP-22).

use serde::{Deserialize, Serialize};

use crate::object::{Gvr, Object, Value, value};

/// Why, in one word. The words are the API's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub enum Reason {
    /// No reason given: an untyped server error.
    #[default]
    #[serde(rename = "")]
    Unknown,
    Unauthorized,
    Forbidden,
    NotFound,
    AlreadyExists,
    Conflict,
    Gone,
    Invalid,
    ServerTimeout,
    Timeout,
    TooManyRequests,
    BadRequest,
    MethodNotAllowed,
    NotAcceptable,
    RequestEntityTooLarge,
    UnsupportedMediaType,
    InternalError,
    Expired,
    ServiceUnavailable,
}

/// One cause of a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct Cause {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
}

/// What a failure is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct Details {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retry_after_seconds: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// A `Status`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct Status {
    pub code: u16,
    pub reason: Reason,
    pub message: String,
    pub details: Option<Details>,
}

impl Status {
    /// A failure without details.
    #[must_use]
    pub fn new(code: u16, reason: Reason, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None }
    }

    fn of(resource: &Gvr, name: &str, code: u16, reason: Reason, message: String) -> Self {
        let details = Details {
            name: name.to_owned(),
            group: resource.group.clone().into_owned(),
            kind: resource.plural.clone().into_owned(),
            ..Details::default()
        };
        Self { code, reason, message, details: Some(details) }
    }

    /// 404 for a path of which nothing is known.
    #[must_use]
    pub fn page_not_found() -> Self {
        Self::new(404, Reason::Unknown, "404 page not found")
    }

    /// 404 for a resource that a group or version does not have.
    #[must_use]
    pub fn no_such_resource() -> Self {
        let text = "the server could not find the requested resource";
        Self { details: Some(Details::default()), ..Self::new(404, Reason::NotFound, text) }
    }

    /// 405 for a resource that is there.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let text = "the server does not allow this method on the requested resource";
        Self { details: Some(Details::default()), ..Self::new(405, Reason::MethodNotAllowed, text) }
    }

    /// 404 for one object.
    #[must_use]
    pub fn not_found(resource: &Gvr, name: &str) -> Self {
        let message = format!("{resource} {} not found", crate::object::go::quoted(name));
        Self::of(resource, name, 404, Reason::NotFound, message)
    }

    /// 409 for a create of what is there already.
    #[must_use]
    pub fn already_exists(resource: &Gvr, name: &str) -> Self {
        let message = format!("{resource} {name:?} already exists");
        Self::of(resource, name, 409, Reason::AlreadyExists, message)
    }

    /// 409 for a stale write or a failed precondition.
    #[must_use]
    pub fn conflict(resource: &Gvr, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {resource} {name:?}: {why}");
        Self::of(resource, name, 409, Reason::Conflict, message)
    }

    /// 403 by policy.
    #[must_use]
    pub fn forbidden(resource: &Gvr, name: &str, why: &str) -> Self {
        let message = format!("{resource} {name:?} is forbidden: {why}");
        Self::of(resource, name, 403, Reason::Forbidden, message)
    }

    /// 422 with a cause for each error, in the given order. Here, and only here, `details.kind`
    /// is the Kind. `errors` are (path, cause reason, message body), R-HTTP-23.
    #[must_use]
    pub fn invalid(group: &str, kind: &str, name: &str, errors: &[Cause]) -> Self {
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let mut texts: Vec<String> = Vec::new();
        for error in errors {
            let text = if error.field.is_empty() {
                error.message.clone()
            } else {
                format!("{}: {}", error.field, error.message)
            };
            // What two checks found alike is two causes, and is told once.
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let text = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let details = Details {
            name: name.to_owned(),
            group: group.to_owned(),
            kind: kind.to_owned(),
            causes: errors.to_vec(),
            ..Details::default()
        };
        Self {
            code: 422,
            reason: Reason::Invalid,
            message: format!("{qualified} {name:?} is invalid: {text}"),
            details: Some(details),
        }
    }

    /// 400.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, Reason::BadRequest, message)
    }

    /// 410 for a revision that is no longer kept.
    #[must_use]
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, Reason::Expired, message)
    }

    /// Whether this reports success (of a delete).
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.code < 400
    }

    /// The JSON object that goes over the wire.
    #[must_use]
    pub fn to_object(&self) -> Object {
        let mut object = Object::default();
        object.set(&["kind"], "Status".into());
        object.set(&["apiVersion"], "v1".into());
        object.set(&["metadata"], Value::Object(crate::object::Map::new()));
        object.set(&["status"], if self.is_success() { "Success" } else { "Failure" }.into());
        if !self.message.is_empty() {
            object.set(&["message"], self.message.clone().into());
        }
        if self.reason != Reason::Unknown {
            object.set(&["reason"], value::to_value(self.reason).unwrap_or_default());
        }
        if let Some(details) = &self.details {
            object.set(&["details"], value::to_value(details).unwrap_or_default());
        }
        // The real server leaves `code` out of a successful delete's Status, not of a binding's.
        if self.code != 200 {
            object.set(&["code"], self.code.into());
        }
        object
    }
}
