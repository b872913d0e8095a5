//! Services.

use super::containers::{port_number, port_or_name, protocol};
use super::errors::{Errors, Path};
use super::meta::labels_at;
use super::read::{given, list, text};
use crate::object::{Object, Value, json};
use crate::sim::rest::names;

const SPEC: Path = Path::Printed("spec");

fn is_headless(spec: &Value) -> bool {
    list(spec, "clusterIPs").first() == Some(&json!("None"))
}

pub(super) fn check(service: &Object, errors: &mut Errors) {
    let spec = service.at(&["spec"]).unwrap_or(&Value::Null);
    let kind = text(spec, "type");
    if list(spec, "ports").is_empty() && !is_headless(spec) && kind != "ExternalName" {
        errors.required(&SPEC.field("ports"), "");
    }
    addresses_of_type(spec, kind, errors);
    ports(spec, errors);
    if let Some(labels) = given(spec, "selector").and_then(Value::as_object) {
        labels_at(labels, &SPEC.field("selector"), errors);
    }
    let affinity = text(spec, "sessionAffinity");
    if !matches!(affinity, "ClientIP" | "None") {
        errors.unsupported(&SPEC.field("sessionAffinity"), affinity, &["ClientIP", "None"]);
    }
    addresses(spec, errors);
    if !matches!(kind, "ClusterIP" | "ExternalName" | "LoadBalancer" | "NodePort") {
        let supported = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
        errors.unsupported(&SPEC.field("type"), kind, &supported);
    }
    node_ports(spec, kind, errors);
    same_ports(spec, errors);
    balancer(spec, kind, errors);
}

fn addresses_of_type(spec: &Value, kind: &str, errors: &mut Errors) {
    let ips = SPEC.field("clusterIPs");
    match kind {
        "LoadBalancer" | "NodePort" if is_headless(spec) => {
            let text = format!("may not be set to 'None' for {kind} services");
            errors.invalid(&ips.index(0), "None", &text);
        }
        "ExternalName" => {
            for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                if given(spec, field).is_some() {
                    let text = "may not be set for ExternalName services";
                    errors.forbidden(&SPEC.field(field), text);
                }
            }
            let name = text(spec, "externalName");
            let name = name.strip_suffix('.').unwrap_or(name);
            if name.is_empty() {
                errors.required(&SPEC.field("externalName"), "");
            } else {
                errors.faults(&SPEC.field("externalName"), name, names::subdomain_1123(name));
            }
        }
        _ => {}
    }
}

fn ports(spec: &Value, errors: &mut Errors) {
    let path = SPEC.field("ports");
    let ports = list(spec, "ports");
    let mut seen: Vec<&str> = Vec::new();
    for (i, port) in ports.iter().enumerate() {
        let at = path.index(i);
        let name = text(port, "name");
        if name.is_empty() {
            if ports.len() > 1 {
                errors.required(&at.field("name"), "");
            }
        } else {
            errors.faults(&at.field("name"), name, names::label_1123(name));
            if seen.contains(&name) {
                errors.duplicate(&at.field("name"), name);
            } else {
                seen.push(name);
            }
        }
        port_number(port, &at, "port", errors);
        protocol(port, &at, errors);
        port_or_name(&port["targetPort"], &at.field("targetPort"), errors);
    }
}

fn addresses(spec: &Value, errors: &mut Errors) {
    if text(spec, "type") == "ExternalName" {
        return;
    }
    let path = SPEC.field("clusterIPs");
    let (one, all) = (text(spec, "clusterIP"), list(spec, "clusterIPs"));
    match all.first() {
        None if !one.is_empty() => errors.required(&path, ""),
        Some(first) if !one.is_empty() && first != one => {
            errors.invalid(&path, Value::Array(all.to_vec()), "first value must match `clusterIP`");
        }
        _ => {}
    }
    for (i, address) in all.iter().filter_map(Value::as_str).enumerate() {
        if (i > 0 || address != "None") && address.parse::<std::net::IpAddr>().is_err() {
            let text = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            errors.invalid(&path.index(i), address, text);
        }
        if i == 0 && address == "None" && all.len() > 1 {
            let text = "'None' must be the first and only value";
            errors.invalid(&path, Value::Array(all.to_vec()), text);
        }
    }
    if all.len() > 2 {
        errors.invalid(&path, Value::Array(all.to_vec()), "may only hold up to 2 values");
    }
}

