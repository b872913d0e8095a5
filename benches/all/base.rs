//! What every virtual run rests on: the random stream and the event queue.

use std::time::Duration;

use towtank::base::{Queue, Rng, Time};

use super::measure::Work;

/// Draws below a bound; right is each draw that is below it.
pub(crate) fn rng(size: usize, seed: u64) -> Work {
    let mut rng = Rng::new(seed);
    Box::new(move || (0..size).filter(|_| rng.below(1_000) < 1_000).count())
}

/// A queue kept at 1 000 entries, as a run of a middling world has: each operation takes the
/// earliest and puts one later. Right is each entry that is not due before the one before it.
pub(crate) fn queue(size: usize, seed: u64) -> Work {
    let mut rng = Rng::new(seed);
    let mut queue = Queue::new(Some(rng.fork("ties")));
    for n in 0..1_000 {
        queue.push(later(Time::VIRTUAL_START, &mut rng), n);
    }
    Box::new(move || {
        let (mut last, mut correct) = (Time::VIRTUAL_START, 0);
        for _ in 0..size {
            let Some((at, what)) = queue.pop() else { break };
            correct += usize::from(at >= last);
            last = at;
            queue.push(later(at, &mut rng), what);
        }
        correct
    })
}

fn later(at: Time, rng: &mut Rng) -> Time {
    at + rng.between(Duration::from_micros(1), Duration::from_secs(1))
}
