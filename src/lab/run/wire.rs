//! The loop of a run whose cluster is over the wire: it waits for what is heard and for what is
//! due, whichever comes first, and removes what the run made.

use std::time::Duration;

use crate::api::http::Told;
use crate::base::{Clock, Profile, limits};
use crate::engine;
use crate::lab::backend::{Cluster, Heard, Left, Repository, Site, SiteError};
use crate::lab::scenario::Scenario;
use crate::lab::scenario::model::{Action, DriftKind, Expected};
use crate::lab::world::git::GitWorld;
use crate::object::{Gvr, schema};
use crate::sim::pods::ContainerStage;
use crate::sim::stages::Stage;
use crate::sim::world::{Handled, Outbox, Signal, What, World};

use super::{Item, Outside, Run, RunError};

/// How long nobody looks whether the run is to end.
const GLANCE: Duration = Duration::from_millis(100);

/// After so many glances what is still there is deleted once more.
const REMOVE_EVERY: u32 = 10;

/// The cluster, the repository and the way to them for one run.
pub(super) fn open(
    site: &Site,
    scenario: &Scenario,
    seed: u64,
    profile: &Profile,
    git: GitWorld,
    staged: (Vec<Stage>, Vec<ContainerStage>),
) -> Result<(Cluster, Repository, Option<Outside>), RunError> {
    let session = site
        .session(scenario, seed, profile, git, staged)
        .map_err(|error| told(scenario, error))?;
    let (cluster, repo, heard, outside) = session.apart();
    let (interrupt, keep, alive) = outside;
    Ok((cluster, repo, Some(Outside { heard, interrupt, keep, _alive: alive })))
}

fn told(scenario: &Scenario, source: SiteError) -> RunError {
    RunError::Site { file: scenario.file.display().to_string(), source }
}

