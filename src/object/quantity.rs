//! Amounts such as `500m`, `1.5Gi` or `2e3`, in the spelling that the server prints (R-DEF-15).
//!
//! The spelling is canonical, except that some amounts that nearly are keep the text they were
//! written in: `1.500` and `010` do, `1000m` and `0.5` do not. That is upstream's behaviour.
//!
//! Not here: arithmetic on resources (`sim`).

use std::cmp::Ordering;
use std::fmt;

/// An amount. Two are equal if the amounts are, however they were written.
#[derive(Clone, Debug)]
pub struct Quantity {
    /// In billionths, which is the finest step that Kubernetes keeps.
    nanos: i128,
    family: Family,
    /// The text, where it is printed again as it was.
    written: Option<Box<str>>,
}

/// Why a text is no amount, in upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotQuantity {
    /// Not even the form of one.
    #[error(
        "quantities must match the regular expression \
         '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Form,
    /// An unknown unit.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// `Ki`, `Mi`, ...
    Binary,
    /// `m`, `k`, `M`, ...
    Decimal,
    /// `e3`, ...
    Exponent,
}

const NANO: i128 = 1_000_000_000;
/// Larger amounts in binary units are cut to this one, as upstream does.
const MAX: i128 = i64::MAX as i128 * NANO;
/// Digits that upstream reads without a big number.
const FEW_DIGITS: usize = 18;
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

/// A text taken apart: sign, digits before and after the point, unit.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

impl Quantity {
    /// Reads an amount.
    ///
    /// # Errors
    /// If the text is none.
    pub fn parse(text: &str) -> Result<Self, NotQuantity> {
        let text = text.trim();
        let parts = parts(text)?;
        let unit = unit(parts.suffix).ok_or(NotQuantity::Suffix)?;
        let nanos = nanos(parts.whole, parts.fraction, unit);
        Ok(Self {
            nanos: if parts.negative { -nanos } else { nanos },
            family: unit.family,
            written: keeps_text(&parts, unit).then(|| text.into()),
        })
    }

    /// The amount in thousandths, rounded up: a CPU's unit.
    #[must_use]
    pub fn millis(&self) -> i64 {
        i64::try_from(div_up(self.nanos, NANO / 1000)).unwrap_or(i64::MAX)
    }

    /// The amount in whole units, rounded up: a memory's unit.
    #[must_use]
    pub fn whole(&self) -> i64 {
        i64::try_from(div_up(self.nanos, NANO)).unwrap_or(i64::MAX)
    }

    /// The amount without anything finer than a thousandth, rounded up, which defaulting makes of
    /// the requests and limits of containers.
    #[must_use]
    pub fn in_millis(self) -> Self {
        let nanos = div_up(self.nanos, NANO / 1000).saturating_mul(NANO / 1000);
        if nanos == self.nanos { self } else { Self { nanos, written: None, ..self } }
    }

    /// A count of things.
    #[must_use]
    pub fn count(n: i64) -> Self {
        Self { nanos: i128::from(n) * NANO, family: Family::Decimal, written: None }
    }

    /// So many thousandths, in the spelling of this one.
    #[must_use]
    pub fn with_millis(&self, millis: i64) -> Self {
        Self { nanos: i128::from(millis) * (NANO / 1000), family: self.family, written: None }
    }

    /// The sum, in the family of the first that is not zero, as upstream adds.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let family = if self.nanos == 0 { other.family } else { self.family };
        Self { nanos: self.nanos.saturating_add(other.nanos), family, written: None }
    }

    /// The difference.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let family = if self.nanos == 0 { other.family } else { self.family };
        Self { nanos: self.nanos.saturating_sub(other.nanos), family, written: None }
    }

    /// Whether there is nothing of it.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.nanos == 0
    }

    /// The amount as a number, for ratios.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "ratios are compared as floats upstream too")]
    pub fn as_f64(&self) -> f64 {
        self.nanos as f64 / NANO as f64
    }
}

/// Away from zero, as upstream rounds.
fn div_up(n: i128, by: i128) -> i128 {
    let (whole, rest) = (n / by, n % by);
    if rest == 0 { whole } else { whole + n.signum() }
}

fn parts(text: &str) -> Result<Parts<'_>, NotQuantity> {
    if text.is_empty() {
        return Err(NotQuantity::Form);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = split(unsigned, |c| c.is_ascii_digit());
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => split(rest, |c| c.is_ascii_digit()),
        None => ("", rest),
    };
    let (_, exponent) = split(suffix, |c| "eEinumkKMGTP".contains(c));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if exponent.chars().any(|c| !c.is_ascii_digit()) {
        return Err(NotQuantity::Form);
    }
    Ok(Parts {
        negative: text.starts_with('-'),
        whole: whole.trim_start_matches('0'),
        fraction,
        suffix,
    })
}

fn split(text: &str, part: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !part(c)).unwrap_or(text.len()))
}

#[derive(Clone, Copy)]
struct Unit {
    family: Family,
    /// The power of 10, or of 1024.
    power: i32,
}

