//! ValidatingAdmissionPolicy: rules in CEL, bound to what they are for.

use std::sync::Arc;

use kube_cel::cel::Value as Cel;

use super::cel::{self, Variables};
use super::conditions;
use super::matching::{Asked, by_labels, by_rules, is_exempt};
use super::{objects_in, resource, review};
use crate::api::{Cause, Reason, Status};
use crate::object::{Gvr, LabelSelector, Object, Value, schema};
use crate::sim::rest::{Server, names};
use crate::sim::store::{Key, Resource};

const GROUP: &str = "admissionregistration.k8s.io";

/// Why a policy refuses a request.
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) reason: Reason,
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self { message, reason: Reason::Invalid }
    }
}

/// All policies, or bindings, of a kind.
pub(super) fn all(server: &Server, plural: &'static str) -> Vec<Arc<Object>> {
    server.store.all_of(&resource(GROUP, plural)).cloned().collect()
}

/// Holds a request against every policy that is bound to it.
pub(super) fn check(
    server: &mut Server,
    asked: &Asked,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let policies = all(server, "validatingadmissionpolicies");
    if policies.is_empty() || is_exempt(asked) {
        return Ok(());
    }
    let bindings = all(server, "validatingadmissionpolicybindings");
    let mut refused: Option<Status> = None;
    for Bound { policy, binding, matched } in bound(server, asked, &policies, &bindings) {
        for fault in faults(server, asked, &matched, policy, binding) {
            let actions = binding.list(&["spec", "validationActions"]);
            if actions.iter().any(|action| action == "Deny") && refused.is_none() {
                refused = Some(denied(asked, policy, binding, &fault));
            }
            if actions.iter().any(|action| action == "Warn") {
                warnings.push(format!(
                    "Validation failed for ValidatingAdmissionPolicy '{}' with binding '{}': {}",
                    policy.name(),
                    binding.name(),
                    fault.message
                ));
            }
        }
    }
    refused.map_or(Ok(()), Err)
}

/// A policy with a binding of it, both of which take the request.
pub(super) struct Bound<'p> {
    pub(super) policy: &'p Object,
    pub(super) binding: &'p Object,
    /// The resource that the policy's rules name.
    pub(super) matched: Gvr,
}

/// Every policy that concerns a request, by its name and that of its binding.
pub(super) fn bound<'p>(
    server: &Server,
    asked: &Asked,
    policies: &'p [Arc<Object>],
    bindings: &'p [Arc<Object>],
) -> Vec<Bound<'p>> {
    let mut found = Vec::new();
    for policy in policies {
        let Some(matched) = matched(server, asked, policy.at(&["spec", "matchConstraints"])) else {
            continue;
        };
        let own =
            bindings.iter().filter(|b| b.text(&["spec", "policyName"]) == Some(policy.name()));
        for binding in own {
            let narrowed = binding.at(&["spec", "matchResources"]);
            if narrowed.is_some() && self::matched(server, asked, narrowed).is_none() {
                continue;
            }
            found.push(Bound { policy, binding, matched: matched.clone() });
        }
    }
    found
}

/// The resource that constraints name for a request, if they take it.
fn matched(server: &Server, asked: &Asked, constraints: Option<&Value>) -> Option<Gvr> {
    let constraints = constraints?;
    let equivalent = constraints["matchPolicy"] != "Exact";
    if by_rules(asked, &constraints["excludeResourceRules"], equivalent).is_some()
        || !by_labels(server, asked, constraints)
    {
        return None;
    }
    // A binding may leave the rules out: then it narrows by labels alone.
    let rules = &constraints["resourceRules"];
    if rules.as_array().is_none_or(Vec::is_empty) {
        return Some(asked.call.request.resource.clone());
    }
    by_rules(asked, rules, equivalent)
}

fn denied(asked: &Asked, policy: &Object, binding: &Object, fault: &Fault) -> Status {
    let text = format!(
        "ValidatingAdmissionPolicy '{}' with binding '{}' denied request: {}",
        policy.name(),
        binding.name(),
        fault.message
    );
    let mut status = asked.call.forbidden(asked.name(), &text);
    status.reason = fault.reason;
    status.code = match fault.reason {
        Reason::Forbidden => 403,
        Reason::Unauthorized => 401,
        Reason::RequestEntityTooLarge => 413,
        _ => 422,
    };
    if let Some(details) = &mut status.details {
        details.causes.push(Cause { message: text, ..Cause::default() });
    }
    status
}

