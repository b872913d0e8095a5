//! `/healthz`, `/livez`, `/readyz` and the checks below them (R-HTTP-08).
//!
//! A server that answers is well: the checks are those that a kube-apiserver 1.36 names.

use super::reply::Reply;

/// Checks, in their order, and the probes that lack one.
const CHECKS: &[(&str, &[&str])] = &[
    ("ping", &[]),
    ("log", &[]),
    ("loopback-serving-certificate", &["readyz"]),
    ("etcd", &[]),
    ("etcd-readiness", &["livez", "healthz"]),
    ("informer-sync", &["livez", "healthz"]),
    ("poststarthook/start-apiserver-admission-initializer", &[]),
    ("poststarthook/generic-apiserver-start-informers", &[]),
    ("poststarthook/priority-and-fairness-config-consumer", &[]),
    ("poststarthook/priority-and-fairness-filter", &[]),
    ("poststarthook/storage-object-count-tracker-hook", &[]),
    ("poststarthook/start-apiextensions-informers", &[]),
    ("poststarthook/start-apiextensions-controllers", &[]),
    ("poststarthook/crd-informer-synced", &[]),
    ("poststarthook/start-system-namespaces-controller", &[]),
    ("poststarthook/peer-endpoint-reconciler-controller", &[]),
    ("poststarthook/start-cluster-authentication-info-controller", &[]),
    ("poststarthook/start-kube-apiserver-identity-lease-controller", &[]),
    ("poststarthook/start-kube-apiserver-identity-lease-garbage-collector", &[]),
    ("poststarthook/storage-readiness", &[]),
    ("poststarthook/start-legacy-token-tracking-controller", &[]),
    ("poststarthook/start-service-ip-repair-controllers", &[]),
    ("poststarthook/rbac/bootstrap-roles", &[]),
    ("poststarthook/scheduling/bootstrap-system-priority-classes", &[]),
    ("poststarthook/priority-and-fairness-config-producer", &[]),
    ("poststarthook/bootstrap-controller", &[]),
    ("poststarthook/start-kubernetes-service-cidr-controller", &[]),
    ("poststarthook/aggregator-reload-proxy-client-cert", &[]),
    ("poststarthook/start-kube-aggregator-informers", &[]),
    ("poststarthook/apiservice-status-local-available-controller", &[]),
    ("poststarthook/apiservice-status-remote-available-controller", &[]),
    ("poststarthook/apiservice-registration-controller", &[]),
    ("poststarthook/apiservice-discovery-controller", &[]),
    ("poststarthook/kube-apiserver-autoregistration", &[]),
    ("autoregister-completion", &[]),
    ("poststarthook/apiservice-openapi-controller", &[]),
    ("poststarthook/apiservice-openapiv3-controller", &[]),
    ("shutdown", &["livez", "healthz"]),
];

/// The answer at a path, if it is one of a probe.
pub(super) fn answer(path: &str, query: &str) -> Option<Reply> {
    let (probe, check) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or_else(|| (path.trim_start_matches('/'), ""));
    if !matches!(probe, "healthz" | "livez" | "readyz") {
        return None;
    }
    if path.ends_with('/') {
        return None;
    }
    let known = |name: &str| {
        CHECKS.iter().any(|(check, not_in)| *check == name && !not_in.contains(&probe))
    };
    if !check.is_empty() {
        return known(check).then(|| Reply::new(200, "text/plain; charset=utf-8", "ok".into()));
    }
    let pairs = || query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    if !pairs().any(|(key, _)| key == "verbose") {
        return Some(Reply::text(200, "ok"));
    }
    let excluded: Vec<&str> =
        pairs().filter(|(key, _)| *key == "exclude").map(|(_, value)| value).collect();
    let mut text = String::new();
    for (name, _) in CHECKS.iter().filter(|(name, _)| known(name)) {
        let line = if excluded.contains(name) { "excluded: ok" } else { "ok" };
        text.push_str(&format!("[+]{name} {line}\n"));
    }
    for name in excluded.iter().filter(|name| !known(name)) {
        text.push_str(&format!(
            "warn: some health checks cannot be excluded: no matches for \"{name}\"\n"
        ));
    }
    text.push_str(&format!("{probe} check passed\n"));
    Some(Reply::text(200, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, query: &str, expected: &str) {
        let reply = answer(path, query).unwrap();
        let text = String::from_utf8(reply.body.bytes().unwrap().to_vec()).unwrap();
        assert!(text.contains(expected), "{path}?{query}: {text}");
    }

    #[test]
    fn a_probe_is_answered_in_short_and_at_length() {
        check("/healthz", "", "ok");
        check("/livez/ping", "", "ok");
        check("/readyz", "verbose", "[+]informer-sync ok\n");
        check("/readyz", "verbose&exclude=etcd", "[+]etcd excluded: ok\n");
        check("/readyz", "verbose=true", "readyz check passed\n");
        assert!(answer("/livez/nothing", "").is_none());
        assert!(answer("/version", "").is_none());
    }
}
