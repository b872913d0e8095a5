//! How Go's YAML writes a text: bare where it would be read back, as a block where it has several
//! lines, in quotes else.

use super::fold::{self, Style};
use super::margin;
use crate::object::yaml::resolve;

/// Where a text is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Key,
    /// Lines of a block are moved in so far.
    Value {
        indent: usize,
    },
}

/// Writes a text.
pub(super) fn write(out: &mut String, text: &str, place: Place) {
    let can = analysis(text);
    match place {
        Place::Value { indent } if can.has_newline && can.block => literal(out, text, indent),
        _ if can.has_newline || !reads_as_text(text) => {
            fold::write(out, text, place, Style::Double);
        }
        // A key that is empty would not be seen.
        Place::Key if text.is_empty() => out.push_str("\"\""),
        _ if can.plain => fold::write(out, text, place, Style::Plain),
        _ if can.single => fold::write(out, text, place, Style::Single),
        _ => fold::write(out, text, place, Style::Double),
    }
}

/// Longer keys, and those of several lines, are written behind a question mark.
pub(super) fn is_simple_key(key: &str) -> bool {
    const LONGEST: usize = 128;
    key.len() <= LONGEST && !key.contains(is_break)
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

/// What can be done with a text.
struct Analysis {
    plain: bool,
    single: bool,
    block: bool,
    has_newline: bool,
}

/// What was met in a text.
#[derive(Default)]
struct Met {
    /// What would be taken for YAML's own signs.
    indicators: bool,
    /// What cannot be printed.
    special: bool,
    breaks: bool,
    newline: bool,
    space_behind_break: bool,
    break_behind_space: bool,
}

fn analysis(text: &str) -> Analysis {
    let met = met(text);
    let at_edge = |c: Option<char>| c.is_some_and(|c| c == ' ' || is_break(c));
    let (first, last) = (text.chars().next(), text.chars().next_back());
    let broken = met.break_behind_space || met.special;
    let edges = at_edge(first) || at_edge(last);
    Analysis {
        plain: !(edges || met.space_behind_break || broken || met.breaks || met.indicators),
        single: !(met.space_behind_break || broken),
        block: !(text.is_empty() || last == Some(' ') || broken),
        has_newline: met.newline,
    }
}

/// Looks at each byte once: large texts are nearly all of bytes that say nothing.
fn met(text: &str) -> Met {
    let bytes = text.as_bytes();
    let mut met = Met {
        indicators: starts_with_indicator(text),
        newline: text.contains('\n'),
        ..Met::default()
    };
    // Where the last break, and the last space, ended.
    let (mut break_end, mut space_end) = (usize::MAX, usize::MAX);
    let mut at = 0;
    while let Some(skipped) = bytes[at..].iter().position(|byte| !says_nothing(*byte)) {
        at += skipped;
        let Some(c) = text[at..].chars().next() else { break };
        let next = || text[at + 1..].chars().next();
        match c {
            ' ' => met.space_behind_break |= at == break_end,
            ':' => met.indicators |= next().is_none_or(is_blank),
            '#' => met.indicators |= text[..at].ends_with(|c| is_blank(c) || is_break(c)),
            _ => met.special |= !is_printable(c),
        }
        if is_break(c) {
            met.breaks = true;
            met.break_behind_space |= at == space_end;
            break_end = at + c.len_utf8();
        }
        at += c.len_utf8();
        if c == ' ' {
            space_end = at;
        }
    }
    met
}

const fn says_nothing(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && !matches!(byte, b':' | b'#')
}

fn starts_with_indicator(text: &str) -> bool {
    let mut chars = text.chars();
    match chars.next() {
        Some('?' | '-') => chars.next().is_none_or(is_blank) || text.starts_with("---"),
        Some('.') => text.starts_with("..."),
        Some(first) => "#,[]{}&*!|>'\"%@`".contains(first),
        None => false,
    }
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

const fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The library takes every character past the basic plane for one that cannot be printed.
pub(super) const fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
}

/// Writes a block that keeps its lines.
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
    // Nearly no text has other breaks than newlines, which are found faster.
    if text.contains('\u{2028}') || text.contains('\u{2029}') {
        text.split_inclusive(is_break).for_each(|line| block_line(out, line, indent));
    } else {
        text.split_inclusive('\n').for_each(|line| block_line(out, line, indent));
    }
}

/// A line of a block; one that is empty is not moved in.
fn block_line(out: &mut String, line: &str, indent: usize) {
    if !line.starts_with(is_break) {
        margin(out, indent);
    }
    out.push_str(line);
}
