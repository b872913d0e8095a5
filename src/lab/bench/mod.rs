//! `towtank bench`: how long a push takes to be ready when pushes keep coming, phase by phase.
//!
//! The load is open: each push has a time of its own (`schedule`), whether or not those before it
//! are done, and its latency counts from that time, so that a slow system cannot hide behind
//! pushes that it kept from being made. `collect` makes a [`Sample`] of each intended push,
//! `summary` the figures, `compare` says whether two runs really differ, `gate` whether anything
//! moved at all, `page` and `folder` are the texts that are shown and kept.
//!
//! Not here: running the load, which is whoever's is handed in ([`measure`] takes it as a
//! function, so that every kind of cluster is measured alike), and reading and writing files.

mod collect;
pub mod compare;
pub mod folder;
pub mod gate;
mod histogram;
mod load;
pub mod page;
mod sample;
mod schedule;
mod settings;
mod summary;

pub use histogram::Histogram;
pub use sample::{End, Sample, Share};
pub use schedule::{Intended, schedule};
pub use settings::{Arrivals, Settings};
pub use summary::{Counts, Figures, PhaseFigures, Summary};

use crate::lab::run::Finished;
use crate::lab::scenario::{Problems, Scenario};
use crate::record::{RunRecord, Verdict};

/// What a benchmark came to.
#[derive(Debug)]
pub struct Measured {
    /// What was asked for.
    pub settings: Settings,
    /// One for each intended push, by repeat and push.
    pub samples: Vec<Sample>,
    /// The figures.
    pub summary: Summary,
    /// The records of the runs, one a repeat, for whoever judges them.
    pub records: Vec<RunRecord>,
    /// The load of the first repeat.
    pub scenario: Scenario,
}

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The load cannot be put into words: the settings ask for too much.
    #[error("the load cannot be made: {0}")]
    Load(Problems),
    /// A run could not be made, or not begun.
    #[error("{0}")]
    Run(String),
}

/// Plays a scenario from a seed, wherever that is.
pub type Play<'a> = dyn Fn(&Scenario, u64) -> Result<Finished, String> + 'a;

/// Runs the load as often as `settings` say and takes its figures.
///
/// # Errors
/// [`BenchError`]. A push that fails is no error, it is counted.
pub fn measure(settings: &Settings, play: &Play<'_>) -> Result<Measured, BenchError> {
    let mut samples = Vec::new();
    let mut records = Vec::new();
    let mut first = None;
    for repeat in 0..settings.repeat {
        let intended = schedule(settings, repeat);
        let scenario = load::scenario(settings, &intended).map_err(BenchError::Load)?;
        let finished = play(&scenario, settings.seed_of(repeat)).map_err(BenchError::Run)?;
        if let Verdict::Skipped { why } = &finished.record.verdict {
            return Err(BenchError::Run(format!("the load cannot be run here: {why}")));
        }
        samples.extend(collect::samples(repeat, &intended, &finished.record));
        records.push(finished.record);
        first.get_or_insert(scenario);
    }
    let scenario = first.ok_or_else(|| BenchError::Run("nothing was to be run".to_owned()))?;
    let summary = Summary::of(settings, &samples, &records);
    Ok(Measured { settings: settings.clone(), samples, summary, records, scenario })
}
