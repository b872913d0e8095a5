//! `towtank bench`: measures pushes under load, says whether two such runs really differ, and
//! holds a run against a baseline.
//!
//! It reads and writes the files and knows exit codes; what is measured and what follows from it is
//! `lab::bench`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::stage::Stage;
use super::typed::{ClusterArgs, ProfileWord, seed};
use super::{Exit, complain, out, tell};
use crate::base::{Clock, Profile};
use crate::lab::bench::compare::{Change, Terms, compare};
use crate::lab::bench::{
    Arrivals, BenchError, Measured, Sample, Settings, Summary, folder, gate, measure, page,
};
use crate::record;

/// The cluster in which time is virtual.
const MEMORY: &str = "memory";

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Measure how long pushes take to be ready while they keep coming
    ///
    /// Pushes are made at times of their own, whether or not those before them are done, and
    /// latency counts from when a push was meant to be made. A push that a newer one overtakes
    /// counts until that is ready; one that never becomes ready is counted as failed.
    PushToReady(PushToReadyArgs),
    /// Say whether one benchmark is really slower than another (exit code 3)
    ///
    /// The same pushes of both are held against each other. A difference counts where resampling
    /// the pushes shows that it is no chance, and where it is large enough to matter.
    Compare(CompareArgs),
    /// Measure again and fail on any difference from a baseline (exit code 3)
    ///
    /// In virtual time figures are exact: whatever moved is told with the phase it moved in.
    Gate(GateArgs),
}

#[derive(Debug, Args)]
struct LoadArgs {
    /// Apps, each of four objects
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=10_000))]
    apps: u16,
    /// Pushes a second, to all Apps together
    #[arg(long, value_name = "R", default_value = "1", value_parser = interval_us)]
    rate: u64,
    /// Pushes of one repeat
    #[arg(long, value_name = "N", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pushes: u32,
    /// How pushes come
    #[arg(long, value_enum, value_name = "HOW", default_value = "poisson")]
    arrivals: ArrivalsWord,
    /// Runs, each in a world of its own and from a seed of its own
    #[arg(long, value_name = "K", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    repeat: u16,
    /// What everything random follows from
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = seed)]
    seed: u64,
    /// How long the world's own doings take
    #[arg(long, value_enum, value_name = "PROFILE", default_value = "warm")]
    profile: ProfileWord,
}

#[derive(Debug, Args)]
struct PushToReadyArgs {
    #[command(flatten)]
    load: LoadArgs,
    /// What is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal")]
    report: FormatWord,
    /// Keep setup, samples and figures in DIR
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    cluster: ClusterArgs,
}

#[derive(Debug, Args)]
struct CompareArgs {
    /// The folder of a benchmark, as --out kept it
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The folder of the one to hold against it
    #[arg(value_name = "NOW")]
    now: PathBuf,
    /// The smallest difference that matters, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u16).range(0..=1_000))]
    min_effect: u16,
    /// What the resampling follows from
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = seed)]
    seed: u64,
}

