//! The fields that kustomize's transformers change without being told: labels, selectors,
//! annotations, namespaces, replicas and the places in which `$(VAR)` is looked for.

use super::fieldspec::FieldSpec;

/// Makes a field spec of group, version, kind, path and whether the field is made.
fn spec(group: &str, version: &str, kind: &str, path: &str, create: bool) -> FieldSpec {
    FieldSpec::new(group, version, kind, path, create)
}

/// Labels of objects and of the templates in them.
pub(super) fn template_labels() -> Vec<FieldSpec> {
    metadata("labels", "apps")
}

/// Annotations of objects and of the templates in them.
pub(super) fn common_annotations() -> Vec<FieldSpec> {
    metadata("annotations", "")
}

fn metadata(field: &str, stateful_set_group: &str) -> Vec<FieldSpec> {
    let template = &format!("spec/template/metadata/{field}");
    let job = format!("spec/jobTemplate/metadata/{field}");
    let pod = format!("spec/jobTemplate/spec/template/metadata/{field}");
    vec![
        FieldSpec::any(&format!("metadata/{field}"), true),
        spec("", "v1", "ReplicationController", template, true),
        spec("", "", "Deployment", template, true),
        spec("", "", "ReplicaSet", template, true),
        spec("", "", "DaemonSet", template, true),
        spec(stateful_set_group, "", "StatefulSet", template, true),
        spec("batch", "", "Job", template, true),
        spec("batch", "", "CronJob", &job, true),
        spec("batch", "", "CronJob", &pod, true),
    ]
}

/// Labels of the claims that a StatefulSet makes.
pub(super) fn claim_templates() -> FieldSpec {
    spec("apps", "", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true)
}

/// Selectors and labels.
pub(super) fn common_labels() -> Vec<FieldSpec> {
    let labels = "spec/selector/matchLabels";
    let mut specs = vec![
        spec("", "v1", "Service", "spec/selector", true),
        spec("", "v1", "ReplicationController", "spec/selector", true),
        spec("", "", "Deployment", labels, true),
        spec("", "", "ReplicaSet", labels, true),
        spec("", "", "DaemonSet", labels, true),
        spec("apps", "", "StatefulSet", labels, true),
        spec("batch", "", "Job", labels, false),
        spec("batch", "", "CronJob", "spec/jobTemplate/spec/selector/matchLabels", false),
        spec("policy", "", "PodDisruptionBudget", labels, false),
    ];
    for kind in ["Deployment", "StatefulSet"] {
        for affinity in ["podAffinity", "podAntiAffinity"] {
            for when in [
                "preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm",
                "requiredDuringSchedulingIgnoredDuringExecution",
            ] {
                let path = format!(
                    "spec/template/spec/affinity/{affinity}/{when}/labelSelector/matchLabels"
                );
                specs.push(spec("apps", "", kind, &path, false));
            }
        }
        let path = "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels";
        specs.push(spec("apps", "", kind, path, false));
    }
    for at in ["spec", "spec/ingress/from", "spec/egress/to"] {
        let path = format!("{at}/podSelector/matchLabels");
        specs.push(spec("networking.k8s.io", "", "NetworkPolicy", &path, false));
    }
    specs.extend(template_labels());
    specs.push(claim_templates());
    specs
}

/// Fields besides `metadata.namespace` that hold the namespace.
pub(super) fn namespace() -> Vec<FieldSpec> {
    let service = "spec/service/namespace";
    let webhook = "spec/conversion/webhook/clientConfig/service/namespace";
    vec![
        spec("", "", "Namespace", "metadata/name", true),
        spec("apiregistration.k8s.io", "", "APIService", service, true),
        spec("apiextensions.k8s.io", "", "CustomResourceDefinition", webhook, false),
    ]
}

/// Where a number of replicas stands.
pub(super) fn replicas() -> Vec<FieldSpec> {
    ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"]
        .iter()
        .map(|kind| spec("", "", kind, "spec/replicas", true))
        .collect()
}

/// Where `$(VAR)` is looked for.
pub(super) fn var_references() -> Vec<FieldSpec> {
    let mut specs = Vec::new();
    for (kind, pod) in [
        ("CronJob", "spec/jobTemplate/spec/template/spec"),
        ("DaemonSet", "spec/template/spec"),
        ("Deployment", "spec/template/spec"),
        ("Job", "spec/template/spec"),
        ("Pod", "spec"),
        ("ReplicaSet", "spec/template/spec"),
        ("StatefulSet", "spec/template/spec"),
    ] {
        for containers in ["containers", "initContainers"] {
            for field in ["args", "command", "env/value", "volumeMounts/mountPath"] {
                specs.push(spec("", "", kind, &format!("{pod}/{containers}/{field}"), false));
            }
        }
        let nfs = match kind {
            // Upstream leaves the inner `spec` out here, and so finds nothing.
            "CronJob" => "spec/jobTemplate/spec/template/volumes/nfs/server".to_owned(),
            "StatefulSet" => "spec/volumeClaimTemplates/spec/nfs/server".to_owned(),
            _ => format!("{pod}/volumes/nfs/server"),
        };
        specs.push(spec("", "", kind, &nfs, false));
    }
    for (kind, path) in [
        ("Deployment", "spec/template/metadata/annotations"),
        ("Ingress", "spec/rules/host"),
        ("Ingress", "spec/tls/hosts"),
        ("Ingress", "spec/tls/secretName"),
        ("Service", "spec/ports/port"),
        ("Service", "spec/ports/targetPort"),
        ("PersistentVolume", "spec/nfs/server"),
        ("", "metadata/labels"),
        ("", "metadata/annotations"),
    ] {
        specs.push(spec("", "", kind, path, false));
    }
    specs
}
