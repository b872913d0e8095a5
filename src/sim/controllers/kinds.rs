//! Which resources the controllers know, and under which number each is cached.
//!
//! The well-known ones have fixed numbers, so that a controller names its caches by constants.
//! All others come from the caller's list (the schema table) and from CustomResourceDefinitions.

use std::borrow::Cow;

use crate::object::{Gvr, Name, Object, Value, schema};

/// The number of a cached resource.
pub type Slot = usize;

/// One resource that the server serves: at one version, the one that is read and written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Group, version, plural.
    pub resource: Gvr,
    /// The kind of its objects.
    pub kind: Name,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

impl Served {
    /// From parts known at compile time.
    #[must_use]
    pub const fn new(
        group: &'static str,
        version: &'static str,
        plural: &'static str,
        kind: &'static str,
        namespaced: bool,
    ) -> Self {
        Self { resource: Gvr::new(group, version, plural), kind: Cow::Borrowed(kind), namespaced }
    }

    /// What the schema table says is served and can be listed, watched and deleted, but for
    /// Events. Of a resource in several versions all are here; the caches take the first.
    #[must_use]
    pub fn builtin() -> Vec<Self> {
        let needed = ["list", "watch", "delete"];
        schema::builtin()
            .kinds()
            .filter(|k| needed.iter().all(|verb| k.verbs.iter().any(|v| v == verb)))
            .filter(|k| k.gvr.plural != EVENTS.resource.plural)
            .map(|k| Self {
                resource: k.gvr.clone(),
                kind: k.gvk.kind.clone(),
                namespaced: k.namespaced,
            })
            .collect()
    }

    /// Whether the controllers keep a cache of it, as they do of all but Events.
    pub(crate) fn is_cached(&self) -> bool {
        let gvr = &self.resource;
        gvr.plural != EVENTS.resource.plural || !matches!(&*gvr.group, "" | "events.k8s.io")
    }

    /// What a CustomResourceDefinition makes the server serve, at its storage version; `None`
    /// while its names are not accepted.
    #[must_use]
    pub fn of_crd(crd: &Object) -> Option<Self> {
        let established = crd.condition("Established")?.get("status")?.as_str()? == "True";
        let version = crd
            .list(&["spec", "versions"])
            .iter()
            .filter(|v| v.get("served").and_then(Value::as_bool).unwrap_or(false))
            .max_by_key(|v| v.get("storage").and_then(Value::as_bool).unwrap_or(false))?;
        let owned = |text: &str| Cow::Owned(text.to_owned());
        established.then_some(Self {
            resource: Gvr {
                group: owned(crd.text(&["spec", "group"])?),
                version: owned(version.get("name")?.as_str()?),
                plural: owned(crd.text(&["spec", "names", "plural"])?),
            },
            kind: owned(crd.text(&["spec", "names", "kind"])?),
            namespaced: crd.text(&["spec", "scope"]) == Some("Namespaced"),
        })
    }
}

/// Pods.
pub const POD: Slot = 0;
/// ReplicaSets.
pub const REPLICA_SET: Slot = 1;
/// Deployments.
pub const DEPLOYMENT: Slot = 2;
/// StatefulSets.
pub const STATEFUL_SET: Slot = 3;
/// DaemonSets.
pub const DAEMON_SET: Slot = 4;
/// ControllerRevisions.
pub const CONTROLLER_REVISION: Slot = 5;
/// Jobs.
pub const JOB: Slot = 6;
/// Namespaces.
pub const NAMESPACE: Slot = 7;
/// Nodes.
pub const NODE: Slot = 8;
/// PersistentVolumeClaims.
pub const CLAIM: Slot = 9;
/// CustomResourceDefinitions.
pub const DEFINITION: Slot = 10;
/// Services.
pub const SERVICE: Slot = 11;
/// Endpoints.
pub const ENDPOINTS: Slot = 12;
/// EndpointSlices.
pub const ENDPOINT_SLICE: Slot = 13;
/// ServiceAccounts.
pub const SERVICE_ACCOUNT: Slot = 14;
/// ConfigMaps.
pub const CONFIG_MAP: Slot = 15;
/// CronJobs.
pub const CRON_JOB: Slot = 16;
/// PodDisruptionBudgets.
pub const BUDGET: Slot = 17;
/// ClusterRoles.
pub const CLUSTER_ROLE: Slot = 18;
/// PersistentVolumes.
pub const VOLUME: Slot = 19;
/// StorageClasses.
pub const STORAGE_CLASS: Slot = 20;
/// Ingresses.
pub const INGRESS: Slot = 21;
/// HorizontalPodAutoscalers.
pub const AUTOSCALER: Slot = 22;
/// ResourceQuotas.
pub const QUOTA: Slot = 23;

