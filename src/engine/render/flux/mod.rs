//! What Flux adds to kustomize: a kustomization file where there is none, the fields of the Flux
//! object that go into it, and variables put into the result.
//!
//! Pure functions over a tree and a [`Settings`]; ConfigMaps and Secrets that variables come from
//! are the caller's to fetch ([`Settings::sources`]). A `.sourceignore` is not read; what Flux
//! leaves out by default is left out.

mod envsubst;
mod generate;
mod glob;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use envsubst::substitute;
pub use settings::{Settings, Source};

use super::cache::ParseCache;
use super::error_at;
use super::kustomize::{self, Files, Options};
use super::reader::join;
use crate::engine::model::{Manifest, RenderError, Rendered, Tree};
use crate::object::yaml::{Dialect, documents, go_string_of};
use crate::object::{Object, Value};

/// The label or annotation that keeps variables out of an object, with the value `disabled`.
const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Builds the folder `path` as Flux does for a Kustomization with these settings. `found` holds
/// the ConfigMaps and Secrets of [`Settings::sources`] that there are, by kind and name.
///
/// # Errors
/// As of [`kustomize::build`]; where a source of variables is missing that is not optional, a
/// variable has no value in strict mode, or what comes out is no YAML.
pub fn build(
    tree: &Tree,
    path: &str,
    settings: &Settings,
    found: &BTreeMap<(String, String), Object>,
    options: &Options,
    cache: &mut ParseCache,
) -> Result<Rendered, RenderError> {
    let path = &join("", path).unwrap_or_else(|| path.to_owned());
    let generated = generate::kustomization(tree, path, settings)?;
    // Flux lets files be anywhere in the repository.
    let options = Options { files: Files::Anywhere, ..options.clone() };
    let mut rendered = kustomize::build(&generated.tree, path, &options, cache)?;
    // The file that was made is not in the commit: what it was made of is.
    rendered.inputs.insert(generated.file.clone(), tree.id_at(&generated.file).cloned());
    if generated.is_new {
        rendered.inputs.insert(path.clone(), tree.id_at(path).cloned());
    }
    let wrong =
        |message: String| RenderError { file: generated.file.clone(), line: 0, column: 0, message };
    let variables = settings.variables(found).map_err(wrong)?;
    if !variables.is_empty() || settings.always {
        for manifest in &mut rendered.manifests {
            put_variables(manifest, &variables, settings.strict)?;
        }
    }
    for manifest in &mut rendered.manifests {
        add_common_metadata(manifest, settings);
    }
    Ok(rendered)
}

/// What a build lacks that is named by URL, see [`kustomize::missing`].
///
/// # Errors
/// Where there is no kustomization file and none can be made.
pub fn missing(
    tree: &Tree,
    path: &str,
    settings: &Settings,
    options: &Options,
    cache: &mut ParseCache,
) -> Result<BTreeSet<kustomize::Remote>, RenderError> {
    let path = &join("", path).unwrap_or_else(|| path.to_owned());
    let generated = generate::kustomization(tree, path, settings)?;
    Ok(kustomize::missing(&generated.tree, path, options, cache))
}

fn put_variables(
    manifest: &mut Manifest,
    variables: &BTreeMap<String, String>,
    strict: bool,
) -> Result<(), RenderError> {
    let says_no =
        |field: &str| manifest.object.text(&["metadata", field, SUBSTITUTE]) == Some("disabled");
    if says_no("labels") || says_no("annotations") {
        return Ok(());
    }
    let wrong = |why: String| {
        error_at(&manifest.origin, format!("{}: envsubst error: {why}", manifest.object.id()))
    };
    let text = substitute(&go_string_of(&manifest.object), variables, strict).map_err(wrong)?;
    let read = documents(&text, Dialect::Kubectl).map_err(|error| wrong(error.message))?;
    let value = read.into_iter().next().map(|document| document.value).unwrap_or_default();
    let object =
        Object::from_value(value).map_err(|_| wrong("what comes out is no object".to_owned()))?;
    manifest.object = Arc::new(object);
    Ok(())
}

fn add_common_metadata(manifest: &mut Manifest, settings: &Settings) {
    for (field, texts) in
        [("labels", &settings.common_labels), ("annotations", &settings.common_annotations)]
    {
        for (key, text) in texts {
            let object = Arc::make_mut(&mut manifest.object);
            object.set(&["metadata", field, key], Value::from(text.as_str()));
        }
    }
}
