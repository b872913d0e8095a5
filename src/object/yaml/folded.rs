//! What becomes of folded text (`>`) in kustomize: it writes every object as YAML once and reads
//! that again, and its writer puts a line end too many before lines that are moved in.

use super::spanned;

/// A folded text, written and read once more.
pub(super) fn again(text: &str) -> String {
    if !is_block(text) {
        return text.to_owned();
    }
    let mut again = String::from("k: >");
    if text.starts_with([' ', '\n']) {
        again.push('2');
    }
    match text.len() - text.trim_end_matches('\n').len() {
        0 => again.push('-'),
        1 if text.len() > 1 => {}
        _ => again.push('+'),
    }
    again.push('\n');
    write(&mut again, text);
    let documents = spanned::documents(&again).unwrap_or_default();
    let read = documents.first().and_then(|node| node.get("k")).and_then(spanned::Node::text);
    read.unwrap_or(text).to_owned()
}

fn write(out: &mut String, text: &str) {
    // The writer means to look at what follows a line end, and looks at the start of the text.
    let start = text.trim_start_matches('\n').chars().next();
    let doubles = start.is_some_and(|c| !matches!(c, ' ' | '\t'));
    let (mut breaks, mut is_moved_in) = (true, true);
    for c in text.chars() {
        if c == '\n' {
            if !breaks && !is_moved_in && doubles {
                out.push('\n');
            }
            out.push('\n');
            breaks = true;
            continue;
        }
        if breaks {
            out.push_str("  ");
            is_moved_in = matches!(c, ' ' | '\t');
            breaks = false;
        }
        out.push(c);
    }
    if !breaks {
        out.push('\n');
    }
}

/// Whether the writer keeps it a block; it takes quotes for the rest, which change nothing.
fn is_block(text: &str) -> bool {
    let printable = |c: char| {
        matches!(c, '\n' | '\t' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
            && !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}')
    };
    !text.is_empty() && !text.ends_with(' ') && !text.contains(" \n") && text.chars().all(printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_moved_in_get_a_line_end_more() {
        for (text, expected) in [
            ("x\n a\n\n b\nz", "x\n\n a\n\n b\nz"),
            ("x\n\n a\nz", "x\n\n\n a\nz"),
            ("x\ny\n\n  i\n\nz w\n", "x\ny\n\n\n  i\n\nz w\n"),
            ("x\ny", "x\ny"),
            ("a b \nc", "a b \nc"),
        ] {
            assert_eq!(again(text), expected, "{text:?}");
        }
    }
}
