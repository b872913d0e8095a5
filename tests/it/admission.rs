//! Replays what was recorded with a real kube-apiserver of its admission plugins and of the
//! subresources that are no plain reads and writes.

use towtank::sim::rest::{Admission, Webhooks};

use crate::auth::server;
use crate::rest::{Replay, check_part};

/// As the recorded server: accounts must be there, and nobody counts quotas for it.
fn check(file: &str) {
    let plugins = Admission { service_accounts: true, quota_is_counted: true };
    let server = server().with_admission(plugins).with_webhooks(Webhooks::CalledOut);
    let replay = Replay::new(server).sent_by("admin");
    check_part("admission", file, replay);
}

#[test]
fn plugins_set_and_refuse_as_recorded() {
    check("plugins.jsonl");
}

#[test]
fn policies_judge_as_recorded() {
    check("policies.jsonl");
}

#[test]
fn policies_change_objects_as_recorded() {
    check("mutations.jsonl");
}

#[test]
fn webhooks_are_asked_and_heard_as_recorded() {
    check("webhooks.jsonl");
}

#[test]
fn subresources_answer_as_recorded() {
    check("subresources.jsonl");
}
