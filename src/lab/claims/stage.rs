//! Plays a scenario from many seeds, and picks durations out of the records.

use std::path::Path;

use serde::Serialize;

use super::guide;
use crate::lab::run::Finished;
use crate::lab::scenario::model::Repo;
use crate::lab::scenario::{self, Scenario};
use crate::record::{Clock, Push, PushEnd, RunRecord, Verdict};

/// Plays a scenario from a seed, wherever that is.
pub type Play<'a> = dyn Fn(&Scenario, u64) -> Result<Finished, String> + 'a;

/// Where claims are measured, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// The kind of cluster.
    pub cluster: String,
    /// Whose time: in virtual time figures are modelled.
    pub clock: Clock,
    /// The latency profile.
    pub profile: String,
    /// The first seed.
    pub seed: u64,
    /// How many seeds.
    pub runs: u64,
}

/// Where scenarios of claims are played.
pub(super) struct Stage<'a> {
    pub(super) terms: &'a Terms,
    pub(super) play: &'a Play<'a>,
}

/// What came of one scenario from all seeds.
pub(super) struct Runs {
    pub(super) records: Vec<RunRecord>,
    /// What went wrong, run by run.
    pub(super) found: Vec<String>,
    /// What the place lacks, if the scenario cannot be played there.
    pub(super) lacks: Option<String>,
}

/// The scenario that a text of `scenarios/claims` says, on the embedded repository.
///
/// # Errors
/// Where the text is none.
pub(super) fn scenario((file, text): &(&str, &str)) -> Result<Scenario, String> {
    let read = scenario::parse(Path::new(file), text).map_err(|problems| problems.to_string())?;
    Ok(Scenario { repo: Repo::Files(guide::files()), ..read })
}

impl Stage<'_> {
    /// Plays an embedded scenario.
    pub(super) fn embedded(&self, text: &(&str, &str)) -> Result<Runs, String> {
        self.runs(&scenario(text)?, &format!("towtank run {}", text.0))
    }

    /// Plays a scenario, which `command` plays again.
    pub(super) fn runs(&self, scenario: &Scenario, command: &str) -> Result<Runs, String> {
        let mut runs = Runs { records: Vec::new(), found: Vec::new(), lacks: None };
        for seed in (0..self.terms.runs).map(|n| self.terms.seed.wrapping_add(n)) {
            let record = (self.play)(scenario, seed)?.record;
            match &record.verdict {
                Verdict::Passed => {}
                Verdict::Skipped { why } => {
                    runs.lacks = Some(why.clone());
                    return Ok(runs);
                }
                Verdict::Failed => runs.found.push(told(&record, command, seed)),
                Verdict::NotConverged { why } => {
                    runs.found.push(format!("{why} ({command} --seed {seed})"));
                }
            }
            runs.records.push(record);
        }
        Ok(runs)
    }
}

fn told(record: &RunRecord, command: &str, seed: u64) -> String {
    let first = record.failures.first();
    let what = first.map(|failure| format!("{}: {}", failure.what, failure.detail));
    format!("{} ({command} --seed {seed})", what.unwrap_or_default())
}

impl Runs {
    /// How long each push took that `which` chooses, and how many of them never became ready.
    pub(super) fn ready(&self, which: impl Fn(&Push) -> bool) -> (Vec<u64>, usize) {
        self.ended(|end| end == PushEnd::Ready, which)
    }

    /// How long each push took that `which` chooses until it came to an end that `is_end` takes,
    /// and how many came to another.
    pub(super) fn ended(
        &self,
        is_end: impl Fn(PushEnd) -> bool,
        which: impl Fn(&Push) -> bool,
    ) -> (Vec<u64>, usize) {
        let all = self.records.iter().flat_map(|record| &record.pushes);
        let chosen = all.filter(|push| push.end != PushEnd::Unchanged && which(push));
        let (good, bad): (Vec<&Push>, Vec<&Push>) = chosen.partition(|push| is_end(push.end));
        (good.iter().map(|push| push.total_us).collect(), bad.len())
    }

    /// From the beginning of one step to that of another, both counted from 1, in each run.
    pub(super) fn between(&self, from: usize, to: usize) -> Vec<u64> {
        let of = |record: &RunRecord| {
            let at = |step: usize| record.began_us.get(step.checked_sub(1)?).copied();
            Some(at(to)?.saturating_sub(at(from)?))
        };
        self.records.iter().filter_map(of).collect()
    }
}

/// Whether it is not the commit that is there at the start.
pub(super) fn is_pushed(push: &Push) -> bool {
    push.summary != "first deploy"
}
