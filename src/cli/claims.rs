//! `towtank claims`: what is said for GitOps, measured. What is measured, and what follows from it,
//! is `lab::claims`.

use clap::Args;

use super::bench::FormatWord;
use super::stage::Stage;
use super::typed::{ClusterArgs, ProfileWord, seed};
use super::{Exit, complain, tell};
use crate::lab::claims::{Report, Terms, Verdict, measure, page};
use crate::record::Clock;

/// Seeds in virtual time, where a run costs milliseconds.
const RUNS_VIRTUAL: u64 = 50;

/// Seeds in real time, where a run costs what it takes.
const RUNS_REAL: u64 = 3;

#[derive(Debug, Args)]
pub(super) struct ClaimsArgs {
    #[command(flatten)]
    cluster: ClusterArgs,
    /// The first seed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = seed)]
    seed: u64,
    /// How many seeds each claim is measured from [default: 50 in virtual time, 3 in real]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    runs: Option<u64>,
    /// How long the world's own doings take
    #[arg(long, value_enum, value_name = "PROFILE", default_value = "warm")]
    profile: ProfileWord,
    /// What is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal")]
    report: FormatWord,
    /// Exit with 1 where a claim is refuted
    #[arg(long)]
    strict: bool,
}

pub(super) fn run_claims(args: &ClaimsArgs) -> Exit {
    let profile = super::meant::profile(args.profile);
    let name = profile.name.to_owned();
    let stage = match Stage::open(&args.cluster, profile) {
        Ok(stage) => stage,
        Err(exit) => return exit,
    };
    let runs = match stage.clock() {
        Clock::Virtual => RUNS_VIRTUAL,
        Clock::Real => RUNS_REAL,
    };
    let terms = Terms {
        cluster: stage.cluster().to_owned(),
        clock: stage.clock(),
        profile: name,
        seed: args.seed,
        runs: args.runs.unwrap_or(runs),
    };
    let play = |scenario: &_, seed| stage.play(scenario, seed);
    let measured = measure(&terms, &play, &super::validate::lint);
    let exit = stage.close(Exit::Ok);
    match measured {
        Ok(report) => told(exit, args, &report),
        Err(message) => complain(exit.max(Exit::Environment), &message),
    }
}

fn told(exit: Exit, args: &ClaimsArgs, report: &Report) -> Exit {
    let is_refuted = |verdict: &Verdict| matches!(verdict, Verdict::Refuted { .. });
    let refuted = report.claims.iter().any(|claim| is_refuted(&claim.verdict));
    let exit = if args.strict && refuted { exit.max(Exit::Failed) } else { exit };
    match args.report {
        FormatWord::Terminal => tell(exit, &page::terminal(report)),
        FormatWord::Json => match serde_json::to_string_pretty(report) {
            Ok(text) => tell(exit, &(text + "\n")),
            Err(error) => complain(Exit::Bug, &error.to_string()),
        },
    }
}
