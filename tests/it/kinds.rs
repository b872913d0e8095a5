//! Replays what a real kube-apiserver answered about every kind: requests that
//! `scripts/baseline-kinds` made of a few valid objects, ten thousand in all. Two guards as
//! everywhere: no new divergence and no stale exception.
//!
//! `TOWTANK_KIND` keeps to the files whose names begin so.

use std::path::Path;

use towtank::cli::conformance::records;
use towtank::sim::rest::Admission;

use crate::auth::server;
use crate::rest::{Replay, report_on};

#[test]
fn every_kind_is_taken_changed_and_refused_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/kinds");
    let only = std::env::var("TOWTANK_KIND").unwrap_or_default();
    let mut wrong = String::new();
    let (mut right, mut excepted) = (0, 0);
    for file in records::files(&folder).unwrap() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with(&only) {
            continue;
        }
        // As the recorded server: accounts need not be there, and nobody counts quotas for it.
        let plugins = Admission { service_accounts: false, quota_is_counted: true };
        let replay = Replay::new(server().with_admission(plugins)).sent_by("admin");
        let report = report_on("kinds", &name, replay);
        right += report.right;
        excepted += report.excepted;
        if !report.wrong.is_empty() {
            wrong.push_str(&format!("== {name}: {} right\n{}", report.right, report.wrong));
        }
    }
    assert!(wrong.is_empty(), "{right} right, {excepted} excepted, wrong:\n{wrong}");
}
