//! Whether anything moved since a baseline was taken: in virtual time figures are exact, so every
//! difference is one, and it is told by the phase that it is in.

use super::{Figures, Summary};

/// One figure that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The figure in words: `health p99`, `requests apply`.
    pub what: String,
    /// What it is counted in.
    pub unit: Unit,
    /// As it was; `None`: there was none.
    pub before: Option<u64>,
    /// As it is.
    pub now: Option<u64>,
}

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Time,
    /// Things.
    Count,
}

/// Every figure of `now` that is not as in `before`, phases first in the order of a push. Empty
/// where every sample is the same. The settings of both are the same.
#[must_use]
pub fn moved(before: &Summary, now: &Summary) -> Vec<Moved> {
    if before == now {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut phases: Vec<&str> = Vec::new();
    for phase in before.phases.iter().chain(&now.phases) {
        if !phases.contains(&phase.phase.as_str()) {
            phases.push(&phase.phase);
        }
    }
    let of = |summary: &Summary, phase: &str| {
        let found = summary.phases.iter().find(|figures| figures.phase == phase);
        found.map(|found| found.figures).unwrap_or_default()
    };
    for phase in phases {
        figures(phase, &of(before, phase), &of(now, phase), &mut found);
    }
    figures("push to ready", &before.latency, &now.latency, &mut found);
    counts(before, now, &mut found);
    if found.is_empty() {
        // Two samples may have swapped places and every figure be the same.
        let what = "the samples, though no figure".to_owned();
        found.push(Moved { what, unit: Unit::Count, before: None, now: None });
    }
    found
}

fn figures(name: &str, before: &Figures, now: &Figures, found: &mut Vec<Moved>) {
    let rows = [
        ("together", Some(before.sum_us), Some(now.sum_us)),
        ("p50", before.p50_us, now.p50_us),
        ("p90", before.p90_us, now.p90_us),
        ("p99", before.p99_us, now.p99_us),
        ("p99.9", before.p999_us, now.p999_us),
        ("max", before.max_us, now.max_us),
    ];
    for (figure, before, now) in rows.into_iter().filter(|(_, before, now)| before != now) {
        found.push(Moved { what: format!("{name} {figure}"), unit: Unit::Time, before, now });
    }
}

fn counts(before: &Summary, now: &Summary, found: &mut Vec<Moved>) {
    let mut count = |what: String, before: Option<usize>, now: Option<usize>| {
        if before != now {
            let (before, now) = (before.map(|n| n as u64), now.map(|n| n as u64));
            found.push(Moved { what, unit: Unit::Count, before, now });
        }
    };
    let (was, is) = (before.counts, now.counts);
    for (what, was, is) in [
        ("pushes intended", was.intended, is.intended),
        ("pushes ready", was.ready, is.ready),
        ("pushes superseded", was.superseded, is.superseded),
        ("pushes failed", was.failed, is.failed),
    ] {
        count(what.to_owned(), Some(was), Some(is));
    }
    let verbs: std::collections::BTreeSet<&String> =
        before.requests.keys().chain(now.requests.keys()).collect();
    for verb in verbs {
        let of = |summary: &Summary| summary.requests.get(verb).copied();
        count(format!("requests {verb}"), of(before), of(now));
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::sample as settings;
    use super::super::{End, Sample, Share};
    use super::*;

    fn summary(health_us: u64) -> Summary {
        let share = |phase: &str, us| Share { phase: phase.to_owned(), us };
        let sample = Sample {
            repeat: 0,
            push: 0,
            app: 0,
            intended_us: 0,
            end: End::Ready,
            live_by: Some(0),
            latency_us: Some(50 + health_us),
            phases: vec![share("fetch", 50), share("health", health_us)],
            why: None,
        };
        Summary::of(&settings(), &[sample], &[])
    }

    #[track_caller]
    fn check(before: &Summary, now: &Summary, expected: &[&str]) {
        let moved = moved(before, now);
        let found: Vec<&str> = moved.iter().map(|moved| moved.what.as_str()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_the_same_has_not_moved() {
        check(&summary(100), &summary(100), &[]);
    }

    #[test]
    fn the_phase_that_moved_is_named_and_no_other() {
        let of = |name: &str| {
            ["together", "p50", "p90", "p99", "p99.9", "max"].map(|f| format!("{name} {f}"))
        };
        let expected = [of("health"), of("push to ready")].concat();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(&summary(100), &summary(101), &expected);
    }

    #[test]
    fn a_request_more_is_a_difference() {
        let mut now = summary(100);
        now.requests.insert("apply".to_owned(), 1);
        check(&summary(100), &now, &["requests apply"]);
    }

    #[test]
    fn other_samples_with_the_same_figures_are_a_difference() {
        let mut now = summary(100);
        now.digest = "0".to_owned();
        check(&summary(100), &now, &["the samples, though no figure"]);
    }
}
