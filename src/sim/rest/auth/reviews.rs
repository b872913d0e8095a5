//! Questions about users: who am I, may I, may he, what may I, whose token is this.
//!
//! Each is a POST of an object of which nothing is kept; the answer is the object with a status.

use std::sync::Arc;

use super::attributes::Attributes;
use super::grants::joined;
use super::{identity, questions, rule::Rule};
use crate::api::{Response, Status, User};
use crate::fields;
use crate::object::schema::form;
use crate::object::{Object, Value, json};
use crate::sim::rest::Server;
use crate::sim::rest::call::Call;

/// Answers a POST of a review; `None` for another kind.
pub(in crate::sim::rest) fn answer(
    server: &mut Server,
    call: &mut Call,
) -> Option<Result<Response, Status>> {
    let answer = match (call.kind.group, call.kind.kind) {
        ("authentication.k8s.io", "SelfSubjectReview") => who_am_i(call),
        ("authentication.k8s.io", "TokenReview") => whose_token(server, call),
        ("authorization.k8s.io", "SelfSubjectRulesReview") => what_may_i(server, call),
        (
            "authorization.k8s.io",
            "SelfSubjectAccessReview" | "SubjectAccessReview" | "LocalSubjectAccessReview",
        ) => may(server, call),
        _ => return None,
    };
    Some(answer.map(|review| Response::object(201, Arc::new(review))))
}

/// The sender; a client in this process is the server itself.
fn sender(call: &Call) -> Arc<User> {
    call.request.user.clone().unwrap_or_else(|| {
        Arc::new(User {
            name: "system:apiserver".to_owned(),
            groups: vec!["system:masters".to_owned(), "system:authenticated".to_owned()],
            ..User::default()
        })
    })
}

/// A user as reviews show him.
pub(in crate::sim::rest) fn user_info(user: &User) -> Value {
    let mut info = json!({ "username": user.name });
    if !user.uid.is_empty() {
        info["uid"] = user.uid.clone().into();
    }
    if !user.groups.is_empty() {
        info["groups"] = json!(user.groups);
    }
    if !user.extra.is_empty() {
        info["extra"] = json!(user.extra);
    }
    info
}

fn bare(call: &Call) -> Object {
    let mut review = Object::default();
    review.set(&["kind"], call.kind.kind.into());
    review.set(&["apiVersion"], call.kind.api_version.as_str().into());
    review.set(&["metadata"], json!({}));
    review
}

fn who_am_i(call: &mut Call) -> Result<Object, Status> {
    call.body()?;
    let mut review = bare(call);
    review.set(&["metadata", "creationTimestamp"], call.now.rfc3339().into());
    review.set(&["status", "userInfo"], user_info(&sender(call)));
    Ok(review)
}

/// The review as sent, in the form in which objects are printed, with its managed fields.
fn sent(call: &mut Call) -> Result<Object, Status> {
    let mut review = call.body()?;
    call.place(&mut review)?;
    review.remove(&["metadata", "managedFields"]);
    form::print_object(call.kind.schema(), call.kind.ty, &mut review);
    let kind = Arc::clone(&call.kind);
    fields::update(kind.schema(), kind.ty, None, &mut review, &call.write());
    review.remove(&["status"]);
    Ok(review)
}

fn whose_token(server: &mut Server, call: &mut Call) -> Result<Object, Status> {
    let mut review = sent(call)?;
    let token = review.text(&["spec", "token"]).unwrap_or_default().to_owned();
    if token.is_empty() {
        let text = "token is required for TokenReview in authentication";
        return Err(Status::bad_request(text));
    }
    let asked = review.list(&["spec", "audiences"]).iter().filter_map(Value::as_str);
    let mut audiences: Vec<String> = asked.map(ToOwned::to_owned).collect();
    if audiences.is_empty() {
        audiences.push(server.auth.issuer.clone());
    }
    let status = match identity::of_token(server, call.now, &token, &audiences) {
        Ok(bearer) => json!({
            "authenticated": true,
            "user": user_info(&bearer.user),
            "audiences": bearer.audiences,
        }),
        Err(why) => json!({ "user": {}, "error": why }),
    };
    review.set(&["status"], status);
    Ok(review)
}

