//! EndpointSlices: at most a hundred endpoints each, one set of slices for each set of ports. A
//! slice keeps its endpoints while it can, so that few slices change; new endpoints go where room
//! is, the rest to new slices.
//!
//! Not here: dual-stack Services beyond their first family, hints of topology.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{TRIGGERED, address, hostname, labels_of, members, port_of};
use crate::api::Request;
use crate::base::limits;
use crate::object::{Object, Value, json};
use crate::sim::controllers::caches::Caches;
use crate::sim::controllers::kinds::{ENDPOINT_SLICE, NODE, SERVICE, gvr};
use crate::sim::controllers::plan::{Call, Cx, Plan};
use crate::sim::controllers::pod;

/// Whose slice it is.
pub(super) const SERVICE_NAME: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const US: &str = "endpointslice-controller.k8s.io";

/// Endpoints, by the name of their pod.
type Endpoints = BTreeMap<String, Value>;

/// Decides the slices of one Service.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let service = cx.caches.get(SERVICE, cx.key.namespace(), cx.key.name());
    let Some(service) = service.filter(|service| {
        cx.failure.is_none() && !service.is_deleting() && super::is_looked_after(service)
    }) else {
        return Plan::nothing();
    };
    let mut wanted = wanted(cx.caches, service);
    let writer = Writer { service, now: cx.now.rfc3339() };
    let mut kept: Vec<Slice> = Vec::new();
    let mut free: Vec<&Arc<Object>> = Vec::new();
    for object in ours(cx.caches, service) {
        let ports = object.at(&["ports"]).cloned().unwrap_or_default();
        match wanted.get_mut(&ports.to_string()) {
            Some((_, endpoints)) => {
                let endpoints = keep(object, endpoints);
                kept.push(Slice { object: Some(object), ports, endpoints });
            }
            None => free.push(object),
        }
    }
    for (ports, mut left) in wanted.into_values() {
        for slice in kept.iter_mut().filter(|slice| slice.ports == ports) {
            fill(&mut slice.endpoints, &mut left);
        }
        while !left.is_empty() {
            let mut endpoints = Endpoints::new();
            fill(&mut endpoints, &mut left);
            kept.push(Slice { object: None, ports: ports.clone(), endpoints });
        }
    }
    let has_any = kept.iter().any(|slice| !slice.endpoints.is_empty());
    let (mut full, empty): (Vec<_>, Vec<_>) =
        kept.into_iter().partition(|slice| !slice.endpoints.is_empty());
    free.extend(empty.into_iter().filter_map(|slice| slice.object));
    if !has_any {
        full.push(Slice { object: None, ports: Value::Null, endpoints: Endpoints::new() });
    }
    // What would be deleted is made into what would be created.
    for slice in full.iter_mut().filter(|slice| slice.object.is_none()) {
        slice.object = free.pop();
    }
    let mut calls: Vec<_> = full.into_iter().filter_map(|slice| writer.write(slice)).collect();
    calls.extend(free.into_iter().map(|slice| {
        Call::new(Request::delete(gvr(ENDPOINT_SLICE), slice.namespace(), slice.name()))
    }));
    Plan::nothing().then(calls)
}

/// A slice as it is to be, and the one that becomes it.
struct Slice<'a> {
    object: Option<&'a Arc<Object>>,
    ports: Value,
    endpoints: Endpoints,
}

fn ours<'a>(caches: &'a Caches, service: &'a Object) -> impl Iterator<Item = &'a Arc<Object>> {
    caches.controlled(ENDPOINT_SLICE, service.uid()).filter(|slice| {
        !slice.is_deleting()
            && slice.label(MANAGED_BY) == Some(US)
            && slice.label(SERVICE_NAME) == Some(service.name())
    })
}

/// What should be, by the ports as text: the ports, and who answers at them.
fn wanted(caches: &Caches, service: &Object) -> BTreeMap<String, (Value, Endpoints)> {
    let mut wanted: BTreeMap<String, (Value, Endpoints)> = BTreeMap::new();
    for pod in members(caches, service) {
        let ports = ports(service, pod);
        let entry = wanted.entry(ports.to_string());
        let endpoints = &mut entry.or_insert_with(|| (ports, Endpoints::new())).1;
        endpoints.insert(pod.name().to_owned(), endpoint(caches, service, pod));
    }
    wanted
}

