//! Whether one benchmark is really slower than another.
//!
//! Both made the same pushes, so each push of one is held against the same push of the other: what
//! varies from push to push cancels out. How far the differences that were found may be chance is
//! told by resampling them (a bootstrap, by repeats and then by pushes, because pushes of one run
//! have that run in common). A difference counts that chance does not explain, and that is large
//! enough to matter. Randomness comes from a seed: the same two folders, the same verdict.

use std::collections::BTreeMap;

use super::{Sample, Settings};
use crate::base::Rng;

/// Times the differences are resampled.
pub const RESAMPLES: usize = 2_000;

/// What is compared, and how strictly.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The seed of the resampling.
    pub seed: u64,
    /// The smallest difference that matters, in thousandths of what it was.
    pub effect_per_mille: u64,
}

/// What became of one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Longer than it was.
    Slower,
    /// Shorter than it was.
    Faster,
    /// Chance may explain it, or it is too small to matter.
    None,
}

/// One figure in both benchmarks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which: `median`, `p99`, or a phase.
    pub what: String,
    /// As it was.
    pub before_us: u64,
    /// As it is.
    pub now_us: u64,
    /// By how much it differs: for the median, that of the differences of pairs.
    pub by_us: i64,
    /// Between these the true difference lies, nineteen times of twenty.
    pub interval_us: (i64, i64),
    /// What that comes to.
    pub change: Change,
}

/// What a comparison came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Pushes that became ready in both.
    pub pairs: usize,
    /// Repeats that they are of.
    pub repeats: usize,
    /// Pushes that failed in each.
    pub failed: (usize, usize),
    /// The median and the 99th percentile.
    pub rows: Vec<Row>,
    /// The phases, for where a difference comes from; they decide nothing.
    pub phases: Vec<Row>,
    /// Slower where any figure is or more pushes failed; else faster where any figure is.
    pub verdict: Change,
}

/// Compares the samples of two benchmarks of the same load.
///
/// # Errors
/// Where the loads are not the same: which settings differ, and how.
pub fn compare(
    before: (&Settings, &[Sample]),
    now: (&Settings, &[Sample]),
    terms: Terms,
) -> Result<Comparison, String> {
    same_load(before.0, now.0)?;
    let pairs = Pairs::of(before.1, now.1);
    let failed = |samples: &[Sample]| samples.iter().filter(|s| s.latency_us.is_none()).count();
    let failed = (failed(before.1), failed(now.1));
    let total = |sample: &Sample| sample.latency_us.unwrap_or(0);
    let rows = vec![
        pairs.row("median", &total, Statistic::MedianOfDifferences, terms),
        pairs.row("p99", &total, Statistic::DifferenceOfP99, terms),
    ];
    let phases = pairs.phases();
    let phase_of = |phase: &String| {
        let us = |sample: &Sample| {
            let shares = sample.phases.iter().filter(|share| share.phase == *phase);
            shares.map(|share| share.us).sum()
        };
        pairs.row(phase, &us, Statistic::MedianOfDifferences, terms)
    };
    let phases = phases.iter().map(phase_of).collect();
    let is = |change| rows.iter().any(|row| row.change == change);
    let verdict = if failed.1 > failed.0 || is(Change::Slower) {
        Change::Slower
    } else if is(Change::Faster) {
        Change::Faster
    } else {
        Change::None
    };
    let (count, repeats) = (pairs.all().count(), pairs.by_repeat.len());
    Ok(Comparison { pairs: count, repeats, failed, rows, phases, verdict })
}

fn same_load(before: &Settings, now: &Settings) -> Result<(), String> {
    let differ = std::iter::zip(before.load(), now.load()).filter(|(a, b)| a != b);
    let told: Vec<String> =
        differ.map(|((name, a), (_, b))| format!("{name} {a} and {b}")).collect();
    if told.is_empty() {
        return Ok(());
    }
    Err(format!("the pushes are not the same and cannot be paired: {}", told.join(", ")))
}

/// The same push in both benchmarks.
type Pair<'a> = (&'a Sample, &'a Sample);

struct Pairs<'a> {
    by_repeat: Vec<Vec<Pair<'a>>>,
}

