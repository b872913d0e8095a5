//! One container of a pod as an explicit state machine: its image, its runs, its restarts.
//!
//! It is told when its turn is (`pod` decides), does what is due, and knows when something is
//! next. What it looks like from outside is `status`'s.

use std::time::Duration;

use super::backoff::{Backoff, go_millis};
use super::behaviour::{Pull, Stop};
use super::ground::{Ground, Note};
use super::hooks::Hooking;
use super::references::{CONFIGURE_AGAIN, missing_of_environment};
use super::refusals::{name_error, pull_error};
use super::run::{Outcome, Run, Script};
use super::spec::{ContainerSpec, PullPolicy, Role, is_image_name};
use super::usual::Moment;
use crate::base::Time;

/// How long after a failure a kubelet shows the back-off in its place. A real one does so when
/// it next looks at the pod, after a relist of its containers (1 s) or its error pause (10 s and
/// more); the shorter is taken.
const RELIST: Duration = Duration::from_secs(1);

/// What is left to a container after a hook that used up its grace (upstream's figure).
const LEAST_GRACE: Duration = Duration::from_secs(2);

/// A run that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) exit_code: i32,
    /// `Completed`, `Error` or `OOMKilled`.
    pub(super) reason: &'static str,
    pub(super) begun: Time,
    pub(super) finished: Time,
    pub(super) id: String,
}

/// Where a container stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Its turn has not come.
    Waiting,
    /// `until` is `None` for a pull that never ends.
    Pulling { since: Time, until: Option<Time>, fails: bool },
    /// The pull failed; it is tried again at `retry_at`.
    PullFailed { failed_at: Time, retry_at: Time },
    /// The node will not even try (reason and message of the waiting state).
    Refused(&'static str, String),
    /// What its environment refers to is not there; it is tried again at `retry_at`.
    Misconfigured { message: String, retry_at: Time },
    /// Image present, container being made.
    Starting { until: Time },
    /// It runs, and nobody is told before its postStart hook is over (`hooks`).
    Hooked(Box<Run>, Hooking),
    /// See there.
    Running(Box<Run>),
    /// The last run is over; it is started again at `restart_at`, if at all.
    Over { restart_at: Option<Time> },
}

/// One container of a pod.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Container {
    pub(super) spec: ContainerSpec,
    pub(super) state: State,
    /// The last run, while no new one has begun.
    pub(super) ended: Option<Ended>,
    /// The run before that, or before the present one.
    pub(super) last: Option<Ended>,
    /// Whether the back-off shows instead of the end of the last run.
    pub(super) backing_off: bool,
    pub(super) restarts: u32,
    /// The pause after the last crash.
    pub(super) pause: Duration,
    /// Whether the present run is stopped for a new image, and so is followed by another.
    replaced: bool,
    /// Whether the present run is stopped because a probe failed.
    condemned: bool,
    /// The end that the next start counts as a failure, for the back-off.
    failed_at: Option<Time>,
    /// Whether it was told that the present run is stopped together with its pod.
    announced: bool,
    /// How a run that was stopped with its pod stood at its end: started, ready.
    pub(super) stopped: Option<(bool, bool)>,
    /// The preStop hook of the present run.
    pub(super) pre_stop: Option<Hooking>,
    /// What the postStart hook failed with, until the container is looked at again.
    pub(super) hook_error: Option<String>,
    runs: u32,
    crashes: Backoff,
    pulls: Backoff,
}

impl Container {
    pub(super) fn new(spec: ContainerSpec) -> Self {
        Self {
            spec,
            state: State::Waiting,
            ended: None,
            last: None,
            backing_off: false,
            restarts: 0,
            pause: Duration::ZERO,
            replaced: false,
            condemned: false,
            failed_at: None,
            announced: false,
            stopped: None,
            pre_stop: None,
            hook_error: None,
            runs: 0,
            crashes: Backoff::default(),
            pulls: Backoff::default(),
        }
    }

    pub(super) fn run(&self) -> Option<&Run> {
        if let State::Running(run) = &self.state { Some(run) } else { None }
    }

    /// Whether it has the pod's worker: a kubelet pulls and starts one container of a pod at a
    /// time, and its postStart hook is part of that.
    pub(super) fn is_in_hand(&self) -> bool {
        matches!(self.state, State::Pulling { .. } | State::Starting { .. } | State::Hooked(..))
    }

