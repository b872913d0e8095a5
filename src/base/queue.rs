//! The one queue of a run: what happens next, in an order that a seed decides wholly.
//!
//! Ordered by (time, seeded tie-break, sequence). With shuffling off the tie-break is constant
//! and what was pushed first comes first. It knows no clock: who pops decides how time passes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Rng, Time};

/// A queue of `E`, earliest first.
#[derive(Debug)]
pub struct Queue<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    sequence: u64,
    shuffle: Option<Rng>,
}

#[derive(Debug)]
struct Entry<E> {
    at: Time,
    tie: u64,
    sequence: u64,
    what: E,
}

impl<E> Queue<E> {
    /// An empty queue. With `shuffle`, what is due at one instant comes in a seeded order.
    #[must_use]
    pub fn new(shuffle: Option<Rng>) -> Self {
        Self { heap: BinaryHeap::new(), sequence: 0, shuffle }
    }

    /// Adds `what`, due at `at`.
    pub fn push(&mut self, at: Time, what: E) {
        self.sequence += 1;
        let tie = self.shuffle.as_mut().map_or(0, Rng::next_u64);
        self.heap.push(Reverse(Entry { at, tie, sequence: self.sequence, what }));
    }

    /// When the next entry is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|entry| entry.0.at)
    }

    /// Takes the next entry.
    pub fn pop(&mut self) -> Option<(Time, E)> {
        self.heap.pop().map(|entry| (entry.0.at, entry.0.what))
    }

    /// How many entries wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

impl<E> Entry<E> {
    fn key(&self) -> (Time, u64, u64) {
        (self.at, self.tie, self.sequence)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn drain(queue: &mut Queue<u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop().map(|(_, what)| what)).collect()
    }

    #[test]
    fn entries_come_by_time_then_as_pushed() {
        let mut queue = Queue::new(None);
        let t = Time::VIRTUAL_START;
        queue.push(t + Duration::from_secs(1), 3);
        queue.push(t, 1);
        queue.push(t, 2);
        assert_eq!(queue.next_at(), Some(t));
        assert_eq!(drain(&mut queue), [1, 2, 3]);
    }

    #[test]
    fn a_shuffled_queue_has_one_order_a_seed() {
        let order = |seed| {
            let mut queue = Queue::new(Some(Rng::new(seed)));
            (0..20).for_each(|n| queue.push(Time::VIRTUAL_START, n));
            drain(&mut queue)
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }
}