#[derive(Clone, Copy)]
enum Statistic {
    MedianOfDifferences,
    DifferenceOfP99,
}

impl<'a> Pairs<'a> {
    fn of(before: &'a [Sample], now: &'a [Sample]) -> Self {
        let key = |sample: &Sample| (sample.repeat, sample.push);
        let ready = |sample: &&Sample| sample.latency_us.is_some();
        let now: BTreeMap<_, _> = now.iter().filter(ready).map(|s| (key(s), s)).collect();
        let mut by_repeat: BTreeMap<usize, Vec<Pair<'a>>> = BTreeMap::new();
        for one in before.iter().filter(ready) {
            if let Some(other) = now.get(&key(one)) {
                by_repeat.entry(one.repeat).or_default().push((one, other));
            }
        }
        Self { by_repeat: by_repeat.into_values().collect() }
    }

    fn all(&self) -> impl Iterator<Item = &Pair<'a>> {
        self.by_repeat.iter().flatten()
    }

    /// The phases that any push has, in the order that they are met.
    fn phases(&self) -> Vec<String> {
        let mut phases: Vec<String> = Vec::new();
        for (one, other) in self.all() {
            for share in one.phases.iter().chain(&other.phases) {
                if !phases.contains(&share.phase) {
                    phases.push(share.phase.clone());
                }
            }
        }
        phases
    }

    fn row(
        &self,
        what: &str,
        us: &dyn Fn(&Sample) -> u64,
        statistic: Statistic,
        terms: Terms,
    ) -> Row {
        let values: Vec<Vec<(i64, i64)>> = self
            .by_repeat
            .iter()
            .map(|pairs| pairs.iter().map(|(a, b)| (signed(us(a)), signed(us(b)))).collect())
            .collect();
        let all: Vec<(i64, i64)> = values.iter().flatten().copied().collect();
        let per_mille = match statistic {
            Statistic::MedianOfDifferences => 500,
            Statistic::DifferenceOfP99 => 990,
        };
        let before = at(all.iter().map(|(a, _)| *a).collect(), per_mille);
        let now = at(all.iter().map(|(_, b)| *b).collect(), per_mille);
        let by_us = statistic.of(&all);
        let interval_us = interval(&values, statistic, Rng::new(terms.seed).fork(what));
        let least = i128::from(before) * i128::from(terms.effect_per_mille) / 1_000;
        let matters = i128::from(by_us).abs() >= least.max(1);
        let change = match interval_us {
            (low, _) if low > 0 && matters => Change::Slower,
            (_, high) if high < 0 && matters => Change::Faster,
            _ => Change::None,
        };
        let (before_us, now_us) = (before.unsigned_abs(), now.unsigned_abs());
        Row { what: what.to_owned(), before_us, now_us, by_us, interval_us, change }
    }
}

impl Statistic {
    fn of(self, pairs: &[(i64, i64)]) -> i64 {
        match self {
            Self::MedianOfDifferences => at(pairs.iter().map(|(a, b)| b - a).collect(), 500),
            Self::DifferenceOfP99 => {
                at(pairs.iter().map(|(_, b)| *b).collect(), 990)
                    - at(pairs.iter().map(|(a, _)| *a).collect(), 990)
            }
        }
    }
}

/// Between which values 95 of 100 resampled statistics lie.
fn interval(values: &[Vec<(i64, i64)>], statistic: Statistic, mut rng: Rng) -> (i64, i64) {
    let mut pick = |count: usize| usize::try_from(rng.below(count as u64)).unwrap_or(0);
    let mut found = Vec::with_capacity(RESAMPLES);
    let mut drawn: Vec<(i64, i64)> = Vec::new();
    for _ in 0..RESAMPLES {
        drawn.clear();
        for _ in 0..values.len() {
            let repeat = &values[pick(values.len())];
            drawn.extend((0..repeat.len()).map(|_| repeat[pick(repeat.len())]));
        }
        found.push(statistic.of(&drawn));
    }
    (at(found.clone(), 25), at(found, 975))
}

