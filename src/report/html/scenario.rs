//! One scenario: its time line, a waterfall for each push, what drifted, what failed.

use serde::Serialize;

use super::scale::{Tick, percent, ticks};
use crate::record::{
    Drift, DriftEnd, FailureKind, PhaseName, Push, PushEnd, Return, RunRecord, short,
};
use crate::report::digest::{
    drift_end_words, end_words, gist, phase_words, return_label, return_words, why, word,
};
use crate::report::duration::{Column, duration, seconds};
use crate::report::failure::reproduction;
use crate::report::page::counted;

/// The phases in the order of a push.
pub(super) const PHASES: [PhaseName; 10] = [
    PhaseName::Push,
    PhaseName::Notice,
    PhaseName::Fetch,
    PhaseName::Render,
    PhaseName::Plan,
    PhaseName::Wait,
    PhaseName::Apply,
    PhaseName::Observe,
    PhaseName::Health,
    PhaseName::Unattributed,
];

/// Pushes whose waterfall is open at once; where there are more, each opens at a click.
const OPEN: usize = 6;

/// A scenario as the template names it.
#[derive(Serialize)]
pub(super) struct Scenario {
    id: String,
    name: String,
    outcome: &'static str,
    why: Option<String>,
    description: String,
    run: String,
    gist: String,
    open: bool,
    axis: Vec<Tick>,
    lanes: Vec<Lane>,
    pushes: Vec<PushView>,
    rows: Vec<FactRow>,
    failures: Vec<Story>,
    reproduce: String,
}

/// What happened to one App, on the run's time line.
#[derive(Serialize)]
struct Lane {
    app: String,
    spans: Vec<Span>,
}

/// A stretch of a time line.
#[derive(Serialize)]
struct Span {
    left: String,
    width: String,
    key: &'static str,
    title: String,
}

#[derive(Serialize)]
struct PushView {
    app: String,
    commit: String,
    summary: String,
    key: &'static str,
    end: String,
    why: Option<String>,
    open: bool,
    bars: Vec<Bar>,
    about: String,
    total: String,
}

/// A row of a waterfall.
#[derive(Serialize)]
struct Bar {
    label: String,
    time: String,
    is_part: bool,
    span: Span,
}

/// A fact with a label, and how it is to be taken.
#[derive(Serialize)]
struct FactRow {
    label: &'static str,
    key: &'static str,
    text: String,
}

/// What was not as it should be.
#[derive(Serialize)]
struct Story {
    headline: String,
    expected: Option<String>,
    found: String,
    at: String,
    moments: Vec<(String, String)>,
}

pub(super) fn view(number: usize, record: &RunRecord) -> Scenario {
    let heading = &record.heading;
    let outcome = word(&record.verdict);
    let worked = record.pushes.iter().filter(|push| push.end != PushEnd::Unchanged);
    let pushes: Vec<&Push> = worked.collect();
    let open = pushes.len() <= OPEN;
    Scenario {
        id: format!("s{}", number + 1),
        name: heading.name.clone(),
        outcome,
        why: why(&record.verdict),
        description: heading.description.clone(),
        run: format!(
            "{} {}, {}, seed {}",
            duration(record.duration_us),
            heading.clock.word(),
            heading.profile,
            heading.seed
        ),
        gist: gist(record),
        open: outcome == "failed",
        axis: ticks(record.duration_us),
        lanes: lanes(record),
        pushes: pushes.into_iter().map(|push| push_view(push, open)).collect(),
        rows: facts(record),
        failures: failures(record),
        reproduce: reproduction(record),
    }
}

/// A lane for each App in the order of the first push, with its pushes, ways back and drifts.
fn lanes(record: &RunRecord) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = Vec::new();
    let mut add = |app: &str, span: Span| match lanes.iter_mut().find(|lane| lane.app == app) {
        Some(lane) => lane.spans.push(span),
        None => lanes.push(Lane { app: app.to_owned(), spans: vec![span] }),
    };
    let all = record.duration_us;
    for push in record.pushes.iter().filter(|push| push.end != PushEnd::Unchanged) {
        let end = end_words(push.end, push.total_us);
        let title = format!("{} {}: {end}", short(&push.commit), push.summary);
        add(&push.app, span(push.start_us, push.total_us, all, end_key(push.end), title));
    }
    for back in &record.returns {
        let title = format!("back to {} in {}", short(&back.to), duration(back.total_us));
        add(&back.app, span(back.start_us, back.total_us, all, "back", title));
    }
    for drift in record.drifts.iter().filter(|drift| drift.app.is_some()) {
        let after = drift.ended_us.or(drift.seen_us).unwrap_or(0);
        let title = format!("drift of {}: {}", drift.object, drift_end_words(drift));
        let app = drift.app.as_deref().unwrap_or_default();
        add(app, span(drift.start_us, after, all, "drift", title));
    }
    lanes
}

fn span(start_us: u64, long_us: u64, all_us: u64, key: &'static str, title: String) -> Span {
    let long_us = long_us.min(all_us.saturating_sub(start_us));
    Span { left: percent(start_us, all_us), width: percent(long_us, all_us), key, title }
}

