//! `towtank try DIR`: a folder is tried without a scenario; `lab::trial` writes one for it.

use std::path::Path;

use super::{Exit, meant, run};
use crate::lab::explore::{self, Ground};
use crate::lab::scenario::{self, Problem, Problems, Scenario};
use crate::lab::trial;

pub(super) fn run(meant: &meant::Run) -> Exit {
    run::run(meant)
}

/// The scenario of deploying `path` in `folder`.
///
/// # Errors
/// Where one of them is not there.
pub(super) fn scenario(folder: &Path, path: &str) -> Result<Scenario, Problems> {
    is_there(folder, path)?;
    trial::scenario(folder, &scenario::clean_path(path), &name_of(folder))
}

/// What `path` in `folder` is for `towtank chaos`.
///
/// # Errors
/// As [`scenario`].
pub(super) fn ground(folder: &Path, path: &str) -> Result<Ground, Problems> {
    is_there(folder, path)?;
    explore::folder(folder, &scenario::clean_path(path), &name_of(folder))
}

/// Whether there is something to deploy at all.
fn is_there(folder: &Path, path: &str) -> Result<(), Problems> {
    let refused = |file: &Path, message: String| {
        Err(Problems(vec![Problem { file: file.to_owned(), at: None, message }]))
    };
    if folder.is_file() {
        return refused(folder, "this is a file; expected a folder".to_owned());
    }
    if !folder.is_dir() {
        return refused(folder, scenario::not_there(folder));
    }
    let below = folder.join(path);
    if !scenario::is_repository_path(path) {
        return refused(&below, "expected a path below the folder".to_owned());
    }
    // What is in a bare repository is in no folder.
    let is_bare = folder.join("HEAD").is_file();
    if !is_bare && !below.is_dir() {
        return refused(&below, scenario::not_there(&below));
    }
    Ok(())
}

/// The folder's own name, as a name in kebab case.
fn name_of(folder: &Path) -> String {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = real.file_name().unwrap_or_default().to_string_lossy();
    scenario::as_name(&name).unwrap_or_else(|| "app".to_owned())
}
