//! Judges a run: the expectations of its steps, and the oracles that are always on.
//!
//! [`Checks`] hears every event and looks at the cluster when that changes; it keeps what is open
//! and says what is decided. It asks nobody and changes nothing.

mod apps;
mod ends;
mod expect;
mod kept;
pub mod object;
pub mod oracles;
mod undisturbed;

use std::collections::BTreeMap;

use crate::base::{Event, Time};
use crate::lab::backend::{Cluster, Repository};
use crate::lab::scenario::model::{Rev, Step};

pub use apps::{Apps, End};
use expect::Open;
pub(in crate::lab) use kept::Kept;
pub(in crate::lab) use undisturbed::{Footprint, References, footprint};

/// What can be looked at.
pub struct View<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The repository.
    pub repo: &'a Repository,
    /// Commits by the labels that steps gave them.
    pub labels: &'a BTreeMap<String, String>,
}

/// A decided expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The expectation in words.
    pub what: String,
    /// Whether it was met.
    pub met: bool,
    /// When it was met, or what was found instead.
    pub detail: String,
}

/// The judge of one run.
#[derive(Debug)]
pub struct Checks {
    apps: Apps,
    /// By the App that they are about; those about none under the empty name.
    open: BTreeMap<String, Vec<Open>>,
    /// Whether one of this step has to look at the cluster or the repository.
    looks: bool,
    started: Time,
    verdicts: Vec<Verdict>,
    deadlines: Vec<Time>,
}

impl Checks {
    /// A judge with nothing to judge yet.
    #[must_use]
    pub fn new(now: Time) -> Self {
        Self {
            apps: Apps::default(),
            open: BTreeMap::new(),
            looks: false,
            started: now,
            verdicts: Vec::new(),
            deadlines: Vec::new(),
        }
    }

    /// What is known of the Apps.
    #[must_use]
    pub fn apps(&self) -> &Apps {
        &self.apps
    }

    /// A step begins. The first deploy's expectations count from the start of the run.
    pub fn begin(&mut self, now: Time, step: &Step, is_first_deploy: bool) {
        if !is_first_deploy {
            self.started = now;
        }
        self.apps.begin_step(step.action.as_ref().is_some_and(|action| !action.is_wait()));
        let started = self.started;
        self.open.clear();
        for open in step.expect.iter().map(|one| Open::new(one, started)) {
            let app = open.app().unwrap_or_default().to_owned();
            self.open.entry(app).or_default().push(open);
        }
        self.looks = self.open.values().flatten().any(Open::looks);
    }

    /// The step's action is done: `ready` means ready at this commit. `resolve` gives
    /// the id of a commit that an expectation names.
    pub fn expect_head(&mut self, commit: &str, resolve: &dyn Fn(&Rev) -> Option<String>) {
        self.apps.head = commit.to_owned();
        self.open.values_mut().flatten().for_each(|open| open.settle(resolve));
        let now = self.started;
        self.each(|open, apps| open.on_state(now, apps));
    }

    /// There is a newer commit, be it the scenario's or the engine's own: `ready` means at that.
    pub fn head_moved(&mut self, commit: &str) {
        commit.clone_into(&mut self.apps.head);
    }

    /// Something happened.
    pub fn on_event(&mut self, now: Time, event: &Event) {
        if let Event::Request { app, .. } = event {
            let counting = self.open.get_mut("").into_iter().flatten();
            counting.for_each(|open| open.count(app.as_deref()));
        } else if self.apps.take(now, event)
            && let Some(app) = event.app()
        {
            // Only what is expected of this App can have come to a decision.
            self.each_of(Some(app), |open, apps| open.on_state(now, apps));
        }
    }

    /// Something changed in the cluster or the repository.
    pub fn look(&mut self, now: Time, view: &View<'_>) {
        if self.looks {
            self.each(|open, _| open.on_look(now, view));
        }
    }

    /// Time passed.
    pub fn at_time(&mut self, now: Time) {
        self.each(|open, apps| open.on_time(now, apps));
    }

    /// The step ends: what was to hold until now is decided.
    pub fn end(&mut self, now: Time) {
        self.each(|open, apps| open.on_end(now, apps));
        self.open.clear();
    }

    fn each(&mut self, judge: impl FnMut(&mut Open, &Apps) -> Option<Verdict>) {
        self.each_of(None, judge);
    }

    /// Judges what is open, of one App or of all.
    fn each_of(
        &mut self,
        app: Option<&str>,
        mut judge: impl FnMut(&mut Open, &Apps) -> Option<Verdict>,
    ) {
        let Self { open, apps, verdicts, deadlines, .. } = self;
        // Whether anything is left open.
        let mut judge_all = |open: &mut Vec<Open>| {
            open.retain_mut(|one| {
                let verdict = judge(one, apps);
                deadlines.extend(one.take_deadline());
                let is_open = verdict.is_none();
                verdicts.extend(verdict);
                is_open
            });
            !open.is_empty()
        };
        match app {
            Some(app) => {
                if open.get_mut(app).is_some_and(|open| !judge_all(open)) {
                    open.remove(app);
                }
            }
            None => open.retain(|_, open| judge_all(open)),
        }
    }

    /// Whether an expectation with a time of its own is undecided.
    #[must_use]
    pub fn has_open(&self) -> bool {
        self.open.values().flatten().any(|open| !open.is_until_end())
    }

    /// Whether an expectation is decided only by the step's end.
    #[must_use]
    pub fn has_until_end(&self) -> bool {
        self.open.values().flatten().any(Open::is_until_end)
    }

    /// Takes what was decided since the last call.
    pub fn take_verdicts(&mut self) -> Vec<Verdict> {
        std::mem::take(&mut self.verdicts)
    }

    /// Takes the instants at which [`Checks::at_time`] must be called.
    pub fn take_deadlines(&mut self) -> Vec<Time> {
        std::mem::take(&mut self.deadlines)
    }
}
