//! Where things stand on an axis: shares of its length as CSS takes them, and its ticks.

use serde::Serialize;

use crate::report::duration::duration;

/// A share of a whole in per cent, to the hundredth, in whole numbers so that every machine shows
/// the same.
pub(super) fn percent(part_us: u64, whole_us: u64) -> String {
    if whole_us == 0 {
        return "0".to_owned();
    }
    let hundredths = u128::from(part_us.min(whole_us)) * 10_000 / u128::from(whole_us);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// A labelled place on an axis.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Tick {
    /// From the left, in per cent.
    pub left: String,
    /// What stands there.
    pub label: String,
}

/// Three to six round ticks from zero to `end_us`.
pub(super) fn ticks(end_us: u64) -> Vec<Tick> {
    const STEPS: [u64; 3] = [1, 2, 5];
    const UNITS: [u64; 3] = [1_000_000, 60_000_000, 3_600_000_000];
    let powers = (0..6).flat_map(|n| STEPS.map(|step| step * 10_u64.pow(n)));
    let longer = UNITS[1..].iter().flat_map(|unit| [1, 2, 5, 10, 20, 30].map(|n| n * unit));
    let days = (0..4).flat_map(|n| STEPS.map(|step| step * 10_u64.pow(n) * UNITS[2] * 6));
    let fitting = |step: &u64| end_us / step <= 6;
    let below = powers.chain(STEPS.map(|s| s * UNITS[0])).chain([10, 20, 30].map(|s| s * UNITS[0]));
    let Some(step) = below.chain(longer).chain(days).find(fitting) else { return Vec::new() };
    let places = (0..=6).map(|n| n * step).take_while(|at| *at <= end_us);
    places.map(|at| Tick { left: percent(at, end_us), label: label(at) }).collect()
}

/// A round instant without digits that say nothing.
fn label(us: u64) -> String {
    match us {
        0 => "0".to_owned(),
        us if us % 3_600_000_000 == 0 => format!("{} h", us / 3_600_000_000),
        us if us % 60_000_000 == 0 => format!("{} min", us / 60_000_000),
        us if us % 1_000_000 == 0 => format!("{} s", us / 1_000_000),
        us if us % 1_000 == 0 => format!("{} ms", us / 1_000),
        us => duration(us),
    }
}

/// An axis on which each power of ten takes the same room: durations from 10 µs to hours can be
/// compared on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decades {
    from: u32,
    to: u32,
}

impl Decades {
    /// The powers of ten around `samples`, from 10 µs up; one decade at the least.
    pub(super) fn around(samples_us: &[u64]) -> Self {
        let power = |us: u64| us.max(10).ilog10();
        let from = samples_us.iter().map(|us| power(*us)).min().unwrap_or(1);
        let to = samples_us.iter().map(|us| power(*us)).max().unwrap_or(1) + 1;
        Self { from, to }
    }

    /// Where a duration stands, in per cent from the left. Within a decade a hundred places are
    /// told apart, found by comparing, so that no machine's logarithm shows.
    pub(super) fn place(self, us: u64) -> String {
        let us = us.max(10_u64.pow(self.from)).min(10_u64.pow(self.to));
        let power = us.ilog10().min(self.to.saturating_sub(1));
        let within = hundredth(us, power);
        let hundredths = u64::from(power - self.from) * 100 + within;
        percent(hundredths, u64::from(self.to - self.from) * 100)
    }

    /// Its powers of ten.
    pub(super) fn ticks(self) -> Vec<Tick> {
        let tick = |power| {
            let us = 10_u64.pow(power);
            let label = if us < 1_000 { format!("{us} µs") } else { label(us) };
            Tick { left: self.place(us), label }
        };
        (self.from..=self.to).map(tick).collect()
    }
}

/// How many hundredths of a decade `us` is above `10^power`.
fn hundredth(us: u64, power: u32) -> u64 {
    // 10^(1/100) as a fraction, applied step by step to a scaled start.
    const RATIO: u128 = 1_023_292_992_280_754;
    const ONE: u128 = 1_000_000_000_000_000;
    let mut at = 10_u128.pow(power) * 1_000;
    let target = u128::from(us) * 1_000;
    let mut steps = 0;
    while steps < 100 && at * RATIO / ONE <= target {
        at = at * RATIO / ONE;
        steps += 1;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_two_digits_and_never_leaves_the_axis() {
        assert_eq!(percent(1, 3), "33.33");
        assert_eq!(percent(5, 3), "100.00");
        assert_eq!(percent(0, 0), "0");
    }

    #[test]
    fn ticks_are_round_and_few() {
        let labels = |us| ticks(us).into_iter().map(|t| t.label).collect::<Vec<_>>().join(" ");
        assert_eq!(labels(88_000_000), "0 20 s 40 s 1 min 80 s");
        assert_eq!(labels(9_300), "0 2 ms 4 ms 6 ms 8 ms");
        assert_eq!(labels(7_200_000_000), "0 20 min 40 min 1 h 80 min 100 min 2 h");
        assert_eq!(labels(0), "0");
        assert!(ticks(u64::MAX).len() <= 7);
    }

    #[test]
    fn a_decade_takes_the_same_room_wherever_it_is() {
        let axis = Decades::around(&[150, 90_000]);
        let labels: Vec<_> = axis.ticks().into_iter().map(|t| (t.label, t.left)).collect();
        let expected =
            [("100 µs", "0.00"), ("1 ms", "33.33"), ("10 ms", "66.66"), ("100 ms", "100.00")];
        assert_eq!(labels, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        // Half a decade is the square root of ten.
        assert_eq!(axis.place(3_163), "50.00");
        assert_eq!(axis.place(0), "0.00");
    }
}
