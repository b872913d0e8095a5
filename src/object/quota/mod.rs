//! What an object uses up of a ResourceQuota, and which quotas count it.
//!
//! Pure reckoning, for the admission that refuses and for the controller that recounts; neither is
//! here.

mod amounts;

pub use amounts::{Amounts, of_container, of_pod};

use super::quantity::Quantity;
use super::{Object, Value};

/// What quotas know of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// Its group, empty for the core.
    pub group: &'a str,
    /// Its resource.
    pub plural: &'a str,
    /// Its kind.
    pub kind: &'a str,
}

const OF_CLASS: &str = ".storageclass.storage.k8s.io/";

/// Resources of pods that quotas can name.
const OF_PODS: [&str; 11] = [
    "pods",
    "count/pods",
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
];

/// The name under which every object of a kind is counted.
fn count_name(kind: Counted) -> String {
    match kind.group {
        "" => format!("count/{}", kind.plural),
        group => format!("count/{}.{group}", kind.plural),
    }
}

/// Whether a quota on `name` is about objects of a kind.
#[must_use]
pub fn counts(kind: Counted, name: &str) -> bool {
    if name == count_name(kind) {
        return true;
    }
    if !kind.group.is_empty() {
        return false;
    }
    match kind.kind {
        "Pod" => OF_PODS.contains(&name) || is_extended(name),
        "Service" => {
            matches!(name, "services" | "services.nodeports" | "services.loadbalancers")
        }
        "PersistentVolumeClaim" => {
            let own = ["persistentvolumeclaims", "requests.storage"];
            own.contains(&name)
                || name.split_once(OF_CLASS).is_some_and(|(_, rest)| own.contains(&rest))
        }
        "ConfigMap" | "Secret" | "ReplicationController" | "ResourceQuota" => name == kind.plural,
        _ => false,
    }
}

/// `requests.example.com/gpu`, `hugepages-2Mi`.
fn is_extended(name: &str) -> bool {
    let bare = name.strip_prefix("requests.").unwrap_or(name);
    bare.starts_with("hugepages-")
        || (name.starts_with("requests.") && bare.contains('/') && !bare.contains(OF_CLASS))
}

/// What an object uses.
#[must_use]
pub fn of(kind: Counted, object: &Object) -> Amounts {
    let one = || Quantity::count(1);
    let mut used = Amounts::default();
    used.set(count_name(kind), one());
    if !kind.group.is_empty() {
        return used;
    }
    match kind.kind {
        "Pod" => used.add(&of_running_pod(object)),
        "Service" => {
            used.set("services", one());
            let ports = object.list(&["spec", "ports"]);
            let balanced = object.text(&["spec", "type"]) == Some("LoadBalancer");
            let suppressed =
                object.at(&["spec", "allocateLoadBalancerNodePorts"]) == Some(&Value::Bool(false));
            let node_ports = match object.text(&["spec", "type"]) {
                Some("LoadBalancer") if suppressed => {
                    ports.iter().filter(|port| port["nodePort"].as_i64().is_some()).count()
                }
                Some("NodePort" | "LoadBalancer") => ports.len(),
                _ => 0,
            };
            let count = |n: usize| Quantity::count(i64::try_from(n).unwrap_or(i64::MAX));
            used.set("services.nodeports", count(node_ports));
            used.set("services.loadbalancers", count(usize::from(balanced)));
        }
        "PersistentVolumeClaim" => {
            let class = object.text(&["spec", "storageClassName"]).unwrap_or_default();
            let asked = Amounts::read(object.at(&["spec", "resources", "requests"]));
            let storage = asked.get("storage").cloned();
            for (name, amount) in
                [("persistentvolumeclaims", Some(one())), ("requests.storage", storage)]
            {
                let Some(amount) = amount else { continue };
                if !class.is_empty() {
                    used.set(format!("{class}{OF_CLASS}{name}"), amount.clone());
                }
                used.set(name, amount);
            }
        }
        "ConfigMap" | "Secret" | "ReplicationController" | "ResourceQuota" => {
            used.set(kind.plural, one());
        }
        _ => {}
    }
    used
}

