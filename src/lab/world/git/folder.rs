//! One folder of a commit while it is edited. Folders below it are read when something in them is
//! asked for, and written when something in them changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::tree::{self, EntryKind};
use gix::objs::{Kind, TreeRefIter, Write};

use super::GitError;
use super::objects::Objects;
use crate::engine::source::{SourceError, git_id};

/// A folder: its entries by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    entries: BTreeMap<Box<[u8]>, Entry>,
    /// Whether something in it, or below it, was changed since it was read.
    changed: bool,
}

#[derive(Clone, Debug)]
enum Entry {
    /// A file, a link, a submodule, or a folder that nobody looked into.
    At(tree::EntryMode, ObjectId),
    /// A folder that was looked into, and its id before that; `None` for a new one.
    Open(Option<ObjectId>, Folder),
}

impl Folder {
    /// The folder with this id.
    pub(super) fn read(objects: &Objects, id: ObjectId) -> Result<Self, GitError> {
        let unreadable = |why: String| SourceError::Unreadable {
            what: "folder".to_owned(),
            id: git_id(&id),
            why,
        };
        let object = objects.get(id).map_err(|e| unreadable(e.to_string()))?;
        let missing = || SourceError::Missing { what: "folder".to_owned(), id: git_id(&id) };
        let (kind, bytes) = object.ok_or_else(missing)?;
        if kind != Kind::Tree {
            return Err(unreadable(format!("it is a {kind}")).into());
        }
        let entries = TreeRefIter::from_bytes(&bytes, id.kind()).map(|entry| {
            let entry = entry.map_err(|e| unreadable(e.to_string()))?;
            Ok((Box::from(entry.filename as &[u8]), Entry::At(entry.mode, entry.oid.to_owned())))
        });
        let entries = entries.collect::<Result<_, SourceError>>()?;
        Ok(Self { entries, changed: false })
    }

    /// Puts a file, given by its path's segments, in place of what is there. A file keeps its
    /// mode; a folder is in the way.
    pub(super) fn put(
        &mut self,
        objects: &Objects,
        path: &str,
        kind: EntryKind,
        id: ObjectId,
    ) -> Result<(), GitError> {
        let in_the_way = |what: String| GitError::InTheWay { path: path.to_owned(), what };
        let (folders, name) = path.rsplit_once('/').map_or(("", path), |(f, n)| (f, n));
        let mut here = self;
        here.changed = true;
        let mut walked = String::new();
        for segment in folders.split('/').filter(|s| !s.is_empty()) {
            walked.push_str(segment);
            here = here
                .open_or_make(objects, segment)?
                .ok_or_else(|| in_the_way(format!("the file {walked}")))?;
            here.changed = true;
            walked.push('/');
        }
        let mode = match here.entries.get(name.as_bytes()) {
            Some(Entry::Open(..)) => return Err(in_the_way("a folder of that name".to_owned())),
            Some(Entry::At(mode, _)) if mode.is_tree() => {
                return Err(in_the_way("a folder of that name".to_owned()));
            }
            Some(Entry::At(mode, _)) if mode.is_blob() && kind == EntryKind::Blob => *mode,
            _ => kind.into(),
        };
        here.entries.insert(Box::from(name.as_bytes()), Entry::At(mode, id));
        Ok(())
    }

    /// Takes out a file, or a folder with everything in it. False where there is none.
    pub(super) fn take_out(&mut self, objects: &Objects, path: &str) -> Result<bool, GitError> {
        let taken = match path.split_once('/') {
            None => self.entries.remove(path.as_bytes()).is_some(),
            Some((first, rest)) => {
                let Some(folder) = self.open(objects, first)? else { return Ok(false) };
                let taken = folder.take_out(objects, rest)?;
                // Git knows no empty folders: one is gone with the last thing in it.
                if folder.entries.is_empty() {
                    self.entries.remove(first.as_bytes());
                }
                taken
            }
        };
        self.changed |= taken;
        Ok(taken)
    }

