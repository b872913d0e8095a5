//! The object database of a run: what was written is in memory, what was there before is read
//! from a repository on disk, if there is one. Nothing is ever written to disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use gix::ObjectId;
use gix::error::ResultExt;
use gix::objs::{Data, Find, FindHeader, Header, Kind, Write, compute_hash};

const HASH: gix::hash::Kind = gix::hash::Kind::Sha1;

/// An object's kind and bytes.
type Stored = (Kind, Arc<[u8]>);

/// Objects by id. Cloning is cheap in bytes: the objects themselves are shared.
#[derive(Clone)]
pub struct Objects {
    memory: RefCell<BTreeMap<ObjectId, Stored>>,
    base: Option<gix::odb::Handle>,
}

impl Objects {
    /// No objects but the empty tree, over a repository that is only read.
    pub(super) fn new(base: Option<gix::odb::Handle>) -> Self {
        let empty = (ObjectId::empty_tree(HASH), (Kind::Tree, Arc::from([])));
        Self { memory: RefCell::new(BTreeMap::from([empty])), base }
    }

    /// An object's kind and bytes; `None` where there is none of this id.
    pub(super) fn get(&self, id: ObjectId) -> gix::Result<Option<Stored>> {
        if let Some((kind, bytes)) = self.memory.borrow().get(&id) {
            return Ok(Some((*kind, Arc::clone(bytes))));
        }
        let Some(base) = &self.base else { return Ok(None) };
        let mut buffer = Vec::new();
        let kind = base.try_find(&id, &mut buffer)?.map(|data| data.kind);
        Ok(kind.map(|kind| (kind, Arc::from(buffer))))
    }

    /// The commits whose id starts with these hexadecimal digits, sorted.
    pub(super) fn commits_starting_with(&self, digits: &str) -> gix::Result<Vec<ObjectId>> {
        let prefix = gix::hash::Prefix::from_hex(digits)?;
        let starts = |id: &ObjectId| prefix.cmp_oid(id).is_eq();
        let mut found: Vec<ObjectId> =
            self.memory.borrow().keys().copied().filter(starts).collect();
        if let Some(base) = &self.base {
            let mut on_disk = Default::default();
            base.lookup_prefix(prefix, Some(&mut on_disk))?;
            found.extend(on_disk);
        }
        found.sort();
        found.dedup();
        found.retain(
            |id| matches!(self.try_header(id), Ok(Some(header)) if header.kind == Kind::Commit),
        );
        Ok(found)
    }

    /// Every object that was written in this run, to be copied elsewhere.
    pub fn written(&self) -> Vec<(Kind, Arc<[u8]>)> {
        self.memory.borrow().values().cloned().collect()
    }

    /// Writes every object of this run that is not in `known` to another database.
    ///
    /// # Errors
    /// The other database takes one not.
    pub fn export(
        &self,
        known: &mut std::collections::BTreeSet<ObjectId>,
        into: &impl Write,
    ) -> gix::Result<()> {
        for (id, (kind, bytes)) in self.memory.borrow().iter() {
            if known.insert(*id) {
                into.write_buf(*kind, bytes)?;
            }
        }
        Ok(())
    }

    /// The folder of the objects that were there before, if there were any.
    #[must_use]
    pub fn base_folder(&self) -> Option<std::path::PathBuf> {
        let folder = self.base.as_ref()?.store_ref().path();
        Some(folder.canonicalize().unwrap_or_else(|_| folder.to_owned()))
    }

    fn keep(&self, kind: Kind, bytes: &[u8], id: ObjectId) -> ObjectId {
        self.memory.borrow_mut().entry(id).or_insert_with(|| (kind, Arc::from(bytes)));
        id
    }
}

impl Find for Objects {
    fn try_find<'a>(
        &self,
        id: &gix::oid,
        buffer: &'a mut Vec<u8>,
    ) -> gix::Result<Option<Data<'a>>> {
        if let Some((kind, bytes)) = self.memory.borrow().get(id) {
            buffer.clear();
            buffer.extend_from_slice(bytes);
            return Ok(Some(Data { kind: *kind, object_hash: HASH, data: buffer }));
        }
        match &self.base {
            Some(base) => base.try_find(id, buffer),
            None => Ok(None),
        }
    }
}

impl FindHeader for Objects {
    fn try_header(&self, id: &gix::oid) -> gix::Result<Option<Header>> {
        if let Some((kind, bytes)) = self.memory.borrow().get(id) {
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            return Ok(Some(Header { kind: *kind, size }));
        }
        match &self.base {
            Some(base) => FindHeader::try_header(base, id),
            None => Ok(None),
        }
    }
}

impl Write for Objects {
    fn write_buf(&self, kind: Kind, bytes: &[u8]) -> gix::Result<ObjectId> {
        Ok(self.keep(kind, bytes, compute_hash(HASH, kind, bytes)?))
    }

    fn write_buf_with_known_id(
        &self,
        kind: Kind,
        bytes: &[u8],
        id: ObjectId,
    ) -> gix::Result<ObjectId> {
        Ok(self.keep(kind, bytes, id))
    }

    fn write_stream(&self, kind: Kind, _size: u64, from: &mut dyn Read) -> gix::Result<ObjectId> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).or_error()?;
        self.write_buf(kind, &bytes)
    }

    fn write_stream_with_known_id(
        &self,
        kind: Kind,
        _size: u64,
        from: &mut dyn Read,
        id: ObjectId,
    ) -> gix::Result<ObjectId> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).or_error()?;
        Ok(self.keep(kind, &bytes, id))
    }
}
