//! PodSecurity: what the labels of a namespace allow of its pods. `enforce` refuses pods, `warn`
//! tells their makers; `audit` goes to a log that is not kept here.

mod baseline;
mod restricted;
mod spec;

use super::{objects_in, resource};
use crate::api::{Cause, Status};
use crate::object::{Object, Value};
use crate::sim::rest::Server;
use crate::sim::rest::call::Call;
use crate::sim::store::Key;
use spec::{Fault, Pod};

const PREFIX: &str = "pod-security.kubernetes.io/";
/// The version of the checks that this server knows, the second number of `v1.36`.
const NEWEST: u32 = 36;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Privileged,
    Baseline,
    Restricted,
}

/// A level at a version of its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Policy {
    level: Level,
    /// `None` is `latest`.
    minor: Option<u32>,
}

impl Policy {
    const NONE: Self = Self { level: Level::Privileged, minor: None };

    /// `restricted:latest`.
    fn shown(self) -> String {
        let level = match self.level {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        };
        match self.minor {
            None => format!("{level}:latest"),
            Some(minor) => format!("{level}:v1.{minor}"),
        }
    }

    /// What of a pod the policy does not allow, in the order of upstream's checks.
    fn faults(self, pod: &Pod) -> Vec<Fault> {
        let version = self.minor.unwrap_or(NEWEST).min(NEWEST);
        match self.level {
            Level::Privileged => Vec::new(),
            Level::Baseline => baseline::faults(pod, version, false),
            Level::Restricted => {
                let mut faults = baseline::faults(pod, version, true);
                faults.extend(restricted::faults(pod, version));
                faults
            }
        }
    }
}

/// What the labels of a namespace ask for.
struct Wanted {
    enforce: Policy,
    warn: Policy,
    causes: Vec<Cause>,
}

fn level(text: &str) -> Option<Level> {
    match text {
        "privileged" => Some(Level::Privileged),
        "baseline" => Some(Level::Baseline),
        "restricted" => Some(Level::Restricted),
        _ => None,
    }
}

fn version(text: &str) -> Option<Option<u32>> {
    if text == "latest" {
        return Some(None);
    }
    let minor = text.strip_prefix("v1.")?;
    let is_number = minor == "0" || !minor.starts_with(['0', '+']);
    is_number.then(|| minor.parse().ok().map(Some)).flatten()
}

fn wanted(namespace: &Object) -> Wanted {
    let label = |mode: &str| namespace.label(&format!("{PREFIX}{mode}"));
    let mut causes = Vec::new();
    let mut read = |mode: &str, if_wrong: Level| {
        let mut policy = Policy::NONE;
        let mut fault = |key: String, value: &str, detail: &str| {
            causes.push(Cause {
                reason: "FieldValueInvalid".to_owned(),
                message: format!("Invalid value: {value:?}: {detail}"),
                field: format!("metadata.labels[{key}]"),
            });
        };
        if let Some(text) = label(mode) {
            policy.level = level(text).unwrap_or_else(|| {
                let detail = "must be one of privileged, baseline, restricted";
                fault(format!("{PREFIX}{mode}"), text, detail);
                if_wrong
            });
        }
        let key = format!("{mode}-version");
        if let Some(text) = label(&key) {
            policy.minor = version(text).unwrap_or_else(|| {
                fault(format!("{PREFIX}{key}"), text, "must be \"latest\" or \"v1.x\"");
                None
            });
        }
        policy
    };
    let enforce = read("enforce", Level::Restricted);
    read("audit", Level::Privileged);
    let mut warn = read("warn", Level::Privileged);
    let says = label("enforce").and_then(level).is_some();
    if label("warn").is_none() && says && enforce.level > warn.level {
        warn.level = enforce.level;
        if label("warn-version").is_none() {
            warn.minor = enforce.minor;
        }
    }
    Wanted { enforce, warn, causes }
}

/// Where the pod of a kind is, if it has one.
fn template_of(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "Pod" => Some(&[]),
        "Deployment"
        | "ReplicaSet"
        | "StatefulSet"
        | "DaemonSet"
        | "Job"
        | "ReplicationController" => Some(&["spec", "template"]),
        "PodTemplate" => Some(&["template"]),
        "CronJob" => Some(&["spec", "jobTemplate", "spec", "template"]),
        _ => None,
    }
}