#[derive(Debug, Args)]
struct GateArgs {
    /// The figures to hold against: summary.json of a benchmark in virtual time
    #[arg(long, value_name = "FILE")]
    baseline: PathBuf,
    /// Write the figures to FILE instead; where it is not there the load is as the flags say
    #[arg(long)]
    bless: bool,
    #[command(flatten)]
    load: LoadArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ArrivalsWord {
    /// At random, to random Apps: many people
    Poisson,
    /// Evenly, to one App after the other: a machine
    Fixed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatWord {
    /// For a reader
    Terminal,
    /// For a program
    Json,
}

/// The time between two pushes of so many a second.
fn interval_us(text: &str) -> Result<u64, String> {
    let wrong = || "expected pushes a second, from 0.001 to 1000".to_owned();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 6 || text.trim_matches('.').is_empty() {
        return Err(wrong());
    }
    let millionths: u64 = format!("{whole}{part:0<6}").parse().map_err(|_| wrong())?;
    match millionths {
        1_000..=1_000_000_000 => Ok(1_000_000_000_000 / millionths),
        _ => Err(wrong()),
    }
}

impl LoadArgs {
    fn settings(&self, cluster: &str) -> Settings {
        Settings {
            apps: self.apps.into(),
            pushes: usize::try_from(self.pushes).unwrap_or(usize::MAX),
            interval_us: self.rate,
            arrivals: match self.arrivals {
                ArrivalsWord::Poisson => Arrivals::Poisson,
                ArrivalsWord::Fixed => Arrivals::Fixed,
            },
            repeat: self.repeat.into(),
            seed: self.seed,
            profile: super::meant::profile(self.profile).name.to_owned(),
            cluster: cluster.to_owned(),
        }
    }
}

pub(super) fn run_bench(args: &BenchArgs) -> Exit {
    match &args.what {
        What::PushToReady(args) => push_to_ready(args),
        What::Compare(args) => compared(args),
        What::Gate(args) => gated(args),
    }
}

fn push_to_ready(args: &PushToReadyArgs) -> Exit {
    if let Some(Err(message)) = args.out.as_ref().map(|folder| out::prepare(folder)) {
        return complain(Exit::Environment, &message);
    }
    let stage = match Stage::open(&args.cluster, super::meant::profile(args.load.profile)) {
        Ok(stage) => stage,
        Err(exit) => {
            args.out.iter().for_each(|folder| out::leave(folder));
            return exit;
        }
    };
    let exit = kept_and_told(args, &stage);
    args.out.iter().for_each(|folder| out::leave(folder));
    stage.close(exit)
}

fn kept_and_told(args: &PushToReadyArgs, stage: &Stage) -> Exit {
    let clock = Clock::real();
    let measured = match measured(&args.load.settings(stage.cluster()), stage) {
        Ok(measured) => measured,
        Err(exit) => return exit,
    };
    let wall_ms = clock.now().since(clock.start()).as_millis();
    let exit = Exit::of_records(&measured.records);
    if let Some(folder) = &args.out {
        let wall_ms = u64::try_from(wall_ms).unwrap_or(u64::MAX);
        let files = folder::files(&measured, out::environment(stage.clock()), wall_ms);
        if let Err(message) = out::write_files(folder, &files) {
            return complain(Exit::Environment, &message);
        }
    }
    let text = match args.report {
        FormatWord::Terminal => page::terminal(&measured.summary),
        FormatWord::Json => measured.summary.json(),
    };
    found(exit, &measured, &text)
}

/// Prints the figures; what keeps them from being trusted goes beside them.
fn found(exit: Exit, measured: &Measured, text: &str) -> Exit {
    for record in &measured.records {
        for failure in &record.failures {
            complain(
                exit,
                &format!("seed {}: {}: {}", record.heading.seed, failure.what, failure.detail),
            );
        }
        if let record::Verdict::NotConverged { why } = &record.verdict {
            complain(exit, &format!("seed {}: did not come to rest: {why}", record.heading.seed));
        }
    }
    tell(exit, text)
}

/// Runs the load; where it cannot be run, says so.
fn measured(settings: &Settings, stage: &Stage) -> Result<Measured, Exit> {
    measure(settings, &|scenario, seed| stage.play(scenario, seed)).map_err(|error| {
        let exit = match error {
            BenchError::Load(_) => Exit::BadInput,
            BenchError::Run(_) => Exit::Environment,
        };
        complain(exit, &error.to_string())
    })
}

fn compared(args: &CompareArgs) -> Exit {
    let read = |folder: &Path| -> Result<(Settings, Vec<Sample>), String> {
        let setup = kept(&folder.join(folder::SETUP), folder::setup)?;
        Ok((setup.settings, kept(&folder.join(folder::RAW), folder::samples)?))
    };
    let (before, now) = match (read(&args.before), read(&args.now)) {
        (Ok(before), Ok(now)) => (before, now),
        (before, now) => {
            let wrong: Vec<String> = [before.err(), now.err()].into_iter().flatten().collect();
            return complain(Exit::BadInput, &wrong.join("\n"));
        }
    };
    let terms = Terms { seed: args.seed, effect_per_mille: u64::from(args.min_effect) * 10 };
    let found = match compare((&before.0, &before.1), (&now.0, &now.1), terms) {
        Ok(found) => found,
        Err(message) => return complain(Exit::BadInput, &message),
    };
    let exit = if found.verdict == Change::Slower { Exit::Threshold } else { Exit::Ok };
    let names = [&args.before, &args.now].map(|path| path.display().to_string());
    tell(exit, &page::comparison(&found, &names[0], &names[1]))
}

fn gated(args: &GateArgs) -> Exit {
    let file = &args.baseline;
    let shown = file.display().to_string();
    let baseline = match file.exists() {
        true => Some(kept(file, Summary::parse)),
        false => None,
    };
    let settings = match (&baseline, args.bless) {
        (None, false) => {
            let message = format!("{shown}: no such file; --bless writes it");
            return complain(Exit::BadInput, &message);
        }
        (Some(Err(message)), _) => return complain(Exit::BadInput, message),
        (Some(Ok(baseline)), _) => baseline.settings.clone(),
        (None, true) => args.load.settings(MEMORY),
    };
    if settings.cluster != MEMORY {
        let message = format!(
            "{shown}: these figures were measured on {}, where no two runs are the same; \
             compare two of them with towtank bench compare",
            settings.cluster
        );
        return complain(Exit::BadInput, &message);
    }
    let Some(profile) = Profile::named(&settings.profile) else {
        let message = format!("{shown}: there is no profile {:?}", settings.profile);
        return complain(Exit::BadInput, &message);
    };
    let played = Stage::memory(profile).and_then(|stage| measured(&settings, &stage));
    let measured = match played {
        Ok(measured) => measured,
        Err(exit) => return exit,
    };
    let exit = Exit::of_records(&measured.records);
    if args.bless {
        let text = measured.summary.json();
        return match fs::write(file, text) {
            Ok(()) => found(exit, &measured, &format!("bench gate  {shown} is written\n")),
            Err(error) => {
                complain(Exit::Environment, &format!("{shown}: cannot be written: {error}"))
            }
        };
    }
    let Some(Ok(baseline)) = baseline else { return Exit::Bug };
    let moved = gate::moved(&baseline, &measured.summary);
    let exit = if moved.is_empty() { exit } else { exit.max(Exit::Threshold) };
    found(exit, &measured, &page::moved(&moved, &shown))
}

/// What a file holds.
fn kept<T>(file: &Path, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, String> {
    let text = fs::read_to_string(file)
        .map_err(|error| format!("{}: cannot be read: {error}", file.display()))?;
    parse(&text).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_of_pushes_a_second() {
        assert_eq!(interval_us("1"), Ok(1_000_000));
        assert_eq!(interval_us("2.5"), Ok(400_000));
        assert_eq!(interval_us(".5"), Ok(2_000_000));
        assert_eq!(interval_us("1000"), Ok(1_000));
        for text in ["0", "", ".", "-1", "1e3", "0.0000001", "1001", "x", "1.2.3"] {
            assert!(interval_us(text).is_err(), "{text}");
        }
    }
}