fn unit(suffix: &str) -> Option<Unit> {
    let at =
        |list: &[&str]| list.iter().position(|s| *s == suffix).and_then(|i| i32::try_from(i).ok());
    if let Some(at) = at(&DECIMAL) {
        return Some(Unit { family: Family::Decimal, power: (at - 3) * 3 });
    }
    if let Some(power) = at(&BINARY) {
        return Some(Unit { family: Family::Binary, power });
    }
    let power = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    Some(Unit { family: Family::Exponent, power })
}

/// Whether upstream keeps the text: the digits are few and are those of the canonical form.
fn keeps_text(parts: &Parts<'_>, unit: Unit) -> bool {
    let whole = if parts.whole.is_empty() { "0" } else { parts.whole };
    let digits = [whole, parts.fraction].concat();
    let Ok(value) = digits.parse::<i64>() else { return false };
    if unit.family == Family::Binary {
        // A factor of 1024 counts as three digits.
        let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
        let is_short = length.saturating_add(3 * unit.power) < 15;
        return parts.fraction.is_empty() && is_short && value & 7 != 0;
    }
    let scale = unit.power - i32::try_from(parts.fraction.len()).unwrap_or(i32::MAX);
    digits.len() <= FEW_DIGITS
        && scale >= -9
        && scale % 3 == 0
        && !digits.ends_with("000")
        && !digits.starts_with('0')
}

fn nanos(whole: &str, fraction: &str, unit: Unit) -> i128 {
    // Digits beyond these decide nothing but the last rounding.
    let digits: String = whole.chars().chain(fraction.chars()).take(36).collect();
    let mut value: i128 = digits.parse().unwrap_or(0);
    let read = i32::try_from(digits.len()).unwrap_or(0);
    let mut tens = i32::try_from(whole.len()).unwrap_or(i32::MAX).saturating_sub(read) + 9;
    if unit.family == Family::Binary {
        for _ in 0..unit.power {
            value = value.saturating_mul(1024);
        }
    } else {
        tens = tens.saturating_add(unit.power);
    }
    for _ in 0..tens.clamp(0, 60) {
        value = value.saturating_mul(10);
    }
    let down = 10_i128.pow(u32::try_from((-tens).clamp(0, 37)).unwrap_or(0));
    let most = if unit.family == Family::Binary { MAX } else { i128::MAX };
    div_up(value, down).min(most)
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

/// The spelling that the server prints: no fraction and the largest unit that divides the amount,
/// or the text as it was written.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.written {
            return f.write_str(text);
        }
        if self.nanos == 0 {
            return f.write_str("0");
        }
        // Small amounts and fractions are not printed with a binary unit: nothing is rounded away.
        let whole = self.nanos % NANO == 0;
        if self.family == Family::Binary && whole && self.nanos.abs() >= 1024 * NANO {
            let (value, power) = reduced(self.nanos / NANO, 1024, BINARY.len());
            return write!(f, "{value}{}", BINARY[power]);
        }
        let (value, power) = reduced(self.nanos, 1000, DECIMAL.len());
        match (self.family, i32::try_from(power).unwrap_or(0) * 3 - 9) {
            (Family::Exponent, 0) => write!(f, "{value}"),
            (Family::Exponent, exponent) => write!(f, "{value}e{exponent}"),
            _ => write!(f, "{value}{}", DECIMAL[power]),
        }
    }
}

/// A value without its factors of `base`, and how many there were, fewer than `units`.
fn reduced(mut value: i128, base: i128, units: usize) -> (i128, usize) {
    let mut power = 0;
    while value % base == 0 && power + 1 < units {
        value /= base;
        power += 1;
    }
    (value, power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_spelled_as_the_server_spells_them() {
        for (text, expect) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.3Ki", "307200m"),
            ("1.3Ki", "1331200m"),
            ("12E4", "120e3"),
            ("1e1", "10"),
            ("12345e-2", "123450e-3"),
            ("1000k", "1M"),
            ("+.5", "500m"),
            ("-1500m", "-1500m"),
            ("0.0000000001", "1n"),
            ("-", "0"),
            ("010", "010"),
            ("5.", "5."),
            ("1E0", "1E0"),
            ("123456789012345678901", "123456789012345678901"),
            ("10E", "10E"),
            ("9Ei", "9223372036854775807"),
            ("-9Ei", "-9223372036854775807"),
            ("7Ei", "7Ei"),
            ("03Mi", "03Mi"),
            ("03Ei", "3Ei"),
            ("012345678901Ki", "012345678901Ki"),
            ("0123456789012Ki", "123456789012Ki"),
        ] {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), expect, "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_says_why() {
        for bad in ["", "x", "1x", "1.2.3", "1e3k"] {
            assert_eq!(Quantity::parse(bad), Err(NotQuantity::Form), "{bad:?}");
        }
        for bad in ["1mi", "1e", "1K", "1Ei1"] {
            assert_eq!(Quantity::parse(bad), Err(NotQuantity::Suffix), "{bad:?}");
        }
    }

    #[test]
    fn amounts_compare_by_size() {
        let read = |text| Quantity::parse(text).unwrap();
        assert_eq!(read("1Gi"), read("1024Mi"));
        assert!(read("1G") < read("1Gi"));
        assert_eq!(
            (read("100m").millis(), read("1Ki").whole(), read("1n").millis()),
            (100, 1024, 1)
        );
        assert_eq!(read("1u").in_millis().to_string(), "1m");
    }
}
