//! Replacements within a text that is JSON or YAML itself, as in the data of a ConfigMap:
//! `data.config\.json.server.port`.

use super::fieldspec::scalar_text;
use super::hash::go_json;
use super::path::{self, Found, Kind, Step};
use crate::object::Value;
use crate::object::yaml::Dialect;
use crate::object::yaml::spanned::{self, Content, Node, Style};

/// Sets what a path leads to within the text of a scalar on its way. Whether there was such a
/// text and such a field in it; where not, nothing is changed.
///
/// # Errors
/// Where the text is such that it cannot be written back as upstream would.
pub(super) fn set(
    root: &mut Value,
    parts: &[String],
    create: Option<Kind>,
    set: &mut dyn FnMut(&mut Value, &Found) -> Result<(), String>,
) -> Result<bool, String> {
    for at in 1..parts.len() {
        let Ok(Some(scalar)) = path::lookup(root, &parts[..at]) else { continue };
        let Some(text) = scalar_text(scalar) else { continue };
        let is_text = scalar.is_string();
        let Ok(documents) = spanned::documents(&text) else { continue };
        let Some(document) = documents.first().filter(|_| is_text) else { return Ok(false) };
        let Some(new) = replaced(document, &text, &parts[at..], create, set)? else {
            return Ok(false);
        };
        if let Some(target) = lookup_mut(root, &parts[..at]) {
            *target = Value::from(new);
        }
        return Ok(true);
    }
    Ok(false)
}

/// The value at a path that `path::lookup` has found.
fn lookup_mut<'v>(root: &'v mut Value, parts: &[String]) -> Option<&'v mut Value> {
    let found = path::matches(root, parts, None).ok()?;
    path::at_mut(root, &found.first()?.steps)
}

fn replaced(
    document: &Node,
    text: &str,
    parts: &[String],
    create: Option<Kind>,
    set: &mut dyn FnMut(&mut Value, &Found) -> Result<(), String>,
) -> Result<Option<String>, String> {
    let Ok(mut value) = document.to_value(Dialect::Kustomize) else { return Ok(None) };
    let Ok(found) = path::matches(&mut value, parts, create) else { return Ok(None) };
    if found.is_empty() {
        return Ok(None);
    }
    for found in found.iter().filter(|found| !found.is_lost) {
        if let Some(target) = path::at_mut(&mut value, &found.steps)
            && set(target, found).is_err()
        {
            return Ok(None);
        }
    }
    if text.trim_start().starts_with(['{', '[']) {
        let is_laid_out = text.contains('\n') && text.contains("  ");
        return Ok(Some(if is_laid_out { indented(&value) } else { go_json(&value) }));
    }
    if let Some(edited) = edited(document, &value, &found, text) {
        return Ok(Some(edited.trim().to_owned()));
    }
    if text.lines().any(|line| line.trim_start().starts_with('#') || line.contains(" #")) {
        let why = "a replacement within a YAML text that has comments is not supported yet";
        return Err(why.to_owned());
    }
    let mut lines = String::new();
    write_block(&mut lines, &value, Some(document), 0);
    Ok(Some(lines.trim().to_owned()))
}

/// The text with new scalars in their places; `None` where that is not what upstream would write,
/// as it lays the whole out anew.
fn edited(document: &Node, value: &Value, found: &[Found], text: &str) -> Option<String> {
    // Before a comment there is one space.
    if !is_laid_out_alike(text) || text.contains("  #") {
        return None;
    }
    let mut edits = Vec::new();
    for found in found {
        let node = found.steps.iter().try_fold(document, |node, step| match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.items().get(*index),
        })?;
        let Content::Scalar(scalar) = &node.content else { return None };
        let new = found.steps.iter().try_fold(value, |value, step| match step {
            Step::Key(key) => value.get(key.as_str()),
            Step::Index(index) => value.get(*index),
        })?;
        let new_text = scalar_text(new)?;
        let written = match (scalar.style, new) {
            _ if found.is_lost || node.aliased || new_text.contains('\n') => return None,
            (Style::Block, _) => return None,
            (Style::Single, _) => format!("'{}'", new_text.replace('\'', "''")),
            (Style::Double, _) => Value::from(new_text).to_string(),
            (Style::Plain, Value::String(_)) if path::plain(&new_text).is_string() => new_text,
            (Style::Plain, Value::String(_)) => Value::from(new_text).to_string(),
            (Style::Plain, _) => new_text,
        };
        edits.push((node.span.clone(), written));
    }
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut edited = text.to_owned();
    for (span, written) in edits {
        edited.get(span.clone())?;
        edited.replace_range(span, &written);
    }
    Some(edited)
}

