//! `/version` (R-HTTP-07): the release that the schema table was generated from. Clients decide
//! by it what they may ask for.

use serde::Serialize;

use super::bytes;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    major: &'static str,
    minor: &'static str,
    emulation_major: &'static str,
    emulation_minor: &'static str,
    min_compatibility_major: &'static str,
    min_compatibility_minor: &'static str,
    git_version: &'static str,
    git_commit: &'static str,
    git_tree_state: &'static str,
    build_date: &'static str,
    go_version: &'static str,
    compiler: &'static str,
    platform: &'static str,
}

/// The answers were recorded with a server that was built from the release's source as it is
/// published, which knows no commit.
const VERSION: Version = Version {
    major: "1",
    minor: "36",
    emulation_major: "1",
    emulation_minor: "36",
    min_compatibility_major: "1",
    min_compatibility_minor: "35",
    git_version: "v1.36.3",
    git_commit: "",
    git_tree_state: "clean",
    build_date: "2026-07-22T18:07:38Z",
    go_version: "go1.26.8",
    compiler: "gc",
    platform: "linux/amd64",
};

/// The document.
pub(super) fn document() -> Vec<u8> {
    bytes::pretty(&VERSION)
}
