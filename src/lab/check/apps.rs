//! What is known of each App from the events of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::{Event, Time};
use crate::lab::scenario::model::{Moment, State};

/// All Apps.
#[derive(Clone, Debug, Default)]
pub struct Apps {
    apps: BTreeMap<String, Known>,
    /// The repository's newest commit.
    pub head: String,
}

/// One App.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The commit that the engine last looked at for it.
    pub seen: String,
    /// The commit that is deployed and healthy, if one is.
    pub ready: Option<String>,
    /// Why the last revision failed, if it did.
    pub failure: Option<String>,
    /// The commits that became ready, oldest first.
    pub good: Vec<String>,
    /// The newest commit that changed something for the App.
    pub target: String,
    /// What came of that commit, once something did.
    pub end: Option<End>,
    /// What the App is back at.
    pub back_at: Option<String>,
    /// Objects of which drift was told that stands.
    pub told: BTreeSet<String>,
    /// The states that it came to since the last thing that ends them.
    standing: BTreeMap<State, Time>,
    /// The first time of each moment in this step.
    moments: BTreeMap<Moment, Time>,
}

/// What can come of a commit in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is deployed and healthy.
    Ready,
    /// It failed, and an earlier one is deployed and healthy.
    RolledBack,
    /// It failed and is left as it is.
    Held,
    /// Nothing of it was applied.
    Refused,
}

impl Apps {
    /// One App; what is not known yet is empty.
    #[must_use]
    pub fn get(&self, app: &str) -> Option<&Known> {
        self.apps.get(app)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Known)> {
        self.apps.iter()
    }

    /// Whether the App is in a state now. `ready` is meant at the newest commit.
    #[must_use]
    pub fn is(&self, app: &str, state: State) -> bool {
        let Some(known) = self.apps.get(app) else { return false };
        match state {
            State::Ready => known.ready.is_some() && known.seen == self.head,
            other => known.standing.contains_key(&other),
        }
    }

    /// A step begins. What was reached before is no answer to what is asked of an action; a step
    /// that does nothing asks about what stands.
    pub(super) fn begin_step(&mut self, acts: bool) {
        for known in self.apps.values_mut() {
            known.moments.clear();
            if acts {
                known.standing.clear();
            }
        }
    }

    /// Takes an event; whether it says something of an App.
    pub(super) fn take(&mut self, now: Time, event: &Event) -> bool {
        let Some(app) = event.app() else { return false };
        if app.is_empty() || matches!(event, Event::Request { .. }) {
            return false;
        }
        if !self.apps.contains_key(app) {
            self.apps.insert(app.to_owned(), Known::default());
        }
        let Some(known) = self.apps.get_mut(app) else { return false };
        known.take(now, event);
        true
    }
}

impl Known {
    /// When the App first came to a moment in this step.
    #[must_use]
    pub fn moment(&self, moment: Moment) -> Option<Time> {
        self.moments.get(&moment).copied()
    }

    fn take(&mut self, now: Time, event: &Event) {
        match event {
            Event::Noticed { ago_us: ago, .. } => self.mark(before(now, *ago), Moment::Noticed),
            Event::Fetched { commit, .. } => {
                self.seen.clone_from(commit);
                self.target.clone_from(commit);
                self.end = None;
                self.ready = None;
                self.standing.remove(&State::Ready);
            }
            Event::Unchanged { commit, .. } => self.seen.clone_from(commit),
            Event::Applied { .. } => self.mark(now, Moment::Applied),
            Event::Ready { commit, .. } => {
                self.good.push(commit.clone());
                self.back_at = Some(commit.clone());
                // An older commit that ends well after a newer one failed is no answer to that.
                if *commit == self.target {
                    self.ready = Some(commit.clone());
                    self.failure = None;
                    self.end = Some(End::Ready);
                    self.standing.clear();
                    self.come_to(now, State::Ready);
                }
            }
            Event::Failed { commit, step, reason, .. } => {
                self.ready = None;
                // An older commit may fail after the newest was refused; that says nothing of it.
                let is_of_newest = *commit == self.target;
                if is_of_newest || self.end != Some(End::Refused) {
                    let is_refused = is_of_newest && matches!(step.as_str(), "render" | "plan");
                    self.end = is_refused.then_some(End::Refused);
                }
                self.failure = Some(format!("{step}: {reason}"));
                self.standing.remove(&State::Ready);
                self.come_to(now, State::Failed);
            }
            Event::RolledBack { from, to, .. } => {
                self.back_at = Some(to.clone());
                if *from == self.target {
                    self.end = Some(End::RolledBack);
                }
                self.come_to(now, State::RolledBack);
            }
            Event::RevertPushed { .. } => self.come_to(now, State::Reverted),
            Event::Held { commit, .. } => {
                // What is held may also be the good commit that was to be gone back to.
                if *commit == self.target || self.good.contains(commit) {
                    self.end = Some(End::Held);
                }
                self.come_to(now, State::Held);
            }
            Event::Degraded { .. } => {
                self.ready = None;
                self.standing.remove(&State::Ready);
            }
            Event::Recovered { .. } if self.end == Some(End::Ready) => {
                self.ready = Some(self.target.clone());
                self.come_to(now, State::Ready);
            }
            Event::Changed { object, .. } => {
                self.told.remove(object);
            }
            Event::DriftCorrected { object, .. } => {
                self.told.remove(object);
                self.come_to(now, State::Corrected);
            }
            Event::DriftReported { object, .. } => {
                self.told.insert(object.clone());
                self.come_to(now, State::Reported);
            }
            Event::Preempted { .. } => self.come_to(now, State::Preempted),
            _ => {}
        }
    }

    fn come_to(&mut self, now: Time, state: State) {
        self.standing.entry(state).or_insert(now);
        self.mark(now, Moment::State(state));
    }

    fn mark(&mut self, now: Time, moment: Moment) {
        self.moments.entry(moment).or_insert(now);
    }
}

/// So many microseconds before `now`.
fn before(now: Time, us: u64) -> Time {
    now - Duration::from_micros(us)
}
