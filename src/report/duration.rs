//! Durations in words, with as many digits as tell something.

/// One duration on its own: three digits under a minute, whole seconds above.
pub(super) fn duration(us: u64) -> String {
    match us {
        0 => "0 ms".to_owned(),
        1..1_000 => format!("{us} µs"),
        1_000..1_000_000 => three_digits(us, 1_000, "ms"),
        1_000_000..60_000_000 => three_digits(us, 1_000_000, "s"),
        60_000_000..3_600_000_000 => {
            let seconds = us / 1_000_000;
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
        _ => {
            let minutes = us / 60_000_000;
            format!("{} h {} min", minutes / 60, minutes % 60)
        }
    }
}

/// An instant since the run's start, to the millisecond.
pub(super) fn seconds(us: u64) -> String {
    format!("+{} s", fixed(us, 1_000_000, 3))
}

/// The unit that a column of durations is shown in, so that they can be compared down the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    us: u64,
    digits: usize,
    name: &'static str,
}

impl Column {
    /// For durations of which the longest is `us`.
    pub(super) const fn of(us: u64) -> Self {
        match us {
            0..100_000 => Self { us: 1_000, digits: 3, name: "ms" },
            100_000..100_000_000 => Self { us: 1_000, digits: 1, name: "ms" },
            _ => Self { us: 1_000_000, digits: 2, name: "s" },
        }
    }

    /// One duration, not padded.
    pub(super) fn show(self, us: u64) -> String {
        format!("{} {}", fixed(us, self.us, self.digits), self.name)
    }
}

/// `us / unit` with `digits` after the point, rounded half up in whole numbers so that every
/// machine shows the same.
fn fixed(us: u64, unit: u64, digits: usize) -> String {
    let scale = 10_u128.pow(u32::try_from(digits).unwrap_or(0));
    let scaled = (u128::from(us) * scale * 2 + u128::from(unit)) / (u128::from(unit) * 2);
    let (whole, part) = (scaled / scale, scaled % scale);
    if digits == 0 { whole.to_string() } else { format!("{whole}.{part:0digits$}") }
}

fn three_digits(us: u64, unit: u64, name: &str) -> String {
    let digits = match us / unit {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    format!("{} {name}", fixed(us, unit, digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(us: u64, expected: &str) {
        assert_eq!(duration(us), expected);
    }

    #[test]
    fn a_duration_has_three_digits_and_the_nearest_unit() {
        check(0, "0 ms");
        check(7, "7 µs");
        check(1_234, "1.23 ms");
        check(12_350, "12.4 ms");
        check(340_200, "340 ms");
        check(2_411_000, "2.41 s");
        check(41_349_999, "41.3 s");
        check(134_900_000, "2 min 14 s");
        check(3_900_000_000, "1 h 5 min");
    }

    #[test]
    fn a_column_has_one_unit() {
        assert_eq!(Column::of(2_411_000).show(12_449), "12.4 ms");
        assert_eq!(Column::of(99_000).show(340), "0.340 ms");
        assert_eq!(Column::of(300_000_000).show(1_005_000), "1.01 s");
    }
}
