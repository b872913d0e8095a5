//! What kustomize knows of the built-in kinds: which are cluster-scoped, and which lists are
//! merged by which keys.
//!
//! This is not `object::schema`: kustomize carries the schema of Kubernetes 1.21 and merges by
//! that, whatever the cluster's version. A list that is not here is replaced as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::resource::Scopes;

/// A map type: the lists in it that are merged, and the fields with such lists further down.
#[derive(Debug)]
pub(super) struct Type {
    /// Field and merge keys; no keys: a list of scalars that is merged as a set.
    lists: &'static [(&'static str, &'static [&'static str])],
    fields: &'static [(&'static str, &'static Type)],
}

/// What is known of a field.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Field<'s> {
    /// Merge keys, where it is a list that is merged.
    pub(super) keys: Option<Keys<'s>>,
    /// Its type, or that of its items.
    pub(super) item: Option<TypeRef<'s>>,
}

/// The keys that the items of a list are told apart by; none: a set of scalars.
#[derive(Clone, Copy, Debug)]
pub(super) enum Keys<'s> {
    BuiltIn(&'static [&'static str]),
    Custom(&'s [String]),
}

impl<'s> Keys<'s> {
    pub(super) fn names(self) -> Vec<&'s str> {
        match self {
            Self::BuiltIn(keys) => keys.to_vec(),
            Self::Custom(keys) => keys.iter().map(String::as_str).collect(),
        }
    }
}

/// A type of the built-in schema, or of one that a kustomization brings.
#[derive(Clone, Copy, Debug)]
pub(super) enum TypeRef<'s> {
    BuiltIn(&'static Type),
    Custom(&'s Custom, usize),
}

impl<'s> TypeRef<'s> {
    pub(super) fn field(self, name: &str) -> Field<'s> {
        match self {
            Self::BuiltIn(of) => of.field(name),
            Self::Custom(custom, id) => {
                let Some(of) = custom.types.get(id) else { return Field::default() };
                let Some(field) = of.fields.get(name).or(of.others.as_deref()) else {
                    return Field::default();
                };
                let item = match field.item {
                    Item::None => None,
                    Item::Custom(id) => Some(TypeRef::Custom(custom, id)),
                    Item::BuiltIn(of) => Some(TypeRef::BuiltIn(of)),
                };
                Field { keys: field.keys.as_deref().map(Keys::Custom), item }
            }
        }
    }
}

/// A schema that a kustomization brings.
#[derive(Debug, Default)]
pub(super) struct Custom {
    /// Types of `apiVersion` and `kind`.
    pub(super) kinds: BTreeMap<(String, String), usize>,
    pub(super) types: Vec<CustomType>,
    pub(super) scopes: Arc<Scopes>,
}

/// A type of such a schema.
#[derive(Debug, Default)]
pub(super) struct CustomType {
    pub(super) fields: BTreeMap<String, CustomField>,
    /// What fields are that are not named.
    pub(super) others: Option<Box<CustomField>>,
}

/// A field of such a type.
#[derive(Debug, Default)]
pub(super) struct CustomField {
    pub(super) keys: Option<Vec<String>>,
    pub(super) item: Item,
}

/// The type of a field or of its items.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Item {
    #[default]
    None,
    Custom(usize),
    BuiltIn(&'static Type),
}

/// What is known of kinds at some point of a build.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) has_built_in: bool,
    pub(super) custom: Option<Arc<Custom>>,
}

impl Default for View {
    fn default() -> Self {
        Self { has_built_in: true, custom: None }
    }
}

impl View {
    /// The type of a kind; `None` for one that is not known. A schema that was read later has
    /// the say where two know a kind; the built-in one is read later if it was only wanted.
    pub(super) fn type_of(&self, api_version: &str, kind: &str) -> Option<TypeRef<'_>> {
        if let Some(custom) = &self.custom {
            let id = custom.kinds.get(&(api_version.to_owned(), kind.to_owned()));
            if let Some(id) = id {
                return Some(TypeRef::Custom(custom, *id));
            }
        }
        self.has_built_in.then(|| type_of(api_version, kind)).flatten().map(TypeRef::BuiltIn)
    }
}

