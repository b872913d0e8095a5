//! The status that a kubelet reports of a pod: phase, conditions, addresses, containers.
//!
//! A pure function of the pod's life and of the status it had. Conditions that are not the
//! kubelet's are left to their owners: what is sent is a difference (`patch`).

use super::life::{Life, Stage};
use super::spec::Role;
use super::view::{Shown, View, views};
use crate::base::Time;
use crate::object::{Map, Object, Value};

/// The phases of a pod (R-CTL-32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Phase::Pending => "Pending",
            Phase::Running => "Running",
            Phase::Succeeded => "Succeeded",
            Phase::Failed => "Failed",
        }
    }
}

/// What the kubelet says of `pod` at `now`: the fields of `status` that are its own.
pub(super) fn status(life: &Life, pod: &Object, now: Time) -> Map {
    let views = views(life, now);
    let phase = phase(life, &views);
    let mut status = Map::new();
    let mut set = |key: &str, value: Value| status.insert(key, value);
    set("phase", phase.name().into());
    if life.expired && phase == Phase::Failed {
        set("reason", "DeadlineExceeded".into());
        set("message", "Pod was active on the node longer than the specified deadline".into());
    }
    set("conditions", conditions(life, &views, phase, pod, now).into());
    set("startTime", life.begun.rfc3339().into());
    set("hostIP", life.host_ip.as_str().into());
    set("hostIPs", addresses(&life.host_ip));
    if life.sandbox || life.ip == life.host_ip {
        set("podIP", life.ip.as_str().into());
        set("podIPs", addresses(&life.ip));
    }
    if pod.generation() > 0 {
        set("observedGeneration", pod.generation().into());
    }
    let (main, init): (Vec<_>, Vec<_>) = views.iter().partition(|v| v.spec.role == Role::Main);
    if !init.is_empty() {
        set("initContainerStatuses", init.into_iter().map(View::to_json).collect());
    }
    let mut main: Vec<_> = main.into_iter().map(|v| (&v.spec.name, v.to_json())).collect();
    main.sort_by_key(|(name, _)| *name);
    set("containerStatuses", main.into_iter().map(|(_, status)| status).collect());
    status
}

fn addresses(ip: &str) -> Value {
    vec![Value::from_iter([("ip", ip)])].into()
}

