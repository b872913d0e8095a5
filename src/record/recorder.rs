//! Keeps the events of a run in order and, at its end, has them read by each part of the record.

use serde::Serialize;

use super::{
    Failure, FailureKind, Heading, Moment, PushEnd, Quantiles, RunRecord, Verdict, drifts, pushes,
    requests, returns, story,
};
use crate::base::{Event, Time, limits};

/// The events of one run.
#[derive(Clone, Debug)]
pub struct Recorder {
    heading: Heading,
    start: Time,
    events: Vec<(Time, Event)>,
}

/// How the run's loop came to its end; whether that is a success follows from the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All steps done, and the world at rest.
    Done,
    /// It could not be run here.
    Skipped {
        /// What is missing.
        why: String,
    },
    /// Its bound was reached first.
    NotConverged {
        /// What was still pending.
        why: String,
    },
}

#[derive(Serialize)]
struct Line<'a> {
    t: u64,
    #[serde(flatten)]
    event: &'a Event,
}

impl Recorder {
    /// An empty record of a run that starts at `start`.
    #[must_use]
    pub const fn new(heading: Heading, start: Time) -> Self {
        Self { heading, start, events: Vec::new() }
    }

    /// Adds what happened at `at`. Events are added in the order they happen; an instant that
    /// lies before the last one is taken as that one.
    pub fn add(&mut self, at: Time, event: Event) {
        let at = self.events.last().map_or(at.max(self.start), |(last, _)| at.max(*last));
        self.events.push((at, event));
    }

    /// Everything so far, in order.
    #[must_use]
    pub fn events(&self) -> &[(Time, Event)] {
        &self.events
    }

    /// What is known of the run beforehand.
    #[must_use]
    pub const fn heading(&self) -> &Heading {
        &self.heading
    }

    /// When the run started.
    #[must_use]
    pub const fn start(&self) -> Time {
        self.start
    }

    /// The content of `raw.jsonl`: one line an event, `t` in microseconds since the start. In
    /// virtual time the same seed gives the same bytes.
    #[must_use]
    pub fn raw_jsonl(&self) -> String {
        let mut text = String::new();
        for (at, event) in &self.events {
            #[expect(clippy::expect_used, reason = "states an invariant")]
            let line = serde_json::to_string(&Line { t: micros(self.start, *at), event })
                .expect("because an event is text and numbers");
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// What the run came to, ended at `end`. A finding of an oracle outweighs not having come to
    /// rest, and that outweighs an expectation that was not met.
    #[must_use]
    pub fn finish(&self, end: Time, ending: Ending) -> RunRecord {
        let end = self.events.last().map_or(end.max(self.start), |(last, _)| end.max(*last));
        let log = Log { start: self.start, end, events: &self.events };
        let returns = returns::build(&log);
        let (pushes, unnoticed) = pushes::build(&log, &returns);
        let failures = failures(&log);
        let ready = pushes.iter().filter(|p| p.end == PushEnd::Ready).map(|p| p.total_us);
        RunRecord {
            heading: self.heading.clone(),
            verdict: verdict(ending, &failures),
            duration_us: micros(self.start, end),
            steps: log.count(|e| matches!(e, Event::Step { .. })),
            began_us: began(&log),
            expectations_met: log.count(|e| matches!(e, Event::Expected { met: true, .. })),
            failures,
            push_to_ready: Quantiles::of(ready.collect()),
            pushes,
            unnoticed,
            returns,
            drifts: drifts::build(&log),
            requests: requests::count(&self.events),
            writes_at_rest: requests::writes_at_rest(&log),
        }
    }
}

/// What the parts of a record are built from.
pub(super) struct Log<'a> {
    pub(super) start: Time,
    pub(super) end: Time,
    pub(super) events: &'a [(Time, Event)],
}

impl Log<'_> {
    /// Microseconds from the run's start to `at`.
    pub(super) fn since_start(&self, at: Time) -> u64 {
        micros(self.start, at)
    }

    fn count(&self, which: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|(_, event)| which(event)).count()
    }
}

/// Microseconds from `from` to `to`, 0 if that lies before.
pub(super) const fn micros(from: Time, to: Time) -> u64 {
    to.as_micros().saturating_sub(from.as_micros())
}

/// When each step began.
fn began(log: &Log<'_>) -> Vec<u64> {
    let steps = log.events.iter().filter(|(_, event)| matches!(event, Event::Step { .. }));
    steps.map(|(at, _)| log.since_start(*at)).collect()
}

fn verdict(ending: Ending, failures: &[Failure]) -> Verdict {
    match ending {
        Ending::Skipped { why } => Verdict::Skipped { why },
        _ if failures.iter().any(|f| f.kind == FailureKind::Oracle) => Verdict::Failed,
        Ending::NotConverged { why } => Verdict::NotConverged { why },
        Ending::Done if failures.is_empty() => Verdict::Passed,
        Ending::Done => Verdict::Failed,
    }
}

