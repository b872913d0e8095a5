//! What was done in a run, counted from its events.

use crate::base::Event;

/// What was done in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Commits that were pushed, the engine's own among them, the first one not.
    pub pushes: u64,
    /// Writes of others that the API server took.
    pub drifts: u64,
    /// Writes of others that it refused.
    pub refused: u64,
    /// Faults that came true.
    pub faults: u64,
    /// How often the engine was ended.
    pub restarts: u64,
}

impl Counts {
    /// Counts one event.
    pub(super) fn count(&mut self, event: &Event) {
        let counter = match event {
            Event::Pushed { .. } => &mut self.pushes,
            Event::Drifted { .. } => &mut self.drifts,
            Event::DriftRefused { .. } => &mut self.refused,
            Event::Faulted { .. } => &mut self.faults,
            Event::EngineStopped { .. } => &mut self.restarts,
            _ => return,
        };
        *counter += 1;
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: Counts) {
        self.pushes += other.pushes;
        self.drifts += other.drifts;
        self.refused += other.refused;
        self.faults += other.faults;
        self.restarts += other.restarts;
    }
}
