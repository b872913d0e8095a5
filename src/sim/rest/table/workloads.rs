//! What makes pods: Deployments, sets of pods, Jobs; and the budgets for taking pods away.

use super::age;
use super::cells::Cells;
use super::row::{Row, selector};
use crate::object::Value;

/// The kinds of group `apps`.
pub(super) fn of(kind: &str) -> Option<Cells> {
    Some(match kind {
        "Deployment" => deployment,
        "ReplicaSet" => replica_set,
        "StatefulSet" => stateful_set,
        "DaemonSet" => daemon_set,
        "ControllerRevision" => controller_revision,
        _ => return None,
    })
}

const POD_SPEC: &str = "spec.template.spec";

/// Something with a pod template: its own cells, then containers, images and what else is wide.
fn with_containers<const N: usize>(row: &Row, own: [Value; N], pod_spec: &str) -> Vec<Value> {
    own.into_iter().chain(row.containers(pod_spec)).collect()
}

fn deployment(row: &Row) -> Vec<Value> {
    let ready = format!("{}/{}", row.int("status.readyReplicas"), row.int("spec.replicas"));
    let updated = row.number("status.updatedReplicas");
    let available = row.number("status.availableReplicas");
    let own = [row.name(), ready.into(), updated, available, row.age()];
    let mut cells = with_containers(row, own, POD_SPEC);
    let selected = selector(row.at("spec.selector"));
    cells.push(selected.unwrap_or_else(|| "<invalid>".to_owned()).into());
    cells
}

/// Desired, current and ready replicas.
fn replicas(row: &Row) -> Vec<Value> {
    let counts = ["spec.replicas", "status.replicas", "status.readyReplicas"];
    let [desired, current, ready] = counts.map(|path| row.number(path));
    with_containers(row, [row.name(), desired, current, ready, row.age()], POD_SPEC)
}

fn replica_set(row: &Row) -> Vec<Value> {
    let mut cells = replicas(row);
    cells.push(row.selector("spec.selector"));
    cells
}

/// A ReplicationController, whose selector is a map of labels.
pub(super) fn replication_controller(row: &Row) -> Vec<Value> {
    let mut cells = replicas(row);
    cells.push(row.labels("spec.selector"));
    cells
}

fn stateful_set(row: &Row) -> Vec<Value> {
    let ready = format!("{}/{}", row.int("status.readyReplicas"), row.int("spec.replicas"));
    with_containers(row, [row.name(), ready.into(), row.age()], POD_SPEC)
}

fn daemon_set(row: &Row) -> Vec<Value> {
    let [desired, current, ready, updated, available] = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ]
    .map(|count| row.number(&format!("status.{count}")));
    let nodes = row.labels("spec.template.spec.nodeSelector");
    let own = [row.name(), desired, current, ready, updated, available, nodes, row.age()];
    let mut cells = with_containers(row, own, POD_SPEC);
    cells.push(row.selector("spec.selector"));
    cells
}

fn controller_revision(row: &Row) -> Vec<Value> {
    let controller = row.object.controller().map_or_else(
        || "<none>".to_owned(),
        |owner| {
            let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
            let dot = if group.is_empty() { "" } else { "." };
            format!("{}{dot}{group}/{}", owner.kind, owner.name)
        },
    );
    // Kind and group are written small, the name as it is: names have no capitals.
    vec![row.name(), controller.to_lowercase().into(), row.number("revision"), row.age()]
}

/// A PodTemplate.
pub(super) fn pod_template(row: &Row) -> Vec<Value> {
    let mut cells = with_containers(row, [row.name()], "template.spec");
    cells.push(row.labels("template.metadata.labels"));
    cells
}

/// A Job.
pub(super) fn job(row: &Row) -> Vec<Value> {
    let succeeded = row.int("status.succeeded");
    let completions = match (row.at("spec.completions"), row.int("spec.parallelism")) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, parallel) if parallel > 1 => format!("{succeeded}/1 of {parallel}"),
        (None, _) => format!("{succeeded}/1"),
    };
    let time = |path: &str| row.at(path).and_then(Value::as_str);
    let took = match (time("status.startTime"), time("status.completionTime")) {
        (None, _) => String::new(),
        (started, None) => age::since(row.now, started),
        (started, ended) => age::between(started, ended),
    };
    let own = [row.name(), job_status(row).into(), completions.into(), took.into(), row.age()];
    let mut cells = with_containers(row, own, POD_SPEC);
    cells.push(row.selector("spec.selector"));
    cells
}

fn job_status(row: &Row) -> &'static str {
    match () {
        () if row.is_true("Complete") => "Complete",
        () if row.is_true("Failed") => "Failed",
        () if row.object.is_deleting() => "Terminating",
        () if row.is_true("Suspended") => "Suspended",
        () if row.is_true("FailureTarget") => "FailureTarget",
        () if row.is_true("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

/// A CronJob.
pub(super) fn cron_job(row: &Row) -> Vec<Value> {
    let suspended = match row.at("spec.suspend").and_then(Value::as_bool) {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    let last = match row.at("status.lastScheduleTime") {
        Some(_) => row.since("status.lastScheduleTime"),
        None => "<none>".to_owned(),
    };
    let zone = row.text_or("spec.timeZone", "<none>");
    let schedule = row.text("spec.schedule");
    let active = row.count("status.active");
    let own = [row.name(), schedule, zone, suspended.into(), active, last.into(), row.age()];
    let mut cells = with_containers(row, own, "spec.jobTemplate.spec.template.spec");
    cells.push(row.selector("spec.jobTemplate.spec.selector"));
    cells
}

/// A PodDisruptionBudget.
pub(super) fn disruption_budget(row: &Row) -> Vec<Value> {
    let least = row.printed_or("spec.minAvailable", "N/A");
    let most = row.printed_or("spec.maxUnavailable", "N/A");
    vec![row.name(), least, most, row.number("status.disruptionsAllowed"), row.age()]
}
