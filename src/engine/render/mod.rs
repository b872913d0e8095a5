//! Renders a folder of a commit to the objects that it stands for.
//!
//! A folder with a kustomization file is built as `kustomize build` would ([`kustomize`]), any
//! other is taken as plain manifests (`plain`). Whatever was looked at is recorded with its Git
//! id, so that a commit that leaves an App's files alone need not render it again.
//!
//! Not here: where the commit comes from (`source`), secrets (`secrets`), the default namespace
//! and the order of apply (`plan`).

mod cache;
pub mod flux;
pub mod kustomize;
mod plain;
mod reader;
mod renderer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use cache::ParseCache;
pub use reader::join;
pub use renderer::Renderer;

use super::model::{Manifest, Node, Origin, RenderError, Rendered, Tree};
use crate::object::ObjectId;
use reader::Reader;

/// Renders what is at `path` (a folder or a file, from the repository's root; empty for the root
/// itself) in `tree`. `cache` spares parsing files that were parsed before; it is the caller's,
/// and one serves any number of Apps and commits.
///
/// # Errors
/// The first thing that is wrong, with its place: a path that is not there, a file that is no
/// YAML or no manifest, a kustomization field that is unknown or not supported, two manifests of
/// one object.
pub fn render(tree: &Tree, path: &str, cache: &mut ParseCache) -> Result<Rendered, RenderError> {
    render_with(tree, path, &kustomize::Options::default(), cache)
}

/// As [`render`], with kustomizations built as `options` say.
///
/// # Errors
/// As of [`render`].
pub fn render_with(
    tree: &Tree,
    path: &str,
    options: &kustomize::Options,
    cache: &mut ParseCache,
) -> Result<Rendered, RenderError> {
    let path = &reader::join("", path).unwrap_or_else(|| path.to_owned());
    let whole = kustomize::mounted(tree, options);
    let mut reader = Reader::new(&whole, cache);
    let manifests = found(&mut reader, path, options);
    let manifests = manifests.map_err(|error| kustomize::shown(&mut reader, error, options))?;
    refuse_twins(&manifests)?;
    let inputs = kustomize::of_the_commit(reader.finish());
    Ok(Rendered { manifests, inputs })
}

fn found(
    reader: &mut Reader<'_>,
    path: &str,
    options: &kustomize::Options,
) -> Result<Vec<Manifest>, RenderError> {
    match reader.must_find(path)? {
        Found::File => plain::file(reader, path),
        Found::Folder => match kustomize::file_of(reader, path)? {
            Some(_) => kustomize::build_with(reader, path, options),
            None => plain::folder(reader, path, options),
        },
    }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    File,
    Folder,
}

impl From<&Node> for Found {
    fn from(node: &Node) -> Self {
        match node {
            Node::File(_) => Self::File,
            Node::Dir(_) => Self::Folder,
        }
    }
}

/// One object may be rendered once only: whichever of two were applied last would win.
fn refuse_twins(manifests: &[Manifest]) -> Result<(), RenderError> {
    let mut seen: BTreeMap<ObjectId, &Origin> = BTreeMap::new();
    for manifest in manifests {
        let id = manifest.object.id();
        let message = format!("{id} is already defined at ");
        if let Some(first) = seen.insert(id, &manifest.origin) {
            return Err(error_at(&manifest.origin, format!("{message}{first}")));
        }
    }
    Ok(())
}

/// An error about a whole document.
fn error_at(origin: &Origin, message: String) -> RenderError {
    let column = usize::from(origin.line > 0);
    RenderError { file: origin.file.clone(), line: origin.line, column, message }
}
