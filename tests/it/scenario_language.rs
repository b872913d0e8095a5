//! The scenario language from text to model or messages.

mod files;
mod good;
mod refused;
mod runs;
mod total;

use std::path::Path;

use towtank::lab::scenario::{Scenario, parse};

/// The start of a scenario: four lines, so that what is appended begins in line 5.
const HEAD: &str = "\
name: a
description: It is a test.
repo: { files: {} }
apps: [{ name: shop }, { name: infra }]
";

/// A scenario of these steps.
#[track_caller]
fn good(steps: &str) -> Scenario {
    let text = format!("{HEAD}steps:\n{steps}");
    parse(Path::new("dir/a.scenario.yaml"), &text).unwrap_or_else(|p| panic!("{p}\nof\n{text}"))
}
