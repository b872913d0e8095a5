//! One run of a scenario, and what it found: the first thing that counts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::lab::run::{Counts, Options, Within, run_within};
use crate::lab::scenario::Scenario;
use crate::record::{Clock, FailureKind, PushEnd, RunRecord, Verdict};

/// What came of a run.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) counts: Counts,
    pub(super) time: Duration,
    pub(super) found: Option<Found>,
}

/// What a run found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// By what: an oracle, an expectation; two runs with the same here show the same.
    pub(super) what: String,
    pub(super) detail: String,
    /// The step at which a deployment failed last, where one did.
    pub(super) step: Option<String>,
    /// The run did not come to rest.
    pub(super) is_unrest: bool,
}

impl Found {
    /// Whether another run found the same: a folder that is left out altogether is another reason
    /// for not being ready than pods that are not. What an oracle finds has nothing to do with the
    /// deployments that failed besides.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.what == other.what && (!self.is_expectation() || self.step == other.step)
    }

    /// Whether what is found rests on the scenario's having mended everything in the end.
    pub(super) fn is_expectation(&self) -> bool {
        self.what == EXPECTATION
    }

    /// Whether the scenario was wrong, not the run: that is for whoever makes scenarios.
    pub(super) fn is_mistake(&self) -> bool {
        self.what == MISTAKE
    }
}

/// What is found where an App does not become what it is expected to.
const EXPECTATION: &str = "every App becomes ready once the faults are over";
/// What is found where a run does not come to rest.
const UNREST: &str = "comes to rest";
/// What is found where towtank itself breaks down.
const PANIC: &str = "towtank does not panic";
/// What is found where a step cannot be done.
const MISTAKE: &str = "every step can be done";

/// Runs it.
pub(super) fn attempt(scenario: &Scenario, seed: u64, within: &mut Within) -> Attempt {
    let options = Options { seed, clock: Clock::Virtual, profile: None, site: None };
    let run = AssertUnwindSafe(|| run_within(scenario, &options, within));
    let failed = |what: &str, detail: String| Attempt {
        counts: Counts::default(),
        time: Duration::ZERO,
        found: Some(Found { what: what.to_owned(), detail, step: None, is_unrest: false }),
    };
    match catch_unwind(run) {
        Ok(Ok(finished)) => Attempt {
            counts: finished.counts,
            time: Duration::from_micros(finished.record.duration_us),
            found: found(&finished.record),
        },
        Ok(Err(error)) => failed(MISTAKE, error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            failed(PANIC, text.unwrap_or_default())
        }
    }
}

fn found(record: &RunRecord) -> Option<Found> {
    let oracle = record.failures.iter().find(|failure| failure.kind == FailureKind::Oracle);
    let first = oracle.or(record.failures.first());
    let failed = record.pushes.iter().rev().find(|push| push.end == PushEnd::Failed);
    let step = failed.and_then(|push| push.why.as_ref()?.split(':').next());
    let step = step.map(str::to_owned);
    match (&record.verdict, first) {
        (Verdict::NotConverged { why }, None) => {
            Some(Found { what: UNREST.to_owned(), detail: why.clone(), step, is_unrest: true })
        }
        (_, Some(failure)) => Some(match failure.kind {
            FailureKind::Oracle => Found {
                what: failure.what.clone(),
                detail: failure.detail.clone(),
                step,
                is_unrest: false,
            },
            FailureKind::Expectation => Found {
                what: EXPECTATION.to_owned(),
                detail: format!("{}: {}", failure.what, failure.detail),
                step,
                is_unrest: false,
            },
        }),
        _ => None,
    }
}
