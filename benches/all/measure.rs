//! Runs one benchmark and takes its samples. What is measured is in the files of the bodies.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// A benchmark.
pub(crate) struct Bench {
    /// `part/what`.
    pub(crate) name: &'static str,
    /// Operations at full size.
    pub(crate) size: usize,
    /// Makes ready what `size` operations and a seed ask for, outside of the time.
    pub(crate) body: fn(usize, u64) -> Work,
}

/// What is timed: does its operations, and says how many came out right.
pub(crate) type Work = Box<dyn FnOnce() -> usize>;

/// One run of one benchmark.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    /// Which run, from 0: also its seed.
    pub(crate) run: usize,
    pub(crate) operations: usize,
    pub(crate) correct: usize,
    pub(crate) elapsed_ns: u64,
}

/// What a benchmark may take, all in all, once it has its [`LEAST`] samples: what makes a world
/// ready takes longer than what is timed in it.
const BUDGET: Duration = Duration::from_secs(30);

/// See [`BUDGET`].
const LEAST: usize = 5;

/// Up to `samples` runs after one that is not counted (unless only one is asked for).
#[expect(clippy::disallowed_methods, reason = "real time is what a benchmark is about")]
pub(crate) fn run(bench: &Bench, size: usize, samples: usize) -> Vec<Sample> {
    let start = Instant::now();
    if samples > 1 {
        black_box((bench.body)(size, 0)());
    }
    let mut taken = Vec::new();
    while taken.len() < samples && (taken.len() < LEAST || start.elapsed() < BUDGET) {
        taken.push(sample(bench, size, taken.len()));
    }
    taken
}

fn sample(bench: &Bench, size: usize, run: usize) -> Sample {
    let work = (bench.body)(size, run as u64);
    #[expect(clippy::disallowed_methods, reason = "real time is what a benchmark is about")]
    let start = Instant::now();
    let correct = black_box(work());
    let elapsed_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    Sample { name: bench.name, run, operations: size, correct, elapsed_ns }
}
