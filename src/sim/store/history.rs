//! The last changes of one resource, for watches that start in the past and lists of the past.
//!
//! A state that was left behind is packed as soon as nobody else holds it: history would otherwise
//! be most of a busy server's memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::Key;
use super::packed::Packed;
use crate::base::limits::{WATCH_HISTORY_EVENTS, WATCH_HISTORY_WHOLE};
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

/// A commit as it is kept; its objects are among the states.
#[derive(Debug)]
struct Kept {
    revision: u64,
    key: Key,
    /// The revision of the object before.
    old: Option<u64>,
    removed: bool,
}

/// What an object was at a revision.
#[derive(Debug)]
enum State {
    Whole(Arc<Object>),
    Packed(Packed),
}

impl State {
    fn object(&self) -> Arc<Object> {
        match self {
            State::Whole(object) => Arc::clone(object),
            State::Packed(packed) => Arc::new(packed.object()),
        }
    }
}

/// Changes in the order of their revisions.
#[derive(Debug, Default)]
pub(super) struct History {
    changes: VecDeque<Kept>,
    /// By revision: the object after each change that is kept and before it, and every object
    /// that is there.
    states: BTreeMap<u64, State>,
    /// The revisions of states that were left behind and are not packed yet.
    left: VecDeque<u64>,
    /// Changes up to and including this revision are gone.
    forgotten: u64,
}

impl History {
    pub(super) fn push(&mut self, change: Change) {
        if self.changes.len() == WATCH_HISTORY_EVENTS {
            self.forget_oldest();
        }
        let Change { revision, key, old, new, removed } = change;
        let old = old.map(|old| old.revision());
        self.left.extend(old);
        self.left.extend(removed.then_some(revision));
        self.states.insert(revision, State::Whole(new));
        self.changes.push_back(Kept { revision, key, old, removed });
        // As many as can have been left behind by one change.
        for _ in 0..2 {
            self.pack_one();
        }
    }

    /// Packs the state that was left behind longest ago; one that somebody still holds, such as an
    /// event on its way, has its turn again later.
    fn pack_one(&mut self) {
        if self.left.len() <= WATCH_HISTORY_WHOLE {
            return;
        }
        let Some(revision) = self.left.pop_front() else { return };
        let Some(state) = self.states.get_mut(&revision) else { return };
        let State::Whole(object) = state else { return };
        if Arc::strong_count(object) == 1 {
            *state = State::Packed(Packed::of(object));
        } else {
            self.left.push_back(revision);
        }
    }

    fn forget_oldest(&mut self) {
        let Some(change) = self.changes.pop_front() else { return };
        self.forgotten = change.revision;
        if let Some(old) = change.old {
            self.states.remove(&old);
        }
        if change.removed {
            self.states.remove(&change.revision);
        }
    }

    pub(super) fn compact(&mut self, revision: u64) {
        while self.changes.front().is_some_and(|change| change.revision <= revision) {
            self.forget_oldest();
        }
        self.forgotten = self.forgotten.max(revision);
    }

    /// The changes after `revision`.
    pub(super) fn since(
        &self,
        revision: u64,
    ) -> Result<impl DoubleEndedIterator<Item = Change> + use<'_>, Compacted> {
        let kept = self.kept_since(revision)?;
        Ok(kept.filter_map(|kept| {
            let state = |revision: u64| self.states.get(&revision).map(State::object);
            Some(Change {
                revision: kept.revision,
                key: kept.key.clone(),
                old: kept.old.and_then(state),
                new: state(kept.revision)?,
                removed: kept.removed,
            })
        }))
    }

    fn kept_since(
        &self,
        revision: u64,
    ) -> Result<impl DoubleEndedIterator<Item = &Kept>, Compacted> {
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
    ) -> Result<BTreeMap<&Key, Option<Arc<Object>>>, Compacted> {
        let mut before = BTreeMap::new();
        for kept in self.kept_since(revision)?.rev() {
            before.insert(&kept.key, kept.old);
        }
        let state = |at: u64| self.states.get(&at).map(State::object);
        Ok(before.into_iter().map(|(key, old)| (key, old.and_then(state))).collect())
    }
}
