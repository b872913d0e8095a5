//! Sets one field of a YAML text in place.

use super::error::nearest;
use crate::object::Value;
use crate::object::field_path::{FieldPath, FieldStep, parse};
use crate::object::schema;
use crate::object::yaml::edit::{self, EditError};
use crate::object::yaml::spanned::{self, Content, Entry, Node};
use crate::object::yaml::{Child, child};

/// Which document of a file is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// The only one that has the field.
    Any,
    /// The one at this place of those that hold anything, from 1.
    Nth(usize),
    /// The one that is this object.
    Object {
        /// Its kind in any case, its plural or short name (`deployment`, `deploy`).
        kind: String,
        /// Its namespace; `None` for any.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
}

/// The text with the field at `path` set to `value`; null takes the field out.
///
/// # Errors
/// What is wrong, with the nearest field there is.
pub(super) fn set(
    text: &str,
    document: &Document,
    path: &str,
    value: &Value,
) -> Result<String, String> {
    let steps = parse(path).ok_or_else(|| {
        format!("`{path}` is no path; write it as spec.replicas or spec.containers[name=web].image")
    })?;
    let documents = spanned::documents(text).map_err(|e| format!("it is not YAML: {e}"))?;
    let Found { value: node, of } = pick(&documents, document, path, &steps)?;
    let splice = match of {
        Some((map, entry)) if value.is_null() => edit::take_out(text, map, entry),
        None if value.is_null() => Err(EditError::Kept("it is an item of a list")),
        of => edit::replace(text, node, of.map(|(_, entry)| entry), value),
    };
    let new = edit::splice(text, vec![splice.map_err(|error| format!("{path} {error}"))?]);
    // What was edited must read back; a value that cannot stand there is refused, not written.
    match spanned::documents(&new) {
        Ok(after) if after.len() == documents.len() => Ok(new),
        _ => Err(format!("{path} cannot be set to {value} where it stands; write the file anew")),
    }
}

/// A field that was found: its value, and its entry in its map.
#[derive(Clone, Copy, Debug)]
struct Found<'a> {
    value: &'a Node,
    /// The map and the entry; `None` for an item of a list.
    of: Option<(&'a Node, &'a Entry)>,
}

/// The field in the document that is meant.
fn pick<'a>(
    documents: &'a [Node],
    document: &Document,
    path: &str,
    steps: &FieldPath,
) -> Result<Found<'a>, String> {
    let count = documents.len();
    match document {
        Document::Nth(nth) => {
            let chosen = nth.checked_sub(1).and_then(|index| documents.get(index));
            let chosen =
                chosen.ok_or_else(|| format!("there is no document {nth}, it has {count}"))?;
            follow(chosen, steps)
        }
        Document::Object { kind, namespace, name } => {
            let is = |node: &&Node| is_object(node, kind, namespace.as_deref(), name);
            let chosen = documents.iter().find(is);
            let chosen = chosen.ok_or_else(|| no_object(documents, kind, name))?;
            follow(chosen, steps)
        }
        Document::Any => {
            let results: Vec<_> = documents.iter().map(|node| follow(node, steps)).collect();
            let mut found = results.iter().filter_map(|result| result.as_ref().ok());
            match (found.next(), found.next()) {
                (Some(one), None) => Ok(*one),
                (Some(_), Some(_)) => Err(format!(
                    "several of its {count} documents have {path}; name the object that is meant"
                )),
                (None, _) => {
                    let first = results.into_iter().find_map(Result::err);
                    Err(first.unwrap_or_else(|| "it is empty".to_owned()))
                }
            }
        }
    }
}

fn is_object(node: &Node, kind: &str, namespace: Option<&str>, name: &str) -> bool {
    let text = |key: &str| node.get("metadata").and_then(|m| m.get(key)).and_then(Node::text);
    let is_kind = |word: &str| {
        let called = || schema::builtin().called(kind).is_some_and(|known| known.gvk.kind == word);
        word.eq_ignore_ascii_case(kind) || called()
    };
    node.get("kind").and_then(Node::text).is_some_and(is_kind)
        && text("name") == Some(name)
        && namespace.is_none_or(|wanted| text("namespace").is_none_or(|ns| ns == wanted))
}

fn no_object(documents: &[Node], kind: &str, name: &str) -> String {
    let title = |node: &Node| {
        let kind = node.get("kind")?.text()?;
        Some(format!("{kind}/{}", node.get("metadata")?.get("name")?.text()?))
    };
    let there: Vec<String> = documents.iter().filter_map(title).collect();
    match there.as_slice() {
        [] => format!("there is no {kind}/{name} in it, nor any other object"),
        some => format!("there is no {kind}/{name} in it; there are: {}", some.join(", ")),
    }
}

/// Goes down a path.
fn follow<'a>(root: &'a Node, path: &FieldPath) -> Result<Found<'a>, String> {
    let mut found = Found { value: root, of: None };
    for (count, step) in path.0.iter().enumerate() {
        let here = found.value;
        let walked = || FieldPath(path.0[..count].to_vec()).to_string();
        if here.aliased {
            return Err(format!("{} {}", walked(), EditError::Elsewhere));
        }
        let Some(Child { value, entry, .. }) = child(here, step) else {
            return Err(match step {
                FieldStep::Key(key) => no_key(here, &walked(), key),
                FieldStep::Index(index) => no_item(here, &walked(), &index.to_string()),
                FieldStep::Item { key, value } => {
                    no_item(here, &walked(), &format!("{key}={value}"))
                }
            });
        };
        found = Found { value, of: entry.map(|entry| (here, entry)) };
    }
    Ok(found)
}

fn no_key(here: &Node, walked: &str, key: &str) -> String {
    let place = if walked.is_empty() { "at its top".to_owned() } else { format!("in {walked}") };
    let keys: Vec<&str> = here.entries().iter().filter_map(|entry| entry.key.text()).collect();
    if let Some(near) = nearest(key, keys.iter().copied()) {
        return format!("there is no field {key} {place}; the nearest is {near}");
    }
    match &here.content {
        Content::Map(_) if keys.is_empty() => {
            format!("there is no field {key} {place}, which is empty")
        }
        Content::Map(_) => {
            format!("there is no field {key} {place}; there are: {}", keys.join(", "))
        }
        Content::Seq(_) => format!(
            "there is no field {key} {place}: it is a list; name an item, as {walked}[0] or \
             {walked}[name=…]"
        ),
        Content::Scalar(_) => format!("there is no field {key} {place}: it is a plain value"),
    }
}

fn no_item(here: &Node, walked: &str, wanted: &str) -> String {
    if !matches!(here.content, Content::Seq(_)) {
        return format!("{walked} is not a list, so it has no item [{wanted}]");
    }
    let names: Vec<&str> =
        here.items().iter().filter_map(|item| item.get("name").and_then(Node::text)).collect();
    let count = here.items().len();
    let named = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
    format!("{walked} has no item [{wanted}]; it has {count}{named}")
}

#[cfg(test)]
mod tests;
