//! Follows each way back from a failed revision: a rollback, or a revert commit.
//!
//! It counts from the failure, so that the time in which nothing was decided yet is in the figure.

use std::collections::BTreeMap;

use super::phases::{Mark, split};
use super::recorder::{Log, micros};
use super::{PhaseName, Return, ReturnKind};
use crate::base::{Event, Time};

/// The ways back of a run, in the order they were decided.
pub(super) fn build(log: &Log<'_>) -> Vec<Return> {
    let mut failed: BTreeMap<(&str, &str), Time> = BTreeMap::new();
    let mut ways: Vec<Way<'_>> = Vec::new();
    for (at, event) in log.events {
        match event {
            Event::Failed { app, commit, .. } => {
                failed.insert((app, commit), *at);
            }
            Event::RollingBack { app, from, to } => {
                let start = failed.get(&(app, from)).copied();
                ways.push(Way::new(ReturnKind::Rollback, app, from, to, start, *at));
            }
            Event::RevertPushed { app, from, commit } => {
                let start = failed.get(&(app, from)).copied();
                ways.push(Way::new(ReturnKind::Revert, app, from, commit, start, *at));
            }
            _ => {}
        }
        for way in ways.iter_mut().filter(|way| way.ended.is_none()) {
            way.see(*at, event);
        }
    }
    ways.into_iter().map(|way| way.finish(log)).collect()
}

struct Way<'a> {
    kind: ReturnKind,
    app: &'a str,
    from: &'a str,
    to: &'a str,
    start: Time,
    decided: Time,
    applied: Option<Time>,
    ended: Option<Time>,
    healthy: bool,
}

impl<'a> Way<'a> {
    fn new(
        kind: ReturnKind,
        app: &'a str,
        from: &'a str,
        to: &'a str,
        failed: Option<Time>,
        decided: Time,
    ) -> Self {
        let start = failed.unwrap_or(decided);
        Self { kind, app, from, to, start, decided, applied: None, ended: None, healthy: false }
    }

    fn see(&mut self, at: Time, event: &Event) {
        match event {
            Event::Applied { app, commit } if app == self.app && commit == self.to => {
                self.applied.get_or_insert(at);
            }
            Event::RolledBack { app, to, .. } if app == self.app && to == self.to => {
                self.end(at, true);
            }
            // A rollback says `RolledBack` when it is through; a revert is a commit like others.
            Event::Ready { app, commit }
                if app == self.app && commit == self.to && self.kind == ReturnKind::Revert =>
            {
                self.end(at, true);
            }
            Event::Failed { app, commit, .. } if app == self.app && commit == self.to => {
                self.end(at, false);
            }
            // A newer commit is taken at once, also in the middle of a way back.
            Event::Fetched { app, commit }
                if app == self.app && commit != self.to && commit != self.from =>
            {
                self.end(at, false);
            }
            _ => {}
        }
    }

    fn end(&mut self, at: Time, healthy: bool) {
        self.ended = Some(at);
        self.healthy = healthy;
    }

    fn finish(self, log: &Log<'_>) -> Return {
        let end = self.ended.unwrap_or(log.end);
        let marks = [
            Mark::new(PhaseName::Decide, Some(self.decided)),
            Mark::new(PhaseName::Apply, self.applied),
            Mark::new(PhaseName::Health, self.ended.filter(|_| self.healthy)),
        ];
        Return {
            kind: self.kind,
            app: self.app.to_owned(),
            from: self.from.to_owned(),
            to: self.to.to_owned(),
            healthy: self.healthy,
            start_us: log.since_start(self.start),
            total_us: micros(self.start, end),
            phases: split(self.start, &marks, end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{BAD, FIRST, GOOD, applied, pushed, ready, record, shop};
    use super::super::{PushEnd, RunRecord};
    use super::*;

    fn failed(t: u64, commit: &str) -> (u64, Event) {
        let (step, reason) = ("health".to_owned(), "never ready".to_owned());
        (t, Event::Failed { app: shop(), commit: commit.to_owned(), step, reason, object: None })
    }

    #[track_caller]
    fn check(record: &RunRecord, healthy: bool, expected: &[(PhaseName, u64)]) {
        let [back] = record.returns.as_slice() else { panic!("one way back") };
        let phases: Vec<_> = back.phases.iter().map(|p| (p.phase, p.us)).collect();
        assert_eq!((back.healthy, phases.as_slice()), (healthy, expected));
        assert_eq!(back.total_us, back.phases.iter().map(|p| p.us).sum::<u64>(), "adds up");
    }

    #[test]
    fn a_revert_is_a_way_back_and_a_push() {
        let (app, from, commit) = (shop(), BAD.to_owned(), FIRST.to_owned());
        let mut events = [pushed(0, BAD, "bad"), applied(20_000, BAD)].concat();
        events.push(failed(100_000, BAD));
        events.push((101_000, Event::RevertPushed { app, from, commit }));
        events.extend(pushed(101_000, FIRST, "revert"));
        events.extend(applied(120_000, FIRST));
        events.push(ready(200_000, FIRST));
        let record = record("a", events);
        let expected =
            [(PhaseName::Decide, 1_000), (PhaseName::Apply, 31_500), (PhaseName::Health, 67_500)];
        check(&record, true, &expected);
        let ends: Vec<_> = record.pushes.iter().map(|push| push.end).collect();
        assert_eq!(ends, [PushEnd::RolledBack, PushEnd::Ready]);
    }

    #[test]
    fn a_newer_commit_in_the_middle_ends_the_way_back() {
        let (app, from, to) = (shop(), BAD.to_owned(), FIRST.to_owned());
        let mut events = [pushed(0, BAD, "bad"), applied(20_000, BAD)].concat();
        events.push(failed(100_000, BAD));
        events.push((100_000, Event::RollingBack { app, from, to }));
        events.extend(pushed(110_000, GOOD, "good"));
        events.extend(applied(130_000, GOOD));
        events.push(ready(200_000, GOOD));
        let record = record("a", events);
        check(&record, false, &[(PhaseName::Decide, 0), (PhaseName::Apply, 30_000)]);
        let ends: Vec<_> = record.pushes.iter().map(|push| push.end).collect();
        assert_eq!(ends, [PushEnd::Failed, PushEnd::Ready]);
    }
}
