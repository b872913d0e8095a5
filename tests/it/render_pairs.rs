//! The renderer against recorded builds of the real kustomize in which every feature meets every
//! other: in a base and its overlay, and in one kustomization.
//!
//! `scripts/baseline-render-pairs` makes and records the cases. What is refused has to be refused
//! here too; the words are ours.

#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use towtank::engine::render::ParseCache;
use towtank::engine::render::kustomize::{self, Options};
use towtank::object::Value;

use crate::trees;

#[test]
fn every_feature_goes_with_every_other_as_recorded() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/render/pairs.jsonl.gz");
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    // One for all: what one case leaves in it must not show in another.
    let mut cache = ParseCache::new();
    let (mut count, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        count += 1;
        if let Some(why) = difference(&case, &mut cache) {
            wrong.push(format!("== {}\n{why}", case["name"].as_str().unwrap()));
        }
    }
    assert!(count > 1_500, "only {count} cases");
    let shown = wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {count} cases differ\n{shown}", wrong.len());
}

/// How a case comes out otherwise than recorded, if it does.
fn difference(case: &Value, cache: &mut ParseCache) -> Option<String> {
    let mut tree = trees::empty();
    for (path, text) in case["files"].as_object().unwrap() {
        trees::insert(&mut tree, path, text.as_str().unwrap().as_bytes());
    }
    let found = kustomize::build(&tree, "top", &Options::default(), cache);
    let expected = case.get("expected").and_then(Value::as_str);
    match (found.map(|rendered| kustomize::to_yaml(&rendered)), expected) {
        (Ok(found), Some(expected)) if found == expected => None,
        (Ok(found), Some(expected)) => {
            let diff = similar::TextDiff::from_lines(expected, &found);
            Some(diff.unified_diff().header("kustomize", "towtank").to_string())
        }
        (Err(error), Some(_)) => Some(format!("only towtank refuses it: {error}")),
        (Ok(_), None) => Some(format!("only kustomize refuses it: {}", case["error"])),
        (Err(error), None) => {
            // A refusal names the place that has to change.
            (error.line == 0).then(|| format!("no line is named: {error}"))
        }
    }
}
