//! Containers of a pod: names, images, ports, mounts. (Environment, resources and probes have
//! files of their own.)

use super::errors::{Errors, Path};
use super::read::{flag, given, int, list, text};
use super::{environment, pods, probes, resources, rules};
use crate::object::Value;
use crate::sim::rest::names;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// `containers` of a pod spec; `volumes` are the names that can be mounted.
pub(super) fn regular(spec: &Value, volumes: &[&str], path: &Path, errors: &mut Errors) {
    let containers = list(spec, "containers");
    if containers.is_empty() {
        errors.required(path, "");
        return;
    }
    let mut seen: Vec<&str> = Vec::new();
    for (i, container) in containers.iter().enumerate() {
        let at = path.index(i);
        common(container, volumes, &at, errors);
        unique_name(container, &mut seen, &at, errors);
        probes::handlers(container, &at, errors);
    }
    host_ports(containers, path, errors);
}

/// `initContainers`; those that restart always run beside the others and may have probes.
pub(super) fn init(spec: &Value, volumes: &[&str], path: &Path, errors: &mut Errors) {
    let mut seen: Vec<&str> = list(spec, "containers").iter().map(|c| text(c, "name")).collect();
    for (i, container) in list(spec, "initContainers").iter().enumerate() {
        let at = path.index(i);
        common(container, volumes, &at, errors);
        unique_name(container, &mut seen, &at, errors);
        if let Some(policy) = given(container, "restartPolicy").and_then(Value::as_str) {
            let known = ["Always", "Never", "OnFailure"];
            if !known.contains(&policy) {
                errors.unsupported(&at.field("restartPolicy"), policy, &known);
            }
        }
        if text(container, "restartPolicy") == "Always" {
            probes::handlers(container, &at, errors);
            continue;
        }
        for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            if given(container, field).is_some() {
                let text = "may not be set for init containers without restartPolicy=Always";
                errors.forbidden(&at.field(field), text);
            }
        }
    }
}

fn unique_name<'a>(
    container: &'a Value,
    seen: &mut Vec<&'a str>,
    path: &Path,
    errors: &mut Errors,
) {
    let name = text(container, "name");
    if seen.contains(&name) {
        errors.duplicate(&path.field("name"), name);
    } else {
        seen.push(name);
    }
}

fn common(container: &Value, volumes: &[&str], path: &Path, errors: &mut Errors) {
    let name = text(container, "name");
    if name.is_empty() {
        errors.required(&path.field("name"), "");
    } else {
        errors.faults(&path.field("name"), name, names::label_1123(name));
    }
    if text(container, "image").is_empty() {
        errors.required(&path.field("image"), "");
    }
    let policy = text(container, "terminationMessagePolicy");
    if !matches!(policy, "File" | "FallbackToLogsOnError") {
        let path = path.field("terminationMessagePolicy");
        errors.unsupported(&path, policy, &["File", "FallbackToLogsOnError"]);
    }
    ports(container, &path.field("ports"), errors);
    environment::check(container, path, errors);
    mounts(container, volumes, &path.field("volumeMounts"), errors);
    resizing(container, &path.field("resizePolicy"), errors);
    let pull = text(container, "imagePullPolicy");
    if !matches!(pull, "Always" | "IfNotPresent" | "Never") {
        let path = path.field("imagePullPolicy");
        errors.unsupported(&path, pull, &["Always", "IfNotPresent", "Never"]);
    }
    if let Some(amounts) = given(container, "resources") {
        resources::check(amounts, &path.field("resources"), errors);
    }
    rules::check_at("Container", container, path, errors);
    if let Some(context) = given(container, "securityContext") {
        pods::profiles(context, &path.field("securityContext"), errors);
        security_context(context, &path.field("securityContext"), errors);
    }
}

fn is_port(number: i64) -> bool {
    (1..=65535).contains(&number)
}

const PORT_RANGE: &str = "must be between 1 and 65535, inclusive";

/// A port by number or name.
pub(super) fn port_or_name(port: &Value, path: &Path, errors: &mut Errors) {
    match port {
        Value::String(name) => errors.faults(path, name, names::port_name(name)),
        number if !number.as_i64().is_some_and(is_port) => {
            errors.invalid(path, number.clone(), PORT_RANGE);
        }
        _ => {}
    }
}

/// A port by number; `field` is required to be one.
pub(super) fn port_number(owner: &Value, path: &Path, field: &str, errors: &mut Errors) {
    let number = int(owner, field).unwrap_or(0);
    if !is_port(number) {
        errors.invalid(&path.field(field), number, PORT_RANGE);
    }
}

pub(super) fn protocol(owner: &Value, path: &Path, errors: &mut Errors) {
    let protocol = text(owner, "protocol");
    if protocol.is_empty() {
        errors.required(&path.field("protocol"), "");
    } else if !PROTOCOLS.contains(&protocol) {
        errors.unsupported(&path.field("protocol"), protocol, &PROTOCOLS);
    }
}

