//! Pods and pod templates.

use super::errors::{Errors, Path};
use super::meta::{annotations_at, labels_at};
use super::read::{flag, given, int, list, text};
use super::storage::claim_size;
use super::{containers, rules, selectors};
use crate::object::{Object, Value, quantity::Quantity};
use crate::sim::rest::names;

const SPEC: Path = Path::Printed("spec");

pub(super) fn create(pod: &Object, is_new: bool, errors: &mut Errors) {
    let spec = pod.at(&["spec"]).unwrap_or(&Value::Null);
    self::spec(spec, &SPEC, errors);
    if is_new && !list(spec, "ephemeralContainers").is_empty() {
        errors.forbidden(&SPEC.field("ephemeralContainers"), "cannot be set on create");
    }
}

/// What a writer of a pod's status may not say.
pub(super) fn status(pod: &Object, errors: &mut Errors) {
    let root = Path::Printed("status");
    let addresses = root.field("podIPs");
    for (i, address) in pod.list(&["status", "podIPs"]).iter().enumerate() {
        let address = text(address, "ip");
        if address.parse::<std::net::IpAddr>().is_err() {
            let fault = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            errors.invalid(&addresses.index(i), address, fault);
        }
    }
    let claims = root.field("resourceClaimStatuses");
    let known = pod.list(&["spec", "resourceClaims"]);
    for (i, claim) in pod.list(&["status", "resourceClaimStatuses"]).iter().enumerate() {
        let name = text(claim, "name");
        if !known.iter().any(|known| text(known, "name") == name) {
            let fault = "must match the name of an entry in `spec.resourceClaims`";
            errors.invalid(&claims.index(i).field("name"), name, fault);
        }
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
    selectors::tolerations(list(spec, "tolerations"), &path.field("tolerations"), errors);
    rules::check_at("PodSpec", spec, path, errors);
    more(spec, path, errors);
    let class = text(spec, "priorityClassName");
    if !class.is_empty() {
        errors.faults(&path.field("priorityClassName"), class, names::subdomain_1123(class));
    }
}

/// What of a spec has to do with more than one field.
fn more(spec: &Value, path: &Path, errors: &mut Errors) {
    let system = text(&spec["os"], "name");
    if !system.is_empty() && !matches!(system, "linux" | "windows") {
        errors.unsupported(&path.field("os"), system, &["linux", "windows"]);
    }
    let config = path.field("dnsConfig");
    if text(spec, "dnsPolicy") == "None" {
        if given(spec, "dnsConfig").is_none() {
            errors.required(&config, "must provide `dnsConfig` when `dnsPolicy` is None");
        } else if list(&spec["dnsConfig"], "nameservers").is_empty() {
            let text = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            errors.required(&config.field("nameservers"), text);
        }
    }
    let options = config.field("options");
    for (i, option) in list(&spec["dnsConfig"], "options").iter().enumerate() {
        if text(option, "name").is_empty() {
            errors.required(&options.index(i), "must not be empty");
        }
    }
    let gates = path.field("schedulingGates");
    let mut seen: Vec<&str> = Vec::new();
    for (i, gate) in list(spec, "schedulingGates").iter().enumerate() {
        let name = text(gate, "name");
        errors.faults(&gates.index(i), name, names::qualified(name));
        if seen.contains(&name) {
            errors.duplicate(&gates.index(i), name);
        }
        seen.push(name);
    }
    claims(spec, path, errors);
    profiles(&spec["securityContext"], &path.field("securityContext"), errors);
}

/// Claims of resources that containers use are those of the pod.
fn claims(spec: &Value, path: &Path, errors: &mut Errors) {
    let known: Vec<&str> = list(spec, "resourceClaims").iter().map(|c| text(c, "name")).collect();
    let of_pod = path.field("resourceClaims");
    for (i, claim) in list(spec, "resourceClaims").iter().enumerate() {
        let (one, other) = ("resourceClaimName", "resourceClaimTemplateName");
        if given(claim, one).is_none() && given(claim, other).is_none() {
            let shown = format!(
                "{{\"Name\":{},\"ResourceClaimName\":null,\"ResourceClaimTemplateName\":null}}",
                Value::from(text(claim, "name"))
            );
            let fault = format!("must specify one of: `{one}`, `{other}`");
            errors.invalid_as(&of_pod.index(i), &shown, &fault);
        }
    }
    for kind in ["containers", "initContainers"] {
        let root = path.field(kind);
        for (i, container) in list(spec, kind).iter().enumerate() {
            let at = root.index(i);
            let resources = at.field("resources");
            let place = resources.field("claims");
            let mut seen: Vec<&str> = Vec::new();
            for (j, claim) in list(&container["resources"], "claims").iter().enumerate() {
                let name = text(claim, "name");
                let at = place.index(j);
                if name.is_empty() {
                    errors.required(&at, "");
                } else if seen.contains(&name) {
                    errors.duplicate(&at, name);
                } else if !known.contains(&name) {
                    let which = if known.is_empty() {
                        " which is empty".to_owned()
                    } else {
                        format!(": {}", known.join(", "))
                    };
                    let text = format!(
                        "{name:?}: must be one of the names in pod.spec.resourceClaims{which}"
                    );
                    errors.not_found_as(&at, &text);
                }
                seen.push(name);
            }
        }
    }
}

/// Profiles of seccomp and AppArmor that a node has files of.
pub(super) fn profiles(context: &Value, path: &Path, errors: &mut Errors) {
    for (field, what) in [("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")] {
        let Some(profile) = given(context, field) else { continue };
        let at = path.field(field);
        let place = at.field("localhostProfile");
        let name = given(profile, "localhostProfile").and_then(Value::as_str);
        match (text(profile, "type"), name) {
            // Of seccomp an empty path is a path.
            ("Localhost", Some("")) if what == "seccomp" => {}
            ("Localhost", None | Some("")) => {
                let text = format!("must be set when {what} type is Localhost");
                errors.required(&place, &text);
            }
            ("Localhost", _) | (_, None) => {}
            (_, Some(name)) => {
                let text = format!("can only be set when {what} type is Localhost");
                errors.invalid(&place, name, &text);
            }
        }
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
        if text(spec, "serviceAccountName").is_empty() {
            without_account(volume, &at, errors);
        }
        rules::check_at("Volume", volume, &at, errors);
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

fn is_negative(source: &Value) -> bool {
    let size = source["sizeLimit"].as_str().and_then(|size| Quantity::parse(size).ok());
    size.is_some_and(|size| Quantity::parse("0").is_ok_and(|zero| size < zero))
}

/// A token is of an account.
fn without_account(volume: &Value, path: &Path, errors: &mut Errors) {
    let projected = path.field("projected");
    let sources = projected.field("sources");
    for (i, source) in list(&volume["projected"], "sources").iter().enumerate() {
        if given(source, "serviceAccountToken").is_some() {
            let fault = "must not be specified when serviceAccountName is not set";
            errors.forbidden(&sources.index(i).field("serviceAccountToken"), fault);
        }
    }
}

/// Where a volume comes from, in the order in which upstream looks.
const SOURCES: [&str; 30] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flexVolume",
    "configMap",
    "cephfs",
    "downwardAPI",
    "fc",
    "azureFile",
    "flocker",
    "cinder",
    "persistentVolumeClaim",
    "vsphereVolume",
    "rbd",
    "quobyte",
    "azureDisk",
    "storageos",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "projected",
    "csi",
    "ephemeral",
    "image",
];

fn volume_source(volume: &Value, path: &Path, errors: &mut Errors) {
    let sources = volume.as_object().into_iter().flatten().filter(|(key, _)| *key != "name");
    let mut sources: Vec<_> = sources.collect();
    sources.sort_by_key(|(kind, _)| SOURCES.iter().position(|known| *known == kind.as_str()));
    for (i, (kind, source)) in sources.into_iter().enumerate() {
        let at = path.field(kind);
        if i > 0 {
            errors.forbidden(&at, "may not specify more than 1 volume type");
            continue;
        }
        if kind == "emptyDir" && is_negative(source) {
            let fault = "SizeLimit field must be a valid resource quantity";
            errors.forbidden(&at.field("sizeLimit"), fault);
        }
        if kind == "ephemeral" && given(source, "volumeClaimTemplate").is_some() {
            let claim = at.field("volumeClaimTemplate");
            claim_size(&source["volumeClaimTemplate"]["spec"], &claim.field("spec"), errors);
        }
        if kind == "downwardAPI" {
            own_fields(source, &at, errors);
        }
        for source in list(source, "sources").iter().filter(|_| kind == "projected") {
            // Upstream's path leaves out which source it is.
            if let Some(token) = given(source, "serviceAccountToken")
                && text(token, "path").is_empty()
            {
                errors.required(&at.field("path"), "");
            }
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

const OWN_RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// Files that hold fields of the pod. Upstream's paths leave out which item it is.
fn own_fields(source: &Value, path: &Path, errors: &mut Errors) {
    for item in list(source, "items") {
        if text(item, "path").is_empty() {
            errors.required(&path.field("path"), "");
        }
        let (field, resource) = (given(item, "fieldRef"), given(item, "resourceFieldRef"));
        if let Some(field) = field
            && text(field, "fieldPath").is_empty()
        {
            let at = path.field("fieldRef");
            errors.required(&at.field("fieldPath"), "");
        }
        let Some(resource) = resource.filter(|_| field.is_none()) else {
            if field.is_none() {
                errors.required(path, "one of fieldRef and resourceFieldRef is required");
            }
            continue;
        };
        let at = path.field("resourceFieldRef");
        let wanted = text(resource, "resource");
        if text(resource, "containerName").is_empty() {
            errors.required(&at.field("containerName"), "");
        } else if wanted.is_empty() {
            errors.required(&at.field("resource"), "");
        } else if !OWN_RESOURCES.contains(&wanted) && !wanted.contains("hugepages-") {
            errors.unsupported(&at.field("resource"), wanted, &OWN_RESOURCES);
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
    let mut seen: Vec<(&str, &str)> = Vec::new();
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
        if let Some(domains) =
            int(constraint, "minDomains").filter(|_| otherwise != "DoNotSchedule")
        {
            let text = format!(
                "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {otherwise}"
            );
            errors.invalid(&at.field("minDomains"), domains, &text);
        }
        let keys = "matchLabelKeys";
        if !list(constraint, keys).is_empty() && given(constraint, "labelSelector").is_none() {
            let text = "must not be specified when labelSelector is not set";
            errors.forbidden(&at.field(keys), text);
        }
        let key = text(constraint, "topologyKey");
        if !seen.contains(&(key, otherwise)) {
            seen.push((key, otherwise));
            continue;
        }
        let pair = format!("{{{key}, {otherwise}}}");
        errors.duplicate(&at.field("{topologyKey, whenUnsatisfiable}"), pair);
    }
}
