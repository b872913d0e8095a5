//! One pod on its node as an explicit state machine: which container's turn it is, and when the
//! pod as a whole is over.
//!
//! It sends nothing: `Kubelets` carries its status to the server, `status` says what that is.

use std::time::Duration;

use super::behaviour::matches;
use super::container::{Container, State};
use super::ground::{Ground, Note};
use super::nodes::Fleet;
use super::references::Mounts;
use super::spec::{PodSpec, Role, seconds};
use super::usual::Who;
use crate::base::{Rng, Time, limits};
use crate::object::{Map, Object, Value};

/// How far a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its containers are started and restarted.
    Active,
    /// It was deleted: what runs is stopped, and killed at `kill_at` (R-CTL-37).
    Deleted { kill_at: Time },
    /// Its containers ended for good; a sidecar that still runs is stopped.
    Ended { kill_at: Time },
    /// Nothing runs and nothing will.
    Over,
}

/// One pod on its node.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) containers: Vec<Container>,
    pub(super) stage: Stage,
    /// Whether its object is being deleted.
    pub(super) deleted: bool,
    /// Whether it ended because it was active for too long.
    pub(super) expired: bool,
    /// When its node first saw it.
    pub(super) begun: Time,
    /// Whether its sandbox and network are up.
    pub(super) sandbox: bool,
    pub(super) ip: String,
    pub(super) host_ip: String,
    /// `name_namespace(uid)`.
    pub(super) full_name: String,
    node: String,
    grace: Duration,
    /// `activeDeadlineSeconds`, from when its node first saw it.
    deadline: Option<Time>,
    generation: i64,
    version: u64,
    rng: Rng,
    notes: Vec<Note>,
    mounts: Mounts,
    who: Who,
}

impl Life {
    /// A pod that its node sees for the first time.
    pub(super) fn new(pod: &Object, ip: String, host_ip: String, now: Time, rng: Rng) -> Self {
        let spec = PodSpec::read(pod);
        Self {
            containers: spec.containers.into_iter().map(Container::new).collect(),
            stage: Stage::Active,
            deleted: false,
            expired: false,
            begun: now,
            sandbox: false,
            ip: if spec.host_network { host_ip.clone() } else { ip },
            host_ip,
            full_name: format!("{}_{}({})", pod.name(), pod.namespace(), pod.uid()),
            node: pod.text(&["spec", "nodeName"]).unwrap_or_default().to_owned(),
            grace: spec.grace,
            deadline: spec.deadline.map(|span| now + span),
            generation: pod.generation(),
            version: 0,
            rng,
            notes: Vec::new(),
            mounts: Mounts::of(pod),
            who: Who {
                namespace: pod.namespace().to_owned(),
                labels: pod.labels().cloned().unwrap_or_default(),
                annotations: map(pod.at(&["metadata", "annotations"])),
            },
        }
    }

    /// Events since the last call.
    pub(super) fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Counts the changes: of two calls with the same answer, nothing that shows from outside
    /// changed in between, unless [`Life::shows_time`].
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Whether what it shows changes by the mere passing of time: a failed pull becomes a
    /// back-off.
    pub(super) fn shows_time(&self) -> bool {
        self.containers.iter().any(|c| matches!(c.state, State::PullFailed { .. }))
    }

    /// Takes in a newer version of its object: a deletion, or another image.
    pub(super) fn see(&mut self, pod: &Object, now: Time, fleet: &mut Fleet) {
        let is_deleted = pod.is_deleting();
        if is_deleted || self.deleted {
            self.version += 1;
        }
        self.deleted = is_deleted;
        if self.deleted && self.stage != Stage::Over {
            let grace = pod.int(&["metadata", "deletionGracePeriodSeconds"]);
            let kill_at = now + grace.map_or(self.grace, seconds);
            self.stage = match self.stage {
                Stage::Deleted { kill_at: earlier } => {
                    Stage::Deleted { kill_at: earlier.min(kill_at) }
                }
                _ => Stage::Deleted { kill_at },
            };
        }
        // The spec of a pod cannot change without its generation.
        if pod.generation() == self.generation && self.generation > 0 {
            return;
        }
        self.generation = pod.generation();
        self.version += 1;
        let spec = PodSpec::read(pod);
        self.deadline = spec.deadline.map(|span| self.begun + span);
        self.with_ground(fleet, |containers, ground| {
            for (container, spec) in containers.iter_mut().zip(&spec.containers) {
                container.change(spec, now, ground);
            }
        });
    }

