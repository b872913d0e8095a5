//! Where each behaviour of controllers, nodes and pods is proved: number, file, and what to look
//! for in it, a recorded case by its name or a test by its function.
//!
//! The table is the index that a reader follows; that it leads somewhere is the test. What the
//! numbers mean is in `tests/baseline/README.md`.

use std::path::Path;

/// Number, file, names.
const PROOFS: &[(&str, &str, &[&str])] = &[
    ("R-CTL-01", CASES, &["create", "rolling update"]),
    ("R-CTL-01", SETS, &["a hash that is taken"]),
    ("R-CTL-02", CASES, &["back to an old template"]),
    ("R-CTL-03", CASES, &["annotations"]),
    ("R-CTL-04", CASES, &["rolling update", "rolling update without surge"]),
    ("R-CTL-04", SETS, &["surge and absence in parts"]),
    ("R-CTL-05", CASES, &["recreate", "pause and resume", "scale in a stuck rollout"]),
    ("R-CTL-05", SETS, &["recreate that is stuck", "paused in a stuck rollout"]),
    ("R-CTL-05", SETS, &["scaled up with three sets", "scaled while paused in a rollout"]),
    ("R-CTL-06", CASES, &["scale up and down"]),
    ("R-CTL-07", CASES, &["bad update"]),
    ("R-CTL-08", CASES, &["create", "back to an old template", "deadline exceeded"]),
    ("R-CTL-09", CASES, &["deadline exceeded", "no deadline"]),
    ("R-CTL-10", SETS, &["quota in the way"]),
    ("R-CTL-11", CASES, &["history"]),
    ("R-CTL-12", CASES, &["release and adopt"]),
    ("R-CTL-12", SETS, &["deletion cost", "replica set adopts"]),
    ("R-CTL-12", SETS, &["replica set, who goes first"]),
    ("R-CTL-13", CASES, &["min ready seconds"]),
    ("R-CTL-14", CASES, &["stateful set", "parallel stateful set"]),
    ("R-CTL-14", SETS, &["stateful, claims", "stateful, scaled down past a broken pod"]),
    ("R-CTL-15", SETS, &["stateful partition", "stateful on delete"]),
    ("R-CTL-15", SETS, &["stateful, broken and put back"]),
    ("R-CTL-16", CASES, &["daemon set"]),
    ("R-CTL-16", SETS, &["daemon update", "daemon update with surge", "daemon on delete"]),
    ("R-CTL-17", JOBS, &["work of five by two", "a failure, then success"]),
    ("R-CTL-18", JOBS, &["indexed", "suspended in the middle", "failure policy ends the job"]),
    ("R-CTL-18", HOUSEKEEPING, &["job that is not kept"]),
    ("R-CTL-19", SCHEDULES, &["in a time zone", "many times missed", "replaced", "few are kept"]),
    ("R-CTL-20", HOUSEKEEPING, &["service of two pods", "named ports", "headless"]),
    ("R-CTL-21", "src/sim/controllers/expose.rs", &["a_load_balancer_waits_gets_an_address"]),
    ("R-CTL-22", HOUSEKEEPING, &["claim without class", "claim finds a volume"]),
    ("R-CTL-23", SCALING, &["scaled up", "within the tolerance", "down in a window of its own"]),
    ("R-CTL-24", HOUSEKEEPING, &["budget of a deployment, at least one", "budget over a bare pod"]),
    ("R-CTL-25", CASES, &["namespace delete", "namespace with a finalizer"]),
    ("R-CTL-26", GARBAGE, &["one owner of two goes", "orphaned", "an owner of no namespace"]),
    ("R-CTL-27", HOUSEKEEPING, &["account and root certificate"]),
    ("R-CTL-28", HOUSEKEEPING, &["aggregated role"]),
    ("R-CTL-28", NODES, &["lost and back", "deleted"]),
    ("R-CTL-29", CHOICES, &["a more important pod takes the place of a less important one"]),
    ("R-CTL-29", CHOICES, &["a preferred node is taken", "a node with a soft taint is avoided"]),
    ("R-CTL-29", PLACES, &["a pod that asks for CPU goes where memory is taken"]),
    (
        "R-CTL-29",
        PLACES,
        &["zones are kept even before nodes", "a large image that is there is worth room"],
    ),
    ("R-CTL-30", NODES, &["lost and back", "a zone without nodes"]),
    ("R-CTL-30", STAGES, &["five_hundred_idle_nodes_cost_nothing"]),
    ("R-CTL-31", PODS, &["conditions_tell_what_is_missing_and_when_it_came"]),
    ("R-CTL-31", ENDS, &["a_container_is_there_when_its_post_start_hook_is_over"]),
    ("R-CTL-31", ENDS, &["a_container_whose_post_start_hook_fails_is_killed_and_backs_off"]),
    ("R-CTL-32", PODS, &["what_is_meant_to_end_succeeds_or_fails_by_its_restart_policy"]),
    ("R-CTL-32", ENDS, &["a_pod_that_is_active_for_too_long_fails"]),
    ("R-CTL-33", PODS, &["a_crash_restarts_at_once_then_backs_off"]),
    ("R-CTL-34", PODS, &["an_image_that_cannot_be_pulled_alternates_between_its_two_reasons"]),
    ("R-CTL-34", STAGES, &["R-CTL-34"]),
    ("R-CTL-35", PODS, &["a_liveness_probe_that_fails_restarts_the_container"]),
    ("R-CTL-35", PODS, &["a_startup_probe_holds_the_others_back_and_kills_what_never_starts"]),
    ("R-CTL-36", PODS, &["init_containers_run_in_order_and_sidecars_stop_last"]),
    ("R-CTL-37", PODS, &["a_deleted_pod_stops_within_its_grace"]),
    ("R-CTL-37", ENDS, &["a_pre_stop_hook_runs_before_the_signal_and_within_the_grace"]),
    ("R-CTL-37", ENDS, &["a_pre_stop_hook_that_fails_is_told_of"]),
    ("R-CTL-38", "src/sim/pods/usual.rs", &["containers_do_what_the_stages_for_them_say"]),
    ("R-CTL-38", "src/sim/stages/known.rs", &["objects_of_known_kinds_become"]),
    ("R-CTL-39", RECORDER, &["a_repetition_counts", "many_texts_of_one_reason"]),
    ("R-CTL-31", PLAYED, &["start", "a hook at the start"]),
    ("R-CTL-32", PLAYED, &["never again, one of two", "active for too long"]),
    ("R-CTL-33", PLAYED, &["crash", "out of memory"]),
    ("R-CTL-34", PLAYED, &["no such image", "a key that is missing", "a volume that is missing"]),
    ("R-CTL-35", PLAYED, &["a gate", "not alive", "started slowly"]),
    ("R-CTL-36", PLAYED, &["one after another", "sidecars stop last"]),
    ("R-CTL-37", PLAYED, &["deleted, deaf", "deleted, held"]),
    ("R-CTL-39", PLAYED, &["crash twice"]),
    ("R-CTL-40", "tests/it/controllers/shuffle.rs", &["the_same_order_gives_the_same_bytes"]),
];

