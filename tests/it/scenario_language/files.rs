//! Which files are read, and what is told of those that are not there.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

use std::fs;
use std::path::{Path, PathBuf};

use towtank::lab::scenario::{Problems, find, load, load_all};

use super::HEAD;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// What is told, without the folder's name.
fn told<T: std::fmt::Debug>(folder: &Path, result: Result<T, Problems>) -> String {
    let problems = result.unwrap_err().to_string();
    problems
        .replace(&format!("{}/", folder.display()), "")
        .replace(&folder.display().to_string(), ".")
}

#[test]
fn scenarios_are_found_in_folders_sorted_and_once() {
    let folder = folder(&[
        ("b/scenario.yaml", ""),
        ("a.scenario.yaml", ""),
        ("b/c/x.scenario.yaml", ""),
        ("b/deploy.yaml", ""),
        (".git/scenario.yaml", ""),
        ("empty/x.yaml", ""),
    ]);
    let at = |path: &str| folder.path().join(path);
    let found = find(&[at("b/c"), at(""), at("b/../a.scenario.yaml")]).unwrap();
    let found: Vec<PathBuf> =
        found.iter().map(|f| f.strip_prefix(folder.path()).unwrap().to_owned()).collect();
    assert_eq!(
        found,
        ["a.scenario.yaml", "b/c/x.scenario.yaml", "b/scenario.yaml"].map(PathBuf::from)
    );
    assert_eq!(
        told(folder.path(), find(&[at("empty"), at("bb"), at("b/c/y.scenario.yaml"), at("zzz")])),
        "empty: no scenario in this folder; expected scenario.yaml or *.scenario.yaml\n\
         bb: no such file or folder; did you mean \"b\"?\n\
         b/c/y.scenario.yaml: no such file or folder; did you mean \"b/c/x.scenario.yaml\"?\n\
         zzz: no such file or folder"
    );
}

#[test]
fn files_are_read_together_and_their_names_are_distinct() {
    let text = format!("{HEAD}steps: [wait: 1s]\n");
    let folder = folder(&[
        ("a/scenario.yaml", &text),
        ("b/scenario.yaml", &text),
        ("c/scenario.yaml", "steps: 3"),
    ]);
    assert!(load_all(&[folder.path().join("a")]).is_ok());
    let told = told(folder.path(), load_all(&[folder.path().to_owned()]));
    let last = told.lines().last().unwrap();
    assert_eq!(
        last,
        "b/scenario.yaml:1:7: scenario \"a\" is there twice; first at a/scenario.yaml:1:7"
    );
    assert!(told.starts_with("c/scenario.yaml:1:1: "), "{told}");
}

#[test]
fn the_folder_of_a_repository_is_there() {
    let text = "name: a\ndescription: d\nrepo: ./shpo\napps: [{ name: x }]\nsteps: [wait: 1s]\n";
    let folder = folder(&[("shop/a.yaml", ""), ("a.scenario.yaml", text)]);
    assert_eq!(
        told(folder.path(), load(&folder.path().join("a.scenario.yaml"))),
        "a.scenario.yaml:3:7: repo \"./shpo\" is not there; expected a folder relative to this \
         file; did you mean \"shop\"?"
    );
}

#[test]
fn the_folder_of_an_app_is_there() {
    let text = "name: a\ndescription: d\nrepo: ./shop\napps: [{ name: x, path: apps }]\n\
                steps: [wait: 1s]\n";
    let brought = text.replace("wait: 1s", "push: { write: { apps/a.yaml: \"\" } }");
    let none = text.replace("apps: [{ name: x, path: apps }]\n", "");
    let folder = folder(&[
        ("shop/app/a.yaml", ""),
        ("a.scenario.yaml", text),
        ("b.scenario.yaml", &brought),
        ("c.scenario.yaml", &none),
    ]);
    assert_eq!(
        told(folder.path(), load(&folder.path().join("a.scenario.yaml"))),
        "a.scenario.yaml:4:16: App \"x\": the repository has no \"apps\"; did you mean \"app\"?"
    );
    assert!(load(&folder.path().join("b.scenario.yaml")).is_ok());
    assert_eq!(
        told(folder.path(), load(&folder.path().join("c.scenario.yaml"))),
        "c.scenario.yaml:1:1: no Apps: expected \"apps\"; those that are in a repository, as \
         objects of Flux or Argo CD, are not supported yet"
    );
}
