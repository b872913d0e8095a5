//! Nobody hands out what he has not: a role that is written may allow no more than its writer is
//! allowed, unless he holds `escalate` on it; the same for a binding to a role and `bind`.

use super::attributes::Attributes;
use super::grants::{self, GROUP};
use super::rule::{Rule, quoted_list, uncovered};
use crate::api::{Status, User};
use crate::object::{Gvr, Object, Value};
use crate::sim::rest::Server;
use crate::sim::rest::call::Call;

/// Checks a role or a binding that is made, or changed from `live`.
///
/// # Errors
/// 403 with what the writer lacks; 404 for a binding to a role that is not there.
pub(crate) fn check(
    server: &mut Server,
    call: &Call,
    live: Option<&Object>,
    object: &Object,
) -> Result<(), Status> {
    let Some(user) = &call.request.user else { return Ok(()) };
    if call.kind.group != GROUP || !server.auth.enforces() || super::is_master(user) {
        return Ok(());
    }
    if live.is_some_and(|live| only_let_go(live, object)) {
        return Ok(());
    }
    match call.kind.kind {
        "Role" | "ClusterRole" => role(server, call, user, live, object),
        "RoleBinding" | "ClusterRoleBinding" => binding(server, call, user, object),
        _ => Ok(()),
    }
}

/// Whether a change only takes finalizers and owners away, which the garbage collector must be
/// able to do.
fn only_let_go(live: &Object, object: &Object) -> bool {
    let bare = |object: &Object| {
        let mut bare = object.clone();
        for field in ["finalizers", "ownerReferences", "managedFields", "resourceVersion"] {
            bare.remove(&["metadata", field]);
        }
        bare
    };
    bare(live) == bare(object)
        && (live.list(&["metadata", "finalizers"]) != object.list(&["metadata", "finalizers"])
            || live.list(&["metadata", "ownerReferences"])
                != object.list(&["metadata", "ownerReferences"]))
}

fn role(
    server: &mut Server,
    call: &Call,
    user: &User,
    live: Option<&Object>,
    object: &Object,
) -> Result<(), Status> {
    let asked = Attributes {
        verb: "escalate",
        group: GROUP,
        resource: call.kind.plural(),
        namespace: call.namespace,
        name: call.name.into(),
        ..Attributes::default()
    };
    if server.auth.decide(&server.store, user, &asked).allowed {
        return Ok(());
    }
    covered(server, call, user, object, &Rule::of_role(object))?;
    let aggregates =
        |role: &Object| !role.list(&["aggregationRule", "clusterRoleSelectors"]).is_empty();
    if aggregates(object) || live.is_some_and(aggregates) {
        let why = "must have cluster-admin privileges to use the aggregationRule";
        let refused = |_| call.forbidden(object.name(), why);
        covered(server, call, user, object, &Rule::everything()).map_err(refused)?;
    }
    Ok(())
}

fn binding(server: &mut Server, call: &Call, user: &User, object: &Object) -> Result<(), Status> {
    let reference = object.at(&["roleRef"]).unwrap_or(&Value::Null);
    let text = |key: &str| reference.get(key).and_then(Value::as_str).unwrap_or_default();
    let asked = Attributes {
        verb: "bind",
        group: text("apiGroup"),
        resource: if text("kind") == "Role" { "roles" } else { "clusterroles" },
        namespace: call.namespace,
        name: text("name").into(),
        ..Attributes::default()
    };
    if server.auth.decide(&server.store, user, &asked).allowed {
        return Ok(());
    }
    let rules = grants::rules_of(&server.store, reference, call.namespace);
    // The real server names the binding's resource here, and the role's name.
    let gvr = Gvr { plural: call.kind.plural().to_owned().into(), ..call.request.resource.clone() };
    let rules = rules.map_err(|_| Status::not_found(&gvr, text("name")))?;
    covered(server, call, user, object, &rules)
}

fn covered(
    server: &mut Server,
    call: &Call,
    user: &User,
    object: &Object,
    wanted: &[Rule],
) -> Result<(), Status> {
    let held = server.auth.grants(&server.store).held(user, call.namespace);
    let missing = uncovered(&held.rules, wanted);
    if missing.is_empty() {
        return Ok(());
    }
    let mut why = format!(
        "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
        user.name,
        quoted_list(&user.groups),
        missing.join("\n")
    );
    if !held.errors.is_empty() {
        why += &format!("; resolution errors: [{}]", grants::joined(&held.errors));
    }
    Err(call.forbidden(object.name(), &why))
}
