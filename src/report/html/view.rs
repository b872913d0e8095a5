//! The page as a whole: the count of outcomes, the percentiles, the list of scenarios.

use serde::Serialize;

use super::scale::{Decades, Tick};
use super::scenario::{self, Scenario};
use crate::record::{Clock, DriftEnd, PushEnd, Quantiles, RunRecord};
use crate::report::digest::{phase_words, tally, totals, word};
use crate::report::duration::duration;

/// Everything that the template names.
#[derive(Serialize)]
pub(super) struct Report {
    outcome: &'static str,
    tally: String,
    totals: String,
    /// Whether a figure comes from simulated time: then it follows from the profile.
    modelled: bool,
    figures: Vec<Figure>,
    axis: Vec<Tick>,
    scenarios: Vec<Scenario>,
}

/// A duration that was taken many times.
#[derive(Serialize)]
struct Figure {
    what: String,
    /// The name that its colour goes by.
    key: &'static str,
    count: usize,
    p50: String,
    p90: String,
    p99: String,
    max: String,
    from: String,
    middle: String,
    most: String,
    to: String,
}

pub(super) fn report(records: &[RunRecord]) -> Report {
    let samples = samples(records);
    let all: Vec<u64> = samples.iter().flat_map(|(_, _, us)| us.iter().copied()).collect();
    let axis = Decades::around(&all);
    let failed = records.iter().any(|record| word(&record.verdict) == "failed");
    Report {
        outcome: if failed { "failed" } else { "passed" },
        tally: tally(records),
        totals: totals(records),
        modelled: records.iter().any(|record| record.heading.clock == Clock::Virtual),
        figures: samples.into_iter().filter_map(|row| figure(row, axis)).collect(),
        axis: axis.ticks(),
        scenarios: records
            .iter()
            .enumerate()
            .map(|(n, record)| scenario::view(n, record))
            .collect(),
    }
}

/// What a figure is called, the key of its colour, and its samples in microseconds.
type Row = (String, &'static str, Vec<u64>);

/// Each duration of interest over all records; those that nobody took are left out.
fn samples(records: &[RunRecord]) -> Vec<Row> {
    let ready = || {
        records.iter().flat_map(|record| &record.pushes).filter(|push| push.end == PushEnd::Ready)
    };
    let mut rows: Vec<Row> =
        vec![("push to ready".to_owned(), "total", ready().map(|push| push.total_us).collect())];
    for phase in scenario::PHASES {
        let shares = ready().flat_map(|push| &push.phases).filter(|share| share.phase == phase);
        let shares: Vec<u64> = shares.map(|share| share.us).collect();
        // A phase that never took time tells nothing.
        if shares.iter().any(|us| *us > 0) {
            rows.push((phase_words(phase).to_owned(), phase.key(), shares));
        }
    }
    let backs = records.iter().flat_map(|record| &record.returns).filter(|back| back.healthy);
    rows.push((
        "failure to healthy again".to_owned(),
        "back",
        backs.map(|back| back.total_us).collect(),
    ));
    let corrected = records
        .iter()
        .flat_map(|record| &record.drifts)
        .filter(|drift| drift.end == DriftEnd::Corrected)
        .filter_map(|drift| drift.ended_us);
    rows.push(("drift to corrected".to_owned(), "drift", corrected.collect()));
    rows
}

fn figure((what, key, samples): Row, axis: Decades) -> Option<Figure> {
    let q = Quantiles::of(samples)?;
    Some(Figure {
        what,
        key,
        count: q.count,
        p50: duration(q.p50_us),
        p90: duration(q.p90_us),
        p99: duration(q.p99_us),
        max: duration(q.max_us),
        from: axis.place(q.min_us),
        middle: axis.place(q.p50_us),
        most: axis.place(q.p90_us),
        to: axis.place(q.max_us),
    })
}
