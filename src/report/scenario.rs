//! One scenario in full: its pushes with a time line each, the ways back, drift, requests.

use std::collections::BTreeMap;

use super::bars::bar;
use super::digest::{
    drift_end_words, end_words, phase_words, pushes, return_label, return_words, why,
};
use super::duration::{Column, duration};
use super::page::{Ink, Page, columns, counted, cut_middle};
use super::terminal::verdict;
use crate::record::{
    Drift, DriftEnd, Failure, FailureKind, PhaseName, Push, PushEnd, Requests, Return, RunRecord,
    Wave, short,
};

/// Pushes that are shown with a time line; where there are more, each has one line.
const TABLES: usize = 6;
/// Lines of one kind; the rest is counted.
const LINES: usize = 24;
/// Columns of a phase's name.
const LABEL: usize = 26;
/// Columns of a duration.
const TIME: usize = 11;

/// Everything about one record but its failures.
pub(super) fn write(page: &mut Page, record: &RunRecord) {
    head(page, record);
    let with_work = pushes(record);
    if with_work > TABLES {
        page.blank();
    }
    for (number, push) in record.pushes.iter().filter(|p| p.end != PushEnd::Unchanged).enumerate() {
        if with_work <= TABLES {
            page.blank();
            push_line(page, push);
            table(page, push);
        } else if number < LINES {
            push_line(page, push);
        }
    }
    if with_work > TABLES {
        more(page, with_work);
        if let Some(q) = record.push_to_ready {
            let text = format!(
                "  ready: median {}, 90% in {}, 99% in {}, slowest {}",
                duration(q.p50_us),
                duration(q.p90_us),
                duration(q.p99_us),
                duration(q.max_us)
            );
            page.line(&[(Ink::Strong, &text)]);
        }
    }
    facts(page, record);
}

fn head(page: &mut Page, record: &RunRecord) {
    let heading = &record.heading;
    let (ink, mark) = verdict(&record.verdict);
    let run = format!(
        "{} {}, {}, seed {}",
        duration(record.duration_us),
        heading.clock.word(),
        heading.profile,
        heading.seed
    );
    page.line_to_edge(&[(ink, mark), (Ink::Strong, &heading.name)], (Ink::Faint, &run));
    page.paragraph(Ink::Faint, 6, &heading.description);
    if let Some(why) = why(&record.verdict) {
        page.paragraph(Ink::Warn, 6, &why);
    }
}

/// App, commit, what was pushed, and how it came out.
fn push_line(page: &mut Page, push: &Push) {
    let ink = match push.end {
        PushEnd::Ready => Ink::Good,
        PushEnd::Failed | PushEnd::RolledBack => Ink::Bad,
        _ => Ink::Warn,
    };
    let right = end_words(push.end, push.total_us);
    let name = format!("  {} ", push.app);
    let commit = format!("{}  ", short(&push.commit));
    let used = columns(&name) + columns(&commit) + columns(&right) + 2;
    let summary = cut_middle(&push.summary, page.look.width.saturating_sub(used));
    let left = [(Ink::Strong, name.as_str()), (Ink::Faint, &commit), (Ink::Plain, &summary)];
    page.line_to_edge(&left, (ink, &right));
    if let Some(why) = &push.why {
        page.paragraph(Ink::Plain, 4, why);
    }
}

/// The phases of a push on one time line.
fn table(page: &mut Page, push: &Push) {
    let column = Column::of(push.total_us);
    let mut at = 0;
    for phase in &push.phases {
        let nothing = phase.us == 0 && phase.phase == PhaseName::Wait;
        if !nothing {
            let ink = if phase.phase == PhaseName::Unattributed { Ink::Warn } else { Ink::Bar };
            row(page, push, column, (phase_words(phase.phase), ink), (at, at + phase.us));
        }
        if phase.phase == PhaseName::Apply && push.waves.len() > 1 {
            waves(page, push, column);
        }
        at += phase.us;
    }
    let total = format!("{:>TIME$}", column.show(push.total_us));
    let label = format!("    {:LABEL$}", "together");
    let about = about(push);
    let pieces = [(Ink::Strong, label.as_str()), (Ink::Strong, &total), (Ink::Plain, "  ")];
    let room = page.look.width.saturating_sub(4 + LABEL + TIME + 2);
    if columns(&about) <= room {
        page.line(&[&pieces[..], &[(Ink::Faint, about.as_str())]].concat());
    } else {
        page.line(&pieces);
        page.paragraph(Ink::Faint, 4, &about);
    }
}

fn row(page: &mut Page, push: &Push, column: Column, what: (&str, Ink), (from, to): (u64, u64)) {
    let width = page.look.width.saturating_sub(4 + LABEL + TIME + 2).min(60);
    let label = format!("    {:LABEL$}", what.0);
    let time = format!("{:>TIME$}  ", column.show(to.saturating_sub(from)));
    let bar = bar(from, to, push.total_us, width);
    page.line(&[(Ink::Plain, &label), (Ink::Plain, &time), (what.1, &bar)]);
}

fn waves(page: &mut Page, push: &Push, column: Column) {
    for Wave { wave, requests, sent_us, acknowledged_us } in push.waves.iter().take(LINES) {
        let label = format!("  wave {wave}, {}", counted(*requests, "request"));
        let until = acknowledged_us.unwrap_or(push.total_us);
        row(page, push, column, (&label, Ink::Faint), (*sent_us, until));
    }
    more(page, push.waves.len());
}

