//! The next commit while it is made: the files of the branch's newest commit, and what was done
//! to them since. Each edit sees those before it. Nothing moves until the draft is committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use gix::objs::{Kind, Write};

use super::GitError;
use super::error::{by_likeness, nearest_is};
use super::field::{self, Document};
use super::folder::{self, Folder};
use super::objects::Objects;
use super::pins::{self, Tag};
use crate::engine::source::{SourceError, commit};
use crate::object::Value;
use crate::object::yaml::edit::{self, Splice};
use crate::object::yaml::spanned;

/// Images that a message lists at most.
const LISTED: usize = 10;

/// One change of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A file, new or replaced as a whole; one that was executable stays so.
    Write {
        /// Its path from the repository's root.
        path: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A file, or a folder with everything in it, goes away.
    Delete {
        /// Its path from the repository's root.
        path: String,
    },
}

/// What a draft came to: a tree that is written, and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    pub(super) branch: String,
    pub(super) parent: ObjectId,
    pub(super) tree: ObjectId,
}

/// The next commit of a branch.
pub struct Draft<'a> {
    objects: &'a Objects,
    branch: String,
    parent: ObjectId,
    root: Folder,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        objects: &'a Objects,
        branch: &str,
        parent: ObjectId,
    ) -> Result<Self, GitError> {
        let root = Folder::read(objects, commit::header(objects, parent)?.tree)?;
        Ok(Self { objects, branch: branch.to_owned(), parent, root })
    }

    /// Makes the edits in order.
    ///
    /// # Errors
    /// As [`Draft::write`] and [`Draft::delete`].
    pub fn edit(&mut self, edits: &[Edit]) -> Result<(), GitError> {
        for edit in edits {
            match edit {
                Edit::Write { path, bytes } => self.write(path, bytes)?,
                Edit::Delete { path } => self.delete(path)?,
            }
        }
        Ok(())
    }

    /// A file, new or replaced as a whole.
    ///
    /// # Errors
    /// `BadPath`; `InTheWay` where a folder has its name, or a file that of its folder.
    pub fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), GitError> {
        check_path(path)?;
        let id = write_blob(self.objects, bytes)?;
        self.root.put(self.objects, path, EntryKind::Blob, id)
    }

    /// A file, or a folder with everything in it, goes away.
    ///
    /// # Errors
    /// `BadPath`; `NoFile` with the nearest path there is.
    pub fn delete(&mut self, path: &str) -> Result<(), GitError> {
        let path = path.strip_suffix('/').unwrap_or(path);
        check_path(path)?;
        if self.root.take_out(self.objects, path)? { Ok(()) } else { Err(self.no_file(path)) }
    }

    /// The bytes of a file as the draft has it.
    ///
    /// # Errors
    /// `NoFile` with the nearest path there is.
    pub fn read(&mut self, path: &str) -> Result<Arc<[u8]>, GitError> {
        match self.root.file(self.objects, path)? {
            Some(id) => folder::blob(self.objects, path, id),
            None => Err(self.no_file(path)),
        }
    }

    /// The paths of all files, sorted.
    ///
    /// # Errors
    /// `Source` where a folder cannot be read.
    pub fn paths(&mut self) -> Result<Vec<String>, GitError> {
        let mut paths: Vec<String> = self.files()?.into_iter().map(|(path, _)| path).collect();
        paths.sort();
        Ok(paths)
    }

    /// Gives an image another tag, or a digest (`sha256:…`), in every file that pins it: entries
    /// of `images:` in a kustomization, `image:` of manifests, and `image: {repository, tag}` of
    /// Helm values. A manifest that names the image without tag or digest is left alone where
    /// another place pins it, for that place is then the one that decides. Gives the paths of the
    /// files that changed; none where every place had that tag already.
    ///
    /// # Errors
    /// `BadTag`; `NoImage` with the images that there are, nearest first; `Field` for an entry
    /// that has both a tag and a digest.
    pub fn set_image(&mut self, image: &str, tag: &str) -> Result<Vec<String>, GitError> {
        let tag = Tag::parse(tag).ok_or_else(|| GitError::BadTag { tag: tag.to_owned() })?;
        let mut places: BTreeMap<String, (String, Vec<pins::Place>)> = BTreeMap::new();
        for (path, text) in self.yaml_files(image)? {
            // What does not parse (a Helm template) pins nothing that could be edited.
            let Ok(documents) = spanned::documents(&text) else { continue };
            let found = pins::find(&path, &text, &documents, image, &tag)?;
            if !found.is_empty() {
                places.insert(path, (text, found));
            }
        }
        if places.is_empty() {
            return Err(self.no_image(image)?);
        }
        let pinned = places.values().flat_map(|(_, found)| found).any(|place| place.pinned);
        let mut changed = Vec::new();
        for (path, (text, found)) in places {
            let wanted = found.into_iter().filter(|place| place.pinned || !pinned);
            let splices: Vec<Splice> = wanted.flat_map(|place| place.splices).collect();
            let new = edit::splice(&text, splices);
            if new != text {
                self.write(&path, new.as_bytes())?;
                changed.push(path);
            }
        }
        Ok(changed)
    }

    /// Gives one field of a YAML file a value, in place; null takes the field out. `path` is
    /// written `spec.template.spec.containers[name=cart].image`, as [`crate::object::field_path`] says.
    ///
    /// # Errors
    /// `NoFile`; `Field` with the nearest field there is.
    pub fn edit_field(
        &mut self,
        file: &str,
        document: &Document,
        path: &str,
        value: &Value,
    ) -> Result<(), GitError> {
        let bytes = self.read(file)?;
        let wrong = |what: String| GitError::Field { file: file.to_owned(), what };
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
        let new = field::set(text, document, path, value).map_err(wrong)?;
        self.write(file, new.as_bytes())
    }

    /// Writes the folders that changed; what comes out is committed with
    /// [`super::GitWorld::commit_staged`].
    ///
    /// # Errors
    /// `Source` where a folder cannot be read or written.
    pub fn finish(mut self) -> Result<Staged, GitError> {
        let tree = self.root.write(self.objects)?;
        let tree = tree.unwrap_or_else(|| ObjectId::empty_tree(self.parent.kind()));
        Ok(Staged { branch: self.branch, parent: self.parent, tree })
    }

    fn files(&mut self) -> Result<Vec<(String, ObjectId)>, GitError> {
        let mut found = Vec::new();
        self.root.files(self.objects, "", &mut found)?;
        Ok(found)
    }

    /// The YAML and JSON files that have `word` in them, and not only as a part of a longer
    /// name, with their text: reading a large repository is quick, parsing all of it is not.
    fn yaml_files(&mut self, word: &str) -> Result<Vec<(String, String)>, GitError> {
        let mut found = Vec::new();
        for (path, id) in self.files()? {
            if pins::may_pin(&path) {
                let bytes = folder::blob(self.objects, &path, id)?;
                if let Ok(text) = std::str::from_utf8(&bytes)
                    && has_word(text, word)
                {
                    found.push((path, text.to_owned()));
                }
            }
        }
        Ok(found)
    }

    fn no_file(&mut self, path: &str) -> GitError {
        let paths = self.paths().unwrap_or_default();
        let nearest = nearest_is(path, paths.iter().map(String::as_str));
        GitError::NoFile { path: path.to_owned(), nearest }
    }

    fn no_image(&mut self, image: &str) -> Result<GitError, GitError> {
        let mut names = std::collections::BTreeSet::new();
        for (path, text) in self.yaml_files("image")?.into_iter().chain(self.yaml_files("images")?)
        {
            if let Ok(documents) = spanned::documents(&text) {
                pins::names(&path, &documents, &mut names);
            }
        }
        let near = by_likeness(image, names.iter().map(String::as_str));
        let mut listed: Vec<&str> = near.iter().take(LISTED).map(|(_, name)| *name).collect();
        if near.len() > LISTED {
            listed.push("…");
        }
        let there = match listed.as_slice() {
            [] => "; no file names any image".to_owned(),
            names => format!("; the images there are: {}", names.join(", ")),
        };
        Ok(GitError::NoImage { image: image.to_owned(), there })
    }
}