const fn end_key(end: PushEnd) -> &'static str {
    match end {
        PushEnd::Ready => "ready",
        PushEnd::Failed | PushEnd::RolledBack => "failed",
        PushEnd::Preempted | PushEnd::Unchanged | PushEnd::Pending => "other",
    }
}

fn push_view(push: &Push, open: bool) -> PushView {
    PushView {
        app: push.app.clone(),
        commit: short(&push.commit).to_owned(),
        summary: push.summary.clone(),
        key: end_key(push.end),
        end: end_words(push.end, push.total_us),
        why: push.why.clone(),
        open,
        bars: bars(push),
        about: about(push),
        total: Column::of(push.total_us).show(push.total_us),
    }
}

/// The phases of a push in order, and below the apply its waves where there are several.
fn bars(push: &Push) -> Vec<Bar> {
    let (column, all) = (Column::of(push.total_us), push.total_us);
    let bar = |label: &str, key, is_part, from: u64, us: u64| Bar {
        label: label.to_owned(),
        time: column.show(us),
        is_part,
        span: span(from, us, all, key, format!("{label}: {}", duration(us))),
    };
    let mut bars = Vec::new();
    let mut at = 0;
    for phase in &push.phases {
        if phase.us > 0 || phase.phase != PhaseName::Wait {
            bars.push(bar(phase_words(phase.phase), phase.phase.key(), false, at, phase.us));
        }
        if phase.phase == PhaseName::Apply && push.waves.len() > 1 {
            for wave in &push.waves {
                let label = format!("wave {}, {}", wave.wave, counted(wave.requests, "request"));
                let until = wave.acknowledged_us.unwrap_or(all);
                let long = until.saturating_sub(wave.sent_us);
                bars.push(bar(&label, "apply", true, wave.sent_us, long));
            }
        }
        at += phase.us;
    }
    bars
}

/// What was sent and written for a push.
fn about(push: &Push) -> String {
    let mut parts = vec![counted(push.objects, "object")];
    parts.extend(push.changed.iter().map(|(what, n)| format!("{n} {what}")));
    parts.push(counted(push.requests.total, "request"));
    if push.requests.dry_runs > 0 {
        parts.push(counted(push.requests.dry_runs, "dry-run"));
    }
    parts.join(", ")
}

/// Ways back, drift, requests.
fn facts(record: &RunRecord) -> Vec<FactRow> {
    let mut rows: Vec<FactRow> = record.returns.iter().map(return_row).collect();
    rows.extend(record.drifts.iter().map(drift_row));
    rows.extend(record.unnoticed.iter().map(|commit| FactRow {
        label: "overtaken",
        key: "other",
        text: format!("{}: no App took it up", short(commit)),
    }));
    if record.requests.total > 0 {
        let verbs = record.requests.by_verb.iter().map(|(verb, n)| format!("{n} {verb}"));
        let verbs: Vec<String> = verbs.collect();
        let text = format!("{} ({})", record.requests.total, verbs.join(", "));
        rows.push(FactRow { label: "requests", key: "plain", text });
    }
    if record.expectations_met > 0 {
        let text = format!("{} met", counted(record.expectations_met, "expectation"));
        rows.push(FactRow { label: "checked", key: "plain", text });
    }
    if record.writes_at_rest > 0 {
        let text = counted(record.writes_at_rest, "write");
        rows.push(FactRow { label: "at rest", key: "other", text });
    }
    rows
}

fn return_row(back: &Return) -> FactRow {
    let key = if back.healthy { "ready" } else { "failed" };
    FactRow { label: return_label(back), key, text: return_words(back) }
}

fn drift_row(drift: &Drift) -> FactRow {
    let mut text = drift.object.clone();
    if !drift.what.is_empty() {
        text.push_str(&format!(" {}", drift.what));
    }
    if !drift.fields.is_empty() {
        text.push_str(&format!(" ({})", drift.fields.join(", ")));
    }
    if let Some(by) = &drift.by {
        text.push_str(&format!(" by {by}"));
    }
    let key = match drift.end {
        DriftEnd::Corrected => "ready",
        DriftEnd::Seen => "other",
        DriftEnd::Reported | DriftEnd::Refused | DriftEnd::Unseen => "plain",
    };
    FactRow { label: "drift", key, text: format!("{text}: {}", drift_end_words(drift)) }
}

fn failures(record: &RunRecord) -> Vec<Story> {
    let story = |failure: &crate::record::Failure| {
        let expectation = failure.kind == FailureKind::Expectation;
        Story {
            headline: match (expectation, failure.step) {
                (true, Some(step)) => format!("Not as expected at step {step}"),
                (true, None) => "Not as expected".to_owned(),
                (false, _) => format!("Refused by the oracle \"{}\"", failure.what),
            },
            expected: expectation.then(|| failure.what.clone()),
            found: failure.detail.clone(),
            at: seconds(failure.at_us),
            moments: failure.tail.iter().map(|m| (seconds(m.at_us), m.text.clone())).collect(),
        }
    };
    record.failures.iter().map(story).collect()
}
