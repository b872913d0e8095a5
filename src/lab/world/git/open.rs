//! Where a world's repository begins: files given inline, a folder, or a repository with its
//! history. Only the folder or repository that is named is read; a parent's repository never is.

use std::collections::BTreeMap;
use std::path::Path;

use gix::ObjectId;
use gix::objs::tree::EntryKind;

use super::first::First;
use super::folder::Folder;
use super::objects::Objects;
use super::{GitError, GitWorld};
use crate::base::Time;
use crate::engine::source::{SourceError, commit, git_id};

/// The branch of a world that does not bring one.
pub(super) const BRANCH: &str = "refs/heads/main";

/// The branch of a repository whose `HEAD` is at no branch and whose `main` is elsewhere.
const DETACHED: &str = "refs/heads/towtank-detached";

impl GitWorld {
    /// A repository with one commit that holds these files, by path.
    ///
    /// # Errors
    /// `BadPath`; `InTheWay` where one path is a folder of another.
    pub fn from_files(files: &BTreeMap<String, Vec<u8>>, now: Time) -> Result<Self, GitError> {
        let mut first = First::new();
        for (path, bytes) in files {
            first.add(path, EntryKind::Blob, bytes)?;
        }
        first.commit(now)
    }

    /// A folder: with its history if it is a repository itself (its own `.git`, or bare), else
    /// its files as commit one.
    ///
    /// # Errors
    /// `Open` with what is wrong and what to do.
    pub fn from_path(path: &Path, now: Time) -> Result<Self, GitError> {
        if is_repository(path) { Self::from_repository(path) } else { Self::from_folder(path, now) }
    }

    /// A folder's files as commit one. Everything is taken but `.git`: ignore files are not
    /// honoured. Symbolic links are kept as links and told in the notices; what is neither file,
    /// folder nor link, or has a name that is not UTF-8, is passed over and told.
    ///
    /// # Errors
    /// `Open` where something cannot be read, or there are more than `limits::FOLDER_FILES`.
    pub fn from_folder(path: &Path, now: Time) -> Result<Self, GitError> {
        let mut first = First::new();
        first.add_folder(path, "", 0)?;
        first.commit(now)
    }

    /// A repository with its history, at the branch that `HEAD` names. It is only ever read: what
    /// a run writes stays in memory. Files of its working copy that are not committed are not seen. A `HEAD` that is at no branch (CI checks out so) becomes the
    /// branch `main`, or `towtank-detached` where `main` is another commit.
    ///
    /// # Errors
    /// `Open` with what is broken and what to do.
    pub fn from_repository(path: &Path) -> Result<Self, GitError> {
        let wrong = |what: String| GitError::Open { path: path.display().to_string(), what };
        let options = gix::open::Options::isolated().with(gix::sec::Trust::Full);
        let repo = gix::open_opts(path, options).map_err(|e| {
            let why = missing_part(path).unwrap_or_else(|| all(&e));
            wrong(format!("not a readable Git repository: {why}"))
        })?;
        let mut notices = Vec::new();
        let mut refs = references(&repo, &mut notices).map_err(wrong)?;
        let (branch, head) = head(&repo, &refs).map_err(wrong)?;
        refs.insert(branch.clone(), head);
        if repo.is_shallow().unwrap_or(false) {
            let note = "a shallow clone: commits before its oldest ones are not there";
            notices.push(format!("{}: {note}", path.display()));
        }
        let objects = Objects::new(Some(repo.objects.clone().into_inner()));
        check_head(&objects, &branch, head).map_err(|e| wrong(e.to_string()))?;
        Ok(Self { objects, refs, branch, notices })
    }
}

/// Whether a folder is a repository itself, sound or broken.
#[must_use]
pub fn is_repository(path: &Path) -> bool {
    let bare = || path.join("HEAD").is_file() && path.join("objects").is_dir();
    path.join(".git").symlink_metadata().is_ok() || bare()
}

/// What a repository cannot be without and this one lacks, by name. A `.git` that is a file, or a
/// linked worktree's folder, has its parts elsewhere and is not judged.
fn missing_part(path: &Path) -> Option<String> {
    let inner = path.join(".git");
    let folder = if inner.symlink_metadata().is_ok() { inner } else { path.to_owned() };
    if !folder.is_dir() || folder.join("commondir").exists() {
        return None;
    }
    let part = ["HEAD", "objects", "refs"].into_iter().find(|part| !folder.join(part).exists())?;
    let place = folder.join(part);
    Some(format!("{} is missing; restore it, or take a fresh clone", place.display()))
}

/// Direct references by full name; symbolic ones are followed by nobody and left out.
fn references(
    repo: &gix::Repository,
    notices: &mut Vec<String>,
) -> Result<BTreeMap<String, ObjectId>, String> {
    let platform = repo.references().map_err(|e| format!("its references: {}", all(&e)))?;
    let iter = platform.all().map_err(|e| format!("its references: {}", all(&e)))?;
    let mut refs = BTreeMap::new();
    for reference in iter {
        match reference {
            Ok(reference) => {
                let name = reference.name().as_bstr().to_string();
                if let Some(id) = reference.try_id() {
                    refs.insert(name, id.detach());
                }
            }
            Err(e) => notices.push(format!("a reference that cannot be read: {e}")),
        }
    }
    Ok(refs)
}

/// The default branch and its newest commit.
fn head(
    repo: &gix::Repository,
    refs: &BTreeMap<String, ObjectId>,
) -> Result<(String, ObjectId), String> {
    let head = repo.head().map_err(|e| format!("its HEAD cannot be read: {}", all(&e)))?;
    match &head.kind {
        gix::head::Kind::Symbolic(reference) => {
            let name = reference.name.as_bstr().to_string();
            let id = refs.get(&name).copied();
            let id = id.ok_or_else(|| format!("its HEAD names {name}, which is no commit"))?;
            Ok((name, id))
        }
        gix::head::Kind::Unborn(name) => Err(format!(
            "its branch {} has no commit yet; commit something, or give the files as a folder \
             without .git",
            name.as_bstr()
        )),
        gix::head::Kind::Detached { target, peeled } => {
            let id = peeled.unwrap_or(*target);
            let taken = refs.get(BRANCH).is_some_and(|main| *main != id);
            Ok((if taken { DETACHED } else { BRANCH }.to_owned(), id))
        }
    }
}

/// Whether the newest commit and its folder are there, so that a damaged repository is told at
/// the start and not in the middle of a run.
fn check_head(objects: &Objects, branch: &str, id: ObjectId) -> Result<(), GitError> {
    let header = commit::header(objects, id)?;
    Folder::read(objects, header.tree).map(|_| ()).map_err(|error| match error {
        GitError::Source(SourceError::Missing { id: tree, .. }) => {
            let what = format!("the root folder of commit {} ({branch}), object", git_id(&id));
            SourceError::Missing { what, id: tree }.into()
        }
        other => other,
    })
}

/// An error with everything that caused it, on one line.
fn all(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    // Some quote the lines of the file that they are about.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
