//! What `towtank diff` prints: pure functions from differences to text.

use std::fmt::Write as _;

use super::compare::{Changed, Folder};
use crate::engine::model::{Origin, RenderError};
use crate::object::{ObjectId, Value, json};

/// Characters of a value that are shown of it.
const VALUE_CHARS: usize = 120;

/// For a reader.
pub(super) fn terminal(folders: &[Folder]) -> String {
    let mut text = String::new();
    let (mut added, mut changed, mut removed) = (0, 0, 0);
    for folder in folders.iter().filter(|folder| folder.differs()) {
        let path = if folder.path.is_empty() { "." } else { &folder.path };
        _ = writeln!(text, "{path}");
        for (side, error) in [("left", &folder.left_error), ("right", &folder.right_error)] {
            if let Some(error) = error {
                _ = writeln!(text, "  ! the {side} commit cannot be rendered: {error}");
            }
        }
        for (id, origin) in &folder.added {
            _ = writeln!(text, "  + {id}  ({origin})");
        }
        for one in &folder.changed {
            change(&mut text, one);
        }
        for (id, origin) in &folder.removed {
            _ = writeln!(text, "  - {id}  ({origin})");
        }
        added += folder.added.len();
        changed += folder.changed.len();
        removed += folder.removed.len();
        text.push('\n');
    }
    let of = folders.len();
    let differ = folders.iter().filter(|folder| folder.differs()).count();
    _ = writeln!(
        text,
        "{added} added, {changed} changed, {removed} removed; {differ} of {of} folders differ"
    );
    text
}

fn change(text: &mut String, one: &Changed) {
    let Changed { id, origin, was, fields } = one;
    let was = was.as_ref().map_or_else(String::new, |was| format!(", was {was}"));
    _ = writeln!(text, "  ~ {id}{was}  ({origin})");
    for field in fields {
        let path = &field.path;
        _ = match (&field.left, &field.right) {
            (None, Some(value)) => writeln!(text, "      {path}: + {}", shown(value)),
            (Some(value), None) => writeln!(text, "      {path}: - {}", shown(value)),
            (left, right) => {
                let side = |value: &Option<Value>| value.as_ref().map(shown).unwrap_or_default();
                writeln!(text, "      {path}: {} → {}", side(left), side(right))
            }
        };
    }
}

/// A value on one line.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) if !text.is_empty() && !text.contains(char::is_control) => {
            text.to_string()
        }
        other => other.to_string(),
    };
    match text.char_indices().nth(VALUE_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// For a program.
pub(super) fn json(left: &str, right: &str, folders: &[Folder]) -> String {
    let list: Vec<Value> = folders.iter().filter(|f| f.differs()).map(folder_json).collect();
    let page = json!({ "left": left, "right": right, "compared": folders.len(), "folders": list });
    format!("{page:#}\n")
}

fn folder_json(folder: &Folder) -> Value {
    let object = |(id, origin): &(ObjectId, Origin)| object_json(id, origin);
    let mut page = json!({
        "path": folder.path,
        "added": folder.added.iter().map(object).collect::<Vec<_>>(),
        "changed": folder.changed.iter().map(changed_json).collect::<Vec<_>>(),
        "removed": folder.removed.iter().map(object).collect::<Vec<_>>(),
    });
    for (key, error) in [("leftError", &folder.left_error), ("rightError", &folder.right_error)] {
        if let Some(error) = error {
            page[key] = error_json(error);
        }
    }
    page
}

fn error_json(error: &RenderError) -> Value {
    let RenderError { file, line, column, message } = error;
    json!({ "file": file, "line": line, "column": column, "message": message })
}

fn object_json(id: &ObjectId, origin: &Origin) -> Value {
    json!({ "group": id.group.as_ref(), "kind": id.kind.as_ref(), "namespace": id.namespace,
        "name": id.name, "file": origin.file, "line": origin.line })
}

fn changed_json(one: &Changed) -> Value {
    let mut page = object_json(&one.id, &one.origin);
    if let Some(was) = &one.was {
        page["was"] = Value::from(was.as_str());
    }
    let field = |field: &crate::object::diff::Difference| {
        let mut page = json!({ "path": field.path });
        for (key, value) in [("old", &field.left), ("new", &field.right)] {
            if let Some(value) = value {
                page[key] = value.clone();
            }
        }
        page
    };
    page["fields"] = Value::Array(one.fields.iter().map(field).collect());
    page
}
