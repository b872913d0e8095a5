//! Ingresses and NetworkPolicies.

use super::containers::{port_number, port_or_name};
use super::errors::{Errors, Path};
use super::read::{given, int, list, text};
use super::selectors;
use crate::object::{Object, Value};
use crate::sim::rest::names;

const SPEC: Path = Path::Printed("spec");

pub(super) fn ingress(object: &Object, errors: &mut Errors) {
    let spec = object.at(&["spec"]).unwrap_or(&Value::Null);
    let rules = list(spec, "rules");
    let backend = given(spec, "defaultBackend");
    if rules.is_empty() && backend.is_none() {
        let text = "either `defaultBackend` or `rules` must be specified";
        errors.invalid(&SPEC, Value::Null, text);
    }
    if let Some(backend) = backend {
        ingress_backend(backend, &SPEC.field("defaultBackend"), errors);
    }
    let path = SPEC.field("rules");
    for (i, rule) in rules.iter().enumerate() {
        ingress_rule(rule, &path.index(i), errors);
    }
    let tls = SPEC.field("tls");
    for (i, entry) in list(spec, "tls").iter().enumerate() {
        let at = tls.index(i);
        let hosts = at.field("hosts");
        for (j, host) in list(entry, "hosts").iter().filter_map(Value::as_str).enumerate() {
            errors.faults(&hosts.index(j), host, host_faults(host));
        }
        let secret = text(entry, "secretName");
        if !secret.is_empty() {
            errors.faults(&at.field("secretName"), secret, names::subdomain_1123(secret));
        }
    }
    if let Some(class) = given(spec, "ingressClassName").and_then(Value::as_str) {
        errors.faults(&SPEC.field("ingressClassName"), class, names::subdomain_1123(class));
    }
}

fn host_faults(host: &str) -> Vec<String> {
    if !host.contains('*') {
        return names::subdomain_1123(host);
    }
    let rest = host.strip_prefix("*.");
    if rest.is_some_and(|rest| names::subdomain_1123(rest).is_empty()) {
        return Vec::new();
    }
    vec!["a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')".to_owned()]
}

fn ingress_rule(rule: &Value, path: &Path, errors: &mut Errors) {
    let host = text(rule, "host");
    if !host.is_empty() {
        if host.parse::<std::net::IpAddr>().is_ok() {
            let text = "must be a DNS name, not an IP address";
            errors.invalid(&path.field("host"), host, text);
        }
        errors.faults(&path.field("host"), host, host_faults(host));
    }
    let Some(http) = given(rule, "http") else { return };
    let at = path.field("http");
    let paths = at.field("paths");
    if list(http, "paths").is_empty() {
        errors.required(&paths, "");
    }
    for (i, entry) in list(http, "paths").iter().enumerate() {
        ingress_path(entry, &paths.index(i), errors);
    }
}

fn ingress_path(entry: &Value, path: &Path, errors: &mut Errors) {
    let Some(kind) = given(entry, "pathType").and_then(Value::as_str) else {
        errors.required(&path.field("pathType"), "pathType must be specified");
        return;
    };
    let place = text(entry, "path");
    let at = path.field("path");
    match kind {
        "Exact" | "Prefix" => {
            if !place.starts_with('/') {
                errors.invalid(&at, place, "must be an absolute path");
            }
            for sequence in ["//", "/./", "/../", "%2f", "%2F"] {
                if place.contains(sequence) {
                    errors.invalid(&at, place, &format!("must not contain '{sequence}'"));
                }
            }
            for suffix in ["/..", "/."] {
                if place.ends_with(suffix) {
                    errors.invalid(&at, place, &format!("cannot end with '{suffix}'"));
                }
            }
        }
        "ImplementationSpecific" => {
            if !place.is_empty() && !place.starts_with('/') {
                errors.invalid(&at, place, "must be an absolute path");
            }
        }
        other => {
            let supported = ["Exact", "ImplementationSpecific", "Prefix"];
            errors.unsupported(&path.field("pathType"), other, &supported);
        }
    }
    ingress_backend(&entry["backend"], &path.field("backend"), errors);
}

