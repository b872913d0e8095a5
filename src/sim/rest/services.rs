//! What a Service is given: cluster IPs, IP families and node ports (R-DEF-08), and what it keeps
//! of them when a writer leaves them out (R-VAL-07).
//!
//! The cluster is single-stack IPv4 with services in 10.96.0.0/12, as kubeadm sets it up.

use std::collections::BTreeMap;

use super::Server;
use super::call::Call;
use crate::api::{Cause, Status};
use crate::base::Rng;
use crate::object::{Object, Value, json};
use crate::sim::store::{Resource, Store};

const NODE_PORTS: std::ops::Range<i64> = 30_000..32_768;

fn is_service(call: &Call) -> bool {
    call.kind.kind == "Service" && call.kind.group.is_empty() && call.is_whole()
}

fn kind_of(service: &Object) -> &str {
    service.text(&["spec", "type"]).unwrap_or("ClusterIP")
}

fn wants_node_ports(service: &Object) -> bool {
    match kind_of(service) {
        "NodePort" => true,
        "LoadBalancer" => {
            service.at(&["spec", "allocateLoadBalancerNodePorts"]) != Some(&Value::Bool(false))
        }
        _ => false,
    }
}

/// Puts back what was allocated and is not given again.
pub(super) fn patch_from_live(call: &Call, live: &Object, service: &mut Object) {
    if !is_service(call) {
        return;
    }
    if kind_of(live) == "ExternalName" || kind_of(service) == "ExternalName" {
        drop_addresses(live, service);
        if kind_of(service) == "ExternalName" {
            drop_exposure(live, service);
        }
        return;
    }
    // Who changes the one address without the list means the list too.
    let (one, all) = (["spec", "clusterIP"], ["spec", "clusterIPs"]);
    if let Some(address) = service.at(&one)
        && Some(address) != live.at(&one)
        && service.at(&all) == live.at(&all)
    {
        let list = json!([address]);
        service.set(&all, list);
    }
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"]
    {
        let path = ["spec", field];
        if service.at(&path).is_none()
            && let Some(value) = live.at(&path)
        {
            service.set(&path, value.clone());
        }
    }
    let before = live.list(&["spec", "ports"]).to_vec();
    let keep = wants_node_ports(live) && wants_node_ports(service);
    let drop = kind_of(service) == "ClusterIP" && kind_of(live) != "ClusterIP";
    let Some(ports) = ports_of(service) else { return };
    for port in ports.iter_mut().filter_map(Value::as_object_mut) {
        let old = before
            .iter()
            .find(|old| old["port"] == port["port"] && old["protocol"] == port["protocol"]);
        let old_node_port = old.and_then(|old| old.get("nodePort"));
        if drop && port.get("nodePort") == old_node_port {
            port.remove("nodePort");
        } else if keep
            && !port.contains_key("nodePort")
            && let Some(node_port) = old_node_port
        {
            port.insert("nodePort".to_owned(), node_port.clone());
        }
    }
    if drop {
        drop_exposure(live, service);
    } else if is_exposed(live) && !is_exposed(service) {
        let path = ["spec", "externalTrafficPolicy"];
        if service.at(&path) == live.at(&path) {
            service.remove(&path);
        }
    }
}

/// Whether anything from outside comes to a Service.
fn is_exposed(service: &Object) -> bool {
    match kind_of(service) {
        "NodePort" | "LoadBalancer" => true,
        "ClusterIP" => !service.list(&["spec", "externalIPs"]).is_empty(),
        _ => false,
    }
}

/// Takes away, where the writer left it, what only a Service has that is seen from outside.
fn drop_exposure(live: &Object, service: &mut Object) {
    for field in ["externalTrafficPolicy", "allocateLoadBalancerNodePorts"] {
        if service.at(&["spec", field]) == live.at(&["spec", field]) {
            service.remove(&["spec", field]);
        }
    }
}

/// A name for something outside has no addresses here.
fn drop_addresses(live: &Object, service: &mut Object) {
    let fields =
        ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"];
    for field in fields {
        let path = ["spec", field];
        if kind_of(service) == "ExternalName" && service.at(&path) == live.at(&path) {
            service.remove(&path);
        }
    }
}

fn ports_of(service: &mut Object) -> Option<&mut Vec<Value>> {
    service.0.get_mut("spec")?.get_mut("ports")?.as_array_mut()
}

