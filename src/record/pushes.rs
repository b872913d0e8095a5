//! Follows each commit through each App and makes a [`Push`] of it.
//!
//! A push begins when somebody means to push (or, for a commit that was there before, when the
//! App hears of it), is taken up by an App with its first event that names the commit, and ends
//! with the first of ready, failed, unchanged, pre-empted. What happens to a commit after that
//! is no push: the way back to it is in `returns`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::phases::{Mark, split};
use super::recorder::{Log, micros};
use super::story;
use super::{PhaseName, Push, PushEnd, Requests, Return, Wave, requests, short};
use crate::base::{Event, Time, limits};

/// The pushes of a run in the order they were taken up, and the commits that nobody took up.
pub(super) fn build(log: &Log<'_>, returns: &[Return]) -> (Vec<Push>, Vec<String>) {
    let mut follower = Follower::default();
    for (index, (at, event)) in log.events.iter().enumerate() {
        follower.see(index, *at, event);
    }
    let mut attempts = follower.attempts;
    attribute(log, &mut attempts);
    let taken: BTreeSet<&str> = attempts.iter().map(|a| a.push.commit.as_str()).collect();
    let unnoticed =
        follower.order.iter().filter(|commit| !taken.contains(commit.as_str())).cloned().collect();
    let mut pushes: Vec<Push> = attempts.into_iter().map(|a| a.finish(log)).collect();
    for back in returns.iter().filter(|back| back.healthy) {
        let failed = pushes
            .iter_mut()
            .find(|p| p.end == PushEnd::Failed && p.app == back.app && p.commit == back.from);
        if let Some(push) = failed {
            push.end = PushEnd::RolledBack;
        }
    }
    (pushes, unnoticed)
}

/// What is known of a commit before an App has it.
#[derive(Clone, Debug, Default)]
struct Origin {
    /// Counts from 1 how often this commit was pushed: a force push may bring one back.
    round: usize,
    intended: Option<Time>,
    /// How long a pipeline built before that.
    built_us: Option<u64>,
    pushed: Option<Time>,
    summary: String,
}

/// A push that is being followed.
struct Attempt {
    push: Push,
    origin: Origin,
    noticed: Option<Time>,
    fetched: Option<Time>,
    rendered: Option<Time>,
    planned: Option<Time>,
    sent: Option<Time>,
    applied: Option<Time>,
    observed: Option<Time>,
    taken_up: Time,
    ended: Option<Time>,
    /// The events between which requests may belong to it.
    first: usize,
    last: Option<usize>,
    /// With instants of the run; turned into those of the push at the end.
    waves: Vec<(usize, usize, Time, Option<Time>)>,
}

#[derive(Default)]
struct Follower {
    origins: BTreeMap<String, Origin>,
    order: Vec<String>,
    noticed: BTreeMap<String, Vec<(usize, Time)>>,
    /// The commit that an App is on its way back to.
    returning: BTreeMap<String, String>,
    attempts: Vec<Attempt>,
    /// The places of each App's in `attempts`.
    of_app: BTreeMap<String, Vec<usize>>,
}

impl Follower {
    fn see(&mut self, index: usize, at: Time, event: &Event) {
        match event {
            Event::PushIntended { commit, summary } => {
                let origin = self.pushed_anew(commit);
                origin.intended = Some(at);
                origin.summary.clone_from(summary);
            }
            Event::Built { commit, took_us } => {
                if let Some(origin) = self.origins.get_mut(commit) {
                    origin.built_us = Some(*took_us);
                }
            }
            Event::Pushed { commit } => {
                let seen = self.origins.get(commit).is_some_and(|o| o.pushed.is_none());
                let origin = if seen {
                    self.origins.entry(commit.clone()).or_default()
                } else {
                    self.pushed_anew(commit)
                };
                origin.pushed = Some(at);
            }
            Event::Noticed { app, ago_us } => {
                let heard = at - Duration::from_micros(*ago_us);
                self.noticed.entry(app.clone()).or_default().push((index, heard));
            }
            Event::RollingBack { app, to, .. } => {
                self.returning.insert(app.clone(), to.clone());
            }
            Event::RolledBack { app, .. } => {
                self.returning.remove(app);
            }
            _ => {
                let Some((app, commit)) = app_and_commit(event) else { return };
                if let Some(attempt) = self.attempt(index, at, app, commit) {
                    attempt.see(index, at, event);
                }
            }
        }
    }

