//! `towtank validate DIR`: renders what a repository holds and checks each object as a server
//! would, before it meets one.
//!
//! What there is to be rendered is found by `roots`; whether an object is right says `judge`, where
//! in the files it is wrong `place`, and how that is printed `page`.

mod judge;
mod page;
mod place;

use std::collections::{BTreeMap, BTreeSet};

use super::disk::{Unreadable, whole};
use super::roots::{self, Roots};
use super::sources::Sources;
use super::typed::{PageWord, RestrictorWord, SourceArgs, ValidateArgs};
use super::{Exit, complain, tell};
use crate::engine::model::{Manifest, Node, Origin, RenderError, Tree};
use crate::engine::render::join;
use crate::object::yaml::{Dialect, documents};
use crate::object::{Object, Value};
use judge::{Judge, Verdict};
use place::Places;

/// What came of a repository.
#[derive(Debug, Default)]
pub(super) struct Report {
    folders: Vec<Checked>,
    findings: BTreeSet<Finding>,
    /// Kinds that there is no schema of, and how many objects of them there are.
    unchecked: BTreeMap<(String, String), usize>,
}

/// A folder that was rendered or read.
#[derive(Debug)]
struct Checked {
    path: String,
    is_kustomization: bool,
    objects: usize,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    line: usize,
    column: usize,
    /// The object, as `Deployment shop/cart`; empty for what is wrong with the rendering.
    object: String,
    /// The field; empty where the whole object is meant.
    field: String,
    message: String,
}

pub(super) fn run(args: &ValidateArgs) -> Exit {
    let report = match checked(args) {
        Ok(report) => report,
        Err(Unreadable(message)) => return complain(Exit::BadInput, &message),
    };
    let exit = if report.findings.is_empty() { Exit::Ok } else { Exit::Failed };
    match args.report {
        PageWord::Terminal => tell(exit, &page::terminal(&report, &args.folder)),
        PageWord::Json => tell(exit, &page::json(&report)),
    }
}

/// What is wrong with the files of a commit that needs nothing from elsewhere, each finding with
/// its place.
///
/// # Errors
/// There is nothing to be linted, in words.
pub(super) fn lint(tree: &Tree) -> Result<Vec<String>, String> {
    let sources = SourceArgs {
        load_restrictor: RestrictorWord::RootOnly,
        map: Vec::new(),
        offline: true,
        cache_dir: None,
    };
    let sources = Sources::new(&sources).map_err(|Unreadable(message)| message)?;
    let report = checked_tree(tree, sources).map_err(|Unreadable(message)| message)?;
    let said = |one: &Finding| {
        let Finding { file, line, column, object, field, message } = one;
        format!("{file}:{line}:{column}: {object}: {field}: {message}")
    };
    Ok(report.findings.iter().map(said).collect())
}

fn checked(args: &ValidateArgs) -> Result<Report, Unreadable> {
    let folder = args.folder.display();
    let Node::Dir(tree) = whole(&args.folder)? else {
        return Err(Unreadable(format!("{folder}: expected a folder")));
    };
    checked_tree(&tree, Sources::new(&args.sources)?)
        .map_err(|Unreadable(message)| Unreadable(format!("{folder}: {message}")))
}

fn checked_tree(tree: &Tree, mut sources: Sources) -> Result<Report, Unreadable> {
    let mut report = Report::default();
    let mut gathered = Gathered::default();
    let roots = roots::find(tree);
    if roots.kustomizations.is_empty() && roots.plain.is_empty() {
        return Err(Unreadable("neither a kustomization nor a manifest is here".to_owned()));
    }
    render_all(tree, &roots, &mut sources, &mut gathered, &mut report);
    definitions(tree, "", &mut gathered.definitions);
    let mut judge = Judge::new(&gathered.definitions);
    let mut places = Places::new(tree);
    for (manifest, inputs) in &gathered.objects {
        let object = &manifest.object;
        let problems = match judge.verdict(object) {
            Verdict::Checked(problems) => problems,
            Verdict::NoSchema => {
                let kind = (object.api_version().to_owned(), object.kind().to_owned());
                *report.unchecked.entry(kind).or_default() += 1;
                continue;
            }
        };
        for judge::Problem { field, message } in problems {
            let inputs = gathered.inputs.get(*inputs).map_or(&[][..], Vec::as_slice);
            let place = places.of(&manifest.origin, object, &field, inputs);
            let (file, line, column) = place;
            let object = format!("{} {}", object.kind(), named(object));
            report.findings.insert(Finding { file, line, column, object, field, message });
        }
    }
    Ok(report)
}

