//! What is kept of a benchmark: the names and contents of the files of its folder, and the way
//! back from them. Writing and reading the files is the command line's.

use serde::{Deserialize, Serialize};

use super::{Measured, Sample, Settings, page, summary};
use crate::lab::scenario;
use crate::record::Environment;

/// Settings and machine: `setup.json`.
pub const SETUP: &str = "setup.json";
/// Every sample, a line each: `raw.jsonl`.
pub const RAW: &str = "raw.jsonl";
/// The figures, for a gate: `summary.json`.
pub const SUMMARY: &str = "summary.json";

/// How a benchmark was set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// The version of the folder's files.
    pub format: u32,
    /// The command that was given.
    pub command: String,
    /// What was asked for.
    pub settings: Settings,
    /// Where it ran.
    pub environment: Environment,
    /// How long that took on the machine's own clock.
    pub wall_ms: u64,
}

/// The files of a benchmark's folder.
#[must_use]
pub fn files(
    measured: &Measured,
    environment: Environment,
    wall_ms: u64,
) -> Vec<(&'static str, String)> {
    let setup = Setup {
        format: summary::FORMAT,
        command: measured.settings.command(),
        settings: measured.settings.clone(),
        environment,
        wall_ms,
    };
    #[expect(clippy::expect_used, reason = "states an invariant")]
    let setup = serde_json::to_string_pretty(&setup)
        .expect("because every key is text and no value can refuse to be serialised");
    let raw: String = measured.samples.iter().map(|sample| line(sample) + "\n").collect();
    vec![
        (SETUP, setup + "\n"),
        (RAW, raw),
        (SUMMARY, measured.summary.json()),
        ("summary.md", page::markdown(measured)),
        ("latency.hgrm", summary::latencies(&measured.samples).hgrm()),
        ("load.scenario.yaml", scenario::write(&measured.scenario)),
    ]
}

/// One sample on one line.
pub(super) fn line(sample: &Sample) -> String {
    #[expect(clippy::expect_used, reason = "states an invariant")]
    serde_json::to_string(sample).expect("because a sample is text and numbers")
}

/// Reads `setup.json`.
///
/// # Errors
/// Where it is none, or of another version.
pub fn setup(text: &str) -> Result<Setup, String> {
    let none = |error| format!("expected setup.json of a benchmark: {error}");
    let setup: Setup = serde_json::from_str(text).map_err(none)?;
    if setup.format != summary::FORMAT {
        let known = summary::FORMAT;
        return Err(format!("format {}; this towtank reads format {known}", setup.format));
    }
    Ok(setup)
}

/// Reads `raw.jsonl`.
///
/// # Errors
/// The first line that is no sample, by its number.
pub fn samples(text: &str) -> Result<Vec<Sample>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read =
        |(n, line)| serde_json::from_str(line).map_err(|error| format!("line {}: {error}", n + 1));
    lines.map(read).collect()
}