fn ports(service: &Object, pod: &Object) -> Value {
    let ports = service.list(&["spec", "ports"]).iter().filter_map(|port| {
        let mut entry = json!({"name": port["name"].as_str().unwrap_or_default(),
            "port": port_of(pod, port)?, "protocol": port["protocol"].as_str().unwrap_or("TCP")});
        if let Some(protocol) = port["appProtocol"].as_str() {
            entry["appProtocol"] = protocol.into();
        }
        Some(entry)
    });
    let ports: Vec<Value> = ports.collect();
    if ports.is_empty() { Value::Null } else { ports.into() }
}

fn endpoint(caches: &Caches, service: &Object, pod: &Object) -> Value {
    let is_serving = pod::is_ready(pod);
    let is_published = service.flag(&["spec", "publishNotReadyAddresses"]);
    let is_ready = is_published || (is_serving && !pod.is_deleting());
    let mut endpoint = json!({"addresses": [address(pod)],
        "conditions": {"ready": is_ready, "serving": is_serving, "terminating": pod.is_deleting()},
        "targetRef": {"kind": "Pod", "namespace": pod.namespace(), "name": pod.name(),
            "uid": pod.uid()}});
    if let Some(node) = pod.text(&["spec", "nodeName"]) {
        endpoint["nodeName"] = node.into();
        let zone = caches.get(NODE, "", node).and_then(|n| n.label("topology.kubernetes.io/zone"));
        if let Some(zone) = zone {
            endpoint["zone"] = zone.into();
        }
    }
    if let Some(hostname) = hostname(service, pod) {
        endpoint["hostname"] = hostname.into();
    }
    endpoint
}

/// Takes out of `wanted` what a slice has already, as it should be now.
fn keep(slice: &Object, wanted: &mut Endpoints) -> Endpoints {
    let present = slice.list(&["endpoints"]).iter();
    let names = present.filter_map(|endpoint| endpoint["targetRef"]["name"].as_str());
    names.filter_map(|name| wanted.remove_entry(name)).collect()
}

fn fill(slice: &mut Endpoints, left: &mut Endpoints) {
    while slice.len() < limits::ENDPOINTS_PER_SLICE
        && let Some((name, endpoint)) = left.pop_first()
    {
        slice.insert(name, endpoint);
    }
}

struct Writer<'a> {
    service: &'a Arc<Object>,
    now: String,
}

impl Writer<'_> {
    fn labels(&self) -> Value {
        let mut labels = labels_of(self.service);
        labels.insert(MANAGED_BY, US.into());
        labels.insert(SERVICE_NAME, self.service.name().into());
        labels.into()
    }

    /// Creates or changes a slice; `None` where it is right already.
    fn write(&self, slice: Slice) -> Option<Call> {
        let (labels, list) = (self.labels(), listed(slice.endpoints));
        let Some(present) = slice.object else {
            return Some(self.create(&slice.ports, &labels, list));
        };
        let before = present.at(&["endpoints"]).unwrap_or(&Value::Null);
        if same(before, &list)
            && present.at(&["ports"]).unwrap_or(&Value::Null) == &slice.ports
            && present.at(&["metadata", "labels"]) == Some(&labels)
        {
            return None;
        }
        let mut object = Object::clone(present);
        object.set(&["endpoints"], list);
        object.set(&["ports"], slice.ports);
        object.set(&["metadata", "labels"], labels);
        object.set(&["metadata", "annotations", TRIGGERED], self.now.clone().into());
        let (namespace, name) = (present.namespace(), present.name());
        Some(Call::new(Request::update(gvr(ENDPOINT_SLICE), namespace, name, object)))
    }

    fn create(&self, ports: &Value, labels: &Value, list: Value) -> Call {
        let service = self.service;
        let family = service.list(&["spec", "ipFamilies"]).first().and_then(Value::as_str);
        let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"generateName": format!("{}-", service.name()),
                "namespace": service.namespace(), "labels": labels,
                "annotations": {TRIGGERED: self.now},
                "ownerReferences": [pod::controller_reference(service)]},
            "addressType": family.unwrap_or("IPv4"), "endpoints": list, "ports": ports});
        let object = Object::from_value(slice).unwrap_or_default();
        let request = Request::create(gvr(ENDPOINT_SLICE), service.namespace(), object);
        Call { forgives_ending_namespace: true, ..Call::new(request) }
    }
}

fn listed(endpoints: Endpoints) -> Value {
    if endpoints.is_empty() { Value::Null } else { endpoints.into_values().collect() }
}

/// Whether two lists have the same endpoints, in whatever order.
fn same(one: &Value, other: &Value) -> bool {
    let (one, other) = (one.as_array(), other.as_array());
    let (one, other) = (one.map_or(&[][..], |l| l), other.map_or(&[][..], |l| l));
    one.len() == other.len() && one.iter().all(|endpoint| other.contains(endpoint))
}