/// A fact: what it is about, how it is shown, and itself.
type Row = (&'static str, Ink, String);

/// A row that counts what is not shown of `all`.
fn rest(all: usize) -> Option<Row> {
    (all > LINES).then(|| ("", Ink::Faint, format!("and {} more", all - LINES)))
}

/// What was sent and written for a push.
fn about(push: &Push) -> String {
    let mut parts = Vec::new();
    if push.objects > 0 {
        parts.push(counted(push.objects, "object"));
    }
    if !push.changed.is_empty() {
        parts.push(listed(&push.changed));
    }
    if push.requests.total > 0 {
        parts.push(counted(push.requests.total, "request"));
    }
    if push.requests.dry_runs > 0 {
        parts.push(counted(push.requests.dry_runs, "dry-run"));
    }
    parts.join(", ")
}

/// Ways back, drift, what did nothing, what was never taken up, and all requests.
fn facts(page: &mut Page, record: &RunRecord) {
    let mut rows: Vec<Row> = Vec::new();
    rows.extend(record.returns.iter().take(LINES).map(return_row));
    rows.extend(rest(record.returns.len()));
    rows.extend(record.drifts.iter().take(LINES).map(drift_row));
    rows.extend(rest(record.drifts.len()));
    let untouched = untouched(record);
    rows.extend(untouched.iter().take(LINES).map(|(commit, apps)| {
        ("unchanged", Ink::Plain, format!("{} at {}", apps.join(", "), short(commit)))
    }));
    rows.extend(rest(untouched.len()));
    rows.extend(
        record.unnoticed.iter().take(LINES).map(|commit| {
            ("overtaken", Ink::Warn, format!("{}: no App took it up", short(commit)))
        }),
    );
    rows.extend(rest(record.unnoticed.len()));
    if record.requests.total > 0 {
        rows.push(("requests", Ink::Plain, requests_text(&record.requests)));
    }
    rows.extend(checked(record));
    if record.writes_at_rest > 0 {
        rows.push(("at rest", Ink::Warn, counted(record.writes_at_rest, "write")));
    }
    if !rows.is_empty() {
        page.blank();
    }
    for (label, ink, text) in rows {
        page.labelled(&format!("  {label:<11}"), ink, &text);
    }
}

/// How much was expected: a run that expects nothing passes easily.
fn checked(record: &RunRecord) -> Option<Row> {
    let is_expected = |failure: &&Failure| failure.kind == FailureKind::Expectation;
    let missed = record.failures.iter().filter(is_expected).count();
    let text = match (record.expectations_met, missed) {
        (0, 0) => return None,
        (met, 0) => format!("{} met", counted(met, "expectation")),
        (met, missed) => format!("{met} of {} met", counted(met + missed, "expectation")),
    };
    Some(("checked", if missed == 0 { Ink::Plain } else { Ink::Bad }, text))
}

fn return_row(back: &Return) -> Row {
    let ink = if back.healthy { Ink::Good } else { Ink::Bad };
    (return_label(back), ink, return_words(back))
}

fn drift_row(drift: &Drift) -> Row {
    let what = match (drift.what.as_str(), drift.fields.as_slice()) {
        ("", []) => String::new(),
        ("", fields) => format!(" {}", fields.join(", ")),
        (what, []) => format!(" {what}"),
        // The field says more than the verb, unless the verb says it already.
        (what, fields) if fields.iter().any(|field| what.contains(field)) => format!(" {what}"),
        (what, fields) => format!(" {what} of {}", fields.join(", ")),
    };
    let by = drift.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
    let ink = match drift.end {
        DriftEnd::Corrected => Ink::Good,
        DriftEnd::Seen => Ink::Warn,
        DriftEnd::Reported | DriftEnd::Refused | DriftEnd::Unseen => Ink::Plain,
    };
    let end = drift_end_words(drift);
    ("drift", ink, format!("{}{what}{by}: {end}", drift.object))
}

/// Apps that a commit did not touch, by commit in order of the pushes.
fn untouched(record: &RunRecord) -> Vec<(&str, Vec<&str>)> {
    let mut by_commit: Vec<(&str, Vec<&str>)> = Vec::new();
    for push in record.pushes.iter().filter(|p| p.end == PushEnd::Unchanged) {
        match by_commit.iter_mut().find(|(commit, _)| *commit == push.commit) {
            Some((_, apps)) => apps.push(&push.app),
            None => by_commit.push((&push.commit, vec![&push.app])),
        }
    }
    by_commit
}

fn requests_text(requests: &Requests) -> String {
    let refused = match requests.refused {
        0 => String::new(),
        n => format!(", {n} refused"),
    };
    let dry = counted(requests.dry_runs, "dry-run");
    format!("{} ({}), {dry}{refused}", requests.total, listed(&requests.by_verb))
}

fn listed(counts: &BTreeMap<String, usize>) -> String {
    let parts: Vec<String> = counts.iter().map(|(what, n)| format!("{n} {what}")).collect();
    parts.join(", ")
}

fn more(page: &mut Page, all: usize) {
    if all > LINES {
        page.line(&[(Ink::Faint, &format!("    and {} more", all - LINES))]);
    }
}
