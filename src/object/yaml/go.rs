//! Values as YAML in the very bytes that the Go tools print (`kustomize build`, `helm get`,
//! `kubectl -o yaml` pass their JSON through one library): keys in its natural order, lists not
//! moved in, text in quotes or as a block where it chooses so.
//!
//! Not here: YAML for people to read, which is `write`.

use std::cmp::Ordering;

use super::resolve;
use crate::object::{Map, Object, Value};

/// A value as a YAML document in block style, with a newline at its end.
#[must_use]
pub fn go_string(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block_map(&mut out, map, 0, true),
        Value::Array(items) if !items.is_empty() => block_list(&mut out, items, 0, true),
        other => {
            scalar(&mut out, other, 0);
            out.push('\n');
        }
    }
    out
}

/// An object as [`go_string`] writes a value.
#[must_use]
pub fn go_string_of(object: &Object) -> String {
    let mut out = String::new();
    block_map(&mut out, &object.0, 0, true);
    out
}

fn margin(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Writes a map; `inline`: its first key stands where the text ends already.
fn block_map(out: &mut String, map: &Map, indent: usize, inline: bool) {
    let mut entries: Vec<(&str, &Value)> =
        map.iter().map(|(key, value)| (key.as_str(), value)).collect();
    entries.sort_by(|a, b| key_order(a.0, b.0));
    for (at, (key, value)) in entries.into_iter().enumerate() {
        if at > 0 || !inline {
            margin(out, indent);
        }
        if is_simple_key(key) {
            text(out, key, Place::Key);
            out.push(':');
        } else {
            out.push_str("? ");
            text(out, key, Place::Value { indent: indent + 2 });
            end_line(out);
            margin(out, indent);
            out.push(':');
        }
        value_after(out, value, indent);
    }
}

/// Writes the value of a key, from behind its colon to the end of the line.
fn value_after(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            block_map(out, map, indent + 2, false);
        }
        // A list stands as far out as the key that holds it.
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            block_list(out, items, indent, false);
        }
        other => {
            out.push(' ');
            scalar(out, other, indent + 2);
            end_line(out);
        }
    }
}

fn block_list(out: &mut String, items: &[Value], indent: usize, inline: bool) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 || !inline {
            margin(out, indent);
        }
        out.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => block_map(out, map, indent + 2, true),
            Value::Array(items) if !items.is_empty() => block_list(out, items, indent + 2, true),
            other => {
                scalar(out, other, indent + 2);
                end_line(out);
            }
        }
    }
}

/// A block of text that keeps its last newline has ended its line already.
fn end_line(out: &mut String) {
    if !out.ends_with('\n') {
        out.push('\n');
    }
}

fn scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => out.push_str(&go_float(float)),
            _ => out.push_str(&number.to_string()),
        },
        Value::String(string) => text(out, string, Place::Value { indent }),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

/// As Go's `strconv.FormatFloat(f, 'g', -1, 64)`.
pub(crate) fn go_float(float: f64) -> String {
    const EXPONENT_FROM: i32 = 6;
    let shortest = format!("{float:e}");
    let Some((digits, exponent)) = shortest.split_once('e') else { return shortest };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..EXPONENT_FROM).contains(&exponent) {
        return format!("{float}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Where a text is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Key,
    /// Lines of a block are moved in so far.
    Value {
        indent: usize,
    },
}

/// What can be done with a text.
#[derive(Default)]
struct Analysis {
    plain: bool,
    single: bool,
    block: bool,
    is_multiline: bool,
}

fn text(out: &mut String, text: &str, place: Place) {
    let can = analysis(text);
    match place {
        Place::Value { indent } if text.contains('\n') && can.block => literal(out, text, indent),
        _ if text.contains('\n') || !reads_as_text(text) => double_quoted(out, text, place),
        // A key that is empty would not be seen.
        Place::Key if text.is_empty() => out.push_str("\"\""),
        _ if can.plain && !can.is_multiline => fold(out, text, place, Style::Plain),
        _ if can.single => fold(out, text, place, Style::Single),
        _ => double_quoted(out, text, place),
    }
}

/// Columns after which a line is broken at the next space.
const WIDTH: usize = 80;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
}

