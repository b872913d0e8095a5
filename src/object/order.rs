//! An order of objects in which what others need comes before them.

use super::Object;

/// Kinds that come first, in this order. The list is kustomize's, which took it from Helm.
const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come last, in this order: they stand in the way of creating others.
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Where an object stands in `kustomize build`'s default order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KindKey {
    rank: usize,
    /// `group_version_kind`, empty parts as `~G`, `~V`, `~K`: they sort behind letters.
    kind: String,
    /// `namespace|name`, empty parts as `~X`, `~N`.
    name: String,
}

/// The sort key of an object for `kustomize build`'s default order: by rank of its kind, then
/// group, version, kind, namespace and name.
#[must_use]
pub fn kind_key(object: &Object) -> KindKey {
    let gvk = object.gvk();
    let or =
        |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    let kind = if gvk.kind == "Namespace" && gvk.group.is_empty() {
        // The real namespaces come before other groups' kinds of that name.
        String::new()
    } else {
        format!("{}_{}_{}", or(&gvk.group, "~G"), or(&gvk.version, "~V"), or(&gvk.kind, "~K"))
    };
    let name = format!("{}|{}", or(object.namespace(), "~X"), or(object.name(), "~N"));
    KindKey { rank: rank(&gvk.kind), kind, name }
}

/// The sort key of an object where no kind comes before another.
#[must_use]
pub fn kind_key_unranked(object: &Object) -> KindKey {
    KindKey { rank: 0, ..kind_key(object) }
}

/// Where a kind stands among kinds; those that are not ranked share a place in the middle.
pub(crate) fn rank(kind: &str) -> usize {
    let between = FIRST.len();
    match (FIRST.iter().position(|k| *k == kind), LAST.iter().position(|k| *k == kind)) {
        (Some(rank), _) => rank,
        (None, Some(rank)) => between + 1 + rank,
        (None, None) => between,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn what_others_need_comes_first() {
        let ids = [
            ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "", "a"),
            ("v1", "Pod", "", "a"),
            ("apps/v1", "DaemonSet", "", "a"),
            ("apps/v1", "Deployment", "z", "a"),
            ("apps/v1", "Deployment", "", "b"),
            ("v1", "Namespace", "", "z"),
            ("v1", "Service", "", "a"),
        ];
        let mut objects: Vec<Object> = ids
            .iter()
            .map(|(api, kind, namespace, name)| {
                let metadata = json!({"name": name, "namespace": namespace});
                let value = json!({"apiVersion": api, "kind": kind, "metadata": metadata});
                Object::from_value(value).unwrap()
            })
            .collect();
        objects.sort_by_cached_key(kind_key);
        let sorted: Vec<String> = objects.iter().map(|o| o.id().to_string()).collect();
        // `~` sorts behind every letter, so no group and no namespace come last among equals.
        assert_eq!(
            sorted,
            [
                "Namespace/z",
                "Service/a",
                "Deployment/z/a",
                "Deployment/b",
                "DaemonSet/a",
                "Pod/a",
                "ValidatingWebhookConfiguration/a"
            ]
        );
    }
}
