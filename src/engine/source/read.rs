//! Reads a commit's tree into values. A folder or file that was read before, in any commit, is
//! shared and not read again, so the next commit costs what it changed.
//!
//! What a tree value leaves out, and says so through [`Trees::left_out`]:
//! symbolic links and submodules are not entries of it (Flux's artifacts leave them out as well:
//! a link's target may lie outside of the folder, and a submodule is another repository), nor are
//! names that are not UTF-8. A file over [`limits::BLOB_BYTES`] is an entry with its true id and
//! no bytes. Rendering decides what that means; nothing is judged here.

use std::collections::BTreeMap;
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use gix::objs::{Kind, TreeRefIter};

use super::commit::{self, missing, unreadable};
use super::{ReadObjects, SourceError, git_id, object_id};
use crate::base::limits;
use crate::engine::model::{Artifact, Blob, Node, Tree};

/// Something in a commit that its tree value does not carry in full.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Where, from the repository's root.
    pub path: String,
    /// Why: a symbolic link, a submodule, a name that is not UTF-8, or too large.
    pub why: &'static str,
}

/// Every folder and file read so far, by id.
#[derive(Debug, Default)]
pub struct Trees {
    trees: BTreeMap<ObjectId, Arc<Tree>>,
    blobs: BTreeMap<ObjectId, Arc<Blob>>,
    /// Names left out of a folder (not of those below it), by the folder's id.
    left_out: BTreeMap<ObjectId, Vec<(String, &'static str)>>,
    /// Folders and files held when the last clean-up was done.
    kept: usize,
}

impl Trees {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A commit and its files. Only folders and files that were not read before are decoded.
    ///
    /// # Errors
    /// `NotAnId`, or `Missing`, `Unreadable` or `TooDeep` with the path that could not be read.
    pub fn artifact<O: ReadObjects>(
        &mut self,
        objects: &O,
        commit: &str,
    ) -> Result<Artifact, SourceError> {
        self.forget_unused();
        let id = object_id(commit)?;
        let header = commit::header(objects, id)?;
        let mut reading =
            Reading { known: self, objects, commit: id, path: String::new(), buffer: Vec::new() };
        let tree = reading.tree(header.tree, 0)?;
        Ok(Artifact { commit: git_id(&id), subject: header.subject, tree })
    }

    /// What is in the commit and not, or not in full, in its tree value; sorted by path.
    #[must_use]
    pub fn left_out(&self, artifact: &Artifact) -> Vec<LeftOut> {
        let mut found = Vec::new();
        if !self.left_out.is_empty() {
            self.collect_left_out(&artifact.tree, "", &mut found);
            found.sort();
        }
        found
    }

    fn collect_left_out(&self, tree: &Tree, prefix: &str, found: &mut Vec<LeftOut>) {
        let names = object_id(&tree.id).ok().and_then(|id| self.left_out.get(&id));
        for (name, why) in names.into_iter().flatten() {
            found.push(LeftOut { path: format!("{prefix}{name}"), why });
        }
        for (name, node) in &tree.entries {
            if let Node::Dir(dir) = node {
                self.collect_left_out(dir, &format!("{prefix}{name}/"), found);
            }
        }
    }

    /// Lets go of what nobody else holds, once the number of folders and files has doubled past
    /// the limit, so that a long-lived engine does not keep every commit it ever saw.
    fn forget_unused(&mut self) {
        let held = self.trees.len() + self.blobs.len();
        if held < limits::SOURCE_CACHE_ENTRIES.max(self.kept.saturating_mul(2)) {
            return;
        }
        // A folder holds what is in it: freeing one may free the next level down.
        loop {
            let before = self.trees.len();
            self.trees.retain(|_, tree| Arc::strong_count(tree) > 1);
            if self.trees.len() == before {
                break;
            }
        }
        self.blobs.retain(|_, blob| Arc::strong_count(blob) > 1);
        self.left_out.retain(|id, _| self.trees.contains_key(id));
        self.kept = self.trees.len() + self.blobs.len();
    }
}

/// One commit being read.
struct Reading<'a, O> {
    known: &'a mut Trees,
    objects: &'a O,
    commit: ObjectId,
    /// The folder being read, with a slash at its end; empty for the root.
    path: String,
    /// The bytes of the file being read.
    buffer: Vec<u8>,
}

