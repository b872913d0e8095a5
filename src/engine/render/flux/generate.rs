//! The kustomization file that Flux builds with: the folder's own, or one that names all that is
//! in it, with the fields of the Flux object added.

use std::sync::Arc;

use super::settings::Settings;
use crate::base::Digest;
use crate::engine::model::{Blob, Node, RenderError, Tree};
use crate::engine::render::kustomize::{FILE_NAMES, is_field};
use crate::engine::render::reader::{self, join};
use crate::object::yaml::{Dialect, go_string, spanned};
use crate::object::{Map, Value, json};

/// Files of CI systems and tools, which Flux leaves out of an artifact.
const LEFT_OUT: [&str; 13] = [
    ".git",
    ".github",
    ".circleci",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    ".goreleaser.yml",
    ".sops.yaml",
    ".flux.yaml",
];

/// A tree with the file in it.
pub(super) struct Generated {
    pub(super) tree: Tree,
    /// The path of the file.
    pub(super) file: String,
    /// Whether the folder had none.
    pub(super) is_new: bool,
}

/// Puts the kustomization file of the folder `path` into the tree.
pub(super) fn kustomization(
    tree: &Tree,
    path: &str,
    settings: &Settings,
) -> Result<Generated, RenderError> {
    let folder = match tree.find(path) {
        Some(Node::Dir(folder)) => folder,
        None if path.is_empty() => tree,
        _ => {
            let message = "there is no such folder".to_owned();
            return Err(RenderError { file: path.to_owned(), line: 0, column: 0, message });
        }
    };
    let own = FILE_NAMES.iter().find_map(|name| Some((*name, folder.file(name)?)));
    let file = join(path, own.map_or(FILE_NAMES[0], |(name, _)| name)).unwrap_or_default();
    let mut fields = match own {
        Some((_, blob)) => read(&file, blob)?,
        None => all_of(folder, path)?,
    };
    let wrong = |message| RenderError { file: file.clone(), line: 0, column: 0, message };
    add(&mut fields, settings, folder).map_err(wrong)?;
    let text = go_string(&Value::Object(fields));
    let mut digest = Digest::default();
    digest.add(text.as_bytes());
    let blob = Blob { id: digest.to_hex().into(), bytes: text.into_bytes().into() };
    let tree = with_file(tree, &file, Arc::new(blob));
    Ok(Generated { tree, file, is_new: own.is_none() })
}

/// The fields of a kustomization file; those that kustomize does not have are passed over.
fn read(file: &str, blob: &Blob) -> Result<Map, RenderError> {
    let text = reader::text(file, blob)?;
    let nodes = spanned::documents_last_wins(text).map_err(|error| reader::in_file(file, error))?;
    let value = match nodes.first() {
        Some(node) => {
            node.to_value(Dialect::Kubectl).map_err(|error| reader::in_file(file, error))?
        }
        None => json!({}),
    };
    let Value::Object(mut fields) = value else {
        let message = "a kustomization file is a map".to_owned();
        return Err(RenderError { file: file.to_owned(), line: 1, column: 1, message });
    };
    fields.retain(|name, value| is_field(name) && !value.is_null());
    if fields.get("resources").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        // A file without resources would be taken for an empty one.
        fields.insert("buildMetadata".to_owned(), json!(["originAnnotations"]));
    }
    Ok(fields)
}

/// A kustomization of everything below a folder.
fn all_of(folder: &Tree, path: &str) -> Result<Map, RenderError> {
    let mut resources = Vec::new();
    walk(folder, path, ".", &mut resources)?;
    let mut fields = Map::new();
    fields.insert("apiVersion".to_owned(), json!("kustomize.config.k8s.io/v1beta1"));
    fields.insert("kind".to_owned(), json!("Kustomization"));
    if resources.is_empty() {
        fields.insert("namespace".to_owned(), json!("_placeholder"));
    } else {
        fields.insert("resources".to_owned(), json!(resources));
    }
    Ok(fields)
}