/// The column that the text ends at.
fn column(out: &str) -> usize {
    out.rsplit('\n').next().unwrap_or_default().chars().count()
}

/// Writes text bare or in quotes, broken where a line grows long.
fn fold(out: &mut String, text: &str, place: Place, style: Style) {
    let quote = match style {
        Style::Plain => "",
        Style::Single => "'",
        Style::Double => "\"",
    };
    out.push_str(quote);
    // A line is broken at spaces only, and where it is long.
    let is_short = || !text.contains(' ') || column(out) + text.len() <= WIDTH;
    if style == Style::Plain && (place == Place::Key || is_short()) {
        out.push_str(text);
        return;
    }
    let mut column = column(out);
    let mut after_space = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        let within = style == Style::Plain || (at > 0 && at + 1 < text.len());
        let splits = style == Style::Double || next != Some(' ');
        if let Place::Value { indent } = place
            && c == ' '
            && !after_space
            && column > WIDTH
            && within
            && splits
        {
            out.push('\n');
            margin(out, indent);
            column = indent;
            if style == Style::Double && next == Some(' ') {
                out.push('\\');
                column += 1;
            }
            after_space = true;
            continue;
        }
        after_space = c == ' ';
        let before = out.len();
        match style {
            Style::Single if c == '\'' => out.push_str("''"),
            Style::Double => escaped(out, c),
            _ => out.push(c),
        }
        column += out[before..].chars().count();
    }
    out.push_str(quote);
}

/// Whether bare text would be read back as text.
fn reads_as_text(text: &str) -> bool {
    resolve::is_go_text(text) && !is_base_60(text)
}

/// `190:20:30`, which YAML 1.1 takes for a number.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit()) || !unsigned.contains(':') {
        return false;
    }
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let mut parts = whole.split(':');
    let first = parts.next().is_some_and(digits);
    let sixty = |part: &str| match part.as_bytes() {
        [one] => one.is_ascii_digit(),
        [ten, one] => (b'0'..=b'5').contains(ten) && one.is_ascii_digit(),
        _ => false,
    };
    first && digits(fraction) && parts.all(sixty)
}

fn analysis(text: &str) -> Analysis {
    if text.is_empty() {
        return Analysis { plain: true, single: true, block: false, is_multiline: false };
    }
    let mut indicators = text.starts_with("---") || text.starts_with("...");
    let (mut special, mut breaks) = (false, false);
    let (mut break_space, mut space_break) = (false, false);
    let mut before: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let spaced = next.is_none_or(is_blank);
        indicators |= match (c, before) {
            (
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
                | '@' | '`',
                None,
            ) => true,
            ('?' | '-', None) | (':', _) => spaced,
            ('#', Some(before)) => is_blank(before) || is_break(before),
            _ => false,
        };
        special |= !is_printable(c);
        breaks |= is_break(c);
        break_space |= c == ' ' && before.is_some_and(is_break);
        space_break |= is_break(c) && before == Some(' ');
        before = Some(c);
    }
    let edge = |c: Option<char>| c.is_some_and(|c| c == ' ' || is_break(c));
    let edges = edge(text.chars().next()) || edge(before);
    let broken = space_break || special;
    Analysis {
        plain: !(edges || break_space || broken || breaks || indicators),
        single: !(break_space || broken),
        block: before != Some(' ') && !broken,
        is_multiline: breaks,
    }
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

const fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The library takes every character past the basic plane for one that cannot be printed.
const fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
}

fn literal(out: &mut String, text: &str, indent: usize) {
    out.push('|');
    if text.starts_with(|c| c == ' ' || is_break(c)) {
        out.push('2');
    }
    let mut back = text.chars().rev();
    match (back.next(), back.next()) {
        (Some(last), _) if !is_break(last) => out.push('-'),
        (Some(_), None) => out.push('+'),
        (Some(_), Some(before)) if is_break(before) => out.push('+'),
        _ => {}
    }
    out.push('\n');
    let mut starts_line = true;
    for c in text.chars() {
        if is_break(c) {
            out.push(c);
            starts_line = true;
            continue;
        }
        if starts_line {
            margin(out, indent);
            starts_line = false;
        }
        out.push(c);
    }
}

