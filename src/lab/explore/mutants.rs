//! Whether chaos finds bugs: each of the deliberate ones is hunted, seed by seed, until a run
//! shows it.

use std::sync::Arc;

use super::{Explorer, Ground, attempt, generate};
use crate::base::Bug;
use crate::lab::scenario::Scenario;

/// What the hunt for one bug came to.
#[derive(Debug)]
pub struct Hunted {
    /// The bug.
    pub bug: Bug,
    /// Seeds that it took, the one that found it counted; `None` where none did.
    pub seeds: Option<u64>,
    /// By what it was found.
    pub what: String,
    /// The shortened scenario.
    pub scenario: Option<Scenario>,
}

/// Hunts a bug through `seeds` seeds from `first` on. A finding counts only where the same run
/// without the bug finds nothing.
#[must_use]
pub fn hunt(ground: &Arc<Ground>, bug: Bug, first: u64, seeds: u64) -> Hunted {
    let mut sound = Explorer::new(Arc::clone(ground));
    let mut wrong = Explorer::new(Arc::clone(ground)).with_bug(bug);
    for n in 0..seeds {
        let seed = first.saturating_add(n);
        let scenario = generate::scenario(ground, seed);
        let attempt = attempt::attempt(&scenario, seed, &mut wrong.within);
        if attempt.found.is_none() {
            continue;
        }
        if attempt::attempt(&scenario, seed, &mut sound.within).found.is_some() {
            continue;
        }
        if let Some(finding) = wrong.explore(seed).found {
            let (what, scenario) = (finding.what, Some(finding.scenario));
            return Hunted { bug, seeds: Some(n + 1), what, scenario };
        }
    }
    Hunted { bug, seeds: None, what: String::new(), scenario: None }
}