    /// The scripts of images were changed.
    pub(super) fn rescript(&mut self, pattern: &str, now: Time, fleet: &mut Fleet) {
        self.version += 1;
        self.with_ground(fleet, |containers, ground| {
            for container in containers {
                let image = container.run().map_or(&container.spec.image, |run| &run.image);
                if matches(pattern, image) {
                    container.rescript(now, ground);
                }
            }
        });
    }

    /// Does everything that is due.
    pub(super) fn advance(&mut self, now: Time, fleet: &mut Fleet) {
        for _ in 0..limits::POD_ROUNDS {
            let winding_up = !matches!(self.stage, Stage::Active | Stage::Over);
            let changed = self.round(now, fleet);
            if changed || winding_up {
                self.version += 1;
            }
            if !changed {
                return;
            }
        }
    }

    /// When something is due next.
    pub(super) fn next(&self, now: Time) -> Option<Time> {
        let winding_up = self.stage != Stage::Active;
        // What is not running is left as it is once the pod ends.
        let counts = |c: &&Container| !winding_up || c.run().is_some();
        let dues = self.containers.iter().filter(counts).filter_map(|c| c.next(now));
        let mount = self.mounts.retry_at.filter(|_| !winding_up);
        let deadline = self.deadline.filter(|_| !winding_up);
        dues.chain(mount).chain(deadline).filter(|at| *at > now).min()
    }

    fn round(&mut self, now: Time, fleet: &mut Fleet) -> bool {
        let winding_up = self.stage != Stage::Active;
        let mut changed = self.with_ground(fleet, |containers, ground| {
            let due = containers.iter_mut().filter(|c| !winding_up || c.run().is_some());
            due.map(|container| container.step(now, ground)).filter(|changed| *changed).count() > 0
        });
        changed |= match self.stage {
            Stage::Active => self.carry_on(now, fleet),
            Stage::Deleted { kill_at } | Stage::Ended { kill_at } => {
                self.wind_up(now, kill_at, fleet)
            }
            Stage::Over => false,
        };
        let is_begun = |c: &Container| {
            let is_known = c.ended.is_some() || c.hook_error.is_some();
            is_known || (!c.is_in_hand() && !matches!(c.state, State::Waiting))
        };
        self.sandbox |= self.containers.iter().any(is_begun);
        changed
    }

    /// Starts whose turn it is, or finds that the pod has ended.
    fn carry_on(&mut self, now: Time, fleet: &mut Fleet) -> bool {
        if self.has_ended() {
            self.stage = Stage::Ended { kill_at: now + self.grace };
            return true;
        }
        if self.deadline.is_some_and(|at| at <= now) {
            self.expire(now);
            return true;
        }
        if self.containers.iter().any(Container::is_in_hand) || !self.has_volumes(now, fleet) {
            return false;
        }
        let Some(turn) = self.turn(now) else { return false };
        self.with_ground(fleet, |containers, ground| containers[turn].begin(now, ground));
        true
    }

    /// It was active for longer than it may be: what runs is stopped, and it has failed (R-CTL-32).
    fn expire(&mut self, now: Time) {
        self.expired = true;
        self.stage = Stage::Ended { kill_at: now + self.grace };
        let message = "Pod was active on the node longer than the specified deadline".to_owned();
        let reason = "DeadlineExceeded";
        self.notes.push(Note { field: String::new(), warning: false, reason, message });
    }

