//! Where a YAML file says which tag of an image is to run, and the edits that change it. Which
//! files are looked at, and what is done with the edits, is the draft's.

use std::collections::BTreeSet;

use super::GitError;
use crate::object::Value;
use crate::object::yaml::edit::{self, Splice};
use crate::object::yaml::spanned::{Content, Entry, Node, Scalar, Style};

/// A tag or digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Tag(String),
    Digest(String),
}

impl Tag {
    /// Reads `good`, `v1.2` or `sha256:…`; `None` where no image can have such a tag.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(hex) = text.strip_prefix("sha256:") {
            let good = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
            return good.then(|| Self::Digest(text.to_owned()));
        }
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let good = text.len() <= 128
            && text.bytes().next().is_some_and(word)
            && text.bytes().all(|b| word(b) || b == b'.' || b == b'-');
        good.then(|| Self::Tag(text.to_owned()))
    }

    fn behind(&self, name: &str) -> String {
        match self {
            Self::Tag(tag) => format!("{name}:{tag}"),
            Self::Digest(digest) => format!("{name}@{digest}"),
        }
    }

    /// The key of a kustomization's image entry, and its value.
    fn entry(&self) -> (&'static str, &str) {
        match self {
            Self::Tag(tag) => ("newTag", tag),
            Self::Digest(digest) => ("digest", digest),
        }
    }
}

/// A place that names the image.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Whether it says which tag: a manifest may name an image without one.
    pub(super) pinned: bool,
    /// What gives it the new tag.
    pub(super) splices: Vec<Splice>,
}

/// Whether a file of this name is looked at.
pub(super) fn may_pin(path: &str) -> bool {
    let name = file_name(path);
    [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end)) || name == "Kustomization"
}

fn is_kustomization(path: &str) -> bool {
    matches!(file_name(path), "kustomization.yaml" | "kustomization.yml" | "Kustomization")
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The places of a file that name `image`.
///
/// # Errors
/// `Field` for an entry that has both a tag and a digest: which one counts is kustomize's affair.
pub(super) fn find(
    path: &str,
    text: &str,
    documents: &[Node],
    image: &str,
    tag: &Tag,
) -> Result<Vec<Place>, GitError> {
    let mut found = Vec::new();
    for document in documents {
        for entry in entries(path, document).iter().filter(|entry| !entry.aliased) {
            let named = |key| entry.get(key).and_then(Node::text) == Some(image);
            if named("name") || named("newName") {
                let splices = entry_splices(text, entry, tag).map_err(|what| GitError::Field {
                    file: path.to_owned(),
                    what: format!("{image} {what}"),
                })?;
                found.push(Place { pinned: true, splices });
            }
        }
        walk(document, &mut |node, style| match node {
            Use::Reference(at, name, pinned) if name == image => {
                let new = edit::scalar(&Value::String(tag.behind(name).into()), style);
                let splices = vec![Splice { span: at.span.clone(), new }];
                found.push(Place { pinned, splices });
            }
            Use::Values(name, at) if name == image => {
                let (Tag::Tag(text) | Tag::Digest(text)) = tag;
                let new = edit::scalar(&Value::String(text.as_str().into()), style);
                let splices = vec![Splice { span: at.span.clone(), new }];
                found.push(Place { pinned: true, splices });
            }
            _ => {}
        });
    }
    Ok(found)
}

/// The images that a file names.
pub(super) fn names(path: &str, documents: &[Node], names: &mut BTreeSet<String>) {
    for document in documents {
        for entry in entries(path, document) {
            let key = entry.get("newName").or_else(|| entry.get("name"));
            names.extend(key.and_then(Node::text).map(str::to_owned));
        }
        walk(document, &mut |node, _| {
            let (Use::Reference(_, name, _) | Use::Values(name, _)) = node;
            names.insert(name.to_owned());
        });
    }
}

/// The entries of `images:` of a kustomization.
fn entries<'a>(path: &str, document: &'a Node) -> &'a [Node] {
    if !is_kustomization(path) {
        return &[];
    }
    document.get("images").map_or(&[], Node::items)
}

/// One use of an image.
enum Use<'a> {
    /// `image: name[:tag][@digest]`: the scalar, the name, and whether there is a tag or digest.
    Reference(&'a Node, &'a str, bool),
    /// `image: {repository: name, tag: …}` of Helm values: the name, and the tag's scalar.
    Values(&'a str, &'a Node),
}

fn walk<'a>(node: &'a Node, on: &mut impl FnMut(Use<'a>, Style)) {
    // What stands here through an alias is changed where it is written.
    if node.aliased {
        return;
    }
    for item in node.items() {
        walk(item, on);
    }
    for Entry { key, value } in node.entries() {
        if key.text() == Some("image") && !value.aliased {
            match &value.content {
                Content::Scalar(Scalar { text, style, .. }) if *style != Style::Block => {
                    let name = name_of(text);
                    if !name.is_empty() {
                        on(Use::Reference(value, name, name.len() < text.len()), *style);
                    }
                }
                Content::Map(_) => {
                    let name = value.get("repository").and_then(Node::text);
                    if let (Some(name), Some(tag)) = (name, value.get("tag"))
                        && let Content::Scalar(Scalar { style, .. }) = &tag.content
                        && *style != Style::Block
                        && !tag.aliased
                        && !tag.span.is_empty()
                    {
                        on(Use::Values(name, tag), *style);
                    }
                }
                _ => {}
            }
        }
        walk(value, on);
    }
}

/// An image reference without tag and digest. A colon before the last slash is a port.
fn name_of(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or(reference);
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    name[last..].find(':').map_or(name, |colon| &name[..last + colon])
}

/// What gives an entry of a kustomization its tag.
fn entry_splices(text: &str, entry: &Node, tag: &Tag) -> Result<Vec<Splice>, String> {
    let (key, new) = tag.entry();
    let new = Value::String(new.into());
    match (entry.entry("newTag"), entry.entry("digest")) {
        (Some(_), Some(_)) => {
            Err("has both newTag and digest in its entry; take one of them out".to_owned())
        }
        (Some(pin), None) | (None, Some(pin)) => {
            let found = edit::replace(text, &pin.value, Some(pin), &new);
            let mut splices =
                vec![found.map_err(|error| format!("has a tag in its entry that {error}"))?];
            if pin.key.text() != Some(key) {
                splices.push(Splice { span: pin.key.span.clone(), new: key.to_owned() });
            }
            Ok(splices)
        }
        (None, None) => {
            let line = format!("{key}: {}", edit::scalar(&new, Style::Plain));
            let found = edit::append(text, entry, &line);
            found
                .map(|splice| vec![splice])
                .ok_or_else(|| "is in an entry made of merge keys; write the file anew".to_owned())
        }
    }
}

#[cfg(test)]
mod tests;
