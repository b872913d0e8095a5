//! The folders of the disk that a render looks at, as the tree of a commit: read as they are
//! asked for, a folder at a time, so that a large repository costs only what is used of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::{Digest, limits};
use crate::engine::model::{Blob, GitId, Node, Tree};

/// Files up to this size are read with their folder; larger ones when they are asked for.
const EAGER_BYTES: u64 = 1024 * 1024;

/// What was read so far. Paths are from the root of the file system, without the first slash.
#[derive(Debug, Default)]
pub(super) struct Disk {
    files: BTreeMap<String, Arc<Blob>>,
    folders: BTreeSet<String>,
    asked: BTreeSet<String>,
    left_out: BTreeSet<String>,
    bytes: u64,
}

/// A file that cannot be read, and why.
#[derive(Debug)]
pub(super) struct Unreadable(pub String);

impl Disk {
    /// Reads what is at the paths, and what stands beside it. Whether anything came of it.
    ///
    /// # Errors
    /// Where a file is too large, or a folder has too many.
    pub(super) fn read(
        &mut self,
        paths: impl IntoIterator<Item = String>,
        follow: bool,
    ) -> Result<bool, Unreadable> {
        let mut is_more = false;
        for path in paths {
            if !self.asked.insert(path.clone()) {
                continue;
            }
            let full = Path::new("/").join(&path);
            let Ok(meta) = fs::metadata(&full) else { continue };
            if meta.is_dir() {
                is_more |= self.folder(&path, follow)?;
                continue;
            }
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            is_more |= self.folder(parent, follow)?;
            if !self.files.contains_key(&path) {
                let is_link = is_link(&full);
                is_more |= self.file(&path, &full, meta.len(), follow || !is_link)?;
            }
        }
        Ok(is_more)
    }

    /// Links that lead out of the folders that they stand in.
    pub(super) const fn left_out(&self) -> &BTreeSet<String> {
        &self.left_out
    }

    fn folder(&mut self, path: &str, follow: bool) -> Result<bool, Unreadable> {
        if !self.folders.insert(path.to_owned()) {
            return Ok(false);
        }
        let full = Path::new("/").join(path);
        let Ok(entries) = fs::read_dir(&full) else { return Ok(false) };
        for entry in entries.filter_map(Result::ok) {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                continue;
            }
            let full = entry.path();
            // Of a link, what it leads to.
            let Ok(meta) = fs::metadata(&full) else { continue };
            if meta.is_file() && meta.len() <= EAGER_BYTES {
                let path = if path.is_empty() { name } else { format!("{path}/{name}") };
                let is_link = kind.is_symlink();
                self.file(&path, &full, meta.len(), follow || !is_link)?;
            }
        }
        Ok(true)
    }

    /// Reads a file, unless it may lead out of its folder and does.
    fn file(
        &mut self,
        path: &str,
        full: &Path,
        bytes: u64,
        follow: bool,
    ) -> Result<bool, Unreadable> {
        let shown = full.display();
        if bytes > limits::BLOB_BYTES {
            let limit = limits::BLOB_BYTES;
            return Err(Unreadable(format!("{shown}: larger than {limit} bytes")));
        }
        if self.files.len() >= limits::FOLDER_FILES {
            let limit = limits::FOLDER_FILES;
            return Err(Unreadable(format!("{shown}: more than {limit} files are needed")));
        }
        // A link out of its folder would be a way around the restriction on files.
        if !follow && leaves(full) {
            self.left_out.insert(path.to_owned());
            return Ok(false);
        }
        let Ok(content) = fs::read(full) else { return Ok(false) };
        self.bytes += bytes;
        // Each file is read once, so its path tells its content from any other.
        let mut digest = Digest::default();
        digest.add(path.as_bytes());
        let blob = Blob { id: digest.to_hex().into(), bytes: content.into() };
        self.files.insert(path.to_owned(), Arc::new(blob));
        Ok(true)
    }

    /// What was read as a tree.
    pub(super) fn tree(&self) -> Tree {
        let mut root = Growing::default();
        for folder in &self.folders {
            root.folder(folder);
        }
        for (path, blob) in &self.files {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            root.folder(parent).files.insert(name, blob.clone());
        }
        root.grown()
    }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_symlink())
}

/// Whether a link leads out of the folder that it stands in.
fn leaves(path: &Path) -> bool {
    let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
    match (path.canonicalize(), parent) {
        (Ok(real), Some(parent)) => !real.starts_with(parent),
        _ => true,
    }
}

#[derive(Default)]
struct Growing<'d> {
    folders: BTreeMap<&'d str, Growing<'d>>,
    files: BTreeMap<&'d str, Arc<Blob>>,
}

impl<'d> Growing<'d> {
    fn folder(&mut self, path: &'d str) -> &mut Self {
        path.split('/')
            .filter(|name| !name.is_empty())
            .fold(self, |folder, name| folder.folders.entry(name).or_default())
    }

    fn grown(self) -> Tree {
        let mut digest = Digest::default();
        let mut entries: BTreeMap<Arc<str>, Node> = BTreeMap::new();
        for (name, folder) in self.folders {
            entries.insert(name.into(), Node::Dir(Arc::new(folder.grown())));
        }
        for (name, blob) in self.files {
            entries.insert(name.into(), Node::File(blob));
        }
        for (name, node) in &entries {
            let id: &GitId = match node {
                Node::Dir(tree) => &tree.id,
                Node::File(blob) => &blob.id,
            };
            digest.add(name.as_bytes());
            digest.add(id.as_bytes());
        }
        Tree { id: digest.to_hex().into(), entries }
    }
}

/// The whole of a folder, or a file, as an entry of a tree: what a URL is mapped to.
///
/// # Errors
/// Where there is none, or too much of it.
pub(super) fn whole(path: &Path) -> Result<Node, Unreadable> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| Unreadable(format!("{shown}: {error}"));
    let real = path.canonicalize().map_err(unreadable)?;
    let top = real.to_string_lossy().trim_start_matches('/').to_owned();
    let mut disk = Disk::default();
    let mut waiting: Vec<PathBuf> = vec![real.clone()];
    while let Some(folder) = waiting.pop() {
        let path = folder.to_string_lossy().trim_start_matches('/').to_owned();
        disk.read([path], false)?;
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.filter_map(Result::ok) {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && entry.file_name() != ".git" {
                waiting.push(entry.path());
            }
            // Those that are read with their folder are smaller than this. Nobody may need the
            // others; one who does learns that they are not there.
            let bytes = entry.metadata().map_or(0, |meta| meta.len());
            if kind.is_file() && (EAGER_BYTES..=limits::BLOB_BYTES).contains(&bytes) {
                disk.read(
                    [entry.path().to_string_lossy().trim_start_matches('/').to_owned()],
                    false,
                )?;
            }
        }
    }
    let nothing = || Unreadable(format!("{shown}: nothing can be read there"));
    disk.tree().find(&top).cloned().ok_or_else(nothing)
}
