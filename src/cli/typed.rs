//! The command line as it is typed. What is meant by it, and whether it can be, is `meant`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Tries GitOps before it meets production
///
/// Runs a full reconcile engine against an in-memory Kubernetes API server, replays scripted
/// commits, drift and failed health checks in virtual time, and measures push to ready, phase by
/// phase.
#[derive(Debug, Parser)]
#[command(name = "towtank", version, after_help = EXIT_CODES)]
pub(super) struct Typed {
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   all is as expected
  1   an expectation or a safety oracle failed
  2   bad input: the command line, a scenario, a repository
  3   a threshold was exceeded
  4   the environment did not allow it, such as a file that cannot be written
  5   a run did not come to rest in its bound
  70  a bug in towtank";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios and judge them
    ///
    /// A folder stands for every scenario.yaml and *.scenario.yaml in it and below. All of them
    /// are read and checked before the first one runs.
    Run(RunArgs),
    /// Deploy a folder once, without a scenario
    ///
    /// Takes a folder of manifests, a kustomization or a Git repository, deploys it to an empty
    /// simulated cluster and tells whether and when it becomes ready.
    Try(TryArgs),
    /// Print the schema of a file format
    Schema(SchemaArgs),
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Scenario files, and folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// Whose time: virtual jumps to what is due next, real waits for it
    #[arg(long, value_enum, value_name = "CLOCK", default_value = "virtual")]
    pub clock: ClockWord,
    /// What everything random follows from [default: the scenario's own, else 1]
    #[arg(long, value_name = "N", value_parser = seed, allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// How long the world's own doings take [default: the scenario's own, else warm]
    #[arg(long, value_enum, value_name = "PROFILE")]
    pub profile: Option<ProfileWord>,
    /// How many scenarios run at once [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct TryArgs {
    /// The folder; with its history if it is itself a Git repository
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// What to deploy in it
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub path: String,
    /// What everything random follows from
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = seed)]
    #[arg(allow_hyphen_values = true)]
    pub seed: u64,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    /// What is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal")]
    pub report: ReportWord,
    /// Keep raw.jsonl, record.json and environment.json in DIR/<scenario>/
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    pub of: SchemaWord,
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number from 0 to {}", u64::MAX))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ClockWord {
    Virtual,
    Real,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProfileWord {
    /// Nothing takes time
    Instant,
    /// A small cluster, base layers present
    Warm,
    /// Empty nodes, a registry across the internet
    Cold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportWord {
    /// For a reader
    Terminal,
    /// For a program: one object with a list of scenarios
    Json,
    /// For a CI system
    Junit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaWord {
    /// A scenario file, as JSON Schema
    Scenario,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Typed::command().debug_assert();
    }
}
