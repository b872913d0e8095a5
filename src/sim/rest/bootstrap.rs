//! What a cluster begins with: four namespaces, two priority classes and the Service of
//! the API server (R-STO-15).

use super::Server;
use crate::api::Request;
use crate::base::Time;
use crate::object::{Gvr, Object, Value, json};

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

pub(super) fn fill(server: &mut Server, now: Time) {
    let namespaces = Gvr::new("", "v1", "namespaces");
    for name in NAMESPACES {
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name },
        });
        create(server, now, namespaces.clone(), "", namespace);
    }
    for (name, value, description) in PRIORITIES {
        let class = json!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": { "name": name }, "value": value, "description": description,
        });
        let classes = Gvr::new("scheduling.k8s.io", "v1", "priorityclasses");
        create(server, now, classes, "", class);
    }
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "labels": { "component": "apiserver", "provider": "kubernetes" },
        },
        "spec": {
            "clusterIP": "10.96.0.1",
            "ports": [{ "name": "https", "port": 443, "targetPort": 6443 }],
        },
    });
    create(server, now, Gvr::new("", "v1", "services"), "default", service);
}

fn create(server: &mut Server, now: Time, gvr: Gvr, namespace: &str, object: Value) {
    let Ok(object) = Object::from_value(object) else { return };
    let request = Request::create(gvr, namespace, object).by("kube-apiserver");
    let handled = server.handle(now, 0, 0, &request);
    debug_assert!(handled.response.is_ok(), "{:?}", handled.response);
}