fn failures(log: &Log<'_>) -> Vec<Failure> {
    let mut found = Vec::new();
    for (index, (at, event)) in log.events.iter().enumerate() {
        let (kind, step, what, detail) = match event {
            Event::Expected { step, what, met: false, detail } => {
                (FailureKind::Expectation, Some(*step), what, detail)
            }
            Event::OracleFailed { oracle, detail } => (FailureKind::Oracle, None, oracle, detail),
            _ => continue,
        };
        found.push(Failure {
            kind,
            step,
            what: what.clone(),
            detail: detail.clone(),
            at_us: log.since_start(*at),
            tail: tail(log, index),
        });
    }
    found
}

/// The last events before `index` that a reader wants to see: answered requests and verdicts of
/// other expectations only crowd out what matters.
fn tail(log: &Log<'_>, index: usize) -> Vec<Moment> {
    let told = |event: &Event| match event {
        Event::Request { code, .. } => *code >= 400,
        Event::Expected { .. } | Event::OracleFailed { .. } => false,
        _ => true,
    };
    let before = log.events[..index].iter().rev().filter(|(_, event)| told(event));
    let mut tail: Vec<Moment> = before
        .take(limits::FAILURE_TAIL)
        .map(|(at, event)| Moment { at_us: log.since_start(*at), text: story::sentence(event) })
        .collect();
    tail.reverse();
    tail
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, record_ended, recorded};
    use super::*;

    fn oracle() -> (u64, Event) {
        let (oracle, detail) = ("no orphan".to_owned(), "ConfigMap/shop/old".to_owned());
        (1, Event::OracleFailed { oracle, detail })
    }

    fn unmet() -> (u64, Event) {
        let (what, detail) = ("shop ready".to_owned(), "it is not".to_owned());
        (1, Event::Expected { step: 0, what, met: false, detail })
    }

    #[track_caller]
    fn check_verdict(events: Vec<(u64, Event)>, ending: Ending, expected: Verdict) {
        assert_eq!(record_ended("a", events, ending).verdict, expected);
    }

    #[test]
    fn a_verdict_follows_from_the_ending_and_the_events() {
        let pending = || Ending::NotConverged { why: "shop".to_owned() };
        check_verdict(vec![], Ending::Done, Verdict::Passed);
        check_verdict(vec![unmet()], Ending::Done, Verdict::Failed);
        check_verdict(vec![unmet()], pending(), Verdict::NotConverged { why: "shop".to_owned() });
        check_verdict(vec![unmet(), oracle()], pending(), Verdict::Failed);
        let skipped = Ending::Skipped { why: "no kind here".to_owned() };
        let why = "no kind here".to_owned();
        check_verdict(vec![], skipped, Verdict::Skipped { why });
    }

    #[test]
    fn raw_lines_have_time_and_event_first_and_nothing_of_the_environment() {
        let lines = recorded(
            "a",
            vec![
                (5, Event::Noticed { app: "shop".to_owned(), ago_us: 0 }),
                (
                    1_000,
                    Event::Request {
                        verb: "get".to_owned(),
                        object: "ConfigMap/shop/state".to_owned(),
                        code: 404,
                        dry_run: false,
                        app: None,
                    },
                ),
            ],
        );
        expect_test::expect![[r#"
            {"t":5,"event":"noticed","app":"shop","ago_us":0}
            {"t":1000,"event":"request","verb":"get","object":"ConfigMap/shop/state","code":404,"dry_run":false}
        "#]]
        .assert_eq(&lines.raw_jsonl());
    }

    #[test]
    fn an_instant_before_the_last_is_taken_as_the_last() {
        let noticed = || Event::Noticed { app: "shop".to_owned(), ago_us: 0 };
        let recorder = recorded("a", vec![(9, noticed()), (3, noticed())]);
        let (first, second) = (recorder.events()[0].0, recorder.events()[1].0);
        assert_eq!(first, second);
    }

    #[test]
    fn a_failure_carries_what_happened_last_before_it() {
        let record = sample::record("a", sample::story(false));
        let [failure] = record.failures.as_slice() else { panic!("one failure") };
        assert_eq!(failure.step, Some(3));
        assert_eq!(failure.tail.len(), limits::FAILURE_TAIL);
        let last = failure.tail.last().map(|moment| moment.text.as_str());
        assert_eq!(last, Some("shop has applied 3f2a9c1"));
    }

    #[test]
    fn a_record_reads_back_from_its_own_json() {
        let record = sample::record("a", sample::story(true));
        let back: RunRecord = serde_json::from_str(&record.json()).expect("its own format");
        assert_eq!(back, record);
        let skipped = RunRecord::skipped(sample::heading("b"), "no cluster");
        let back: RunRecord = serde_json::from_str(&skipped.json()).expect("its own format");
        assert_eq!(back, skipped);
    }
}
