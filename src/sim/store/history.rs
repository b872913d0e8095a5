//! The last changes of one resource, for watches that start in the past and lists of the past.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::Key;
use crate::base::limits::WATCH_HISTORY_EVENTS;
use crate::object::Object;

/// The revision asked for is no longer kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("revisions before {oldest} are no longer kept")]
pub struct Compacted {
    /// The oldest that is.
    pub oldest: u64,
}

/// One commit.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) revision: u64,
    pub(super) key: Key,
    /// The object before; `None` if it was created.
    pub(super) old: Option<Arc<Object>>,
    /// The object after. Of one that was removed: its last state, at the removal's revision.
    pub(super) new: Arc<Object>,
    pub(super) removed: bool,
}

impl Change {
    /// The object before and after.
    pub(super) fn versions(&self) -> (Option<&Object>, Option<&Object>) {
        (self.old.as_deref(), (!self.removed).then_some(&*self.new))
    }
}

/// Changes in the order of their revisions.
#[derive(Debug, Default)]
pub(super) struct History {
    changes: VecDeque<Change>,
    /// Changes up to and including this revision are gone.
    forgotten: u64,
}

impl History {
    pub(super) fn push(&mut self, change: Change) {
        if self.changes.len() == WATCH_HISTORY_EVENTS
            && let Some(oldest) = self.changes.pop_front()
        {
            self.forgotten = oldest.revision;
        }
        self.changes.push_back(change);
    }

    pub(super) fn compact(&mut self, revision: u64) {
        let keep = self.changes.partition_point(|change| change.revision <= revision);
        self.changes.drain(..keep);
        self.forgotten = self.forgotten.max(revision);
    }

    /// The changes after `revision`.
    pub(super) fn since(
        &self,
        revision: u64,
    ) -> Result<impl DoubleEndedIterator<Item = &Change>, Compacted> {
        if revision < self.forgotten {
            return Err(Compacted { oldest: self.forgotten });
        }
        let from = self.changes.partition_point(|change| change.revision <= revision);
        Ok(self.changes.range(from..))
    }

    /// What was under each key that has changed since, as of `revision`.
    pub(super) fn undo(
        &self,
        revision: u64,
    ) -> Result<BTreeMap<&Key, Option<&Arc<Object>>>, Compacted> {
        let mut before = BTreeMap::new();
        for change in self.since(revision)?.rev() {
            before.insert(&change.key, change.old.as_ref());
        }
        Ok(before)
    }
}