fn what_may_i(server: &mut Server, call: &mut Call) -> Result<Object, Status> {
    let asked = call.body()?;
    let namespace = asked.text(&["spec", "namespace"]).unwrap_or_default();
    if namespace.is_empty() {
        return Err(Status::bad_request("no namespace on request"));
    }
    let mut held = server.auth.grants(&server.store).held(&sender(call), namespace);
    if !server.auth.enforces() {
        held = super::grants::Held { rules: Rule::everything().into(), errors: Vec::new() };
    }
    let of_resources = held.rules.iter().filter(|rule| !rule.resources.is_empty()).map(|rule| {
        let mut shown = json!({
            "verbs": rule.verbs, "apiGroups": rule.groups, "resources": rule.resources,
        });
        if !rule.names.is_empty() {
            shown["resourceNames"] = json!(rule.names);
        }
        shown
    });
    let of_paths = held.rules.iter().filter(|rule| !rule.urls.is_empty());
    let of_paths =
        of_paths.map(|rule| json!({ "verbs": rule.verbs, "nonResourceURLs": rule.urls }));
    let mut review = bare(call);
    review.set(&["spec"], json!({}));
    review.set(&["status", "resourceRules"], of_resources.collect());
    review.set(&["status", "nonResourceRules"], of_paths.collect());
    review.set(&["status", "incomplete"], false.into());
    if !held.errors.is_empty() {
        review.set(&["status", "evaluationError"], joined(&held.errors).into());
    }
    Ok(review)
}

fn may(server: &mut Server, call: &mut Call) -> Result<Object, Status> {
    let mut review = sent(call)?;
    let causes = questions::faults(call.kind.kind, &review);
    if !causes.is_empty() {
        return Err(Status::invalid(call.kind.group, "", "", &causes));
    }
    let user = match call.kind.kind {
        "SelfSubjectAccessReview" => sender(call),
        _ => Arc::new(subject(&review)),
    };
    let spec = review.at(&["spec"]).unwrap_or(&Value::Null);
    let text = |of: &'static str, key: &str| spec[of][key].as_str().unwrap_or_default();
    let path = spec.get("nonResourceAttributes").map(|_| text("nonResourceAttributes", "path"));
    let of = |key| text("resourceAttributes", key);
    let asked = match path {
        Some(path) => Attributes::of_path(text("nonResourceAttributes", "verb"), path),
        None => Attributes {
            verb: of("verb"),
            group: of("group"),
            resource: of("resource"),
            subresource: of("subresource"),
            namespace: of("namespace"),
            name: of("name").into(),
            path: None,
        },
    };
    let decision = server.auth.decide(&server.store, &user, &asked);
    let mut status = json!({ "allowed": decision.allowed });
    if !decision.reason.is_empty() {
        status["reason"] = decision.reason.into();
    }
    if let Some(error) = unread_selectors(spec) {
        status["evaluationError"] = error.into();
    }
    review.set(&["status"], status);
    Ok(review)
}

/// The user that a review asks about.
fn subject(review: &Object) -> User {
    let text = |key| review.text(&["spec", key]).unwrap_or_default().to_owned();
    let texts =
        |list: &[Value]| list.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
    let extra = review.at(&["spec", "extra"]).and_then(Value::as_object).into_iter().flatten();
    User {
        name: text("user"),
        uid: text("uid"),
        groups: texts(review.list(&["spec", "groups"])),
        extra: extra
            .map(|(key, list)| (key.to_string(), texts(list.as_array().map_or(&[], Vec::as_slice))))
            .collect(),
    }
}

/// RBAC looks at no selectors; what cannot be read of them is told all the same.
fn unread_selectors(spec: &Value) -> Option<String> {
    let is_unread = |selector: &str, known: &[&str]| {
        let requirements = spec["resourceAttributes"][selector]["requirements"].as_array();
        requirements.into_iter().flatten().any(|requirement| {
            !requirement["operator"].as_str().is_some_and(|operator| known.contains(&operator))
        })
    };
    let checked = [
        ("fieldSelector", &["In", "NotIn"][..]),
        ("labelSelector", &["In", "NotIn", "Exists", "DoesNotExist"]),
    ];
    let unread = checked.into_iter().filter(|(selector, known)| is_unread(selector, known));
    let texts: Vec<String> = unread
        .map(|(selector, _)| {
            format!("spec.resourceAttributes.{selector} ignored due to parse error")
        })
        .collect();
    (!texts.is_empty()).then(|| joined(&texts))
}
