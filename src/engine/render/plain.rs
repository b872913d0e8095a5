//! A folder of manifests without a kustomization file: every `*.yaml`, `*.yml` and `*.json` below
//! it, in the order of their paths, read as kubectl reads them.
//!
//! A folder further down that has a kustomization file is built, as Flux does when it generates
//! the kustomization that is missing above. Left out are `scenario.yaml` and `*.scenario.yaml`
//! (towtank's own) and whatever is hidden (`.github/` holds workflows, not manifests). Anything
//! else that is no manifest, a Helm `values.yaml` for one, is refused by name rather than passed
//! over: Flux refuses it too, and a manifest that lost its `kind` would go unnoticed.

use super::cache::Parsed;
use super::reader::{Reader, join};
use super::{error_at, kustomize};
use crate::engine::model::{Manifest, Node, Origin, RenderError, Tree};
use crate::object::yaml::Dialect;

/// The objects of every manifest below the folder `path`.
pub(super) fn folder(
    reader: &mut Reader<'_>,
    path: &str,
    options: &kustomize::Options,
) -> Result<Vec<Manifest>, RenderError> {
    let mut manifests = Vec::new();
    // The order of the folder is that of its paths, so what is built is not sorted.
    let options = kustomize::Options { order: kustomize::Order::Listed, ..options.clone() };
    if let Some(folder) = reader.list(path) {
        walk(reader, path, folder, &options, &mut manifests)?;
    }
    Ok(manifests)
}

/// The objects of one file.
pub(super) fn file(reader: &mut Reader<'_>, path: &str) -> Result<Vec<Manifest>, RenderError> {
    let Some(blob) = reader.file(path) else { return Ok(Vec::new()) };
    let objects = reader.objects(path, &blob, Dialect::Kubectl)?;
    objects.iter().map(|parsed| manifest(path, parsed)).collect()
}

fn walk(
    reader: &mut Reader<'_>,
    path: &str,
    folder: &Tree,
    options: &kustomize::Options,
    manifests: &mut Vec<Manifest>,
) -> Result<(), RenderError> {
    refuse_chart(path, folder)?;
    for (name, node) in &folder.entries {
        if name.starts_with('.') {
            continue;
        }
        let path = join(path, name).unwrap_or_default();
        match node {
            Node::File(_) if is_manifest_name(name) => manifests.extend(file(reader, &path)?),
            Node::File(_) => {}
            Node::Dir(folder) => match kustomize::file_of(reader, &path)? {
                Some(_) => manifests.extend(kustomize::build_with(reader, &path, options)?),
                None => walk(reader, &path, folder, options, manifests)?,
            },
        }
    }
    Ok(())
}

fn is_manifest_name(name: &str) -> bool {
    let manifest = [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending));
    manifest && name != "scenario.yaml" && !name.ends_with(".scenario.yaml")
}

/// The files of a Helm chart look like manifests and are templates.
fn refuse_chart(path: &str, folder: &Tree) -> Result<(), RenderError> {
    let is_chart =
        folder.entries.contains_key("Chart.yaml") && folder.entries.contains_key("templates");
    if !is_chart {
        return Ok(());
    }
    let file = join(path, "Chart.yaml").unwrap_or_default();
    let message = "this folder is a Helm chart, not plain manifests".to_owned();
    Err(RenderError { file, line: 0, column: 0, message })
}

fn manifest(path: &str, parsed: &Parsed) -> Result<Manifest, RenderError> {
    let origin = Origin { file: path.to_owned(), line: parsed.line };
    let object = &parsed.object;
    let missing: Vec<&str> = [
        ("apiVersion", object.api_version()),
        ("kind", object.kind()),
        ("metadata.name", object.name()),
    ]
    .into_iter()
    .filter_map(|(field, value)| value.is_empty().then_some(field))
    .collect();
    if missing.is_empty() {
        return Ok(Manifest { object: object.clone(), origin });
    }
    let verb = if missing.len() == 1 { "is" } else { "are" };
    Err(error_at(&origin, format!("no Kubernetes manifest: {} {verb} missing", missing.join(", "))))
}