impl Run<'_> {
    /// Makes sure that checks see what the scenario names.
    pub(super) fn watch_what_is_named(&mut self) {
        let Cluster::Wire(wire) = &mut self.cluster else { return };
        let mut out = Outbox::default();
        wire.watch(self.now, &named(self.scenario), &mut out);
        self.take_world(out);
    }

    /// Waits for the next thing that is heard or due, and takes it.
    pub(super) fn wait_and_take(&mut self, clock: &Clock) {
        self.now = clock.now().max(self.now);
        if self.cannot_go_on() {
            return;
        }
        let next = self.queue.next_at().unwrap_or(self.now + Duration::from_secs(1));
        let Some(outside) = &self.outside else { return };
        let heard = match outside.heard.try_recv() {
            Ok(heard) => Some(heard),
            // What is due is not put off by what comes without end: one of each.
            Err(_) if next <= self.now => None,
            // Nothing in time, or nobody left who says anything: then only time goes on.
            Err(_) => outside.heard.recv_timeout(next.since(self.now).min(GLANCE)).ok(),
        };
        self.now = clock.now().max(self.now);
        if let Some(heard) = heard {
            self.hear(heard);
        }
        if self.queue.next_at().is_some_and(|at| at <= self.now)
            && let Some((_, item)) = self.queue.pop()
        {
            self.take(item);
        }
        self.checks.at_time(self.now);
        self.look_if_changed();
    }

    /// Whether somebody wants the run to end, or nothing will come of it here.
    fn cannot_go_on(&mut self) -> bool {
        let now = self.now;
        let Cluster::Wire(wire) = &mut self.cluster else { return false };
        let is_interrupted = self.outside.as_ref().is_some_and(|o| o.interrupt.is_set());
        let error = if is_interrupted {
            Some(SiteError::Interrupted)
        } else {
            wire.trouble(now).map(|why| SiteError::Stopped { why })
        };
        if let Some(error) = error {
            self.error.get_or_insert(told(self.scenario, error));
        }
        self.error.is_some()
    }

    /// Why the run ends: what breaks where somebody ends it broke because of that.
    pub(super) fn or_interrupted(&self, error: RunError) -> RunError {
        match &self.outside {
            Some(outside) if outside.interrupt.is_set() => {
                told(self.scenario, SiteError::Interrupted)
            }
            _ => error,
        }
    }

    fn look_if_changed(&mut self) {
        if let Cluster::Wire(wire) = &mut self.cluster
            && wire.take_changed()
        {
            self.look_at_objects();
        }
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Api(told) => self.hear_cluster(told),
            Heard::Pushed { commit } if self.reverts_due > 0 => self.held_notice = Some(commit),
            Heard::Pushed { commit } => self.hear_push(commit),
            Heard::Fetched { round, asked, result } => {
                if let Cluster::Wire(wire) = &mut self.cluster {
                    let outcome = result.as_ref().map(drop).map_err(String::as_str);
                    wire.fetched(self.now, outcome);
                }
                if round == self.round {
                    self.step_engine(match result {
                        Ok(artifact) => engine::Input::Fetched { asked, artifact },
                        Err(message) => engine::Input::FetchFailed { asked, message },
                    });
                }
            }
            Heard::Noted { commit, line, result } => {
                self.errands_due = self.errands_due.saturating_sub(1);
                if result.is_ok() {
                    self.forget_notes();
                    self.noted(&commit, &line);
                    self.look_at_objects();
                }
            }
            Heard::Reverted { round, app, bad, result } => {
                self.errands_due = self.errands_due.saturating_sub(1);
                if result.is_ok()
                    && let Repository::Wire(served) = &mut self.repo
                    && let Err(error) = served.pull()
                {
                    let source = SiteError::Git { why: error.to_string() };
                    self.error.get_or_insert(told(self.scenario, source));
                }
                self.reverts_due = self.reverts_due.saturating_sub(1);
                if let Some(commit) = &self.held_notice {
                    self.heard_of = Some(commit.clone());
                }
                if round == self.round {
                    self.reverted(app, bad, result);
                }
                if let Some(commit) = self.held_notice.take() {
                    self.hear_push(commit);
                }
            }
        }
    }

    /// The Git server said that there is something new.
    fn hear_push(&mut self, commit: String) {
        if *self.repo.head() == *commit {
            self.unheard = None;
        }
        self.heard_of = Some(commit);
        self.step_engine(engine::Input::Pushed);
    }

    /// Whether checks see everything that the run has written so far.
    pub(super) fn sees_what_was_written(&self) -> bool {
        match &self.cluster {
            Cluster::Memory(_) => true,
            Cluster::Wire(wire) => wire.sees_what_was_written(),
        }
    }

    fn forget_notes(&self) {
        if let Repository::Wire(served) = &self.repo {
            served.forget_notes();
        }
    }

    fn hear_cluster(&mut self, told: Told) {
        let now = self.now;
        let Cluster::Wire(wire) = &mut self.cluster else { return };
        let (signal, answered) = wire.told(now, told);
        if let Some((id, request, response)) = answered
            && !World::is_inside(signal.client)
        {
            let (client, code) = (signal.client, response.code);
            // What checks look at has its own way to be seen.
            let handled = Handled { client, id, request, code, response, wrote: false };
            self.handled(&handled);
        }
        self.take_signal(signal);
    }

    /// Removes what the run made, unless it is to stay.
    ///
    /// # Errors
    /// Something did not go.
    pub(super) fn leave(&mut self, clock: &Clock) -> Result<(), RunError> {
        self.engine = None;
        if self.outside.as_ref().is_none_or(|outside| outside.keep) {
            return Ok(());
        }
        let start = clock.now();
        self.let_writes_arrive(clock);
        let mut is_forced = false;
        let mut rounds = 0_u32;
        let is_last = self.outside.as_ref().is_some_and(|outside| outside.interrupt.is_set());
        if let Cluster::Wire(wire) = &self.cluster
            && is_last
        {
            wire.remove_home();
        }
        loop {
            let Cluster::Wire(wire) = &mut self.cluster else { return Ok(()) };
            if rounds.is_multiple_of(REMOVE_EVERY) {
                // Again now and then: whoever is still at work may have made something anew.
                wire.remove();
            }
            let Left { what, why } = wire.left();
            let waited = clock.now().since(start);
            if what.is_empty() {
                wire.forget();
                return Ok(());
            }
            let bound = if why.is_some() { limits::UNREACHABLE } else { limits::REMOVAL };
            if waited > bound {
                let late = || format!("still there {} s after it was deleted", waited.as_secs());
                let why = why.unwrap_or_else(late);
                // It has been tried: nobody waits for that again.
                let what: Vec<String> =
                    wire.give_up(what).iter().map(ToString::to_string).collect();
                return Err(told(self.scenario, SiteError::Left { what: what.join(", "), why }));
            }
            if waited > limits::REMOVAL / 8 && !is_forced {
                is_forced = true;
                wire.force();
            }
            rounds += 1;
            self.let_inside_work(clock, GLANCE);
        }
    }

    /// Waits for the answers to what was sent last: what is not known to be made is not removed.
    fn let_writes_arrive(&mut self, clock: &Clock) {
        let until = clock.now() + limits::ANSWER_TO_LAB;
        while matches!(&self.cluster, Cluster::Wire(wire) if wire.is_writing())
            && clock.now() < until
        {
            self.let_inside_work(clock, GLANCE / 10);
        }
    }

    /// Lets what the lab brought to the cluster do its work for a while.
    fn let_inside_work(&mut self, clock: &Clock, time: Duration) {
        let until = clock.now() + time;
        loop {
            self.now = clock.now();
            if self.now >= until {
                return;
            }
            while self.queue.next_at().is_some_and(|at| at <= self.now)
                && let Some((_, item)) = self.queue.pop()
            {
                if let Item::Signal(signal) = item {
                    self.take_inside(signal);
                }
            }
            let Some(outside) = &self.outside else { return };
            let Ok(heard) = outside.heard.recv_timeout(until.since(self.now)) else { continue };
            if let Heard::Api(told) = heard
                && let Cluster::Wire(wire) = &mut self.cluster
            {
                let (signal, _) = wire.told(self.now, told);
                self.take_inside(signal);
            }
        }
    }

    fn take_inside(&mut self, signal: Signal) {
        if World::is_inside(signal.client) && matches!(signal.what, What::Hear(_)) {
            let out = self.cluster.step(self.now, signal);
            self.take_world(out);
        }
    }
}

/// The kinds that a scenario names.
fn named(scenario: &Scenario) -> Vec<Gvr> {
    let schema = schema::builtin();
    let mut kinds = vec![crate::engine::apps::given::CONFIG_MAPS, crate::engine::notify::EVENTS];
    let mut name = |word: &str| kinds.extend(schema.called(word).map(|kind| kind.gvr.clone()));
    for step in &scenario.steps {
        if let Some(Action::Drift(drift)) = &step.action
            && let DriftKind::Patch { object, .. } = &drift.kind
        {
            name(&object.kind);
        }
        for one in &step.expect {
            if let Expected::Object { object, .. } | Expected::NeverObject { object, .. } =
                &one.expected
            {
                name(&object.kind);
            }
        }
    }
    kinds
}