/// The resources with fixed numbers, in the order of these.
pub(crate) static WELL_KNOWN: [Served; 24] = [
    Served::new("", "v1", "pods", "Pod", true),
    Served::new("apps", "v1", "replicasets", "ReplicaSet", true),
    Served::new("apps", "v1", "deployments", "Deployment", true),
    Served::new("apps", "v1", "statefulsets", "StatefulSet", true),
    Served::new("apps", "v1", "daemonsets", "DaemonSet", true),
    Served::new("apps", "v1", "controllerrevisions", "ControllerRevision", true),
    Served::new("batch", "v1", "jobs", "Job", true),
    Served::new("", "v1", "namespaces", "Namespace", false),
    Served::new("", "v1", "nodes", "Node", false),
    Served::new("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true),
    Served::new(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        false,
    ),
    Served::new("", "v1", "services", "Service", true),
    Served::new("", "v1", "endpoints", "Endpoints", true),
    Served::new("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", true),
    Served::new("", "v1", "serviceaccounts", "ServiceAccount", true),
    Served::new("", "v1", "configmaps", "ConfigMap", true),
    Served::new("batch", "v1", "cronjobs", "CronJob", true),
    Served::new("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", true),
    Served::new("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false),
    Served::new("", "v1", "persistentvolumes", "PersistentVolume", false),
    Served::new("storage.k8s.io", "v1", "storageclasses", "StorageClass", false),
    Served::new("networking.k8s.io", "v1", "ingresses", "Ingress", true),
    Served::new("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", true),
    Served::new("", "v1", "resourcequotas", "ResourceQuota", true),
];

/// Where Events are written. They are deleted with their namespace, but neither cached nor
/// collected, as upstream's collector ignores them: nothing owns them and there are many.
pub(crate) const EVENTS: Served = Served::new("", "v1", "events", "Event", true);

/// The resource with the number `slot`, which must be one of the constants above.
pub(crate) fn gvr(slot: Slot) -> Gvr {
    WELL_KNOWN[slot].resource.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn a_definition_serves_its_storage_version_once_established() {
        let mut crd = json!({"spec": {"group": "g.io", "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1a", "served": true, "storage": false},
                {"name": "v1", "served": true, "storage": true}]}});
        let read = |crd: &Value| Served::of_crd(&Object::from_value(crd.clone()).unwrap());
        assert_eq!(read(&crd), None);
        crd["status"]["conditions"] = json!([{"type": "Established", "status": "True"}]);
        assert_eq!(read(&crd), Some(Served::new("g.io", "v1", "things", "Thing", true)));
    }

    #[test]
    fn the_table_has_what_is_collected_and_no_events() {
        let plurals: Vec<_> = Served::builtin().into_iter().map(|s| s.resource.plural).collect();
        assert!(plurals.iter().any(|p| p == "configmaps"));
        assert!(!plurals.iter().any(|p| p == "events" || p == "bindings"));
    }

    #[test]
    fn events_of_both_groups_are_not_cached_and_those_of_a_definition_are() {
        let cached = |group| Served::new(group, "v1", "events", "Event", true).is_cached();
        assert_eq!(["", "events.k8s.io", "shop.io"].map(cached), [false, false, true]);
        assert!(WELL_KNOWN.iter().all(Served::is_cached));
    }

    #[test]
    fn the_numbers_name_what_they_say() {
        assert_eq!(gvr(POD).plural, "pods");
        assert_eq!(gvr(JOB).plural, "jobs");
        assert_eq!(gvr(DEFINITION).plural, "customresourcedefinitions");
        assert_eq!(gvr(INGRESS).plural, "ingresses");
        assert_eq!(gvr(QUOTA).plural, "resourcequotas");
    }
}
