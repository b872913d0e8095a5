//! What the server refuses: names, references between fields, what may not change (R-VAL).
//!
//! A file a family of kinds. Texts, paths and the order of errors are those of kube-apiserver
//! 1.36, as far as recorded answers reach (`tests/baseline/rest`); rules that need gates which are
//! off by default are left out.

mod config;
mod containers;
mod environment;
mod errors;
mod jobs;
mod meta;
mod networking;
mod plain;
mod pods;
mod probes;
mod rbac;
mod read;
mod resources;
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
    meta::create(call.kind.kind, object, &mut errors);
    content(call, object, true, &mut errors);
    errors.into_causes()
}

/// What is wrong with a new state of `live`. Metadata is checked by what is common to all kinds
/// and by the kind, and each says what it finds.
pub(super) fn update(call: &Call, live: &Object, object: &Object) -> Vec<Cause> {
    let mut errors = Errors::default();
    meta::common(call.kind.kind, object, &mut errors);
    for _ in 0..2 {
        meta::update(live, object, &mut errors);
    }
    match call.subresource {
        "status" => status::check(call.kind.kind, object, &mut errors),
        "finalize" | "approval" | "ephemeralcontainers" | "resize" => {}
        _ => changed(call, live, object, &mut errors),
    }
    errors.into_causes()
}

fn content(call: &Call, object: &Object, is_new: bool, errors: &mut Errors) {
    match (call.kind.group, call.kind.kind) {
        ("", "Pod") => pods::create(object, is_new, errors),
        ("", "Service") => services::check(object, errors),
        ("", "ConfigMap") => config::config_map(object, errors),
        ("", "Secret") => config::secret(object, errors),
        ("", "PersistentVolumeClaim") => storage::claim(object, errors),
        ("", "PersistentVolume") => storage::volume(object, errors),
        ("storage.k8s.io", "StorageClass") => storage::class(object, errors),
        ("coordination.k8s.io", "Lease") => plain::lease(object, errors),
        ("discovery.k8s.io", "EndpointSlice") => plain::endpoint_slice(object, errors),
        ("apps", kind @ ("Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")) => {
            workloads::check(kind, object, is_new, errors);
        }
        ("batch", "Job") => jobs::job(object, errors),
        ("batch", "CronJob") => jobs::cron_job(object, is_new, errors),
        ("networking.k8s.io", "Ingress") => networking::ingress(object, errors),
        ("networking.k8s.io", "NetworkPolicy") => networking::network_policy(object, errors),
        (_, "Role" | "ClusterRole") => rbac::role(object, errors),
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
        ("", "Pod") => pods::update(live, object, errors),
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
            content(call, object, false, errors);
            jobs::job_changed(live, object, errors);
        }
        (_, "RoleBinding" | "ClusterRoleBinding") => {
            content(call, object, false, errors);
            rbac::binding_changed(live, object, errors);
        }
        _ => content(call, object, false, errors),
    }
}

/// What is wrong with the metadata of an object within a custom resource.
pub(super) fn embedded_metadata(path: &str, metadata: &Value) -> Vec<Cause> {
    let mut errors = Errors::default();
    meta::embedded(path, metadata, &mut errors);
    errors.into_causes()
}

/// What the writer of an object is warned of.
pub(super) fn warnings(call: &Call, object: &Object, is_new: bool) -> Vec<String> {
    let kind = call.kind.kind;
    let mut found = Vec::new();
    if is_new && matches!(kind, "Pod" | "Deployment" | "ReplicaSet" | "Job" | "CronJob") {
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
        ("", "ServiceAccount") => found.extend(warnings::of_account(object)),
        ("networking.k8s.io", "Ingress") => found.extend(warnings::of_ingress(object)),
        _ => {}
    }
    found
}