/// The type of a definition of Kubernetes' own, where lists in it are merged.
pub(super) fn definition(name: &str) -> Option<&'static Type> {
    Some(match name {
        "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" => &METADATA,
        "io.k8s.api.core.v1.PodTemplateSpec" => &TEMPLATE,
        "io.k8s.api.core.v1.PodSpec" => &POD_SPEC,
        "io.k8s.api.core.v1.Container" => &CONTAINER,
        "io.k8s.api.core.v1.EphemeralContainer" => &EPHEMERAL_CONTAINER,
        "io.k8s.api.core.v1.Volume" => &VOLUME,
        "io.k8s.api.core.v1.EphemeralVolumeSource" => &EPHEMERAL,
        "io.k8s.api.core.v1.PersistentVolumeClaimTemplate" => &CLAIM_TEMPLATE,
        "io.k8s.api.core.v1.ServiceSpec" => &SERVICE_SPEC,
        "io.k8s.api.batch.v1.JobTemplateSpec" => &JOB_TEMPLATE,
        "io.k8s.api.batch.v1.JobSpec" | "io.k8s.api.apps.v1.DeploymentSpec" => &WORKLOAD_SPEC,
        _ => return None,
    })
}

impl Type {
    fn field(&self, name: &str) -> Field<'static> {
        let keys = self.lists.iter().find(|(field, _)| *field == name).map(|(_, keys)| *keys);
        let item = self.fields.iter().find(|(field, _)| *field == name).map(|(_, item)| *item);
        Field { keys: keys.map(Keys::BuiltIn), item: item.map(TypeRef::BuiltIn) }
    }
}

const NAME: &[&str] = &["name"];
const TYPE: &[&str] = &["type"];

static METADATA: Type =
    Type { lists: &[("finalizers", &[]), ("ownerReferences", &["uid"])], fields: &[] };
static CONDITIONS: Type = Type { lists: &[("conditions", TYPE)], fields: &[] };
static CONTAINER: Type = Type {
    lists: &[
        ("env", NAME),
        ("ports", &["containerPort", "protocol"]),
        ("volumeMounts", &["mountPath"]),
        ("volumeDevices", &["devicePath"]),
    ],
    fields: &[],
};
static EPHEMERAL_CONTAINER: Type = Type {
    lists: &[("env", NAME), ("volumeMounts", &["mountPath"]), ("volumeDevices", &["devicePath"])],
    fields: &[],
};
static CLAIM_TEMPLATE: Type = Type { lists: &[], fields: &[("metadata", &METADATA)] };
static EPHEMERAL: Type = Type { lists: &[], fields: &[("volumeClaimTemplate", &CLAIM_TEMPLATE)] };
static VOLUME: Type = Type { lists: &[], fields: &[("ephemeral", &EPHEMERAL)] };
static POD_SPEC: Type = Type {
    lists: &[
        ("containers", NAME),
        ("initContainers", NAME),
        ("ephemeralContainers", NAME),
        ("volumes", NAME),
        ("imagePullSecrets", NAME),
        ("hostAliases", &["ip"]),
        ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
    ],
    fields: &[
        ("containers", &CONTAINER),
        ("initContainers", &CONTAINER),
        ("ephemeralContainers", &EPHEMERAL_CONTAINER),
        ("volumes", &VOLUME),
    ],
};
static POD_STATUS: Type = Type { lists: &[("conditions", TYPE), ("podIPs", &["ip"])], fields: &[] };
static TEMPLATE: Type =
    Type { lists: &[], fields: &[("metadata", &METADATA), ("spec", &POD_SPEC)] };
static WORKLOAD_SPEC: Type = Type { lists: &[], fields: &[("template", &TEMPLATE)] };
static JOB_TEMPLATE: Type =
    Type { lists: &[], fields: &[("metadata", &METADATA), ("spec", &WORKLOAD_SPEC)] };
