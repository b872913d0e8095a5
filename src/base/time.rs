//! Points in time as plain values. Reading the machine's clock is not done here: an instant is
//! always an argument, so that a run in virtual time and one in real time take the same code.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// A point in time: microseconds since the Unix epoch. Monotonic within a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Time(u64);

impl Time {
    /// Where every virtual run begins: 2026-01-01T00:00:00Z.
    pub const VIRTUAL_START: Time = Time(1_767_225_600_000_000);

    /// From microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time since `earlier`, zero if that lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// RFC 3339 with whole seconds, as `metadata.creationTimestamp` and conditions carry it.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let whole = i64::try_from(self.0 / 1_000_000).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(whole).map_or_else(|_| String::new(), |t| t.to_string())
    }

    /// RFC 3339 with six digits of a second (Kubernetes `MicroTime`).
    #[must_use]
    pub fn rfc3339_micro(self) -> String {
        let base = self.rfc3339();
        format!("{}.{:06}Z", base.trim_end_matches('Z'), self.0 % 1_000_000)
    }

    /// Reads RFC 3339; `None` where the text is none or lies before 1970.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Time> {
        let stamp: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(stamp.as_microsecond()).ok().map(Time)
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, by: Duration) -> Time {
        Time(self.0.saturating_add(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, by: Duration) {
        *self = *self + by;
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, by: Duration) -> Time {
        Time(self.0.saturating_sub(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_prints_and_reads_back_as_rfc3339() {
        let t = Time::VIRTUAL_START + Duration::from_micros(61_000_007);
        assert_eq!(t.rfc3339(), "2026-01-01T00:01:01Z");
        assert_eq!(t.rfc3339_micro(), "2026-01-01T00:01:01.000007Z");
        assert_eq!(Time::parse_rfc3339(&t.rfc3339_micro()), Some(t));
    }

    #[test]
    fn since_never_goes_below_zero() {
        let t = Time::VIRTUAL_START;
        assert_eq!(t.since(t + Duration::from_secs(1)), Duration::ZERO);
    }
}
