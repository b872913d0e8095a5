//! The figures of a benchmark: what is shown, kept, and gated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::collect::OVERTAKEN;
use super::{End, Histogram, Sample, Settings};
use crate::base::Digest;
use crate::record::{PhaseName, RunRecord};

/// The version of what is kept in files; another one is refused.
pub(super) const FORMAT: u32 = 1;

/// What a benchmark came to. Nothing of the machine is in it, so that in virtual time the same
/// settings give the same text everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The version of this format.
    pub format: u32,
    /// What was asked for.
    pub settings: Settings,
    /// What became of the intended pushes.
    pub counts: Counts,
    /// From intended push to ready, over all intended pushes.
    pub latency: Figures,
    /// Where the time went, in the order of a push.
    pub phases: Vec<PhaseFigures>,
    /// The engine's requests by verb, of all repeats from start to end.
    pub requests: BTreeMap<String, usize>,
    /// Of every sample with all that is known of it.
    pub digest: String,
}

/// What became of the intended pushes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All that were meant to be made.
    pub intended: usize,
    /// Whose own commit became ready.
    pub ready: usize,
    /// Whose change became ready with a newer commit.
    pub superseded: usize,
    /// Whose change never did.
    pub failed: usize,
}

/// Figures of a list of durations. A percentile is `None` where so many samples failed that it
/// would be "never"; `max_us` and `sum_us` are of those that did not fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct Figures {
    pub p50_us: Option<u64>,
    pub p90_us: Option<u64>,
    pub p99_us: Option<u64>,
    pub p999_us: Option<u64>,
    pub max_us: Option<u64>,
    pub sum_us: u64,
}

/// Figures of one phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseFigures {
    /// As records spell it, or `overtaken`.
    pub phase: String,
    /// Over the pushes whose change became ready; one without the phase took 0 in it.
    #[serde(flatten)]
    pub figures: Figures,
}

impl Figures {
    /// Of a histogram.
    #[must_use]
    pub fn of(histogram: &Histogram) -> Self {
        Self {
            p50_us: histogram.quantile_us(500),
            p90_us: histogram.quantile_us(900),
            p99_us: histogram.quantile_us(990),
            p999_us: histogram.quantile_us(999),
            max_us: histogram.max_us(),
            sum_us: histogram.sum_us(),
        }
    }
}

impl Summary {
    /// The figures of `samples`, and the requests of `records`.
    #[must_use]
    pub fn of(settings: &Settings, samples: &[Sample], records: &[RunRecord]) -> Self {
        let count = |end| samples.iter().filter(|sample| sample.end == end).count();
        let mut requests: BTreeMap<String, usize> = BTreeMap::new();
        for (verb, number) in records.iter().flat_map(|record| &record.requests.by_verb) {
            *requests.entry(verb.clone()).or_default() += number;
        }
        Self {
            format: FORMAT,
            settings: settings.clone(),
            counts: Counts {
                intended: samples.len(),
                ready: count(End::Ready),
                superseded: count(End::Superseded),
                failed: count(End::Failed),
            },
            latency: Figures::of(&latencies(samples)),
            phases: phases(samples),
            requests,
            digest: digest(samples),
        }
    }

    /// The content of `summary.json`, ending in a line feed.
    #[must_use]
    pub fn json(&self) -> String {
        #[expect(clippy::expect_used, reason = "states an invariant")]
        let text = serde_json::to_string_pretty(self)
            .expect("because every key is text and no value can refuse to be serialised");
        text + "\n"
    }

    /// Reads `summary.json`.
    ///
    /// # Errors
    /// Where it is none, or of another version.
    pub fn parse(text: &str) -> Result<Self, String> {
        let none = |error| format!("expected summary.json of a benchmark: {error}");
        let summary: Self = serde_json::from_str(text).map_err(none)?;
        if summary.format != FORMAT {
            return Err(format!("format {}; this towtank reads format {FORMAT}", summary.format));
        }
        Ok(summary)
    }
}

/// The latencies of all intended pushes.
pub(super) fn latencies(samples: &[Sample]) -> Histogram {
    Histogram::of(samples.iter().map(|sample| sample.latency_us))
}

fn phases(samples: &[Sample]) -> Vec<PhaseFigures> {
    let live: Vec<&Sample> = samples.iter().filter(|sample| sample.end != End::Failed).collect();
    let of_push = PhaseName::ALL.iter().map(|phase| phase.key());
    let known = std::iter::once(OVERTAKEN).chain(of_push);
    let seen = |phase: &&str| {
        live.iter().any(|sample| sample.phases.iter().any(|share| share.phase == *phase))
    };
    let figures = |phase: &str| {
        let each = live.iter().map(|sample| {
            let shares = sample.phases.iter().filter(|share| share.phase == phase);
            Some(shares.map(|share| share.us).sum())
        });
        Figures::of(&Histogram::of(each))
    };
    known
        .filter(seen)
        .map(|phase| PhaseFigures { phase: phase.to_owned(), figures: figures(phase) })
        .collect()
}

fn digest(samples: &[Sample]) -> String {
    let mut digest = Digest::default();
    for sample in samples {
        digest.add(super::folder::line(sample).as_bytes());
    }
    digest.to_hex()
}
