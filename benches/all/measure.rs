//! Runs one benchmark and takes its samples. What is measured is in the files of the bodies.

use std::hint::black_box;
use std::time::{Duration, Instant};

use towtank::record::percentile;

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
pub(crate) type Work = Box<dyn Timed>;

/// See [`Work`]: a closure that is timed as a whole, or an [`Each`].
pub(crate) trait Timed {
    /// Does it. How long single operations took goes to `laps_ns`, where it is asked one by one.
    fn run(self: Box<Self>, laps_ns: &mut Vec<u64>) -> usize;
}

impl<F: FnOnce() -> usize> Timed for F {
    fn run(self: Box<Self>, _: &mut Vec<u64>) -> usize {
        self()
    }
}

/// Work whose operations are timed one by one, by itself: it is given where to put the times.
pub(crate) struct Each<F>(pub(crate) F);

impl<F: FnOnce(&mut Vec<u64>) -> usize> Timed for Each<F> {
    fn run(self: Box<Self>, laps_ns: &mut Vec<u64>) -> usize {
        (self.0)(laps_ns)
    }
}

/// How long `operation` took, in ns, and what it gave.
pub(crate) fn lap<R>(operation: impl FnOnce() -> R) -> (u64, R) {
    let start = now();
    let result = black_box(operation());
    (ns(start.elapsed()), result)
}

#[expect(clippy::disallowed_methods, reason = "real time is what a benchmark is about")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// A span in ns.
pub(crate) fn ns(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// One run of one benchmark.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    /// Which run, from 0: also its seed.
    pub(crate) run: usize,
    pub(crate) operations: usize,
    pub(crate) correct: usize,
    pub(crate) elapsed_ns: u64,
    /// How long its operations took one by one, in order of length: the 50th, the 99th percentile
    /// and the longest, where the benchmark is an [`Each`].
    pub(crate) laps_ns: Option<[u64; 3]>,
}

/// What a benchmark may take, all in all, once it has its [`LEAST`] samples: what makes a world
/// ready takes longer than what is timed in it.
const BUDGET: Duration = Duration::from_secs(30);

/// See [`BUDGET`].
const LEAST: usize = 5;

/// Up to `samples` runs after one that is not counted (unless only one is asked for).
pub(crate) fn run(bench: &Bench, size: usize, samples: usize) -> Vec<Sample> {
    let start = now();
    if samples > 1 {
        black_box((bench.body)(size, 0).run(&mut Vec::new()));
    }
    let mut taken = Vec::new();
    while taken.len() < samples && (taken.len() < LEAST || start.elapsed() < BUDGET) {
        taken.push(sample(bench, size, taken.len()));
    }
    taken
}

fn sample(bench: &Bench, size: usize, run: usize) -> Sample {
    let work = (bench.body)(size, run as u64);
    let mut laps = Vec::new();
    let (elapsed_ns, correct) = lap(|| work.run(&mut laps));
    laps.sort_unstable();
    let at = |per_mille| percentile(&laps, per_mille);
    let laps_ns = at(500).zip(at(990)).zip(at(1_000)).map(|((p50, p99), most)| [p50, p99, most]);
    Sample { name: bench.name, run, operations: size, correct, elapsed_ns, laps_ns }
}