    /// Whether it ended and is not started again.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Over { restart_at: None })
    }

    /// Whether it ended well for good.
    pub(super) fn succeeded(&self) -> bool {
        self.is_done() && self.ended.as_ref().is_some_and(|ended| ended.exit_code == 0)
    }

    /// Whether it could be taken in hand at `now`.
    pub(super) fn wants_hand(&self, now: Time) -> bool {
        match &self.state {
            State::Waiting => true,
            State::PullFailed { retry_at, .. } | State::Misconfigured { retry_at, .. } => {
                *retry_at <= now
            }
            State::Over { restart_at } => restart_at.is_some_and(|at| at <= now),
            _ => false,
        }
    }

    /// Whether a failed pull shows as back-off at `now`.
    pub(super) fn shows_pull_backoff(&self, now: Time) -> bool {
        matches!(&self.state, State::PullFailed { failed_at, .. } if *failed_at + RELIST <= now)
    }

    /// When something is due next by itself. What waits for the pod's worker has none.
    pub(super) fn next(&self, now: Time) -> Option<Time> {
        let relist = |from: Time| Some(from + RELIST).filter(|at| *at > now);
        let told = self.pre_stop.and_then(Hooking::failure);
        match &self.state {
            State::Waiting | State::Refused(..) => None,
            State::Pulling { until, .. } => *until,
            State::PullFailed { failed_at, retry_at } => {
                relist(*failed_at).into_iter().chain([*retry_at]).min()
            }
            State::Starting { until } => Some(*until),
            State::Misconfigured { retry_at, .. } => Some(*retry_at),
            State::Hooked(run, hook) => hook.next(run).into_iter().chain(told).min(),
            State::Running(run) => run.next().into_iter().chain(told).min(),
            State::Over { restart_at } => {
                let finished = self.ended.as_ref().map(|ended| ended.finished);
                let shows = finished.filter(|_| !self.backing_off && restart_at.is_some());
                shows.and_then(relist).into_iter().chain(*restart_at).min()
            }
        }
    }

    /// Takes it in hand: the image first (R-CTL-34).
    pub(super) fn begin(&mut self, now: Time, ground: &mut Ground<'_>) {
        if let Some(at) = self.failed_at.filter(|_| self.ended.is_some()) {
            self.crashes.advance(at, now);
        }
        let image = self.spec.image.clone();
        if !is_image_name(&image) {
            let why = format!("couldn't parse image name {image:?}: {}", name_error(&image));
            let message = format!("Failed to apply default image tag {image:?}: {why}");
            self.note(ground, true, "InspectFailed", message.clone());
            return self.refuse(ground, "InvalidImageName", message);
        }
        let key = (ground.node.to_owned(), image.clone());
        let present = ground.present.contains(&key);
        match self.spec.pull_policy {
            PullPolicy::Always => self.pull(now, present, ground),
            _ if present => {
                let text = "already present on machine and can be accessed by the pod";
                self.note(ground, false, "Pulled", format!("Container image {image:?} {text}"));
                self.make(now, ground);
            }
            PullPolicy::IfNotPresent => self.pull(now, false, ground),
            PullPolicy::Never => {
                let text = "is not present with pull policy of Never";
                let message = format!("Container image {image:?} {text}");
                self.note(ground, true, "ErrImageNeverPull", message.clone());
                self.refuse(ground, "ErrImageNeverPull", message);
            }
        }
    }

    fn refuse(&mut self, ground: &mut Ground<'_>, reason: &'static str, message: String) {
        self.note(ground, true, "Failed", format!("Error: {reason}"));
        self.state = State::Refused(reason, message);
    }

    fn pull(&mut self, now: Time, present: bool, ground: &mut Ground<'_>) {
        let scripted = ground.scripted(&self.spec, &[Moment::Pull]).pull;
        let takes = match scripted {
            Some(Pull::Takes(time)) => Some(time),
            Some(Pull::Never) => None,
            Some(Pull::Fails) | None => Some(ground.usual.pull.draw(ground.rng)),
        };
        // For an image that is there only its digest is looked up.
        let takes = takes.map(|time| if present { Duration::ZERO } else { time });
        self.note(ground, false, "Pulling", format!("Pulling image {:?}", self.spec.image));
        let fails = scripted == Some(Pull::Fails);
        self.state = State::Pulling { since: now, until: takes.map(|time| now + time), fails };
    }

    fn make(&mut self, now: Time, ground: &mut Ground<'_>) {
        let references = &self.spec.references;
        let namespace = &ground.who.namespace;
        if let Some(message) = missing_of_environment(ground.sources, namespace, references) {
            self.note(ground, true, "Failed", format!("Error: {message}"));
            self.state = State::Misconfigured { message, retry_at: now + CONFIGURE_AGAIN };
            return;
        }
        let scripted = ground.scripted(&self.spec, &[Moment::Start]).start;
        let takes = scripted.unwrap_or_else(|| ground.usual.start.draw(ground.rng));
        self.state = State::Starting { until: now + takes };
    }

    /// Does what is due; whether anything visible changed.
    pub(super) fn step(&mut self, now: Time, ground: &mut Ground<'_>) -> bool {
        match &mut self.state {
            State::Pulling { since, until: Some(until), fails } if *until <= now => {
                let (since, fails) = (*since, *fails);
                self.pulled(now, since, fails, ground);
                true
            }
            State::Starting { until } if *until <= now => {
                self.started(now, ground);
                true
            }
            State::Hooked(..) => self.step_hooked(now, ground),
            State::Running(run) => {
                let mut failed = Vec::new();
                let outcome = run.step(&self.spec, now, &mut failed);
                for probe in failed {
                    let message = format!("{probe} probe failed: the container does not answer");
                    self.note(ground, true, "Unhealthy", message);
                }
                self.tell_of_pre_stop(now, ground);
                self.ran(outcome, now, ground)
            }
            State::Over { restart_at: Some(at) } if *at > now && !self.backing_off => {
                self.show_backoff(now, ground)
            }
            _ => false,
        }
    }

    fn pulled(&mut self, now: Time, since: Time, fails: bool, ground: &mut Ground<'_>) {
        let image = self.spec.image.clone();
        if fails {
            self.note(
                ground,
                true,
                "Failed",
                format!("Failed to pull image {image:?}: {}", pull_error(&image)),
            );
            self.note(ground, true, "Failed", "Error: ErrImagePull".to_owned());
            self.note(ground, false, "BackOff", format!("Back-off pulling image {image:?}"));
            self.note(ground, true, "Failed", "Error: ImagePullBackOff".to_owned());
            self.pulls.advance(now, now);
            self.state =
                State::PullFailed { failed_at: now, retry_at: now + self.pulls.pause(now) };
            return;
        }
        let took = go_millis(now.since(since));
        let text =
            format!("Successfully pulled image {image:?} in {took} ({took} including waiting).");
        self.note(ground, false, "Pulled", format!("{text} Image size: {IMAGE_BYTES} bytes."));
        ground.present.insert((ground.node.to_owned(), image));
        self.make(now, ground);
    }

    fn started(&mut self, now: Time, ground: &mut Ground<'_>) {
        self.note(ground, false, "Created", "Container created".to_owned());
        self.note(ground, false, "Started", "Container started".to_owned());
        let script = self.script(now, self.runs, ground);
        let id: String = (0..4).map(|_| format!("{:016x}", ground.rng.next_u64())).collect();
        self.runs += 1;
        self.pre_stop = None;
        let run = Box::new(Run::new(format!("containerd://{id}"), &self.spec, script, now));
        match self.begin_post_start(now, ground) {
            Some(hook) => self.state = State::Hooked(run, hook),
            None => self.show(run),
        }
    }

    /// From now on others see that it runs.
    pub(super) fn show(&mut self, run: Box<Run>) {
        if let Some(ended) = self.ended.take() {
            self.last = Some(ended);
            self.restarts += 1;
        }
        self.backing_off = false;
        self.hook_error = None;
        self.state = State::Running(run);
    }

    fn script(&self, since: Time, run: u32, ground: &mut Ground<'_>) -> Script {
        let moments = [Moment::Ready, Moment::Run, Moment::Live];
        let behaviour = ground.scripted(&self.spec, &moments);
        Script::draw(&self.spec, behaviour, ground.usual, ground.rng, (since, run))
    }

    fn ran(&mut self, outcome: Outcome, now: Time, ground: &mut Ground<'_>) -> bool {
        match outcome {
            Outcome::Goes => return false,
            Outcome::Changed => {}
            Outcome::Ended(code) => self.end(code, now),
            Outcome::Condemned(probe) => {
                let again = if self.spec.restart.applies(1) { ", will be restarted" } else { "" };
                let name = &self.spec.name;
                let why = format!("Container {name} failed {probe} probe{again}");
                self.condemned = true;
                self.stop(now, now + ground.grace, Some(why), ground);
            }
        }
        true
    }

    pub(super) fn end(&mut self, exit_code: i32, now: Time) {
        let State::Running(run) = &self.state else { return };
        let reason = match exit_code {
            0 => "Completed",
            137 if !run.is_stopping() => "OOMKilled",
            _ => "Error",
        };
        let id = run.id.clone();
        self.stopped = self.announced.then_some((run.started, run.ready));
        self.ended = Some(Ended { exit_code, reason, begun: run.begun, finished: now, id });
        let again = self.spec.restart.applies(exit_code) || self.replaced;
        self.replaced = false;
        let restart_at = self.restart_at(now);
        self.state = State::Over { restart_at: again.then_some(restart_at) };
    }

    /// When a run that ended now is followed by another. A kubelet that stops a container itself
    /// starts the next at once and does not know of the end yet: what counts for the back-off is
    /// then the end before that.
    fn restart_at(&mut self, now: Time) -> Time {
        self.failed_at = Some(now);
        if std::mem::take(&mut self.condemned) {
            let before = self.last.as_ref().map(|last| last.finished);
            if before.is_none_or(|at| at + self.crashes.pause(at) <= now) {
                self.failed_at = before;
                self.pause = Duration::ZERO;
                return now;
            }
        }
        self.pause = self.crashes.pause(now);
        now + self.pause
    }

    fn show_backoff(&mut self, now: Time, ground: &mut Ground<'_>) -> bool {
        let finished = self.ended.as_ref().map_or(now, |ended| ended.finished);
        if now < finished + RELIST {
            return false;
        }
        self.backing_off = true;
        self.hook_error = None;
        let text = "Back-off restarting failed container";
        let message = format!("{text} {} in pod {}", self.spec.name, ground.pod);
        self.note(ground, true, "BackOff", message);
        true
    }

    /// Tells that it will be stopped with its pod, once, if it runs (R-CTL-37).
    pub(super) fn announce(&mut self, ground: &mut Ground<'_>) {
        let Some(run) = self.run().filter(|_| !self.announced) else { return };
        if !run.is_stopping() {
            let why = format!("Stopping container {}", self.spec.name);
            self.note(ground, false, "Killing", why);
        }
        self.announced = true;
    }

    /// Tells a running container to stop (`why` is the Event's text, where one is due), with a
    /// kill at `kill_at`. One that stops already is only hurried.
    pub(super) fn stop(
        &mut self,
        now: Time,
        kill_at: Time,
        why: Option<String>,
        ground: &mut Ground<'_>,
    ) {
        self.begin_pre_stop(now, kill_at, ground);
        let signal_at = self.pre_stop.map_or(now, |hook| hook.until(kill_at).max(now));
        // A hook may use up the grace, but not the last moment in which a process can end well.
        let kill_at = if signal_at > now { kill_at.max(signal_at + LEAST_GRACE) } else { kill_at };
        let (State::Running(run) | State::Hooked(run, _)) = &mut self.state else { return };
        let fresh = !run.is_stopping();
        let scripted = match ground.images.find(&run.image) {
            Some(script) => script.stop,
            None if fresh => ground.scripted(&self.spec, &[Moment::Stop]).stop,
            None => None,
        };
        let stop = match scripted {
            Some(stop) => stop,
            None if fresh => Stop::Takes(ground.usual.stop.draw(ground.rng)),
            None => Stop::Ignored,
        };
        run.stop(stop, signal_at, kill_at);
        if let Some(why) = why.filter(|_| fresh) {
            self.note(ground, false, "Killing", why);
        }
        self.tell_of_pre_stop(now, ground);
    }

    /// Takes on a spec that was changed while the pod runs: only the image can be. A running
    /// container is restarted for it, whatever its restart policy.
    pub(super) fn change(&mut self, spec: &ContainerSpec, now: Time, ground: &mut Ground<'_>) {
        if self.spec.image == spec.image {
            return;
        }
        self.spec.image.clone_from(&spec.image);
        // Both back-offs are kept for the very image.
        (self.crashes, self.pulls) = Default::default();
        self.unhook(now);
        match &mut self.state {
            State::Running(_) => {
                let why = format!("Container {} definition changed, will be restarted", spec.name);
                self.stop(now, now + ground.grace, Some(why), ground);
                self.replaced = true;
            }
            State::Over { restart_at: Some(at) } => *at = now,
            State::Over { restart_at: None } => {}
            state if self.ended.is_some() => *state = State::Over { restart_at: Some(now) },
            state => *state = State::Waiting,
        }
    }

    /// The script of its image changed: what it will do from now on is drawn anew, and a pull
    /// that would never have ended is begun again.
    pub(super) fn rescript(&mut self, now: Time, ground: &mut Ground<'_>) {
        if matches!(self.state, State::Pulling { until: None, .. }) {
            self.state = State::Waiting;
        }
        self.hook_again(now, ground);
        if self.run().is_some() {
            let script = self.script(now, self.runs.saturating_sub(1), ground);
            if let State::Running(run) = &mut self.state {
                run.rewrite(script, now);
            }
        }
    }

    pub(super) fn note(
        &self,
        ground: &mut Ground<'_>,
        warning: bool,
        reason: &'static str,
        message: String,
    ) {
        let list = if self.spec.role == Role::Main { "containers" } else { "initContainers" };
        let field = format!("spec.{list}{{{}}}", self.spec.name);
        ground.notes.push(Note { field, warning, reason, message });
    }
}

/// What every image weighs in the texts of Events.
const IMAGE_BYTES: u64 = 32 * 1024 * 1024;
