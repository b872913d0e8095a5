//! One expectation while it is open: what it has seen so far, and when it is decided.

use std::time::Duration;

use crate::base::Time;
use crate::lab::scenario::model::{Expectation, Expected, Rev, State, StateExpectation, Target};

use super::{Apps, Verdict, View, object};

/// An undecided expectation.
#[derive(Clone, Debug)]
pub(super) struct Open {
    expected: Expected,
    started: Time,
    /// When it first held, if it holds now.
    holds_since: Option<Time>,
    /// What was seen last, for the verdict.
    seen: String,
    requests: u64,
    /// The commit that `to` names, where it names one.
    target: Option<String>,
    deadline: Option<Time>,
    /// A deadline that nobody was asked to wake us at yet.
    unasked: Option<Time>,
}

/// What the other times of an expectation are counted with.
struct Terms {
    deadline: Option<Time>,
    hold: Option<Duration>,
}

impl Open {
    pub(super) fn new(expectation: &Expectation, started: Time) -> Self {
        let mut open = Self {
            expected: expectation.expected.clone(),
            started,
            holds_since: None,
            seen: String::new(),
            requests: 0,
            target: None,
            deadline: None,
            unasked: None,
        };
        let within = match &open.expected {
            Expected::State(state) if state.after.is_some() => None,
            Expected::State(state) => state.within,
            Expected::Object { within, .. }
            | Expected::Note { within, .. }
            | Expected::Event { within, .. } => *within,
            _ => None,
        };
        open.set_deadline(within.map(|within| started + within));
        open
    }

    /// Looks up the commit that `to` names, once the step's action is done.
    pub(super) fn settle(&mut self, resolve: &dyn Fn(&Rev) -> Option<String>) {
        if let Expected::State(StateExpectation { to: Some(to), .. }) = &self.expected
            && let Target::Rev(rev) = &to.value
        {
            self.target = resolve(rev);
        }
    }

    /// Whether only the end of the step decides it.
    pub(super) fn is_until_end(&self) -> bool {
        match &self.expected {
            Expected::State(state) => state.within.is_none() && state.hold.is_none(),
            Expected::Object { within, hold, .. } => within.is_none() && hold.is_none(),
            Expected::Note { within, .. } | Expected::Event { within, .. } => within.is_none(),
            Expected::NeverState { .. }
            | Expected::NeverObject { .. }
            | Expected::Requests { .. } => true,
        }
    }

    pub(super) fn take_deadline(&mut self) -> Option<Time> {
        self.unasked.take()
    }

    fn set_deadline(&mut self, at: Option<Time>) {
        if at.is_some() && at != self.deadline {
            self.deadline = at;
            self.unasked = at;
        }
    }

    fn terms(&self) -> Terms {
        let hold = match &self.expected {
            Expected::State(state) => state.hold,
            Expected::Object { hold, .. } => *hold,
            _ => None,
        };
        Terms { deadline: self.deadline, hold }
    }

    /// The App that it is about, if one.
    pub(super) fn app(&self) -> Option<&str> {
        match &self.expected {
            Expected::State(state) => Some(&state.app.value),
            Expected::NeverState { app, .. } | Expected::Event { app, .. } => Some(&app.value),
            _ => None,
        }
    }

    /// Whether it has to look at the cluster or the repository.
    pub(super) fn looks(&self) -> bool {
        !matches!(
            self.expected,
            Expected::State(_) | Expected::NeverState { .. } | Expected::Requests { .. }
        )
    }

    /// The engine sent a request, for an App if it says so.
    pub(super) fn count(&mut self, of: Option<&str>) {
        if let Expected::Requests { app, .. } = &self.expected {
            self.requests += u64::from(app.as_ref().is_none_or(|app| of == Some(&app.value)));
        }
    }

    /// What is known of the Apps may have changed.
    pub(super) fn on_state(&mut self, now: Time, apps: &Apps) -> Option<Verdict> {
        match &self.expected {
            Expected::State(expected) => {
                let expected = expected.clone();
                self.count_from_moment(&expected, apps);
                let holds = self.state_holds(&expected, apps);
                self.holds(now, holds)
            }
            Expected::NeverState { app, state } => {
                let (app, state) = (app.clone(), *state);
                let came = apps.get(&app.value).and_then(|known| {
                    known.moment(crate::lab::scenario::model::Moment::State(state))
                });
                // To be ready lasts; the others are things that happen.
                let is_so = (state == State::Ready && apps.is(&app.value, state)).then_some(now);
                let came = came.or(is_so);
                came.map(|at| self.verdict(false, format!("it was {state} at {}", self.offset(at))))
            }
            _ => None,
        }
    }

    fn count_from_moment(&mut self, expected: &StateExpectation, apps: &Apps) {
        let Some(after) = expected.after else { return };
        let moment = apps.get(&expected.app.value).and_then(|known| known.moment(after));
        if let (Some(moment), Some(within)) = (moment, expected.within) {
            self.set_deadline(Some(moment + within));
        }
    }

