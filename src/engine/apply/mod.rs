//! Requests for a plan, and what their answers mean. Decides nothing about what to apply (`plan`)
//! and keeps no state (`reconcile`).

use std::sync::Arc;

use crate::api::{FieldValidation, Payload, Propagation, Reason, Request, Response, Status};
use crate::engine::model::{InventoryEntry, MANAGER};
use crate::object::{Gvr, Name, Object, Value};

/// What an answer to a write comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Done; the object is what the server made of it, where it sent one.
    Done(Option<Arc<Object>>),
    /// Failed for a reason that passes: send the same again later.
    Again(String),
    /// Will fail again however often it is sent.
    Refused(String),
}

/// What a successful apply did, in the words of Flux's change set. `was` is the revision of the
/// object when the apply was sent, 0 where it was not known.
#[must_use]
pub fn action(code: u16, was: u64, after: &Object) -> &'static str {
    if code == 201 {
        "created"
    } else if was == after.revision() {
        "unchanged"
    } else {
        "configured"
    }
}

/// Server-side apply of `body`, taking what is rendered from whoever owns it.
#[must_use]
pub fn apply(gvr: &Gvr, body: &Arc<Value>) -> Request {
    let text = |key: &str| body["metadata"][key].as_str().unwrap_or_default();
    let manager = Name::Borrowed(MANAGER);
    let mut request =
        Request::apply(gvr.clone(), text("namespace"), text("name"), manager, Arc::clone(body));
    request.options.force = true;
    request.options.field_validation = FieldValidation::Strict;
    request
}

/// The same, asked only.
#[must_use]
pub fn rehearse(gvr: &Gvr, body: &Arc<Value>) -> Request {
    let mut request = apply(gvr, body);
    request.options.dry_run = true;
    request
}

/// Deletion of an inventory entry, dependents in the background.
#[must_use]
pub fn prune(gvr: Gvr, entry: &InventoryEntry) -> Request {
    let mut request = Request::delete(gvr, &entry.id.namespace, &entry.id.name);
    request.options.delete.propagation = Some(Propagation::Background);
    request
}

/// Reads the answer to an apply.
#[must_use]
pub fn read(response: &Response) -> Verdict {
    match &response.payload {
        Payload::Status(status) if !response.is_ok() => read_failure(status),
        Payload::Object(object) => Verdict::Done(Some(Arc::clone(object))),
        _ => Verdict::Done(None),
    }
}

/// Whether what is missing is the namespace: gone, or going.
#[must_use]
pub fn lacks_namespace(response: &Response) -> bool {
    let Payload::Status(status) = &response.payload else { return false };
    let is_about = |kind: &str| status.details.as_ref().is_some_and(|about| about.kind == kind);
    is_namespace_going(status) || (response.code == 404 && is_about("namespaces"))
}

/// Whether the API server could not see to the request at all. Then there is nothing else that
/// could be done about a deployment either, and it may take as long as it takes.
#[must_use]
pub fn is_unavailable(response: &Response) -> bool {
    matches!(response.code, 429 | 502 | 503 | 504)
}

/// Reads the answer to a prune: what is gone already is done.
#[must_use]
pub fn read_prune(response: &Response) -> Verdict {
    match read(response) {
        Verdict::Refused(_) if response.code == 404 => Verdict::Done(None),
        other => other,
    }
}

fn read_failure(status: &Status) -> Verdict {
    let message = status.message.clone();
    // A 500 without a reason is the typed-patch error of an apply (R-SSA-03): the body is wrong.
    let passes = matches!(status.code, 429 | 502 | 503 | 504)
        || (status.code == 500 && status.reason != Reason::Unknown)
        || status.code == 409
        || is_namespace_going(status);
    if passes { Verdict::Again(message) } else { Verdict::Refused(message) }
}

/// Creating in a namespace that is being deleted (R-STO-17) works again once it is gone.
fn is_namespace_going(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    const PODS: Gvr = Gvr::new("", "v1", "pods");

    /// R-FLT-01, R-FLT-02, R-FLT-04: what an engine sends again, and what it does not.
    #[test]
    fn answers_are_told_apart_by_whether_sending_again_helps() {
        let check = |status: Status, again: bool| {
            let is_again = matches!(read(&Response::status(status.clone())), Verdict::Again(_));
            assert_eq!(is_again, again, "{status:?}");
        };
        check(Status::new(429, Reason::TooManyRequests, "later"), true);
        check(Status::new(500, Reason::InternalError, "webhook"), true);
        check(Status::new(500, Reason::Unknown, "failed to create typed patch object"), false);
        check(Status::conflict(&PODS, "p", "modified"), true);
        check(Status::invalid("", "Pod", "p", &[]), false);
        check(Status::not_found(&PODS, "p"), false);
    }

    #[test]
    fn pruning_what_is_gone_is_done() {
        let gone = Response::status(Status::not_found(&PODS, "p"));
        assert_eq!(read_prune(&gone), Verdict::Done(None));
    }

    #[test]
    fn an_apply_forces_and_is_strict() {
        let body = json!({"metadata": {"name": "p", "namespace": "shop"}});
        let request = apply(&PODS, &Arc::new(body));
        assert!(request.options.force && !request.options.dry_run);
        assert_eq!(request.namespace.as_deref(), Some("shop"));
    }
}
