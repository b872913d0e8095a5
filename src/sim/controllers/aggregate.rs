//! ClusterRoles that are made of others: `aggregationRule` fills `rules` (R-CTL-28).

use super::kinds::{CLUSTER_ROLE, gvr};
use super::plan::{Cx, Plan};
use crate::api::{PatchKind, Request};
use crate::object::{LabelSelector, Name, Object, Value, json};

/// Whether a role is made of others.
pub(crate) fn is_aggregate(role: &Object) -> bool {
    role.at(&["aggregationRule"]).is_some_and(Value::is_object)
}

/// Decides the rules of one role.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let role = cx.caches.get(CLUSTER_ROLE, "", cx.key.name()).filter(|role| is_aggregate(role));
    let Some(role) = role.filter(|_| cx.failure.is_none()) else { return Plan::nothing() };
    let mut rules: Vec<&Value> = Vec::new();
    for selector in role.list(&["aggregationRule", "clusterRoleSelectors"]) {
        let selector = LabelSelector::from_value(selector);
        let others = cx.caches.all(CLUSTER_ROLE).filter(|other| other.name() != role.name());
        for other in others.filter(|other| selector.matches(other.labels())) {
            for rule in other.list(&["rules"]) {
                if !rules.contains(&rule) {
                    rules.push(rule);
                }
            }
        }
    }
    if role.list(&["rules"]).iter().eq(rules.iter().copied()) {
        return Plan::nothing();
    }
    let body = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": role.name()}, "rules": rules});
    let mut request = Request::patch(gvr(CLUSTER_ROLE), "", role.name(), PatchKind::Apply, body);
    request.options.force = true;
    request.options.field_manager = Some(Name::Borrowed("clusterrole-aggregation-controller"));
    Plan::one(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::sim::controllers::trial;

    #[test]
    fn rules_are_gathered_once_each_from_the_roles_that_match() {
        let role = |name: &str, verbs: &[&str]| {
            let rules: Vec<_> = verbs.iter().map(|verb| json!({"verbs": [verb]})).collect();
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                "metadata": {"name": name, "uid": name, "labels": {"in": "yes"}}, "rules": rules})
        };
        let mut whole = role("w", &[]);
        whole["aggregationRule"] =
            json!({"clusterRoleSelectors": [{"matchLabels": {"in": "yes"}}]});
        let objects = [whole.clone(), role("a", &["get"]), role("b", &["get", "list"])];
        let plan = trial::plan(sync, &objects, Time::VIRTUAL_START, &[]);
        let body = plan.batches[0][0].request.body.clone().unwrap();
        assert_eq!(body["rules"], json!([{"verbs": ["get"]}, {"verbs": ["list"]}]));
        whole["rules"] = body["rules"].clone();
        let objects = [whole, role("a", &["get"]), role("b", &["get", "list"])];
        let plan = trial::plan(sync, &objects, Time::VIRTUAL_START, &[]);
        assert!(plan.is_nothing());
    }
}
