//! The renderer's eyes: looks things up in a tree, parses them through the cache, and keeps
//! record of everything that was looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Found;
use super::cache::{ParseCache, Parsed, RawTexts, Spelled};
use crate::base::limits;
use crate::engine::model::{Blob, GitId, Node, RenderError, Tree};
use crate::object::yaml::spanned::{self, Content, Style};
use crate::object::yaml::{Dialect, YamlError};
use crate::object::{Object, Value};

/// One render's view of a tree.
pub(super) struct Reader<'a> {
    tree: &'a Tree,
    cache: &'a mut ParseCache,
    inputs: BTreeMap<String, Option<GitId>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(tree: &'a Tree, cache: &'a mut ParseCache) -> Self {
        cache.start_render();
        Self { tree, cache, inputs: BTreeMap::new() }
    }

    /// Everything that was looked at.
    pub(super) fn finish(self) -> BTreeMap<String, Option<GitId>> {
        self.inputs
    }

    /// The file at `path`, if there is one.
    pub(super) fn file(&mut self, path: &str) -> Option<Arc<Blob>> {
        let found = self.tree.find(path);
        if let Some(Node::Dir(_)) = found {
            // That it is no file is all that was learned; what is in it was not looked at.
            return None;
        }
        self.inputs.insert(path.to_owned(), self.tree.id_at(path).cloned());
        self.tree.file(path).cloned()
    }

    /// The folder at `path`, without saying that its entries were listed.
    pub(super) fn folder(&self, path: &str) -> Option<&'a Tree> {
        if path.is_empty() {
            return Some(self.tree);
        }
        match self.tree.find(path)? {
            Node::Dir(folder) => Some(folder),
            Node::File(_) => None,
        }
    }

    /// Keeps that there is no folder at `path`, where one was looked for.
    pub(super) fn note_absent(&mut self, path: &str) {
        self.inputs.insert(path.to_owned(), None);
    }

    /// The folder at `path`, all of whose content counts as looked at.
    pub(super) fn list(&mut self, path: &str) -> Option<&'a Tree> {
        let folder = self.folder(path);
        self.inputs.insert(path.to_owned(), folder.map(|f| f.id.clone()));
        folder
    }

    /// What is at `path`.
    ///
    /// # Errors
    /// Where there is nothing: names the nearest that is there.
    pub(super) fn must_find(&mut self, path: &str) -> Result<Found, RenderError> {
        if path.is_empty() {
            return Ok(Found::Folder);
        }
        if let Some(node) = self.tree.find(path) {
            return Ok(node.into());
        }
        self.inputs.insert(path.to_owned(), None);
        let message = format!("there is no such file or folder{}", self.nearest(path));
        Err(RenderError { file: path.to_owned(), line: 0, column: 0, message })
    }

    /// `; did you mean a/b?` for the name nearest to the first part of `path` that is not there.
    pub(super) fn nearest(&self, path: &str) -> String {
        let mut parent = String::new();
        let mut folder = self.tree;
        for name in path.split('/') {
            if let Some(Node::Dir(next)) = folder.entries.get(name) {
                folder = next;
                parent = join(&parent, name).unwrap_or_default();
                continue;
            }
            let distance = |other: &str| strsim::damerau_levenshtein(name, other);
            let nearest = folder.entries.keys().min_by_key(|other| distance(other));
            let Some(nearest) = nearest else { break };
            let path = join(&parent, nearest).unwrap_or_default();
            // A name that shares nothing with what was asked for helps nobody.
            let close = distance(nearest) <= name.chars().count().max(3) / 2;
            return if close {
                format!("; did you mean {path}?")
            } else {
                let place = if parent.is_empty() { "the repository" } else { &parent };
                format!("; {place} has {}", names(folder))
            };
        }
        String::new()
    }

    /// The objects in a file.
    ///
    /// # Errors
    /// Where it is no YAML, or a document is no map.
    pub(super) fn objects(
        &mut self,
        path: &str,
        blob: &Blob,
        dialect: Dialect,
    ) -> Result<Arc<Vec<Parsed>>, RenderError> {
        self.cache.objects(&blob.id, dialect, || {
            parse_objects(text(path, blob)?, dialect).map_err(|error| in_file(path, error))
        })
    }

    /// The documents of a file in which keys may stand twice; the last of them counts.
    ///
    /// # Errors
    /// Where it is no YAML.
    pub(super) fn loose_nodes(
        &mut self,
        path: &str,
        blob: &Blob,
    ) -> Result<Arc<Vec<spanned::Node>>, RenderError> {
        self.cache.loose_nodes(&blob.id, || {
            let text = text(path, blob)?;
            spanned::documents_last_wins(text).map_err(|error| in_file(path, error))
        })
    }

    /// The documents of a file, with the places of everything in them.
    ///
    /// # Errors
    /// Where it is no YAML.
    pub(super) fn nodes(
        &mut self,
        path: &str,
        blob: &Blob,
    ) -> Result<Arc<Vec<spanned::Node>>, RenderError> {
        self.cache.nodes(&blob.id, || {
            spanned::documents(text(path, blob)?).map_err(|error| in_file(path, error))
        })
    }
}

/// A YAML error with the file that it is in.
pub(super) fn in_file(path: &str, error: YamlError) -> RenderError {
    let YamlError { line, column, message } = error;
    RenderError { file: path.to_owned(), line, column, message }
}

