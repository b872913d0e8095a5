//! Kustomize, built in: what `kustomize build` (5.8) makes of a folder.
//!
//! The common part is here: resources, bases and components, namespace, name prefix and suffix
//! with the references to names, labels, annotations, images, replicas and patches of both kinds.
//! Every other field is refused by name, never passed over.
//!
//! In one's head: a kustomization (`kustomization`) is read, its resources
//! are gathered (`accumulate`), then each field changes them in a fixed order, one file a
//! transformer; at the very end names that others refer to are repaired (`nameref`) and the
//! objects are sorted. The results, oddities included, are held to recorded builds of the real one
//! (`tests/it/render.rs`). Where 5.5 and 5.8 differ (labels of volume claim templates, images in
//! volumes, digests other than sha256), 5.8 is followed.

mod accumulate;
mod decode;
mod fieldspec;
mod images;
mod json6902;
mod kustomization;
mod labels;
mod merge;
mod merge_list;
mod nameref;
mod nameref_table;
mod names;
mod namespace;
mod patch;
mod replicas;
mod resource;
mod schema;
mod select;

use super::cache::ParseCache;
use super::reader::{Reader, join};
use crate::engine::model::{Manifest, RenderError, Rendered, Tree};
use crate::object::order;

/// The names that a kustomization file may have.
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// How to build, where a caller wants something else than `kustomize build` does by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The order of the objects.
    pub order: Order,
    /// Which files a kustomization may name.
    pub files: Files,
}

/// The order of the objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By kind, so that what others need comes first: namespaces, CRDs, ... webhooks last.
    #[default]
    ByKind,
    /// As the resources are listed (`--reorder none`).
    Listed,
}

/// Which files a kustomization may name. Folders may be anywhere in the repository either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Files {
    /// Those in or below its own folder.
    #[default]
    Below,
    /// Any (`--load-restrictor LoadRestrictionsNone`; Flux builds this way).
    Anywhere,
}

/// Builds the folder `path` of `tree`, which must have a kustomization file.
///
/// # Errors
/// As [`super::render`].
pub fn build(
    tree: &Tree,
    path: &str,
    options: &Options,
    cache: &mut ParseCache,
) -> Result<Rendered, RenderError> {
    let mut reader = Reader::new(tree, cache);
    let path = &join("", path).unwrap_or_else(|| path.to_owned());
    reader.must_find(path)?;
    let manifests = build_with(&mut reader, path, options)?;
    Ok(Rendered { manifests, inputs: reader.finish() })
}

pub(super) fn build_with(
    reader: &mut Reader<'_>,
    path: &str,
    options: &Options,
) -> Result<Vec<Manifest>, RenderError> {
    let mut resources = accumulate::build(reader, path, options)?;
    nameref::fix(&mut resources)?;
    resources.drop_local();
    let mut manifests: Vec<Manifest> = resources.into_manifests();
    if options.order == Order::ByKind {
        manifests.sort_by_cached_key(|manifest| order::kind_key(&manifest.object));
    }
    Ok(manifests)
}

/// The kustomization file of the folder `path`, if it has one.
///
/// # Errors
/// Where it has two.
pub(super) fn file_of(reader: &mut Reader<'_>, path: &str) -> Result<Option<String>, RenderError> {
    let mut found: Option<String> = None;
    for name in FILE_NAMES {
        let file = join(path, name).unwrap_or_default();
        if reader.file(&file).is_none() {
            continue;
        }
        if let Some(first) = found {
            let message = format!("a folder has one kustomization file, and there is {first} too");
            return Err(RenderError { file, line: 0, column: 0, message });
        }
        found = Some(file);
    }
    Ok(found)
}
