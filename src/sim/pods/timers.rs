//! Timers of many pods as one: an ordered map, and a single wake-up that is asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Time;

/// When which pod is due. Keys are uids.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeSet<(Time, String)>,
    by_key: BTreeMap<String, Time>,
    armed: Option<Time>,
}

impl Timers {
    /// `key` is due at `at` and at no other time; never for `None`.
    pub(super) fn set(&mut self, key: &str, at: Option<Time>) {
        if self.by_key.get(key).copied() == at {
            return;
        }
        if let Some(before) = self.by_key.remove(key) {
            self.due.remove(&(before, key.to_owned()));
        }
        if let Some(at) = at {
            self.by_key.insert(key.to_owned(), at);
            self.due.insert((at, key.to_owned()));
        }
    }

    /// Takes everything that is due at `now`, earliest first.
    pub(super) fn take_due(&mut self, now: Time) -> Vec<String> {
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
        timers.set("a", Some(at(5)));
        timers.set("b", Some(at(5)));
        assert_eq!(timers.arm(), Some(at(5)));
        timers.set("c", Some(at(7)));
        assert_eq!(timers.arm(), None);
        timers.set("a", Some(at(2)));
        assert_eq!(timers.arm(), Some(at(2)));
        assert_eq!(timers.take_due(at(2)), ["a"]);
        assert_eq!(timers.arm(), Some(at(5)));
        timers.set("b", None);
        assert_eq!(timers.take_due(at(5)), [""; 0]);
        assert_eq!(timers.take_due(at(7)), ["c"]);
        assert_eq!(timers.arm(), None);
    }
}