static CRON_JOB_SPEC: Type = Type { lists: &[], fields: &[("jobTemplate", &JOB_TEMPLATE)] };
static SERVICE_SPEC: Type = Type { lists: &[("ports", &["port", "protocol"])], fields: &[] };
static NODE_SPEC: Type = Type { lists: &[("podCIDRs", &[])], fields: &[] };
static NODE_STATUS: Type =
    Type { lists: &[("conditions", TYPE), ("addresses", TYPE)], fields: &[] };
static CSI_NODE_SPEC: Type = Type { lists: &[("drivers", NAME)], fields: &[] };

/// Any built-in kind that is not named below.
static OBJECT: Type = Type { lists: &[], fields: &[("metadata", &METADATA)] };
static CONDITIONED: Type =
    Type { lists: &[], fields: &[("metadata", &METADATA), ("status", &CONDITIONS)] };
static COMPONENT_STATUS: Type =
    Type { lists: &[("conditions", TYPE)], fields: &[("metadata", &METADATA)] };
static WEBHOOKS: Type = Type { lists: &[("webhooks", NAME)], fields: &[("metadata", &METADATA)] };
static WORKLOAD: Type = Type {
    lists: &[],
    fields: &[("metadata", &METADATA), ("spec", &WORKLOAD_SPEC), ("status", &CONDITIONS)],
};
static CRON_JOB: Type =
    Type { lists: &[], fields: &[("metadata", &METADATA), ("spec", &CRON_JOB_SPEC)] };
static POD: Type = Type {
    lists: &[],
    fields: &[("metadata", &METADATA), ("spec", &POD_SPEC), ("status", &POD_STATUS)],
};
static POD_TEMPLATE: Type =
    Type { lists: &[], fields: &[("metadata", &METADATA), ("template", &TEMPLATE)] };
static SERVICE: Type = Type {
    lists: &[],
    fields: &[("metadata", &METADATA), ("spec", &SERVICE_SPEC), ("status", &CONDITIONS)],
};
static SERVICE_ACCOUNT: Type =
    Type { lists: &[("secrets", NAME)], fields: &[("metadata", &METADATA)] };
static NODE: Type = Type {
    lists: &[],
    fields: &[("metadata", &METADATA), ("spec", &NODE_SPEC), ("status", &NODE_STATUS)],
};
static CSI_NODE: Type =
    Type { lists: &[], fields: &[("metadata", &METADATA), ("spec", &CSI_NODE_SPEC)] };

/// The type of a kind; `None` for one that kustomize does not know, a custom resource.
fn type_of(api_version: &str, kind: &str) -> Option<&'static Type> {
    let (cluster, namespaced) = kinds(api_version);
    if !cluster.contains(&kind) && !namespaced.contains(&kind) {
        return None;
    }
    Some(match kind {
        // Younger than the schema; that they are cluster-scoped was added by hand.
        "ValidatingAdmissionPolicy" | "ValidatingAdmissionPolicyBinding" => return None,
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => &WEBHOOKS,
        "DaemonSet"
        | "Deployment"
        | "ReplicaSet"
        | "StatefulSet"
        | "Job"
        | "ReplicationController" => &WORKLOAD,
        "CronJob" => &CRON_JOB,
        "Pod" => &POD,
        "PodTemplate" => &POD_TEMPLATE,
        "Service" => &SERVICE,
        "ServiceAccount" => &SERVICE_ACCOUNT,
        "Node" => &NODE,
        "CSINode" => &CSI_NODE,
        "ComponentStatus" => &COMPONENT_STATUS,
        "Namespace" | "PersistentVolumeClaim" | "PodDisruptionBudget" | "APIService" => {
            &CONDITIONED
        }
        _ => &OBJECT,
    })
}

/// Whether a kind is cluster-scoped; what kustomize does not know is taken for namespaced.
pub(super) fn is_cluster_scoped(api_version: &str, kind: &str) -> bool {
    kinds(api_version).0.contains(&kind)
}

