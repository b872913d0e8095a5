//! How traffic finds its way: Services, endpoints, Ingresses and policies.

use std::collections::BTreeSet;

use super::cells::Cells;
use super::row::{Row, joined, printed, some_of, text_of};
use crate::object::Value;

/// The kinds of group `networking.k8s.io`.
pub(super) fn of(kind: &str) -> Option<Cells> {
    Some(match kind {
        "Ingress" => ingress,
        "IngressClass" => ingress_class,
        "NetworkPolicy" => |row| vec![row.name(), row.selector("spec.podSelector"), row.age()],
        "ServiceCIDR" => |row| {
            let ranges = row.list("spec.cidrs").iter().filter_map(Value::as_str);
            vec![row.name(), joined(ranges, ",").into(), row.age()]
        },
        "IPAddress" => ip_address,
        _ => return None,
    })
}

/// Addresses that a cell has room for.
const SHOWN: usize = 3;

/// A Service.
pub(super) fn service(row: &Row) -> Vec<Value> {
    let inner = row.list("spec.clusterIPs").first().and_then(Value::as_str).unwrap_or("<none>");
    let ports = joined(row.list("spec.ports").iter().map(port), ",");
    let ports = if ports.is_empty() { "<none>".to_owned() } else { ports };
    vec![
        row.name(),
        row.text("spec.type"),
        inner.into(),
        external_address(row).into(),
        ports.into(),
        row.age(),
        row.labels("spec.selector"),
    ]
}

fn port(port: &Value) -> String {
    let protocol = text_of(port, "protocol");
    match port["nodePort"].as_i64().filter(|node| *node > 0) {
        Some(node) => format!("{}:{node}/{protocol}", port["port"]),
        None => format!("{}/{protocol}", port["port"]),
    }
}

fn external_address(row: &Row) -> String {
    let given: Vec<&str> = row.list("spec.externalIPs").iter().filter_map(Value::as_str).collect();
    match row.str("spec.type") {
        "ClusterIP" | "NodePort" if given.is_empty() => "<none>".to_owned(),
        "ClusterIP" | "NodePort" => given.join(","),
        "LoadBalancer" => {
            let balanced = load_balancer(row);
            match (given.is_empty(), balanced.is_empty()) {
                (true, true) => "<pending>".to_owned(),
                (true, false) => balanced,
                (false, true) => given.join(","),
                (false, false) => format!("{balanced},{}", given.join(",")),
            }
        }
        "ExternalName" => row.str("spec.externalName").to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

/// Addresses of the load balancer, sorted.
fn load_balancer(row: &Row) -> String {
    let points = row.list("status.loadBalancer.ingress").iter();
    let addresses = points.map(|point| match text_of(point, "ip") {
        "" => text_of(point, "hostname"),
        ip => ip,
    });
    let sorted: BTreeSet<&str> = addresses.filter(|address| !address.is_empty()).collect();
    joined(sorted.into_iter(), ",")
}

/// Endpoints.
pub(super) fn endpoints(row: &Row) -> Vec<Value> {
    let subsets = row.list("subsets");
    let mut found: Vec<String> = Vec::new();
    for subset in subsets {
        let list = |key: &str| subset[key].as_array().map_or(&[][..], Vec::as_slice);
        let addresses = || list("addresses").iter().map(|address| text_of(address, "ip"));
        if list("ports").is_empty() {
            found.extend(addresses().map(str::to_owned));
        }
        for port in list("ports") {
            found.extend(addresses().map(|ip| match ip.contains(':') {
                true => format!("[{ip}]:{}", port["port"]),
                false => format!("{ip}:{}", port["port"]),
            }));
        }
    }
    let missing = if subsets.is_empty() { "<none>" } else { "" };
    vec![row.name(), some_of(&found, SHOWN, missing).into(), row.age()]
}

/// An EndpointSlice.
pub(super) fn endpoint_slice(row: &Row) -> Vec<Value> {
    let ports = row.list("ports").iter().map(|port| match (&port["port"], &port["name"]) {
        (Value::Null, Value::Null) => "*".to_owned(),
        (Value::Null, name) => printed(name),
        (number, _) => number.to_string(),
    });
    let ports: Vec<String> = ports.collect();
    let endpoints = row.list("endpoints").iter();
    let addresses = endpoints.flat_map(|e| e["addresses"].as_array().into_iter().flatten());
    let addresses: Vec<String> = addresses.map(printed).collect();
    let [ports, addresses] = [ports, addresses].map(|list| match some_of(&list, SHOWN, "") {
        text if text.is_empty() => "<unset>".into(),
        text => text.into(),
    });
    vec![row.name(), row.text("addressType"), ports, addresses, row.age()]
}

fn ingress(row: &Row) -> Vec<Value> {
    let class = row.text_or("spec.ingressClassName", "<none>");
    let ports = if row.list("spec.tls").is_empty() { "80" } else { "80, 443" };
    let hosts = hosts(row.list("spec.rules")).into();
    vec![row.name(), class, hosts, load_balancer(row).into(), ports.into(), row.age()]
}

/// Hosts of the first rules; how many more there are counts rules, with or without a host.
fn hosts(rules: &[Value]) -> String {
    let mut shown: Vec<&str> = Vec::new();
    for rule in rules {
        if shown.len() == SHOWN {
            return format!("{} + {} more...", shown.join(","), rules.len() - SHOWN);
        }
        let host = text_of(rule, "host");
        if !host.is_empty() {
            shown.push(host);
        }
    }
    if shown.is_empty() { "*".to_owned() } else { shown.join(",") }
}

fn ingress_class(row: &Row) -> Vec<Value> {
    let is_default = row.object.annotation("ingressclass.kubernetes.io/is-default-class");
    let mark = if is_default == Some("true") { " (default)" } else { "" };
    let name = format!("{}{mark}", row.object.name());
    let parameters = row.at("spec.parameters").map_or_else(
        || "<none>".to_owned(),
        |parameters| {
            let group = parameters["apiGroup"].as_str().map(|group| format!(".{group}"));
            let kind = text_of(parameters, "kind");
            format!("{kind}{}/{}", group.unwrap_or_default(), text_of(parameters, "name"))
        },
    );
    vec![name.into(), row.text("spec.controller"), parameters.into(), row.age()]
}

/// An IPAddress, whose age has no column.
fn ip_address(row: &Row) -> Vec<Value> {
    let parent = row.at("spec.parentRef").map_or_else(
        || "<none>".to_owned(),
        |parent| {
            let [group, resource, namespace, name] =
                ["group", "resource", "namespace", "name"].map(|key| text_of(parent, key));
            let dot = if group.is_empty() { "" } else { "." };
            let slash = if namespace.is_empty() { "" } else { "/" };
            let resource = format!("{resource}{dot}{group}").to_lowercase();
            format!("{resource}{slash}{namespace}/{name}")
        },
    );
    vec![row.name(), parent.into(), row.age()]
}
