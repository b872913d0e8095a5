//! What several reports have in common: the three outcomes, totals, and a record on one line.

use super::duration::duration;
use super::page::counted;
use crate::record::{
    Clock, Drift, DriftEnd, PhaseName, PushEnd, Return, ReturnKind, RunRecord, Verdict, short,
};

/// The outcome as every report names it: not having converged is a failure with a reason.
pub(super) const fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed | Verdict::NotConverged { .. } => "failed",
        Verdict::Skipped { .. } => "skipped",
    }
}

/// The reason that goes with it.
pub(super) fn why(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Passed | Verdict::Failed => None,
        Verdict::Skipped { why } => Some(why.clone()),
        Verdict::NotConverged { why } => Some(format!("did not come to rest: {why}")),
    }
}

/// A phase in words: what was being done.
pub(super) const fn phase_words(phase: PhaseName) -> &'static str {
    match phase {
        PhaseName::Build => "build",
        PhaseName::Push => "reach the repository",
        PhaseName::Notice => "be noticed",
        PhaseName::Fetch => "fetch",
        PhaseName::Render => "render",
        PhaseName::Plan => "plan",
        PhaseName::Wait => "wait for its turn",
        PhaseName::Apply => "apply",
        PhaseName::Observe => "hear from every object",
        PhaseName::Health => "become healthy",
        PhaseName::Decide => "decide",
        PhaseName::Unattributed => "not attributed",
    }
}

/// How a push came out, and after what time.
pub(super) fn end_words(end: PushEnd, total_us: u64) -> String {
    let after = duration(total_us);
    match end {
        PushEnd::Ready => format!("ready in {after}"),
        PushEnd::Failed => format!("failed after {after}"),
        PushEnd::RolledBack => format!("failed after {after}, rolled back"),
        PushEnd::Preempted => format!("overtaken after {after}"),
        PushEnd::Unchanged => format!("nothing to do, known after {after}"),
        PushEnd::Pending => format!("still pending after {after}"),
    }
}

/// What a way back is called.
pub(super) const fn return_label(back: &Return) -> &'static str {
    match back.kind {
        ReturnKind::Rollback => "rollback",
        ReturnKind::Revert => "revert",
    }
}

/// A way back in words: from where to where, how it ended, and what took the time.
pub(super) fn return_words(back: &Return) -> String {
    let phase = |p: &crate::record::Phase| format!("{} {}", phase_words(p.phase), duration(p.us));
    let phases: Vec<String> = back.phases.iter().map(phase).collect();
    format!(
        "{} {} → {}: {} {} after the failure ({})",
        back.app,
        short(&back.from),
        short(&back.to),
        if back.healthy { "healthy again" } else { "not healthy again" },
        duration(back.total_us),
        phases.join(", ")
    )
}

/// What became of a foreign write.
pub(super) fn drift_end_words(drift: &Drift) -> String {
    let after = duration(drift.ended_us.or(drift.seen_us).unwrap_or(0));
    match drift.end {
        DriftEnd::Corrected => format!("corrected in {after}"),
        DriftEnd::Reported => format!("reported in {after}, left as it is"),
        DriftEnd::Refused => "refused by the API server".to_owned(),
        DriftEnd::Seen => format!("seen after {after}, not corrected"),
        DriftEnd::Unseen => "nothing that the engine minds".to_owned(),
    }
}

/// What the run came to, on one line.
pub(super) fn gist(record: &RunRecord) -> String {
    let mut parts = Vec::new();
    if !record.pushes.is_empty() {
        parts.push(counted(pushes(record), "push"));
    }
    if let Some(ready) = record.push_to_ready {
        parts.push(if ready.count == 1 {
            format!("ready in {}", duration(ready.max_us))
        } else {
            format!("ready in {} (slowest {})", duration(ready.p50_us), duration(ready.max_us))
        });
    }
    if let Some(back) = record.returns.iter().filter(|r| r.healthy).map(|r| r.total_us).max() {
        parts.push(format!("back in {}", duration(back)));
    }
    let corrected = record.drifts.iter().filter(|d| d.end == DriftEnd::Corrected);
    if let Some(slowest) = corrected.filter_map(|d| d.ended_us).max() {
        parts.push(format!("drift corrected in {}", duration(slowest)));
    }
    parts.join(", ")
}

/// Pushes that had something to do.
pub(super) fn pushes(record: &RunRecord) -> usize {
    record.pushes.iter().filter(|p| p.end != PushEnd::Unchanged).count()
}

/// Everything together: scenarios, pushes by end, requests, time.
pub(super) fn totals(records: &[RunRecord]) -> String {
    let ends = |end| records.iter().flat_map(|r| &r.pushes).filter(|p| p.end == end).count();
    let by_end = [
        (ends(PushEnd::Ready), "ready"),
        (ends(PushEnd::RolledBack), "rolled back"),
        (ends(PushEnd::Failed), "failed"),
        (ends(PushEnd::Preempted), "overtaken"),
        (ends(PushEnd::Pending), "pending"),
    ];
    let by_end: Vec<String> =
        by_end.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let mut parts = vec![counted(records.len(), "scenario")];
    let all = records.iter().map(pushes).sum();
    let detail =
        if by_end.is_empty() { String::new() } else { format!(" ({})", by_end.join(", ")) };
    parts.push(counted(all, "push") + &detail);
    parts.push(counted(records.iter().map(|r| r.requests.total).sum(), "request"));
    for clock in [Clock::Virtual, Clock::Real] {
        let ran = records.iter().filter(|r| r.heading.clock == clock);
        let us: u64 = ran.map(|r| r.duration_us).sum();
        if us > 0 {
            parts.push(format!("{} of {} time", duration(us), clock.word()));
        }
    }
    parts.join(", ")
}

/// `N passed, N failed, N skipped`.
pub(super) fn tally(records: &[RunRecord]) -> String {
    let count = |what| records.iter().filter(|r| word(&r.verdict) == what).count();
    let words = ["passed", "failed", "skipped"];
    words.map(|what| format!("{} {what}", count(what))).join(", ")
}