/// Whether a text is laid out as upstream lays it out: moved in by two, lists by none.
fn is_laid_out_alike(text: &str) -> bool {
    let mut before: Option<&str> = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let indent = |line: &str| line.len() - line.trim_start().len();
        if let Some(before) = before.filter(|before| before.trim_end().ends_with(':')) {
            let deeper = indent(line).saturating_sub(indent(before));
            let is_item = line.trim_start().starts_with("- ");
            let above = before.trim_start().strip_prefix("- ").map_or(0, |_| 2);
            if deeper != if is_item { above } else { above + 2 } {
                return false;
            }
        }
        before = Some(line);
    }
    true
}

/// JSON over several lines, as `json.MarshalIndent` with two spaces.
fn indented(value: &Value) -> String {
    let mut out = String::new();
    write_indented(&mut out, value, 0);
    out
}

fn write_indented(out: &mut String, value: &Value, depth: usize) {
    let margin = "  ".repeat(depth + 1);
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    let entries: Vec<(Option<&str>, &Value)> = match value {
        Value::Array(items) if !items.is_empty() => items.iter().map(|v| (None, v)).collect(),
        Value::Object(map) if !map.is_empty() => {
            map.iter().map(|(k, v)| (Some(k.as_str()), v)).collect()
        }
        other => return out.push_str(&go_json(other)),
    };
    out.push(open);
    for (at, (key, value)) in entries.into_iter().enumerate() {
        out.push_str(if at > 0 { ",\n" } else { "\n" });
        out.push_str(&margin);
        if let Some(key) = key {
            out.push_str(&go_json(&Value::from(key)));
            out.push_str(": ");
        }
        write_indented(out, value, depth + 1);
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push(close);
}

/// Writes a value as block YAML, in the order and style of the text it was read from, as far as
/// it was.
fn write_block(out: &mut String, value: &Value, was: Option<&Node>, indent: usize) {
    let margin = " ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() => {
            let known = was.map(Node::entries).unwrap_or_default();
            let mut keys: Vec<&str> = known.iter().filter_map(|entry| entry.key.text()).collect();
            keys.retain(|key| map.contains_key(key));
            keys.extend(
                map.keys()
                    .map(|key| key.as_str())
                    .filter(|key| !known.iter().any(|entry| entry.key.text() == Some(key))),
            );
            for key in keys {
                let was = was.and_then(|was| was.get(key));
                out.push_str(&format!("{margin}{}:", scalar_line(&Value::from(key), None, 0)));
                write_value(out, &map[key], was, indent, false);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                let was = was.and_then(|was| was.items().get(at));
                out.push_str(&format!("{margin}-"));
                write_value(out, item, was, indent, true);
            }
        }
        other => out.push_str(&format!("{margin}{}\n", scalar_line(other, was, indent))),
    }
}

fn write_value(out: &mut String, value: &Value, was: Option<&Node>, indent: usize, in_list: bool) {
    let is_block = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if !is_block {
        let line = scalar_line(value, was, indent + 2);
        out.push(' ');
        out.push_str(&line);
        if !line.ends_with('\n') {
            out.push('\n');
        }
        return;
    }
    let deeper = if value.is_array() && !in_list { indent } else { indent + 2 };
    if in_list {
        let mut inner = String::new();
        write_block(&mut inner, value, was, deeper);
        out.push(' ');
        out.push_str(inner.trim_start());
    } else {
        out.push('\n');
        write_block(out, value, was, deeper);
    }
}

/// A scalar as it is written behind a key: in the style that it had.
fn scalar_line(value: &Value, was: Option<&Node>, indent: usize) -> String {
    let style = was.and_then(|node| match &node.content {
        Content::Scalar(scalar) => Some((scalar.style, scalar.text.as_str())),
        _ => None,
    });
    let text = scalar_text(value).unwrap_or_default();
    match (value, style) {
        // What was not touched stays as it was written.
        (_, Some((Style::Plain, old))) if path::plain(old) == *value && !old.is_empty() => {
            old.to_owned()
        }
        (Value::String(_), Some((Style::Double, _))) if !text.contains('\n') => {
            Value::from(text).to_string()
        }
        (Value::String(_), Some((Style::Single, _))) if !text.contains('\n') => {
            format!("'{}'", text.replace('\'', "''"))
        }
        _ => {
            let line = crate::object::yaml::go_string(&crate::object::json!({"k": value}));
            let line = line.strip_prefix("k: ").unwrap_or(&line);
            let moved = line.replace("\n  ", &format!("\n{}", " ".repeat(indent.max(2))));
            if moved.trim_end().contains('\n') { moved } else { moved.trim_end().to_owned() }
        }
    }
}