fn node_ports(spec: &Value, kind: &str, errors: &mut Errors) {
    let path = SPEC.field("ports");
    let mut seen: Vec<(&Value, &str)> = Vec::new();
    for (i, port) in list(spec, "ports").iter().enumerate() {
        let Some(number) = given(port, "nodePort") else { continue };
        let at = path.index(i);
        if kind == "ClusterIP" {
            let text = "may not be used when `type` is 'ClusterIP'";
            errors.forbidden(&at.field("nodePort"), text);
        }
        let key = (number, text(port, "protocol"));
        if seen.contains(&key) {
            errors.duplicate(&at.field("nodePort"), number.clone());
        }
        seen.push(key);
    }
}

/// Two ports of one number and protocol. The value is shown as upstream's internal struct is.
fn same_ports(spec: &Value, errors: &mut Errors) {
    let path = SPEC.field("ports");
    let mut seen: Vec<(&Value, &str)> = Vec::new();
    for (i, port) in list(spec, "ports").iter().enumerate() {
        let key = (&port["port"], text(port, "protocol"));
        if seen.contains(&key) {
            let shown = format!(
                "{{\"Name\":\"\",\"Protocol\":\"{}\",\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\"NodePort\":0}}",
                key.1, key.0
            );
            errors.duplicate_as(&path.index(i), &shown);
        }
        seen.push(key);
    }
}

fn balancer(spec: &Value, kind: &str, errors: &mut Errors) {
    if kind != "LoadBalancer" {
        let only = "may only be used when `type` is 'LoadBalancer'";
        if given(spec, "loadBalancerSourceRanges").is_some() {
            errors.forbidden(&SPEC.field("LoadBalancerSourceRanges"), only);
        }
        if given(spec, "allocateLoadBalancerNodePorts").is_some() {
            errors.forbidden(&SPEC.field("allocateLoadBalancerNodePorts"), only);
        }
        if given(spec, "loadBalancerClass").is_some() {
            let text = "may only be used when `type` is 'LoadBalancer'";
            errors.forbidden(&SPEC.field("loadBalancerClass"), text);
        }
    }
    let policy = text(spec, "externalTrafficPolicy");
    let external = matches!(kind, "LoadBalancer" | "NodePort")
        || (kind == "ClusterIP" && !list(spec, "externalIPs").is_empty());
    if !policy.is_empty() && !external {
        let text = "may only be set for externally-accessible services";
        errors.invalid(&SPEC.field("externalTrafficPolicy"), policy, text);
    } else if !matches!(policy, "" | "Cluster" | "Local") {
        let supported = ["Cluster", "Local"];
        errors.unsupported(&SPEC.field("externalTrafficPolicy"), policy, &supported);
    }
}

/// A cluster IP is for good (R-VAL-07).
pub(super) fn changed(live: &Object, service: &Object, errors: &mut Errors) {
    let empty = Value::Null;
    let (before, now) =
        (live.at(&["spec"]).unwrap_or(&empty), service.at(&["spec"]).unwrap_or(&empty));
    balancer_changed(before, now, errors);
    let outside = |spec: &Value| text(spec, "type") == "ExternalName";
    if outside(before) || outside(now) || (is_headless(before) && is_headless(now)) {
        return;
    }
    let path = SPEC.field("clusterIPs");
    let (old, new) = (list(before, "clusterIPs"), list(now, "clusterIPs"));
    if let (Some(a), Some(b)) = (old.first(), new.first())
        && a != b
    {
        let value = Value::Array(new.to_vec());
        errors.invalid(&path.index(0), value, "may not change once set");
    }
}

/// What a load balancer was made by, and is asked about its health on.
fn balancer_changed(before: &Value, now: &Value, errors: &mut Errors) {
    let is_balancer = |spec: &Value| text(spec, "type") == "LoadBalancer";
    if !is_balancer(before) || !is_balancer(now) {
        return;
    }
    if given(before, "loadBalancerClass") != given(now, "loadBalancerClass") {
        let class = now["loadBalancerClass"].clone();
        errors.invalid(&SPEC.field("loadBalancerClass"), class, "may not change once set");
    }
    let local = |spec: &Value| text(spec, "externalTrafficPolicy") == "Local";
    let port = "healthCheckNodePort";
    if local(before) && local(now) && given(before, port) != given(now, port) {
        errors.forbidden(&SPEC.field(port), "field is immutable");
    }
}