/// A pod that is over uses nothing but its place in the store.
fn of_running_pod(pod: &Object) -> Amounts {
    if matches!(pod.text(&["status", "phase"]), Some("Succeeded" | "Failed")) {
        return Amounts::default();
    }
    compute(&of_pod(pod, "requests"), &of_pod(pod, "limits"))
}

/// Requests and limits under the names that quotas have for them.
#[must_use]
pub fn compute(requests: &Amounts, limits: &Amounts) -> Amounts {
    let mut used = Amounts::default();
    used.set("pods", Quantity::count(1));
    for (name, amount) in &requests.0 {
        let plain = matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage");
        if plain || name.starts_with("hugepages-") {
            used.set(name.clone(), amount.clone());
        }
        if plain || is_extended(&format!("requests.{name}")) {
            used.set(format!("requests.{name}"), amount.clone());
        }
    }
    for name in ["cpu", "memory", "ephemeral-storage"] {
        if let Some(amount) = limits.get(name) {
            used.set(format!("limits.{name}"), amount.clone());
        }
    }
    used
}

/// Whether all scopes of a quota take an object; a quota with scopes is about pods alone.
#[must_use]
pub fn in_scope(quota: &Object, kind: Counted, object: &Object) -> bool {
    let plain = quota.list(&["spec", "scopes"]).iter().filter_map(Value::as_str);
    let mut scopes: Vec<(&str, &Value)> = plain.map(|name| (name, &Value::Null)).collect();
    let selectors = quota.list(&["spec", "scopeSelector", "matchExpressions"]);
    scopes.extend(selectors.iter().map(|s| (s["scopeName"].as_str().unwrap_or_default(), s)));
    scopes.is_empty()
        || (kind.kind == "Pod" && scopes.iter().all(|(name, s)| takes(name, s, object)))
}

fn takes(scope: &str, selector: &Value, pod: &Object) -> bool {
    let ends = pod.int(&["spec", "activeDeadlineSeconds"]).is_some_and(|seconds| seconds >= 0);
    match scope {
        "Terminating" => ends,
        "NotTerminating" => !ends,
        "BestEffort" => is_best_effort(pod),
        "NotBestEffort" => !is_best_effort(pod),
        "PriorityClass" => {
            let class = pod.text(&["spec", "priorityClassName"]).unwrap_or_default();
            let values = selector["values"].as_array().into_iter().flatten();
            let listed = values.filter_map(Value::as_str).any(|value| value == class);
            match selector["operator"].as_str() {
                Some("In") => listed,
                Some("NotIn") => !listed,
                Some("DoesNotExist") => class.is_empty(),
                _ => !class.is_empty(),
            }
        }
        "CrossNamespacePodAffinity" => crosses_namespaces(pod),
        _ => false,
    }
}

fn is_best_effort(pod: &Object) -> bool {
    let asks = |which| {
        let asked = of_pod(pod, which);
        ["cpu", "memory"].into_iter().any(|name| asked.get(name).is_some_and(|q| !q.is_zero()))
    };
    !asks("requests") && !asks("limits")
}

fn crosses_namespaces(pod: &Object) -> bool {
    let of = |kind: &str| {
        let lists = [
            "requiredDuringSchedulingIgnoredDuringExecution",
            "preferredDuringSchedulingIgnoredDuringExecution",
        ];
        lists.into_iter().any(|list| {
            pod.list(&["spec", "affinity", kind, list]).iter().any(|term| {
                let term = term.get("podAffinityTerm").unwrap_or(term);
                term["namespaceSelector"].is_object()
                    || term["namespaces"].as_array().is_some_and(|list| !list.is_empty())
            })
        })
    };
    of("podAffinity") || of("podAntiAffinity")
}
