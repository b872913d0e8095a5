//! Which fields hold the name of another object, as kustomize knows them.

use std::collections::BTreeMap;

use super::fieldspec::FieldSpec;
use crate::object::Gvk;

/// The fields that refer to objects of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct References {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    /// The fields, by the kind that has them.
    pub(super) fields: Vec<FieldSpec>,
}

impl References {
    /// Whether the kind is the one referred to; empty parts match all.
    pub(super) fn targets(&self, gvk: &Gvk) -> bool {
        (self.kind.is_empty() || self.kind == gvk.kind)
            && (self.group.is_empty() || self.group == gvk.group)
            && (self.version.is_empty() || self.version == gvk.version)
    }

    /// Whether both are about the same kind.
    pub(super) fn same_target(&self, other: &References) -> bool {
        self.group == other.group && self.version == other.version && self.kind == other.kind
    }
}

type Field = (&'static str, &'static str, &'static str);

/// Where kinds keep a pod's spec: kind, version, path.
const POD_SPECS: [Field; 8] = [
    ("Pod", "v1", "spec"),
    ("PodTemplate", "", "template/spec"),
    ("Deployment", "", "spec/template/spec"),
    ("ReplicaSet", "", "spec/template/spec"),
    ("DaemonSet", "", "spec/template/spec"),
    ("StatefulSet", "", "spec/template/spec"),
    ("Job", "", "spec/template/spec"),
    ("CronJob", "", "spec/jobTemplate/spec/template/spec"),
];

/// The same for accounts, claims and priorities, for which kustomize names other kinds.
const OTHER_POD_SPECS: [Field; 7] = [
    ("Pod", "", "spec"),
    ("StatefulSet", "", "spec/template/spec"),
    ("Deployment", "", "spec/template/spec"),
    ("ReplicationController", "", "spec/template/spec"),
    ("CronJob", "", "spec/jobTemplate/spec/template/spec"),
    ("Job", "", "spec/template/spec"),
    ("DaemonSet", "", "spec/template/spec"),
];

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// The fields in pod specs, then others: kind, group, path.
fn references(
    (kind, group, version): Field,
    pods: &[Field],
    in_pods: &[&str],
    others: &[Field],
) -> References {
    let mut fields = Vec::new();
    for (kind, version, spec) in pods {
        for path in in_pods {
            fields.push(FieldSpec::new("", version, kind, &format!("{spec}/{path}"), false));
        }
    }
    for (kind, group, path) in others {
        fields.push(FieldSpec::new(group, "", kind, path, false));
    }
    References { group: group.into(), version: version.into(), kind: kind.into(), fields }
}

/// What kustomize knows without being told.
pub(super) fn defaults() -> Vec<References> {
    let mut table = Vec::new();
    for kind in ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"] {
        let scale = [("HorizontalPodAutoscaler", "", "spec/scaleTargetRef/name")];
        table.push(references((kind, "", ""), &[], &[], &scale));
    }
    table.push(config_maps());
    table.push(secrets());
    table.push(services());
    table.extend(rbac());
    table.extend(storage_and_pods());
    table.push(references(
        ("ValidatingAdmissionPolicy", ADMISSION, ""),
        &[],
        &[],
        &[("ValidatingAdmissionPolicyBinding", ADMISSION, "spec/policyName")],
    ));
    table
}

/// The same by the kind that has the field, to be found quickly.
#[derive(Debug, Default)]
pub(super) struct ByKind<'c> {
    of_kind: BTreeMap<&'c str, Vec<Place<'c>>>,
}

/// Where a field stands in the list, what it refers to, and the field.
type Place<'c> = (usize, &'c References, &'c FieldSpec);

impl<'c> ByKind<'c> {
    pub(super) fn new(table: &'c [References]) -> Self {
        let mut of_kind: BTreeMap<&str, Vec<Place<'c>>> = BTreeMap::new();
        let all = table.iter().flat_map(|refs| refs.fields.iter().map(move |field| (refs, field)));
        for (at, (references, field)) in all.enumerate() {
            of_kind.entry(field.kind()).or_default().push((at, references, field));
        }
        Self { of_kind }
    }

    /// The fields of a kind that refer to others, in the order of the list, each with what it
    /// refers to.
    pub(super) fn of(&self, gvk: &Gvk) -> Vec<(&'c References, &'c FieldSpec)> {
        let named = |kind: &str| self.of_kind.get(kind).into_iter().flatten();
        let any = if gvk.kind.is_empty() { "-" } else { "" };
        let mut places: Vec<&Place<'c>> =
            named(&gvk.kind).chain(named(any)).filter(|(_, _, field)| field.selects(gvk)).collect();
        places.sort_by_key(|(at, ..)| *at);
        places.into_iter().map(|(_, references, field)| (*references, *field)).collect()
    }
}