/// The value of nearest rank; 0 of nothing.
fn at(mut values: Vec<i64>, per_mille: usize) -> i64 {
    if values.is_empty() {
        return 0;
    }
    let rank = (values.len() * per_mille).div_ceil(1_000).clamp(1, values.len());
    let (_, value, _) = values.select_nth_unstable(rank - 1);
    *value
}

fn signed(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::settings::sample as settings;
    use super::super::{End, Share};
    use super::*;

    /// Pushes of which each took about 2 s, with `more` microseconds added by its number.
    fn samples(more: impl Fn(u64) -> u64) -> Vec<Sample> {
        let mut rng = Rng::new(7);
        let sample = |n: u64| {
            let us = 2_000_000 + rng.below(500_000) + more(n);
            Sample {
                repeat: usize::from(n >= 100),
                push: usize::try_from(n % 100).expect("small"),
                app: 0,
                intended_us: 0,
                end: End::Ready,
                live_by: None,
                latency_us: Some(us),
                phases: vec![Share { phase: "health".to_owned(), us }],
                why: None,
            }
        };
        (0..200).map(sample).collect()
    }

    fn noise(n: u64, most: u64) -> u64 {
        Rng::new(n).below(most)
    }

    #[track_caller]
    fn check(now: &[Sample], verdict: Change) -> Comparison {
        let settings = settings();
        let terms = Terms { seed: 1, effect_per_mille: 20 };
        let before = samples(|n| noise(n, 100_000));
        let compare = || compare((&settings, &before), (&settings, now), terms);
        let found = compare().expect("the same load");
        assert_eq!(found.verdict, verdict, "{found:?}");
        assert_eq!(compare(), Ok(found.clone()), "the same verdict each time");
        found
    }

    #[test]
    fn the_same_is_the_same() {
        let found = check(&samples(|n| noise(n, 100_000)), Change::None);
        assert_eq!((found.rows[0].by_us, found.rows[0].interval_us), (0, (0, 0)));
        assert_eq!((found.pairs, found.repeats), (200, 2));
    }

    #[test]
    fn noise_is_no_difference() {
        check(&samples(|n| noise(n + 1_000, 100_000)), Change::None);
    }

    #[test]
    fn a_tenth_of_a_second_more_in_two_is_slower_and_less_is_faster() {
        let found = check(&samples(|n| 100_000 + noise(n + 1_000, 100_000)), Change::Slower);
        assert_eq!(found.phases[0].change, Change::Slower);
        let (low, high) = found.rows[0].interval_us;
        assert!(low > 80_000 && high < 120_000, "{low} to {high}");
        let quick = samples(|n| noise(n, 100_000)).into_iter().map(|mut sample| {
            sample.latency_us = sample.latency_us.map(|us| us - 100_000);
            sample
        });
        check(&quick.collect::<Vec<_>>(), Change::Faster);
    }

    #[test]
    fn a_difference_that_is_certain_and_tiny_does_not_count() {
        let found = check(&samples(|n| 1_000 + noise(n, 100_000)), Change::None);
        assert_eq!(found.rows[0].interval_us, (1_000, 1_000));
    }

    #[test]
    fn a_tail_that_grew_is_slower_whatever_the_median() {
        let tail = |n: u64| if n.is_multiple_of(20) { 3_000_000 } else { 0 };
        check(&samples(|n| noise(n, 100_000) + tail(n)), Change::Slower);
    }

    #[test]
    fn a_push_that_fails_now_is_slower_than_any() {
        let mut now = samples(|n| noise(n, 100_000));
        now[3].latency_us = None;
        let found = check(&now, Change::Slower);
        assert_eq!((found.pairs, found.failed), (199, (0, 1)));
    }

    #[test]
    fn other_loads_cannot_be_compared() {
        let (one, other) = (settings(), Settings { apps: 4, seed: 2, ..settings() });
        let terms = Terms { seed: 1, effect_per_mille: 20 };
        let error = compare((&one, &[]), (&other, &[]), terms).expect_err("not the same");
        let told = "the pushes are not the same and cannot be paired: apps 3 and 4, seed 1 and 2";
        assert_eq!(error, told);
    }
}
