//! One run of one container: from the moment it runs to the moment it has ended.
//!
//! Everything that its image will do is drawn when the run begins (`Script`), so the next change
//! is always known. What comes before and after a run is `container`'s.

use std::time::Duration;

use super::behaviour::{Behaviour, Live, Ready, Stop};
use super::probe::{Answers, Look, Prober};
use super::spec::{ContainerSpec, Restart};
use super::usual::Usual;
use crate::base::{Rng, Time};

/// What a container will do in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script {
    /// When it ends by itself, and with which exit code.
    end: Option<(Time, i32)>,
    /// What readiness and startup probes see.
    ready: Answers,
    /// What liveness probes see.
    live: Answers,
    /// Whether `ready` stands in for a readiness probe that the container lacks.
    implied: bool,
}

impl Script {
    /// The script of run number `run` (from 0), whose times count from `since`.
    pub(super) fn draw(
        spec: &ContainerSpec,
        scripted: Behaviour,
        usual: &Usual,
        rng: &mut Rng,
        (since, run): (Time, u32),
    ) -> Self {
        let warm_up = match scripted.ready {
            Some(Ready::After(after)) => Some(after),
            Some(Ready::Never) => None,
            None => Some(usual.ready.draw(rng)),
        };
        let crash = scripted.crash.filter(|crash| crash.times.is_none_or(|times| run < times));
        let end = match (crash, scripted.exit) {
            (Some(crash), _) => Some((crash.after, crash.exit_code)),
            (None, Some(exit)) => Some((exit.after, exit.code)),
            // What is meant to end does so, well, once it would have been ready.
            (None, None) if spec.restart != Restart::Always => match spec.sleeps {
                Some(Duration::MAX) => None,
                sleeps => warm_up.map(|after| (after.max(sleeps.unwrap_or_default()), 0)),
            },
            (None, None) => None,
        };
        let until = scripted.live.map(|Live::Until(after)| since + after);
        Self {
            end: end.map(|(after, code)| (since + after, code)),
            ready: Answers { from: warm_up.map(|after| since + after), until: None },
            live: Answers { from: Some(since), until },
            implied: scripted.ready.is_some() && spec.readiness.is_none(),
        }
    }
}

/// How a container that was told to stop will end; `at` is `None` where it never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopping {
    at: Option<Time>,
    exit_code: i32,
}

/// What a step of a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing that concerns others.
    Goes,
    /// It became or ceased to be started or ready.
    Changed,
    /// It ended with this exit code.
    Ended(i32),
    /// The probe so named wants it restarted.
    Condemned(&'static str),
}

/// A running container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) image: String,
    pub(super) begun: Time,
    /// Whether its startup probe, if it has one, succeeded.
    pub(super) started: bool,
    pub(super) ready: bool,
    script: Script,
    startup: Option<Prober>,
    readiness: Option<Prober>,
    liveness: Option<Prober>,
    stopping: Option<Stopping>,
}

impl Run {
    pub(super) fn new(id: String, spec: &ContainerSpec, script: Script, now: Time) -> Self {
        let mut run = Self {
            id,
            image: spec.image.clone(),
            begun: now,
            started: false,
            ready: false,
            script,
            startup: None,
            readiness: None,
            liveness: None,
            stopping: None,
        };
        run.begin_probes(spec, now);
        run
    }

    /// From now on it is probed.
    pub(super) fn begin_probes(&mut self, spec: &ContainerSpec, now: Time) {
        let first = |delay: Duration| (self.begun + delay).max(now);
        self.startup = spec.startup.map(|p| Prober::new(p, None, first(p.initial_delay), now));
        self.started = false;
        if self.startup.is_none() {
            self.serve(spec, now);
        }
    }

