//! Endpoints, one object for each Service, under its name: addresses in subsets by their ports,
//! those that are ready apart from those that are not.

use std::collections::BTreeMap;

use super::{TRIGGERED, address, hostname, labels_of, members, port_of};
use crate::api::Request;
use crate::object::{Object, Value, json};
use crate::sim::controllers::kinds::{ENDPOINTS, SERVICE, gvr};
use crate::sim::controllers::plan::{Call, Cx, Plan};
use crate::sim::controllers::pod;

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";

/// Decides the Endpoints of one Service.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let (namespace, name) = (cx.key.namespace(), cx.key.name());
    if cx.failure.is_some() {
        return Plan::nothing();
    }
    let present = cx.caches.get(ENDPOINTS, namespace, name);
    let Some(service) = cx.caches.get(SERVICE, namespace, name) else {
        // Endpoints that somebody keeps by hand bear no such label.
        return match present.filter(|object| object.label(MANAGED_BY).is_some()) {
            Some(_) => Plan::one(Request::delete(gvr(ENDPOINTS), namespace, name)),
            None => Plan::nothing(),
        };
    };
    if !super::is_looked_after(service) {
        return Plan::nothing();
    }
    let subsets = subsets(service, &members(cx.caches, service));
    let mut labels = labels_of(service);
    labels.insert(MANAGED_BY, "endpoint-controller".into());
    let labels = Value::from(labels);
    let now = Value::from(cx.now.rfc3339());
    let Some(present) = present else {
        let mut object = json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": name,
            "namespace": namespace, "labels": labels, "annotations": {TRIGGERED: now}}});
        if !subsets.is_empty() {
            object["subsets"] = subsets.into();
        }
        let object = Object::from_value(object).unwrap_or_default();
        let request = Request::create(gvr(ENDPOINTS), namespace, object);
        let call = Call { forgives_ending_namespace: true, ..Call::new(request) };
        return Plan::nothing().then(vec![call]);
    };
    if present.list(&["subsets"]) == subsets && present.at(&["metadata", "labels"]) == Some(&labels)
    {
        return Plan::nothing();
    }
    let mut object = Object::clone(present);
    object.set(&["subsets"], subsets.into());
    object.set(&["metadata", "labels"], labels);
    object.set(&["metadata", "annotations", TRIGGERED], now);
    Plan::one(Request::update(gvr(ENDPOINTS), namespace, name, object))
}

/// Ports, and the addresses that are ready at them and those that are not.
type Subset<'a> = (Vec<Value>, [BTreeMap<&'a str, Value>; 2]);

/// One subset for each set of ports, by address within; the order of subsets is that of the
/// ports' text.
fn subsets(service: &Object, pods: &[&std::sync::Arc<Object>]) -> Vec<Value> {
    let mut by_ports: BTreeMap<String, Subset> = BTreeMap::new();
    let is_published = service.flag(&["spec", "publishNotReadyAddresses"]);
    for pod in pods.iter().filter(|pod| is_published || !pod.is_deleting()) {
        let Some(ip) = address(pod) else { continue };
        let ports = ports(service, pod);
        if ports.is_empty() && !service.list(&["spec", "ports"]).is_empty() {
            // It has none of the ports that are asked for.
            continue;
        }
        let entry = by_ports.entry(Value::from(ports.clone()).to_string()).or_default();
        entry.0 = ports;
        let is_ready = is_published || pod::is_ready(pod);
        entry.1[usize::from(!is_ready)].insert(ip, entry_of(service, pod, ip));
    }
    let subsets = by_ports.into_values().map(|(ports, [ready, waiting])| {
        let mut subset = json!({});
        for (field, addresses) in [("addresses", ready), ("notReadyAddresses", waiting)] {
            if !addresses.is_empty() {
                subset[field] = addresses.into_values().collect();
            }
        }
        if !ports.is_empty() {
            subset["ports"] = ports.into();
        }
        subset
    });
    subsets.collect()
}

fn ports(service: &Object, pod: &Object) -> Vec<Value> {
    let ports = service.list(&["spec", "ports"]).iter().filter_map(|port| {
        let mut entry = json!({"port": port_of(pod, port)?,
            "protocol": port["protocol"].as_str().unwrap_or("TCP")});
        for field in ["name", "appProtocol"] {
            if let Some(text) = port[field].as_str().filter(|text| !text.is_empty()) {
                entry[field] = text.into();
            }
        }
        Some(entry)
    });
    ports.collect()
}

fn entry_of(service: &Object, pod: &Object, ip: &str) -> Value {
    let mut entry = json!({"ip": ip, "targetRef": {"kind": "Pod", "name": pod.name(),
        "namespace": pod.namespace(), "uid": pod.uid()}});
    if let Some(node) = pod.text(&["spec", "nodeName"]) {
        entry["nodeName"] = node.into();
    }
    if let Some(hostname) = hostname(service, pod) {
        entry["hostname"] = hostname.into();
    }
    entry
}
