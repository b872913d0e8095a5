//! Lifecycle hooks of a container: what runs right after its start and before its end (R-CTL-31,
//! R-CTL-37).
//!
//! A kubelet does nothing else for the pod while a postStart hook runs: the container is not told
//! of as running, no probe looks at it, and the containers behind it wait. One whose hook fails is
//! stopped, preStop hook and grace included, and ends like any other container that ended. A
//! preStop hook takes its time from the grace; where it fails, that is told of, and the container
//! is stopped all the same. (kubernetes/kubernetes: pkg/kubelet/kuberuntime/
//! kuberuntime_container.go `startContainer`, `executePreStopHook`, `killContainer`;
//! pkg/kubelet/lifecycle/handlers.go `Run`.)
//!
//! Not here: how a hook is scripted (`behaviour`, `usual`).

use std::time::Duration;

use super::behaviour::Hook;
use super::container::{Container, State};
use super::ground::Ground;
use super::run::{Outcome, Run};
use super::spec::{seconds, sleep};
use super::usual::Moment;
use crate::base::Time;
use crate::object::Value;

/// What a hook does, as far as it concerns others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HookSpec {
    /// It sleeps.
    Sleep(Duration),
    /// It runs a command, with what that sleeps; `Duration::MAX` where it has no end.
    Exec { command: Vec<String>, sleeps: Duration },
    /// It sends a request to this path.
    Http(String),
    /// `tcpSocket` and whatever else a kubelet does not run as a hook: it fails.
    Unknown,
}

/// A hook that runs, or ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hooking {
    /// When it is over; `None` for never.
    over: Option<Time>,
    /// Whether it then fails, and nobody was told yet.
    fails: bool,
}

impl HookSpec {
    /// The hook of that name (`postStart`, `preStop`), if a container has one.
    pub(super) fn read(container: &Value, name: &str) -> Option<Self> {
        let hook = container.get("lifecycle")?.get(name)?;
        hook.as_object()?;
        if let Some(exec) = hook.get("exec") {
            let words = exec.get("command").and_then(Value::as_array).into_iter().flatten();
            let command = words.filter_map(Value::as_str).map(ToOwned::to_owned).collect();
            return Some(Self::Exec { command, sleeps: sleep(exec).unwrap_or_default() });
        }
        if let Some(get) = hook.get("httpGet") {
            let path = get.get("path").and_then(Value::as_str).unwrap_or("/");
            return Some(Self::Http(path.to_owned()));
        }
        let nap = hook.get("sleep").and_then(|nap| nap.get("seconds")?.as_i64());
        Some(nap.map_or(Self::Unknown, |nap| Self::Sleep(seconds(nap))))
    }

    fn begin(&self, scripted: Option<Hook>, now: Time, ground: &mut Ground<'_>) -> Hooking {
        let usual = match self {
            Self::Unknown => Hook::Fails(Duration::ZERO),
            Self::Sleep(nap) => Hook::Takes(*nap),
            Self::Exec { sleeps: Duration::MAX, .. } => Hook::Never,
            Self::Exec { sleeps, .. } => {
                Hook::Takes(ground.usual.exec.draw(ground.rng).saturating_add(*sleeps))
            }
            Self::Http(_) => Hook::Takes(ground.usual.http.draw(ground.rng)),
        };
        match scripted.filter(|_| *self != Self::Unknown).unwrap_or(usual) {
            Hook::Takes(time) => Hooking { over: Some(now + time), fails: false },
            Hook::Fails(time) => Hooking { over: Some(now + time), fails: true },
            Hook::Never => Hooking { over: None, fails: false },
        }
    }

    /// What a failure of it reads like in the status of the container.
    fn error(&self, container: &str, pod: &str) -> String {
        match self {
            Self::Exec { command, .. } => {
                let command = command.join(" ");
                format!(
                    "Exec lifecycle hook ([{command}]) for Container {container:?} in Pod {pod:?} \
                     failed - error: command '{command}' exited with 1: , message: \"\""
                )
            }
            Self::Http(path) => format!(
                "HTTP lifecycle hook ({path}) for Container {container:?} in Pod {pod:?} failed - \
                 error: connection refused"
            ),
            Self::Sleep(nap) => {
                let nap = nap.as_secs();
                format!(
                    "Sleep lifecycle hook ({nap}) for Container {container:?} in Pod {pod:?} \
                     failed - error: container terminated before sleep hook finished"
                )
            }
            Self::Unknown => "Cannot run handler: invalid handler".to_owned(),
        }
    }
}

impl Hooking {
    /// When something is due of a container whose postStart hook this is.
    pub(super) fn next(self, run: &Run) -> Option<Time> {
        if run.is_stopping() { run.next() } else { self.over }
    }

    /// When it is over, if not before that time, then at that time.
    pub(super) fn until(self, latest: Time) -> Time {
        self.over.map_or(latest, |over| over.min(latest))
    }

