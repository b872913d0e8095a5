//! Cron schedules: five fields or a word such as `@daily`, in a time zone; and which instants of
//! one fall into a span (R-CTL-19).
//!
//! The grammar is that of the library that Kubernetes uses: `*`, `?`, lists, ranges, steps, names
//! of months and days, `@every`. A day counts if day of month *or* day of week says so, unless
//! one of the two is `*`.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::base::Time;

/// Schedules that come round at all do so within this many years.
const YEARS: i16 = 5;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Schedule {
    Every(Duration),
    Fields(Box<Fields>),
}

/// One bit for each value that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    is_any_day: bool,
    is_any_weekday: bool,
}

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(span) = text.strip_prefix("@every ") {
            return every(span).ok_or_else(|| format!("failed to parse duration {text}"));
        }
        let text = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            _ if text.starts_with('@') => return Err(format!("unrecognized descriptor: {text}")),
            _ => text,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            let found = fields.len();
            return Err(format!("expected exactly 5 fields, found {found}: [{text}]"));
        };
        let is_any = |field: &str| field.starts_with(['*', '?']);
        Ok(Self::Fields(Box::new(Fields {
            minutes: bits(minutes, 0, 59, &[])?,
            hours: bits(hours, 0, 23, &[])?,
            days: bits(days, 1, 31, &[])?,
            months: bits(months, 1, 12, &MONTHS)?,
            weekdays: bits(weekdays, 0, 6, &DAYS)?,
            is_any_day: is_any(days),
            is_any_weekday: is_any(weekdays),
        })))
    }

    /// The first instant after `after`; `None` where there is none for years.
    pub(super) fn next(&self, after: Time, zone: &TimeZone) -> Option<Time> {
        let fields = match self {
            Self::Every(span) => return Some(floor(after) + *span),
            Self::Fields(fields) => fields,
        };
        let stamp = Timestamp::from_microsecond(after.as_micros().try_into().ok()?).ok()?;
        let found = fields.next(&stamp.to_zoned(zone.clone()))?;
        let micros = u64::try_from(found.timestamp().as_microsecond()).ok()?;
        Some(Time::from_micros(micros))
    }
}

/// Down to the second, as `@every` counts.
fn floor(at: Time) -> Time {
    Time::from_micros(at.as_micros() / 1_000_000 * 1_000_000)
}

impl Fields {
    fn next(&self, after: &Zoned) -> Option<Zoned> {
        let last = after.year() + YEARS;
        let mut at = after.start_of_day().ok()?;
        // Days are few; within a day that counts, minutes are tried one by one.
        while at.year() <= last {
            if self.has_day(&at)
                && let Some(found) = self.in_day(&at, after)
            {
                return Some(found);
            }
            at = at.checked_add(1.day()).ok()?.start_of_day().ok()?;
        }
        None
    }

    fn has_day(&self, at: &Zoned) -> bool {
        let has = |bits: u64, value: i8| bits >> value & 1 == 1;
        let day = has(self.days, at.day());
        let weekday = has(self.weekdays, at.weekday().to_sunday_zero_offset());
        let is_day =
            if self.is_any_day || self.is_any_weekday { day && weekday } else { day || weekday };
        has(self.months, at.month()) && is_day
    }

    fn in_day(&self, day: &Zoned, after: &Zoned) -> Option<Zoned> {
        let mut at = day.clone();
        if at.date() == after.date() {
            at = after
                .checked_add(1.minute())
                .ok()?
                .with()
                .second(0)
                .subsec_nanosecond(0)
                .build()
                .ok()?;
        }
        while at.date() == day.date() {
            if self.hours >> at.hour() & 1 == 0 {
                let next = at.with().minute(0).build().ok()?;
                at = next.checked_add(1.hour()).ok()?;
            } else if self.minutes >> at.minute() & 1 == 0 {
                at = at.checked_add(1.minute()).ok()?;
            } else {
                return Some(at);
            }
        }
        None
    }
}

