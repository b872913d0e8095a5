//! Caches in, requests out.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::api::{Response, Status as Refusal};
use crate::object::{Object, Value, json};
use crate::sim::controllers::plan::Asked;
use crate::sim::controllers::trial::Trial;

const T0: Time = Time::VIRTUAL_START;

/// A Deployment `d` of `replicas`, template `image`, with more in its spec.
fn deployment(replicas: i64, image: &str, more: Value) -> Value {
    let mut d = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n", "uid": "d", "generation": 1,
            "resourceVersion": "1", "annotations": {(model::REVISION): image[image.len() - 1..]}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"a": "b"}},
            "strategy": {"type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
            "template": template(image)},
        "status": {"observedGeneration": 1, "conditions": [{"type": "Progressing",
            "status": "True", "reason": "ReplicaSetUpdated", "message": "",
            "lastUpdateTime": T0.rfc3339(), "lastTransitionTime": T0.rfc3339()}]}});
    for (key, value) in more.as_object().into_iter().flatten() {
        d["spec"][key] = value.clone();
    }
    d
}

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"image": image}]}})
}

/// A set named after its image, of `size`, with so many `pods` and `available`. Its revision is
/// that of the image's last character.
fn set(image: &str, size: i64, pods: i64, available: i64, of: i64) -> Value {
    let mut template = template(image);
    template["metadata"]["labels"]["pod-template-hash"] = image.into();
    let revision = &image[image.len() - 1..];
    json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": image, "namespace": "n", "uid": image, "generation": 1,
            "creationTimestamp": format!("2026-01-01T00:00:0{revision}Z"),
            "labels": {"a": "b", "pod-template-hash": image},
            "annotations": {(model::REVISION): revision, (model::DESIRED): of.to_string(),
                (model::MAX): (of + 1).to_string()},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "d",
                "uid": "d", "controller": true}]},
        "spec": {"replicas": size, "selector": {"matchLabels": {"a": "b"}}, "template": template},
        "status": {"replicas": pods, "availableReplicas": available, "readyReplicas": available,
            "observedGeneration": 1}})
}

fn plan_of(objects: &[Value], now: Time, failure: Option<&Asked>) -> Plan {
    Trial { failure, ..Trial::of(sync, "n", "d", now) }.plan(objects)
}

/// What is sent but for the status, a call in brackets: what the Event says, or verb and name.
fn check(objects: &[Value], expected: &str) {
    let plan = plan_of(objects, T0, None);
    let calls = plan.batches.iter().flatten().filter_map(|call| {
        let r = &call.request;
        let is_status = r.subresource.is_some();
        let note = call.done.as_ref().map(|note| note.message.replace(" replica set", ""));
        let plain = || format!("{} {}", r.verb_name(), r.name.as_deref().unwrap_or("-"));
        (!is_status).then(|| note.unwrap_or_else(plain))
    });
    assert_eq!(calls.collect::<Vec<_>>().join("; "), expected);
}