    fn state_holds(&mut self, expected: &StateExpectation, apps: &Apps) -> bool {
        let app = &expected.app.value;
        let Some(known) = apps.get(app) else { return false };
        if !apps.is(app, expected.state) {
            self.seen = match (&known.failure, &known.ready) {
                (Some(failure), _) => format!("it failed at {failure}"),
                (None, Some(commit)) => format!("it is ready at {}", short(commit)),
                (None, None) => "it is still being deployed".to_owned(),
            };
            return false;
        }
        if let Some(text) = &expected.because {
            let failure = known.failure.clone().unwrap_or_default();
            if !failure.contains(text.as_str()) {
                self.seen = format!("it failed at {failure}");
                return false;
            }
        }
        match &expected.to {
            None => true,
            Some(to) => self.is_back_at(&to.value, known),
        }
    }

    fn is_back_at(&mut self, target: &Target, known: &super::apps::Known) -> bool {
        let back = known.back_at.clone().unwrap_or_default();
        let wanted = match target {
            Target::Previous => known.good.last().cloned(),
            Target::Rev(_) => self.target.clone(),
        };
        self.seen = format!("it is back at {}", short(&back));
        wanted.is_some_and(|wanted| !wanted.is_empty() && back.starts_with(&wanted))
    }

    /// The cluster or the repository changed.
    pub(super) fn on_look(&mut self, now: Time, view: &View<'_>) -> Option<Verdict> {
        match self.expected.clone() {
            Expected::Object { object, state, .. } => {
                let found = object::look(view.cluster, &object, &state);
                let holds = found.is_ok();
                self.seen = found.err().unwrap_or_default();
                self.holds(now, holds)
            }
            Expected::NeverObject { object, state } => object::look(view.cluster, &object, &state)
                .is_ok()
                .then(|| self.verdict(false, format!("it was so at {}", self.offset(now)))),
            Expected::Note { on, contains, .. } => {
                let found = object::note(view, &on.value, &contains);
                let holds = found.is_ok();
                self.seen = found.err().unwrap_or_default();
                self.holds(now, holds)
            }
            Expected::Event { app, reason, .. } => {
                let holds = object::has_event(view.cluster, &app.value, &reason);
                "there is no such event".clone_into(&mut self.seen);
                self.holds(now, holds)
            }
            Expected::State(_) | Expected::NeverState { .. } | Expected::Requests { .. } => None,
        }
    }

    /// Whether it holds now: decides at once, or when it has held for long enough.
    fn holds(&mut self, now: Time, holds: bool) -> Option<Verdict> {
        let terms = self.terms();
        if !holds {
            self.holds_since = None;
            return self.is_late(now, &terms);
        }
        let since = *self.holds_since.get_or_insert(now);
        if terms.deadline.is_some_and(|deadline| since > deadline) {
            return self.is_late(now, &terms);
        }
        match terms.hold {
            None if self.is_until_end() => None,
            // `after` names a moment that has to come first, or the time cannot be counted.
            None if self.lacks_moment() => None,
            None => Some(self.verdict(true, format!("at {}", self.offset(since)))),
            Some(hold) if now >= since + hold => {
                Some(self.verdict(true, format!("from {} on", self.offset(since))))
            }
            Some(hold) => {
                self.unasked = Some(since + hold);
                None
            }
        }
    }

    fn lacks_moment(&self) -> bool {
        matches!(&self.expected, Expected::State(state) if state.after.is_some())
            && self.deadline.is_none()
    }

    fn is_late(&self, now: Time, terms: &Terms) -> Option<Verdict> {
        let deadline = terms.deadline.filter(|deadline| now >= *deadline)?;
        let seen = if self.seen.is_empty() { "it did not come to that" } else { &self.seen };
        Some(self.verdict(false, format!("at {} {seen}", self.offset(deadline))))
    }

    /// Time passed.
    pub(super) fn on_time(&mut self, now: Time, apps: &Apps) -> Option<Verdict> {
        match self.holds_since {
            Some(_) => self.holds(now, true),
            None => {
                let terms = self.terms();
                self.on_state(now, apps).or_else(|| self.is_late(now, &terms))
            }
        }
    }

    /// The step ends.
    pub(super) fn on_end(&mut self, now: Time, apps: &Apps) -> Option<Verdict> {
        match self.expected.clone() {
            Expected::NeverState { .. } | Expected::NeverObject { .. } => {
                Some(self.verdict(true, String::new()))
            }
            Expected::Requests { at_most, .. } => {
                let text = format!("there were {}", self.requests);
                Some(self.verdict(self.requests <= at_most, text))
            }
            Expected::State(expected) => {
                let holds = self.state_holds(&expected, apps);
                if let Some(after) = expected.after.filter(|_| self.lacks_moment()) {
                    let detail = format!("{after}, which its time is counted from, did not come");
                    return Some(self.verdict(false, detail));
                }
                Some(self.verdict(holds, self.seen.clone()))
            }
            _ => {
                let met = self.holds_since.is_some();
                let detail =
                    if met { format!("at {}", self.offset(now)) } else { self.seen.clone() };
                Some(self.verdict(met, detail))
            }
        }
    }

    fn offset(&self, at: Time) -> String {
        format!("{:.3} s", at.since(self.started).as_secs_f64())
    }

    fn verdict(&self, met: bool, detail: String) -> Verdict {
        Verdict { what: self.expected.to_string(), met, detail }
    }
}

fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}
