//! Pods and pod templates.

use super::errors::{Errors, Path};
use super::meta::{annotations_at, labels_at};
use super::read::{flag, given, int, list, text};
use super::{containers, selectors};
use crate::object::{Object, Value};
use crate::sim::rest::names;

const SPEC: Path = Path::Printed("spec");

pub(super) fn create(pod: &Object, is_new: bool, errors: &mut Errors) {
    let spec = pod.at(&["spec"]).unwrap_or(&Value::Null);
    self::spec(spec, &SPEC, errors);
    if is_new && !list(spec, "ephemeralContainers").is_empty() {
        errors.forbidden(&SPEC.field("ephemeralContainers"), "cannot be set on create");
    }
}

/// A template in a workload at `path`.
pub(super) fn template(template: &Value, path: &Path, errors: &mut Errors) {
    if let Some(metadata) = given(template, "metadata") {
        // Upstream leaves `metadata` out of these paths.
        if let Some(labels) = metadata.get("labels").and_then(Value::as_object) {
            labels_at(labels, &path.field("labels"), errors);
        }
        if let Some(annotations) = metadata.get("annotations").and_then(Value::as_object) {
            annotations_at(annotations, &path.field("annotations"), errors);
        }
    }
    spec(&template["spec"], &path.field("spec"), errors);
    if !list(&template["spec"], "ephemeralContainers").is_empty() {
        let at = path.field("spec");
        let text = "ephemeral containers not allowed in pod template";
        errors.forbidden(&at.field("ephemeralContainers"), text);
    }
}

/// Restart policies of pods that a controller keeps running.
pub(super) fn always_restarts(template: &Value, path: &Path, kind: &str, errors: &mut Errors) {
    let spec = path.field("spec");
    let policy = text(&template["spec"], "restartPolicy");
    if policy != "Always" {
        errors.unsupported(&spec.field("restartPolicy"), policy, &["Always"]);
    }
    if given(&template["spec"], "activeDeadlineSeconds").is_some() {
        let text = format!("activeDeadlineSeconds in {kind} is not Supported");
        errors.forbidden(&spec.field("activeDeadlineSeconds"), &text);
    }
}

fn spec(spec: &Value, path: &Path, errors: &mut Errors) {
    let volumes = volumes(spec, &path.field("volumes"), errors);
    containers::regular(spec, &volumes, &path.field("containers"), errors);
    containers::init(spec, &volumes, &path.field("initContainers"), errors);
    if flag(spec, "hostNetwork") {
        containers::ports_on_host(spec, path, errors);
    }
    policies(spec, path, errors);
    if let Some(labels) = given(spec, "nodeSelector").and_then(Value::as_object) {
        labels_at(labels, &path.field("nodeSelector"), errors);
    }
    if let Some(affinity) = given(spec, "affinity") {
        pod_affinity(affinity, &path.field("affinity"), errors);
    }
    spread(spec, &path.field("topologySpreadConstraints"), errors);
    let account = text(spec, "serviceAccountName");
    if !account.is_empty() {
        errors.faults(&path.field("serviceAccountName"), account, names::subdomain_1123(account));
    }
    if let Some(deadline) = int(spec, "activeDeadlineSeconds")
        && !(1..=i64::from(i32::MAX)).contains(&deadline)
    {
        let text = "must be between 1 and 2147483647, inclusive";
        errors.invalid(&path.field("activeDeadlineSeconds"), deadline, text);
    }
    for field in ["hostname", "subdomain"] {
        let name = text(spec, field);
        if !name.is_empty() {
            errors.faults(&path.field(field), name, names::label_1123(name));
        }
    }
    tolerations(spec, &path.field("tolerations"), errors);
    let class = text(spec, "priorityClassName");
    if !class.is_empty() {
        errors.faults(&path.field("priorityClassName"), class, names::subdomain_1123(class));
    }
}

fn policies(spec: &Value, path: &Path, errors: &mut Errors) {
    let restart = text(spec, "restartPolicy");
    if !matches!(restart, "Always" | "OnFailure" | "Never") {
        let supported = ["Always", "OnFailure", "Never"];
        errors.unsupported(&path.field("restartPolicy"), restart, &supported);
    }
    let dns = text(spec, "dnsPolicy");
    if !matches!(dns, "ClusterFirstWithHostNet" | "ClusterFirst" | "Default" | "None") {
        let supported = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
        errors.unsupported(&path.field("dnsPolicy"), dns, &supported);
    }
}

/// The names of volumes that can be mounted.
fn volumes<'a>(spec: &'a Value, path: &Path, errors: &mut Errors) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for (i, volume) in list(spec, "volumes").iter().enumerate() {
        let at = path.index(i);
        let before = errors.count();
        volume_source(volume, &at, errors);
        let name = text(volume, "name");
        if name.is_empty() {
            errors.required(&at.field("name"), "");
        } else {
            errors.faults(&at.field("name"), name, names::label_1123(name));
        }
        if seen.contains(&name) {
            errors.duplicate(&at.field("name"), name);
        }
        if errors.count() == before {
            seen.push(name);
        }
    }
    seen
}

