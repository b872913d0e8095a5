//! Durations as scenarios and stages write them: a whole number and a unit.

use std::time::Duration;

/// Units, the longest first, with their microseconds.
const UNITS: [(&str, u64); 5] =
    [("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];

/// The longest: ten years, past which certificates, dates and readers lose their way.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

/// What a duration looks like, for messages.
pub const EXPECTED: &str = "a duration (a whole number and us, ms, s, m or h, as in 800ms or 12s)";

/// The pattern of the same, for the JSON Schema.
pub const PATTERN: &str = "^[0-9]+(us|ms|s|m|h)$";

/// Reads a duration; `None` where the text is none, or over ten years.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let (_, micros) = UNITS.iter().find(|(word, _)| *word == unit)?;
    let time = number.parse::<u64>().ok()?.checked_mul(*micros).map(Duration::from_micros)?;
    (time <= LONGEST).then_some(time)
}

/// Writes a duration in the longest unit that leaves a whole number: what [`parse`] reads back,
/// down to the microsecond.
#[must_use]
pub fn show(time: Duration) -> String {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    if micros == 0 {
        return "0s".to_owned();
    }
    let fits = UNITS.iter().find(|(_, size)| micros.is_multiple_of(*size));
    let (unit, size) = fits.copied().unwrap_or(("us", 1));
    format!("{}{unit}", micros / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_and_prints_back() {
        for text in ["0s", "1500us", "800ms", "12s", "90s", "2m", "1h"] {
            assert_eq!(parse(text).map(show).as_deref(), Some(text));
        }
        assert_eq!(parse("60s").map(show).as_deref(), Some("1m"));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in
            ["", "12", "s", "1.5s", "12 s", "1m30s", "-1s", "3d", "99999999999999999999s", "87601h"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&format!("{}h", u64::MAX)), None);
    }
}
