//! The order of a scenario's steps: when one begins, when it is decided, and the rest at the end.

use std::time::Duration;

use crate::base::{Event, Time, limits};
use crate::lab::check::oracles;
use crate::lab::scenario::model::{Action, Rev};
use crate::record::Ending;

use super::actions::{self, named};
use super::{Run, RunError};

/// How far the scenario is.
#[derive(Debug)]
enum Phase {
    /// The first deploy, which no step asks for, comes to rest.
    Settling,
    /// This step is under way.
    Step(usize),
    /// All steps are decided; the world comes to rest.
    Resting,
    /// At rest since then: the engine must stay quiet.
    Quiet { since: Time, writes: usize },
}

/// The order of the steps of one run.
#[derive(Debug)]
pub(super) struct Steps {
    phase: Phase,
    /// Past this the phase has not converged.
    bound: Time,
    /// The step's own wait is over then.
    waits_until: Time,
    /// When the first step began.
    first: Option<Time>,
}

impl Steps {
    /// Begins: with the first step where that is the first deploy itself, else by settling.
    pub(super) fn new(run: &mut Run<'_>) -> Self {
        let bound = run.now + converge(run);
        let mut steps = Self { phase: Phase::Settling, bound, waits_until: run.now, first: None };
        if run.scenario.steps.first().is_some_and(|step| step.action.is_none()) {
            steps.begin(run, 0);
        }
        steps
    }

    /// Looks whether something is decided. Gives the ending when the run is over.
    pub(super) fn turn(&mut self, run: &mut Run<'_>) -> Option<Ending> {
        for verdict in run.checks.take_verdicts() {
            let step = self.number();
            let crate::lab::check::Verdict { what, met, detail } = verdict;
            run.event(Event::Expected { step, what, met, detail });
        }
        if let Phase::Step(n) = self.phase {
            if let Some(result) = run.built.take() {
                self.acted(run, n, result);
            }
            if let Some(message) = run.refused.take() {
                self.cannot_be_done(run, n, message);
                return None;
            }
        }
        match self.phase {
            Phase::Settling if is_at_rest(run) => self.begin(run, 0),
            Phase::Step(n) if self.is_decided(run) => self.end(run, n),
            Phase::Resting if is_at_rest(run) => {
                let writes = oracles::engine_writes(run.recorder.events());
                self.phase = Phase::Quiet { since: run.now, writes };
                run.look_at(run.now + quiet(run));
            }
            // Something became healthy or ill by itself: the world was not at rest yet.
            Phase::Quiet { .. } if run.is_in_doubt() => self.phase = Phase::Resting,
            Phase::Quiet { since, writes } if run.now >= since + quiet(run) => {
                if let Some(detail) = oracles::not_quiet(run.recorder.events(), writes) {
                    let oracle = "quiet at rest".to_owned();
                    run.event(Event::OracleFailed { oracle, detail });
                }
                return Some(Ending::Done);
            }
            _ => {}
        }
        if run.now >= self.bound
            && let Phase::Step(n) = self.phase
            && is_at_rest(run)
            && run.checks.has_open()
        {
            // All is at rest, and what a time was to be counted from has not come.
            self.end(run, n);
            return None;
        }
        if run.now >= self.bound && !matches!(self.phase, Phase::Quiet { .. }) {
            return Some(Ending::NotConverged { why: self.pending(run) });
        }
        None
    }

    fn number(&self) -> usize {
        match self.phase {
            Phase::Step(n) => n + 1,
            _ => 0,
        }
    }

    fn pending(&self, run: &Run<'_>) -> String {
        let engine = run.engine.as_ref().and_then(|engine| engine.pending());
        let what = engine.unwrap_or_else(|| "the engine does not come to rest".to_owned());
        match self.phase {
            Phase::Settling => format!("before the first step: {what}"),
            Phase::Step(n) => format!("in step {}: {what}", n + 1),
            _ => format!("after the last step: {what}"),
        }
    }

    fn begin(&mut self, run: &mut Run<'_>, n: usize) {
        let Some(step) = run.scenario.steps.get(n) else {
            self.phase = Phase::Resting;
            self.bound = run.now + converge(run);
            return;
        };
        self.phase = Phase::Step(n);
        let what = step.name.clone().unwrap_or_else(|| actions::describe(step.action.as_ref()));
        run.event(Event::Step { step: n + 1, what });
        let is_first_deploy = n == 0 && step.action.is_none();
        run.checks.begin(run.now, step, is_first_deploy);
        let first = *self.first.get_or_insert(run.now);
        self.waits_until = match step.action {
            Some(Action::Wait(time)) => run.now + time,
            Some(Action::WaitUntil(time)) => run.now.max(first + time),
            Some(Action::Ci(ref ci)) => run.now + ci.build,
            _ => run.now,
        };
        self.bound = self.waits_until + converge(run);
        let result = step.action.as_ref().map_or(Ok(()), |action| run.act(action));
        if run.is_building {
            // What is expected is expected of what the pipeline will push.
            return;
        }
        self.acted(run, n, result);
    }