fn walk(
    folder: &Tree,
    path: &str,
    shown: &str,
    found: &mut Vec<String>,
) -> Result<(), RenderError> {
    for (name, node) in &folder.entries {
        if LEFT_OUT.contains(&&**name) {
            continue;
        }
        let shown = format!("{shown}/{name}");
        let path = join(path, name).unwrap_or_default();
        match node {
            Node::Dir(folder) => {
                if FILE_NAMES.iter().any(|name| folder.file(name).is_some()) {
                    found.push(shown);
                } else {
                    walk(folder, &path, &shown, found)?;
                }
            }
            Node::File(blob) if name.ends_with(".yaml") || name.ends_with(".yml") => {
                check(&path, blob)?;
                found.push(shown);
            }
            Node::File(_) => {}
        }
    }
    Ok(())
}

/// A file that holds no objects fails the whole, rather than being passed over.
fn check(path: &str, blob: &Blob) -> Result<(), RenderError> {
    let text = reader::text(path, blob)?;
    let parsed = reader::parse_objects(text, Dialect::Kustomize)
        .map_err(|error| reader::in_file(path, error))?;
    for parsed in parsed {
        if parsed.object.kind().is_empty() || parsed.object.name().is_empty() {
            let message = "no Kubernetes manifest: kind or metadata.name is missing".to_owned();
            return Err(RenderError {
                file: path.to_owned(),
                line: parsed.line,
                column: 1,
                message,
            });
        }
    }
    Ok(())
}

/// Adds the fields of the Flux object.
fn add(fields: &mut Map, settings: &Settings, folder: &Tree) -> Result<(), String> {
    for (name, text) in [
        ("namespace", &settings.namespace),
        ("namePrefix", &settings.name_prefix),
        ("nameSuffix", &settings.name_suffix),
    ] {
        if let Some(text) = text {
            fields.insert(name.to_owned(), json!(text));
        }
    }
    for patch in &settings.patches {
        push(fields, "patches", patch.clone())?;
    }
    for component in &settings.components {
        if !is_local(component) {
            return Err(format!("component path '{component}' must be local and relative"));
        }
        let is_there = component.starts_with("..") || folder.find(component).is_some();
        if is_there || !settings.ignore_missing_components {
            push(fields, "components", json!(component))?;
        }
    }
    for image in &settings.images {
        add_image(fields, image)?;
    }
    if !settings.build_metadata.is_empty() {
        fields.insert("buildMetadata".to_owned(), json!(settings.build_metadata));
    }
    Ok(())
}

fn push(fields: &mut Map, name: &str, value: Value) -> Result<(), String> {
    match fields.entry(name).or_insert_with(|| json!([])) {
        Value::Array(items) => {
            items.push(value);
            Ok(())
        }
        other => Err(format!("{name}: expected a list, found {other}")),
    }
}

/// Adds an image, or changes the one of its name: tag and digest go together.
fn add_image(fields: &mut Map, image: &Value) -> Result<(), String> {
    let text = |key: &str| image.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let have = fields.get_mut("images").and_then(Value::as_array_mut);
    let same = |have: &&mut Value| have.get("name") == image.get("name");
    let Some(Value::Object(have)) = have.and_then(|have| have.iter_mut().find(same)) else {
        return push(fields, "images", image.clone());
    };
    if let Some(name) = text("newName") {
        have.insert("newName".to_owned(), json!(name));
    }
    if text("newTag").is_some() || text("digest").is_some() {
        for key in ["newTag", "digest"] {
            match text(key) {
                Some(value) => have.insert(key.to_owned(), json!(value)),
                None => have.remove(key),
            };
        }
    }
    Ok(())
}

fn is_local(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let remote =
        ["git::", "gh:", "ssh://", "https://", "http://", "git@", "github.com:", "github.com/"];
    !remote.iter().any(|start| lower.starts_with(start))
        && !lower.strip_prefix("file://").unwrap_or(&lower).starts_with('/')
}

/// A tree with a file in the place of what is at the path.
fn with_file(tree: &Tree, path: &str, blob: Arc<Blob>) -> Tree {
    let mut whole = tree.clone();
    let mut digest = Digest::default();
    digest.add(tree.id.as_bytes());
    digest.add(blob.id.as_bytes());
    whole.id = digest.to_hex().into();
    match path.split_once('/') {
        None => {
            whole.entries.insert(path.into(), Node::File(blob));
        }
        Some((name, rest)) => {
            if let Some(Node::Dir(folder)) = tree.entries.get(name) {
                let folder = with_file(folder, rest, blob);
                whole.entries.insert(name.into(), Node::Dir(Arc::new(folder)));
            }
        }
    }
    whole
}
