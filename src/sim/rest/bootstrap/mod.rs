//! What a cluster begins with (R-STO-15): always four namespaces, two priority classes and the
//! Service of the API server; all else that a kube-apiserver makes only if it is asked for.

mod full;

use super::Server;
use crate::api::Request;
use crate::base::{Rng, Time};
use crate::object::{Gvr, Name, Object, json};

/// What a server begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Bootstrap {
    /// What controllers and scenarios cannot do without.
    #[default]
    Minimal,
    /// All that a kube-apiserver makes by itself, the roles of RBAC among it.
    Full(Endpoint),
}

/// Where a server can be reached, as it tells in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// An IPv4 address. No endpoints are made for a loopback address, which they cannot hold.
    pub address: String,
    /// The port.
    pub port: u16,
    /// The CA of client certificates as PEM; empty for none.
    pub client_ca: String,
    /// The CA of proxies in front that name users, as PEM; empty for none.
    pub front_proxy_ca: String,
}

impl Server {
    /// A server with more, or no more, than the least that a cluster begins with.
    #[must_use]
    pub fn with_bootstrap(seed: &Rng, now: Time, bootstrap: &Bootstrap) -> Self {
        let mut server = Self::empty(seed);
        server.bootstrap(now, bootstrap);
        server
    }

    /// Makes what is missing of what a cluster begins with, as a server does at every start.
    pub fn bootstrap(&mut self, now: Time, bootstrap: &Bootstrap) {
        match bootstrap {
            Bootstrap::Minimal => fill(self, now, DEFAULT_PORT),
            Bootstrap::Full(endpoint) => {
                self.auth.is_at(&endpoint.address, endpoint.port);
                fill(self, now, endpoint.port);
                full::fill(self, now, endpoint);
            }
        }
    }
}

const DEFAULT_PORT: u16 = 6443;

const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

const PRIORITIES: [(&str, i64, &str); 2] = [
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
];

fn fill(server: &mut Server, now: Time, port: u16) {
    let mut make = |gvr: Gvr, namespace: &str, object| {
        if let Ok(object) = Object::from_value(object) {
            create(server, now, gvr, namespace, object, None);
        }
    };
    let namespaces = Gvr::new("", "v1", "namespaces");
    for name in NAMESPACES {
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name },
        });
        make(namespaces.clone(), "", namespace);
    }
    for (name, value, description) in PRIORITIES {
        let class = json!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": { "name": name }, "value": value, "description": description,
        });
        make(Gvr::new("scheduling.k8s.io", "v1", "priorityclasses"), "", class);
    }
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "labels": { "component": "apiserver", "provider": "kubernetes" },
        },
        "spec": {
            "clusterIP": "10.96.0.1",
            "ipFamilyPolicy": "SingleStack",
            "ports": [{ "name": "https", "port": 443, "targetPort": port }],
        },
    });
    make(Gvr::new("", "v1", "services"), "default", service);
}

/// Whether the object was made, and was not there or could not be.
fn create(
    server: &mut Server,
    now: Time,
    gvr: Gvr,
    namespace: &str,
    object: Object,
    manager: Option<String>,
) -> bool {
    // What was there before a restart stays as it is; a Service's address would be taken, too.
    if server.peek(&gvr, namespace, object.name()).is_some() {
        return false;
    }
    let mut request = Request::create(gvr, namespace, object);
    request.options.field_manager = manager.map(Name::Owned);
    send(server, now, &request)
}

fn send(server: &mut Server, now: Time, request: &Request) -> bool {
    let request = request.clone().by("kube-apiserver");
    let handled = server.handle(now, 0, 0, &request);
    let code = handled.response.code;
    // What was there before a restart stays, and no endpoints hold a loopback address.
    let is_expected =
        handled.response.is_ok() || code == 409 || request.resource.plural.starts_with("endpoint");
    debug_assert!(is_expected, "{request:?} {:?}", handled.response);
    handled.response.is_ok()
}