/// Holds a write against the labels of its namespace.
pub(super) fn check(
    server: &Server,
    call: &mut Call,
    live: Option<&Object>,
    object: &Object,
) -> Result<(), Status> {
    if call.kind.kind == "Namespace" && call.is_whole() {
        return labels(server, call, live, object);
    }
    let Some(path) = template_of(call.kind.kind) else { return Ok(()) };
    let is_pod = call.kind.kind == "Pod";
    let is_spec = is_pod && matches!(call.subresource, "ephemeralcontainers" | "resize");
    if !call.is_whole() && !is_spec {
        return Ok(());
    }
    let namespace = server.store.get(&resource("", "namespaces"), &Key::new("", call.namespace));
    let Some(namespace) = namespace else { return Ok(()) };
    let has_labels = |labels: &crate::object::Map| labels.keys().any(|key| key.starts_with(PREFIX));
    if !namespace.labels().is_some_and(has_labels) {
        return Ok(());
    }
    let wanted = wanted(namespace);
    if is_pod && live.is_some_and(|live| !is_significant(live, object)) {
        return Ok(());
    }
    let whole = Value::Object(object.0.clone());
    let pod = path.iter().fold(&whole, |value, key| &value[*key]);
    let pod = Pod(pod);
    if is_pod {
        let faults = wanted.enforce.faults(&pod);
        if !faults.is_empty() {
            let why =
                format!("violates PodSecurity {:?}: {}", wanted.enforce.shown(), told(&faults));
            return Err(call.forbidden(object.name(), &why));
        }
    }
    let faults = wanted.warn.faults(&pod);
    if !faults.is_empty() {
        let text =
            format!("would violate PodSecurity {:?}: {}", wanted.warn.shown(), told(&faults));
        call.warnings.push(text);
    }
    Ok(())
}

fn told(faults: &[Fault]) -> String {
    let parts: Vec<String> =
        faults.iter().map(|f| format!("{} ({})", f.reason, f.detail)).collect();
    parts.join(", ")
}

/// Whether a pod changed in a way that a policy is about: images, and containers that came.
fn is_significant(live: &Object, pod: &Object) -> bool {
    ["containers", "initContainers", "ephemeralContainers"].into_iter().any(|field| {
        let images = |object: &Object| -> Vec<Value> {
            object.list(&["spec", field]).iter().map(|c| c["image"].clone()).collect()
        };
        images(live) != images(pod)
    })
}

/// The labels themselves: they must be readable, and those who tighten them are told which pods
/// would no longer be let in.
fn labels(
    server: &Server,
    call: &mut Call,
    live: Option<&Object>,
    namespace: &Object,
) -> Result<(), Status> {
    let new = wanted(namespace);
    let old = live.map(wanted);
    let known = old.as_ref().is_some_and(|old| old.causes == new.causes);
    if !new.causes.is_empty() && !known {
        return Err(call.invalid(namespace.name(), &new.causes));
    }
    let Some(old) = old else { return Ok(()) };
    let relaxed = old.enforce.minor == new.enforce.minor && new.enforce.level <= old.enforce.level;
    if new.enforce == old.enforce || new.enforce.level == Level::Privileged || relaxed {
        return Ok(());
    }
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for pod in objects_in(server, "", "pods", namespace.name()) {
        let whole = Value::Object(pod.0.clone());
        let faults = new.enforce.faults(&Pod(&whole));
        if faults.is_empty() {
            continue;
        }
        let reasons: Vec<&str> = faults.iter().map(|fault| fault.reason).collect();
        let reasons = reasons.join(", ");
        match found.iter_mut().find(|(known, _)| *known == reasons) {
            Some((_, names)) => names.push(pod.name().to_owned()),
            None => found.push((reasons, vec![pod.name().to_owned()])),
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    call.warnings.push(format!(
        "existing pods in namespace {:?} violate the new PodSecurity enforce level {:?}",
        namespace.name(),
        new.enforce.shown()
    ));
    let mut lines: Vec<String> = found
        .iter()
        .map(|(reasons, names)| match names.len() {
            1 => format!("{}: {reasons}", names[0]),
            2 => format!("{} (and 1 other pod): {reasons}", names[0]),
            n => format!("{} (and {} other pods): {reasons}", names[0], n - 1),
        })
        .collect();
    lines.sort();
    call.warnings.extend(lines);
    Ok(())
}
