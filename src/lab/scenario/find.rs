//! Finds scenario files: from the files and folders of a command line to a sorted list.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::problem::{Problem, Problems, nearest};

/// Every scenario file that `paths` name or contain, sorted, each once. A file is taken whatever
/// it is called; in a folder, and the folders in it, `scenario.yaml` and `*.scenario.yaml` are.
/// What begins with a dot, and folders behind symbolic links, are passed over.
///
/// # Errors
/// Each path that is not there, each folder that cannot be read, and each without a scenario.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Problems> {
    // By their real place, so that a file that is named twice is run once.
    let mut found: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    let mut problems = Vec::new();
    for path in paths {
        let known = problems.len();
        let files = match path.is_dir() {
            true => scenarios_below(path, &mut problems),
            false => vec![path.clone()],
        };
        if files.is_empty() && problems.len() == known {
            let message = "no scenario in this folder; expected scenario.yaml or *.scenario.yaml";
            problems.push(problem(path, message.to_owned()));
        }
        for file in files {
            match fs::canonicalize(&file) {
                Ok(real) => drop(found.entry(real).or_insert(file)),
                Err(_) => problems.push(problem(&file, not_there(&file))),
            }
        }
    }
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let mut files: Vec<PathBuf> = found.into_values().collect();
    files.sort();
    Ok(files)
}

fn problem(path: &Path, message: String) -> Problem {
    Problem { file: path.to_owned(), at: None, message }
}

/// Adds to `problems` each folder that cannot be read: what is in it would go unnoticed.
fn scenarios_below(folder: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if let Err(error) = fs::read_dir(&folder) {
            problems.push(problem(&folder, format!("cannot be read: {error}")));
        }
        for entry in entries(&folder) {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            if entry.is_dir() && !entry.is_symlink() {
                folders.push(entry);
            } else if entry.is_file() && is_scenario(&name) {
                files.push(entry);
            }
        }
    }
    files
}

fn is_scenario(name: &str) -> bool {
    name == "scenario.yaml" || name.ends_with(".scenario.yaml")
}

/// What is in a folder; nothing where it cannot be read.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries
}

/// Says that a path is not there, with the nearest one beside the part of it that is missing.
#[must_use]
pub fn not_there(path: &Path) -> String {
    let there = path.ancestors().skip(1).find(|a| a.as_os_str().is_empty() || a.exists());
    let there = there.unwrap_or(Path::new(""));
    let rest = path.strip_prefix(there).unwrap_or(path);
    let absent = rest.components().next().map(|c| c.as_os_str().to_string_lossy().into_owned());
    let names: Vec<String> = entries(there)
        .iter()
        .filter_map(|entry| Some(entry.file_name()?.to_string_lossy().into_owned()))
        .collect();
    let near = nearest(&absent.unwrap_or_default(), names.iter().map(String::as_str));
    match near {
        Some(name) => {
            format!("no such file or folder; did you mean \"{}\"?", there.join(name).display())
        }
        None => "no such file or folder".to_owned(),
    }
}