/// Allocates what a service needs and lacks. A dry run draws nothing that is kept.
pub(super) fn allocate(
    server: &mut Server,
    call: &Call,
    live: Option<&Object>,
    service: &mut Object,
) -> Result<(), Status> {
    if !is_service(call) || service.at(&["spec"]).is_none() || kind_of(service) == "ExternalName" {
        return Ok(());
    }
    let given = service.text(&["spec", "clusterIP"]).unwrap_or_default().to_owned();
    let address = match given.as_str() {
        "" => free_address(server),
        "None" => given,
        _ => {
            in_range(call, service, &given)?;
            if live.is_none_or(|live| kind_of(live) == "ExternalName") {
                address_is_free(server, call, service, &given)?;
            }
            given
        }
    };
    service.set(&["spec", "clusterIP"], address.clone().into());
    if service.at(&["spec", "clusterIPs"]).is_none() {
        service.set(&["spec", "clusterIPs"], json!([address]));
    }
    families(call, service, address == "None")?;
    if wants_node_ports(service) {
        node_ports_are_free(server, call, live, service)?;
        node_ports(server, service);
    }
    let local = service.text(&["spec", "externalTrafficPolicy"]) == Some("Local");
    let unset = service.at(&["spec", "healthCheckNodePort"]).is_none();
    if local && kind_of(service) == "LoadBalancer" && unset {
        let taken = taken_ports(server);
        let port = free_port(&mut server.rng, &taken);
        service.set(&["spec", "healthCheckNodePort"], port.into());
    }
    Ok(())
}

/// The cluster has one family; only what has neither address nor pods of its own may ask for two.
fn families(call: &Call, service: &mut Object, headless: bool) -> Result<(), Status> {
    if let Some(i) = service.list(&["spec", "ipFamilies"]).iter().position(|f| f == "IPv6")
        && !headless
    {
        let field = format!("spec.ipFamilies[{i}]");
        return Err(refused(call, service, &field, "\"IPv6\": not configured on this cluster"));
    }
    if service.text(&["spec", "ipFamilyPolicy"]) == Some("RequireDualStack") && !headless {
        let why = "\"RequireDualStack\": this cluster is not configured for dual-stack services";
        return Err(refused(call, service, "spec.ipFamilyPolicy", why));
    }
    let selects = service.at(&["spec", "selector"]).is_some();
    let dual = headless && !selects;
    if service.at(&["spec", "ipFamilyPolicy"]).is_none() {
        let policy = if dual { "RequireDualStack" } else { "SingleStack" };
        service.set(&["spec", "ipFamilyPolicy"], policy.into());
    }
    if service.at(&["spec", "ipFamilies"]).is_none() {
        let both = service.text(&["spec", "ipFamilyPolicy"]) == Some("RequireDualStack");
        let families = if both { json!(["IPv4", "IPv6"]) } else { json!(["IPv4"]) };
        service.set(&["spec", "ipFamilies"], families);
    }
    Ok(())
}

fn refused(call: &Call, service: &Object, field: &str, why: &str) -> Status {
    let cause = Cause {
        reason: "FieldValueInvalid".to_owned(),
        message: format!("Invalid value: {why}"),
        field: field.to_owned(),
    };
    call.invalid(service.name(), &[cause])
}

/// An address of the cluster's range; what is none at all is left to validation.
fn in_range(call: &Call, service: &Object, address: &str) -> Result<(), Status> {
    let Ok(parsed) = address.parse::<std::net::Ipv4Addr>() else { return Ok(()) };
    if matches!(parsed.octets(), [10, 96..=111, ..]) {
        return Ok(());
    }
    let why = format!(
        "[{address:?}]: failed to allocate IP {address}: the provided IP ({address}) is not in the valid range. The range of valid IPs is 10.96.0.0/12"
    );
    Err(refused(call, service, "spec.clusterIPs", &why))
}

fn resource() -> Resource {
    Resource { group: "".into(), plural: "services".into() }
}

fn services(server: &Server) -> impl Iterator<Item = &Object> {
    server.store.all_of(&resource()).map(AsRef::as_ref)
}

/// Which Service has which address: read from the store, and kept up to date from its changes.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// The revision that it was read at.
    at: u64,
    /// The uid of the Service that has the address.
    holders: BTreeMap<String, String>,
}

impl Addresses {
    /// Takes in what changed since it was last asked.
    fn catch_up(&mut self, store: &Store) {
        let services = resource();
        match store.changes(&services, self.at) {
            Ok(changes) if self.at > 0 => {
                for (old, new) in changes {
                    self.replace(old, new);
                }
            }
            _ => {
                self.holders.clear();
                store.all_of(&services).for_each(|service| self.replace(None, Some(service)));
            }
        }
        self.at = store.revision();
    }

    fn replace(&mut self, old: Option<&Object>, new: Option<&Object>) {
        if let Some(address) = old.and_then(address_of)
            && self.holders.get(address).is_some_and(|uid| old.is_some_and(|old| old.uid() == uid))
        {
            self.holders.remove(address);
        }
        if let Some((address, new)) = new.and_then(address_of).zip(new) {
            self.holders.entry(address.to_owned()).or_insert_with(|| new.uid().to_owned());
        }
    }
}

fn address_of(service: &Object) -> Option<&str> {
    service.text(&["spec", "clusterIP"]).filter(|address| !matches!(*address, "" | "None"))
}

