//! Counts what the engine asked of the API server, and what it wrote when it had nothing to do.

use std::collections::BTreeSet;

use super::Requests;
use super::recorder::Log;
use crate::base::{Event, Time, limits};

/// Every request of a run.
pub(super) fn count(events: &[(Time, Event)]) -> Requests {
    let mut requests = Requests::default();
    for (_, event) in events {
        add(&mut requests, event);
    }
    requests
}

/// Adds one event; nothing where it is no request.
pub(super) fn add(requests: &mut Requests, event: &Event) {
    let Event::Request { verb, code, dry_run, .. } = event else { return };
    requests.total += 1;
    requests.dry_runs += usize::from(*dry_run);
    requests.refused += usize::from(*code >= 400);
    *requests.by_verb.entry(verb.clone()).or_default() += 1;
}

/// Writes that arrived while no revision, way back or correction was under way, later than
/// [`limits::BOOKKEEPING`] after the last of them. Leases are renewed at rest and do not count.
pub(super) fn writes_at_rest(log: &Log<'_>) -> usize {
    let mut busy: BTreeSet<Work<'_>> = BTreeSet::new();
    let mut calm_since = log.start;
    let mut writes = 0;
    for (at, event) in log.events {
        if is_write(event) {
            let calm = busy.is_empty() && at.since(calm_since) > limits::BOOKKEEPING;
            writes += usize::from(calm);
        }
        match work(event) {
            Some((work, true)) => {
                busy.insert(work);
            }
            Some((work, false)) => {
                busy.remove(&work);
            }
            None => {}
        }
        if !matches!(event, Event::Request { .. } | Event::Expected { .. } | Event::Step { .. }) {
            calm_since = *at;
        }
    }
    writes
}

/// Something the engine is in the middle of.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Work<'a> {
    Commit(&'a str, &'a str),
    Return(&'a str),
    Object(&'a str),
}

/// What begins (true) or ends (false) with an event.
fn work(event: &Event) -> Option<(Work<'_>, bool)> {
    Some(match event {
        Event::Fetched { app, commit } => (Work::Commit(app, commit), true),
        Event::Unchanged { app, commit }
        | Event::Ready { app, commit }
        | Event::Failed { app, commit, .. }
        | Event::Preempted { app, commit, .. } => (Work::Commit(app, commit), false),
        Event::RollingBack { app, .. } => (Work::Return(app), true),
        Event::RolledBack { app, .. } => (Work::Return(app), false),
        Event::DriftSeen { object, .. } => (Work::Object(object), true),
        Event::DriftCorrected { object, .. } | Event::DriftReported { object, .. } => {
            (Work::Object(object), false)
        }
        _ => return None,
    })
}

fn is_write(event: &Event) -> bool {
    let Event::Request { verb, object, dry_run: false, .. } = event else { return false };
    let reads = matches!(verb.as_str(), "get" | "list" | "watch");
    !reads && !object.starts_with("coordination.k8s.io/Lease/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(verb: &str, object: &str, dry_run: bool) -> Event {
        let (verb, object) = (verb.to_owned(), object.to_owned());
        Event::Request { verb, object, code: 200, dry_run, app: None }
    }

    fn fetched() -> Event {
        Event::Fetched { app: "shop".to_owned(), commit: "c1".to_owned() }
    }

    fn ready() -> Event {
        Event::Ready { app: "shop".to_owned(), commit: "c1".to_owned() }
    }

    #[track_caller]
    fn check(events: Vec<(u64, Event)>, expected: usize) {
        let events: Vec<_> =
            events.into_iter().map(|(s, e)| (Time::from_micros(s * 1_000_000), e)).collect();
        let end = Time::from_micros(u64::MAX);
        let log = Log { start: Time::from_micros(0), end, events: &events };
        assert_eq!(writes_at_rest(&log), expected);
    }

    #[test]
    fn writes_of_a_revision_and_its_book_keeping_are_not_at_rest() {
        let apply = || request("apply", "apps/Deployment/shop/cart", false);
        check(vec![(10, fetched()), (40, apply()), (50, ready()), (51, apply())], 0);
        check(vec![(10, fetched()), (50, ready()), (61, apply())], 1);
    }

    #[test]
    fn leases_reads_and_dry_runs_may_go_on_at_rest() {
        check(vec![(60, request("update", "coordination.k8s.io/Lease/shop/engine", false))], 0);
        check(vec![(60, request("list", "apps/Deployment", false))], 0);
        check(vec![(60, request("apply", "apps/Deployment/shop/cart", true))], 0);
        check(vec![(60, request("patch", "ConfigMap/shop/state", false))], 1);
    }
}
