//! Reads scenario files, and looks whether the kinds and folders that they name are there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::find::find;
use super::kinds::kinds;
use super::model::{Action, Edit, GivenApp, Mapped, Position, PushKind, Repo, Scenario, Step};
use super::problem::{Problem, Problems, did_you_mean};
use super::read::parse;
use super::tree::quote;
use super::words::clean_path;
use crate::base::limits;
use crate::lab::world::git::is_repository;
use crate::object::schema;

/// Reads the scenario in `file`.
///
/// # Errors
/// All that is wrong with it, or why it could not be read.
pub fn load(file: &Path) -> Result<Scenario, Problems> {
    let text = text(file).map_err(|message| at(file, None, message))?;
    let scenario = parse(file, &text)?;
    let mut problems = Vec::new();
    match &scenario.repo {
        Repo::Folder { written, path } if !path.is_dir() => {
            problems.extend(at(file, Some(written.at), no_folder(&written.value, path)).0);
        }
        _ => problems.extend(paths(&scenario)),
    }
    for Mapped { written, path, .. } in &scenario.remotes {
        if !path.is_dir() {
            problems.extend(at(file, Some(written.at), no_folder(&written.value, path)).0);
        }
    }
    if let Err(Problems(more)) = kinds(&scenario, schema::builtin()) {
        problems.extend(more);
    }
    if scenario.apps.is_empty() {
        let message = "no Apps: expected \"apps\"; those that are in a repository, as objects of \
                       Flux or Argo CD, are not supported yet";
        problems.extend(at(file, Some(Position { line: 1, column: 1 }), message.to_owned()).0);
    }
    problems.sort();
    if problems.is_empty() { Ok(scenario) } else { Err(Problems(problems)) }
}

/// Every App whose path is not in the repository's first commit, and that no push can bring.
fn paths(scenario: &Scenario) -> Vec<Problem> {
    let brings = |path: &str| scenario.steps.iter().any(|step| may_bring(step, path));
    let missing = scenario.apps.iter().filter(|given| {
        let path = given.app.path.as_str();
        !path.is_empty() && !is_there(&scenario.repo, path) && !brings(path)
    });
    let problem = |given: &GivenApp| {
        let (name, path) = (&given.app.name, &given.app.path);
        let near = did_you_mean(path, folders(&scenario.repo).iter().map(String::as_str));
        let message = format!("App \"{name}\": the repository has no {}{near}", quote(path));
        Problem { file: scenario.file.clone(), at: Some(given.at), message }
    };
    missing.map(problem).collect()
}

/// What a repository with history holds is seen when it is opened.
fn is_there(repo: &Repo, path: &str) -> bool {
    match repo {
        Repo::Folder { path: folder, .. } => is_repository(folder) || folder.join(path).exists(),
        // The keys are clean paths: they were read so.
        Repo::Files(files) => files.keys().any(|file| is_below(file, path)),
    }
}

fn is_below(file: &str, path: &str) -> bool {
    file.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Folders that an App may have meant: those that hold files, and those right in a folder.
fn folders(repo: &Repo) -> Vec<String> {
    match repo {
        Repo::Files(files) => {
            let parents = files.keys().filter_map(|file| Some(file.rsplit_once('/')?.0.to_owned()));
            parents.collect()
        }
        Repo::Folder { path, .. } => super::find::entries(path)
            .into_iter()
            .filter(|entry| entry.is_dir())
            .filter_map(|entry| Some(entry.file_name()?.to_string_lossy().into_owned()))
            .collect(),
    }
}

fn may_bring(step: &Step, path: &str) -> bool {
    let Some(push) = step.action.as_ref().and_then(Action::push) else { return false };
    match &push.kind {
        PushKind::Commit(commit) => commit.edits.iter().any(|edit| {
            matches!(edit, Edit::Write { path: file, .. } if is_below(&clean_path(&file.value), path))
        }),
        PushKind::Merge { .. } | PushKind::ForcePush { .. } => true,
        PushKind::Revert { .. } | PushKind::Tag { .. } => false,
    }
}

/// Reads every scenario that `paths` come to, in the order of their paths.
///
/// # Errors
/// All that is wrong with any of them; two of one name too.
pub fn load_all(paths: &[PathBuf]) -> Result<Vec<Scenario>, Problems> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    let mut problems = Vec::new();
    for file in find(paths)? {
        match load(&file) {
            Ok(scenario) => scenarios.push(scenario),
            Err(Problems(more)) => problems.extend(more),
        }
    }
    let mut first_of: BTreeMap<&str, &Scenario> = BTreeMap::new();
    for scenario in &scenarios {
        let name = &scenario.name;
        let first = first_of.entry(&name.value).or_insert(scenario);
        if first.file != scenario.file {
            let place = format!("{}:{}", first.file.display(), first.name.at);
            let message = format!("scenario \"{name}\" is there twice; first at {place}");
            problems.extend(at(&scenario.file, Some(name.at), message).0);
        }
    }
    if problems.is_empty() { Ok(scenarios) } else { Err(Problems(problems)) }
}

fn text(file: &Path) -> Result<String, String> {
    let size = fs::metadata(file).map_err(|error| unreadable(&error))?.len();
    if size > limits::BLOB_BYTES {
        return Err(format!("{size} bytes; a scenario has at most {}", limits::BLOB_BYTES));
    }
    let bytes = fs::read(file).map_err(|error| unreadable(&error))?;
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..offset].iter().filter(|b| **b == b'\n').count() + 1;
        format!("line {line} is not UTF-8")
    })
}

fn unreadable(error: &std::io::Error) -> String {
    format!("cannot be read: {error}")
}

fn no_folder(written: &str, path: &Path) -> String {
    if path.is_file() {
        return format!("repo {} is a file; expected a folder", quote(written));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = super::find::entries(path.parent().unwrap_or(Path::new("")));
    let folders: Vec<String> = beside
        .into_iter()
        .filter(|entry| entry.is_dir())
        .filter_map(|entry| Some(entry.file_name()?.to_string_lossy().into_owned()))
        .collect();
    let near = did_you_mean(&name, folders.iter().map(String::as_str));
    let written = quote(written);
    format!("repo {written} is not there; expected a folder relative to this file{near}")
}

fn at(file: &Path, at: Option<Position>, message: String) -> Problems {
    Problems(vec![Problem { file: file.to_owned(), at, message }])
}
