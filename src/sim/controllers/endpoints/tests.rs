//! Services and pods in, slices and Endpoints out.

use super::*;
use crate::base::Time;
use crate::object::json;
use crate::sim::controllers::plan::Plan;
use crate::sim::controllers::trial;

const T0: Time = Time::VIRTUAL_START;

fn service() -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata":
        {"name": "w", "namespace": "n", "uid": "s", "labels": {"x": "y"}},
        "spec": {"selector": {"app": "a"}, "clusterIP": "10.0.0.1",
            "ports": [{"port": 80, "targetPort": "http", "protocol": "TCP"}]}})
}

fn pod(name: &str, ip: &str, port: i64, is_ready: bool) -> Value {
    let state = if is_ready { "True" } else { "False" };
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "n",
        "uid": name, "labels": {"app": "a"}}, "spec": {"nodeName": "node", "containers":
        [{"name": "c", "ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}]}]},
        "status": {"podIP": ip, "phase": "Running",
            "conditions": [{"type": "Ready", "status": state}]}})
}

fn bodies(plan: &Plan) -> Vec<Value> {
    let calls = plan.batches.iter().flatten();
    calls.filter_map(|call| call.request.body.as_deref().cloned()).collect()
}

/// The ready flags of each slice's endpoints, by pod, and the slice's port.
fn slices(objects: &[Value]) -> Vec<String> {
    let plan = trial::plan(sync, objects, T0, &[]);
    let text = |slice: &Value| {
        let endpoints = slice["endpoints"].as_array().into_iter().flatten();
        let endpoints = endpoints.map(|e| {
            format!("{}={}", e["targetRef"]["name"].as_str().unwrap(), e["conditions"]["ready"])
        });
        let ends = endpoints.collect::<Vec<_>>().join(" ");
        format!("{ends} at {}", slice["ports"][0]["port"])
    };
    bodies(&plan).iter().map(text).collect()
}

#[test]
fn a_service_has_a_slice_for_each_set_of_ports_and_an_empty_one_without_pods() {
    assert_eq!(slices(&[service()]), [" at null"]);
    let pods = [pod("a", "1.1.1.1", 80, true), pod("b", "1.1.1.2", 80, false)];
    let objects = [service(), pods[0].clone(), pods[1].clone()];
    assert_eq!(slices(&objects), ["a=true b=false at 80"]);
    let objects = [service(), pods[0].clone(), pod("c", "1.1.1.3", 8080, true)];
    assert_eq!(slices(&objects), ["a=true at 80", "c=true at 8080"]);
}

#[test]
fn a_slice_is_left_alone_while_it_is_right_and_changed_where_it_stands() {
    let first = pod("a", "1.1.1.1", 80, true);
    let made = trial::plan(sync, &[service(), first.clone()], T0, &[]);
    let mut slice = bodies(&made).remove(0);
    slice["metadata"]["name"] = "w-1".into();
    slice["metadata"]["uid"] = "slice".into();
    let text = |objects: &[Value]| trial::text(&trial::plan(sync, objects, T0, &[]));
    assert_eq!(text(&[service(), first, slice.clone()]), "");
    let waiting = pod("a", "1.1.1.1", 80, false);
    assert_eq!(text(&[service(), waiting, slice.clone()]), "update endpointslices w-1");
    assert_eq!(text(&[service(), slice]), "update endpointslices w-1");
}

#[test]
fn endpoints_tell_ready_addresses_from_those_that_wait_and_go_with_the_service() {
    let pods = [pod("a", "1.1.1.1", 80, true), pod("b", "1.1.1.2", 80, false)];
    let plan = trial::plan(sync_legacy, &[service(), pods[0].clone(), pods[1].clone()], T0, &[]);
    let made = bodies(&plan).remove(0);
    let subset = &made["subsets"][0];
    assert_eq!(subset["addresses"][0]["ip"], "1.1.1.1");
    assert_eq!(subset["notReadyAddresses"][0]["ip"], "1.1.1.2");
    let mut object = made;
    object["metadata"]["uid"] = "e".into();
    let left = trial::plan(sync_legacy, &[object], T0, &[]);
    assert_eq!(trial::text(&left), "delete endpoints w");
}
