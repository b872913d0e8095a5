//! The baseline level: nothing that is known to lead out of a container.

use std::collections::BTreeSet;

use super::spec::{Fault, Pod, containers, plural, quoted};
use crate::object::Value;

/// What a pod does that baseline does not allow, by the checks of `v1.{version}`. Where the pod is
/// also held to `restricted`, checks that have a stricter form there are left to it.
pub(super) fn faults(pod: &Pod, version: u32, restricted: bool) -> Vec<Fault> {
    let stricter = |from: u32| restricted && version >= from;
    let checks = [
        app_armor(pod),
        capabilities(pod).filter(|_| !stricter(22)),
        host_namespaces(pod),
        host_paths(pod).filter(|_| !restricted),
        host_ports(pod),
        hosts(pod).filter(|_| version >= 34),
        privileged(pod),
        proc_mount(pod).filter(|_| !stricter(35) && (version < 35 || !pod.has_own_users())),
        se_linux(pod, version),
        seccomp(pod).filter(|_| !stricter(19)),
        sysctls(pod, version),
        host_process(pod),
    ];
    checks.into_iter().flatten().collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn app_armor(pod: &Pod) -> Option<Fault> {
    const KEY: &str = "container.apparmor.security.beta.kubernetes.io/";
    let allowed = |kind: &str| matches!(kind, "RuntimeDefault" | "Localhost");
    let found = pod.setters(|context| {
        let kind = context["appArmorProfile"]["type"].as_str();
        kind.filter(|kind| !allowed(kind)).map(ToOwned::to_owned).into_iter().collect()
    });
    let is_bad = |value: &str| {
        !value.is_empty() && value != "runtime/default" && !value.starts_with("localhost/")
    };
    let annotations =
        pod.annotations().filter(|(key, value)| key.starts_with(KEY) && is_bad(value));
    let mut annotations: Vec<String> =
        annotations.map(|(key, value)| format!("{key}={value:?}")).collect();
    annotations.sort();
    if found.is_empty() && annotations.is_empty() {
        return None;
    }
    let mut setters = Vec::from_iter(Some(found.setters()).filter(|text| !text.is_empty()));
    if !annotations.is_empty() {
        setters.push(plural("annotation", "annotations", annotations.len()).to_owned());
    }
    let values: Vec<String> = found.values.iter().cloned().chain(annotations).collect();
    Some(Fault {
        reason: plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values.len()),
        detail: format!(
            "{} must not set AppArmor profile type to {}",
            setters.join(" and "),
            quoted(&values)
        ),
    })
}

const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

fn capabilities(pod: &Pod) -> Option<Fault> {
    added_capabilities(pod, &CAPABILITIES)
        .map(|detail| Fault { reason: "non-default capabilities", detail })
}

/// Who adds capabilities that are not `allowed`.
pub(super) fn added_capabilities(pod: &Pod, allowed: &[&str]) -> Option<String> {
    let mut values = BTreeSet::new();
    let names = pod.names(|container| {
        let added = container["securityContext"]["capabilities"]["add"].as_array();
        let bad = added.into_iter().flatten().map(text).filter(|c| !allowed.contains(c));
        let bad: Vec<String> = bad.map(ToOwned::to_owned).collect();
        let any = !bad.is_empty();
        values.extend(bad);
        any
    });
    (!names.is_empty()).then(|| {
        let values = quoted(&values);
        format!(
            "{} must not include {values} in securityContext.capabilities.add",
            containers(&names)
        )
    })
}

fn host_namespaces(pod: &Pod) -> Option<Fault> {
    let shared = ["hostNetwork", "hostPID", "hostIPC"].into_iter().filter(|field| pod.is_on(field));
    let shared: Vec<String> = shared.map(|field| format!("{field}=true")).collect();
    let detail = shared.join(", ");
    (!shared.is_empty()).then_some(Fault { reason: "host namespaces", detail })
}

fn host_paths(pod: &Pod) -> Option<Fault> {
    let bad = pod.list("volumes").filter(|volume| volume["hostPath"].is_object());
    let names: Vec<String> = bad.map(|volume| text(&volume["name"]).to_owned()).collect();
    let detail = format!("{} {}", plural("volume", "volumes", names.len()), quoted(&names));
    (!names.is_empty()).then_some(Fault { reason: "hostPath volumes", detail })
}

fn host_ports(pod: &Pod) -> Option<Fault> {
    let mut ports = BTreeSet::new();
    let names = pod.names(|container| {
        let own = container["ports"].as_array().into_iter().flatten();
        let own: Vec<String> = own
            .filter_map(|port| port["hostPort"].as_i64().filter(|port| *port != 0))
            .map(|port| port.to_string())
            .collect();
        let any = !own.is_empty();
        ports.extend(own);
        any
    });
    let detail = format!(
        "{} {} {} {}",
        containers(&names),
        plural("uses", "use", names.len()),
        plural("hostPort", "hostPorts", ports.len()),
        ports.iter().cloned().collect::<Vec<_>>().join(", ")
    );
    (!names.is_empty()).then_some(Fault { reason: "hostPort", detail })
}

