//! The renderer against recorded builds of the real kustomize.
//!
//! `tests/baseline/render/<case>/` holds our own cases, recorded by `scripts/baseline-render`.
//! The shared folder, where there is one, holds kustomize's own test-suite as cases, and public
//! repositories.

#![expect(clippy::unwrap_used, reason = "a test fails by panic")]
#![expect(clippy::print_stderr, reason = "skips and counts are told")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use towtank::engine::model::{Blob, GitId, Node, Rendered, Tree};
use towtank::engine::render::kustomize::{self, Files, Options, Order};
use towtank::engine::render::{ParseCache, render};
use towtank::object::Value;

/// Where the shared material is, if it is here.
fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TOWTANK_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not here", path.display());
    None
}

/// A folder of the disk as a folder of a commit; ids are made from content.
fn tree(path: &Path) -> Tree {
    let mut entries = BTreeMap::new();
    let mut listed: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap()).collect();
    listed.sort_by_key(std::fs::DirEntry::file_name);
    for entry in listed {
        let name: Arc<str> = entry.file_name().to_string_lossy().into();
        let node = if entry.path().is_dir() {
            Node::Dir(Arc::new(tree(&entry.path())))
        } else {
            let bytes: Arc<[u8]> = fs::read(entry.path()).unwrap().into();
            Node::File(Arc::new(Blob { id: id(&bytes), bytes }))
        };
        entries.insert(name, node);
    }
    let mut all = Vec::new();
    for (name, node) in &entries {
        let id = match node {
            Node::Dir(tree) => &tree.id,
            Node::File(blob) => &blob.id,
        };
        all.extend_from_slice(format!("{name} {id}\n").as_bytes());
    }
    Tree { id: id(&all), entries }
}

