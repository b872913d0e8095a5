//! Why a folder cannot be tried: one problem with its file and place, and what to do instead.

use std::path::{Path, PathBuf};

use super::Trial;
use crate::engine::model::{Node, Origin, RenderError, Tree};
use crate::engine::plan::PlanError;
use crate::lab::scenario::model::Position;
use crate::lab::scenario::{Problem, Problems};
use crate::object::yaml::{self, Dialect, Document};

/// What cannot be rendered.
pub(super) fn render(trial: &Trial<'_>, error: &RenderError) -> Problems {
    if let Some(problems) = carried(trial) {
        return problems;
    }
    let levels = levels_above(trial, error);
    let hint = if levels > 0 {
        above(trial, levels)
    } else if !trial.is_built() && is_twin(trial, error) {
        let folder = error.file.rsplit_once('/').map_or(".", |(folder, _)| folder);
        format!("; --path says which folder to deploy, such as --path {folder}")
    } else {
        component(trial).to_owned()
    };
    at(trial, &error.file, error.line, error.column, &format!("{}{hint}", error.message))
}

/// What renders to objects that no API server would take.
pub(super) fn plan(trial: &Trial<'_>, error: &PlanError) -> Problems {
    if let Some(problems) = carried(trial) {
        return problems;
    }
    let (PlanError::UnknownKind { origin, .. }
    | PlanError::NoName { origin, .. }
    | PlanError::BadField { origin, .. }
    | PlanError::Twice { second: origin, .. }) = error;
    let text = error.to_string();
    let message = text.strip_prefix(&format!("{origin}: ")).unwrap_or(&text);
    at(trial, &origin.file, origin.line, 1, message)
}

/// A folder that renders to nothing.
pub(super) fn nothing(trial: &Trial<'_>) -> Problems {
    let what = if trial.is_built() { "this kustomization builds to" } else { "this folder has" };
    let hint = match component(trial) {
        "" if !trial.is_built() => "; expected Kubernetes manifests or a kustomization.yaml",
        hint => hint,
    };
    at(trial, &trial.app.path, 0, 0, &format!("nothing to deploy: {what} no objects{hint}"))
}

/// Objects in several namespaces that are not deployed with them.
pub(super) fn namespaces(trial: &Trial<'_>, missing: &[&str], origin: &Origin) -> Problems {
    let names = missing.join(" and ");
    let message = format!(
        "namespaces {names} are not deployed with what is in them; a folder that holds them too \
         can be tried"
    );
    at(trial, &origin.file, origin.line, 1, &message)
}

/// A problem at a place in the repository. Its file is named from where the user is, so that an
/// editor finds it; in a bare repository there is no such file.
fn at(trial: &Trial<'_>, file: &str, line: usize, column: usize, message: &str) -> Problems {
    let position = (line > 0).then_some(Position { line, column: column.max(1) });
    let there = if file.is_empty() { trial.folder.to_owned() } else { trial.folder.join(file) };
    let problem = if there.exists() {
        Problem { file: plain(&there), at: position, message: message.to_owned() }
    } else {
        let place = position.map(|at| format!(":{at}")).unwrap_or_default();
        let message = format!("{file}{place}: {message}");
        Problem { file: trial.folder.to_owned(), at: None, message }
    };
    Problems(vec![problem])
}

/// A path without the `.` segments that joining leaves.
fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

/// How many folders above the one that is tried the path leads that stands where an error is; 0
/// where there is none, or it leads nowhere above.
fn levels_above(trial: &Trial<'_>, error: &RenderError) -> usize {
    let path = trial.tree.file(&error.file).and_then(|blob| {
        let text = String::from_utf8_lossy(&blob.bytes);
        let line = text.lines().nth(error.line.checked_sub(1)?)?;
        let rest: String = line.chars().skip(error.column.checked_sub(1)?).collect();
        let rest = rest.trim_start_matches(['"', '\'', '-', ' ']);
        let end = rest.find(|c: char| c.is_whitespace() || "\"',]}".contains(c));
        Some(rest[..end.unwrap_or(rest.len())].to_owned())
    });
    let path = path.unwrap_or_default();
    let up = path.split('/').take_while(|part| *part == "..").count();
    up.saturating_sub(error.file.matches('/').count())
}

