//! The order of keys in Go's YAML: letters behind all else, digits by the number that they make.

use std::cmp::Ordering;

/// How two keys of a map stand to each other.
pub(super) fn of_keys(a: &str, b: &str) -> Ordering {
    let Some(mut at) = a.bytes().zip(b.bytes()).position(|(x, y)| x != y) else {
        return a.len().cmp(&b.len());
    };
    while !a.is_char_boundary(at) {
        at -= 1;
    }
    let (same, a, b) = (&a[..at], &a[at..], &b[at..]);
    let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else {
        return a.len().cmp(&b.len());
    };
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // Zeros behind a digit that counts are part of its number.
    let mut before = same.chars().rev().take_while(|c| c.is_numeric());
    let within = (x == '0' || y == '0') && before.any(|c| c != '0');
    number(a, within).cmp(&number(b, within)).then(x.cmp(&y))
}

/// The number that a text starts with, and how many digits it has.
fn number(text: &str, within: bool) -> (i64, usize) {
    let digits = text.chars().take_while(|c| c.is_numeric());
    digits.fold((i64::from(within), 0), |(number, length), c| {
        let digit = i64::from(u32::from(c)) - i64::from(u32::from('0'));
        (number.wrapping_mul(10).wrapping_add(digit), length + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_and_letters_come_last() {
        let sorted =
            ["1", "1a", "01", "B", "a-x", "a/x", "a2", "a10", "a10b", "b", "\u{e9}", "\u{ea}"];
        for (at, a) in sorted.iter().enumerate() {
            for b in &sorted[at + 1..] {
                assert_eq!(of_keys(a, b), Ordering::Less, "{a} {b}");
                assert_eq!(of_keys(b, a), Ordering::Greater, "{b} {a}");
            }
            assert_eq!(of_keys(a, a), Ordering::Equal);
        }
    }
}
