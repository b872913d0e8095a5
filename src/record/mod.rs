//! What a run came to: the events of one scenario, kept in order, and the figures that follow
//! from them alone.
//!
//! A [`Recorder`] takes `(Time, Event)` as they happen. At the end it gives the same events as
//! `raw.jsonl` and one [`RunRecord`]. Nothing here reads a clock or a file, judges a scenario
//! (`lab/check` does), or knows how a figure is shown (`report` does). Whoever runs the scenario
//! writes the three files of a record: [`Recorder::raw_jsonl`], [`RunRecord::json`] and
//! [`Environment::json`].
//!
//! Every duration is in whole microseconds and its name ends in `_us`; counted on one clock from
//! the run's start, so that phases add up to their total without rounding.

mod drifts;
mod duration;
mod model;
mod phases;
mod pushes;
mod quantiles;
mod recorder;
mod requests;
mod returns;
#[cfg(test)]
pub(crate) mod sample;
mod story;

pub use duration::{fixed, in_words};
pub use model::{
    Clock, Drift, DriftEnd, Environment, Failure, FailureKind, Heading, Moment, Phase, PhaseName,
    Push, PushEnd, Requests, Return, ReturnKind, RunRecord, Verdict, Wave,
};
pub use quantiles::{Quantiles, percentile};
pub use recorder::{Ending, Recorder};
pub use story::{sentence, short};
