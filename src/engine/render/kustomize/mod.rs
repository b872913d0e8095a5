//! Kustomize, built in: what `kustomize build` (5.8) makes of a folder.
//!
//! All of a kustomization file is read but `helmCharts`, and plugins that are programs or
//! containers: these are refused by name, never passed over.
//!
//! In one's head: a kustomization (`kustomization`) is read, its resources
//! are gathered (`accumulate`), then each field changes them in a fixed order, one file a
//! transformer; at the very end names that others refer to are repaired (`nameref`) and the
//! objects are sorted. The results, oddities included, are held to recorded builds of the real one
//! (`tests/it/render.rs`). Where 5.5 and 5.8 differ (labels of volume claim templates, images in
//! volumes, digests other than sha256), 5.8 is followed.

mod accumulate;
mod config;
mod config_defaults;
mod configure;
mod crds;
mod decode;
mod fieldspec;
mod generate;
mod hash;
mod image_name;
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
mod openapi;
mod origin;
mod patch;
mod path;
mod pattern;
mod plugins;
mod remote;
mod replace;
mod replicas;
mod resource;
mod schema;
mod select;
mod selectors;
mod shared;
mod sort;
mod structured;
mod transform;
mod vars;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

pub use remote::{Remote, Remotes};

use super::cache::ParseCache;
use super::reader::{Reader, join};
use crate::engine::model::{GitId, Manifest, RenderError, Rendered, Tree};
use crate::object::yaml;

/// The names that a kustomization file may have.
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What `managedByLabel` says: the version that is followed here.
const MANAGED_BY: &str = "kustomize-v5.8.2";

/// How to build, where a caller wants something else than `kustomize build` does by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The order of the objects.
    pub order: Order,
    /// Which files a kustomization may name.
    pub files: Files,
    /// What is at hand of what a kustomization names by URL.
    pub remotes: Remotes,
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
    let whole = mounted(tree, options);
    let mut reader = Reader::new(&whole, cache);
    let path = &join("", path).unwrap_or_else(|| path.to_owned());
    let built = reader.must_find(path).and_then(|_| build_with(&mut reader, path, options));
    let manifests = built.map_err(|error| shown(&mut reader, error, options))?;
    Ok(Rendered { manifests, inputs: of_the_commit(reader.finish()) })
}

/// What was looked at, without what is elsewhere: that is pinned by the caller, not by the commit.
pub(super) fn of_the_commit(
    mut inputs: BTreeMap<String, Option<GitId>>,
) -> BTreeMap<String, Option<GitId>> {
    inputs.retain(|path, _| remote::mount(path).is_none());
    inputs
}

/// An error with the field that it is about, and, in a file that is
/// elsewhere, with the file's URL.
pub(super) fn shown(reader: &mut Reader<'_>, error: RenderError, options: &Options) -> RenderError {
    let message = match field_of(reader, &error) {
        Some(field) => format!("{field}: {}", error.message),
        None => error.message,
    };
    let file = remote::url_of(&error.file, &options.remotes);
    RenderError { file: file.unwrap_or(error.file), message, ..error }
}

/// The field that an error is about and does not name.
fn field_of(reader: &mut Reader<'_>, error: &RenderError) -> Option<String> {
    if error.line == 0 || error.column == 0 {
        return None;
    }
    let blob = reader.file(&error.file)?;
    let documents = reader.loose_nodes(&error.file, &blob).ok()?;
    let document = documents.iter().rfind(|document| document.line <= error.line)?;
    let field = decode::field_at(document, error.line, error.column)?;
    let is_named = field.rsplit('.').next().is_some_and(|last| error.message.contains(last));
    (!is_named).then_some(field)
}

/// A build, and what it looked for in vain.
#[derive(Debug)]
pub struct Attempt {
    /// As of [`build`].
    pub result: Result<Rendered, RenderError>,
    /// Paths that were looked for, or that a build that goes further would look for, and that are
    /// not in the tree. Not all of them need be there.
    pub absent: BTreeSet<String>,
}

/// As [`build`], for a caller that has only a part of the tree at hand and reads the rest when it
/// is asked for.
pub fn attempt(tree: &Tree, path: &str, options: &Options, cache: &mut ParseCache) -> Attempt {
    let result = build(tree, path, options, cache);
    let mut absent = BTreeSet::new();
    if result.is_err() {
        let whole = mounted(tree, options);
        let path = join("", path).unwrap_or_else(|| path.to_owned());
        let mut reader = Reader::new(&whole, cache);
        drop(accumulate::missing(&mut reader, &path, options));
        absent.extend(reader.finish().into_iter().filter(|(_, id)| id.is_none()).map(|(p, _)| p));
        let mut reader = Reader::new(&whole, cache);
        drop(build_with(&mut reader, &path, options));
        absent.extend(reader.finish().into_iter().filter(|(_, id)| id.is_none()).map(|(p, _)| p));
    }
    Attempt { result, absent }
}

pub(super) fn mounted<'t>(tree: &'t Tree, options: &Options) -> Cow<'t, Tree> {
    if options.remotes.is_empty() {
        return Cow::Borrowed(tree);
    }
    Cow::Owned(remote::mounted(tree, &options.remotes))
}

/// What the folder `path` and all that it is based on names by URL and `options` has not at hand.
/// A build without it fails; once it is there, there may be more.
pub fn missing(
    tree: &Tree,
    path: &str,
    options: &Options,
    cache: &mut ParseCache,
) -> BTreeSet<Remote> {
    let whole = mounted(tree, options);
    let mut reader = Reader::new(&whole, cache);
    let path = join("", path).unwrap_or_else(|| path.to_owned());
    accumulate::missing(&mut reader, &path, options)
}

/// Whether a kustomization file may have a field of that name.
pub(super) fn is_field(name: &str) -> bool {
    kustomization::is_known(name)
}

/// What was rendered as YAML, in the very bytes of `kustomize build`.
#[must_use]
pub fn to_yaml(rendered: &Rendered) -> String {
    let mut text = String::new();
    for manifest in &rendered.manifests {
        if !text.is_empty() {
            text.push_str("---\n");
        }
        yaml::write_go(&mut text, &manifest.object);
    }
    text
}

pub(super) fn build_with(
    reader: &mut Reader<'_>,
    path: &str,
    options: &Options,
) -> Result<Vec<Manifest>, RenderError> {
    let accumulate::Accumulated { mut resources, config, vars, read, file } =
        accumulate::build(reader, path, options)?;
    hash::add_to_names(&mut resources);
    nameref::fix(&mut resources, &config.name_references)?;
    vars.resolve(&mut resources, &config.var_references)?;
    resources.drop_local()?;
    sort::apply(&mut resources, read.sort.as_ref(), options.order, &file)?;
    let wants = |option: &str| read.build_metadata.iter().any(|text| text.text == option);
    if wants("managedByLabel") {
        let pairs = [("app.kubernetes.io/managed-by".to_owned(), MANAGED_BY.to_owned())].into();
        let field = fieldspec::FieldSpec::any("metadata/labels", true);
        labels::apply(&mut resources, &pairs, &[field])?;
    }
    let keep = resource::Keep {
        origins: wants("originAnnotations"),
        transformations: wants("transformerAnnotations"),
    };
    Ok(resources.into_manifests(keep))
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