/// Whether the document where an error is stands in the folder twice, by kind and name.
fn is_twin(trial: &Trial<'_>, error: &RenderError) -> bool {
    let Some(Node::Dir(folder)) = trial.node() else { return false };
    let mut all = Vec::new();
    documents(&folder, &trial.app.path, &mut |file, document| {
        let metadata = document.value.get("metadata");
        let id = [
            document.value.get("kind"),
            metadata.and_then(|metadata| metadata.get("namespace")),
            metadata.and_then(|metadata| metadata.get("name")),
        ];
        let id = id.map(|word| word.and_then(|word| word.as_str()).unwrap_or_default().to_owned());
        all.push((file == error.file && document.line == error.line, id));
    });
    let Some((_, own)) = all.iter().find(|(is_it, _)| *is_it) else { return false };
    all.iter().filter(|(_, id)| id == own).count() > 1
}

/// Where to look from, for a kustomization that reaches so many folders above the one tried.
fn above(trial: &Trial<'_>, levels: usize) -> String {
    let Ok(real) = trial.folder.canonicalize() else { return String::new() };
    let Some(top) = real.ancestors().nth(levels) else { return String::new() };
    let path = real.strip_prefix(top).unwrap_or(&real).join(&trial.app.path);
    let mut folder = trial.folder.components().collect::<PathBuf>();
    for _ in 0..levels {
        // A folder that is named by its last segments is left by taking them away.
        let is_named = folder.file_name().is_some();
        if !is_named || !folder.pop() {
            folder = top.to_owned();
            break;
        }
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
    let path = plain(&path);
    format!("; try the folder above: towtank try {} --path {}", folder.display(), path.display())
}

/// That the kustomization is a Component, as the end of a sentence, or nothing.
fn component(trial: &Trial<'_>) -> &'static str {
    let kind = trial.kustomization().and_then(|text| {
        let documents = yaml::documents(&text, Dialect::Kustomize).ok()?;
        Some(documents.first()?.value.get("kind")?.as_str()? == "Component")
    });
    match kind {
        Some(true) => "; it is a Component, to be tried as part of a kustomization that lists it",
        _ => "",
    }
}

/// Where the folder is plain and carries objects of another engine: what it is, by name.
fn carried(trial: &Trial<'_>) -> Option<Problems> {
    let Some(Node::Dir(folder)) = trial.node() else { return None };
    if trial.is_built() {
        return None;
    }
    let mut found = Vec::new();
    documents(&folder, &trial.app.path, &mut |file, document| {
        let word = |key| document.value.get(key)?.as_str();
        if let (Some(engine), Some(kind)) = (word("apiVersion").and_then(engine), word("kind")) {
            let (kind, file) = (kind.to_owned(), file.to_owned());
            found.push(Carried { engine, kind, file, line: document.line });
        }
    });
    let (first, rest) = found.split_first()?;
    let more = match rest.len() {
        0 => String::new(),
        n => format!(" (and {n} more)"),
    };
    let Carried { engine, kind, file, line } = first;
    let message = format!(
        "this is a repository for {engine}, whose {kind}{more} is not supported yet; a folder of \
         it that holds no {engine} objects can be tried with --path"
    );
    Some(at(trial, file, *line, 1, &message))
}

/// An object of another engine.
struct Carried {
    engine: &'static str,
    kind: String,
    file: String,
    line: usize,
}

/// Hands on every YAML document of a folder, with its file.
fn documents(folder: &Tree, path: &str, take: &mut impl FnMut(&str, &Document)) {
    for (name, node) in &folder.entries {
        let path = if path.is_empty() { name.to_string() } else { format!("{path}/{name}") };
        match node {
            Node::Dir(folder) if !name.starts_with('.') => documents(folder, &path, take),
            Node::File(blob) if [".yaml", ".yml"].iter().any(|end| name.ends_with(end)) => {
                // What cannot be read is not what is looked for here.
                let text = std::str::from_utf8(&blob.bytes).unwrap_or_default();
                let documents = yaml::documents(text, Dialect::Kubectl).unwrap_or_default();
                documents.iter().for_each(|document| take(&path, document));
            }
            _ => {}
        }
    }
}

fn engine(api_version: &str) -> Option<&'static str> {
    let (group, _) = api_version.split_once('/')?;
    if group.ends_with(".toolkit.fluxcd.io") {
        return Some("Flux");
    }
    (group == "argoproj.io").then_some("Argo CD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_objects_of_other_engines_are_known_by_their_group() {
        for (api_version, expected) in [
            ("kustomize.toolkit.fluxcd.io/v1", Some("Flux")),
            ("argoproj.io/v1alpha1", Some("Argo CD")),
            ("kustomize.config.k8s.io/v1beta1", None),
            ("v1", None),
        ] {
            assert_eq!(engine(api_version), expected, "{api_version}");
        }
    }
}
