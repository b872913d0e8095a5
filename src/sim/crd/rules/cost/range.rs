//! From the least to the most: how large something may be, or what it may cost. Sums and products
//! that are too large stop at the largest number, which stands for "not known".

/// From the least to the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) min: u64,
    pub(super) max: u64,
}

impl Range {
    pub(super) const UNKNOWN: Self = Self { min: 0, max: u64::MAX };
    /// What a union begins with.
    pub(super) const NONE: Self = Self { min: u64::MAX, max: 0 };

    pub(super) const fn exactly(count: u64) -> Self {
        Self { min: count, max: count }
    }

    pub(super) const fn up_to(max: u64) -> Self {
        Self { min: 0, max }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }

    pub(super) fn times(self, other: Self) -> Self {
        Self { min: self.min.saturating_mul(other.min), max: self.max.saturating_mul(other.max) }
    }

    /// Both ends times a factor, rounded up.
    pub(super) fn scaled(self, factor: f64) -> Self {
        let scaled = |count| ceiled(float(count) * factor);
        Self { min: scaled(self.min), max: scaled(self.max) }
    }

    /// What holds both.
    pub(super) fn or(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "upstream counts in floats here")]
pub(super) const fn float(count: u64) -> f64 {
    count as f64
}

/// Rounded up; what is too large stops at the largest number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast stops there")]
pub(super) fn ceiled(number: f64) -> u64 {
    number.ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_stops_at_the_largest() {
        let unknown = Range::UNKNOWN;
        assert_eq!(unknown.plus(Range::exactly(2)), Range { min: 2, max: u64::MAX });
        assert_eq!(unknown.times(Range::exactly(2)), unknown);
        assert_eq!(Range::exactly(15).scaled(0.1), Range::exactly(2));
        assert_eq!(Range::exactly(u64::MAX).scaled(2.0), Range::exactly(u64::MAX));
        assert_eq!(Range::exactly(3).or(Range::up_to(1)), Range { min: 0, max: 3 });
    }
}
