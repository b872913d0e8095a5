//! Values as YAML in the spelling of Go's library, in which gnostic keeps what has no fixed form:
//! two blanks a level, lists not moved in, quotes where a text could be taken for something else.

use super::json::Json;

/// A value as a document.
pub(super) fn document(value: &Json) -> String {
    let mut out = String::new();
    match value {
        Json::Map(map) if !map.is_empty() => block(value, 0, &mut out),
        Json::List(list) if !list.is_empty() => block(value, 0, &mut out),
        scalar => {
            out.push_str(&inline(scalar));
            out.push('\n');
        }
    }
    out
}

/// Lines of a map or a list; the first is not moved in.
fn block(value: &Json, indent: usize, out: &mut String) {
    let margin = |i: usize| if i > 0 { " ".repeat(indent) } else { String::new() };
    match value {
        Json::Map(map) => {
            for (i, (key, value)) in map.iter().enumerate() {
                out.push_str(&format!("{}{}:", margin(i), text(key)));
                below(value, indent, out);
            }
        }
        Json::List(list) => {
            for (i, value) in list.iter().enumerate() {
                out.push_str(&format!("{}- ", margin(i)));
                match value {
                    Json::Map(map) if !map.is_empty() => block(value, indent + 2, out),
                    Json::List(list) if !list.is_empty() => block(value, indent + 2, out),
                    scalar => out.push_str(&format!("{}\n", inline(scalar))),
                }
            }
        }
        scalar => out.push_str(&format!("{}\n", inline(scalar))),
    }
}

/// What stands behind a key.
fn below(value: &Json, indent: usize, out: &mut String) {
    let (deeper, is_block) = match value {
        Json::Map(map) => (indent + 2, !map.is_empty()),
        Json::List(list) => (indent, !list.is_empty()),
        _ => (indent, false),
    };
    if is_block {
        out.push('\n');
        out.push_str(&" ".repeat(deeper));
        block(value, deeper, out);
    } else {
        out.push_str(&format!(" {}\n", inline(value)));
    }
}

fn inline(value: &Json) -> String {
    match value {
        Json::Text(string) => text(string),
        Json::Null => "null".to_owned(),
        Json::Bool(flag) => flag.to_string(),
        Json::Whole(number) => number.to_string(),
        Json::Double(number) => number.to_string(),
        Json::List(_) => "[]".to_owned(),
        Json::Map(_) => "{}".to_owned(),
    }
}

/// A text, in quotes where it needs them.
fn text(text: &str) -> String {
    // Of the words of YAML 1.1, such as `no`, the library quotes none here.
    let ambiguous = ["true", "false", "null", "~"].contains(&text.to_ascii_lowercase().as_str())
        || text.parse::<f64>().is_ok()
        || text.starts_with("0x");
    let printable = !text.chars().any(char::is_control);
    if text.is_empty() || ambiguous || !printable {
        return serde_json::Value::from(text).to_string();
    }
    let open = text.starts_with(|c| "?:,[]{}#&*!|>'\"%@`=".contains(c)) || text.starts_with("- ");
    let inside = text.contains(": ") || text.contains(" #") || text == "-";
    let edges = text.ends_with(':') || text.trim() != text;
    if open || inside || edges {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_spelled_as_gos_library_spells_them() {
        for (value, expect) in [
            (r#""map""#, "map\n"),
            (r#""""#, "\"\"\n"),
            (r#""*""#, "'*'\n"),
            (r#""true""#, "\"true\"\n"),
            (r#""no""#, "no\n"),
            (r#"true"#, "true\n"),
            (r#"["a", "b"]"#, "- a\n- b\n"),
            (r#"[{"a": "b", "c": {"d": "e"}}]"#, "- a: b\n  c:\n    d: e\n"),
            (r#"{"a": ["b"], "c": {}}"#, "a:\n- b\nc: {}\n"),
            (r#"[{"rule": "self.a != 'x' || true"}]"#, "- rule: self.a != 'x' || true\n"),
        ] {
            assert_eq!(document(&Json::read(value)), expect);
        }
    }
}
