//! What a writer is told of without being refused (R-HTTP-25).

use super::errors::Path;
use super::read::{given, int, list, text};
use crate::object::{Object, Value, quantity::Quantity};
use crate::sim::rest::names;

/// Warnings of a pod template or of a pod's own spec.
pub(super) fn of_pods(kind: &str, object: &Object) -> Vec<String> {
    let mut warnings = Vec::new();
    let root = Path::Printed("spec");
    let (template, job) = (root.field("template"), root.field("jobTemplate"));
    let (job_spec, pod_spec);
    let empty = Value::Null;
    let spec = object.at(&["spec"]).unwrap_or(&empty);
    let (spec, path) = match kind {
        "Pod" => (spec, &root),
        "CronJob" => {
            job_spec = job.field("spec");
            let inner = job_spec.field("template");
            return of_spec(&spec["jobTemplate"]["spec"]["template"]["spec"], &inner.field("spec"));
        }
        _ => {
            pod_spec = template.field("spec");
            (&spec["template"]["spec"], &pod_spec)
        }
    };
    warnings.extend(of_spec(spec, path));
    warnings
}

fn of_spec(spec: &Value, path: &Path) -> Vec<String> {
    let mut warnings = Vec::new();
    let spread = path.field("topologySpreadConstraints");
    for (i, constraint) in list(spec, "topologySpreadConstraints").iter().enumerate() {
        if given(constraint, "labelSelector").is_none() {
            let at = spread.index(i);
            let at = at.field("labelSelector");
            warnings.push(format!("{at}: a null labelSelector results in matching no pod"));
        }
    }
    let pulls = path.field("imagePullSecrets");
    for (i, secret) in list(spec, "imagePullSecrets").iter().enumerate() {
        if text(secret, "name").is_empty() {
            let at = pulls.index(i);
            let at = at.field("name");
            warnings.push(format!("{at}: invalid empty name \"\""));
        }
    }
    twice(list(spec, "imagePullSecrets"), "name", &pulls, &mut warnings);
    twice(list(spec, "hostAliases"), "ip", &path.field("hostAliases"), &mut warnings);
    for volume in list(spec, "volumes") {
        of_volume(volume, &mut warnings);
    }
    for kind in ["initContainers", "containers"] {
        let at = path.field(kind);
        for (i, container) in list(spec, kind).iter().enumerate() {
            fractional_bytes(container, &at.index(i), &mut warnings);
            hidden_variables(container, &at.index(i), &mut warnings);
        }
    }
    same_ports(spec, path, &mut warnings);
    if int(spec, "terminationGracePeriodSeconds").is_some_and(|seconds| seconds < 0) {
        let at = path.field("terminationGracePeriodSeconds");
        warnings.push(format!(
            "{at}: must be >= 0; negative values are invalid and will be treated as 1"
        ));
    }
    warnings
}

/// What stands twice in a list that names it.
fn twice(items: &[Value], field: &str, path: &Path, warnings: &mut Vec<String>) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let name = text(item, field);
        if seen.contains(&name) {
            let at = path.index(i);
            warnings.push(format!("{}: duplicate {field} {name:?}", at.field(field)));
        } else if !name.is_empty() {
            seen.push(name);
        }
    }
}

/// Files of a volume that hide each other, and sources that are none.
fn of_volume(volume: &Value, warnings: &mut Vec<String>) {
    let name = text(volume, "name");
    let files = |items: &[Value]| -> Vec<String> {
        items.iter().map(|item| text(item, "path").to_owned()).collect()
    };
    let (paths, shown) = if let Some(source) = given(volume, "configMap") {
        let shown = format!("ConfigMap {:?}", text(source, "name"));
        (files(list(source, "items")), shown)
    } else if let Some(source) = given(volume, "secret") {
        (files(list(source, "items")), format!("Secret {:?}", text(source, "secretName")))
    } else if let Some(source) = given(volume, "downwardAPI") {
        (files(list(source, "items")), "DownwardAPI".to_owned())
    } else if let Some(source) = given(volume, "projected") {
        for source in list(source, "sources") {
            if source.as_object().is_some_and(crate::object::Map::is_empty) {
                warnings.push(format!("volume {name:?} (Projected) has no sources provided"));
            }
        }
        let tokens = list(source, "sources").iter();
        let tokens = tokens.filter_map(|source| given(source, "serviceAccountToken"));
        let paths: Vec<&str> = tokens.map(|token| text(token, "path")).collect();
        for (i, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
            if paths[..i].contains(path) {
                let own = format!("{path:?} (ServiceAccountToken)");
                warnings.push(format!(
                    "volume {name:?} (Projected): overlapping paths: {own} with {own}"
                ));
            }
        }
        return;
    } else {
        return;
    };
    for (i, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
        if paths[..i].contains(path) {
            warnings.push(format!(
                "volume {name:?} ({shown}): overlapping paths: {path:?} with {path:?}"
            ));
        }
    }
}