/// The phase that follows from the containers (R-CTL-32).
pub(super) fn phase(life: &Life, views: &[View<'_>]) -> Phase {
    let running = views.iter().any(View::is_running);
    let phase = if life.expired { Phase::Failed } else { phase_by_containers(life, views) };
    match phase {
        // A terminal phase is not told of while something still runs.
        Phase::Succeeded | Phase::Failed if running => {
            if life.initialized() {
                Phase::Running
            } else {
                Phase::Pending
            }
        }
        // A deleted pod always ends in a terminal phase.
        Phase::Pending | Phase::Running if life.stage == Stage::Over => Phase::Failed,
        phase => phase,
    }
}

fn phase_by_containers(life: &Life, views: &[View<'_>]) -> Phase {
    let is_final = |v: &View<'_>| v.exit().is_some_and(|(code, _)| !v.spec.restart.applies(code));
    let of = |role| views.iter().filter(move |v| v.spec.role == role);
    if of(Role::Init).any(|v| v.exit().is_some_and(|(code, _)| code != 0) && is_final(v)) {
        return Phase::Failed;
    }
    let pending_init = of(Role::Init).any(|v| v.exit().is_none());
    let pending_sidecar =
        of(Role::Sidecar).any(|v| !v.started && v.exit().is_none()) && !life.initialized();
    if pending_init
        || pending_sidecar
        || of(Role::Main).any(|v| !v.is_running() && v.exit().is_none())
    {
        return Phase::Pending;
    }
    if views.iter().any(|v| v.spec.role != Role::Init && v.is_running()) {
        return Phase::Running;
    }
    let all_final = life.stage == Stage::Over || of(Role::Main).all(is_final);
    if !all_final {
        return Phase::Running;
    }
    let succeeded = of(Role::Main).all(|v| v.exit() == Some((0, true)));
    if succeeded { Phase::Succeeded } else { Phase::Failed }
}

/// A condition before its times are known: type, whether it is met, reason, message.
struct Finding {
    kind: &'static str,
    met: bool,
    reason: &'static str,
    message: String,
}

fn found(kind: &'static str, met: bool, reason: &'static str, message: String) -> Finding {
    Finding { kind, met, reason, message }
}

fn conditions(
    life: &Life,
    views: &[View<'_>],
    phase: Phase,
    pod: &Object,
    now: Time,
) -> Vec<Value> {
    let containers_ready = containers_ready(views, phase);
    let ready = ready(&containers_ready, pod);
    let up = life.sandbox && life.stage != Stage::Over;
    let findings = [
        found("PodReadyToStartContainers", up, "", String::new()),
        initialized(life, views, phase),
        ready,
        containers_ready,
        found("PodScheduled", true, "", String::new()),
    ];
    findings.iter().map(|finding| condition(finding, pod, now)).collect()
}

fn containers_ready(views: &[View<'_>], phase: Phase) -> Finding {
    let kind = "ContainersReady";
    match phase {
        Phase::Succeeded => return found(kind, false, "PodCompleted", String::new()),
        // What never ran is given up after the conditions were made.
        Phase::Failed if !views.iter().any(|v| matches!(v.shown, Shown::Lost)) => {
            return found(kind, false, "PodFailed", String::new());
        }
        Phase::Failed | Phase::Pending | Phase::Running => {}
    }
    let unready = views.iter().filter(|v| v.spec.role != Role::Init && !v.ready);
    match names(unready) {
        None => found(kind, true, "", String::new()),
        Some(names) => {
            let message = format!("containers with unready status: {names}");
            found(kind, false, "ContainersNotReady", message)
        }
    }
}

fn ready(containers: &Finding, pod: &Object) -> Finding {
    if !containers.met {
        return Finding { kind: "Ready", message: containers.message.clone(), ..*containers };
    }
    let gates = pod.list(&["spec", "readinessGates"]).iter();
    let gates = gates.filter_map(|gate| gate.get("conditionType").and_then(Value::as_str));
    let unmet: Vec<String> = gates.filter_map(|gate| unmet_gate(gate, pod)).collect();
    if unmet.is_empty() {
        found("Ready", true, "", String::new())
    } else {
        found("Ready", false, "ReadinessGatesNotReady", unmet.join(", "))
    }
}

fn unmet_gate(gate: &str, pod: &Object) -> Option<String> {
    let status = pod.condition(gate).map(|c| c.get("status").and_then(Value::as_str));
    match status {
        None => {
            Some(format!("corresponding condition of pod readiness gate {gate:?} does not exist."))
        }
        Some(Some("True")) => None,
        Some(status) => Some(format!(
            "the status of pod readiness gate {gate:?} is not \"True\", but {}",
            status.unwrap_or_default()
        )),
    }
}

fn initialized(life: &Life, views: &[View<'_>], phase: Phase) -> Finding {
    let kind = "Initialized";
    if phase == Phase::Succeeded {
        return found(kind, true, "PodCompleted", String::new());
    }
    let complete = |v: &View<'_>| match v.spec.role {
        Role::Init => v.ready,
        Role::Sidecar => v.started,
        Role::Main => true,
    };
    match names(views.iter().filter(|v| !complete(v))) {
        Some(names) if !life.initialized() => {
            let message = format!("containers with incomplete status: {names}");
            found(kind, false, "ContainersNotInitialized", message)
        }
        _ => found(kind, true, "", String::new()),
    }
}

/// Names as Go prints a list of them: `[a b]`; `None` for none.
fn names<'a>(views: impl Iterator<Item = &'a View<'a>>) -> Option<String> {
    let names: Vec<&str> = views.map(|v| v.spec.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("[{}]", names.join(" ")))
}

/// The condition as it is reported; its transition time moves only with its status.
fn condition(finding: &Finding, pod: &Object, now: Time) -> Value {
    let status = if finding.met { "True" } else { "False" };
    let before = pod.condition(finding.kind);
    let same = before.filter(|old| old.get("status").and_then(Value::as_str) == Some(status));
    let since = same.and_then(|old| old.get("lastTransitionTime")).filter(|t| t.is_string());
    let since = since.cloned().unwrap_or_else(|| now.rfc3339().into());
    let mut condition = Map::new();
    let mut set = |key: &str, value: Value| condition.insert(key, value);
    set("type", finding.kind.into());
    set("status", status.into());
    set("lastTransitionTime", since);
    if pod.generation() > 0 {
        set("observedGeneration", pod.generation().into());
    }
    if !finding.reason.is_empty() {
        set("reason", finding.reason.into());
    }
    if !finding.message.is_empty() {
        set("message", finding.message.as_str().into());
    }
    condition.into()
}
