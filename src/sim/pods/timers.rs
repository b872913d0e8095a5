//! Timers of many pods as one: an ordered map, and a single wake-up that is asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Time;

/// When which pod is due. Keys are uids.
#[derive(Debug)]
pub(super) struct Timers<K> {
    due: BTreeSet<(Time, K)>,
    by_key: BTreeMap<K, Time>,
    armed: Option<Time>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self { due: BTreeSet::new(), by_key: BTreeMap::new(), armed: None }
    }
}

impl<K: Clone + Ord> Timers<K> {
    /// `key` is due at `at` and at no other time; never for `None`.
    pub(super) fn set(&mut self, key: &K, at: Option<Time>) {
        if self.by_key.get(key).copied() == at {
            return;
        }
        if let Some(before) = self.by_key.remove(key) {
            self.due.remove(&(before, key.clone()));
        }
        if let Some(at) = at {
            self.by_key.insert(key.clone(), at);
            self.due.insert((at, key.clone()));
        }
    }

    /// Takes everything that is due at `now`, earliest first.
    pub(super) fn take_due(&mut self, now: Time) -> Vec<K> {
        if self.armed.is_some_and(|armed| armed <= now) {
            self.armed = None;
        }
        let mut keys = Vec::new();
        while self.due.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, key)) = self.due.pop_first() {
                self.by_key.remove(&key);
                keys.push(key);
            }
        }
        keys
    }

    /// The wake-up to be asked for, where none that is asked for already comes in time.
    pub(super) fn arm(&mut self) -> Option<Time> {
        let (first, _) = self.due.first()?;
        if self.armed.is_some_and(|armed| armed <= *first) {
            return None;
        }
        self.armed = Some(*first);
        self.armed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn one_wake_up_stands_for_all() {
        let at = |s| Time::VIRTUAL_START + Duration::from_secs(s);
        let mut timers = Timers::default();
        timers.set(&"a", Some(at(5)));
        timers.set(&"b", Some(at(5)));
        assert_eq!(timers.arm(), Some(at(5)));
        timers.set(&"c", Some(at(7)));
        assert_eq!(timers.arm(), None);
        timers.set(&"a", Some(at(2)));
        assert_eq!(timers.arm(), Some(at(2)));
        assert_eq!(timers.take_due(at(2)), ["a"]);
        assert_eq!(timers.arm(), Some(at(5)));
        timers.set(&"b", None);
        assert_eq!(timers.take_due(at(5)), [""; 0]);
        assert_eq!(timers.take_due(at(7)), ["c"]);
        assert_eq!(timers.arm(), None);
    }
}