fn volume_source(volume: &Value, path: &Path, errors: &mut Errors) {
    let sources = volume.as_object().into_iter().flatten().filter(|(key, _)| *key != "name");
    for (i, (kind, source)) in sources.enumerate() {
        let at = path.field(kind);
        if i > 0 {
            errors.forbidden(&at, "may not specify more than 1 volume type");
            continue;
        }
        let required = match kind.as_str() {
            "secret" => Some("secretName"),
            "configMap" => Some("name"),
            "persistentVolumeClaim" => Some("claimName"),
            "hostPath" => Some("path"),
            "csi" => Some("driver"),
            _ => None,
        };
        if let Some(field) = required.filter(|field| text(source, field).is_empty()) {
            errors.required(&at.field(field), "");
        }
        if let Some(mode) = int(source, "defaultMode").filter(|m| !(0..=0o777).contains(m)) {
            let text = "must be a number between 0 and 0777 (octal), both inclusive";
            errors.invalid(&at.field("defaultMode"), mode, text);
        }
    }
}

fn pod_affinity(affinity: &Value, path: &Path, errors: &mut Errors) {
    for kind in ["podAffinity", "podAntiAffinity"] {
        let Some(rules) = given(affinity, kind) else { continue };
        let at = path.field(kind);
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        let terms = at.field(required);
        for (i, term) in list(rules, required).iter().enumerate() {
            affinity_term(term, &terms.index(i), errors);
        }
        let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
        let weighted = at.field(preferred);
        for (i, item) in list(rules, preferred).iter().enumerate() {
            let place = weighted.index(i);
            let weight = int(item, "weight").unwrap_or(0);
            if !(1..=100).contains(&weight) {
                errors.invalid(&place.field("weight"), weight, "must be in the range 1-100");
            }
            affinity_term(&item["podAffinityTerm"], &place.field("podAffinityTerm"), errors);
        }
    }
}

fn affinity_term(term: &Value, path: &Path, errors: &mut Errors) {
    if let Some(selector) = given(term, "labelSelector") {
        selectors::selector(selector, &path.field("labelSelector"), errors);
    }
    let key = text(term, "topologyKey");
    if key.is_empty() {
        errors.required(&path.field("topologyKey"), "can not be empty");
    }
    errors.faults(&path.field("topologyKey"), key, names::qualified(key));
}

fn spread(spec: &Value, path: &Path, errors: &mut Errors) {
    for (i, constraint) in list(spec, "topologySpreadConstraints").iter().enumerate() {
        let at = path.index(i);
        let skew = int(constraint, "maxSkew").unwrap_or(0);
        if skew <= 0 {
            errors.invalid(&at.field("maxSkew"), skew, "must be greater than zero");
        }
        if text(constraint, "topologyKey").is_empty() {
            errors.required(&at.field("topologyKey"), "can not be empty");
        }
        let otherwise = text(constraint, "whenUnsatisfiable");
        if !matches!(otherwise, "DoNotSchedule" | "ScheduleAnyway") {
            let supported = ["DoNotSchedule", "ScheduleAnyway"];
            errors.unsupported(&at.field("whenUnsatisfiable"), otherwise, &supported);
        }
    }
}

fn tolerations(spec: &Value, path: &Path, errors: &mut Errors) {
    for (i, toleration) in list(spec, "tolerations").iter().enumerate() {
        let at = path.index(i);
        let (key, operator, effect) =
            (text(toleration, "key"), text(toleration, "operator"), text(toleration, "effect"));
        if !key.is_empty() {
            errors.faults(&at.field("key"), key, names::qualified(key));
        } else if operator != "Exists" {
            let text = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.invalid(&at.field("operator"), operator, text);
        }
        if given(toleration, "tolerationSeconds").is_some() && effect != "NoExecute" {
            let text = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.invalid(&at.field("effect"), effect, text);
        }
        if !matches!(operator, "" | "Equal" | "Exists") {
            errors.unsupported(&at.field("operator"), operator, &["Equal", "Exists"]);
        }
        if !matches!(effect, "" | "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
            let supported = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
            errors.unsupported(&at.field("effect"), effect, &supported);
        }
    }
}

const UPDATABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// What of a pod may change (R-VAL-06). Upstream's message goes on with a printed difference of
/// its Go structs, which is left out here.
pub(super) fn update(live: &Object, pod: &Object, errors: &mut Errors) {
    create(pod, false, errors);
    let empty = Value::Null;
    let (before, now) = (live.at(&["spec"]).unwrap_or(&empty), pod.at(&["spec"]).unwrap_or(&empty));
    for kind in ["containers", "initContainers"] {
        if list(before, kind).len() != list(now, kind).len() {
            let text = "pod updates may not add or remove containers";
            errors.forbidden(&SPEC.field(kind), text);
            return;
        }
    }
    if munged(before, before) != munged(now, before) {
        let text = format!("pod updates may not change fields other than {UPDATABLE}\n");
        errors.forbidden(&SPEC, &text);
    }
}

/// A pod spec with what may change taken from `live`.
fn munged(spec: &Value, live: &Value) -> Value {
    let mut spec = spec.clone();
    for kind in ["containers", "initContainers"] {
        let images = list(live, kind).iter().map(|c| c["image"].clone()).collect::<Vec<_>>();
        let containers = spec.get_mut(kind).and_then(Value::as_array_mut).into_iter().flatten();
        for (container, image) in containers.zip(images) {
            container["image"] = image;
        }
    }
    let Some(fields) = spec.as_object_mut() else { return spec };
    for field in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        match given(live, field) {
            Some(value) => fields.insert(field.to_owned(), value.clone()),
            None => fields.remove(field),
        };
    }
    spec
}
