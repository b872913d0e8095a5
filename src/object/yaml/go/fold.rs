//! Text on one line, bare or in quotes, broken where the line grows long.

use super::margin;
use super::text::{Place, is_printable};

/// Columns after which a line is broken at the next space.
const WIDTH: usize = 80;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
}

/// The column that the text ends at.
fn column(out: &str) -> usize {
    out.rsplit('\n').next().unwrap_or_default().chars().count()
}

/// Writes text bare or in quotes. A line is broken at a space only.
pub(super) fn write(out: &mut String, text: &str, place: Place, style: Style) {
    let quote = match style {
        Style::Plain => "",
        Style::Single => "'",
        Style::Double => "\"",
    };
    out.push_str(quote);
    let is_short = || !text.contains(' ') || column(out) + text.len() <= WIDTH;
    if style == Style::Plain && (place == Place::Key || is_short()) {
        out.push_str(text);
        return;
    }
    let mut column = column(out);
    let mut after_space = false;
    let mut at = 0;
    for (number, run) in text.split(' ').enumerate() {
        if number > 0 {
            let next_is_space = text.as_bytes().get(at + 1) == Some(&b' ');
            let within = style == Style::Plain || (at > 0 && at + 1 < text.len());
            let may_break = !after_space && within && (style == Style::Double || !next_is_space);
            match place {
                Place::Value { indent } if may_break && column > WIDTH => {
                    out.push('\n');
                    margin(out, indent);
                    column = indent;
                    if style == Style::Double && next_is_space {
                        out.push('\\');
                        column += 1;
                    }
                }
                _ => {
                    out.push(' ');
                    column += 1;
                }
            }
            after_space = true;
            at += 1;
        }
        if !run.is_empty() {
            column += within_quotes(out, run, style);
            after_space = false;
            at += run.len();
        }
    }
    out.push_str(quote);
}

/// Writes a part of a text; how many columns that took.
fn within_quotes(out: &mut String, run: &str, style: Style) -> usize {
    let before = out.len();
    match style {
        Style::Single if run.contains('\'') => out.push_str(&run.replace('\'', "''")),
        Style::Double => run.chars().for_each(|c| escaped(out, c)),
        _ => out.push_str(run),
    }
    out[before..].chars().count()
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
