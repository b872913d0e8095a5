//! Whole runs: scenarios in virtual time, from their text to their record.

use std::fmt::Write as _;
use std::process::Command;

use towtank::lab::load;
use towtank::lab::run::{Options, run};
use towtank::lab::scenario::Scenario;
use towtank::record::{Clock, PushEnd, RunRecord, Verdict};

use super::measure::Work;

/// One App of four objects, deployed and given a new tag, `size` times; right is each run that
/// passed.
pub(crate) fn commit_to_ready(size: usize, seed: u64) -> Work {
    let scenario = scenario(1, &load::push(0, "2"));
    Box::new(move || (0..size).filter(|_| passed(&played(&scenario, seed))).count())
}

/// One App of four objects, from its one commit to ready in an empty cluster, `size` times; right
/// is each run that passed.
pub(crate) fn first_deploys(size: usize, seed: u64) -> Work {
    let scenario = scenario(1, &load::first_deploy(1));
    Box::new(move || (0..size).filter(|_| passed(&played(&scenario, seed))).count())
}

/// `size` Apps of four objects, from an empty cluster to all ready; right is each App that is.
pub(crate) fn first_deploy(size: usize, seed: u64) -> Work {
    let scenario = scenario(size, &load::first_deploy(size));
    Box::new(move || ready(&played(&scenario, seed)))
}

/// `size` Apps, then a push that changes one of them; right is each App that is ready, counting
/// out the run where the push cost a request for another App.
pub(crate) fn push_one(size: usize, seed: u64) -> Work {
    let mut steps = load::push(0, "2");
    for app in 1..size {
        let _ = writeln!(steps, "      - {{ requests: {{ app: app-{app}, at-most: 0 }} }}");
    }
    // The expectation of the push is the first of a list.
    let steps = steps.replacen("expect: {", "expect:\n      - {", 1);
    let scenario = scenario(size, &steps);
    Box::new(move || {
        let record = played(&scenario, seed);
        if passed(&record) { ready(&record) - 1 } else { 0 }
    })
}

/// The program from its start to the report of the smoke scenario, `size` times; right is each
/// that exits with 0.
pub(crate) fn process(size: usize, seed: u64) -> Work {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/deploy/smoke.scenario.yaml");
    Box::new(move || {
        #[expect(clippy::disallowed_methods, reason = "the process is what is measured")]
        let run = || {
            Command::new(env!("CARGO_BIN_EXE_towtank"))
                .args(["run", file, "--seed", &seed.to_string()])
                .output()
        };
        (0..size).filter(|_| run().is_ok_and(|output| output.status.success())).count()
    })
}

fn scenario(apps: usize, steps: &str) -> Scenario {
    load::scenario(apps, steps).unwrap_or_else(|problems| panic!("{problems}"))
}

fn played(scenario: &Scenario, seed: u64) -> RunRecord {
    let options = Options { seed, clock: Clock::Virtual, ..Options::default() };
    run(scenario, &options).unwrap_or_else(|error| panic!("{error}")).record
}

fn passed(record: &RunRecord) -> bool {
    record.verdict == Verdict::Passed
}

fn ready(record: &RunRecord) -> usize {
    record.pushes.iter().filter(|push| push.end == PushEnd::Ready).count()
}