fn bits(field: &str, least: u64, most: u64, names: &[&str]) -> Result<u64, String> {
    field.split(',').try_fold(0, |bits, part| Ok(bits | part_bits(part, least, most, names)?))
}

fn part_bits(part: &str, least: u64, most: u64, names: &[&str]) -> Result<u64, String> {
    let number = |text: &str| {
        let lower = text.to_lowercase();
        let named = names.iter().position(|name| *name == lower);
        let named = named.and_then(|at| u64::try_from(at).ok()).map(|at| at + least);
        let error = || format!("failed to parse int from {text}");
        named.map_or_else(|| text.parse::<u64>().map_err(|_| error()), Ok)
    };
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(number(step)?)),
        None => (part, None),
    };
    let (from, to) = match range {
        "*" | "?" => (least, most),
        _ => match range.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None => {
                let from = number(range)?;
                (from, if step.is_some() { most } else { from })
            }
        },
    };
    let step = step.unwrap_or(1);
    if from < least {
        return Err(format!("beginning of range ({from}) below minimum ({least}): {part}"));
    }
    if to > most {
        return Err(format!("end of range ({to}) above maximum ({most}): {part}"));
    }
    if from > to {
        return Err(format!("beginning of range ({from}) beyond end of range ({to}): {part}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {part}"));
    }
    let values = (from..=to).step_by(usize::try_from(step).unwrap_or(usize::MAX));
    Ok(values.fold(0, |bits, value| bits | 1 << value))
}

/// `1h30m10s`; at least a second.
fn every(text: &str) -> Option<Schedule> {
    let (mut seconds, mut number) = (0_u64, 0_u64);
    for letter in text.trim().chars() {
        let unit = match letter {
            '0'..='9' => {
                number = number.checked_mul(10)?.checked_add(u64::from(letter.to_digit(10)?))?;
                continue;
            }
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        number = 0;
    }
    (number == 0 && !text.trim().is_empty())
        .then(|| Schedule::Every(Duration::from_secs(seconds.max(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schedule: &str, zone: &str, after: &str, expected: &str) {
        let zone = TimeZone::get(zone).unwrap();
        let after = Time::parse_rfc3339(after).unwrap();
        let next = Schedule::parse(schedule).unwrap().next(after, &zone);
        assert_eq!(next.map(|at| at.rfc3339()).unwrap_or_default(), expected, "{schedule}");
    }

    #[test]
    fn the_next_instant_is_after_the_present_one() {
        check("*/15 * * * *", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:15:00Z");
        check("0 0 * * *", "UTC", "2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z");
        check("30 9 * * mon-fri", "UTC", "2026-01-02T10:00:00Z", "2026-01-05T09:30:00Z");
        check("0 0 13 * 5", "UTC", "2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z");
        check("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z");
        check("0 0 31 2 *", "UTC", "2026-01-01T00:00:00Z", "");
        check("@hourly", "UTC", "2026-01-01T00:59:59Z", "2026-01-01T01:00:00Z");
        check("@every 1m30s", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z");
        check("10-20/5,40 3 * * *", "UTC", "2026-01-01T03:15:30Z", "2026-01-01T03:20:00Z");
    }

    #[test]
    fn a_zone_moves_the_hour_and_its_changes_are_lived_through() {
        check("0 9 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01T08:00:00Z");
        check("0 9 * * *", "Europe/Berlin", "2026-07-01T00:00:00Z", "2026-07-01T07:00:00Z");
        check("30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-30T00:30:00Z");
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        let error = |text: &str| Schedule::parse(text).unwrap_err();
        assert_eq!(error("* * *"), "expected exactly 5 fields, found 3: [* * *]");
        assert_eq!(error("60 * * * *"), "end of range (60) above maximum (59): 60");
        assert_eq!(error("x * * * *"), "failed to parse int from x");
        assert_eq!(error("*/0 * * * *"), "step of range should be a positive number: */0");
        assert_eq!(error("@never"), "unrecognized descriptor: @never");
    }
}
