//! Changes to a YAML text that keep every other byte: comments, quotes, order, line ends.
//!
//! Each change is found as a [`Splice`] on the tree of the text ([`spanned`]) and all of them are
//! made at once. Which field is meant, and what is said of one that is not there, is the caller's.
//!
//! [`spanned`]: super::spanned

use std::ops::Range;

use super::spanned::{Content, Entry, Node, Scalar, Style};
use super::text::{is_plain, quoted};
use crate::object::Value;

/// Bytes of a text that are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// Where they stand.
    pub span: Range<usize>,
    /// What comes there.
    pub new: String,
}

/// Why a field cannot be changed where it stands. Another way is to write the file anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is not written in this place.
    #[error("is an alias, or empty with an anchor or tag; write the file anew to change it")]
    Elsewhere,
    /// It is a `|` or `>` block.
    #[error("is a block of text; write the file anew to change it")]
    Block,
    /// It is a map with these fields.
    #[error("is a map; name one of its fields: {}", .0.join(", "))]
    Map(Vec<String>),
    /// It is a list of so many items.
    #[error("is a list of {0}; name an item, as with [0] or [name=…]")]
    List(usize),
    /// It cannot be taken out of what is around it.
    #[error("cannot be taken out: {0}; write the file anew")]
    Kept(&'static str),
}

/// The text with the splices done. They must not overlap.
#[must_use]
pub fn splice(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|splice| splice.span.start);
    let mut out = String::with_capacity(text.len() + 64);
    let mut done = 0;
    for Splice { span, new } in splices {
        out.push_str(&text[done..span.start]);
        out.push_str(&new);
        done = span.end;
    }
    out.push_str(&text[done..]);
    out
}

/// Gives a scalar another value, written as the one before was: `entry` is the entry that holds
/// it, `None` for an item of a list.
///
/// # Errors
/// Where it is no scalar that is written in this place.
pub fn replace(
    text: &str,
    node: &Node,
    entry: Option<&Entry>,
    value: &Value,
) -> Result<Splice, EditError> {
    let span = place(text, node, entry).ok_or(EditError::Elsewhere)?;
    match &node.content {
        Content::Scalar(Scalar { style: Style::Block, .. }) => Err(EditError::Block),
        Content::Scalar(Scalar { style, .. }) => {
            // An empty value stands right behind its colon.
            let space = if span.is_empty() { " " } else { "" };
            Ok(Splice { span, new: format!("{space}{}", scalar(value, *style)) })
        }
        Content::Map(entries) => {
            let keys = entries.iter().filter_map(|entry| entry.key.text());
            Err(EditError::Map(keys.map(str::to_owned).collect()))
        }
        Content::Seq(items) => Err(EditError::List(items.len())),
    }
}

/// Takes an entry out of a map in block style, with its lines.
///
/// # Errors
/// Where something else stands on these lines, or nothing would be left of the map.
pub fn take_out(text: &str, map: &Node, entry: &Entry) -> Result<Splice, EditError> {
    let Entry { key, value } = entry;
    if key.aliased {
        return Err(EditError::Elsewhere);
    }
    if map.flow {
        return Err(EditError::Kept("it is in a map in braces"));
    }
    if map.entries().len() == 1 {
        return Err(EditError::Kept("it is the only field there"));
    }
    let line = text[..key.span.start].rfind('\n').map_or(0, |at| at + 1);
    if !text[line..key.span.start].trim().is_empty() {
        return Err(EditError::Kept("it shares its line with a list's dash"));
    }
    let last = key.span.end.max(if value.span.is_empty() { 0 } else { value.span.end });
    let end = if text[..last].ends_with('\n') {
        last
    } else {
        text[last..].find('\n').map_or(text.len(), |at| last + at + 1)
    };
    Ok(Splice { span: line..end, new: String::new() })
}

/// Puts `line` (`key: value`) at the end of a map, as the map is written. `None` where the map
/// has no entry of its own to go by.
#[must_use]
pub fn append(text: &str, map: &Node, line: &str) -> Option<Splice> {
    let own = map.entries().iter().filter(|entry| !entry.key.aliased);
    let first = own.clone().next()?;
    let end = own.map(|entry| {
        let value = place(text, &entry.value, Some(entry));
        entry.key.span.end.max(value.map_or(entry.value.span.end, |span| span.end))
    });
    let end = end.max()?;
    if map.flow {
        return Some(Splice { span: end..end, new: format!(", {line}") });
    }
    let eol = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let at = text[end..].find(eol).map_or(text.len(), |at| end + at);
    let margin = " ".repeat(first.key.column - 1);
    Some(Splice { span: at..at, new: format!("{eol}{margin}{line}") })
}

/// Where the text of a value stands, or could stand; `None` where it stands elsewhere, by an
/// alias or a merge key, or where what is written for nothing (`&anchor`, `!!tag`) is in the way.
fn place(text: &str, node: &Node, entry: Option<&Entry>) -> Option<Range<usize>> {
    if node.aliased {
        return None;
    }
    if !node.span.is_empty() {
        return Some(node.span.clone());
    }
    let key = &entry?.key;
    let behind = text.get(key.span.end..)?;
    let colon = behind.find(':').filter(|at| behind[..*at].trim().is_empty())?;
    let at = key.span.end + colon + 1;
    let rest = text[at..].lines().next().unwrap_or_default().trim_start();
    (rest.is_empty() || rest.starts_with(['#', ',', '}'])).then_some(at..at)
}