    /// The id of the file at a path; `None` for a folder, a link, a submodule or nothing.
    pub(super) fn file(
        &mut self,
        objects: &Objects,
        path: &str,
    ) -> Result<Option<ObjectId>, GitError> {
        match path.split_once('/') {
            None => Ok(match self.entries.get(path.as_bytes()) {
                Some(Entry::At(mode, id)) if mode.is_blob() => Some(*id),
                _ => None,
            }),
            Some((first, rest)) => match self.open(objects, first)? {
                None => Ok(None),
                Some(folder) => folder.file(objects, rest),
            },
        }
    }

    /// Every file below, with its path and id, in the order of names in each folder. Names that
    /// are not UTF-8 are passed over, as are links and submodules.
    pub(super) fn files(
        &mut self,
        objects: &Objects,
        prefix: &str,
        found: &mut Vec<(String, ObjectId)>,
    ) -> Result<(), GitError> {
        let names: Vec<Box<[u8]>> = self.entries.keys().cloned().collect();
        for name in names {
            let Ok(text) = std::str::from_utf8(&name) else { continue };
            if let Some(Entry::At(mode, id)) = self.entries.get(&name)
                && mode.is_blob()
            {
                found.push((format!("{prefix}{text}"), *id));
            } else if let Some(folder) = self.open(objects, text)? {
                folder.files(objects, &format!("{prefix}{text}/"), found)?;
            }
        }
        Ok(())
    }

    /// Writes what changed and gives the folder's id; `None` where nothing is left in it.
    pub(super) fn write(&mut self, objects: &Objects) -> Result<Option<ObjectId>, GitError> {
        let mut entries = Vec::with_capacity(self.entries.len());
        for (name, entry) in &mut self.entries {
            let (mode, oid) = match entry {
                Entry::At(mode, id) => (*mode, *id),
                Entry::Open(before, folder) => {
                    let id = match before {
                        Some(id) if !folder.changed => Some(*id),
                        _ => folder.write(objects)?,
                    };
                    let Some(id) = id else { continue };
                    (EntryKind::Tree.into(), id)
                }
            };
            entries.push(tree::Entry { mode, filename: name.to_vec().into(), oid });
        }
        if entries.is_empty() {
            return Ok(None);
        }
        // Git orders a folder as if its name ended in a slash.
        entries.sort();
        let written = objects.write(&gix::objs::Tree { entries });
        let failed = |e: gix::Error| SourceError::Failed {
            what: "writing a folder".to_owned(),
            why: e.to_string(),
        };
        Ok(Some(written.map_err(failed)?))
    }

    /// The folder of this name; `None` where there is something else or nothing.
    fn open(&mut self, objects: &Objects, name: &str) -> Result<Option<&mut Self>, GitError> {
        let Some(entry) = self.entries.get_mut(name.as_bytes()) else { return Ok(None) };
        if let Entry::At(mode, id) = entry
            && mode.is_tree()
        {
            *entry = Entry::Open(Some(*id), Self::read(objects, *id)?);
        }
        Ok(match entry {
            Entry::Open(_, folder) => Some(folder),
            Entry::At(..) => None,
        })
    }

    /// The folder of this name, made where there is nothing; `None` where a file is in the way.
    fn open_or_make(
        &mut self,
        objects: &Objects,
        name: &str,
    ) -> Result<Option<&mut Self>, GitError> {
        if !self.entries.contains_key(name.as_bytes()) {
            let new = Entry::Open(None, Self { entries: BTreeMap::new(), changed: true });
            self.entries.insert(Box::from(name.as_bytes()), new);
        }
        self.open(objects, name)
    }
}

/// Reads a file's bytes.
pub(super) fn blob(objects: &Objects, path: &str, id: ObjectId) -> Result<Arc<[u8]>, GitError> {
    let what = format!("file {path}");
    match objects.get(id) {
        Ok(Some((_, bytes))) => Ok(bytes),
        Ok(None) => Err(SourceError::Missing { what, id: git_id(&id) }.into()),
        Err(e) => Err(SourceError::Unreadable { what, id: git_id(&id), why: e.to_string() }.into()),
    }
}
