//! Durations as pages show them: one on its own in words, a column of them in one unit.

pub(super) use crate::record::in_words as duration;

use crate::record::fixed;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_one_unit() {
        assert_eq!(Column::of(2_411_000).show(12_449), "12.4 ms");
        assert_eq!(Column::of(99_000).show(340), "0.340 ms");
        assert_eq!(Column::of(300_000_000).show(1_005_000), "1.01 s");
    }
}
