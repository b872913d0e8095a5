//! YAML as Go's writer lays it out (`sigs.k8s.io/yaml`): keys sorted, lists not moved in, texts
//! plain where they can be, long ones folded at 80 columns.

use crate::object::Value;

/// Columns after which a text is folded at its next space.
const WIDTH: usize = 80;

/// A value as a document.
pub(super) fn document(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block(&mut out, value, 0),
        Value::Array(items) if !items.is_empty() => block(&mut out, value, 0),
        scalar => {
            inline(&mut out, scalar, 0, 0);
            out.push('\n');
        }
    }
    out
}

/// The lines of a map or list that is not empty; the first one starts where `out` stands.
fn block(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&str> = map.keys().map(AsRef::as_ref).collect();
            keys.sort_by(|a, b| natural(a, b));
            for (n, key) in keys.into_iter().enumerate() {
                if n > 0 {
                    out.extend(std::iter::repeat_n(' ', indent));
                }
                let start = out.len();
                text(out, key, indent, 0, true);
                out.push(':');
                let column = indent + out.len() - start;
                under(out, &map[key], indent, column, true);
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.extend(std::iter::repeat_n(' ', indent));
                }
                out.push('-');
                under(out, item, indent, indent + 1, false);
            }
        }
        _ => {}
    }
}

/// What follows a key or a dash at `column`.
fn under(out: &mut String, value: &Value, indent: usize, column: usize, of_key: bool) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            if of_key {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent + 2));
            } else {
                out.push(' ');
            }
            block(out, value, indent + 2);
        }
        Value::Array(items) if !items.is_empty() => {
            if of_key {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent));
                block(out, value, indent);
            } else {
                out.push(' ');
                block(out, value, indent + 2);
            }
        }
        scalar => {
            out.push(' ');
            inline(out, scalar, indent + 2, column + 1);
            out.push('\n');
        }
    }
}

fn inline(out: &mut String, value: &Value, indent: usize, column: usize) {
    match value {
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        Value::String(string) => text(out, string, indent, column, false),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Null => out.push_str("null"),
    }
}

fn text(out: &mut String, text: &str, indent: usize, column: usize, is_key: bool) {
    let hidden = |c: char| c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}');
    let shown = text.chars().all(|c| c == '\n' || !hidden(c));
    if shown && !is_key && text.contains('\n') && !text.ends_with(' ') && !text.contains(" \n") {
        return literal(out, text, indent);
    }
    if !shown || text.contains('\n') || is_read_as_another(text) {
        return double_quoted(out, text);
    }
    let spaces = text.starts_with(' ') || text.ends_with(' ');
    if spaces || !is_plain(text) {
        out.push('\'');
        folded(out, &text.replace('\'', "''"), indent, column + 1, is_key);
        out.push('\'');
    } else {
        folded(out, text, indent, column, is_key);
    }
}

/// A text on one line, broken at a space where it is past the width.
fn folded(out: &mut String, text: &str, indent: usize, mut column: usize, is_key: bool) {
    let mut rest = text.chars().peekable();
    let mut after_space = true;
    while let Some(c) = rest.next() {
        let ends = rest.peek().is_none_or(|next| *next == ' ');
        if c == ' ' && !is_key && !after_space && !ends && column > WIDTH {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else {
            out.push(c);
            column += 1;
        }
        after_space = c == ' ';
    }
}

fn literal(out: &mut String, text: &str, indent: usize) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    if !text.ends_with('\n') {
        out.push('-');
    } else if text.ends_with("\n\n") || text == "\n" {
        out.push('+');
    }
    let body = text.strip_suffix('\n').unwrap_or(text);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
}

