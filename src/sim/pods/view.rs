//! What a pod's containers look like from outside: `containerStatuses`, as values and as JSON.
//!
//! Phase and conditions, which follow from them, are `status`'s.

use super::backoff::go_duration;
use super::container::{Container, Ended, State};
use super::life::{Life, Stage};
use super::refusals::pull_error;
use super::spec::{ContainerSpec, Role};
use crate::base::Time;
use crate::object::{Map, Value, json};

/// The `state` of a container status.
#[derive(Debug)]
pub(super) enum Shown<'a> {
    Waiting {
        reason: String,
        message: String,
    },
    Running {
        since: Time,
    },
    Terminated(&'a Ended),
    /// It never ran and never will: the pod was deleted.
    Lost,
}

/// One container as its status shows it.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) spec: &'a ContainerSpec,
    pub(super) shown: Shown<'a>,
    pub(super) last: Option<&'a Ended>,
    pub(super) started: bool,
    pub(super) ready: bool,
    restarts: u32,
    /// The image of the present or last run, and the container's id; `None` before the first.
    run: Option<(&'a str, &'a str)>,
}

/// All containers of a pod, in the order of its spec, init containers first.
pub(super) fn views(life: &Life, now: Time) -> Vec<View<'_>> {
    let has_init = life.containers.iter().any(|c| c.spec.role != Role::Main);
    let idle = if has_init { "PodInitializing" } else { "ContainerCreating" };
    let deleted = life.stage == Stage::Over && life.deleted;
    let lost = |c: &Container| {
        let was_due = c.spec.role == Role::Main && (!has_init || life.initialized());
        deleted && was_due && c.ended.is_none()
    };
    life.containers.iter().map(|c| view(life, c, now, idle, lost(c))).collect()
}

fn view<'a>(life: &'a Life, c: &'a Container, now: Time, idle: &str, lost: bool) -> View<'a> {
    // While a pod is stopped nobody looks at its containers: those that ended first are told of
    // with the last.
    let is_stopped = matches!(life.stage, Stage::Deleted { .. } | Stage::Ended { .. });
    let before = c.stopped.filter(|_| is_stopped && c.run().is_none());
    let stands = before.or_else(|| c.run().map(|run| (run.started, run.ready)));
    let (started, ready) = stands.unwrap_or_default();
    let shown = match (&c.ended, before) {
        (Some(ended), Some(_)) => Shown::Running { since: ended.begun },
        _ if lost => Shown::Lost,
        _ => shown(life, c, now, idle),
    };
    let waits = matches!(shown, Shown::Waiting { .. });
    let done = c.spec.role == Role::Init && c.succeeded();
    View {
        spec: &c.spec,
        last: if waits { c.ended.as_ref().or(c.last.as_ref()) } else { c.last.as_ref() },
        started,
        ready: (ready && c.spec.role != Role::Init) || done,
        restarts: c.restarts,
        run: match (c.run(), &c.ended) {
            (Some(run), _) => Some((&run.image, &run.id)),
            (None, Some(ended)) => Some((&c.spec.image, &ended.id)),
            (None, None) => None,
        },
        shown,
    }
}

fn shown<'a>(life: &Life, c: &'a Container, now: Time, idle: &str) -> Shown<'a> {
    let wait = |reason: &str, message| Shown::Waiting { reason: reason.to_owned(), message };
    match &c.state {
        State::Running(run) => return Shown::Running { since: run.begun },
        State::Refused(reason, message) => return wait(reason, message.clone()),
        State::Misconfigured { message, .. } => {
            return wait("CreateContainerConfigError", message.clone());
        }
        State::PullFailed { .. } => {
            let image = &c.spec.image;
            let error = pull_error(image);
            return if c.shows_pull_backoff(now) {
                let text = format!("Back-off pulling image {image:?}: ErrImagePull: {error}");
                wait("ImagePullBackOff", text)
            } else {
                wait("ErrImagePull", error)
            };
        }
        _ => {}
    }
    match &c.ended {
        Some(_) if !life.deleted && !c.is_done() && c.hook_error.is_some() => {
            let message = c.hook_error.clone().unwrap_or_default();
            wait("PostStartHookError", message)
        }
        // Nothing of a pod that is being deleted will be started again.
        Some(_) if c.backing_off && !life.deleted => {
            let (pause, name) = (go_duration(c.pause), &c.spec.name);
            let pod = &life.full_name;
            let text = format!("back-off {pause} restarting failed container={name} pod={pod}");
            wait("CrashLoopBackOff", text)
        }
        Some(ended) => Shown::Terminated(ended),
        None => wait(idle, String::new()),
    }
}

impl View<'_> {
    /// The exit code that counts for the phase, of a run that is over: (code, whether it is
    /// terminated rather than waiting to be started again).
    pub(super) fn exit(&self) -> Option<(i32, bool)> {
        match (&self.shown, self.last) {
            (Shown::Terminated(ended), _) => Some((ended.exit_code, true)),
            (Shown::Lost, _) => Some((137, true)),
            (Shown::Waiting { .. }, Some(last)) => Some((last.exit_code, false)),
            _ => None,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.shown, Shown::Running { .. })
    }

    /// As `containerStatuses` carries it.
    pub(super) fn to_json(&self) -> Value {
        let image = self.run.map_or(self.spec.image.as_str(), |(image, _)| image);
        let last = self.last.map(|last| ("terminated", terminated(last)));
        let mut status = Map::new();
        let mut set = |key: &str, value: Value| status.insert(key, value);
        set("name", self.spec.name.as_str().into());
        set("image", image.into());
        set("imageID", self.run.map_or_else(String::new, |(image, _)| image_id(image)).into());
        set("ready", self.ready.into());
        set("started", self.started.into());
        set("restartCount", self.restarts.into());
        set("state", self.state());
        set("lastState", Value::from_iter(last));
        if let Some((_, id)) = self.run {
            set("containerID", id.into());
        }
        status.into()
    }

    fn state(&self) -> Value {
        match &self.shown {
            Shown::Waiting { reason, message } if message.is_empty() => {
                json!({"waiting": {"reason": reason}})
            }
            Shown::Waiting { reason, message } => {
                json!({"waiting": {"reason": reason, "message": message}})
            }
            Shown::Running { since } => json!({"running": {"startedAt": since.rfc3339()}}),
            Shown::Terminated(ended) => Value::from_iter([("terminated", terminated(ended))]),
            Shown::Lost => json!({"terminated": {
                "exitCode": 137,
                "reason": "ContainerStatusUnknown",
                "message": "The container could not be located when the pod was terminated",
                "startedAt": null,
                "finishedAt": null,
            }}),
        }
    }
}

fn terminated(ended: &Ended) -> Value {
    json!({
        "exitCode": ended.exit_code,
        "reason": ended.reason,
        "startedAt": ended.begun.rfc3339(),
        "finishedAt": ended.finished.rfc3339(),
        "containerID": ended.id,
    })
}

/// A digest that depends on the image's name alone, in the form that containerd gives.
fn image_id(image: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut hex = String::with_capacity(64);
    for round in 0..4_u8 {
        for byte in image.bytes().chain([round]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hex.push_str(&format!("{hash:016x}"));
    }
    format!("{}@sha256:{hex}", super::behaviour::untagged(image))
}
