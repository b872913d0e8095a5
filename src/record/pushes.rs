//! Follows each commit through each App and makes a [`Push`] of it.
//!
//! A push begins when somebody means to push (or, for a commit that was there before, when the
//! App hears of it), is taken up by an App with its first event that names the commit, and ends
//! with the first of ready, failed, unchanged, pre-empted. What happens to a commit after that
//! is no push: the way back to it is in `returns`.

use std::collections::{BTreeMap, BTreeSet};

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
    let taken = |commit: &str| attempts.iter().any(|a| a.push.commit == commit);
    let unnoticed = follower.order.iter().filter(|c| !taken(c)).cloned().collect();
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
}

impl Follower {
    fn see(&mut self, index: usize, at: Time, event: &Event) {
        match event {
            Event::PushIntended { commit, summary } => {
                let origin = self.pushed_anew(commit);
                origin.intended = Some(at);
                origin.summary.clone_from(summary);
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
            Event::Noticed { app } => {
                self.noticed.entry(app.clone()).or_default().push((index, at));
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
        let found = self
            .attempts
            .iter()
            .rposition(|a| a.push.app == app && a.push.commit == commit && a.origin.round == round);
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
        let Origin { intended, pushed, .. } = self.origin;
        let start = intended.or(pushed).or(self.noticed).unwrap_or(self.taken_up);
        let end = self.ended.unwrap_or(log.end);
        let healthy = self.ended.filter(|_| self.push.end == PushEnd::Ready);
        let mut marks = Vec::new();
        // What comes before the start is no phase, rather than one that is missing.
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
mod tests {
    use super::super::RunRecord;
    use super::super::sample::{self, BAD, FIRST, GOOD, applied, pushed, ready, record, shop};
    use super::*;

    /// Every push as `app commit end total: phase us, ...`; that the phases add up is checked on
    /// the way.
    fn shown(record: &RunRecord) -> String {
        let mut text = String::new();
        for push in &record.pushes {
            let sum: u64 = push.phases.iter().map(|phase| phase.us).sum();
            assert_eq!(sum, push.total_us, "the phases of {} add up", push.commit);
            let phases: Vec<String> =
                push.phases.iter().map(|p| format!("{} {}", p.phase.key(), p.us)).collect();
            let (commit, end) = (short(&push.commit), format!("{:?}", push.end).to_lowercase());
            let phases = phases.join(", ");
            text += &format!("{} {commit} {end} {}: {phases}\n", push.app, push.total_us);
        }
        text
    }

    #[track_caller]
    fn check(events: Vec<(u64, Event)>, expected: &str) {
        assert_eq!(shown(&record("a", events)), expected);
    }

    fn join(parts: Vec<Vec<(u64, Event)>>) -> Vec<(u64, Event)> {
        parts.into_iter().flatten().collect()
    }

    fn apply_requests(push: &Push) -> usize {
        push.requests.by_verb.get("apply").copied().unwrap_or(0)
    }

    #[test]
    fn a_push_is_split_from_intended_to_ready() {
        check(
            join(vec![pushed(100, GOOD, "x"), applied(40_000, GOOD), vec![ready(90_000, GOOD)]]),
            "shop 3f2a9c1 ready 89900: push 2000, notice 12400, fetch 25500, render 1200, \
             plan 300, wait 0, apply 11000, observe 2500, health 35000\n",
        );
    }

    #[test]
    fn a_commit_that_was_there_before_counts_from_being_noticed() {
        let noticed = vec![(7, Event::Noticed { app: shop() })];
        check(
            join(vec![noticed, applied(1_000, FIRST), vec![ready(20_000, FIRST)]]),
            "shop 11d2e0f ready 19993: fetch 993, render 1200, plan 300, wait 0, apply 11000, \
             observe 2500, health 4000\n",
        );
    }

    #[test]
    fn an_early_notice_that_a_running_fetch_outlived_leaves_no_hole() {
        let mut events = vec![(0, Event::Noticed { app: shop() })];
        events.push((500, Event::Pushed { commit: GOOD.to_owned() }));
        events.push((900, Event::Fetched { app: shop(), commit: GOOD.to_owned() }));
        events.push((1_000, Event::Unchanged { app: shop(), commit: GOOD.to_owned() }));
        check(events, "shop 3f2a9c1 unchanged 500: notice 0, fetch 400, render 100\n");
    }

    #[test]
    fn a_stage_that_did_not_say_when_it_ended_is_not_attributed() {
        let mut events = join(vec![pushed(0, GOOD, "x"), applied(40_000, GOOD)]);
        events.retain(|(_, event)| !matches!(event, Event::Rendered { .. }));
        events.push(ready(60_000, GOOD));
        check(
            events,
            "shop 3f2a9c1 ready 60000: push 2000, notice 12400, fetch 25600, \
             unattributed 1500, wait 0, apply 11000, observe 2500, health 5000\n",
        );
    }

    #[test]
    fn a_push_that_is_overtaken_ends_in_the_phase_under_way() {
        let overtaken = Event::Preempted { app: shop(), commit: GOOD.into(), by: BAD.into() };
        let events =
            join(vec![pushed(0, GOOD, "x"), applied(40_000, GOOD), vec![(70_000, overtaken)]]);
        let record = record("a", events.clone());
        assert_eq!(record.pushes[0].why.as_deref(), Some("by 9d0e1f2"));
        check(
            events,
            "shop 3f2a9c1 preempted 70000: push 2000, notice 12400, fetch 25600, render 1200, \
             plan 300, wait 0, apply 11000, observe 2500, health 15000\n",
        );
    }

    #[test]
    fn the_way_back_is_no_push_of_the_commit_gone_back_to() {
        let record = record("a", sample::story(true));
        let ends: Vec<_> = record.pushes.iter().map(|p| (p.commit.as_str(), p.end)).collect();
        assert_eq!(ends, [(GOOD, PushEnd::Ready), (BAD, PushEnd::RolledBack)]);
        assert_eq!(record.pushes[1].total_us, 30_073_500);
        let [back] = record.returns.as_slice() else { panic!("one way back") };
        let phases: Vec<_> = back.phases.iter().map(|p| (p.phase, p.us)).collect();
        assert_eq!(back.total_us, 1_250_000);
        let (decide, apply) = ((PhaseName::Decide, 0), (PhaseName::Apply, 8_000));
        assert_eq!(phases, [decide, apply, (PhaseName::Health, 1_242_000)]);
    }

    #[test]
    fn a_failure_without_a_way_back_stays_a_failure() {
        let record = record("a", sample::story(false));
        assert_eq!(record.pushes[1].end, PushEnd::Failed);
        assert_eq!((record.returns[0].healthy, record.returns[0].total_us), (false, 10_000_000));
    }

    #[test]
    fn a_commit_brought_back_by_a_force_push_is_a_push_of_its_own() {
        let once = |t| {
            join(vec![
                pushed(t, GOOD, "x"),
                applied(t + 40_000, GOOD),
                vec![ready(t + 90_000, GOOD)],
            ])
        };
        let record = record("a", join(vec![once(0), once(1_000_000)]));
        assert_eq!(record.pushes.len(), 2);
        assert_eq!(record.pushes[1].start_us, 1_000_000);
        assert_eq!(record.push_to_ready.map(|q| q.count), Some(2));
    }

    #[test]
    fn a_commit_that_no_app_took_up_is_told() {
        let record = record("a", pushed(0, GOOD, "x"));
        assert_eq!(record.unnoticed, [GOOD]);
        assert!(record.pushes.is_empty());
    }

    #[test]
    fn requests_count_for_the_app_they_name_or_the_only_one_that_is_busy() {
        let named =
            join(vec![pushed(0, GOOD, "x"), applied(40_000, GOOD), vec![ready(90_000, GOOD)]]);
        let unnamed = |events: &[(u64, Event)]| -> Vec<(u64, Event)> {
            let mut events = events.to_vec();
            for (_, event) in &mut events {
                if let Event::Request { app, .. } = event {
                    *app = None;
                }
            }
            events
        };
        assert_eq!(apply_requests(&record("a", named.clone()).pushes[0]), 2);
        assert_eq!(apply_requests(&record("a", unnamed(&named)).pushes[0]), 2);

        let other = (30_000, Event::Fetched { app: "web".to_owned(), commit: GOOD.to_owned() });
        let mut two = unnamed(&named);
        two.insert(3, other);
        let record = record("a", two);
        assert!(record.pushes.iter().all(|push| push.requests.total == 0));
        assert_eq!(record.requests.total, 2);
    }
}
