//! What the server refuses: names, references between fields, what may not change (R-VAL).
//!
//! A file a family of kinds. Texts, paths and the order of errors are those of kube-apiserver
//! 1.36, as far as recorded answers reach (`tests/baseline/rest`); rules that need gates which are
//! off by default are left out.

mod classes;
mod config;
mod containers;
mod devices;
mod environment;
mod errors;
mod expressions;
mod job_policies;
mod jobs;
mod meta;
mod networking;
mod plain;
mod pod_changes;
mod pods;
mod probes;
mod quotas;
mod rbac;
mod read;
mod registration;
mod resources;
mod rules;
mod scaling;
mod selectors;
mod services;
mod status;
mod storage;
mod warnings;
mod workloads;

use super::call::Call;
use crate::api::Cause;
use crate::object::{Object, Value};
use crate::sim::crd;
use errors::Errors;

/// What is wrong with an object that is about to be created.
pub(super) fn create(call: &Call, object: &Object) -> Vec<Cause> {
    let mut errors = Errors::default();
    meta::create(in_metadata(call), object, &mut errors);
    content(call, object, true, &mut errors);
    rules::check(call.kind.group, None, object, &mut errors);
    errors.into_causes()
}

/// What is wrong with a new state of `live`. Metadata is checked by what is common to all kinds
/// and by the kind, and each says what it finds.
pub(super) fn update(call: &Call, live: &Object, object: &Object) -> Vec<Cause> {
    let mut errors = Errors::default();
    let kind = in_metadata(call);
    meta::update(kind, live, object, &mut errors);
    match call.subresource {
        "status" => status::check(call.kind.kind, object, &mut errors),
        "finalize" | "approval" | "ephemeralcontainers" | "resize" => {}
        _ => {
            changed(call, live, object, &mut errors);
            rules::check(call.kind.group, Some(live), object, &mut errors);
        }
    }
    errors.into_causes()
}

/// The kind as the rules for metadata know it: there are two of Event.
fn in_metadata(call: &Call) -> &'static str {
    match (call.kind.group, call.kind.kind) {
        ("", "Event") => "core/Event",
        (_, kind) => kind,
    }
}

fn content(call: &Call, object: &Object, is_new: bool, errors: &mut Errors) {
    match (call.kind.group, call.kind.kind) {
        ("", "Pod") => pods::create(object, is_new, errors),
        ("", "Service") => services::check(object, errors),
        ("", "ConfigMap") => config::config_map(object, errors),
        ("", "Secret") => config::secret(object, errors),
        ("", "PersistentVolumeClaim") => storage::claim(object, errors),
        ("", "PersistentVolume") => storage::volume(object, errors),
        ("storage.k8s.io", "StorageClass") => classes::storage_class(object, errors),
        ("coordination.k8s.io", "Lease") => plain::lease(object, errors),
        ("", "LimitRange") => quotas::limit_range(object, errors),
        ("", "ResourceQuota") => quotas::quota(object, errors),
        ("", "ReplicationController") => workloads::replication(object, errors),
        ("", "PodTemplate") => workloads::pod_template(object, errors),
        ("", "Node") => classes::node(object, errors),
        (group, "Event") => classes::event(group, object, errors),
        ("apiregistration.k8s.io", _) => registration::api_service(object, is_new, errors),
        ("certificates.k8s.io", _) if is_new => registration::certificate_request(object, errors),
        (_, "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => {
            registration::webhooks(object, errors);
        }
        (_, "MutatingAdmissionPolicy" | "ValidatingAdmissionPolicy") => {
            registration::policy(object, errors);
        }
        (_, "MutatingAdmissionPolicyBinding" | "ValidatingAdmissionPolicyBinding") => {
            registration::policy_binding(object, errors);
        }
        ("resource.k8s.io", "ResourceClaim" | "ResourceClaimTemplate") => {
            devices::claim(object, errors);
        }
        ("resource.k8s.io", "ResourceSlice") => devices::slice(object, errors),
        (_, "FlowSchema") => classes::flow_schema(object, errors),
        (_, "PriorityLevelConfiguration") => classes::priority_level(object, errors),
        (_, "VolumeAttachment") => classes::attachment(object, errors),
        ("networking.k8s.io", "IngressClass") => classes::ingress_class(object, errors),
        ("networking.k8s.io", "IPAddress") => classes::address(object, errors),
        ("networking.k8s.io", "ServiceCIDR") => classes::address_range(object, errors),
        ("node.k8s.io", "RuntimeClass") => classes::runtime_class(object, errors),
        ("discovery.k8s.io", "EndpointSlice") => plain::endpoint_slice(object, errors),
        ("apps", kind @ ("Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")) => {
            workloads::check(kind, object, is_new, errors);
        }
        ("batch", "Job") => jobs::job(object, errors),
        ("batch", "CronJob") => jobs::cron_job(object, is_new, errors),
        ("networking.k8s.io", "Ingress") => networking::ingress(object, errors),
        ("networking.k8s.io", "NetworkPolicy") => networking::network_policy(object, errors),
        (_, "Role" | "ClusterRole") => {
            rbac::role(object, errors);
            classes::cluster_role(object, errors);
        }
        (_, "RoleBinding" | "ClusterRoleBinding") => rbac::binding(object, errors),
        ("autoscaling", "HorizontalPodAutoscaler") => scaling::autoscaler(object, errors),
        ("policy", "PodDisruptionBudget") => scaling::budget(object, errors),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            errors.extend(crd::check::create(object));
        }
        _ => {}
    }
}