    fn pushed_anew(&mut self, commit: &str) -> &mut Origin {
        if !self.origins.contains_key(commit) {
            self.order.push(commit.to_owned());
        }
        let origin = self.origins.entry(commit.to_owned()).or_default();
        *origin = Origin { round: origin.round + 1, ..Origin::default() };
        origin
    }

    /// The push that an event of this App and commit belongs to: the one that is under way, or a
    /// new one, or `None` where it is about a commit that has had its end.
    fn attempt(&mut self, index: usize, at: Time, app: &str, commit: &str) -> Option<&mut Attempt> {
        if self.returning.get(app).is_some_and(|to| to == commit) {
            return None;
        }
        let round = self.origins.get(commit).map_or(0, |origin| origin.round);
        let is_it = |position: &&usize| {
            let attempt = &self.attempts[**position];
            attempt.push.commit == commit && attempt.origin.round == round
        };
        let own = self.of_app.get(app).map_or(&[][..], Vec::as_slice);
        let found = own.iter().rev().find(is_it).copied();
        let position = match found {
            Some(position) if self.attempts[position].ended.is_some() => return None,
            Some(position) => position,
            None => {
                self.returning.remove(app);
                self.take_up(index, at, app, commit);
                self.attempts.len() - 1
            }
        };
        self.attempts.get_mut(position)
    }

    fn take_up(&mut self, index: usize, at: Time, app: &str, commit: &str) {
        let origin = self.origins.get(commit).cloned().unwrap_or_default();
        let heard = self.noticed.remove(app).unwrap_or_default();
        // Of several notices the first that can have been about this commit counts; where all
        // came before it was pushed, a fetch under way brought it along.
        let after = heard.iter().find(|(_, at)| origin.pushed.is_none_or(|pushed| *at >= pushed));
        let noticed = after.or(heard.last()).copied();
        self.of_app.entry(app.to_owned()).or_default().push(self.attempts.len());
        self.attempts.push(Attempt {
            push: Push {
                app: app.to_owned(),
                commit: commit.to_owned(),
                summary: origin.summary.clone(),
                end: PushEnd::Pending,
                why: None,
                start_us: 0,
                total_us: 0,
                phases: Vec::new(),
                waves: Vec::new(),
                objects: 0,
                changed: BTreeMap::new(),
                requests: Requests::default(),
            },
            origin,
            noticed: noticed.map(|(_, at)| at),
            fetched: None,
            rendered: None,
            planned: None,
            sent: None,
            applied: None,
            observed: None,
            taken_up: at,
            ended: None,
            first: noticed.map_or(index, |(index, _)| index),
            last: None,
            waves: Vec::new(),
        });
    }
}

impl Attempt {
    fn see(&mut self, index: usize, at: Time, event: &Event) {
        // A mark is where a stage first ended: an engine that was killed does it again.
        match event {
            Event::Fetched { .. } => _ = self.fetched.get_or_insert(at),
            Event::Rendered { objects, .. } => {
                self.rendered.get_or_insert(at);
                self.push.objects = *objects;
            }
            Event::Planned { .. } => _ = self.planned.get_or_insert(at),
            Event::WaveSent { wave, requests, .. } => {
                self.sent.get_or_insert(at);
                self.waves.push((*wave, *requests, at, None));
            }
            Event::WaveApplied { wave, .. } => {
                if let Some(sent) = self.waves.iter_mut().rfind(|sent| sent.0 == *wave) {
                    sent.3 = Some(at);
                }
            }
            Event::Changed { action, .. } => {
                *self.push.changed.entry(action.clone()).or_default() += 1;
            }
            Event::Applied { .. } => _ = self.applied.get_or_insert(at),
            Event::Observed { .. } => _ = self.observed.get_or_insert(at),
            Event::Ready { .. } => self.end(index, at, PushEnd::Ready, None),
            // A commit that was rendered changes something; heard of once more, nothing further.
            Event::Unchanged { .. } if self.rendered.is_some() => {}
            Event::Unchanged { .. } => self.end(index, at, PushEnd::Unchanged, None),
            Event::Preempted { by, .. } => {
                self.end(index, at, PushEnd::Preempted, Some(format!("by {}", short(by))));
            }
            Event::Failed { step, reason, object, .. } => {
                let why = story::of_object(object.as_deref(), reason);
                self.end(index, at, PushEnd::Failed, Some(format!("{step}: {why}")));
            }
            _ => {}
        }
    }

