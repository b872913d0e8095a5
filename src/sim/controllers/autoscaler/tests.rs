//! Caches, metrics and a scale in, requests out.

use super::*;
use crate::api::Response;
use crate::base::Time;
use crate::sim::controllers::caches::Caches;
use crate::sim::controllers::metrics::{Measured, Reading};
use crate::sim::controllers::plan::{Controller, Key};
use crate::sim::controllers::settings::Settings;
use crate::sim::controllers::trial;

const T0: Time = Time::VIRTUAL_START;

fn pod(name: &str) -> Value {
    let ready = json!([{"type": "Ready", "status": "True",
        "lastTransitionTime": (T0 - Duration::from_secs(600)).rfc3339()}]);
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "n", "uid": name, "labels": {"app": "a"}},
        "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "100m"}}}]},
        "status": {"phase": "Running", "conditions": ready,
            "startTime": (T0 - Duration::from_secs(600)).rfc3339()}})
}

/// The second half of a look: the scale says `replicas`, `cpu` is measured.
fn look(metrics: Value, cpu: Option<Reading>, replicas: i64) -> Plan {
    let scaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "w", "namespace": "n", "uid": "h"},
        "spec": {"minReplicas": 1, "maxReplicas": 5, "metrics": metrics, "scaleTargetRef":
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}});
    let mut objects = vec![scaler];
    objects.extend((0..replicas).map(|n| pod(&format!("p{n}"))));
    let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": {"name": "web", "namespace": "n"}, "spec": {"replicas": replicas},
        "status": {"replicas": replicas, "selector": "app=a"}});
    let scale = Object::from_value(scale).unwrap();
    let request = Request::get(Gvr::new("apps", "v1", "deployments"), "n", "web");
    let response = Arc::new(Response::object(200, Arc::new(scale)));
    let asked = [Asked { request: request.subresource("scale"), response }];
    let mut settings = Settings::default();
    let of = Measured { kind: "deployment".into(), namespace: "n".into(), name: "web".into() };
    settings.metrics.set(of, "cpu", cpu);
    let key = Key::new(Controller::Autoscaler, "n", "w");
    let caches = Caches::of(&objects);
    sync(&Cx {
        now: T0,
        key: &key,
        caches: &caches,
        settings: &settings,
        asked: &asked,
        failure: None,
        memory: None,
    })
}

fn check(cpu: Option<Reading>, replicas: i64, expected: Option<i64>, active: &str) {
    let target = json!({"type": "Utilization", "averageUtilization": 50});
    let metrics = json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]);
    let plan = look(metrics, cpu.clone(), replicas);
    let calls = plan.batches.iter().flatten();
    let mut scales = calls.filter(|c| c.request.subresource.as_deref() == Some("scale"));
    let written = scales.next().and_then(|call| call.request.body.as_ref());
    let written = written.and_then(|body| body["spec"]["replicas"].as_i64());
    assert_eq!(written, expected, "{cpu:?} of {replicas}");
    let status = trial::status(&plan);
    let all = status["conditions"].as_array().cloned().unwrap_or_default();
    let found = all.iter().find(|c| c["type"] == "ScalingActive").map(|c| c["reason"].clone());
    assert_eq!(found.unwrap_or_else(|| "".into()), active);
}

#[test]
fn usage_and_its_target_say_how_many_there_are_to_be() {
    let valid = "ValidMetricFound";
    let each =
        |text: &str| Some(Reading::Each(crate::object::quantity::Quantity::parse(text).unwrap()));
    check(Some(Reading::Percent(54)), 2, None, valid);
    check(Some(Reading::Percent(80)), 2, Some(4), valid);
    check(Some(Reading::Percent(80)), 3, Some(5), valid);
    check(each("60m"), 2, Some(3), valid);
    check(None, 2, None, "FailedGetResourceMetric");
    check(Some(Reading::Percent(80)), 0, None, "ScalingDisabled");
    check(None, 7, Some(5), "");
}

#[test]
fn what_shrinks_waits_for_its_window() {
    check(Some(Reading::Percent(10)), 4, None, "ValidMetricFound");
}
