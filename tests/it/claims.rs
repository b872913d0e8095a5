//! `towtank claims`: every claim that can be measured holds on the warm profile, those that cannot
//! are named, and a profile that refutes some is told.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

use std::path::Path;
use std::process::{Command, Output};

use towtank::base::Profile;
use towtank::lab::claims::{Report, Terms, Verdict, measure, page, scenarios};
use towtank::lab::run::{Finished, Options, run};
use towtank::lab::scenario::{self, Scenario};
use towtank::record::{Clock, RunRecord, Verdict as Ended};

fn played(scenario: &Scenario, seed: u64, profile: Profile) -> Finished {
    let clock = Clock::Virtual;
    let options = Options { seed, clock, profile: Some(profile), ..Options::default() };
    run(scenario, &options).unwrap_or_else(|error| panic!("{error}"))
}

fn report(runs: u64, profile: &Profile) -> Report {
    let terms = Terms {
        cluster: "memory".to_owned(),
        clock: Clock::Virtual,
        profile: profile.name.to_owned(),
        seed: 1,
        runs,
    };
    let play = |scenario: &_, seed| Ok(played(scenario, seed, profile.clone()));
    // The command brings the real one (below).
    let lint = |_: &_| Ok(Vec::new());
    measure(&terms, &play, &lint).unwrap()
}

#[test]
fn every_claim_that_is_measured_holds_on_a_small_warm_cluster() {
    let report = report(3, &Profile::warm());
    let page = page::terminal(&report);
    let numbers: Vec<u32> = report.claims.iter().map(|claim| claim.number).collect();
    assert_eq!(numbers, (1..=9).collect::<Vec<_>>());
    for claim in &report.claims {
        let is_missing = matches!(claim.verdict, Verdict::NotMeasured { .. });
        assert_eq!(is_missing, [6, 7].contains(&claim.number), "{page}");
        // A lint that tells nothing refutes its claim.
        let is_refuted = matches!(claim.verdict, Verdict::Refuted { .. });
        assert_eq!(is_refuted, claim.number == 8, "{page}");
        assert_eq!(claim.rows.is_empty(), is_missing, "{page}");
    }
    let counts = |n: usize| report.claims[n].rows.iter().map(|row| row.n).collect::<Vec<_>>();
    assert_eq!(counts(0), [9, 3, 3]);
    assert_eq!(counts(1), [9, 3, 3, 3]);
    assert_eq!(counts(2), [9, 9]);
    assert_eq!(counts(3), [15, 6]);
    assert_eq!(counts(4), [3]);
    assert_eq!(counts(8), [30, 3, 3]);
    assert!(page.contains("6 hold, 1 refuted, 2 not yet measured"), "{page}");
    assert!(page.contains("a week for 10 teams"), "{page}");
}

#[test]
fn the_embedded_repository_gives_the_run_of_the_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for embedded in scenarios().unwrap() {
        let folder = scenario::load(&root.join(&embedded.file)).unwrap();
        let play = |scenario: &Scenario| played(scenario, 7, Profile::warm()).raw;
        assert!(play(&embedded) == play(&folder), "{} differs", embedded.file.display());
    }
}

#[expect(clippy::disallowed_methods, reason = "the program itself is what is tried here")]
fn towtank(args: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_towtank"));
    command.current_dir(folder.path()).args(args.split(' ')).output().unwrap()
}

#[test]
fn a_refuted_claim_is_no_failure_unless_it_is_asked_to_be() {
    let told = towtank("claims --runs 1 --profile cold --report json");
    assert_eq!(told.status.code(), Some(0), "{}", String::from_utf8_lossy(&told.stderr));
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((&report["profile"], &report["runs"]), (&"cold".into(), &1.into()));
    assert_eq!(report["claims"][0]["verdict"]["verdict"], "refuted");
    let why = report["claims"][0]["verdict"]["why"].as_str().unwrap();
    assert!(why.starts_with("pushed → ready: the slowest took "), "{why}");
    assert_eq!(report["claims"][5]["verdict"]["verdict"], "not-measured");
    assert_eq!(towtank("claims --runs 1 --profile cold --strict").status.code(), Some(1));
    let told = towtank("claims --runs 3 --strict");
    let page = String::from_utf8_lossy(&told.stdout).into_owned();
    assert_eq!(told.status.code(), Some(0), "{page}");
    assert!(page.contains("7 hold, 0 refuted, 2 not yet measured"), "{page}");
    let figures = |what: &str| {
        let line = page.lines().find(|line| line.contains(what)).unwrap_or_default();
        line.split_whitespace().rev().nth(3).map(str::to_owned)
    };
    assert_eq!(figures("one mistake: told with its file").as_deref(), Some("10"), "{page}");
    assert_eq!(figures("no mistake: nothing told").as_deref(), Some("4"), "{page}");
}

/// The reason of the last failure of the scenario of a mistake.
#[track_caller]
fn check_mistake(name: &str, expected: &str) -> RunRecord {
    let file = format!("scenarios/claims/mistakes/{name}.scenario.yaml");
    let read = scenario::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let record = played(&read, 1, Profile::warm()).record;
    let why = record.pushes.iter().rev().find_map(|push| push.why.clone());
    assert_eq!(why.as_deref(), Some(expected));
    assert_eq!(record.verdict, Ended::Passed, "{:#?}", record.failures);
    record
}

#[test]
fn the_mistakes_of_guides_are_named_with_their_place() {
    check_mistake(
        "tag-in-a-kustomization",
        "render: apps/cart/overlays/production/kustomization.yaml:6:1: unknown kustomization field \
         \"spec\"",
    );
    check_mistake(
        "unresolved-image-tag",
        "plan: apps/search/helmrelease.yaml:10:7: HelmRelease/shop-production/search: \
         spec.values.image.tag: ${IMAGE_TAG} was not filled in",
    );
}