    /// When it fails, where that is still to be told.
    pub(super) fn failure(self) -> Option<Time> {
        self.over.filter(|_| self.fails)
    }
}

impl Container {
    /// Begins the postStart hook of a container that was started just now, if it has one.
    pub(super) fn begin_post_start(
        &mut self,
        now: Time,
        ground: &mut Ground<'_>,
    ) -> Option<Hooking> {
        let spec = self.spec.post_start.clone()?;
        let scripted = ground.scripted(&self.spec, &[Moment::PostStart]).post_start;
        Some(spec.begin(scripted, now, ground))
    }

    /// Does what is due of a container whose postStart hook runs, or failed; whether anything
    /// visible changed.
    pub(super) fn step_hooked(&mut self, now: Time, ground: &mut Ground<'_>) -> bool {
        self.tell_of_pre_stop(now, ground);
        let State::Hooked(run, hook) = &mut self.state else { return false };
        if run.is_stopping() {
            let Outcome::Ended(code) = run.step(&self.spec, now, &mut Vec::new()) else {
                return false;
            };
            self.ended_hooked(code, now, ground);
            return true;
        }
        if hook.over.is_none_or(|over| over > now) {
            return false;
        }
        if hook.fails {
            self.fail_post_start(now, ground);
        } else {
            self.unhook(now);
        }
        true
    }

    /// The hook is over: what ran in secret is there for all to see, probes begin.
    pub(super) fn unhook(&mut self, now: Time) {
        if let Some(mut run) = self.take_hooked() {
            run.begin_probes(&self.spec, now);
            self.show(run);
        }
    }

    /// The run whose hook is under way; the container is then for somebody to set.
    fn take_hooked(&mut self) -> Option<Box<Run>> {
        match std::mem::replace(&mut self.state, State::Waiting) {
            State::Hooked(run, _) => Some(run),
            other => {
                self.state = other;
                None
            }
        }
    }

    fn fail_post_start(&mut self, now: Time, ground: &mut Ground<'_>) {
        self.note(ground, true, "FailedPostStartHook", "PostStartHook failed".to_owned());
        self.stop(now, now + ground.grace, Some("FailedPostStartHook".to_owned()), ground);
    }

    fn ended_hooked(&mut self, code: i32, now: Time, ground: &Ground<'_>) {
        if let Some(run) = self.take_hooked() {
            self.show(run);
            self.end(code, now);
            let spec = self.spec.post_start.as_ref();
            self.hook_error = spec.map(|spec| spec.error(&self.spec.name, ground.pod));
        }
    }

    /// Its pod ends: a postStart hook that still runs is broken off, which a hook takes for a
    /// failure, unless it is a request.
    pub(super) fn break_off(&mut self, ground: &mut Ground<'_>) {
        let State::Hooked(run, _) = &self.state else { return };
        let is_request = matches!(self.spec.post_start, Some(HookSpec::Http(_)));
        if !run.is_stopping() && !is_request {
            self.note(ground, true, "FailedPostStartHook", "PostStartHook failed".to_owned());
        }
        if let Some(run) = self.take_hooked() {
            self.show(run);
        }
    }

    /// Begins the preStop hook of a container that is to stop, which takes its time from the grace
    /// (R-CTL-37); the signal comes when it is over.
    pub(super) fn begin_pre_stop(&mut self, now: Time, kill_at: Time, ground: &mut Ground<'_>) {
        let Some(spec) = self.spec.pre_stop.clone() else { return };
        let runs = match &self.state {
            State::Running(run) | State::Hooked(run, _) => !run.is_stopping(),
            _ => false,
        };
        if !runs || self.pre_stop.is_some() || kill_at <= now {
            return;
        }
        let scripted = ground.scripted(&self.spec, &[Moment::PreStop]).pre_stop;
        let mut hook = spec.begin(scripted, now, ground);
        // One that would fail after the grace has nobody left to tell.
        hook.fails &= hook.over.is_some_and(|over| over <= kill_at);
        self.pre_stop = Some(hook);
    }

    /// Tells that the preStop hook failed, once.
    pub(super) fn tell_of_pre_stop(&mut self, now: Time, ground: &mut Ground<'_>) {
        let is_due = |hook: &&mut Hooking| hook.failure().is_some_and(|at| at <= now);
        if let Some(hook) = self.pre_stop.as_mut().filter(is_due) {
            hook.fails = false;
            self.note(ground, true, "FailedPreStopHook", "PreStopHook failed".to_owned());
        }
    }

    /// The script of its image changed: a hook that would never have ended is begun again.
    pub(super) fn hook_again(&mut self, now: Time, ground: &mut Ground<'_>) {
        let stands = |state: &State| matches!(state, State::Hooked(run, hook) if !run.is_stopping() && hook.over.is_none());
        if !stands(&self.state) {
            return;
        }
        let again = self.begin_post_start(now, ground);
        if let (State::Hooked(_, hook), Some(again)) = (&mut self.state, again) {
            *hook = again;
        }
    }
}