/// What a policy finds wrong with a request, for each of its parameters.
fn faults(
    server: &mut Server,
    asked: &Asked,
    matched: &Gvr,
    policy: &Object,
    binding: &Object,
) -> Vec<Fault> {
    let open = policy.text(&["spec", "failurePolicy"]) == Some("Ignore");
    let params = match params(server, asked, policy, binding) {
        Ok(params) => params,
        Err(_) if open => return Vec::new(),
        Err(why) => return vec![Fault::from(format!("failed to configure binding: {why}"))],
    };
    let uid = names::uid(&mut server.rng);
    let request = review::request(asked, matched, &uid);
    let mut found = Vec::new();
    for param in params {
        let conditions = policy.at(&["spec", "matchConditions"]).cloned().unwrap_or_default();
        match conditions::hold(server, &conditions, &request, param.as_ref()) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(_) if open => continue,
            Err(why) => {
                found.push(Fault::from(why));
                continue;
            }
        }
        let variables = variables(server, asked, policy, &request, param.as_ref());
        for validation in policy.list(&["spec", "validations"]) {
            found.extend(judge(server, validation, &variables, open));
        }
    }
    found
}

/// One rule of a policy.
fn judge(server: &mut Server, rule: &Value, variables: &Variables, open: bool) -> Option<Fault> {
    let text = |key: &str| rule[key].as_str().unwrap_or_default().trim();
    let expression = text("expression");
    match cel::evaluate(&mut server.programs, expression, variables) {
        Ok(Cel::Bool(true)) => return None,
        Ok(_) => {}
        Err(_) if open => return None,
        Err(why) => return Some(Fault::from(why)),
    }
    let spoken = match text("messageExpression") {
        "" => None,
        own => cel::evaluate(&mut server.programs, own, variables).ok(),
    };
    let spoken = spoken.as_ref().and_then(cel::text).map(str::trim);
    let spoken = spoken.filter(|text| !text.is_empty() && !text.contains('\n'));
    let message = match (spoken, text("message")) {
        (Some(spoken), _) => spoken.to_owned(),
        (None, "") => format!("failed expression: {expression}"),
        (None, message) => message.to_owned(),
    };
    let reason =
        crate::object::value::from_value(rule["reason"].clone()).unwrap_or(Reason::Invalid);
    Some(Fault { message, reason })
}

pub(super) fn variables(
    server: &mut Server,
    asked: &Asked,
    policy: &Object,
    request: &Value,
    params: Option<&Value>,
) -> Variables {
    let mut variables = conditions::of_request(request);
    variables.set("params", params.unwrap_or(&Value::Null));
    let name = if asked.is_namespace() { "" } else { asked.namespace() };
    let namespace = server.store.get(&resource("", "namespaces"), &Key::new("", name));
    let namespace = namespace.map_or(Value::Null, |object| Value::Object(object.0.clone()));
    variables.set("namespaceObject", &namespace);
    for variable in policy.list(&["spec", "variables"]) {
        let text = |key: &str| variable[key].as_str().unwrap_or_default();
        // One that fails is missing, and fails the rules that use it.
        if let Ok(value) =
            cel::evaluate(&mut server.programs, text("expression").trim(), &variables)
        {
            variables.set_own(text("name"), value);
        }
    }
    variables
}

/// The parameters of a binding: none is one round without any.
pub(super) fn params(
    server: &Server,
    asked: &Asked,
    policy: &Object,
    binding: &Object,
) -> Result<Vec<Option<Value>>, String> {
    let (Some(kind), Some(reference)) =
        (policy.at(&["spec", "paramKind"]), binding.at(&["spec", "paramRef"]))
    else {
        return Ok(vec![None]);
    };
    let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(kind, "apiVersion"), text(kind, "kind"));
    let info = schema::builtin()
        .kinds()
        .find(|info| info.gvk.kind == kind && info.gvk.api_version() == version);
    let (resource, namespaced) = match info {
        Some(info) => {
            let gvr = info.gvr.clone();
            (Resource { group: gvr.group, plural: gvr.plural }, info.namespaced)
        }
        None => match super::kind_named(server, &version, &kind) {
            Some(found) => found,
            None => return Err(format!("paramKind kind `{version}, Kind={kind}` not known")),
        },
    };
    let mut namespace = text(reference, "namespace");
    if namespaced && namespace.is_empty() {
        namespace = asked.namespace().to_owned();
    }
    if !namespaced {
        namespace.clear();
    }
    let wanted = text(reference, "name");
    let found: Vec<Option<Value>> =
        objects_in(server, &resource.group, &resource.plural, &namespace)
            .iter()
            .filter(|object| match wanted.as_str() {
                "" => LabelSelector::from_value(&reference["selector"]).matches(object.labels()),
                name => object.name() == name,
            })
            .map(|object| Some(Value::Object(object.0.clone())))
            .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    match reference["parameterNotFoundAction"].as_str() {
        Some("Allow") => Ok(Vec::new()),
        _ => {
            Err("no params found for policy binding with `Deny` parameterNotFoundAction".to_owned())
        }
    }
}
