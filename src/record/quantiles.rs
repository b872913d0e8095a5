//! Percentiles of a list of samples: exact, by nearest rank, so that each is a sample that was
//! really taken.

use serde::{Deserialize, Serialize};

/// The usual percentiles of a list of durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct Quantiles {
    pub count: usize,
    pub min_us: u64,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p99_us: u64,
    pub max_us: u64,
}

impl Quantiles {
    /// Of samples in any order; `None` where there are none.
    #[must_use]
    pub fn of(mut samples_us: Vec<u64>) -> Option<Self> {
        samples_us.sort_unstable();
        let at = |per_mille| percentile(&samples_us, per_mille);
        Some(Self {
            count: samples_us.len(),
            min_us: *samples_us.first()?,
            p50_us: at(500)?,
            p90_us: at(900)?,
            p99_us: at(990)?,
            max_us: *samples_us.last()?,
        })
    }
}

/// The smallest sample that at least `per_mille` thousandths of all samples do not exceed.
/// `sorted` is in ascending order; `None` where it is empty.
#[must_use]
pub fn percentile(sorted: &[u64], per_mille: usize) -> Option<u64> {
    let rank = (sorted.len() * per_mille).div_ceil(1000);
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(samples: &[u64], per_mille: usize, expected: Option<u64>) {
        assert_eq!(percentile(samples, per_mille), expected);
    }

    #[test]
    fn a_percentile_is_the_sample_of_the_nearest_rank() {
        let five = [15, 20, 35, 40, 50];
        check(&five, 50, Some(15));
        check(&five, 300, Some(20));
        check(&five, 400, Some(20));
        check(&five, 500, Some(35));
        check(&five, 1000, Some(50));
    }

    #[test]
    fn one_sample_is_every_percentile_and_none_has_none() {
        check(&[7], 0, Some(7));
        check(&[7], 500, Some(7));
        check(&[7], 999, Some(7));
        check(&[], 500, None);
        assert_eq!(Quantiles::of(Vec::new()), None);
    }

    #[test]
    fn samples_need_no_order() {
        let q = Quantiles::of((1..=100).rev().collect()).expect("there are samples");
        assert_eq!((q.count, q.min_us, q.p50_us, q.p90_us), (100, 1, 50, 90));
        assert_eq!((q.p99_us, q.max_us), (99, 100));
    }
}
