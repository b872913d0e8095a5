//! The formats of texts that a server knows (R-CRD-16). Others are ignored.

pub(in crate::sim::crd) use crate::object::go::duration as go_duration;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use base64::Engine;
use regex::Regex;

use super::result::{Outcome, What};
use crate::base::Time;

/// A format with its test.
type Format = (&'static str, fn(&str) -> bool);

/// By name without dashes.
const FORMATS: &[Format] = &[
    ("bsonobjectid", |text| text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit())),
    ("uri", is_uri),
    ("email", is_email),
    ("hostname", is_hostname),
    ("ipv4", is_ipv4),
    ("ipv6", |text| text.parse::<Ipv6Addr>().is_ok()),
    ("cidr", is_cidr),
    ("mac", is_mac),
    ("uuid", |text| is_uuid(text, None)),
    ("uuid3", |text| is_uuid(text, Some('3'))),
    ("uuid4", |text| is_uuid(text, Some('4'))),
    ("uuid5", |text| is_uuid(text, Some('5'))),
    ("isbn", |text| is_isbn10(text) || is_isbn13(text)),
    ("isbn10", is_isbn10),
    ("isbn13", is_isbn13),
    ("creditcard", is_credit_card),
    ("ssn", |text| PATTERNS.ssn.is_match(text)),
    ("hexcolor", |text| PATTERNS.hex_color.is_match(text)),
    ("rgbcolor", |text| PATTERNS.rgb_color.is_match(text)),
    ("byte", is_base64),
    ("password", |_| true),
    ("date", is_date),
    ("duration", is_duration),
    ("datetime", is_date_time),
    ("k8sshortname", is_short_name),
    ("k8slongname", is_long_name),
];

struct Patterns {
    hostname: Regex,
    ssn: Regex,
    hex_color: Regex,
    rgb_color: Regex,
    credit_card: Regex,
    time: Regex,
    duration: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the patterns are constants")]
    let regex = |text: &str| Regex::new(text).expect("a constant pattern is well-formed");
    let part = r"(\s*([01]?[0-9]?[0-9]|2[0-4][0-9]|25[0-5])\s*)";
    Patterns {
        hostname: regex(
            r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$",
        ),
        ssn: regex(r"^[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}$"),
        hex_color: regex("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"),
        rgb_color: regex(&format!(r"^rgb\({part},{part},{part}\)$")),
        credit_card: regex(
            "^(?:4[0-9]{12}(?:[0-9]{3})?|(5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11}|6[27][0-9]{14})$",
        ),
        time: regex(r"^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$"),
        duration: regex(r"([0-9]+)\s*([A-Za-zµ]+)"),
    }
});

fn normal(format: &str) -> String {
    format.replace('-', "")
}

/// Whether a server looks at a format of texts.
pub(in crate::sim::crd) fn is_known(format: &str) -> bool {
    let format = normal(format);
    FORMATS.iter().any(|(name, _)| *name == format)
}

/// The format that counts for a type: empty where it is not known for it.
pub(in crate::sim::crd) fn effective<'f>(format: &'f str, types: &[&str]) -> &'f str {
    let counts = match types {
        [] | ["string"] => is_known(format),
        ["integer"] => matches!(format, "int32" | "int64"),
        ["number"] => matches!(format, "float" | "double"),
        // Of several types none is the one.
        [_, _, ..] => is_known(format),
        _ => false,
    };
    if counts { format } else { "" }
}

pub(super) fn check(format: &str, path: &str, content: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let name = normal(format);
    let test = FORMATS.iter().find(|(known, _)| *known == name);
    if test.is_some_and(|(_, fits)| !fits(content)) {
        let text = format!("{path} in body must be of type {format}: {content:?}");
        outcome.find(path, What::Type(content.to_owned()), text);
    }
    outcome
}

/// With zeros in front, too, as Go took them once.
fn is_ipv4(text: &str) -> bool {
    let trimmed: Vec<&str> = text
        .split('.')
        .map(|part| match part.trim_start_matches('0') {
            "" if !part.is_empty() => "0",
            rest => rest,
        })
        .collect();
    trimmed.join(".").parse::<Ipv4Addr>().is_ok()
}

fn is_uri(text: &str) -> bool {
    let fine = !text.is_empty() && !text.bytes().any(|b| b.is_ascii_control() || b == b' ');
    let escapes = text.match_indices('%').all(|(at, _)| {
        text.get(at + 1..at + 3).is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    let scheme = text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
            && (rest.starts_with('/') || !rest.is_empty())
    });
    fine && escapes && (text.starts_with('/') || scheme)
}

fn is_email(text: &str) -> bool {
    let address = match text.trim().strip_suffix('>') {
        Some(rest) => rest.rsplit_once('<').map_or("", |(_, address)| address),
        None => text.trim(),
    };
    let is_atom = |text: &str| {
        !text.is_empty()
            && !text.starts_with('.')
            && !text.ends_with('.')
            && !text.contains("..")
            && text.chars().all(|c| !c.is_whitespace() && !"()<>[]:;@\\,\"".contains(c))
    };
    address.rsplit_once('@').is_some_and(|(local, domain)| is_atom(local) && is_atom(domain))
}

fn is_hostname(text: &str) -> bool {
    text.len() <= 255
        && PATTERNS.hostname.is_match(text)
        && text.split('.').all(|part| part.len() <= 63)
}

fn is_cidr(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, bits)| {
        let plain = !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit());
        let most = match address.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        plain && bits.parse::<u32>().is_ok_and(|bits| bits <= most)
    })
}

