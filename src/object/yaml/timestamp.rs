//! YAML 1.1 timestamps, which kustomize rewrites as RFC 3339 and kubectl leaves alone.

use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The RFC 3339 form of a plain scalar in one of the forms that Go's YAML library takes for an
/// instant: `2001-12-14`, `2001-12-14 21:59:43.1`, `2001-12-14T21:59:43.1+02:00`. `None` for
/// anything else.
pub(super) fn canonical(text: &str) -> Option<String> {
    let year_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if year_digits != 4 || text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some((text.as_bytes()[at], &text[at + 1..]))),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '-');
    let year: i16 = parts.next()?.parse().ok()?;
    let month: i8 = one_or_two(parts.next()?)?;
    let day: i8 = one_or_two(parts.next()?)?;
    let (clock, zone) = match rest {
        None => ("0:0:0", "Z"),
        // The form with a space carries no zone.
        Some((b' ', clock)) => (clock, "Z"),
        Some((_, rest)) => rest.split_at(rest.find(['Z', '+', '-'])?),
    };
    let (time, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = time.splitn(3, ':');
    let hour = one_or_two(parts.next()?)?;
    let minute = one_or_two(parts.next()?)?;
    let second = one_or_two(parts.next()?)?;
    let nanosecond = nanoseconds(fraction)?;
    DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()?;
    let zone = zone_of(zone)?;
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{point}{fraction}{zone}"
    ))
}

fn one_or_two(digits: &str) -> Option<i8> {
    let fits = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { digits.parse().ok() } else { None }
}

fn nanoseconds(fraction: &str) -> Option<i32> {
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9}").parse().ok()
}

fn zone_of(zone: &str) -> Option<String> {
    if zone == "Z" {
        return Some(zone.to_owned());
    }
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) =
        (hours.len() == 2).then(|| one_or_two(hours)).flatten().zip(one_or_two(minutes))?;
    Offset::from_hours(hours).ok()?;
    let zero = hours == 0 && minutes == 0;
    Some(if zero { "Z".to_owned() } else { format!("{}{hours:02}:{minutes:02}", &zone[..1]) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_rfc_3339() {
        for (text, expected) in [
            ("2001-12-14", Some("2001-12-14T00:00:00Z")),
            ("2001-1-4", Some("2001-01-04T00:00:00Z")),
            ("2001-12-14T21:59:43.10Z", Some("2001-12-14T21:59:43.1Z")),
            ("2001-12-14t21:59:43+02:00", Some("2001-12-14T21:59:43+02:00")),
            ("2001-12-14 21:59:43.10", Some("2001-12-14T21:59:43.1Z")),
            ("2001-12-14 21:59:43.10 -5", None),
            ("2001-13-14", None),
            ("2001-12", None),
            ("20011214", None),
            ("2001-12-14T", None),
        ] {
            assert_eq!(canonical(text).as_deref(), expected, "{text}");
        }
    }
}