fn ingress_backend(backend: &Value, path: &Path, errors: &mut Errors) {
    let service = match (given(backend, "resource"), given(backend, "service")) {
        (Some(_), Some(_)) => {
            errors.invalid(path, "", "cannot set both resource and service backends");
            return;
        }
        (Some(resource), None) => {
            let at = path.field("resource");
            for field in ["kind", "name"] {
                if text(resource, field).is_empty() {
                    errors.required(&at.field(field), "");
                }
            }
            if let Some(group) = resource.get("apiGroup").and_then(Value::as_str) {
                errors.faults(&at.field("apiGroup"), group, names::subdomain_1123(group));
            }
            return;
        }
        (None, None) => {
            errors.invalid(path, "", "resource or service backend is required");
            return;
        }
        (None, Some(service)) => service,
    };
    let at = path.field("service");
    let name = text(service, "name");
    if name.is_empty() {
        errors.required(&at.field("name"), "");
    } else {
        errors.faults(&at.field("name"), name, names::label_1123(name));
    }
    let port = &service["port"];
    let place = at.field("port");
    match (text(port, "name"), int(port, "number").unwrap_or(0)) {
        ("", 0) => errors.required(path, "port name or number is required"),
        ("", _) => port_number(port, &place, "number", errors),
        (name, 0) => errors.faults(&place.field("name"), name, names::port_name(name)),
        _ => errors.invalid(path, "", "cannot set both port name & port number"),
    }
}

pub(super) fn network_policy(object: &Object, errors: &mut Errors) {
    let spec = object.at(&["spec"]).unwrap_or(&Value::Null);
    if let Some(selector) = given(spec, "podSelector") {
        selectors::selector(selector, &SPEC.field("podSelector"), errors);
    }
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        let path = SPEC.field(direction);
        for (i, rule) in list(spec, direction).iter().enumerate() {
            let at = path.index(i);
            let ports = at.field("ports");
            for (j, port) in list(rule, "ports").iter().enumerate() {
                policy_port(port, &ports.index(j), errors);
            }
            let places = at.field(peers);
            for (j, peer) in list(rule, peers).iter().enumerate() {
                policy_peer(peer, &places.index(j), errors);
            }
        }
    }
    let types = SPEC.field("policyTypes");
    if list(spec, "policyTypes").len() > 2 {
        let text = "may not specify more than two policyTypes";
        errors.invalid(&types, spec["policyTypes"].clone(), text);
        return;
    }
    for (i, kind) in list(spec, "policyTypes").iter().filter_map(Value::as_str).enumerate() {
        if !matches!(kind, "Ingress" | "Egress") {
            errors.unsupported(&types.index(i), kind, &["Ingress", "Egress"]);
        }
    }
}

fn policy_port(port: &Value, path: &Path, errors: &mut Errors) {
    let protocol = text(port, "protocol");
    if !matches!(protocol, "TCP" | "UDP" | "SCTP") {
        errors.unsupported(&path.field("protocol"), protocol, &["TCP", "UDP", "SCTP"]);
    }
    let end = int(port, "endPort");
    match given(port, "port") {
        None => {
            if let Some(end) = end {
                let text = "may not be specified when `port` is not specified";
                errors.invalid(&path.field("endPort"), end, text);
            }
        }
        Some(value) => {
            if let (Some(end), Value::String(_)) = (end, value) {
                let text = "may not be specified when `port` is non-numeric";
                errors.invalid(&path.field("endPort"), end, text);
            }
            port_or_name(value, &path.field("port"), errors);
            if let (Some(end), Some(start)) = (end, value.as_i64()) {
                if end < start {
                    let text = "must be greater than or equal to `port`";
                    errors.invalid(&path.field("endPort"), start, text);
                }
                port_number(port, path, "endPort", errors);
            }
        }
    }
}

fn policy_peer(peer: &Value, path: &Path, errors: &mut Errors) {
    let mut count = 0;
    for kind in ["podSelector", "namespaceSelector"] {
        if let Some(selector) = given(peer, kind) {
            count += 1;
            selectors::selector(selector, &path.field(kind), errors);
        }
    }
    if let Some(block) = given(peer, "ipBlock") {
        let at = path.field("ipBlock");
        let range = text(block, "cidr");
        if range.is_empty() {
            errors.required(&at.field("cidr"), "");
        } else if !is_range(range) {
            let text = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
            errors.invalid(&at.field("cidr"), range, text);
        }
    }
    match (count, given(peer, "ipBlock").is_some()) {
        (0, false) => errors.required(path, "must specify a peer"),
        (0, true) | (_, false) => {}
        (_, true) => errors.forbidden(path, "may not specify both ipBlock and another peer"),
    }
}

pub(super) fn is_range(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let most = match address.parse() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= most)
}