/// Bytes that are no whole number.
fn fractional_bytes(container: &Value, path: &Path, warnings: &mut Vec<String>) {
    let resources = path.field("resources");
    for name in ["memory", "ephemeral-storage"] {
        for kind in ["limits", "requests"] {
            let Some(text) = container["resources"][kind][name].as_str() else { continue };
            let millis = Quantity::parse(text).map_or(0, |q| q.millis());
            if millis % 1000 != 0 {
                let at = resources.field(kind);
                let at = at.key(name);
                warnings.push(format!(
                    "{at}: fractional byte value {text:?} is invalid, must be an integer"
                ));
            }
        }
    }
}

fn hidden_variables(container: &Value, path: &Path, warnings: &mut Vec<String>) {
    let mut seen: Vec<&str> = Vec::new();
    let env = path.field("env");
    for (i, variable) in list(container, "env").iter().enumerate() {
        let name = text(variable, "name");
        if !seen.contains(&name) {
            seen.push(name);
            continue;
        }
        let reference = format!("$({name})");
        let value = text(variable, "value");
        if value == reference || !value.contains(&reference) {
            let at = env.index(i);
            warnings.push(format!(
                "{at}: hides previous definition of {name:?}, which may be dropped when using apply"
            ));
        }
    }
}

fn same_ports(spec: &Value, path: &Path, warnings: &mut Vec<String>) {
    let containers = ["initContainers", "containers"].into_iter().flat_map(|kind| {
        list(spec, kind).iter().enumerate().map(move |(at, container)| (kind, at, container))
    });
    let ports = containers.flat_map(|(kind, container_at, container)| {
        let ports = list(container, "ports").iter().enumerate();
        ports.map(move |(at, port)| ((kind, container_at, at), port))
    });
    let shown = |(kind, container_at, at): (&str, usize, usize)| {
        path.field(kind).index(container_at).field("ports").index(at).to_string()
    };
    let mut seen = Vec::new();
    let mut named = Vec::new();
    let mut names = Vec::new();
    for (place, port) in ports {
        let key = (int(port, "containerPort").unwrap_or(0), text(port, "protocol"));
        for (_, other) in seen.iter().filter(|(known, _)| *known == key) {
            let (place, other) = (shown(place), shown(*other));
            warnings.push(format!("{place}: duplicate port definition with {other}"));
        }
        seen.push((key, place));
        let name = text(port, "name");
        match named.iter().find(|(known, _)| *known == name && !name.is_empty()) {
            Some((_, other)) => {
                let (place, other) = (shown(place), shown(*other));
                names.push(format!(
                    "{place}: duplicate port name {name:?} with {other}, services and probes that select ports by name will use {other}"
                ));
            }
            None => named.push((name, place)),
        }
    }
    warnings.extend(names);
}

/// Names that pods and host names are made of should be labels.
pub(super) fn of_name(object: &Object) -> Option<String> {
    let faults = names::label_1123(object.name());
    let used =
        if object.kind() == "Pod" { "the Pod's hostname" } else { "Pod names and hostnames" };
    (!faults.is_empty()).then(|| {
        format!(
            "metadata.name: this is used in {used}, which can result in surprising behavior; a DNS label is recommended: [{}]",
            faults.join(" ")
        )
    })
}

pub(super) fn of_service(object: &Object) -> Vec<String> {
    let mut warnings = Vec::new();
    if !object.list(&["spec", "externalIPs"]).is_empty() {
        let text =
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters";
        warnings.push(text.to_owned());
    }
    if object.text(&["spec", "trafficDistribution"]) == Some("PreferClose") {
        let text =
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"";
        warnings.push(text.to_owned());
    }
    warnings
}

/// A driver that wants tokens should say where they go.
pub(super) fn of_driver(object: &Object) -> Option<String> {
    let wants = !object.list(&["spec", "tokenRequests"]).is_empty();
    let says = object.at(&["spec", "serviceAccountTokenInSecrets"]).is_some();
    (wants && !says).then(|| "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes".to_owned())
}

pub(super) fn of_ingress(object: &Object) -> Option<String> {
    let annotation = "kubernetes.io/ingress.class";
    let old = object.annotation(annotation).is_some()
        && object.at(&["spec", "ingressClassName"]).is_none();
    old.then(|| {
        format!(
            "annotation {annotation:?} is deprecated, please use 'spec.ingressClassName' instead"
        )
    })
}

pub(super) fn of_account(account: &Object) -> Option<String> {
    let key = "kubernetes.io/enforce-mountable-secrets";
    account.annotation(key).map(|_| {
        format!(
            "metadata.annotations[{key}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
        )
    })
}
