//! The restricted level: what a pod must give up besides.

use std::collections::BTreeSet;

use super::baseline::{added_capabilities, proc_mount, seccomp};
use super::spec::{Fault, Found, Pod, containers, plural, quoted};
use crate::object::Value;

/// What a pod does, or leaves open, that restricted does not allow, by the checks of
/// `v1.{version}`; those that baseline has too are not among them.
pub(super) fn faults(pod: &Pod, version: u32) -> Vec<Fault> {
    let windows = pod.is_windows() && version >= 25;
    let own_users = pod.has_own_users() && version >= 35;
    let checks = [
        escalation(pod).filter(|_| version >= 8 && !windows),
        capabilities(pod).filter(|_| version >= 22 && !windows),
        proc_mount(pod).filter(|_| version >= 35),
        volumes(pod),
        run_as_non_root(pod).filter(|_| !own_users),
        run_as_user(pod).filter(|_| version >= 23 && !own_users),
        profile(pod).filter(|_| version >= 19 && !windows),
    ];
    checks.into_iter().flatten().collect()
}

fn escalation(pod: &Pod) -> Option<Fault> {
    let names = pod.names(|c| c["securityContext"]["allowPrivilegeEscalation"] != false);
    let who = containers(&names);
    let detail = format!("{who} must set securityContext.allowPrivilegeEscalation=false");
    (!names.is_empty()).then_some(Fault { reason: "allowPrivilegeEscalation != false", detail })
}

fn capabilities(pod: &Pod) -> Option<Fault> {
    let keeps = pod.names(|container| {
        let dropped = container["securityContext"]["capabilities"]["drop"].as_array();
        !dropped.into_iter().flatten().any(|capability| capability == "ALL")
    });
    let mut details = Vec::new();
    if !keeps.is_empty() {
        let who = containers(&keeps);
        details.push(format!("{who} must set securityContext.capabilities.drop=[\"ALL\"]"));
    }
    details.extend(added_capabilities(pod, &["NET_BIND_SERVICE"]));
    let detail = details.join("; ");
    (!details.is_empty()).then_some(Fault { reason: "unrestricted capabilities", detail })
}

const VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

fn volumes(pod: &Pod) -> Option<Fault> {
    let mut kinds = BTreeSet::new();
    let mut names = Vec::new();
    for volume in pod.list("volumes").filter_map(Value::as_object) {
        let mut sources = volume.keys().filter(|key| *key != "name");
        if sources.clone().any(|source| VOLUMES.contains(&source.as_str())) {
            continue;
        }
        let name = volume.get("name").and_then(Value::as_str).unwrap_or_default();
        names.push(name.to_owned());
        kinds.insert(sources.next().map_or_else(|| "unknown".to_owned(), ToString::to_string));
    }
    let detail = format!(
        "{} {} {} {} {}",
        plural("volume", "volumes", names.len()),
        quoted(&names),
        plural("uses", "use", names.len()),
        plural("restricted volume type", "restricted volume types", kinds.len()),
        quoted(&kinds)
    );
    (!names.is_empty()).then_some(Fault { reason: "restricted volume types", detail })
}

fn run_as_non_root(pod: &Pod) -> Option<Fault> {
    let reason = "runAsNonRoot != true";
    let own = pod.security("runAsNonRoot");
    let of = |container: &Value| container["securityContext"]["runAsNonRoot"].as_bool();
    let found = Found {
        pod: *own == false,
        containers: pod.names(|container| of(container) == Some(false)),
        ..Found::default()
    };
    if !found.is_empty() {
        let setters = found.setters();
        let detail = format!("{setters} must not set securityContext.runAsNonRoot=false");
        return Some(Fault { reason, detail });
    }
    let open = pod.names(|container| of(container).is_none() && *own != true);
    let detail = format!("pod or {} must set securityContext.runAsNonRoot=true", containers(&open));
    (!open.is_empty()).then_some(Fault { reason, detail })
}

fn run_as_user(pod: &Pod) -> Option<Fault> {
    let found = pod.setters(|context| {
        (context["runAsUser"] == 0).then(|| "0".to_owned()).into_iter().collect()
    });
    let detail = format!("{} must not set runAsUser=0", found.setters());
    (!found.is_empty()).then_some(Fault { reason: "runAsUser=0", detail })
}

fn profile(pod: &Pod) -> Option<Fault> {
    if let Some(fault) = seccomp(pod) {
        return Some(fault);
    }
    let covered = pod.security("seccompProfile").is_object();
    let open = pod.names(|c| !covered && !c["securityContext"]["seccompProfile"].is_object());
    let who = containers(&open);
    let detail = format!(
        "pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\""
    );
    (!open.is_empty()).then_some(Fault { reason: "seccompProfile", detail })
}
