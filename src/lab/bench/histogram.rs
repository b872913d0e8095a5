//! Latencies in an HDR histogram: three significant digits from a microsecond to a day, in
//! the same few hundred kilobytes whatever the number of samples. Failures are counted in it as having
//! taken longer than anything else.

use std::fmt::Write as _;

use hdrhistogram::Histogram as Hdr;

/// Digits that a quantile is right to; the largest value is kept exactly beside it.
const DIGITS: u8 = 3;

/// What is longer counts as this, but for the largest value.
const LONGEST_US: u64 = 24 * 3_600 * 1_000_000;

/// Steps of the percentile listing in each half of what is left to 100 %.
const TICKS: u32 = 5;

/// A histogram of durations in microseconds.
#[derive(Clone, Debug)]
pub struct Histogram {
    hdr: Hdr<u64>,
    max_us: u64,
    sum_us: u128,
    failed: u64,
}

impl Histogram {
    /// Of these samples; `None` for one that never came to an end.
    #[must_use]
    pub fn of(samples_us: impl IntoIterator<Item = Option<u64>>) -> Self {
        #[expect(clippy::expect_used, reason = "states an invariant")]
        let hdr = Hdr::new_with_bounds(1, LONGEST_US, DIGITS)
            .expect("because the bounds are in order and three digits are within one and five");
        let mut histogram = Self { hdr, max_us: 0, sum_us: 0, failed: 0 };
        for sample in samples_us {
            match sample {
                Some(us) => histogram.add(us),
                None => histogram.failed += 1,
            }
        }
        histogram
    }

    fn add(&mut self, us: u64) {
        self.hdr.saturating_record(us);
        self.max_us = self.max_us.max(us);
        self.sum_us += u128::from(us);
    }

    /// All samples, those that failed included.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.hdr.len() + self.failed
    }

    /// What `per_mille` thousandths of all samples do not exceed; `None` where that is only true
    /// of "never", or where there are no samples.
    #[must_use]
    pub fn quantile_us(&self, per_mille: u64) -> Option<u64> {
        let rank = (self.count() * per_mille).div_ceil(1_000).max(1);
        if rank > self.hdr.len() {
            return None;
        }
        let mut seen = 0;
        for step in self.hdr.iter_recorded() {
            seen += step.count_since_last_iteration();
            if seen >= rank {
                return Some(step.value_iterated_to().min(self.max_us));
            }
        }
        None
    }

    /// The longest of those that came to an end, exactly.
    #[must_use]
    pub fn max_us(&self) -> Option<u64> {
        (!self.hdr.is_empty()).then_some(self.max_us)
    }

    /// All of those that came to an end together, exactly.
    #[must_use]
    pub fn sum_us(&self) -> u64 {
        u64::try_from(self.sum_us).unwrap_or(u64::MAX)
    }

    /// Those that never came to an end.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.failed
    }

    /// The percentile listing that plotters of HDR histograms read (`.hgrm`), in milliseconds.
    /// Failures are told beside it, for the format has no place for them.
    #[must_use]
    pub fn hgrm(&self) -> String {
        let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
        let mut seen = 0;
        for step in self.hdr.iter_quantiles(TICKS) {
            seen += step.count_since_last_iteration();
            let part = step.quantile_iterated_to();
            let ms = millis(step.value_iterated_to().min(self.max_us));
            if part < 1.0 {
                let inverse = 1.0 / (1.0 - part);
                let _ = writeln!(text, "{ms:>12} {part:2.12} {seen:10} {inverse:14.2}");
            } else {
                let _ = writeln!(text, "{ms:>12} {part:2.12} {seen:10}");
            }
        }
        let (max, total) = (millis(self.max_us), self.hdr.len());
        let _ = writeln!(text, "#[Max     = {max:>12}, Total count    = {total:>12}]");
        let _ = writeln!(text, "#[Failed  = {:>12}]", self.failed);
        text
    }
}

/// Whole microseconds as milliseconds with their three digits.
pub(super) fn millis(us: u64) -> String {
    format!("{}.{:03}", us / 1_000, us % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_right_to_three_digits_and_the_largest_value_exactly() {
        let histogram = Histogram::of((1..=1_000).map(|ms| Some(ms * 1_000)));
        for (per_mille, wanted) in [(500, 500_000_u64), (990, 990_000), (999, 999_000)] {
            let found = histogram.quantile_us(per_mille).expect("there are samples");
            assert!(found.abs_diff(wanted) * 1_000 <= wanted, "{per_mille}: {found}");
        }
        assert_eq!(histogram.quantile_us(1_000), Some(1_000_000));
        assert_eq!(histogram.max_us(), Some(1_000_000));
        assert_eq!(histogram.sum_us(), 500_500_000);
    }

    #[test]
    fn a_failure_took_longer_than_anything() {
        let samples = [Some(10), Some(20), Some(30), None];
        let histogram = Histogram::of(samples);
        assert_eq!((histogram.count(), histogram.failed()), (4, 1));
        assert_eq!(histogram.quantile_us(500), Some(20));
        assert_eq!(histogram.quantile_us(750), Some(30));
        assert_eq!(histogram.quantile_us(760), None);
        assert_eq!(histogram.max_us(), Some(30));
        let nothing = Histogram::of([]);
        assert_eq!((nothing.quantile_us(500), nothing.max_us()), (None, None));
    }

    #[test]
    fn the_listing_ends_with_the_largest_value() {
        let text = Histogram::of([Some(1_234), Some(5_678), None]).hgrm();
        assert!(text.contains("       1.234 0.500000000000          1           2.00\n"), "{text}");
        assert!(
            text.contains("#[Max     =        5.678, Total count    =            2]"),
            "{text}"
        );
        assert!(text.ends_with("#[Failed  =            1]\n"), "{text}");
    }
}
