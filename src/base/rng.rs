//! The one source of randomness: a stream from a seed, and named forks of it, so that a draw
//! added in one part does not move the numbers of another.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A seeded random stream.
#[derive(Clone, Debug)]
pub struct Rng {
    seed: u64,
    stream: ChaCha8Rng,
}

impl Rng {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, stream: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// An independent stream that depends on this one's seed and `name` alone.
    #[must_use]
    pub fn fork(&self, name: &str) -> Self {
        // FNV-1a: only has to keep names apart, and has to stay the same for ever.
        let mut hash = 0xcbf2_9ce4_8422_2325 ^ self.seed;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self::new(hash)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.stream.next_u64()
    }

    /// A number in `0..bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next_u64() % bound }
    }

    /// A duration in `from..=to`, to the microsecond.
    pub fn between(&mut self, from: Duration, to: Duration) -> Duration {
        let span = to.saturating_sub(from).as_micros();
        let span = u64::try_from(span).unwrap_or(u64::MAX - 1);
        from + Duration::from_micros(self.below(span + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fork_does_not_depend_on_what_was_drawn_before() {
        let mut one = Rng::new(7);
        let fork_early = one.fork("pods").next_u64();
        one.next_u64();
        assert_eq!(fork_early, one.fork("pods").next_u64());
        assert_ne!(fork_early, one.fork("nodes").next_u64());
    }

    #[test]
    fn between_stays_in_its_bounds_and_takes_equal_ones() {
        let mut rng = Rng::new(1);
        let (a, b) = (Duration::from_millis(2), Duration::from_millis(5));
        for _ in 0..1000 {
            let d = rng.between(a, b);
            assert!(a <= d && d <= b);
        }
        assert_eq!(rng.between(a, a), a);
    }
}
