//! Names as keys of maps that many things are looked up in.
//!
//! A map of a thousand names compares ten of them to find one, and each is a text somewhere else
//! in memory. A [`Word`] has its first letters with it, and those mostly decide.
//!
//! Not here: keys of JSON maps (`value`), which are few to a map and mostly known beforehand.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// The order of two texts, as [`str`] has it. Their first letters, which mostly decide, are compared
/// without a call.
#[inline]
#[must_use]
pub fn order(a: &str, b: &str) -> Ordering {
    const FIRST: usize = 8;
    match first(a).cmp(&first(b)) {
        Ordering::Equal if a.len() <= FIRST && b.len() <= FIRST => a.len().cmp(&b.len()),
        Ordering::Equal => a.cmp(b),
        decided => decided,
    }
}

/// The first eight letters as a number; zeros after the end.
#[inline]
fn first(text: &str) -> u64 {
    match text.as_bytes().first_chunk() {
        Some(eight) => u64::from_be_bytes(*eight),
        None => {
            let letters = text.bytes().fold(0, |letters, letter| letters << 8 | u64::from(letter));
            letters.unbounded_shl(8 * (8 - text.len() as u32))
        }
    }
}

/// The number of something with one part more.
#[must_use]
pub const fn mix(print: u64, next: u64) -> u64 {
    // The multiplier is the golden ratio's, as in Fibonacci hashing.
    (print.rotate_left(5) ^ next).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A number that equal texts share, and others mostly do not.
#[must_use]
pub const fn print(text: &str) -> u64 {
    let mut hash = text.len() as u64;
    let mut left = text.as_bytes();
    while let Some((chunk, rest)) = left.split_first_chunk() {
        hash = mix(hash, u64::from_le_bytes(*chunk));
        left = rest;
    }
    if left.is_empty() {
        return hash;
    }
    let mut word = 0;
    while let [byte, rest @ ..] = left {
        word = word << 8 | *byte as u64;
        left = rest;
    }
    mix(hash, word)
}

/// How many letters are held in place.
const HEAD: usize = 32;

/// The first letters of a text as numbers, which are in order as the letters are; zeros after the
/// end.
pub type Head = [u64; HEAD / 8];

/// The first letters of a text.
#[must_use]
pub fn head(text: &str) -> Head {
    let mut letters = [0; HEAD];
    let within = text.len().min(HEAD);
    letters[..within].copy_from_slice(&text.as_bytes()[..within]);
    let mut head = [0; HEAD / 8];
    for (number, eight) in head.iter_mut().zip(letters.as_chunks().0) {
        *number = u64::from_be_bytes(*eight);
    }
    head
}

/// A text. Ordered as texts are.
#[derive(Clone, PartialEq, Eq)]
pub struct Word {
    head: Head,
    length: usize,
    /// All letters, where there are more.
    text: Option<Arc<str>>,
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        let text_of_long = (text.len() > HEAD).then(|| text.into());
        Self { head: head(text), length: text.len(), text: text_of_long }
    }
}

impl Ord for Word {
    fn cmp(&self, other: &Self) -> Ordering {
        // A text that ends is followed by zeros here: where those decide nothing, its length does.
        self.head.cmp(&other.head).then_with(|| match (&self.text, &other.text) {
            (Some(own), Some(other)) => own.cmp(other),
            _ => self.length.cmp(&other.length),
        })
    }
}

impl PartialOrd for Word {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: Vec<u8> = self.head.iter().flat_map(|number| number.to_be_bytes()).collect();
        let short = || String::from_utf8_lossy(&letters[..self.length.min(HEAD)]).into_owned();
        write!(f, "{:?}", self.text.as_ref().map_or_else(short, ToString::to_string))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_ordered_as_their_texts() {
        let long = "n".repeat(HEAD);
        let texts = [
            String::new(),
            "\0".to_owned(),
            "a".to_owned(),
            "a\0".to_owned(),
            "a\0b".to_owned(),
            "ab".to_owned(),
            "abcdefgh".to_owned(),
            "abcdefghi".to_owned(),
            "abcdefgi".to_owned(),
            "ü".to_owned(),
            long.clone(),
            format!("{long}\0"),
            format!("{long}a"),
            format!("{long}b"),
            "n".repeat(HEAD - 1),
        ];
        for a in &texts {
            for b in &texts {
                let (one, other) = (Word::from(a.as_str()), Word::from(b.as_str()));
                assert_eq!(one.cmp(&other), a.cmp(b), "{a:?} {b:?}");
                assert_eq!(one == other, a == b);
                assert_eq!(order(a, b), a.cmp(b), "{a:?} {b:?}");
            }
            assert_eq!(format!("{:?}", Word::from(a.as_str())), format!("{a:?}"));
        }
    }
}
