//! Uids as keys of maps that are only looked things up in.

use std::sync::Arc;

/// A uid. What the server gives is kept as the number that it is, so that to compare two no text
/// has to be fetched. Numbers are in the order of their texts, and before all other texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Uid {
    /// What stands in a UUID.
    Number(u128),
    /// Any other text.
    Text(Arc<str>),
}

impl From<&str> for Uid {
    fn from(text: &str) -> Self {
        number(text.as_bytes()).map_or_else(|| Self::Text(text.into()), Self::Number)
    }
}

/// The number that a UUID in its usual form stands for; `None` for any other text.
fn number(text: &[u8]) -> Option<u128> {
    if text.len() != 36 {
        return None;
    }
    text.iter().enumerate().try_fold(0, |number: u128, (at, byte)| match (at, byte) {
        (8 | 13 | 18 | 23, b'-') => Some(number),
        (8 | 13 | 18 | 23, _) => None,
        (_, b'0'..=b'9') => Some(number << 4 | u128::from(byte - b'0')),
        (_, b'a'..=b'f') => Some(number << 4 | u128::from(byte - b'a' + 10)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_texts_are_the_same_uid_only_if_they_are_the_same_text() {
        let uid = "00ff11aa-2222-4333-8444-555566667777";
        assert_eq!(Uid::from(uid), Uid::Number(0x00ff_11aa_2222_4333_8444_5555_6666_7777));
        let others = [uid.to_uppercase(), uid.replacen('-', "0", 1), uid[1..].to_owned()];
        for other in others.iter().map(String::as_str).chain(["u", ""]) {
            assert_eq!(Uid::from(other), Uid::Text(other.into()));
        }
    }
}