/// Hosts that probes and hooks of containers ask.
fn hosts(pod: &Pod) -> Option<Fault> {
    let mut hosts = BTreeSet::new();
    let mut names = pod.names(|container| {
        let probes = ["livenessProbe", "readinessProbe", "startupProbe"];
        let probes = probes.into_iter().map(|probe| &container[probe]);
        let hooks = ["postStart", "preStop"].into_iter().map(|hook| &container["lifecycle"][hook]);
        let mut any = false;
        for handler in probes.chain(hooks) {
            for kind in ["httpGet", "tcpSocket"] {
                let host = text(&handler[kind]["host"]);
                if !host.is_empty() {
                    hosts.insert(host.to_owned());
                    any = true;
                }
            }
        }
        any
    });
    names.sort();
    let detail = format!(
        "{} {} {} {}",
        containers(&names),
        plural("uses", "use", names.len()),
        plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.len()),
        quoted(&hosts)
    );
    (!names.is_empty()).then_some(Fault { reason: "probe or lifecycle host", detail })
}

fn privileged(pod: &Pod) -> Option<Fault> {
    let names = pod.names(|container| container["securityContext"]["privileged"] == true);
    let detail = format!("{} must not set securityContext.privileged=true", containers(&names));
    (!names.is_empty()).then_some(Fault { reason: "privileged", detail })
}

pub(super) fn proc_mount(pod: &Pod) -> Option<Fault> {
    let mut values = BTreeSet::new();
    let names = pod.names(|container| {
        let kind = container["securityContext"]["procMount"].as_str();
        let bad = kind.filter(|kind| *kind != "Default");
        values.extend(bad.map(ToOwned::to_owned));
        bad.is_some()
    });
    let values = quoted(&values);
    let detail =
        format!("{} must not set securityContext.procMount to {values}", containers(&names));
    (!names.is_empty()).then_some(Fault { reason: "procMount", detail })
}

fn se_linux(pod: &Pod, version: u32) -> Option<Fault> {
    let allowed = |kind: &str| {
        matches!(kind, "" | "container_t" | "container_init_t" | "container_kvm_t")
            || (kind == "container_engine_t" && version >= 31)
    };
    // Types carry a mark, to keep them apart from the two switches.
    let found = pod.setters(|context| {
        let options = &context["seLinuxOptions"];
        let kind = text(&options["type"]);
        let kind = (!allowed(kind)).then(|| format!("={kind}"));
        let set = ["user", "role"].into_iter().filter(|field| !text(&options[*field]).is_empty());
        kind.into_iter().chain(set.map(ToOwned::to_owned)).collect()
    });
    if found.is_empty() {
        return None;
    }
    let types: Vec<String> = found
        .values
        .iter()
        .filter_map(|value| value.strip_prefix('='))
        .map(ToOwned::to_owned)
        .collect();
    let mut data = Vec::new();
    if !types.is_empty() {
        data.push(format!("{} {}", plural("type", "types", types.len()), quoted(&types)));
    }
    for field in ["user", "role"] {
        if found.values.contains(field) {
            data.push(format!("{field} may not be set"));
        }
    }
    let (setters, data) = (found.setters(), data.join("; "));
    let detail = format!("{setters} set forbidden securityContext.seLinuxOptions: {data}");
    Some(Fault { reason: "seLinuxOptions", detail })
}

/// Profiles that leave system calls open, and who sets them.
pub(super) fn seccomp(pod: &Pod) -> Option<Fault> {
    let found = pod.setters(|context| {
        let profile = &context["seccompProfile"];
        let bad = profile.is_object()
            && !matches!(text(&profile["type"]), "Localhost" | "RuntimeDefault");
        bad.then(|| text(&profile["type"]).to_owned()).into_iter().collect()
    });
    let (setters, values) = (found.setters(), found.values());
    let detail = format!("{setters} must not set securityContext.seccompProfile.type to {values}");
    (!found.is_empty()).then_some(Fault { reason: "seccompProfile", detail })
}

/// Each with the version from which on it is allowed.
const SYSCTLS: [(&str, u32); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

fn sysctls(pod: &Pod, version: u32) -> Option<Fault> {
    let allowed = |name: &str| SYSCTLS.iter().any(|(own, from)| *own == name && version >= *from);
    let set = pod.security("sysctls").as_array().into_iter().flatten();
    let bad: Vec<&str> = set.map(|s| text(&s["name"])).filter(|name| !allowed(name)).collect();
    let detail = bad.join(", ");
    (!bad.is_empty()).then_some(Fault { reason: "forbidden sysctls", detail })
}

fn host_process(pod: &Pod) -> Option<Fault> {
    let found = pod.setters(|context| {
        let set = context["windowsOptions"]["hostProcess"] == true;
        set.then(|| "true".to_owned()).into_iter().collect()
    });
    let setters = found.setters();
    let detail = format!("{setters} must not set securityContext.windowsOptions.hostProcess=true");
    (!found.is_empty()).then_some(Fault { reason: "hostProcess", detail })
}