/// The source leaves out the bytes of a file that is too large, and keeps its id.
pub(super) fn refuse_unread(path: &str, blob: &Blob) -> Result<(), RenderError> {
    const EMPTY: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
    if blob.bytes.is_empty() && blob.id.len() == EMPTY.len() && &*blob.id != EMPTY {
        let message = format!("is larger than {} bytes", limits::BLOB_BYTES);
        return Err(RenderError { file: path.to_owned(), line: 0, column: 0, message });
    }
    Ok(())
}

/// The text of a file.
pub(super) fn text<'b>(path: &str, blob: &'b Blob) -> Result<&'b str, RenderError> {
    refuse_unread(path, blob)?;
    std::str::from_utf8(&blob.bytes).map_err(|error| {
        let line = blob.bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        let message = "is not UTF-8 text".to_owned();
        RenderError { file: path.to_owned(), line, column: 0, message }
    })
}

/// The objects in a text; a kind that ends in `List` and has items stands for its items.
pub(super) fn parse_objects(text: &str, dialect: Dialect) -> Result<Vec<Parsed>, YamlError> {
    let mut found = Vec::new();
    for node in spanned::documents(text)? {
        expand(&node, dialect, &mut found)?;
    }
    Ok(found)
}

fn expand(
    node: &spanned::Node,
    dialect: Dialect,
    found: &mut Vec<Parsed>,
) -> Result<(), YamlError> {
    // What says nothing stands for nothing.
    if node.is_null() || matches!(&node.content, Content::Map(all) if all.is_empty()) {
        return Ok(());
    }
    let Content::Map(_) = &node.content else {
        return Err(node.error("expected a map with apiVersion, kind and metadata".to_owned()));
    };
    let is_list =
        node.get("kind").and_then(spanned::Node::text).is_some_and(|k| k.ends_with("List"));
    if let Some(items) = node.get("items").filter(|_| is_list) {
        if !items.is_null() && !matches!(items.content, Content::Seq(_)) {
            return Err(items.error("expected a list of objects as items".to_owned()));
        }
        return items.items().iter().try_for_each(|item| expand(item, dialect, found));
    }
    let Value::Object(map) = node.to_value(dialect)? else { return Ok(()) };
    let (mut bare_nulls, mut spelled) = (Vec::new(), BTreeMap::new());
    let mut path = Vec::new();
    collect(node, dialect, &mut path, &mut bare_nulls, &mut spelled);
    found.push(Parsed {
        object: Arc::new(Object(map)),
        line: node.line,
        bare_nulls: Arc::new(bare_nulls),
        raw: Arc::new(raw_texts(node, dialect)?),
        spelled: Arc::new(spelled),
    });
    Ok(())
}

/// Labels and annotations that are written without quotes and read as something else than text.
fn raw_texts(node: &spanned::Node, dialect: Dialect) -> Result<RawTexts, YamlError> {
    let mut raw = BTreeMap::new();
    for field in ["labels", "annotations"] {
        let entries = node.get("metadata").and_then(|m| m.get(field)).map(spanned::Node::entries);
        for entry in entries.unwrap_or_default() {
            let (Some(key), Some(text)) = (entry.key.text(), entry.value.text()) else { continue };
            let value = entry.value.to_value(dialect)?;
            if value.as_str() != Some(text) {
                raw.insert((field, key.to_owned()), (value, text.to_owned()));
            }
        }
    }
    Ok(raw)
}

/// A key or a place in a list, on the way to a field.
#[derive(Clone, Copy)]
enum Part<'n> {
    Key(&'n str),
    Index(usize),
}

/// A path to be kept. Hardly one field in a thousand needs its own.
fn kept(path: &[Part<'_>]) -> Vec<String> {
    let text = |part: &Part<'_>| match part {
        Part::Key(key) => (*key).to_owned(),
        Part::Index(index) => index.to_string(),
    };
    path.iter().map(text).collect()
}

/// Collects the fields that hold nothing, and the scalars whose text is not what they print as.
fn collect<'n>(
    node: &'n spanned::Node,
    dialect: Dialect,
    path: &mut Vec<Part<'n>>,
    bare_nulls: &mut Vec<Vec<String>>,
    spelled: &mut Spelled,
) {
    let mut visit = |step: Part<'n>, child: &'n spanned::Node| {
        path.push(step);
        if child.is_bare_null() {
            bare_nulls.push(kept(path));
        } else if let Content::Scalar(scalar) = &child.content {
            // A number starts with a digit, a sign or a point.
            if scalar.style == Style::Plain
                && scalar.text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
                && let Ok(value) = child.to_value(dialect)
                && value.is_number()
                && value.to_string().as_str() != scalar.text.as_str()
            {
                spelled.insert(kept(path), (value, scalar.text.clone()));
            }
        } else {
            collect(child, dialect, path, bare_nulls, spelled);
        }
        path.pop();
    };
    for entry in node.entries() {
        visit(Part::Key(entry.key.text().unwrap_or_default()), &entry.value);
    }
    for (index, item) in node.items().iter().enumerate() {
        visit(Part::Index(index), item);
    }
}

/// `relative` as seen from the folder `base`, both from the repository's root; `None` where it
/// leaves the repository.
#[must_use]
pub fn join(base: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Names of a folder's entries for a message, the first few.
fn names(folder: &Tree) -> String {
    const SHOWN: usize = 8;
    let mut names: Vec<&str> = folder.entries.keys().map(|k| &**k).take(SHOWN).collect();
    if folder.entries.len() > SHOWN {
        names.push("...");
    }
    names.join(", ")
}
