//! `towtank bench` as a whole: the same settings give the same samples, every intended push is
//! accounted for, and what is kept can be gated and compared.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use towtank::base::Profile;
use towtank::lab::bench::{Arrivals, End, Measured, Settings, measure};
use towtank::lab::run::{Options, run};
use towtank::record::{Clock, Verdict};

fn settings() -> Settings {
    Settings {
        apps: 3,
        pushes: 30,
        interval_us: 700_000,
        arrivals: Arrivals::Poisson,
        repeat: 2,
        seed: 1,
        profile: "warm".to_owned(),
        cluster: "memory".to_owned(),
    }
}

fn measured(settings: &Settings) -> Measured {
    let profile = Profile::named(&settings.profile);
    let play = |scenario: &_, seed| {
        let clock = Clock::Virtual;
        let options = Options { seed, clock, profile: profile.clone(), ..Options::default() };
        run(scenario, &options).map_err(|error| error.to_string())
    };
    measure(settings, &play).unwrap()
}

#[test]
fn the_same_settings_give_the_same_samples_and_no_push_is_lost() {
    let (one, other) = (measured(&settings()), measured(&settings()));
    assert_eq!(one.samples, other.samples);
    assert_eq!(one.summary.json(), other.summary.json());
    assert!(one.records.iter().all(|record| record.verdict == Verdict::Passed));
    let counts = one.summary.counts;
    assert_eq!(counts.intended, 60);
    assert_eq!(counts.ready + counts.superseded + counts.failed, 60);
    assert_eq!(counts.failed, 0);
    // About four seconds pass between two pushes to one App, and a rollout takes more than one:
    // some are overtaken, most are not.
    assert!(counts.superseded > 0 && counts.superseded < counts.ready, "{counts:?}");
    for sample in &one.samples {
        let sum: u64 = sample.phases.iter().map(|share| share.us).sum();
        assert_eq!(Some(sum), sample.latency_us, "adds up: {sample:?}");
        let is_own = sample.live_by == Some(sample.push);
        assert_eq!(is_own, sample.end == End::Ready, "{sample:?}");
    }
}

#[test]
fn a_load_that_leaves_time_is_never_overtaken() {
    let settings = Settings {
        arrivals: Arrivals::Fixed,
        interval_us: 5_000_000,
        pushes: 6,
        repeat: 1,
        ..settings()
    };
    let measured = measured(&settings);
    assert_eq!(measured.summary.counts.ready, 6, "{:?}", measured.samples);
}

#[expect(clippy::disallowed_methods, reason = "the program itself is what is tried here")]
fn towtank(folder: &Path, args: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towtank"));
    command.current_dir(folder).args(args.split(' ')).output().unwrap()
}

#[track_caller]
fn check(folder: &Path, args: &str, code: i32, told: &[&str]) {
    let output = towtank(folder, args);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args}: {text}");
    for told in told {
        assert!(text.contains(told), "{args}: {told:?} is not in\n{text}");
    }
}

const LOAD: &str = "bench push-to-ready --apps 2 --pushes 12 --rate 0.5 --out";

#[test]
fn what_is_kept_can_be_gated_and_what_moved_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    check(folder, &format!("{LOAD} a"), 0, &["12 pushes to 2 Apps, 0.5 a second", "health"]);
    for file in ["setup.json", "raw.jsonl", "summary.md", "latency.hgrm", "load.scenario.yaml"] {
        assert!(folder.join("a").join(file).is_file(), "{file}");
    }
    check(folder, "bench gate --baseline a/summary.json", 0, &["every sample is as in"]);
    check(folder, "run a/load.scenario.yaml", 0, &["1 passed"]);

    let text = fs::read_to_string(folder.join("a/summary.json")).unwrap();
    let mut moved: serde_json::Value = serde_json::from_str(&text).unwrap();
    let phases = moved["phases"].as_array_mut().unwrap();
    let health = phases.iter_mut().find(|phase| phase["phase"] == "health").unwrap();
    health["max_us"] = 1.into();
    fs::write(folder.join("moved.json"), moved.to_string()).unwrap();
    let told = ["bench gate  1 figure not as in moved.json", "health max", "0.001 ms →"];
    check(folder, "bench gate --baseline moved.json", 3, &told);

    check(folder, "bench gate --baseline moved.json --bless", 0, &["moved.json is written"]);
    assert_eq!(fs::read_to_string(folder.join("moved.json")).unwrap(), text);
    check(folder, "bench gate --baseline none.json", 2, &["none.json: no such file; --bless"]);
    let other = text.replace("\"format\": 1", "\"format\": 99");
    fs::write(folder.join("other.json"), other).unwrap();
    check(folder, "bench gate --baseline other.json", 2, &["this towtank reads format 1"]);
}

#[test]
fn two_benchmarks_are_compared_push_by_push() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    check(folder, &format!("{LOAD} a"), 0, &[]);
    check(folder, &format!("{LOAD} b --profile cold"), 0, &["profile cold"]);
    check(folder, &format!("{LOAD} c --seed 2"), 0, &["seed 2"]);
    check(folder, "bench compare a a", 0, &["no real difference"]);
    check(folder, "bench compare a b", 3, &["regression: slower, and not by chance"]);
    check(folder, "bench compare b a", 0, &["improvement: faster, and not by chance"]);
    check(folder, "bench compare a c", 2, &["cannot be paired: seed 1 and 2"]);
    check(folder, "bench compare a d", 2, &["d/setup.json: cannot be read"]);
}

#[test]
fn a_load_that_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    check(folder, "bench push-to-ready --rate 0", 2, &["pushes a second, from 0.001 to 1000"]);
    check(folder, "bench push-to-ready --apps 0", 2, &["0 is not in 1..="]);
    check(folder, "bench push-to-ready --cluster kindd", 2, &["did you mean kind?"]);
}
