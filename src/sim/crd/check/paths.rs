//! Paths such as `.spec.a['b']` that a definition names: whether they lead to a field.

use crate::object::schema::node::{Additional, Node};

/// The schema at a path, and the path as it is compared.
///
/// # Errors
/// Why it leads nowhere.
pub(super) fn follow<'n>(
    path: &str,
    root: &'n Node,
    brackets: bool,
) -> Result<(&'n Node, String), String> {
    let mut node = root;
    let mut normal = String::new();
    let mut tokens = tokens(path).into_iter();
    while let Some(token) = tokens.next() {
        let end = || "unexpected end of JSON path".to_owned();
        let name = match token.as_str() {
            "." => tokens.next().ok_or_else(end)?,
            "[" if !brackets => return Err("array notation is not allowed".to_owned()),
            "[" => {
                let quoted = tokens.next().ok_or_else(end)?;
                let inner = quoted.strip_prefix('\'').and_then(|q| q.strip_suffix('\''));
                let inner = inner
                    .ok_or_else(|| format!("expected single quoted string but got {quoted}"))?;
                match tokens.next().ok_or_else(end)?.as_str() {
                    "]" => inner.replace("\\'", "'").replace("\\\\", "\\"),
                    other => return Err(format!("expected ] but got {other}")),
                }
            }
            other => return Err(format!("expected [ or . but got: {other}")),
        };
        let nowhere = || "does not refer to a valid field".to_owned();
        if node.properties.is_empty() {
            let Additional::Schema(schema) = &node.additional else { return Err(nowhere()) };
            node = schema;
            normal.push_str(&format!("[{name}]"));
        } else {
            node = node.properties.get(&name).ok_or_else(nowhere)?;
            normal.push('.');
            normal.push_str(&name);
        }
    }
    Ok((node, normal.trim_start_matches('.').to_owned()))
}

/// Delimiters by themselves, and what stands between them; quoted text in one piece.
fn tokens(path: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut current = String::new();
    let mut quoted = false;
    let mut before = ' ';
    for c in path.chars() {
        if quoted {
            current.push(c);
            if c == '\'' && before != '\\' {
                quoted = false;
                out.push(std::mem::take(&mut current));
            }
        } else if matches!(c, '.' | '[' | ']') {
            if !current.is_empty() {
                out.push(std::mem::take(&mut current));
            }
            out.push(c.to_string());
        } else {
            quoted = c == '\'' && current.is_empty();
            current.push(c);
        }
        before = c;
    }
    if !current.is_empty() {
        out.push(current);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn a_path_leads_to_a_field_or_is_told_why_not() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "object", "properties": {
            "b": {"type": "string"}}}, "m": {"type": "object", "additionalProperties":
            {"type": "integer"}}}});
        let root = Node::read(&schema);
        for (path, expect) in [
            (".a.b", Ok("a.b")),
            (".a['b']", Ok("a.b")),
            (".m['k']", Ok("m[k]")),
            (".a.c", Err("does not refer to a valid field")),
            ("a", Err("expected [ or . but got: a")),
            (".a[0]", Err("expected single quoted string but got 0")),
        ] {
            let found = follow(path, &root, true).map(|(_, normal)| normal);
            assert_eq!(found, expect.map(str::to_owned).map_err(str::to_owned), "{path}");
        }
    }
}
