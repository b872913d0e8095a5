//! Every scenario as a test: one line each, run twice from one seed, and the bytes compared.
//!
//! What a scenario expects is in its file; what is checked besides is that a run depends on
//! nothing but its seed. `TOWTANK_SEED` picks another seed than the usual one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use towtank::lab::run::{Options, run};
use towtank::lab::scenario;
use towtank::record::{RunRecord, Verdict};
use towtank::report::{Look, terminal};

/// What one run came to.
struct Run {
    /// The content of `raw.jsonl`.
    raw: Vec<u8>,
    record: RunRecord,
}

/// Runs the scenario at `path`: the only place where this harness meets the lab.
fn run_one(path: &Path, seed: u64) -> Result<Run, String> {
    let scenario = scenario::load(path).map_err(|problems| problems.to_string())?;
    let options = Options { seed, ..Options::default() };
    let finished = run(&scenario, &options).map_err(|error| error.to_string())?;
    Ok(Run { raw: finished.raw.into_bytes(), record: finished.record })
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let seed = std::env::var("TOWTANK_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files = Vec::new();
    find(&root, &mut files);
    files.sort();
    let trials = files.into_iter().map(|path| {
        let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
        Trial::ignorable_test(name, move || check(&path, seed))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// The scenario files below `folder`: `scenario.yaml` and `*.scenario.yaml`, nothing else.
fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            find(&path, files);
        } else if name == "scenario.yaml" || name.ends_with(".scenario.yaml") {
            files.push(path);
        }
    }
}

fn check(path: &Path, seed: u64) -> Result<Completion, Failed> {
    let first = run_one(path, seed)?;
    match &first.record.verdict {
        Verdict::Passed => {}
        Verdict::Skipped { why } => return Ok(Completion::ignored_with(why)),
        Verdict::Failed | Verdict::NotConverged { .. } => {
            return Err(terminal(&[first.record], Look::text(100)).into());
        }
    }
    let second = run_one(path, seed)?;
    match first_difference(&first.raw, &second.raw) {
        None => Ok(Completion::Completed),
        Some((line, one, two)) => Err(format!(
            "seed {seed} does not always give the same run: line {line} of raw.jsonl was\n  {one}\nand then\n  {two}"
        )
        .into()),
    }
}

/// The first line that differs, from 1, and how it read each time.
fn first_difference(one: &[u8], two: &[u8]) -> Option<(usize, String, String)> {
    if one == two {
        return None;
    }
    let lines = |raw: &[u8]| -> Vec<String> {
        raw.split(|byte| *byte == b'\n').map(|l| String::from_utf8_lossy(l).into_owned()).collect()
    };
    let (one, two) = (lines(one), lines(two));
    let end = "(the end)".to_owned();
    (0..one.len().max(two.len()))
        .map(|n| (n + 1, one.get(n).unwrap_or(&end).clone(), two.get(n).unwrap_or(&end).clone()))
        .find(|(_, one, two)| one != two)
}