fn ports(container: &Value, path: &Path, errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, port) in list(container, "ports").iter().enumerate() {
        let at = path.index(i);
        let name = text(port, "name");
        let faults = if name.is_empty() { Vec::new() } else { names::port_name(name) };
        if !faults.is_empty() {
            errors.faults(&at.field("name"), name, faults);
        } else if seen.contains(&name) {
            errors.duplicate(&at.field("name"), name);
        } else if !name.is_empty() {
            seen.push(name);
        }
        if int(port, "containerPort").unwrap_or(0) == 0 {
            errors.required(&at.field("containerPort"), "");
        } else {
            port_number(port, &at, "containerPort", errors);
        }
        if given(port, "hostPort").is_some() {
            port_number(port, &at, "hostPort", errors);
        }
        protocol(port, &at, errors);
    }
}

fn host_ports(containers: &[Value], path: &Path, errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    for (i, container) in containers.iter().enumerate() {
        let at = path.index(i);
        let ports = at.field("ports");
        for (j, port) in list(container, "ports").iter().enumerate() {
            let Some(number) = int(port, "hostPort").filter(|n| *n != 0) else { continue };
            let key = format!("{}/{}/{number}", text(port, "protocol"), text(port, "hostIP"));
            if seen.contains(&key) {
                errors.duplicate(&ports.index(j).field("hostPort"), key);
            } else {
                seen.push(key);
            }
        }
    }
}

const PROPAGATIONS: [&str; 3] = ["Bidirectional", "HostToContainer", "None"];

/// Which resources may change in place, and what becomes of the container then.
fn resizing(container: &Value, path: &Path, errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, policy) in list(container, "resizePolicy").iter().enumerate() {
        let (resource, restart) = (text(policy, "resourceName"), text(policy, "restartPolicy"));
        if seen.contains(&resource) {
            errors.duplicate(&path.index(i), resource);
        } else {
            seen.push(resource);
        }
        // The index is missing in upstream's path here.
        for (word, supported) in
            [(resource, ["cpu", "memory"]), (restart, ["NotRequired", "RestartContainer"])]
        {
            match word {
                "" => errors.required(path, ""),
                word if !supported.contains(&word) => errors.unsupported(path, word, &supported),
                _ => {}
            }
        }
    }
}

fn mounts(container: &Value, volumes: &[&str], path: &Path, errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, mount) in list(container, "volumeMounts").iter().enumerate() {
        let at = path.index(i);
        let (name, place) = (text(mount, "name"), text(mount, "mountPath"));
        if name.is_empty() {
            errors.required(&at.field("name"), "");
        }
        if !volumes.contains(&name) {
            errors.not_found(&at.field("name"), name);
        }
        if place.is_empty() {
            errors.required(&at.field("mountPath"), "");
        }
        if seen.contains(&place) {
            errors.invalid(&at.field("mountPath"), place, "must be unique");
        }
        seen.push(place);
        // The index is missing in upstream's path here.
        let sub = text(mount, "subPath");
        if sub.starts_with('/') {
            errors.invalid(&path.field("subPath"), sub, "must be a relative path");
        }
        if sub.split('/').any(|part| part == "..") {
            errors.invalid(&path.field("subPath"), sub, "must not contain '..'");
        }
        if let Some(word) = mount.get("mountPropagation").and_then(Value::as_str)
            && !PROPAGATIONS.contains(&word)
        {
            errors.unsupported(&path.field("mountPropagation"), word, &PROPAGATIONS);
        }
    }
}

fn security_context(context: &Value, path: &Path, errors: &mut Errors) {
    for field in ["runAsUser", "runAsGroup"] {
        if let Some(id) = int(context, field).filter(|id| *id < 0 || *id > i64::from(i32::MAX)) {
            let text = "must be between 0 and 2147483647, inclusive";
            errors.invalid(&path.field(field), id, text);
        }
    }
    let escalates = given(context, "allowPrivilegeEscalation") == Some(&Value::Bool(false));
    if escalates && flag(context, "privileged") {
        let text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        errors.invalid(path, context.clone(), text);
    }
}

/// On the host's network a port of the host is the container's.
pub(super) fn ports_on_host(spec: &Value, path: &Path, errors: &mut Errors) {
    let at = path.field("containers");
    for (i, container) in list(spec, "containers").iter().enumerate() {
        let place = at.index(i);
        let ports = place.field("ports");
        for (j, port) in list(container, "ports").iter().enumerate() {
            let (host, own) = (int(port, "hostPort").unwrap_or(0), int(port, "containerPort"));
            if host != 0 && Some(host) != own {
                let text = "must match `containerPort` when `hostNetwork` is true";
                errors.invalid(&ports.index(j).field("hostPort"), host, text);
            }
        }
    }
}