/// A value written as the scalar that it replaces was: quoted alike where that can hold it. A
/// string that would be read as something else without quotes gets them, and so does one of
/// several words.
#[must_use]
pub fn scalar(value: &Value, before: Style) -> String {
    let Value::String(text) = value else { return value.to_string() };
    let one_line = !text.contains(|c: char| c.is_control());
    match before {
        Style::Single if one_line => format!("'{}'", text.as_str().replace('\'', "''")),
        Style::Plain if is_plain(text) && !text.contains(' ') => text.to_string(),
        _ => quoted(text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::spanned::documents;
    use super::*;
    use crate::object::json;

    #[test]
    fn scalars_keep_their_quotes_and_get_them_where_needed() {
        use Style::{Block, Double, Plain, Single};
        for (value, before, want) in [
            (json!(3), Double, "3"),
            (json!(true), Plain, "true"),
            (json!("v1.2"), Plain, "v1.2"),
            (json!("v1.2"), Single, "'v1.2'"),
            (json!("it's"), Single, "'it''s'"),
            (json!("v1.2"), Double, "\"v1.2\""),
            (json!("say \"y\""), Double, "\"say \\\"y\\\"\""),
            (json!("shop/cart:1.0"), Plain, "shop/cart:1.0"),
            (json!("nginx:1.2@sha256:ab"), Plain, "nginx:1.2@sha256:ab"),
            (json!("1.27.3"), Plain, "1.27.3"),
            (json!("1.27"), Plain, "\"1.27\""),
            (json!("a b"), Plain, "\"a b\""),
            (json!("two\nlines"), Single, "\"two\\nlines\""),
            (json!("x"), Block, "\"x\""),
            (json!({"a": [1]}), Plain, "{\"a\":[1]}"),
        ] {
            assert_eq!(scalar(&value, before), want, "{value} {before:?}");
        }
    }

    #[test]
    fn a_span_is_the_text_of_a_scalar_and_nothing_else() {
        fn walk<'t>(node: &Node, text: &'t str, found: &mut Vec<&'t str>) {
            if node.text().is_some() {
                found.push(&text[node.span.clone()]);
            }
            node.items().iter().for_each(|item| walk(item, text, found));
            for entry in node.entries() {
                walk(&entry.key, text, found);
                walk(&entry.value, text, found);
            }
        }
        let text =
            "# é\r\na: 'x' # c\r\nb: [plain , \"q\\n\"]\r\n---\r\nc:\r\n- d\r\n- {e:  f}\r\n";
        let mut found = Vec::new();
        for document in documents(text).unwrap() {
            walk(&document, text, &mut found);
        }
        assert_eq!(found, ["a", "'x'", "b", "plain", "\"q\\n\"", "c", "d", "e", "f"]);
    }

    /// What becomes of `text` when the value of its top field `key` is set to `z`.
    #[track_caller]
    fn check(text: &str, key: &str, expected: Result<&str, EditError>) {
        let documents = documents(text).unwrap();
        let entry = documents[0].entry(key).unwrap();
        let edited = replace(text, &entry.value, Some(entry), &json!("z"))
            .map(|found| splice(text, vec![found]));
        assert_eq!(edited, expected.map(str::to_owned));
    }

    #[test]
    fn only_the_scalar_changes() {
        check("a: 1 # c\nb:   x  # d\n", "b", Ok("a: 1 # c\nb:   z  # d\n"));
        check("{a: 'x', c: [1, 2]}\n", "a", Ok("{a: 'z', c: [1, 2]}\n"));
        check("é: x\nb: y\n", "b", Ok("é: x\nb: z\n"));
        check("\u{feff}a: x\n", "a", Ok("\u{feff}a: z\n"));
        check("a:\nb: y\n", "a", Ok("a: z\nb: y\n"));
        check("{a: , b: y}\n", "a", Ok("{a: z , b: y}\n"));
        check("b: &x y\na: &n x\n", "b", Ok("b: &x z\na: &n x\n"));
    }

    #[test]
    fn what_is_no_scalar_of_its_own_is_refused() {
        check("a: {k: 1}\n", "a", Err(EditError::Map(vec!["k".to_owned()])));
        check("a: [1, 2]\n", "a", Err(EditError::List(2)));
        check("a: |\n  x\n", "a", Err(EditError::Block));
        check("a: &x 1\nb: *x\n", "b", Err(EditError::Elsewhere));
        check("x: &x {a: 1}\n<<: *x\n", "a", Err(EditError::Elsewhere));
        check("a: !!str\nb: 1\n", "a", Err(EditError::Elsewhere));
    }

    #[test]
    fn an_entry_goes_with_all_its_lines() {
        let text = "m: &m {q: 1}\na:\n  b: 1\n  c: *m # kept not\n# kept\nd: 2\n";
        let documents = documents(text).unwrap();
        let entry = documents[0].entry("a").unwrap();
        let found = take_out(text, &documents[0], entry).unwrap();
        assert_eq!(splice(text, vec![found]), "m: &m {q: 1}\n# kept\nd: 2\n");
    }

    #[test]
    fn an_entry_is_put_behind_the_last_one() {
        for (text, expected) in [
            ("a: 1 # c\n# d\n", "a: 1 # c\nz: 2\n# d\n"),
            ("  a: 1\r\n", "  a: 1\r\n  z: 2\r\n"),
            ("{a: {}}\n", "{a: {}, z: 2}\n"),
            ("{a: }\n", "{a:, z: 2 }\n"),
        ] {
            let documents = documents(text).unwrap();
            let found = append(text, &documents[0], "z: 2").unwrap();
            assert_eq!(splice(text, vec![found]), expected);
        }
    }
}
