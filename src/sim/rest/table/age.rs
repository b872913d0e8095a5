//! How long ago something was, in two or three significant figures.

use crate::base::Time;

/// The time from a timestamp to now; `<unknown>` where there is none, `<invalid>` where it lies
/// ahead by more than the clocks of two machines may differ.
pub(super) fn since(now: Time, timestamp: Option<&str>) -> String {
    match timestamp.and_then(Time::parse_rfc3339) {
        Some(time) => human(seconds_between(time, now)),
        None => "<unknown>".to_owned(),
    }
}

/// The time from one timestamp to another; empty where one is missing.
pub(super) fn between(from: Option<&str>, to: Option<&str>) -> String {
    let read = |text: Option<&str>| text.and_then(Time::parse_rfc3339);
    match (read(from), read(to)) {
        (Some(from), Some(to)) => human(seconds_between(from, to)),
        _ => String::new(),
    }
}

/// Whole seconds, cut towards zero.
fn seconds_between(from: Time, to: Time) -> i64 {
    let micros = |time: Time| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    micros(to).saturating_sub(micros(from)) / 1_000_000
}

/// A number of seconds as a person reads it.
pub(super) fn human(seconds: i64) -> String {
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (days, years) = (hours / 24, hours / (24 * 365));
    match () {
        () if seconds < -1 => "<invalid>".to_owned(),
        () if seconds < 0 => "0s".to_owned(),
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, 'm', seconds % 60, 's'),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, 'h', minutes % 60, 'm'),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, 'd', hours % 24, 'h'),
        () if hours < 24 * 365 * 2 => format!("{days}d"),
        () if hours < 24 * 365 * 8 => two(years, 'y', days % 365, 'd'),
        () => format!("{years}y"),
    }
}

fn two(large: i64, unit: char, small: i64, subunit: char) -> String {
    if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{subunit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_upstream_writes_them() {
        const MINUTE: i64 = 60;
        const HOUR: i64 = 60 * MINUTE;
        const DAY: i64 = 24 * HOUR;
        for (seconds, expect) in [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (3 * MINUTE + 5, "3m5s"),
            (10 * MINUTE + 5, "10m"),
            (179 * MINUTE, "179m"),
            (3 * HOUR, "3h"),
            (3 * HOUR + 5 * MINUTE, "3h5m"),
            (8 * HOUR + 5 * MINUTE, "8h"),
            (47 * HOUR, "47h"),
            (48 * HOUR, "2d"),
            (49 * HOUR, "2d1h"),
            (8 * DAY + HOUR, "8d"),
            (729 * DAY, "729d"),
            (730 * DAY, "2y"),
            (731 * DAY, "2y1d"),
            (8 * 365 * DAY + DAY, "8y"),
        ] {
            assert_eq!(human(seconds), expect, "{seconds}");
        }
    }
}
