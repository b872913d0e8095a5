//! Why a folder cannot be tried: one problem with its file and place, and what to do instead.

use std::path::{Path, PathBuf};

use super::Trial;
use crate::engine::model::{Node, Origin, RenderError, Tree};
use crate::engine::plan::PlanError;
use crate::lab::scenario::model::Position;
use crate::lab::scenario::{Problem, Problems};
use crate::object::yaml::{self, Dialect};

/// How the renderer ends its message about `..` that has nothing to lead to.
const LEADS_OUT: &str = " leads out of the repository";

/// What cannot be rendered.
pub(super) fn render(trial: &Trial<'_>, error: &RenderError) -> Problems {
    if let Some(problems) = carried(trial) {
        return problems;
    }
    let hint = if let Some(entry) = error.message.strip_suffix(LEADS_OUT) {
        above(trial, &error.file, entry)
    } else if error.message.contains(" is already defined at ") && !trial.is_built() {
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

/// Where to look from, for a kustomization that reaches above the folder: `entry` is the field and
/// the quoted path that does.
fn above(trial: &Trial<'_>, file: &str, entry: &str) -> String {
    let entry = entry.find('"').map_or(entry, |at| &entry[at..]);
    let up = entry.trim_matches('"').split('/').take_while(|part| *part == "..").count();
    let levels = up.saturating_sub(file.matches('/').count());
    let Ok(real) = trial.folder.canonicalize() else { return String::new() };
    let Some(top) = real.ancestors().nth(levels).filter(|_| levels > 0) else {
        return String::new();
    };
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
    collect(&folder, &trial.app.path, &mut found);
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

fn collect(folder: &Tree, path: &str, found: &mut Vec<Carried>) {
    for (name, node) in &folder.entries {
        let path = if path.is_empty() { name.to_string() } else { format!("{path}/{name}") };
        match node {
            Node::Dir(folder) if !name.starts_with('.') => collect(folder, &path, found),
            Node::File(blob) if [".yaml", ".yml"].iter().any(|end| name.ends_with(end)) => {
                // What cannot be read is not what is looked for here.
                let text = std::str::from_utf8(&blob.bytes).unwrap_or_default();
                let documents = yaml::documents(text, Dialect::Kubectl).unwrap_or_default();
                found.extend(documents.iter().filter_map(|document| {
                    let word = |key| document.value.get(key)?.as_str();
                    let (engine, kind) = (engine(word("apiVersion")?)?, word("kind")?.to_owned());
                    Some(Carried { engine, kind, file: path.clone(), line: document.line })
                }));
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
