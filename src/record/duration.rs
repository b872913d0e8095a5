//! A duration in words, with as many digits as tell something: three under a minute, whole seconds
//! above. Tables whose rows are compared have a unit of their own, which is `report`'s affair.

/// One duration on its own.
#[must_use]
pub fn in_words(us: u64) -> String {
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

/// `us / unit` with `digits` after the point, rounded half up in whole numbers so that every
/// machine shows the same.
#[must_use]
pub fn fixed(us: u64, unit: u64, digits: usize) -> String {
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
        assert_eq!(in_words(us), expected);
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
}
