//! `towtank render DIR --flux FILE`: what Flux makes of a repository for a Kustomization object.
//!
//! The file holds the object, and beside it the ConfigMaps and Secrets that variables come from:
//! no cluster is asked. Secrets are taken as they are, nothing is decrypted.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::disk::{Unreadable, whole};
use super::super::sources::Sources;
use crate::engine::model::{Node, Rendered};
use crate::engine::render::flux::{self, Settings};
use crate::object::yaml::{Dialect, documents};
use crate::object::{Object, Value};

const GROUP: &str = "kustomize.toolkit.fluxcd.io";

/// What the file asks for.
struct Asked {
    path: String,
    settings: Settings,
    /// ConfigMaps and Secrets, by kind and name.
    found: BTreeMap<(String, String), Object>,
}

pub(super) fn rendered(
    folder: &Path,
    file: &Path,
    sources: &mut Sources,
) -> Result<Rendered, Unreadable> {
    let Node::Dir(tree) = whole(folder)? else {
        return Err(Unreadable(format!("{}: expected a folder", folder.display())));
    };
    let Asked { path, settings, found } = asked(file)?;
    let shown = |mut error: crate::engine::model::RenderError| {
        error.file = folder.join(&error.file).to_string_lossy().into_owned();
        Unreadable(error.to_string())
    };
    loop {
        let (options, cache) = (&sources.options, &mut sources.cache);
        let error = match flux::build(&tree, &path, &settings, &found, options, cache) {
            Ok(rendered) => return Ok(rendered),
            Err(error) => error,
        };
        let missing = flux::missing(&tree, &path, &settings, options, cache).map_err(shown)?;
        if !sources.fetch_all(missing, &error).map_err(shown)? {
            return Err(shown(error));
        }
    }
}

fn asked(file: &Path) -> Result<Asked, Unreadable> {
    let wrong = |why: String| Unreadable(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let read = documents(&text, Dialect::Kubectl).map_err(|error| {
        let (line, column) = (error.line, error.column);
        Unreadable(format!("{}:{line}:{column}: {}", file.display(), error.message))
    })?;
    let mut kustomizations = Vec::new();
    let mut found = BTreeMap::new();
    for object in read.into_iter().filter_map(|document| Object::from_value(document.value).ok()) {
        match object.kind() {
            "Kustomization" if object.gvk().group == GROUP => kustomizations.push(object),
            "ConfigMap" => {
                found.insert(("ConfigMap".to_owned(), object.name().to_owned()), object);
            }
            "Secret" => {
                found.insert(("Secret".to_owned(), object.name().to_owned()), encoded(object));
            }
            _ => {}
        }
    }
    let [kustomization] = kustomizations.as_slice() else {
        let count = kustomizations.len();
        return Err(wrong(format!("expected one Kustomization of {GROUP}, found {count}")));
    };
    let path = kustomization.text(&["spec", "path"]).unwrap_or_default();
    let settings = Settings::read(kustomization).map_err(wrong)?;
    Ok(Asked { path: path.to_owned(), settings, found })
}

/// A Secret whose texts are encoded with the rest, as a server keeps it.
fn encoded(mut secret: Object) -> Object {
    if let Some(Value::Object(texts)) = secret.remove(&["stringData"]) {
        for (key, text) in &texts {
            let text = text.as_str().unwrap_or_default();
            secret.set(&["data", key], BASE64.encode(text).into());
        }
    }
    secret
}