const CASES: &str = "tests/baseline/controllers/cases.json";
const SETS: &str = "tests/baseline/controllers/sets.cases.json";
const JOBS: &str = "tests/baseline/controllers/jobs.cases.json";
const SCHEDULES: &str = "tests/baseline/controllers/schedules.cases.json";
const SCALING: &str = "tests/baseline/controllers/scaling.cases.json";
const GARBAGE: &str = "tests/baseline/controllers/garbage.cases.json";
const HOUSEKEEPING: &str = "tests/baseline/housekeeping/cases.json";
const NODES: &str = "tests/baseline/nodes/cases.json";
const CHOICES: &str = "tests/baseline/scheduler/choices.cases.json";
const PLACES: &str = "tests/baseline/scheduler/places.cases.json";
const PLAYED: &str = "tests/baseline/pods/cases.json";
const STAGES: &str = "tests/it/nodes_and_stages.rs";
const PODS: &str = "src/sim/pods/tests.rs";
const ENDS: &str = "src/sim/pods/tests/ends.rs";
const RECORDER: &str = "src/sim/controllers/recorder.rs";

#[test]
fn every_behaviour_of_the_world_has_its_proof() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing: Vec<String> = (1..=40)
        .map(|number| format!("R-CTL-{number:02}"))
        .filter(|number| !PROOFS.iter().any(|(proved, _, _)| proved == number))
        .collect();
    for (number, file, names) in PROOFS {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        let is_there = |name: &&&str| match file.ends_with(".json") {
            true => text.contains(&format!("\"{name}\"")),
            false => text.contains(**name),
        };
        let lost = names.iter().filter(|name| !is_there(name));
        missing.extend(lost.map(|name| format!("{number}: {file}: {name}")));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