fn is_mac(text: &str) -> bool {
    let separated = |separator: char, digits: usize| {
        let parts: Vec<&str> = text.split(separator).collect();
        let count = if digits == 2 { [6, 8, 20] } else { [3, 4, 10] };
        count.contains(&parts.len())
            && parts.iter().all(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    separated(':', 2) || separated('-', 2) || separated('.', 4)
}

fn is_uuid(text: &str, version: Option<char>) -> bool {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let dashes_are_right = {
        // Each of the four dashes may be left out.
        let mut rest = text;
        [8, 4, 4, 4, 12].iter().enumerate().all(|(i, count)| {
            if i > 0 {
                rest = rest.strip_prefix('-').unwrap_or(rest);
            }
            let part = rest.get(..*count);
            rest = rest.get(*count..).unwrap_or_default();
            part.is_some_and(|part| part.bytes().all(|b| b.is_ascii_hexdigit()))
        }) && rest.is_empty()
    };
    let variant = digits.chars().nth(16).is_some_and(|c| "89abAB".contains(c));
    let right_version = version.is_none_or(|v| digits.chars().nth(12) == Some(v));
    let needs_variant = matches!(version, Some('4' | '5'));
    dashes_are_right && right_version && (variant || !needs_variant)
}

fn isbn_digits(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '-' | ' ' | '\t' | '\n')).collect()
}

fn is_isbn10(text: &str) -> bool {
    let digits = isbn_digits(text);
    let last_may_be_x = |(at, c): (usize, char)| match c {
        'X' if at == 9 => Some(10),
        c => c.to_digit(10),
    };
    let values: Option<Vec<u32>> = digits.chars().enumerate().map(last_may_be_x).collect();
    values.is_some_and(|values| {
        let sum: u32 = values.iter().zip(1..).map(|(value, weight)| value * weight).sum();
        values.len() == 10 && sum.is_multiple_of(11)
    })
}

fn is_isbn13(text: &str) -> bool {
    let digits = isbn_digits(text);
    let values: Option<Vec<u32>> = digits.chars().map(|c| c.to_digit(10)).collect();
    values.is_some_and(|values| {
        let weighed = values.iter().enumerate().map(|(at, v)| v * if at % 2 == 0 { 1 } else { 3 });
        values.len() == 13 && weighed.sum::<u32>().is_multiple_of(10)
    })
}

fn is_credit_card(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let doubled = digits.chars().rev().filter_map(|c| c.to_digit(10)).enumerate().map(|(at, v)| {
        let twice = if at % 2 == 1 { v * 2 } else { v };
        twice / 10 + twice % 10
    });
    PATTERNS.credit_card.is_match(&digits) && doubled.sum::<u32>().is_multiple_of(10)
}

fn is_base64(text: &str) -> bool {
    let standard = base64::engine::general_purpose::STANDARD;
    !text.is_empty() && standard.decode(text).is_ok()
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && Time::parse_rfc3339(&format!("{text}T00:00:00Z")).is_some()
}

fn is_date_time(text: &str) -> bool {
    let text = text.to_lowercase();
    let mut parts = text.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    let found = PATTERNS.time.captures(time);
    is_date(date)
        && found.is_some_and(|found| &found[1] <= "23" && &found[2] <= "59" && &found[3] <= "59")
}

/// As Go reads durations, or as Scala does: `90s`, `1h30m`, `2 days`.
fn is_duration(text: &str) -> bool {
    const UNITS: [&[&str]; 8] = [
        &["ns", "nano"],
        &["us", "µs", "micro"],
        &["ms", "milli"],
        &["s", "sec"],
        &["m", "min"],
        &["h", "hr", "hour"],
        &["d", "day"],
        &["w", "wk", "week"],
    ];
    let is_unit = |unit: &str| {
        let unit = unit.to_lowercase();
        UNITS.iter().any(|names| {
            names.contains(&unit.as_str())
                || names.last().is_some_and(|last| unit.starts_with(last))
        })
    };
    go_duration(text).is_some()
        || PATTERNS.duration.captures_iter(text).any(|found| is_unit(&found[2]))
}

fn is_short_name(text: &str) -> bool {
    text.len() <= 63 && is_label(text)
}

fn is_long_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_take_what_upstream_takes() {
        for (format, text, expect) in [
            ("date-time", "2026-01-02T03:04:05Z", true),
            ("date-time", "2026-01-02t03:04:05.123+01:00", true),
            ("date-time", "2026-01-02", false),
            ("date", "2026-02-30", false),
            ("duration", "1h30m", true),
            ("duration", "2 days", true),
            ("duration", "often", false),
            ("ipv4", "10.0.0.1", true),
            ("ipv6", "10.0.0.1", false),
            ("cidr", "10.0.0.0/8", true),
            ("cidr", "10.0.0.0/33", false),
            ("uri", "https://example.com/a?b=c", true),
            ("uri", "example", false),
            ("email", "a@example.com", true),
            ("email", "a@", false),
            ("hostname", "example.com", true),
            ("hostname", "-x", false),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", true),
            ("uuid4", "123e4567-e89b-12d3-a456-426614174000", false),
            ("mac", "00:00:5e:00:53:01", true),
            ("isbn10", "0321751043", true),
            ("isbn13", "978-0321751041", true),
            ("byte", "YQ==", true),
            ("byte", "Y", false),
            ("hexcolor", "#fff", true),
            ("rgbcolor", "rgb(1,2,3)", true),
            ("k8s-short-name", "a-b", true),
            ("k8s-short-name", "a.b", false),
            ("k8s-long-name", "a.b", true),
        ] {
            assert_eq!(check(format, "", text).is_fine(), expect, "{format} {text}");
        }
    }
}
