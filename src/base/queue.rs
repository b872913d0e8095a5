//! The one queue of a run: what happens next, in an order that a seed decides wholly.
//!
//! Ordered by (time, seeded tie-break, sequence). With shuffling off the tie-break is constant
//! and what was pushed first comes first. It knows no clock: who pops decides how time passes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Rng, Time};

/// A queue of `E`, earliest first.
///
/// What waits stays where it was put: only its place is moved about to keep the order.
#[derive(Debug)]
pub struct Queue<E> {
    heap: BinaryHeap<Reverse<Entry>>,
    waiting: Vec<Option<E>>,
    /// Places in `waiting` that hold nothing.
    free: Vec<usize>,
    sequence: u64,
    shuffle: Option<Rng>,
}

/// Ordered as its fields are; the sequence decides at the latest.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: Time,
    tie: u64,
    sequence: u64,
    place: usize,
}

impl<E> Queue<E> {
    /// An empty queue. With `shuffle`, what is due at one instant comes in a seeded order.
    #[must_use]
    pub fn new(shuffle: Option<Rng>) -> Self {
        let heap = BinaryHeap::new();
        Self { heap, waiting: Vec::new(), free: Vec::new(), sequence: 0, shuffle }
    }

    /// Adds `what`, due at `at`.
    pub fn push(&mut self, at: Time, what: E) {
        self.sequence += 1;
        let tie = self.shuffle.as_mut().map_or(0, Rng::next_u64);
        let place = if let Some(place) = self.free.pop() {
            self.waiting[place] = Some(what);
            place
        } else {
            self.waiting.push(Some(what));
            self.waiting.len() - 1
        };
        self.heap.push(Reverse(Entry { at, tie, sequence: self.sequence, place }));
    }

    /// When the next entry is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|entry| entry.0.at)
    }

    /// Takes the next entry.
    pub fn pop(&mut self) -> Option<(Time, E)> {
        let Reverse(entry) = self.heap.pop()?;
        self.free.push(entry.place);
        Some((entry.at, self.waiting[entry.place].take()?))
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
