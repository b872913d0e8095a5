//! Records for a program: one object with a list `scenarios`.
//!
//! Every duration is in microseconds and its key ends in `_us`. `phases` has one entry a push,
//! whose `<phase>_us` add up to its `total_us` exactly.

use std::collections::BTreeMap;

use serde::Serialize;

use super::digest::{why, word};
use super::failure::reproduction;
use crate::record::{
    Clock, Drift, Failure, Push, PushEnd, Quantiles, Requests, Return, RunRecord, Wave,
};

#[derive(Serialize)]
struct Report<'a> {
    scenarios: Vec<Scenario<'a>>,
}

#[derive(Serialize)]
struct Scenario<'a> {
    name: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    description: &'a str,
    file: &'a str,
    seed: u64,
    profile: &'a str,
    clock: Clock,
    duration_us: u64,
    expectations_met: usize,
    failures: &'a [Failure],
    push_to_ready: Option<Quantiles>,
    phases: Vec<Row<'a>>,
    unnoticed: &'a [String],
    returns: &'a [Return],
    drifts: &'a [Drift],
    requests: &'a Requests,
    writes_at_rest: usize,
    reproduce: String,
}

#[derive(Serialize)]
struct Row<'a> {
    app: &'a str,
    commit: &'a str,
    summary: &'a str,
    outcome: PushEnd,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    start_us: u64,
    total_us: u64,
    #[serde(flatten)]
    phases_us: BTreeMap<String, u64>,
    waves: &'a [Wave],
    objects: usize,
    changed: &'a BTreeMap<String, usize>,
    requests: &'a Requests,
}

/// The records as one JSON object, ending in a line feed. Keys are in a fixed order.
#[must_use]
pub fn json(records: &[RunRecord]) -> String {
    let report = Report { scenarios: records.iter().map(scenario).collect() };
    #[expect(clippy::expect_used, reason = "states an invariant")]
    let mut text = serde_json::to_string_pretty(&report)
        .expect("because every key is text and no value can refuse to be serialised");
    text.push('\n');
    text
}

fn scenario(record: &RunRecord) -> Scenario<'_> {
    let heading = &record.heading;
    Scenario {
        name: &heading.name,
        outcome: word(&record.verdict),
        why: why(&record.verdict),
        description: &heading.description,
        file: &heading.file,
        seed: heading.seed,
        profile: &heading.profile,
        clock: heading.clock,
        duration_us: record.duration_us,
        expectations_met: record.expectations_met,
        failures: &record.failures,
        push_to_ready: record.push_to_ready,
        phases: record.pushes.iter().map(row).collect(),
        unnoticed: &record.unnoticed,
        returns: &record.returns,
        drifts: &record.drifts,
        requests: &record.requests,
        writes_at_rest: record.writes_at_rest,
        reproduce: reproduction(record),
    }
}

fn row(push: &Push) -> Row<'_> {
    let mut phases_us = BTreeMap::new();
    for phase in &push.phases {
        *phases_us.entry(format!("{}_us", phase.phase.key())).or_default() += phase.us;
    }
    Row {
        app: &push.app,
        commit: &push.commit,
        summary: &push.summary,
        outcome: push.end,
        why: push.why.as_deref(),
        start_us: push.start_us,
        total_us: push.total_us,
        phases_us,
        waves: &push.waves,
        objects: push.objects,
        changed: &push.changed,
        requests: &push.requests,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sample;
    use serde_json::Value;

    fn read(records: &[RunRecord]) -> Value {
        serde_json::from_str(&json(records)).expect("it is JSON")
    }

    #[test]
    fn a_scenario_has_name_outcome_phases_and_requests() {
        let value = read(&[sample::record("a", sample::story(true))]);
        let scenario = &value["scenarios"][0];
        assert_eq!(scenario["name"], "a");
        assert_eq!(scenario["outcome"], "passed");
        assert_eq!(scenario["requests"]["total"], 4);
        assert_eq!(scenario["phases"][1]["outcome"], "rolled-back");
        assert_eq!(
            scenario["reproduce"],
            "towtank run scenarios/rollback/a.scenario.yaml --seed 42"
        );
    }

    #[test]
    fn the_phases_of_a_push_add_up_to_its_total() {
        let value = read(&[sample::record("a", sample::story(true))]);
        let row = value["scenarios"][0]["phases"][0].as_object().expect("a map");
        let key = |key: &str| key.ends_with("_us") && key != "total_us" && key != "start_us";
        let sum: u64 = row.iter().filter(|(k, _)| key(k)).filter_map(|(_, v)| v.as_u64()).sum();
        assert_eq!(row["total_us"].as_u64(), Some(sum));
    }

    #[test]
    fn a_skipped_scenario_says_why_and_no_record_is_an_empty_list() {
        let value = read(&[RunRecord::skipped(sample::heading("a"), "kind is not installed")]);
        assert_eq!(value["scenarios"][0]["outcome"], "skipped");
        assert_eq!(value["scenarios"][0]["why"], "kind is not installed");
        assert_eq!(read(&[])["scenarios"], Value::Array(Vec::new()));
    }
}