impl<O: ReadObjects> Reading<'_, O> {
    fn tree(&mut self, id: ObjectId, depth: usize) -> Result<Arc<Tree>, SourceError> {
        if let Some(tree) = self.known.trees.get(&id) {
            return Ok(Arc::clone(tree));
        }
        if depth > limits::FOLDER_DEPTH {
            return Err(SourceError::TooDeep {
                commit: git_id(&self.commit),
                path: self.path.clone(),
                limit: limits::FOLDER_DEPTH,
            });
        }
        let mut buffer = Vec::new();
        let kind = self.find(id, "folder", &mut buffer)?;
        if kind != Kind::Tree {
            return Err(unreadable(&self.place("folder"), id, format!("it is a {kind}")));
        }
        let mut entries = BTreeMap::new();
        let mut left_out = Vec::new();
        for entry in TreeRefIter::from_bytes(&buffer, id.kind()) {
            let entry = entry.map_err(|e| unreadable(&self.place("folder"), id, e.to_string()))?;
            let Ok(name) = std::str::from_utf8(entry.filename) else {
                left_out.push((entry.filename.to_string(), "its name is not UTF-8"));
                continue;
            };
            let (node, why) = self.entry(name, entry.mode.kind(), entry.oid.to_owned(), depth)?;
            left_out.extend(why.map(|why| (name.to_owned(), why)));
            if let Some(node) = node {
                entries.insert(Arc::from(name), node);
            }
        }
        if !left_out.is_empty() {
            self.known.left_out.insert(id, left_out);
        }
        let tree = Arc::new(Tree { id: git_id(&id), entries });
        self.known.trees.insert(id, Arc::clone(&tree));
        Ok(tree)
    }

    /// One entry as a value, and why it is not there or not whole.
    fn entry(
        &mut self,
        name: &str,
        kind: EntryKind,
        id: ObjectId,
        depth: usize,
    ) -> Result<(Option<Node>, Option<&'static str>), SourceError> {
        Ok(match kind {
            EntryKind::Tree => (Some(Node::Dir(self.child(name, id, depth)?)), None),
            EntryKind::Blob | EntryKind::BlobExecutable => {
                let blob = self.blob(name, id)?;
                let large = blob.bytes.is_empty() && id != ObjectId::empty_blob(id.kind());
                (Some(Node::File(blob)), large.then_some("it is too large to be read"))
            }
            EntryKind::Link => (None, Some("it is a symbolic link")),
            EntryKind::Commit => (None, Some("it is a submodule")),
        })
    }

    fn child(&mut self, name: &str, id: ObjectId, depth: usize) -> Result<Arc<Tree>, SourceError> {
        let length = self.path.len();
        self.path.push_str(name);
        self.path.push('/');
        let tree = self.tree(id, depth + 1);
        self.path.truncate(length);
        tree
    }

    /// A file; one that is too large has no bytes.
    fn blob(&mut self, name: &str, id: ObjectId) -> Result<Arc<Blob>, SourceError> {
        if let Some(blob) = self.known.blobs.get(&id) {
            return Ok(Arc::clone(blob));
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        if !self.too_large(name, id)? {
            let what = format!("file {name}");
            let kind = self.find(id, &what, &mut buffer)?;
            if kind != Kind::Blob {
                return Err(unreadable(&self.place(&what), id, format!("it is a {kind}")));
            }
        }
        let blob = Arc::new(Blob { id: git_id(&id), bytes: Arc::from(buffer.as_slice()) });
        self.buffer = buffer;
        self.known.blobs.insert(id, Arc::clone(&blob));
        Ok(blob)
    }

    fn too_large(&self, name: &str, id: ObjectId) -> Result<bool, SourceError> {
        let what = || self.place(&format!("file {name}"));
        let header = self.objects.try_header(&id);
        let header = header.map_err(|e| unreadable(&what(), id, e.to_string()))?;
        Ok(header.ok_or_else(|| missing(&what(), id))?.size > limits::BLOB_BYTES)
    }

    fn find(&self, id: ObjectId, what: &str, buffer: &mut Vec<u8>) -> Result<Kind, SourceError> {
        let found = self.objects.try_find(&id, buffer);
        let found = found.map_err(|e| unreadable(&self.place(what), id, e.to_string()))?;
        Ok(found.ok_or_else(|| missing(&self.place(what), id))?.kind)
    }

    /// What is being read and where, for messages.
    fn place(&self, what: &str) -> String {
        let folder = if self.path.is_empty() { "/" } else { &self.path };
        format!("{what} in {folder} of commit {}, object", self.commit)
    }
}