fn config_maps() -> References {
    references(
        ("ConfigMap", "", "v1"),
        &POD_SPECS,
        &[
            "volumes/configMap/name",
            "containers/env/valueFrom/configMapKeyRef/name",
            "initContainers/env/valueFrom/configMapKeyRef/name",
            "containers/envFrom/configMapRef/name",
            "initContainers/envFrom/configMapRef/name",
            "volumes/projected/sources/configMap/name",
        ],
        &[
            ("Node", "", "spec/configSource/configMap"),
            ("Role", "", "rules/resourceNames"),
            ("ClusterRole", "", "rules/resourceNames"),
            (
                "Ingress",
                "",
                "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap",
            ),
        ],
    )
}

fn secrets() -> References {
    let mut secrets = references(
        ("Secret", "", "v1"),
        &POD_SPECS,
        &[
            "volumes/secret/secretName",
            "containers/env/valueFrom/secretKeyRef/name",
            "initContainers/env/valueFrom/secretKeyRef/name",
            "containers/envFrom/secretRef/name",
            "initContainers/envFrom/secretRef/name",
            "imagePullSecrets/name",
            "volumes/projected/sources/secret/name",
        ],
        &[
            ("Ingress", "", "spec/tls/secretName"),
            ("Ingress", "", "metadata/annotations/ingress.kubernetes.io\\/auth-secret"),
            ("Ingress", "", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret"),
            ("Ingress", "", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret"),
            ("ServiceAccount", "", "imagePullSecrets/name"),
            ("StorageClass", "", "parameters/secretName"),
            ("StorageClass", "", "parameters/adminSecretName"),
            ("StorageClass", "", "parameters/userSecretName"),
            ("StorageClass", "", "parameters/secretRef"),
            ("Role", "", "rules/resourceNames"),
            ("ClusterRole", "", "rules/resourceNames"),
            ("PersistentVolume", "", "spec/azureFile/secretName"),
        ],
    );
    secrets.fields.push(FieldSpec::new(
        "serving.knative.dev",
        "v1",
        "Service",
        "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
        false,
    ));
    secrets
}

fn services() -> References {
    references(
        ("Service", "", "v1"),
        &[],
        &[],
        &[
            ("StatefulSet", "apps", "spec/serviceName"),
            ("Ingress", "", "spec/rules/http/paths/backend/serviceName"),
            ("Ingress", "", "spec/backend/serviceName"),
            ("Ingress", "", "spec/rules/http/paths/backend/service/name"),
            ("Ingress", "", "spec/defaultBackend/service/name"),
            ("APIService", "apiregistration.k8s.io", "spec/service/name"),
            ("ValidatingWebhookConfiguration", ADMISSION, "webhooks/clientConfig/service"),
            ("MutatingWebhookConfiguration", ADMISSION, "webhooks/clientConfig/service"),
        ],
    )
}

fn rbac() -> [References; 3] {
    [
        references(("Role", RBAC, ""), &[], &[], &[("RoleBinding", RBAC, "roleRef/name")]),
        references(
            ("ClusterRole", RBAC, ""),
            &[],
            &[],
            &[("RoleBinding", RBAC, "roleRef/name"), ("ClusterRoleBinding", RBAC, "roleRef/name")],
        ),
        references(
            ("ServiceAccount", "", "v1"),
            &OTHER_POD_SPECS,
            &["serviceAccountName"],
            &[("RoleBinding", RBAC, "subjects"), ("ClusterRoleBinding", RBAC, "subjects")],
        ),
    ]
}

fn storage_and_pods() -> [References; 5] {
    [
        references(
            ("PersistentVolumeClaim", "", "v1"),
            &OTHER_POD_SPECS,
            &["volumes/persistentVolumeClaim/claimName"],
            &[],
        ),
        references(
            ("PersistentVolume", "", "v1"),
            &[],
            &[],
            &[
                ("PersistentVolumeClaim", "", "spec/volumeName"),
                ("ClusterRole", "", "rules/resourceNames"),
            ],
        ),
        references(
            ("StorageClass", "storage.k8s.io", "v1"),
            &[],
            &[],
            &[
                ("PersistentVolume", "", "spec/storageClassName"),
                ("PersistentVolumeClaim", "", "spec/storageClassName"),
                ("StatefulSet", "", "spec/volumeClaimTemplates/spec/storageClassName"),
            ],
        ),
        references(
            ("PriorityClass", "scheduling.k8s.io", "v1"),
            &OTHER_POD_SPECS,
            &["priorityClassName"],
            &[],
        ),
        // Upstream writes the group so, which no IngressClass has: kept, as its results are.
        references(
            ("IngressClass", "networking.k8s.io/v1", "v1"),
            &[],
            &[],
            &[("Ingress", "", "spec/ingressClassName")],
        ),
    ]
}