fn double_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            '\u{feff}' => out.push_str("\\uFEFF"),
            c if c.is_control() && u32::from(c) < 0x100 => {
                out.push_str(&format!("\\x{:02X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Whether a plain text would be read as something else than a text.
fn is_read_as_another(text: &str) -> bool {
    const WORDS: &[&str] = &["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    if matches!(text, "" | "~" | "<<" | ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let lower = text.to_ascii_lowercase();
    if WORDS.contains(&lower.as_str()) {
        let head = text.chars().next().is_some_and(char::is_uppercase);
        return text == lower || text == text.to_ascii_uppercase() || {
            head && text[1..] == lower[1..]
        };
    }
    let digits = lower.trim_start_matches(['+', '-']).replace('_', "");
    if digits.is_empty() || !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    let based = ["0x", "0b", "0o"].iter().any(|p| digits.starts_with(p));
    let sixty = digits.contains(':')
        && digits.split(':').all(|p| !p.is_empty() && p.parse::<f64>().is_ok());
    let time = jiff::civil::Date::strptime("%Y-%m-%d", text).is_ok()
        || text.parse::<jiff::Timestamp>().is_ok();
    let number = digits.parse::<f64>().is_ok();
    number || sixty || time || (based && i64::from_str_radix(&digits[2..], 16).is_ok())
}

/// Whether a text can stand without quotes in a block.
fn is_plain(text: &str) -> bool {
    let mut chars = text.chars().peekable();
    let Some(first) = chars.next() else { return false };
    let next_is_blank = chars.peek().is_none_or(|c| *c == ' ');
    if text.starts_with("---") || text.starts_with("...") || "#,[]{}&*!|>'\"%@`".contains(first) {
        return false;
    }
    if "?:-".contains(first) && next_is_blank {
        return false;
    }
    let colon = text.contains(": ") || text.ends_with(':');
    !colon && !text.contains(" #")
}

/// The order of keys in Go's YAML: numbers in names by their value, letters after other signs.
fn natural(a: &str, b: &str) -> std::cmp::Ordering {
    let (left, right): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut digits = false;
    for at in 0..left.len().min(right.len()) {
        let (l, r) = (left[at], right[at]);
        if l == r {
            digits = l.is_ascii_digit();
            continue;
        }
        if l.is_alphabetic() && r.is_alphabetic() {
            return l.cmp(&r);
        }
        if l.is_alphabetic() != r.is_alphabetic() {
            let letter_first = if digits { l.is_alphabetic() } else { r.is_alphabetic() };
            return if letter_first {
                std::cmp::Ordering::Less
            } else {
                std::cmp::Ordering::Greater
            };
        }
        let run = |chars: &[char]| {
            let run: String = chars[at..].iter().take_while(|c| c.is_ascii_digit()).collect();
            (run.parse::<u64>().unwrap_or(0), run.len())
        };
        return run(&left).cmp(&run(&right)).then(l.cmp(&r));
    }
    left.len().cmp(&right.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn check(value: &Value, expected: &str) {
        assert_eq!(document(value), expected);
    }

    #[test]
    fn a_document_is_laid_out_as_by_a_kube_apiserver() {
        check(
            &json!({ "kind": "X", "a": "1", "list": [{ "k": "v", "l": [] }, "x"], "m": { "f:a": {} },
                "time": "2026-11-23T03:32:54Z", "n": null, "text": "one\ntwo\n", "no": "on" }),
            "a: \"1\"\nkind: X\nlist:\n- k: v\n  l: []\n- x\nm:\n  f:a: {}\n\"n\": null\n\"no\": \"on\"\n\
             text: |\n  one\n  two\ntime: \"2026-11-23T03:32:54Z\"\n",
        );
    }

    #[test]
    fn texts_are_quoted_where_they_have_to_be() {
        check(
            &json!([
                "", "a: b", "# no", "-", "- x", "'", "a\tb", " x", "0x1F", "1e3", "1.2.3", "{a"
            ]),
            "- \"\"\n- 'a: b'\n- '# no'\n- '-'\n- '- x'\n- ''''\n- \"a\\tb\"\n- ' x'\n- \"0x1F\"\n- \"1e3\"\n- 1.2.3\n- '{a'\n",
        );
    }

    #[test]
    fn keys_with_numbers_are_sorted_by_value() {
        check(&json!({ "a10": 1, "a2": 2, "B": 3, ".": 4 }), ".: 4\nB: 3\na2: 2\na10: 1\n");
    }

    #[test]
    fn long_texts_are_folded_at_a_space() {
        let long = ["word"; 20].join(" ");
        let first = ["word"; 16].join(" ");
        check(&json!({ "k": long }), &format!("k: {first}\n  word word word word\n"));
    }
}