/// FNV-1a, twice: enough to tell the files of a test apart.
fn id(bytes: &[u8]) -> GitId {
    let hash = |seed: u64| {
        bytes.iter().fold(seed, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
    };
    format!("{:016x}{:016x}", hash(0xcbf2_9ce4_8422_2325), hash(!bytes.len() as u64)).into()
}

/// How two results differ, for a message.
fn difference(found: &str, expected: &str) -> Option<String> {
    if found == expected {
        return None;
    }
    let diff = similar::TextDiff::from_lines(expected, found);
    let diff = diff.unified_diff().header("expected", "found").to_string();
    const SHOWN: usize = 40;
    Some(diff.lines().take(SHOWN).collect::<Vec<_>>().join("\n"))
}

/// What came of a case.
enum Outcome {
    Agrees,
    /// Refused because of something that is not supported.
    Refused(String),
    Differs(String),
}

fn judge(found: Result<Rendered, String>, expected: Result<String, String>) -> Outcome {
    match (found, expected) {
        (Err(error), Ok(_)) | (Err(error), Err(_)) if error.contains("is not supported yet") => {
            Outcome::Refused(error)
        }
        (Err(_), Err(_)) => Outcome::Agrees,
        (Err(error), Ok(_)) => Outcome::Differs(format!("error: {error}")),
        (Ok(_), Err(error)) => Outcome::Differs(format!("should have failed: {error}")),
        (Ok(found), Ok(expected)) => match difference(&kustomize::to_yaml(&found), &expected) {
            None => Outcome::Agrees,
            Some(difference) => Outcome::Differs(difference),
        },
    }
}

/// Cases of kustomize's test-suite that come out otherwise here, and why.
const EXCEPTIONS: [(&str, &str); 0] = [];

#[test]
fn kustomizes_own_cases_agree_or_are_refused_by_name() {
    let Some(root) = shared("baseline/kustomize-cases") else { return };
    let mut counts = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut names: Vec<_> = fs::read_dir(&root).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    for name in names {
        let name = name.to_string_lossy().into_owned();
        let folder = root.join(&name);
        let outcome = run_case(&folder);
        let exception = EXCEPTIONS.iter().any(|(case, _)| *case == name);
        let word = match outcome {
            Outcome::Agrees if exception => {
                wrong.push(format!("== {name} agrees and is listed as an exception"));
                "agrees"
            }
            Outcome::Agrees => "agrees",
            Outcome::Refused(_) => "refused by name",
            Outcome::Differs(_) if exception => "differs, known",
            Outcome::Differs(why) => {
                wrong.push(format!("== {name}\n{why}"));
                "differs"
            }
        };
        *counts.entry(word).or_insert(0) += 1;
    }
    println!("{counts:?}");
    assert!(wrong.is_empty(), "{} cases differ\n{}", wrong.len(), wrong.join("\n"));
}

fn run_case(folder: &Path) -> Outcome {
    let meta = fs::read_to_string(folder.join("meta.json")).unwrap();
    let meta: Value = serde_json::from_str(&meta).unwrap();
    let text = |key: &str| meta.get(key).and_then(Value::as_str).unwrap_or_default();
    let listed = text("reorder") == "none";
    let anywhere = text("loadRestrictions") == "LoadRestrictionsNone";
    let options = Options {
        order: if listed { Order::Listed } else { Order::ByKind },
        files: if anywhere { Files::Anywhere } else { Files::Below },
        ..Options::default()
    };
    let tree = tree(&folder.join("in"));
    let path = text("path").trim_matches(['.', '/']);
    let found = kustomize::build(&tree, path, &options, &mut ParseCache::new());
    let recorded = folder.join("expected.yaml");
    let expected = if recorded.exists() {
        Ok(fs::read_to_string(&recorded).unwrap())
    } else {
        Err("recorded".to_owned())
    };
    judge(found.map_err(|error| error.to_string()), expected)
}

#[test]
fn our_own_cases_come_out_as_recorded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/render");
    let mut wrong = Vec::new();
    let mut cases: Vec<_> =
        fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    assert!(cases.len() >= 25, "only {} cases", cases.len());
    for case in cases {
        let tree = tree(&case.join("in"));
        // A case of several folders is built at the one called `top`.
        let path = if tree.entries.contains_key("top") { "top" } else { "" };
        let found = render(&tree, path, &mut ParseCache::new()).map_err(|error| error.to_string());
        let error = case.join("expected-error.txt");
        let expected = if error.exists() {
            Err(fs::read_to_string(error).unwrap())
        } else {
            Ok(fs::read_to_string(case.join("expected.yaml")).unwrap())
        };
        match judge(found, expected) {
            Outcome::Agrees => {}
            Outcome::Refused(why) | Outcome::Differs(why) => {
                wrong.push(format!("== {}\n{why}", case.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn public_repositories_come_out_as_kubectl_builds_them() {
    let Some(root) = shared("data") else { return };
    let mut folders = Vec::new();
    kustomization_folders(&root, &mut folders);
    let mut wrong = Vec::new();
    let mut counts = BTreeMap::new();
    for folder in folders {
        let Some(expected) = kubectl_kustomize(&folder) else { return };
        let repository = folder.strip_prefix(&root).unwrap().components().next().unwrap();
        let repository = root.join(repository);
        let path = folder.strip_prefix(&repository).unwrap().to_string_lossy().into_owned();
        let found = render(&tree(&repository), &path, &mut ParseCache::new());
        let word = match judge(found.map_err(|error| error.to_string()), expected) {
            Outcome::Agrees => "agrees",
            Outcome::Refused(_) => "refused by name",
            Outcome::Differs(why) => {
                wrong.push(format!("== {}\n{why}", folder.display()));
                "differs"
            }
        };
        *counts.entry(word).or_insert(0) += 1;
    }
    println!("{counts:?}");
    assert!(wrong.is_empty(), "{} folders differ\n{}", wrong.len(), wrong.join("\n"));
}

fn kustomization_folders(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    let is_one = |path: &PathBuf| {
        path.file_name().is_some_and(|name| kustomize::FILE_NAMES.iter().any(|file| name == *file))
    };
    if entries.iter().any(is_one) {
        found.push(folder.to_owned());
    }
    entries.iter().filter(|path| path.is_dir()).for_each(|path| kustomization_folders(path, found));
}

/// What the real one builds; `None` where there is no kubectl.
fn kubectl_kustomize(folder: &Path) -> Option<Result<String, String>> {
    #[expect(clippy::disallowed_methods, reason = "the real tool is asked, in a test only")]
    let run = std::process::Command::new("kubectl").arg("kustomize").arg(folder).output();
    let Ok(output) = run else {
        eprintln!("skipped: there is no kubectl");
        return None;
    };
    if !output.status.success() {
        return Some(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Some(Ok(String::from_utf8_lossy(&output.stdout).into_owned()))
}
