//! Pods: what phase, conditions and containers together come to in a word (R-HTTP-19).

use super::age;
use super::row::{Row, text_of};
use crate::object::{Value, json};

/// The cells of a pod.
pub(super) fn cells(row: &Row) -> Vec<Value> {
    let mut tally = Tally::new(row);
    let initializing = tally.init_containers(row);
    if !initializing || row.is_true("Initialized") {
        tally.containers(row);
    }
    let terminal = matches!(row.str("status.phase"), "Succeeded" | "Failed");
    if row.object.is_deleting() {
        if row.str("status.reason") == "NodeLost" {
            tally.reason = "Unknown".to_owned();
        } else if !terminal {
            tally.reason = "Terminating".to_owned();
        }
    }
    let ready = format!("{}/{}", tally.ready, tally.total);
    let restarts = tally.restarts.text(row);
    let mut cells = vec![row.name(), ready.into(), tally.reason.into(), restarts.into(), row.age()];
    let address = row.list("status.podIPs").first().map_or("", |ip| text_of(ip, "ip"));
    cells.push(if address.is_empty() { "<none>" } else { address }.into());
    cells.push(row.filled_or("spec.nodeName", "<none>"));
    cells.push(row.filled_or("status.nominatedNodeName", "<none>"));
    cells.push(readiness_gates(row));
    cells
}

/// The conditions of a pod's row: whether it is over.
pub(super) fn conditions(row: &Row) -> Option<Value> {
    if row.object.kind() != "Pod" || row.object.api_version() != "v1" {
        return None;
    }
    let (reason, message) = match row.str("status.phase") {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(json!([{ "type": "Completed", "status": "True", "reason": reason, "message": message }]))
}

/// Restarts, and the last end of a container that was restarted.
#[derive(Clone, Copy, Default)]
struct Restarts<'a> {
    count: i64,
    last: Option<&'a str>,
}

impl<'a> Restarts<'a> {
    fn add(&mut self, status: &'a Value) {
        self.count += status["restartCount"].as_i64().unwrap_or(0);
        let ended = status["lastState"]["terminated"]["finishedAt"].as_str();
        // Timestamps of one form compare as texts.
        self.last = self.last.max(ended);
    }

    fn text(&self, row: &Row) -> String {
        match (self.count, self.last) {
            (0, _) | (_, None) => self.count.to_string(),
            (count, last) => format!("{count} ({} ago)", age::since(row.now, last)),
        }
    }
}

/// What is counted over the containers, and the word for it all.
struct Tally<'a> {
    ready: usize,
    total: usize,
    restarts: Restarts<'a>,
    /// Of init containers that run as long as the pod.
    sidecar_restarts: Restarts<'a>,
    reason: String,
}

impl<'a> Tally<'a> {
    fn new(row: &Row<'a>) -> Self {
        let gated = row.list("status.conditions").iter().any(|condition| {
            condition["type"] == "PodScheduled" && condition["reason"] == "SchedulingGated"
        });
        let reason = match row.str("status.reason") {
            _ if gated => "SchedulingGated",
            "" => row.str("status.phase"),
            reason => reason,
        };
        let sidecars = row.list("spec.initContainers").iter().filter(|c| is_sidecar(c)).count();
        Self {
            ready: 0,
            total: row.list("spec.containers").len() + sidecars,
            restarts: Restarts::default(),
            sidecar_restarts: Restarts::default(),
            reason: reason.to_owned(),
        }
    }

    /// Goes through the init containers up to the first that is not done; whether there is one.
    fn init_containers(&mut self, row: &Row<'a>) -> bool {
        let specs = row.list("spec.initContainers");
        for (i, status) in row.list("status.initContainerStatuses").iter().enumerate() {
            self.restarts.add(status);
            let sidecar = specs.iter().any(|c| c["name"] == status["name"] && is_sidecar(c));
            if sidecar {
                self.sidecar_restarts.add(status);
            }
            let terminated = &status["state"]["terminated"];
            if terminated.is_object() && exit_code(terminated) == 0 {
                continue;
            }
            if sidecar && status["started"] == true {
                self.ready += usize::from(status["ready"] == true);
                continue;
            }
            let waiting = text_of(&status["state"]["waiting"], "reason");
            self.reason = if terminated.is_object() {
                format!("Init:{}", end_of(terminated))
            } else if !matches!(waiting, "" | "PodInitializing") {
                format!("Init:{waiting}")
            } else {
                format!("Init:{i}/{}", specs.len())
            };
            return true;
        }
        false
    }

    /// Goes through the containers from the last to the first, whose word counts most.
    fn containers(&mut self, row: &Row<'a>) {
        self.restarts = self.sidecar_restarts;
        let (mut running, mut failure) = (false, None);
        for status in row.list("status.containerStatuses").iter().rev() {
            self.restarts.add(status);
            let state = &status["state"];
            let waiting = text_of(&state["waiting"], "reason");
            if !waiting.is_empty() {
                waiting.clone_into(&mut self.reason);
            } else if state["terminated"].is_object() {
                self.reason = end_of(&state["terminated"]);
                if exit_code(&state["terminated"]) != 0 {
                    failure = Some(self.reason.clone());
                }
            } else if status["ready"] == true && state["running"].is_object() {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" {
            let is_ready = row
                .list("status.conditions")
                .iter()
                .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
            match failure {
                _ if running && is_ready => self.reason = "Running".to_owned(),
                Some(failure) => self.reason = failure,
                None if running => self.reason = "NotReady".to_owned(),
                None => {}
            }
        }
    }
}

fn is_sidecar(container: &Value) -> bool {
    container["restartPolicy"] == "Always"
}

fn exit_code(terminated: &Value) -> i64 {
    terminated["exitCode"].as_i64().unwrap_or(0)
}

/// How a container ended.
fn end_of(terminated: &Value) -> String {
    let signal = terminated["signal"].as_i64().unwrap_or(0);
    match text_of(terminated, "reason") {
        "" if signal != 0 => format!("Signal:{signal}"),
        "" => format!("ExitCode:{}", exit_code(terminated)),
        reason => reason.to_owned(),
    }
}

fn readiness_gates(row: &Row) -> Value {
    let gates = row.list("spec.readinessGates");
    if gates.is_empty() {
        return "<none>".into();
    }
    let met = gates.iter().filter(|gate| row.is_true(text_of(gate, "conditionType"))).count();
    format!("{met}/{}", gates.len()).into()
}
