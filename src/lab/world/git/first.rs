//! A world's first commit, where it does not bring a history: files given inline, or a folder.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

use gix::ObjectId;
use gix::objs::tree::EntryKind;

use super::draft::{check_path, write_blob};
use super::folder::Folder;
use super::objects::Objects;
use super::open::BRANCH;
use super::{GitError, GitWorld, scenario_author};
use crate::base::{Time, limits};
use crate::engine::source::commit;

const MESSAGE: &str = "The files as they were given";

/// Commit one while its files are collected.
pub(super) struct First {
    objects: Objects,
    root: Folder,
    files: usize,
    notices: Vec<String>,
}

impl First {
    /// Nothing collected yet.
    pub(super) fn new() -> Self {
        let (objects, root) = (Objects::new(None), Folder::default());
        Self { objects, root, files: 0, notices: Vec::new() }
    }

    /// Adds a file or a link.
    pub(super) fn add(
        &mut self,
        path: &str,
        kind: EntryKind,
        bytes: &[u8],
    ) -> Result<(), GitError> {
        check_path(path)?;
        let id = write_blob(&self.objects, bytes)?;
        self.root.put(&self.objects, path, kind, id)
    }

    /// Adds what is in a folder; `prefix` is its path from the repository's root, with a slash at
    /// its end or empty.
    pub(super) fn add_folder(
        &mut self,
        folder: &Path,
        prefix: &str,
        depth: usize,
    ) -> Result<(), GitError> {
        if depth > limits::FOLDER_DEPTH {
            return Err(open_error(
                folder,
                format!("more than {} folders deep", limits::FOLDER_DEPTH),
            ));
        }
        let mut entries = std::fs::read_dir(folder)
            .and_then(Iterator::collect::<Result<Vec<std::fs::DirEntry>, _>>)
            .map_err(|e| open_error(folder, e))?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let place = entry.path();
            let kind = entry.file_type().map_err(|e| open_error(&place, e))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                self.notices.push(format!("{}: not taken: no UTF-8 name", place.display()));
                continue;
            };
            if name.eq_ignore_ascii_case(".git") {
                continue;
            }
            let path = format!("{prefix}{name}");
            if kind.is_dir() {
                self.add_folder(&place, &format!("{path}/"), depth + 1)?;
            } else if kind.is_file() {
                self.count(folder)?;
                let bytes = std::fs::read(&place).map_err(|e| open_error(&place, e))?;
                let mode = file_kind(&place).map_err(|e| open_error(&place, e))?;
                self.add(&path, mode, &bytes)?;
            } else if kind.is_symlink() {
                self.count(folder)?;
                let target = std::fs::read_link(&place).map_err(|e| open_error(&place, e))?;
                self.notices.push(format!("{path}: a symbolic link to {}", target.display()));
                self.add(&path, EntryKind::Link, target.as_os_str().as_encoded_bytes())?;
            } else {
                self.notices.push(format!("{path}: not taken: neither file, folder nor link"));
            }
        }
        Ok(())
    }

    fn count(&mut self, folder: &Path) -> Result<(), GitError> {
        self.files += 1;
        if self.files <= limits::FOLDER_FILES {
            return Ok(());
        }
        let limit = limits::FOLDER_FILES;
        Err(open_error(folder, format!("more than {limit} files; is this the right folder?")))
    }

    /// The world whose first commit this is.
    pub(super) fn commit(mut self, now: Time) -> Result<GitWorld, GitError> {
        let tree = self.root.write(&self.objects)?;
        let tree = tree.unwrap_or_else(|| ObjectId::empty_tree(gix::hash::Kind::Sha1));
        let by = scenario_author(now);
        let id = commit::write(&self.objects, tree, &[], MESSAGE, &by)?;
        let refs = BTreeMap::from([(BRANCH.to_owned(), id)]);
        let (objects, notices) = (self.objects, self.notices);
        Ok(GitWorld { objects, refs, branch: BRANCH.to_owned(), notices })
    }
}

fn open_error(path: &Path, what: impl Display) -> GitError {
    GitError::Open { path: path.display().to_string(), what: what.to_string() }
}

/// Whether a file is executable by its owner, which is all of a mode that Git keeps.
#[cfg(unix)]
fn file_kind(path: &Path) -> std::io::Result<EntryKind> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path)?.permissions().mode();
    Ok(if mode & 0o100 == 0 { EntryKind::Blob } else { EntryKind::BlobExecutable })
}

#[cfg(not(unix))]
fn file_kind(_path: &Path) -> std::io::Result<EntryKind> {
    Ok(EntryKind::Blob)
}