    /// From now on readiness and liveness count (R-CTL-35).
    fn serve(&mut self, spec: &ContainerSpec, now: Time) {
        self.started = true;
        self.startup = None;
        let first = |delay: Duration| (self.begun + delay).max(now);
        self.readiness =
            spec.readiness.map(|p| Prober::new(p, Some(false), first(p.initial_delay), now));
        self.liveness =
            spec.liveness.map(|p| Prober::new(p, Some(true), first(p.initial_delay), self.begun));
        self.ready = self.readiness.is_none() && self.ready_unprobed(now);
    }

    fn ready_unprobed(&self, now: Time) -> bool {
        !self.script.implied || self.script.ready.good(now)
    }

    /// Does what is due. Probes that failed are named in `failed`.
    pub(super) fn step(
        &mut self,
        spec: &ContainerSpec,
        now: Time,
        failed: &mut Vec<&'static str>,
    ) -> Outcome {
        let ends =
            |end: Option<(Time, i32)>| end.filter(|(at, _)| *at <= now).map(|(_, code)| code);
        if let Some(stopping) = self.stopping {
            let end = stopping.at.map(|at| (at, stopping.exit_code));
            return ends(end).map_or(Outcome::Goes, Outcome::Ended);
        }
        if let Some(code) = ends(self.script.end) {
            return Outcome::Ended(code);
        }
        let before = (self.started, self.ready);
        if let Some(look) = look(&mut self.startup, now, self.script.ready, "Startup", failed) {
            match look.verdict {
                Some(true) => self.serve(spec, now),
                Some(false) => return Outcome::Condemned("startup"),
                None => {}
            }
        }
        if let Some(look) = look(&mut self.liveness, now, self.script.live, "Liveness", failed)
            && look.verdict == Some(false)
        {
            return Outcome::Condemned("liveness");
        }
        let look = look(&mut self.readiness, now, self.script.ready, "Readiness", failed);
        if let Some(verdict) = look.and_then(|look| look.verdict) {
            self.ready = verdict;
        }
        if self.started && self.readiness.is_none() {
            self.ready = self.ready_unprobed(now);
        }
        if before == (self.started, self.ready) { Outcome::Goes } else { Outcome::Changed }
    }

    /// When there is something to do next.
    pub(super) fn next(&self) -> Option<Time> {
        if let Some(stopping) = self.stopping {
            return stopping.at;
        }
        let implied = (self.script.implied && self.started && !self.ready)
            .then_some(self.script.ready.from)
            .flatten();
        let probers = [&self.startup, &self.readiness, &self.liveness];
        let looks = probers.into_iter().flatten().filter_map(Prober::next);
        looks.chain(self.script.end.map(|(at, _)| at)).chain(implied).min()
    }

    /// The image's script was changed while it runs.
    pub(super) fn rewrite(&mut self, script: Script, now: Time) {
        self.script = script;
        for prober in [&mut self.startup, &mut self.readiness].into_iter().flatten() {
            prober.plan(now, self.script.ready);
        }
        if let Some(prober) = &mut self.liveness {
            prober.plan(now, self.script.live);
        }
    }

    /// Whether it was told to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// Tells it to stop at `now`; at `kill_at` it is killed. A second call can only shorten.
    pub(super) fn stop(&mut self, stop: Stop, now: Time, kill_at: Time) {
        let killed = Stopping { at: Some(kill_at.max(now)), exit_code: 137 };
        self.stopping = Some(match (self.stopping, stop) {
            (Some(Stopping { at: None, exit_code }), _) => Stopping { at: None, exit_code },
            (Some(earlier), _) if earlier.at <= killed.at => earlier,
            (None, Stop::Hangs) => Stopping { at: None, exit_code: 137 },
            (None, Stop::Takes(time)) if now + time <= kill_at => {
                Stopping { at: Some(now + time), exit_code: 143 }
            }
            _ => killed,
        });
    }
}

fn look(
    prober: &mut Option<Prober>,
    now: Time,
    answers: Answers,
    name: &'static str,
    failed: &mut Vec<&'static str>,
) -> Option<Look> {
    let look = prober.as_mut()?.look(now, answers)?;
    if !look.good {
        failed.push(name);
    }
    Some(look)
}
