//! Regular expressions as Go reads them, in the words of the `regex` crate.
//!
//! Both are of the same family; they part where Go takes for plain text what could mean something:
//! a brace that repeats nothing (`\${NAME}`), a bracket or `&&` within a class, `\<`, and `\Q...\E`.

use regex::{Error, Regex};

/// Compiles a pattern.
///
/// # Errors
/// Where it is none for Go either.
pub(super) fn compile(pattern: &str) -> Result<Regex, Error> {
    Regex::new(&translated(pattern)?)
}

/// The pattern for the `regex` crate.
fn translated(pattern: &str) -> Result<String, Error> {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let used = match c {
            '\\' => escape(rest, &mut out),
            '[' if in_class && !after.starts_with(':') => literal(c, &mut out),
            '[' if in_class => {
                let end = after.find(":]").map_or(1, |end| end + 3);
                out.push_str(&rest[..end]);
                end
            }
            '[' => {
                in_class = true;
                // What stands first is one of the class, even where it would end it.
                let first = ["[^]", "[]", "[^", "["];
                let start = first.iter().find(|start| rest.starts_with(**start));
                let start = start.copied().unwrap_or("[");
                out.push_str(&start.replace(']', "\\]"));
                start.len()
            }
            ']' => {
                in_class = false;
                out.push(c);
                1
            }
            '&' | '~' if in_class => literal(c, &mut out),
            '{' if !in_class => match repetition(after) {
                None => literal(c, &mut out),
                Some(count) if is_too_often(count) => {
                    return Err(Error::Syntax(format!("invalid repeat count: {{{count}}}")));
                }
                Some(_) => {
                    out.push(c);
                    1
                }
            },
            _ => {
                out.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[used..];
    }
    Ok(out)
}

fn literal(c: char, out: &mut String) -> usize {
    out.push('\\');
    out.push(c);
    c.len_utf8()
}

/// Writes what starts with a backslash; how much of it was read.
fn escape(rest: &str, out: &mut String) -> usize {
    let Some(c) = rest[1..].chars().next() else {
        out.push('\\');
        return 1;
    };
    match c {
        '<' | '>' => out.push(c),
        'Q' => {
            let quoted = &rest[2..];
            let end = quoted.find("\\E");
            out.push_str(&regex::escape(&quoted[..end.unwrap_or(quoted.len())]));
            return end.map_or(rest.len(), |end| end + 4);
        }
        // A class or a letter by its name.
        'p' | 'P' | 'x' if rest[2..].starts_with('{') => {
            let end = rest.find('}').map_or(rest.len(), |end| end + 1);
            out.push_str(&rest[..end]);
            return end;
        }
        _ => {
            out.push('\\');
            out.push(c);
        }
    }
    1 + c.len_utf8()
}

/// What stands in a brace that says how often: `2}`, `2,}` or `2,5}`.
fn repetition(after: &str) -> Option<&str> {
    let (inside, _) = after.split_once('}')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    (is_number(least) && (most.is_empty() || is_number(most))).then_some(inside)
}

/// Go repeats a thousand times and no more.
fn is_too_often(count: &str) -> bool {
    const MOST: u32 = 1000;
    let numbers = count.split(',').filter(|number| !number.is_empty());
    numbers.map(str::parse::<u32>).any(|number| number.map_or(true, |number| number > MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_to_go() {
        for (pattern, text, expected) in [
            (r"\${NAME}-control-plane", "${NAME}-control-plane", true),
            ("a{2}", "aa", true),
            ("a{2,}", "aaa", true),
            ("a{,2}", "a{,2}", true),
            ("a{x}|b", "a{x}", true),
            ("[[a]+", "[a", true),
            ("[a&&b]+", "a&b", true),
            ("[]a]+", "]a", true),
            ("[^]a]+", "]", false),
            ("[[:alpha:]{]+", "ab{", true),
            (r"\<a\>", "<a>", true),
            (r"\Qa.b\E.", "a.bc", true),
            (r"\Qa.b\E.", "axbc", false),
            (r"\p{Lu}\x{61}", "Aa", true),
            ("é{1}", "é", true),
        ] {
            let regex = compile(&format!("^(?:{pattern})$")).unwrap();
            assert_eq!(regex.is_match(text), expected, "{pattern} {text}");
        }
        for bad in ["a(", "*", "[a", "a)", "a{1001}", "a{2,1001}"] {
            assert!(compile(bad).is_err(), "{bad}");
        }
    }
}