    /// What the step does is done, or could not be: from here on its expectations are judged.
    fn acted(&mut self, run: &mut Run<'_>, n: usize, result: Result<(), String>) {
        if let Err(message) = result {
            return self.cannot_be_done(run, n, message);
        }
        let head = run.repo.head().to_string();
        let resolve = |rev: &Rev| {
            let rev = named(&run.labels, rev);
            run.repo.resolve(&rev).ok().map(|commit| commit.to_string())
        };
        run.checks.expect_head(&head, &resolve);
        run.look_at_objects();
        self.bound = self.waits_until.max(run.now) + converge(run);
        run.look_at(self.waits_until);
        run.arm_deadlines();
    }

    /// What a step names is not there, or the API server refuses what it writes.
    fn cannot_be_done(&mut self, run: &mut Run<'_>, n: usize, message: String) {
        if has_failed(run) {
            // What is not there is what should have come of an earlier step: nobody's typo.
            let what = "the step can be done".to_owned();
            run.event(Event::Expected { step: n + 1, what, met: false, detail: message });
            self.phase = Phase::Resting;
            self.bound = run.now + converge(run);
            return;
        }
        let at = run.scenario.steps.get(n).map(|step| step.at).unwrap_or_default();
        run.error = Some(RunError::Step {
            file: run.scenario.file.display().to_string(),
            at: at.to_string(),
            message,
        });
    }

    /// A step is decided when its wait is over, no pipeline builds, every foreign write is answered
    /// and every expectation with a time of its own is decided, and, if some hold until the step's
    /// end, the world is at rest.
    fn is_decided(&self, run: &Run<'_>) -> bool {
        let acts = run.is_building || run.drifts_under_way > 0 || !run.sees_what_was_written();
        if run.now < self.waits_until || acts || run.checks.has_open() {
            return false;
        }
        !run.checks.has_until_end()
            || self.waits_until > run.now
            || is_at_rest(run)
            || self.waited(run)
    }

    /// A wait is its own end: what is to hold until then is decided when it is over.
    fn waited(&self, run: &Run<'_>) -> bool {
        match self.phase {
            Phase::Step(n) => run.scenario.steps[n].action.as_ref().is_some_and(Action::is_wait),
            _ => false,
        }
    }

    fn end(&mut self, run: &mut Run<'_>, n: usize) {
        run.look_at_objects();
        run.checks.end(run.now);
        for verdict in run.checks.take_verdicts() {
            let crate::lab::check::Verdict { what, met, detail } = verdict;
            run.event(Event::Expected { step: n + 1, what, met, detail });
        }
        self.begin(run, n + 1);
    }
}

/// Whether an expectation was not met so far.
fn has_failed(run: &Run<'_>) -> bool {
    run.recorder.events().iter().any(|(_, e)| matches!(e, Event::Expected { met: false, .. }))
}

/// How long the engine is watched at the end: virtual time costs nothing.
fn quiet(run: &Run<'_>) -> Duration {
    match run.recorder.heading().clock {
        crate::record::Clock::Virtual => limits::QUIET,
        crate::record::Clock::Real => limits::QUIET_REAL,
    }
}

/// How long something may take to come to rest.
fn converge(run: &Run<'_>) -> Duration {
    match run.recorder.heading().clock {
        crate::record::Clock::Virtual => limits::CONVERGE,
        crate::record::Clock::Real => limits::CONVERGE_REAL,
    }
}

/// Whether the engine waits for nothing, has heard of the newest commit, and has neither wanted
/// nor heard anything for a while.
fn is_at_rest(run: &Run<'_>) -> bool {
    run.now >= run.active_at + limits::REST
        && run.notices_due == 0
        && run.errands_due == 0
        && run.unheard.is_none()
        && run.engine.as_ref().is_none_or(|engine| engine.pending().is_none())
}

impl Run<'_> {
    /// Asks for a look at every deadline that is known.
    pub(super) fn arm_deadlines(&mut self) {
        for at in self.checks.take_deadlines() {
            self.look_at(at);
        }
    }

    /// Lets the checks look at the cluster.
    pub(super) fn look_at_objects(&mut self) {
        let Self { checks, cluster, repo, labels, now, .. } = self;
        checks.look(*now, &crate::lab::check::View { cluster, repo, labels });
        self.arm_deadlines();
    }
}
