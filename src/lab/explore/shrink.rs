//! Makes a scenario that shows something as short as it can be while it still shows the same.
//!
//! Steps go first, by halves and then one by one; then what is left is made simpler (`simpler`),
//! over and over until nothing more can be left out. Every candidate is written to text, read
//! back, and that is what runs: so the file that comes out shows what was found.

use std::path::Path;

use super::attempt::{Found, attempt};
use super::{pushes, simpler};
use crate::base::limits;
use crate::lab::run::Within;
use crate::lab::scenario::model::{Action, Edit, FieldEdit, Push, PushKind};
use crate::lab::scenario::{self, Scenario};

/// What shrinking came to.
#[derive(Debug)]
pub(super) struct Shrunk {
    pub(super) scenario: Scenario,
    /// What that scenario finds.
    pub(super) found: Found,
    /// Runs that it took.
    pub(super) runs: usize,
}

struct Shrinker<'a> {
    best: Scenario,
    found: Found,
    seed: u64,
    runs: usize,
    within: &'a mut Within,
    /// What the last commit mends.
    mends: Vec<Edit>,
}

/// The shortest scenario that is found to show the same as `scenario` does.
pub(super) fn shrink(scenario: &Scenario, seed: u64, found: &Found, within: &mut Within) -> Shrunk {
    let mends = match found.is_expectation() {
        true => edits(scenario).filter(|edits| pushes::is_last(edits)).last().cloned(),
        false => None,
    };
    let mends = mends.unwrap_or_default();
    let mut shrinker =
        Shrinker { best: scenario.clone(), found: found.clone(), seed, runs: 0, within, mends };
    // What the text says must show it in the first place; if it does not, the seed still does.
    if !found.is_mistake() && shrinker.accepts(scenario) {
        while shrinker.fewer_steps() | shrinker.simpler() {}
    }
    let Shrinker { mut best, found, runs, .. } = shrinker;
    best.description = format!("{}: {}", found.what, one_line(&found.detail));
    Shrunk { scenario: best, found, runs }
}

impl Shrinker<'_> {
    /// Whether a candidate shows the same; it is the best one then.
    fn accepts(&mut self, candidate: &Scenario) -> bool {
        if self.runs >= limits::SHRINK_RUNS {
            return false;
        }
        if !self.mends(candidate) {
            return false;
        }
        let text = scenario::write(candidate);
        let Ok(read) = scenario::parse(Path::new("chaos.scenario.yaml"), &text) else {
            return false;
        };
        self.runs += 1;
        let attempt = attempt(&read, self.seed, self.within);
        match attempt.found {
            Some(found) if found.is_same(&self.found) => {
                self.best = read;
                self.found = found;
                true
            }
            _ => false,
        }
    }

    /// Whether all that a candidate breaks is mended at its end, as far as the scenario it comes
    /// from did so: else nobody could expect anything of it.
    fn mends(&self, candidate: &Scenario) -> bool {
        let all: Vec<&Vec<Edit>> = edits(candidate).collect();
        let is_kept = |mend: &Edit| all.last().is_some_and(|l| l.iter().any(|e| is_same(e, mend)));
        let is_touched = |mend: &Edit| all.iter().any(|edits| edits.iter().any(|e| is_of(e, mend)));
        self.mends.iter().all(|mend| is_kept(mend) || !is_touched(mend))
    }

    /// Leaves out steps: halves of them, quarters, and so on down to one.
    fn fewer_steps(&mut self) -> bool {
        let before = self.best.steps.len();
        let mut size = before.div_ceil(2);
        while size > 0 {
            // From the end on: what comes late rests on what came early.
            let mut end = self.best.steps.len();
            while end > 0 {
                let start = end.saturating_sub(size);
                let mut candidate = self.best.clone();
                candidate.steps.drain(start..end);
                if !candidate.steps.is_empty() {
                    self.accepts(&candidate);
                }
                end = start.min(self.best.steps.len());
            }
            size /= 2;
        }
        self.best.steps.len() < before
    }

    /// Makes what is left simpler, one thing at a time, as long as something can be.
    fn simpler(&mut self) -> bool {
        let mut is_simpler = false;
        let mut n = 0;
        while let Some(candidate) = simpler::nth(&self.best, n) {
            if self.accepts(&candidate) {
                is_simpler = true;
            } else {
                n += 1;
            }
            if self.runs >= limits::SHRINK_RUNS {
                break;
            }
        }
        is_simpler
    }
}

/// The edits of every commit that is pushed.
fn edits(scenario: &Scenario) -> impl Iterator<Item = &Vec<Edit>> {
    scenario.steps.iter().filter_map(|step| match &step.action {
        Some(Action::Push(Push { kind: PushKind::Commit(commit), .. })) => Some(&commit.edits),
        _ => None,
    })
}

/// Whether two edits are of the same image or file.
fn is_of(one: &Edit, other: &Edit) -> bool {
    let target = |edit: &Edit| match edit {
        Edit::SetImage { image, .. } => (true, image.value.clone()),
        Edit::Write { path, .. } | Edit::Delete { path } => (false, path.value.clone()),
        Edit::Set { file, .. } => (false, file.value.clone()),
    };
    target(one) == target(other)
}

/// Whether two edits do the same, wherever they stand.
fn is_same(one: &Edit, other: &Edit) -> bool {
    is_of(one, other)
        && match (one, other) {
            (Edit::SetImage { tag, .. }, Edit::SetImage { tag: of_other, .. }) => tag == of_other,
            (Edit::Write { text, .. }, Edit::Write { text: of_other, .. }) => text == of_other,
            (Edit::Set { fields, .. }, Edit::Set { fields: of_other, .. }) => {
                let plain = |field: &FieldEdit| (field.path.value.clone(), field.value.clone());
                fields.iter().map(plain).eq(of_other.iter().map(plain))
            }
            (Edit::Delete { .. }, Edit::Delete { .. }) => true,
            _ => false,
        }
}

/// A text on one line, for a description.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
