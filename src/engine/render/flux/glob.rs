//! Patterns of a shell: `*`, `?`, `[a-c]`, `[^x]` and a backslash before what is meant itself.

/// A text without what a pattern matches at its start, the longest such or the shortest.
pub(super) fn without_start(text: &str, pattern: &str, longest: bool) -> String {
    let pattern: Vec<char> = pattern.chars().collect();
    let chars: Vec<char> = text.chars().collect();
    let mut ends: Vec<usize> = (1..=chars.len()).collect();
    if longest {
        ends.reverse();
    }
    for end in ends {
        match matches(&pattern, &chars[..end]) {
            Some(true) => return chars[end..].iter().collect(),
            Some(false) => {}
            None => break,
        }
    }
    text.to_owned()
}

/// Whether a pattern matches the whole of a text; `None` where it is no pattern. Looks back to
/// the last `*` only, which is enough and takes no more than the product of both lengths.
fn matches(pattern: &[char], text: &[char]) -> Option<bool> {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() || p < pattern.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                back = Some((p, t));
                p += 1;
                continue;
            }
            Some(_) if t < text.len() => one(&pattern[p..], text[t])?,
            _ => None,
        };
        match (step, back) {
            (Some(width), _) => {
                p += width;
                t += 1;
            }
            (None, Some((star, from))) if from < text.len() => {
                back = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
            _ => return Some(false),
        }
    }
    Some(true)
}

/// How much of a pattern one character takes; `Some(None)` where it does not match, `None` where
/// the pattern is none.
fn one(pattern: &[char], c: char) -> Option<Option<usize>> {
    match pattern.first()? {
        '?' => Some(Some(1)),
        '[' => class(pattern, c),
        '\\' => Some((*pattern.get(1)? == c).then_some(2)),
        first => Some((*first == c).then_some(1)),
    }
}

fn class(pattern: &[char], c: char) -> Option<Option<usize>> {
    let negated = pattern.get(1) == Some(&'^');
    let mut at = 1 + usize::from(negated);
    let mut is_in = false;
    let mut is_first = true;
    while is_first || pattern.get(at) != Some(&']') {
        is_first = false;
        let low = class_char(pattern, &mut at)?;
        let mut high = low;
        if pattern.get(at) == Some(&'-') {
            at += 1;
            high = class_char(pattern, &mut at)?;
        }
        is_in |= (low..=high).contains(&c);
    }
    Some((is_in != negated).then_some(at + 1))
}

fn class_char(pattern: &[char], at: &mut usize) -> Option<char> {
    let mut c = *pattern.get(*at)?;
    if matches!(c, '-' | ']') {
        return None;
    }
    if c == '\\' {
        *at += 1;
        c = *pattern.get(*at)?;
    }
    *at += 1;
    Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_that_a_pattern_matches_is_taken_off() {
        for (text, pattern, longest, expected) in [
            ("a/b/c", "*/", false, "b/c"),
            ("a/b/c", "*/", true, "c"),
            ("abc", "[a-b]?", false, "c"),
            ("abc", "[^a]", false, "abc"),
            ("a*c", "a\\*", false, "c"),
            ("abc", "x", true, "abc"),
            ("abc", "[", true, "abc"),
        ] {
            assert_eq!(without_start(text, pattern, longest), expected, "{text} {pattern}");
        }
    }
}
