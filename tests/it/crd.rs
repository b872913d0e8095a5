//! Replays what a real kube-apiserver answered about CustomResourceDefinitions and their objects
//! (R-CRD), as `rest` does for the built-in kinds: two guards, no new divergence and no stale
//! exception.

use crate::rest::check_in;

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

/// Records of one's own, such as what a server said to the definitions and objects of a real
/// repository: a file that `scripts/baseline` wrote, named by `TOWTANK_RECORDS`.
#[test]
fn records_from_elsewhere_hold() {
    match std::env::var("TOWTANK_RECORDS") {
        Ok(file) => check_in("crd", &file),
        Err(_) => println!("skipped: TOWTANK_RECORDS names no file"),
    }
}
