//! Who answers for a Service: EndpointSlices (`slices`) and the older Endpoints (`legacy`), both
//! from the pods that its selector takes (R-CTL-20). Here is what the two share: which Services
//! and pods count, and what port a pod answers at.

mod legacy;
mod slices;

use std::sync::Arc;

use super::caches::Caches;
use super::{labelled, pod};
use crate::api::Change;
use crate::object::{Object, Value};

pub(crate) use legacy::sync as sync_legacy;
pub(crate) use slices::sync;

/// When something last changed, as the object tells it.
const TRIGGERED: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// Marks what belongs to a Service without an address of its own.
const HEADLESS: &str = "service.kubernetes.io/headless";

/// Whether the controllers look after a Service: it has a selector and is no mere alias.
fn is_looked_after(service: &Object) -> bool {
    labelled::selector(service).is_some() && service.text(&["spec", "type"]) != Some("ExternalName")
}

/// Whether a Service's selector takes a pod.
pub(crate) fn selects(service: &Object, pod: &Object) -> bool {
    let Some(wanted) = labelled::selector(service) else { return false };
    let has = |key: &str| pod.labels()?.get(key)?.as_str();
    wanted.iter().all(|(key, value)| has(key) == Some(value.as_str().unwrap_or_default()))
}

/// Whether a change to a pod can matter to any Service.
pub(crate) fn matters(change: &Change) -> bool {
    let (Some(old), Some(new)) = (&change.old, &change.new) else { return true };
    address(old) != address(new)
        || pod::is_ready(old) != pod::is_ready(new)
        || pod::is_finished(old) != pod::is_finished(new)
        || old.is_deleting() != new.is_deleting()
        || old.labels() != new.labels()
}

fn is_headless(service: &Object) -> bool {
    matches!(service.text(&["spec", "clusterIP"]), None | Some("" | "None"))
}

fn address(pod: &Object) -> Option<&str> {
    pod.text(&["status", "podIP"]).filter(|ip| !ip.is_empty())
}

/// The pods of a Service that have an address and have not ended, by name.
fn members<'a>(caches: &'a Caches, service: &'a Object) -> Vec<&'a Arc<Object>> {
    let pods = caches.pods_labelled(service.namespace(), labelled::selector(service));
    pods.filter(|pod| address(pod).is_some() && !pod::is_finished(pod))
        .filter(|pod| selects(service, pod))
        .collect()
}

/// The number that a pod answers a Service's port at; `None` where it has no port of that name.
fn port_of(pod: &Object, port: &Value) -> Option<i64> {
    let target = match &port["targetPort"] {
        Value::Null => &port["port"],
        target => target,
    };
    let Some(name) = target.as_str() else { return target.as_i64() };
    let protocol = port["protocol"].as_str().unwrap_or("TCP");
    let sidecars = pod.list(&["spec", "initContainers"]).iter();
    let sidecars = sidecars.filter(|container| container["restartPolicy"] == "Always");
    let containers = pod.list(&["spec", "containers"]).iter().chain(sidecars);
    let mut ports = containers.filter_map(|container| container["ports"].as_array()).flatten();
    let found = ports.find(|port| {
        port["name"] == *name && port["protocol"].as_str().unwrap_or("TCP") == protocol
    });
    found?["containerPort"].as_i64()
}

/// The name by which a pod of a Service can be looked up.
fn hostname<'a>(service: &Object, pod: &'a Object) -> Option<&'a str> {
    let is_of_service = pod.text(&["spec", "subdomain"]) == Some(service.name());
    pod.text(&["spec", "hostname"]).filter(|name| is_of_service && !name.is_empty())
}

/// The labels of a Service but for those that the controllers set themselves.
fn labels_of(service: &Object) -> crate::object::Map {
    let mut labels = service.labels().cloned().unwrap_or_default();
    labels.remove(HEADLESS);
    if is_headless(service) {
        labels.insert(HEADLESS.to_owned(), "".into());
    }
    labels
}

#[cfg(test)]
mod tests;
