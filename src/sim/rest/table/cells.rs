//! Which function writes the cells of which kind, and those of kinds that hold data or define
//! other things. Larger families have files of their own.

use super::row::{Row, joined, printed, text_of};
use super::{cluster, network, pods, scaling, storage, workloads};
use crate::object::Value;

/// Writes the cells of an object, wide ones too: as many as the kind has columns.
pub(super) type Cells = fn(&Row) -> Vec<Value>;

/// The function for a kind; `None` for a kind that has name and time of creation alone.
pub(super) fn of(group: &str, kind: &str) -> Option<Cells> {
    Some(match (group, kind) {
        ("", kind) => return core(kind),
        ("apps", kind) => return workloads::of(kind),
        ("storage.k8s.io", kind) => return storage::of(kind),
        ("networking.k8s.io", kind) => return network::of(kind),
        ("admissionregistration.k8s.io", kind) => return admission(kind),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => cluster::binding,
        ("batch", "Job") => workloads::job,
        ("batch", "CronJob") => workloads::cron_job,
        ("events.k8s.io", "Event") => cluster::event,
        ("autoscaling", "HorizontalPodAutoscaler") => scaling::autoscaler,
        ("autoscaling", "Scale") => scaling::scale,
        ("policy", "PodDisruptionBudget") => workloads::disruption_budget,
        ("discovery.k8s.io", "EndpointSlice") => network::endpoint_slice,
        ("apiregistration.k8s.io", "APIService") => cluster::api_service,
        ("certificates.k8s.io", "CertificateSigningRequest") => cluster::signing_request,
        ("coordination.k8s.io", "Lease") => {
            |row| vec![row.name(), row.text("spec.holderIdentity"), row.age()]
        }
        ("node.k8s.io", "RuntimeClass") => |row| vec![row.name(), row.text("handler"), row.age()],
        ("scheduling.k8s.io", "PriorityClass") => cluster::priority_class,
        ("flowcontrol.apiserver.k8s.io", "FlowSchema") => cluster::flow_schema,
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration") => cluster::priority_level,
        ("resource.k8s.io", "DeviceClass" | "ResourceClaimTemplate") => name_and_age,
        ("resource.k8s.io", "ResourceClaim") => cluster::resource_claim,
        ("resource.k8s.io", "ResourceSlice") => |row| {
            let [node, driver, pool] = ["nodeName", "driver", "pool.name"];
            let text = |path: &str| row.text(&format!("spec.{path}"));
            vec![row.name(), text(node), text(driver), text(pool), row.age()]
        },
        _ => return None,
    })
}

fn core(kind: &str) -> Option<Cells> {
    Some(match kind {
        "Pod" => pods::cells,
        "PodTemplate" => workloads::pod_template,
        "ReplicationController" => workloads::replication_controller,
        "Service" => network::service,
        "Endpoints" => network::endpoints,
        "PersistentVolume" => storage::volume,
        "PersistentVolumeClaim" => storage::claim,
        "Node" => cluster::node,
        "Event" => cluster::event,
        "ComponentStatus" => cluster::component_status,
        "ResourceQuota" => cluster::quota,
        "ServiceAccount" => name_and_age,
        "Namespace" => |row| vec![row.name(), row.text("status.phase"), row.age()],
        "ConfigMap" => |row| vec![row.name(), entries(row, &["data", "binaryData"]), row.age()],
        "Secret" => |row| vec![row.name(), row.text("type"), entries(row, &["data"]), row.age()],
        _ => return None,
    })
}

fn admission(kind: &str) -> Option<Cells> {
    Some(match kind {
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
            |row| vec![row.name(), row.count("webhooks"), row.age()]
        }
        "ValidatingAdmissionPolicy" => |row| policy(row, "spec.validations"),
        "MutatingAdmissionPolicy" => |row| policy(row, "spec.mutations"),
        "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding" => policy_binding,
        _ => return None,
    })
}

/// Name and time of creation, for kinds without columns of their own.
pub(super) fn name_and_creation(row: &Row) -> Vec<Value> {
    let created = row.str("metadata.creationTimestamp");
    // What Go prints of a time that is not set.
    let created = if created.is_empty() { "0001-01-01T00:00:00Z" } else { created };
    vec![row.name(), created.into()]
}

/// Name and age.
pub(super) fn name_and_age(row: &Row) -> Vec<Value> {
    vec![row.name(), row.age()]
}

/// How many entries some maps have together.
fn entries(row: &Row, maps: &[&str]) -> Value {
    maps.iter().filter_map(|map| row.map(map)).map(|map| map.len()).sum::<usize>().into()
}

fn policy(row: &Row, rules: &str) -> Vec<Value> {
    let kind = row.at("spec.paramKind").map_or_else(
        || "<unset>".to_owned(),
        |kind| format!("{}/{}", text_of(kind, "apiVersion"), text_of(kind, "kind")),
    );
    vec![row.name(), row.count(rules), kind.into(), row.age()]
}

/// A label selector as Go prints the struct, which is how parameters without a name are told.
fn go_selector(selector: &Value) -> String {
    if selector.is_null() {
        return "<unset>".to_owned();
    }
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let labels = labels.map(|(key, value)| format!("{key}: {},", printed(value)));
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    let expressions = expressions.map(|expression| {
        let values = expression["values"].as_array().into_iter().flatten();
        format!(
            "LabelSelectorRequirement{{Key:{},Operator:{},Values:[{}],}},",
            text_of(expression, "key"),
            text_of(expression, "operator"),
            joined(values.map(printed), " ")
        )
    });
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{}}},MatchExpressions:[]LabelSelectorRequirement{{{}}},}}",
        joined(labels, ""),
        joined(expressions, "")
    )
}

fn policy_binding(row: &Row) -> Vec<Value> {
    let parameter = match row.at("spec.paramRef") {
        None => "<unset>".to_owned(),
        Some(reference) => match (text_of(reference, "namespace"), text_of(reference, "name")) {
            (_, "") => go_selector(&reference["selector"]),
            ("", name) => format!("*/{name}"),
            (namespace, name) => format!("{namespace}/{name}"),
        },
    };
    vec![row.name(), row.text("spec.policyName"), parameter.into(), row.age()]
}
