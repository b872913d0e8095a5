//! The source stage: from a commit to its tree as a value, and the two things that the engine
//! writes back to Git: commits that take a bad one back, and notes.
//!
//! Everything works on an object database that the caller holds: a `gix::Repository`, or the
//! objects of a run that live in memory. Nothing here fetches, knows references, reads a clock or
//! a configuration, or starts a process: where the new commit goes is the caller's decision.
//!
//! - `read`: a commit's tree, sharing with every commit read before what they have in common
//! - `changed`: which files differ between two trees
//! - `merge`: three trees into one
//! - `revert`: the commit that takes another one back
//! - `notes`: what the engine decided, kept beside the commit it decided about
//! - `commit`: the header of a commit, read and written

pub mod changed;
pub mod commit;
pub mod merge;
pub mod notes;
pub mod read;
pub mod revert;

use std::sync::Arc;

use gix::ObjectId;
use gix::objs::{Find, FindHeader, Write};

use crate::engine::model::GitId;

pub use changed::{Change, ChangeKind, changed};
pub use commit::Signature;
pub use notes::NOTES_REF;
pub use read::{LeftOut, Trees};
pub use revert::revert;

/// Where objects are read from. A `gix::Repository` is one.
pub trait ReadObjects: Find + FindHeader {}

impl<T: Find + FindHeader> ReadObjects for T {}

/// Where objects are read from and written to. A `gix::Repository` is one.
pub trait WriteObjects: ReadObjects + Write {}

impl<T: ReadObjects + Write> WriteObjects for T {}

/// What can go wrong between a commit id and a tree, or on the way back.
///
/// `Missing` may pass once more of the repository is fetched. The others stay as they are until
/// somebody pushes another commit or repairs the repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Not an object id in hexadecimal.
    #[error("`{text}` is not a commit id: 40 hexadecimal digits are expected")]
    NotAnId {
        /// What was given.
        text: String,
    },
    /// The object database does not have the object.
    #[error(
        "reading the repository: {what} {id} is not there; if this is a shallow or partial clone, \
         fetch its full history, else the repository is damaged (`git fsck` tells more)"
    )]
    Missing {
        /// The kind of object, and the path where it was named.
        what: String,
        /// Its id.
        id: GitId,
    },
    /// The object is there and makes no sense.
    #[error("reading the repository: {what} {id} cannot be read ({why}); `git fsck` tells more")]
    Unreadable {
        /// The kind of object, and the path where it was named.
        what: String,
        /// Its id.
        id: GitId,
        /// What the reader said.
        why: String,
    },
    /// Folders lie deeper in each other than is read.
    #[error("reading commit {commit}: {path} lies more than {limit} folders deep")]
    TooDeep {
        /// The commit.
        commit: GitId,
        /// The folder that was one too deep.
        path: String,
        /// How many are read.
        limit: usize,
    },
    /// A commit without a parent cannot be taken back.
    #[error(
        "reverting {commit}: it is the first commit of its history, there is nothing to go back to"
    )]
    RootCommit {
        /// The commit.
        commit: GitId,
    },
    /// Taking the commit back changes nothing.
    #[error("reverting {commit}: at {head} nothing of it is left to take back")]
    NothingToRevert {
        /// The commit.
        commit: GitId,
        /// The commit it was to be taken back on.
        head: GitId,
    },
    /// Both sides changed the same lines.
    #[error("{what}: both sides changed {}; resolve it by hand and push the result", .paths.join(", "))]
    Conflict {
        /// What was tried.
        what: String,
        /// The files, from the repository's root, sorted.
        paths: Vec<String>,
    },
    /// The object database did not take an object, or a merge broke off.
    #[error("{what}: {why}")]
    Failed {
        /// What was tried.
        what: String,
        /// What the database said.
        why: String,
    },
}

/// The object id that `text` spells out in full.
///
/// # Errors
/// `NotAnId` where it does not.
pub fn object_id(text: &str) -> Result<ObjectId, SourceError> {
    ObjectId::from_hex(text.as_bytes()).map_err(|_| SourceError::NotAnId { text: text.to_owned() })
}

/// An object id as the engine's values carry it.
#[must_use]
pub fn git_id(id: &gix::oid) -> GitId {
    let mut hex = [0_u8; 40];
    let used = id.hex_to_buf(&mut hex).len();
    Arc::from(std::str::from_utf8(&hex[..used]).unwrap_or_default())
}