/// Whether `word` stands in the text without a letter, digit, `-`, `_`, `.` or `/` around it.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    text.match_indices(word).any(|(at, _)| {
        let (before, behind) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(part) && !behind.starts_with(part)
    })
}

/// Writes a file's bytes.
pub(super) fn write_blob(objects: &Objects, bytes: &[u8]) -> Result<ObjectId, GitError> {
    let failed = |e: gix::Error| SourceError::Failed {
        what: "writing a file".to_owned(),
        why: e.to_string(),
    };
    Ok(objects.write_buf(Kind::Blob, bytes).map_err(failed)?)
}

/// Whether a path can be that of a file in a commit.
pub(super) fn check_path(path: &str) -> Result<(), GitError> {
    let bad = |why| Err(GitError::BadPath { path: path.to_owned(), why });
    if path.is_empty() {
        return bad("it is empty");
    }
    if path.starts_with('/') {
        return bad("it starts with a slash; paths are from the repository's root");
    }
    for segment in path.split('/') {
        match segment {
            "" => return bad("a segment is empty"),
            "." | ".." => return bad("a segment is `.` or `..`"),
            _ if segment.eq_ignore_ascii_case(".git") => return bad("a segment is `.git`"),
            _ if segment.contains('\0') => return bad("it has a NUL in it"),
            _ => {}
        }
    }
    Ok(())
}