fn double_quoted(out: &mut String, text: &str, place: Place) {
    fold(out, text, place, Style::Double);
}

/// A character within double quotes.
fn escaped(out: &mut String, c: char) {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c if is_printable(c) => return out.push(c),
        c => {
            let code = u32::from(c);
            return out.push_str(&match code {
                ..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            });
        }
    };
    out.push('\\');
    out.push(short);
}

/// Longer keys, and those of several lines, are written behind a question mark.
fn is_simple_key(key: &str) -> bool {
    const LONGEST: usize = 128;
    key.len() <= LONGEST && !key.chars().any(is_break)
}

/// The order of keys: letters behind all else, digits by the number that they make.
fn key_order(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(x, y)| x != y) else {
        return a.len().cmp(&b.len());
    };
    match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
        (true, true) => return a[at].cmp(&b[at]),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // Zeros behind a digit that counts are part of its number.
    let before = a[..at].iter().rev().take_while(|c| c.is_numeric());
    let within = (a[at] == '0' || b[at] == '0') && before.into_iter().any(|c| *c != '0');
    let number = |chars: &[char]| {
        let digits = chars[at..].iter().take_while(|c| c.is_numeric());
        digits.fold((i64::from(within), at), |(number, end), c| {
            let digit = i64::from(u32::from(*c)) - i64::from(u32::from('0'));
            (number.wrapping_mul(10).wrapping_add(digit), end + 1)
        })
    };
    number(&a).cmp(&number(&b)).then(a[at].cmp(&b[at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[track_caller]
    fn check(value: &Value, expected: &str) {
        assert_eq!(go_string(value), expected);
    }

    #[test]
    fn text_is_quoted_as_the_go_library_does() {
        for (text, expected) in [
            ("a", "a"),
            ("", "\"\""),
            ("1.0", "\"1.0\""),
            ("yes", "\"yes\""),
            ("1:20", "\"1:20\""),
            ("2001-12-14T00:00:00Z", "\"2001-12-14T00:00:00Z\""),
            ("- a", "'- a'"),
            ("it's: b", "'it''s: b'"),
            (" a", "' a'"),
            ("a\tb", "\"a\\tb\""),
            ("\u{1f600}", "\"\\U0001F600\""),
            ("a\nb", "|-\n  a\n  b"),
            ("a\nb\n", "|\n  a\n  b"),
            ("a\n\n", "|+\n  a\n"),
            (" a\nb", "|2-\n   a\n  b"),
            ("a \nb", "\"a \\nb\""),
            ("*", "'*'"),
            ("=", "="),
            ("<<", "<<"),
            (".inf", "\".inf\""),
        ] {
            check(&json!({"k": text}), &format!("k: {expected}\n"));
        }
    }

    #[test]
    fn keys_are_in_natural_order() {
        check(
            &json!({"a10": 1, "a2": 1, "B": 1, "b": 1, "a/x": 1, "a-x": 1, "1": 1}),
            "\"1\": 1\nB: 1\na-x: 1\na/x: 1\na2: 1\na10: 1\nb: 1\n",
        );
    }

    #[test]
    fn numbers_are_printed_as_go_prints_them() {
        for (number, expected) in [
            (json!(1), "1"),
            (json!(0.1), "0.1"),
            (json!(1_234_567.5), "1.2345675e+06"),
            (json!(1e21), "1e+21"),
            (json!(1e-7), "1e-07"),
            (json!(0.0001), "0.0001"),
        ] {
            check(&json!({"k": number}), &format!("k: {expected}\n"));
        }
    }

    #[test]
    fn lists_stand_as_far_out_as_their_key() {
        check(
            &json!({"a": [{"b": [1, []], "c": {}}, [[2], 3], null]}),
            "a:\n- b:\n  - 1\n  - []\n  c: {}\n- - - 2\n  - 3\n- null\n",
        );
    }
}
