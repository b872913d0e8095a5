//! Text as a scalar: where it can stand without quotes, and how it is quoted.

use super::resolve;
use crate::object::Value;

/// `text` on one line, quoted where it could be taken for something else, within braces too.
#[must_use]
pub fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// `text` in double quotes. JSON's escapes are YAML's, but YAML wants more of them.
pub(super) fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_printable(c) {
            out.push(c);
        } else {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        }
    }
    out
}

/// Whether text can stand without quotes, in YAML 1.1 and 1.2, in block and flow.
pub(super) fn is_plain(text: &str) -> bool {
    let indicators =
        ['-', '?', ':', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', '=', '<'];
    !text.is_empty()
        && text.trim() == text
        && !text.starts_with(indicators)
        && !text.ends_with(':')
        && !text.contains([',', '[', ']', '{', '}'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.starts_with("...")
        && text.chars().all(is_printable)
        && resolve::is_plain_text(text)
        && !is_word(text)
        && !is_number(text)
}

/// Whether a character stands for itself within a line, to every reader.
pub(super) fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}')
}

/// Words that some YAML readers take for a truth value, a number or null.
fn is_word(text: &str) -> bool {
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Text that some YAML readers take for a number, a time of day or a date.
fn is_number(text: &str) -> bool {
    let bare = text.replace('_', "");
    let based = ["0x", "0o", "0b"].iter().any(|base| bare.starts_with(base));
    let clock = bare.bytes().all(|b| b.is_ascii_digit() || b == b':' || b == b'.')
        && (bare.contains(':') || bare.matches('.').count() < 2);
    let date = bare.len() >= 8
        && bare.as_bytes()[..4].iter().all(u8::is_ascii_digit)
        && bare.as_bytes()[4] == b'-'
        && bare.as_bytes()[5].is_ascii_digit();
    based || clock || date || bare.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_where_a_reader_could_take_it_for_something_else() {
        for plain in ["v1.2", "1.27.3", "shop/cart:1.0", "a b", "é", "a-b", "it's", "x=1", "a#b"] {
            assert_eq!(scalar(plain), plain);
        }
        for text in [
            "",
            " a",
            "a ",
            "1.27",
            "12e5",
            "1234567",
            "0x1f",
            "2026-01-01",
            "12:30",
            "on",
            "NaN",
            "a: b",
            "a:",
            "a #b",
            "-x",
            "[a",
            "a, b",
            "two\nlines",
            "\u{2028}",
            "...",
            "<<",
        ] {
            assert_eq!(scalar(text), quoted(text));
        }
    }
}
