//! Looks for what nobody thought of: pushes, drifts, faults and ends of the engine in an order
//! that a seed makes up, judged by the oracles that are always on; and, where one finds something,
//! a scenario file as short as it can be made that shows the same.
//!
//! ```text
//! ground ─ generate(seed) → Scenario ─ attempt → found? ─ shrink → Scenario, to be written
//! (what there is)                      (lab::run)
//! ```
//!
//! A run has two phases. In the first, pushes, drifts and faults come as they like, and nothing
//! may happen that must never (safety). In the second the faults stop, a last good commit is
//! pushed, and every App has to become ready at it and the cluster to be as it would be had
//! nothing happened (liveness).
//!
//! Everything follows from the ground and the seed. Seeds know nothing of each other, so they may
//! be explored in any order and on any number of threads; that, and where files go, is the
//! caller's (`cli::chaos`).

mod attempt;
mod drifts;
mod faults;
mod folder;
mod generate;
mod ground;
mod mutants;
mod pushes;
mod shop;
mod shrink;
mod simpler;
mod things;

use std::sync::Arc;
use std::time::Duration;

use crate::base::Bug;
use crate::lab::run::{Counts, Within};
use crate::lab::scenario::Scenario;

pub use folder::folder;
pub use ground::Ground;
pub use mutants::{Hunted, hunt};
pub use shop::shop;

/// What came of one seed.
#[derive(Debug)]
pub struct Explored {
    /// The seed.
    pub seed: u64,
    /// Steps of its scenario.
    pub steps: usize,
    /// What was done in its run.
    pub counts: Counts,
    /// The run's own time.
    pub time: Duration,
    /// What was found, if anything was.
    pub found: Option<Finding>,
}

/// Something found.
#[derive(Debug)]
pub struct Finding {
    /// By which oracle or expectation.
    pub what: String,
    /// What exactly.
    pub detail: String,
    /// Whether it is that a run does not come to rest.
    pub is_unrest: bool,
    /// The shortest scenario that was found to show the same, with the seed in it.
    pub scenario: Scenario,
    /// Runs that the shortening took.
    pub runs: usize,
}

/// Explores one ground, seed by seed.
pub struct Explorer {
    ground: Arc<Ground>,
    within: Within,
}

impl Explorer {
    /// An explorer of this ground; one for each thread.
    #[must_use]
    pub fn new(ground: Arc<Ground>) -> Self {
        Self { ground, within: Within { without_raw: true, ..Within::default() } }
    }

    /// The same, of an engine or a server that is wrong on purpose.
    #[must_use]
    pub fn with_bug(mut self, bug: Bug) -> Self {
        self.within.bug = Some(bug);
        self
    }

    /// What comes of a seed. A finding is shortened.
    pub fn explore(&mut self, seed: u64) -> Explored {
        let scenario = generate::scenario(&self.ground, seed);
        let attempt = attempt::attempt(&scenario, seed, &mut self.within);
        let found = attempt.found.map(|found| {
            let shrunk = shrink::shrink(&scenario, seed, &found, &mut self.within);
            Finding {
                what: shrunk.found.what,
                detail: shrunk.found.detail,
                is_unrest: found.is_unrest,
                scenario: shrunk.scenario,
                runs: shrunk.runs,
            }
        });
        let steps = scenario.steps.len();
        Explored { seed, steps, counts: attempt.counts, time: attempt.time, found }
    }
}