    /// Mounts what the containers need before any of them can be started (R-CTL-34).
    fn has_volumes(&mut self, now: Time, fleet: &Fleet) -> bool {
        if self.mounts.is_done() {
            return true;
        }
        let said = self.mounts.mount(now, &self.who.namespace, &fleet.sources);
        let note =
            |message| Note { field: String::new(), warning: true, reason: "FailedMount", message };
        self.notes.extend(said.map(note));
        self.mounts.is_done()
    }

    /// Whether no container will be started again: an init container failed for good, or all
    /// main ones are done (R-CTL-32).
    fn has_ended(&self) -> bool {
        let of = |role| self.containers.iter().filter(move |c| c.spec.role == role);
        of(Role::Init).any(|c| c.is_done() && !c.succeeded())
            || of(Role::Main).all(Container::is_done)
    }

    /// The container to be taken in hand: sidecars that ended first, then init containers in
    /// order, each waiting for those before it, then the main ones (R-CTL-36).
    fn turn(&self, now: Time) -> Option<usize> {
        for (index, container) in self.containers.iter().enumerate() {
            if container.wants_hand(now) {
                return Some(index);
            }
            let passed = match container.spec.role {
                Role::Init => container.succeeded(),
                Role::Sidecar => {
                    container.run().is_some_and(|run| run.started) || self.initialized()
                }
                Role::Main => true,
            };
            if !passed {
                return None;
            }
        }
        None
    }

    /// Whether a main container ever began to run.
    pub(super) fn initialized(&self) -> bool {
        let mut main = self.containers.iter().filter(|c| c.spec.role == Role::Main);
        main.any(|c| c.run().is_some() || c.ended.is_some())
    }

    /// Stops what runs, main containers first, then sidecars from the last to the first.
    fn wind_up(&mut self, now: Time, kill_at: Time, fleet: &mut Fleet) -> bool {
        self.with_ground(fleet, |containers, ground| {
            containers.iter_mut().for_each(|container| container.break_off(ground));
            // All are told of at once, also those whose turn comes later.
            containers.iter_mut().for_each(|container| container.announce(ground));
        });
        let running = |role: Role| {
            move |(index, c): (usize, &Container)| {
                (c.run().is_some() && c.spec.role == role).then_some(index)
            }
        };
        let list = |role| self.containers.iter().enumerate().filter_map(running(role));
        let mut stop: Vec<usize> = list(Role::Main).chain(list(Role::Init)).collect();
        if stop.is_empty() {
            stop.extend(list(Role::Sidecar).next_back());
        }
        if stop.is_empty() {
            self.stage = Stage::Over;
            return true;
        }
        self.with_ground(fleet, |containers, ground| {
            // The hooks of sidecars run while these wait for their turn.
            for container in containers.iter_mut() {
                container.begin_pre_stop(now, kill_at, ground);
            }
            for index in stop {
                containers[index].stop(now, kill_at, None, ground);
            }
            containers.iter_mut().for_each(|container| container.tell_of_pre_stop(now, ground));
        });
        // A container whose stop takes no time is over in the same instant.
        self.containers
            .iter()
            .filter_map(Container::run)
            .any(|run| run.next().is_some_and(|at| at <= now))
    }

    fn with_ground<T>(
        &mut self,
        fleet: &mut Fleet,
        act: impl FnOnce(&mut [Container], &mut Ground<'_>) -> T,
    ) -> T {
        let mut ground = Ground {
            usual: &fleet.usual,
            sources: &fleet.sources,
            who: &self.who,
            images: &fleet.images,
            present: &mut fleet.present,
            node: &self.node,
            pod: &self.full_name,
            grace: self.grace,
            rng: &mut self.rng,
            notes: &mut self.notes,
        };
        act(&mut self.containers, &mut ground)
    }
}

fn map(value: Option<&Value>) -> Map {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}