fn named(object: &Object) -> String {
    let (namespace, name) = (object.namespace(), object.name());
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// All that is to be judged.
#[derive(Default)]
struct Gathered {
    /// Each with the number of the folder whose files it may come from.
    objects: Vec<(Manifest, usize)>,
    /// The files that a folder was rendered from.
    inputs: Vec<Vec<String>>,
    definitions: Vec<Object>,
}

fn render_all(
    tree: &Tree,
    roots: &Roots,
    sources: &mut Sources,
    gathered: &mut Gathered,
    report: &mut Report,
) {
    for path in &roots.kustomizations {
        let (mut objects, mut inputs) = (0, Vec::new());
        match sources.build(tree, path) {
            Ok(rendered) => {
                objects = rendered.manifests.len();
                let at = gathered.inputs.len();
                gathered.objects.extend(rendered.manifests.into_iter().map(|m| (m, at)));
                inputs = rendered.inputs.into_keys().collect();
            }
            Err(error) => drop(report.findings.insert(finding(error))),
        }
        gathered.inputs.push(inputs);
        report.folders.push(Checked { path: path.clone(), is_kustomization: true, objects });
    }
    for (path, files) in &roots.plain {
        let at = gathered.inputs.len();
        gathered.inputs.push(files.clone());
        let before = gathered.objects.len();
        for file in files {
            match plain(tree, file) {
                Ok(manifests) => gathered.objects.extend(manifests.into_iter().map(|m| (m, at))),
                Err(error) => drop(report.findings.insert(finding(error))),
            }
        }
        let objects = gathered.objects.len() - before;
        if objects > 0 {
            report.folders.push(Checked { path: path.clone(), is_kustomization: false, objects });
        }
    }
    let is_definition = |object: &Object| object.kind() == "CustomResourceDefinition";
    let rendered = gathered.objects.iter().map(|(manifest, _)| &*manifest.object);
    gathered.definitions = rendered.filter(|object| is_definition(object)).cloned().collect();
}

fn finding(error: RenderError) -> Finding {
    let RenderError { file, line, column, message } = error;
    Finding { file, line, column, object: String::new(), field: String::new(), message }
}

/// The manifests of a file. Documents that name no kind are another program's.
fn plain(tree: &Tree, file: &str) -> Result<Vec<Manifest>, RenderError> {
    let wrong =
        |line, column, message| RenderError { file: file.to_owned(), line, column, message };
    let Some(blob) = tree.file(file) else { return Ok(Vec::new()) };
    let text = std::str::from_utf8(&blob.bytes)
        .map_err(|_| wrong(0, 0, "is not UTF-8 text".to_owned()))?;
    let read = documents(text, Dialect::Kubectl)
        .map_err(|error| wrong(error.line, error.column, error.message))?;
    let mut found = Vec::new();
    for document in read {
        let origin = Origin { file: file.to_owned(), line: document.line };
        let is_list = document.value.get("kind").and_then(Value::as_str) == Some("List");
        let items = document.value.get("items").and_then(Value::as_array).filter(|_| is_list);
        let values = match items {
            Some(items) => items.clone(),
            None => vec![document.value],
        };
        for object in values.into_iter().filter_map(|value| Object::from_value(value).ok()) {
            if !object.api_version().is_empty() && !object.kind().is_empty() {
                found.push(Manifest { object: object.into(), origin: origin.clone() });
            }
        }
    }
    Ok(found)
}

/// The CustomResourceDefinitions that stand in any file, Helm charts' `crds` included.
fn definitions(tree: &Tree, path: &str, found: &mut Vec<Object>) {
    for (name, node) in &tree.entries {
        let child = join(path, name).unwrap_or_default();
        match node {
            Node::Dir(folder) if !name.starts_with('.') => definitions(folder, &child, found),
            Node::File(blob) if roots::is_manifest(name, blob) => {
                let word = b"CustomResourceDefinition";
                if !blob.bytes.windows(word.len()).any(|part| part == word) {
                    continue;
                }
                let Ok(text) = std::str::from_utf8(&blob.bytes) else { continue };
                let Ok(read) = documents(text, Dialect::Kubectl) else { continue };
                let objects = read.into_iter().filter_map(|d| Object::from_value(d.value).ok());
                found.extend(objects.filter(|o| o.kind() == "CustomResourceDefinition"));
            }
            _ => {}
        }
    }
}