/// The rules for a new state: those for a new object, and what may not change.
fn changed(call: &Call, live: &Object, object: &Object, errors: &mut Errors) {
    match (call.kind.group, call.kind.kind) {
        ("", "Pod") => pod_changes::update(live, object, errors),
        ("", "Service") => {
            services::changed(live, object, errors);
            services::check(object, errors);
        }
        ("", "ConfigMap" | "Secret") => {
            config::changed(live, object, errors);
            meta::common(call.kind.kind, object, errors);
            content(call, object, false, errors);
        }
        ("", "PersistentVolumeClaim") => {
            storage::claim(object, errors);
            storage::claim_changed(live, object, errors);
        }
        ("apps", "DaemonSet") => {
            workloads::changed("DaemonSet", live, object, errors);
            content(call, object, false, errors);
        }
        ("apps", kind @ ("Deployment" | "ReplicaSet" | "StatefulSet")) => {
            content(call, object, false, errors);
            workloads::changed(kind, live, object, errors);
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            errors.extend(crd::check::update(live, object));
        }
        ("batch", "Job") => {
            // Upstream looks at the spec when it looks at the change, and again for itself.
            content(call, object, false, errors);
            jobs::respecified(object, errors);
            jobs::job_changed(live, object, errors);
        }
        (_, "RoleBinding" | "ClusterRoleBinding") => {
            content(call, object, false, errors);
            rbac::binding_changed(live, object, errors);
        }
        ("resource.k8s.io", "ResourceClaim") => devices::claim_changed(live, object, errors),
        (_, kind) if may_not_change(kind).is_some() => {
            content(call, object, false, errors);
            if let Some(check) = may_not_change(kind) {
                check(live, object, errors);
            }
        }
        _ => content(call, object, false, errors),
    }
}

/// What says of a kind what of it is for good.
fn may_not_change(kind: &str) -> Option<fn(&Object, &Object, &mut Errors)> {
    Some(match kind {
        "CSIDriver" => classes::csi_driver_changed,
        "CSINode" => classes::csi_node_changed,
        "Event" => classes::event_changed,
        "IPAddress" => classes::address_changed,
        "Node" => classes::node_changed,
        "PersistentVolume" => storage::volume_changed,
        "ResourceClaimTemplate" => devices::claim_changed,
        "ResourceQuota" => quotas::quota_changed,
        "ResourceSlice" => devices::slice_changed,
        "ServiceCIDR" => classes::address_range_changed,
        "VolumeAttachment" => classes::attachment_changed,
        _ => return None,
    })
}

/// What is wrong with the metadata of an object within a custom resource.
pub(super) fn embedded_metadata(path: &str, metadata: &Value) -> Vec<Cause> {
    let mut errors = Errors::default();
    meta::embedded(path, metadata, &mut errors);
    errors.into_causes()
}

/// What the writer of a change is warned of, because of what changed.
pub(super) fn warnings_of_change(call: &Call, live: &Object, object: &Object) -> Vec<String> {
    let wanted = ["spec", "tokenRequests"];
    if call.kind.kind == "CSIDriver" && live.at(&wanted) != object.at(&wanted) {
        return warnings::of_driver(object).into_iter().collect();
    }
    Vec::new()
}

/// What the writer of an object is warned of.
pub(super) fn warnings(call: &Call, object: &Object, is_new: bool) -> Vec<String> {
    let kind = call.kind.kind;
    let mut found = Vec::new();
    if is_new
        && matches!(
            kind,
            "Pod" | "Deployment" | "ReplicaSet" | "ReplicationController" | "Job" | "CronJob"
        )
    {
        found.extend(warnings::of_name(object));
    }
    match (call.kind.group, kind) {
        ("apiextensions.k8s.io", _) => {
            let formats = crd::check::unknown_formats(object);
            let texts = formats.iter().map(|format| format!("unrecognized format {format:?}"));
            found.extend(texts.filter(|text| !call.warnings.contains(text)));
        }
        ("", "Pod") | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet") => {
            found.extend(warnings::of_pods(kind, object));
        }
        ("batch", "Job" | "CronJob") => found.extend(warnings::of_pods(kind, object)),
        ("", "Service") => found.extend(warnings::of_service(object)),
        ("storage.k8s.io", "CSIDriver") if is_new => found.extend(warnings::of_driver(object)),
        ("", "ServiceAccount") => found.extend(warnings::of_account(object)),
        ("networking.k8s.io", "Ingress") => found.extend(warnings::of_ingress(object)),
        _ => {}
    }
    found
}