/// Reasons of the conditions written to the status, `-` where no status is written.
fn reasons(plan: &Plan) -> String {
    let status = plan.batches.iter().flatten().rfind(|c| c.request.subresource.is_some());
    let Some(body) = status.and_then(|c| c.request.body.clone()) else { return "-".to_owned() };
    let conditions = body["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let reasons = conditions.iter().map(|c| c["reason"].as_str().unwrap_or_default().to_owned());
    reasons.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_rollout_steps_up_by_the_surge_and_down_by_what_is_available() {
    let d = |more: Value| deployment(3, "i:2", more);
    let none = || d(Value::Null);
    let name = |objects: &[Value]| {
        let plan = plan_of(objects, T0, None);
        let body = plan.batches[0][0].request.body.clone().unwrap();
        (body["metadata"]["name"].clone(), body["spec"]["replicas"].clone())
    };
    let (created, size) = name(&[none(), set("i:1", 3, 3, 3, 3)]);
    assert_eq!(size, 1);
    let hash = created.as_str().unwrap().strip_prefix("d-").unwrap().to_owned();
    assert!((8..=10).contains(&hash.len()), "{hash}");
    let both = |old: Value, new: Value| [none(), old, new];
    let (o, n) = (|s, p, a| set("i:1", s, p, a, 3), |s, p, a| set("i:2", s, p, a, 3));
    check(&both(o(3, 3, 3), n(1, 1, 0)), "");
    check(&both(o(3, 3, 3), n(1, 1, 1)), "Scaled down i:1 from 3 to 2");
    check(&both(o(2, 3, 3), n(1, 1, 1)), "Scaled up i:2 from 1 to 2");
    check(&both(o(3, 3, 1), n(1, 1, 1)), "Scaled down i:1 from 3 to 2");
    check(&both(o(0, 0, 0), n(3, 3, 3)), "");
    let more = json!({"strategy": {"type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}});
    let mut new = n(0, 0, 0);
    new["metadata"]["annotations"][model::MAX] = "3".into();
    check(&[d(more), o(3, 3, 3), new], "Scaled down i:1 from 3 to 2");
}

#[test]
fn what_is_not_available_anyway_goes_first() {
    let more = json!({"strategy": {"type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 2}}});
    let all = [
        deployment(4, "i:3", more),
        set("i:1", 2, 2, 2, 4),
        set("i:2", 2, 2, 0, 4),
        set("i:3", 1, 1, 0, 4),
    ];
    check(&all, "Scaled down i:2 from 2 to 0");
}

#[test]
fn recreate_waits_for_the_last_pod_of_the_old_set() {
    let d = deployment(2, "i:2", json!({"strategy": {"type": "Recreate"}}));
    let mut old = set("i:1", 0, 0, 0, 2);
    old["metadata"]["annotations"][model::MAX] = "2".into();
    check(&[d.clone(), set("i:1", 2, 2, 2, 2)], "Scaled down i:1 from 2 to 0");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "status": {"phase": "Running"},
        "metadata": {"name": "p", "namespace": "n", "uid": "p",
            "deletionTimestamp": T0.rfc3339(), "ownerReferences":
            [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "i:1", "uid": "i:1", "controller": true}]}});
    check(&[d.clone(), old.clone(), pod], "");
    let plan = plan_of(&[d, old], T0, None);
    assert_eq!(plan.batches[0][0].request.verb_name(), "create");
}

#[test]
fn a_paused_deployment_scales_and_does_not_roll() {
    let mut d = deployment(5, "i:2", json!({"paused": true}));
    d["status"]["conditions"][0]["reason"] = "DeploymentPaused".into();
    check(&[d.clone(), set("i:1", 3, 3, 3, 3)], "Scaled up i:1 from 3 to 5");
    check(&[d, set("i:1", 5, 5, 5, 5)], "");
}

#[test]
fn scaling_a_stuck_rollout_is_shared_by_size() {
    let d = deployment(10, "i:2", Value::Null);
    let all = [d, set("i:1", 4, 4, 4, 4), set("i:2", 1, 1, 0, 4)];
    check(&all, "Scaled up i:1 from 4 to 9; Scaled up i:2 from 1 to 2");
}

#[test]
fn an_old_template_takes_its_set_back_with_a_new_revision() {
    let d = deployment(1, "i:1", Value::Null);
    let plan = plan_of(&[d, set("i:1", 0, 0, 0, 1), set("i:2", 1, 1, 1, 1)], T0, None);
    let body = plan.batches[0][0].request.body.clone().unwrap();
    let annotations = &body["metadata"]["annotations"];
    assert_eq!(annotations[model::REVISION], "3");
    assert_eq!(annotations[model::HISTORY], "1");
}

#[test]
fn history_beyond_the_limit_goes_oldest_first_when_the_rollout_is_over() {
    let mut d = deployment(1, "i:4", json!({"revisionHistoryLimit": 1}));
    let counts = json!({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1,
        "availableReplicas": 1});
    for (key, value) in counts.as_object().unwrap() {
        d["status"][key] = value.clone();
    }
    let old = |image| set(image, 0, 0, 0, 1);
    let all = [d, old("i:1"), old("i:2"), old("i:3"), set("i:4", 1, 1, 1, 1)];
    check(&all, "delete i:1; delete i:2");
}

#[test]
fn the_deadline_passes_a_second_late_and_only_without_progress() {
    let mut d = deployment(1, "i:1", json!({"progressDeadlineSeconds": 10}));
    d["status"]["updatedReplicas"] = 1.into();
    d["status"]["replicas"] = 1.into();
    d["status"]["unavailableReplicas"] = 1.into();
    d["status"]["terminatingReplicas"] = 0.into();
    let mut new = set("i:1", 1, 1, 0, 1);
    new["status"]["terminatingReplicas"] = 0.into();
    let at = |seconds| T0 + Duration::from_secs(seconds);
    let written = |d: &Value, now| reasons(&plan_of(&[d.clone(), new.clone()], now, None));
    assert_eq!(written(&d, at(10)), "ReplicaSetUpdated MinimumReplicasUnavailable");
    assert_eq!(written(&d, at(11)), "MinimumReplicasUnavailable ProgressDeadlineExceeded");
    let unavailable = json!({"type": "Available", "status": "False",
        "reason": "MinimumReplicasUnavailable", "lastUpdateTime": T0.rfc3339(),
        "lastTransitionTime": T0.rfc3339(),
        "message": "Deployment does not have minimum availability."});
    d["status"]["conditions"].as_array_mut().unwrap().push(unavailable);
    let plan = plan_of(&[d, new], at(3), None);
    assert_eq!((reasons(&plan).as_str(), plan.again), ("-", Again::At(at(11))));
}

#[test]
fn a_name_that_another_set_has_raises_the_collision_count() {
    let d = deployment(1, "i:2", Value::Null);
    let created = plan_of(std::slice::from_ref(&d), T0, None).batches[0][0].request.clone();
    let name = created.body.as_ref().unwrap()["metadata"]["name"].as_str().unwrap().to_owned();
    let mut other = set("i:1", 0, 0, 0, 1);
    other["metadata"]["name"] = name.as_str().into();
    other["metadata"].as_object_mut().unwrap().remove("ownerReferences");
    other["metadata"]["labels"] = json!({});
    let refusal = Refusal::already_exists(&created.resource, &name);
    let failure = Asked { request: created, response: Arc::new(Response::status(refusal)) };
    let plan = plan_of(&[d, other], T0, Some(&failure));
    let body = plan.batches[0][0].request.body.clone().unwrap();
    assert_eq!(body["status"]["collisionCount"], 1);
}

#[test]
fn a_refused_set_is_told_in_the_condition_and_in_an_event() {
    let d = deployment(1, "i:2", Value::Null);
    let created = plan_of(std::slice::from_ref(&d), T0, None).batches[0][0].request.clone();
    let refusal = Refusal::forbidden(&created.resource, "x", "no");
    let failure = Asked { request: created, response: Arc::new(Response::status(refusal)) };
    let plan = plan_of(&[d], T0, Some(&failure));
    assert_eq!(reasons(&plan), "ReplicaSetCreateError");
    assert!(plan.notes[0].message.contains("is forbidden: no"), "{:?}", plan.notes);
}

#[test]
fn an_object_is_never_made_from_nothing() {
    assert_eq!(plan_of(&[], T0, None), Plan::nothing());
    let bare = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n", "uid": "d"}});
    let object = Object::from_value(bare.clone()).unwrap();
    assert!(object.at(&["spec"]).is_none());
    let _ = plan_of(&[bare], T0, None);
}