/// Whether a kind is one of those.
pub(super) fn is_known(api_version: &str, kind: &str) -> bool {
    let (cluster, namespaced) = kinds(api_version);
    cluster.contains(&kind) || namespaced.contains(&kind)
}

type Kinds = (&'static [&'static str], &'static [&'static str]);

/// The kinds of a group and version that kustomize knows: cluster-scoped, namespaced.
fn kinds(api_version: &str) -> Kinds {
    match api_version {
        "admissionregistration.k8s.io/v1" => (
            &[
                "MutatingWebhookConfiguration",
                "ValidatingWebhookConfiguration",
                "ValidatingAdmissionPolicy",
                "ValidatingAdmissionPolicyBinding",
            ],
            &[],
        ),
        "admissionregistration.k8s.io/v1beta1" => {
            (&["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"], &[])
        }
        "apiextensions.k8s.io/v1" | "apiextensions.k8s.io/v1beta1" => {
            (&["CustomResourceDefinition"], &[])
        }
        "apiregistration.k8s.io/v1" | "apiregistration.k8s.io/v1beta1" => (&["APIService"], &[]),
        "apps/v1" => {
            (&[], &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"])
        }
        "autoscaling/v1" => (&[], &["HorizontalPodAutoscaler", "Scale"]),
        "autoscaling/v2beta1" | "autoscaling/v2beta2" => (&[], &["HorizontalPodAutoscaler"]),
        "batch/v1" => (&[], &["CronJob", "Job"]),
        "batch/v1beta1" => (&[], &["CronJob"]),
        "certificates.k8s.io/v1" | "certificates.k8s.io/v1beta1" => {
            (&["CertificateSigningRequest"], &[])
        }
        "coordination.k8s.io/v1" | "coordination.k8s.io/v1beta1" => (&[], &["Lease"]),
        "discovery.k8s.io/v1" | "discovery.k8s.io/v1beta1" => (&[], &["EndpointSlice"]),
        "events.k8s.io/v1" | "events.k8s.io/v1beta1" => (&[], &["Event"]),
        "extensions/v1beta1" => (&[], &["Ingress"]),
        "flowcontrol.apiserver.k8s.io/v1beta1" => {
            (&["FlowSchema", "PriorityLevelConfiguration"], &[])
        }
        "networking.k8s.io/v1" => (&["IngressClass"], &["Ingress", "NetworkPolicy"]),
        "networking.k8s.io/v1beta1" => (&["IngressClass"], &["Ingress"]),
        "node.k8s.io/v1" | "node.k8s.io/v1beta1" => (&["RuntimeClass"], &[]),
        "policy/v1" => (&[], &["PodDisruptionBudget"]),
        "policy/v1beta1" => (&["PodSecurityPolicy"], &["PodDisruptionBudget"]),
        "rbac.authorization.k8s.io/v1" | "rbac.authorization.k8s.io/v1beta1" => {
            (&["ClusterRole", "ClusterRoleBinding"], &["Role", "RoleBinding"])
        }
        "scheduling.k8s.io/v1" | "scheduling.k8s.io/v1beta1" => (&["PriorityClass"], &[]),
        "storage.k8s.io/v1" => (&["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"], &[]),
        "storage.k8s.io/v1beta1" => {
            (&["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"], &["CSIStorageCapacity"])
        }
        "v1" => (CORE_CLUSTER, CORE_NAMESPACED),
        _ => (&[], &[]),
    }
}

const CORE_CLUSTER: &[&str] = &["ComponentStatus", "Namespace", "Node", "PersistentVolume"];
const CORE_NAMESPACED: &[&str] = &[
    "Binding",
    "ConfigMap",
    "Endpoints",
    "Event",
    "LimitRange",
    "PersistentVolumeClaim",
    "Pod",
    "PodTemplate",
    "ReplicationController",
    "ResourceQuota",
    "Secret",
    "Service",
    "ServiceAccount",
];
