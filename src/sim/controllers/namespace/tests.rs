//! Caches and lists in, requests out.

use std::sync::Arc;

use super::*;
use crate::api::{List, Response};
use crate::object::Gvr;
use crate::sim::controllers::trial;

const T0: Time = Time::VIRTUAL_START;

fn namespace() -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "spec": {"finalizers": ["kubernetes"]},
        "metadata": {"name": "w", "uid": "w", "deletionTimestamp": T0.rfc3339()},
        "status": {"phase": "Terminating"}})
}

fn listed(resource: Gvr, items: &[Value]) -> Asked {
    let objects = items.iter().map(|item| Arc::new(Object::from_value(item.clone()).unwrap()));
    let list = List {
        kind: "List".into(),
        api_version: "v1".to_owned(),
        revision: 1,
        continue_token: None,
        remaining: None,
        items: objects.collect(),
    };
    Asked { request: Request::list(resource, "w"), response: Arc::new(Response::list(list)) }
}

fn check(asked: &[Asked], calls: &str, bad: &[&str]) -> Again {
    let now = T0 + Duration::from_secs(5);
    let plan = trial::plan(sync, &[namespace()], now, asked);
    let text = trial::text(&plan);
    assert!(text.starts_with(calls) && (!calls.is_empty() || text.is_empty()), "{text}");
    let conditions = trial::status(&plan)["conditions"].as_array().cloned().unwrap_or_default();
    let bad_now: Vec<_> = conditions
        .iter()
        .filter(|c| c["status"] == "True")
        .map(|c| c["message"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(bad_now, bad);
    plan.again
}

#[test]
fn pods_go_first_then_everything_else_then_the_namespace() {
    assert_eq!(check(&[], "empty pods -; list pods -", &[]), Again::WithAnswers);
    let no_pods = listed(gvr(POD), &[]);
    check(&[no_pods], "empty replicasets -, empty deployments -", &[]);
    let config = Gvr::new("", "v1", "configmaps");
    let nothing = [listed(config.clone(), &[]), listed(EVENTS.resource.clone(), &[])];
    check(&nothing, "update namespaces w/status; update namespaces w/finalize", &[]);
}

#[test]
fn pods_get_half_their_grace_and_finalizers_are_told() {
    let pod = json!({"spec": {"terminationGracePeriodSeconds": 30}});
    let again = check(&[listed(gvr(POD), &[pod])], "update namespaces w/status", &[]);
    assert_eq!(again, Again::At(T0 + Duration::from_secs(5 + 16)));
    let kept = json!({"metadata": {"finalizers": ["x.io/keep"]}});
    let config = Gvr::new("", "v1", "configmaps");
    let asked = [listed(config.clone(), &[kept]), listed(EVENTS.resource.clone(), &[])];
    let again = check(
        &asked,
        "update namespaces w/status",
        &[
            "Some resources are remaining: configmaps. has 1 resource instances",
            "Some content in the namespace has finalizers remaining: x.io/keep in 1 resource instances",
        ],
    );
    assert_eq!(again, Again::At(T0 + Duration::from_secs(5 + 8)));
    let stuck = [listed(config, &[json!({})]), listed(EVENTS.resource.clone(), &[])];
    let plan = trial::plan(sync, &[namespace()], T0, &stuck);
    assert_eq!(plan.again, Again::Backoff);
}