/// The uid of the Service that has an address.
fn holder<'a>(server: &'a mut Server, address: &str) -> Option<&'a str> {
    server.addresses.catch_up(&server.store);
    server.addresses.holders.get(address).map(String::as_str)
}

/// A random address that nobody has. The first 256 are left to those who ask for one.
fn free_address(server: &mut Server) -> String {
    loop {
        let n = 256 + server.rng.below((1 << 20) - 512);
        let address = format!("10.{}.{}.{}", 96 + (n >> 16), n >> 8 & 255, n & 255);
        if holder(server, &address).is_none() {
            return address;
        }
    }
}

fn address_is_free(
    server: &mut Server,
    call: &Call,
    service: &Object,
    address: &str,
) -> Result<(), Status> {
    if holder(server, address).is_none_or(|uid| uid == service.uid()) {
        return Ok(());
    }
    let why =
        format!("[{address:?}]: failed to allocate IP {address}: provided IP is already allocated");
    Err(refused(call, service, "spec.clusterIPs", &why))
}

fn taken_ports(server: &Server) -> Vec<i64> {
    let ports = services(server).flat_map(|s| s.list(&["spec", "ports"]));
    ports.filter_map(|port| port.get("nodePort")?.as_i64()).collect()
}

/// Refuses a port of the nodes that another Service has. One number may serve several protocols.
fn node_ports_are_free(
    server: &Server,
    call: &Call,
    live: Option<&Object>,
    service: &Object,
) -> Result<(), Status> {
    let of = |service: &Object| -> Vec<i64> {
        let ports = service.list(&["spec", "ports"]).iter();
        ports.filter_map(|port| port.get("nodePort")?.as_i64()).collect()
    };
    let own = live.map(of).unwrap_or_default();
    let taken = taken_ports(server);
    for (at, port) in service.list(&["spec", "ports"]).iter().enumerate() {
        let Some(given) = port.get("nodePort").and_then(Value::as_i64) else { continue };
        if taken.contains(&given) && !own.contains(&given) {
            let why = format!("{given}: provided port is already allocated");
            let field = format!("spec.ports[{at}].nodePort");
            return Err(refused(call, service, &field, &why));
        }
    }
    Ok(())
}

fn free_port(rng: &mut Rng, taken: &[i64]) -> i64 {
    let span = u64::try_from(NODE_PORTS.end - NODE_PORTS.start).unwrap_or(1);
    loop {
        let drawn = NODE_PORTS.start + i64::try_from(rng.below(span)).unwrap_or(0);
        if !taken.contains(&drawn) {
            return drawn;
        }
    }
}

/// Ports of one number share a node port over their protocols.
fn node_ports(server: &mut Server, service: &mut Object) {
    let mut taken = taken_ports(server);
    let mut own: Vec<(Value, i64)> = Vec::new();
    let rng = &mut server.rng;
    for port in ports_of(service).into_iter().flatten().filter_map(Value::as_object_mut) {
        let number = port.get("port").cloned().unwrap_or_default();
        if let Some(given) = port.get("nodePort").and_then(Value::as_i64) {
            own.push((number, given));
            continue;
        }
        let shared = own.iter().find(|(of, _)| *of == number).map(|(_, node_port)| *node_port);
        let node_port = shared.unwrap_or_else(|| free_port(rng, &taken));
        taken.push(node_port);
        port.insert("nodePort".to_owned(), node_port.into());
        own.push((number, node_port));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::store::Key;

    fn put(store: &mut Store, name: &str, address: &str) {
        let value =
            json!({"metadata": {"name": name, "uid": name}, "spec": {"clusterIP": address}});
        let service = Object::from_value(value).unwrap();
        store.put(&resource(), Key::new("a", name), service);
    }

    fn check(addresses: &mut Addresses, store: &Store, expect: &[(&str, &str)]) {
        addresses.catch_up(store);
        let held = addresses.holders.iter().map(|(address, uid)| (address.as_str(), uid.as_str()));
        assert_eq!(held.collect::<Vec<_>>(), expect);
    }

    #[test]
    fn addresses_follow_the_store_whether_its_history_is_kept_or_not() {
        let (mut store, mut addresses) = (Store::default(), Addresses::default());
        check(&mut addresses, &store, &[]);
        put(&mut store, "one", "10.96.1.1");
        put(&mut store, "two", "None");
        check(&mut addresses, &store, &[("10.96.1.1", "one")]);
        put(&mut store, "one", "10.96.1.2");
        put(&mut store, "two", "10.96.1.1");
        check(&mut addresses, &store, &[("10.96.1.1", "two"), ("10.96.1.2", "one")]);
        store.remove(&resource(), Key::new("a", "two"));
        check(&mut addresses, &store, &[("10.96.1.2", "one")]);
        put(&mut store, "two", "10.96.1.3");
        store.compact(store.revision());
        check(&mut addresses, &store, &[("10.96.1.2", "one"), ("10.96.1.3", "two")]);
    }
}
