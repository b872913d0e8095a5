//! The files of the project as text, and what a rule says about them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Folders that hold what was built or written by a run. Any folder beginning with a dot is left
/// out too, but for `.ci`.
const NOT_OURS: &[&str] = &["target", "out", "node_modules"];

/// Every text file by its path from the project's root, with `/` between folders.
#[derive(Default)]
pub(crate) struct Tree {
    pub(crate) files: BTreeMap<String, String>,
}

/// Something that is not as the rules want it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    /// From 1.
    pub(crate) line: usize,
    /// What is wrong and what to do.
    pub(crate) what: String,
}

impl Tree {
    /// Reads the project that this test belongs to. Files that are not UTF-8 are left out.
    pub(crate) fn read() -> Self {
        let mut tree = Self::default();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder).expect("because the project can be read");
            for entry in entries {
                let path = entry.expect("because the project can be read").path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let hidden = name.starts_with('.') && name != ".ci";
                if path.is_dir() {
                    if !hidden && !NOT_OURS.contains(&name.as_str()) {
                        folders.push(path);
                    }
                } else if name == ".git" {
                    // In a linked worktree a file that says where the repository is.
                } else if let Ok(text) = fs::read_to_string(&path) {
                    let relative = path.strip_prefix(root).unwrap_or(&path);
                    tree.files.insert(relative.to_string_lossy().replace('\\', "/"), text);
                }
            }
        }
        tree
    }

    /// The files below `folder` whose names end in `end`.
    pub(crate) fn under<'a>(
        &'a self,
        folder: &'a str,
        end: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let files = self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        files.filter(move |(path, _)| path.starts_with(folder) && path.ends_with(end))
    }

    /// The Rust files below `src/`.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.under("src/", ".rs")
    }
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

/// For the rules' own tests: `rule` takes `good`, and refuses `bad` at just these lines.
#[track_caller]
pub(crate) fn check(
    rule: fn(&Tree) -> Vec<Finding>,
    good: &[(&str, &str)],
    bad: &[(&str, &str)],
    lines: &[(&str, usize)],
) {
    let tree = |files: &[(&str, &str)]| Tree {
        files: files.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect(),
    };
    assert_eq!(rule(&tree(good)), [], "this is allowed");
    let found = rule(&tree(bad));
    let at: Vec<_> = found.iter().map(|f| (f.path.as_str(), f.line)).collect();
    assert_eq!(at, lines, "this is not: {found:#?}");
}
