//! Replays what a real kube-apiserver answered about CustomResourceDefinitions and their objects
//! (R-CRD), as `rest` does for the built-in kinds: two guards, no new divergence and no stale
//! exception.

use crate::auth::server;
use crate::rest::{Replay, check_in, check_part};

#[test]
fn definitions_are_taken_or_refused_as_recorded() {
    check_in("crd", "definitions.jsonl");
}

#[test]
fn objects_are_pruned_filled_in_and_judged_as_recorded() {
    check_in("crd", "objects.jsonl");
}

#[test]
fn rules_are_evaluated_as_recorded() {
    check_in("crd", "rules.jsonl");
}

#[test]
fn versions_status_scale_and_clean_up_go_as_recorded() {
    check_in("crd", "changes.jsonl");
}

#[test]
fn owners_in_several_versions_go_as_recorded() {
    check_in("crd", "versions.jsonl");
}

#[test]
fn rules_may_name_fields_by_reserved_words() {
    check_in("crd", "words.jsonl");
}

#[test]
fn definitions_that_are_wrong_in_one_way_each_are_refused_as_recorded() {
    check_in("crd", "refused.jsonl");
}

/// Some 320 rules, each in versions that allow ten to ten million values: what each may cost is told
/// to a digit or two.
#[test]
fn rules_that_may_cost_too_much_are_refused_as_recorded() {
    check_in("crd", "costs.jsonl.gz");
}

/// Creation, reading, changes, apply, deletion and watches of the objects of a definition as
/// controllers' projects write them, by several users.
#[test]
fn objects_of_an_everyday_definition_go_as_recorded() {
    check_part("crd", "everyday.jsonl", Replay::new(server()).sent_by("admin"));
}

/// Records of one's own, such as what a server said to the definitions and objects of a real
/// repository: a file that `scripts/baseline` wrote, named by `TOWTANK_RECORDS`.
#[test]
fn records_from_elsewhere_hold() {
    match std::env::var("TOWTANK_RECORDS") {
        Ok(file) => check_in("crd", &file),
        Err(_) => println!("skipped: TOWTANK_RECORDS names no file"),
    }
}
