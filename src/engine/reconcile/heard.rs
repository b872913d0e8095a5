//! When the engine heard of a push that it has not looked at yet.
//!
//! Not here: fetching (`lab`, by an action), and what a head comes to (`heads`).

use crate::base::Time;

/// Push notices that no head was looked at for yet. A head answers all that came before it.
#[derive(Debug, Default)]
pub(super) struct Heard {
    first: Option<Time>,
}

impl Heard {
    /// There may be a new head.
    pub(super) fn of_push(&mut self, now: Time) {
        self.first.get_or_insert(now);
    }

    /// Whether something was heard of that no head answers to yet.
    pub(super) const fn is_open(&self) -> bool {
        self.first.is_some()
    }

    /// When it was first heard of the head that Apps are looked at for now.
    pub(super) const fn answered(&mut self) -> Option<Time> {
        self.first.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_answers_to_the_first_notice_before_it() {
        let mut heard = Heard::default();
        assert_eq!(heard.answered(), None, "a head that nobody told of");
        heard.of_push(Time::from_micros(1));
        heard.of_push(Time::from_micros(2));
        assert!(heard.is_open());
        assert_eq!(heard.answered(), Some(Time::from_micros(1)));
        assert!(!heard.is_open());
    }
}