    fn end(&mut self, index: usize, at: Time, end: PushEnd, why: Option<String>) {
        self.push.end = end;
        self.push.why = why;
        self.ended = Some(at);
        self.last = Some(index);
    }

    fn finish(mut self, log: &Log<'_>) -> Push {
        let Origin { intended, built_us, pushed, .. } = self.origin;
        let build = intended.zip(built_us).map(|(at, us)| at - Duration::from_micros(us));
        let start = build.or(intended).or(pushed).or(self.noticed).unwrap_or(self.taken_up);
        let end = self.ended.unwrap_or(log.end);
        let healthy = self.ended.filter(|_| self.push.end == PushEnd::Ready);
        let mut marks = Vec::new();
        // What comes before the start is no phase, rather than one that is missing.
        if build.is_some() {
            marks.push(Mark::new(PhaseName::Build, intended));
        }
        if intended.is_some() {
            marks.push(Mark::new(PhaseName::Push, pushed));
        }
        if intended.or(pushed).is_some() {
            marks.push(Mark::new(PhaseName::Notice, self.noticed));
        }
        marks.extend([
            Mark::new(PhaseName::Fetch, self.fetched),
            Mark::new(PhaseName::Render, self.rendered),
            Mark::new(PhaseName::Plan, self.planned),
            Mark::optional(PhaseName::Wait, self.sent),
            Mark::new(PhaseName::Apply, self.applied),
            Mark::new(PhaseName::Observe, self.observed),
            Mark::new(PhaseName::Health, healthy),
        ]);
        self.push.start_us = log.since_start(start);
        self.push.total_us = micros(start, end);
        self.push.phases = split(start, &marks, end);
        self.push.waves = self
            .waves
            .iter()
            .map(|(wave, requests, sent, acknowledged)| Wave {
                wave: *wave,
                requests: *requests,
                sent_us: micros(start, *sent),
                acknowledged_us: acknowledged.map(|at| micros(start, at)),
            })
            .collect();
        self.push
    }
}

/// Counts each request for the push it was sent for. One that names its App counts for what that
/// App took up last, book-keeping after the end included; one that names none for the only App
/// that is busy, or, where several are, in the run's total alone.
fn attribute(log: &Log<'_>, attempts: &mut [Attempt]) {
    let mut by_first: Vec<usize> = (0..attempts.len()).collect();
    by_first.sort_by_key(|position| std::cmp::Reverse(attempts[*position].first));
    let mut newest: BTreeMap<String, usize> = BTreeMap::new();
    let mut busy: BTreeSet<usize> = BTreeSet::new();
    for (index, (at, event)) in log.events.iter().enumerate() {
        while by_first.last().is_some_and(|position| attempts[*position].first <= index) {
            let Some(position) = by_first.pop() else { break };
            newest.insert(attempts[position].push.app.clone(), position);
            busy.insert(position);
        }
        let Event::Request { app, .. } = event else { continue };
        let position = match app {
            Some(app) => newest.get(app).copied().filter(|position| {
                let ended = attempts[*position].ended;
                ended.is_none_or(|ended| at.since(ended) <= limits::BOOKKEEPING)
            }),
            None => only_one(&mut busy, attempts, index),
        };
        if let Some(position) = position {
            requests::add(&mut attempts[position].push.requests, event);
        }
    }
}

/// The only push that is under way at an event; those that ended before leave the set.
fn only_one(busy: &mut BTreeSet<usize>, attempts: &[Attempt], index: usize) -> Option<usize> {
    busy.retain(|position| attempts[*position].last.is_none_or(|last| index <= last));
    if busy.len() == 1 { busy.first().copied() } else { None }
}

fn app_and_commit(event: &Event) -> Option<(&str, &str)> {
    match event {
        Event::Fetched { app, commit }
        | Event::Rendered { app, commit, .. }
        | Event::Unchanged { app, commit }
        | Event::Planned { app, commit, .. }
        | Event::WaveSent { app, commit, .. }
        | Event::Changed { app, commit, .. }
        | Event::WaveApplied { app, commit, .. }
        | Event::Applied { app, commit }
        | Event::Observed { app, commit }
        | Event::Ready { app, commit }
        | Event::Failed { app, commit, .. }
        | Event::Preempted { app, commit, .. } => Some((app, commit)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
