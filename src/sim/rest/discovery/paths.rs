//! The list of paths at `/` (R-HTTP-02).

use serde::Serialize;

use super::bytes;
use super::catalog::Catalog;

/// What `/healthz`, `/livez` and `/readyz` check one by one, each at a path of its own
/// (R-HTTP-08). `loopback-serving-certificate` is not among those of `/readyz`, which has
/// `etcd-readiness`, `informer-sync` and `shutdown` besides.
pub const HEALTH_CHECKS: [&str; 35] = [
    "autoregister-completion",
    "etcd",
    "log",
    "loopback-serving-certificate",
    "ping",
    "poststarthook/aggregator-reload-proxy-client-cert",
    "poststarthook/apiservice-discovery-controller",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
    "poststarthook/apiservice-registration-controller",
    "poststarthook/apiservice-status-local-available-controller",
    "poststarthook/apiservice-status-remote-available-controller",
    "poststarthook/bootstrap-controller",
    "poststarthook/crd-informer-synced",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/kube-apiserver-autoregistration",
    "poststarthook/peer-endpoint-reconciler-controller",
    "poststarthook/priority-and-fairness-config-consumer",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/priority-and-fairness-filter",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/start-apiextensions-informers",
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/start-cluster-authentication-info-controller",
    "poststarthook/start-kube-aggregator-informers",
    "poststarthook/start-kube-apiserver-identity-lease-controller",
    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
    "poststarthook/start-kubernetes-service-cidr-controller",
    "poststarthook/start-legacy-token-tracking-controller",
    "poststarthook/start-service-ip-repair-controllers",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/storage-object-count-tracker-hook",
    "poststarthook/storage-readiness",
];

/// Paths that are neither those of an API nor of a check.
const OTHERS: [&str; 13] = [
    "/.well-known/openid-configuration",
    "/flagz",
    "/healthz",
    "/livez",
    "/metrics",
    "/metrics/slis",
    "/openapi/v2",
    "/openapi/v3",
    "/openapi/v3/",
    "/openid/v1/jwks",
    "/readyz",
    "/statusz",
    "/version",
];

#[derive(Serialize)]
struct RootPaths {
    paths: Vec<String>,
}

/// The document.
pub(super) fn list(catalog: &Catalog) -> Vec<u8> {
    let mut paths: Vec<String> = OTHERS.iter().map(ToString::to_string).collect();
    paths.extend(["/api", "/api/v1", "/apis", "/apis/"].map(str::to_owned));
    for group in catalog.groups().iter().filter(|group| !group.name.is_empty()) {
        paths.push(format!("/apis/{}", group.name));
        let versions = group.versions.iter();
        paths.extend(versions.map(|version| format!("/apis/{}/{}", group.name, version.name)));
    }
    for check in HEALTH_CHECKS {
        paths.extend([format!("/healthz/{check}"), format!("/livez/{check}")]);
        if check != "loopback-serving-certificate" {
            paths.push(format!("/readyz/{check}"));
        }
    }
    let only_ready = ["etcd-readiness", "informer-sync", "shutdown"];
    paths.extend(only_ready.map(|check| format!("/readyz/{check}")));
    paths.sort();
    bytes::pretty(&RootPaths { paths })
}
