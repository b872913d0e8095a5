//! Headers of commits, read and written. What a commit's files are is `read`'s business.

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::{CommitRef, Kind};

use super::{ReadObjects, SourceError, WriteObjects, git_id};
use crate::base::Time;

/// Who made a commit, and when. Git keeps whole seconds; the time zone is always UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// A name, without `<`, `>` or line breaks.
    pub name: String,
    /// An address, without `<`, `>` or line breaks.
    pub email: String,
    /// The instant.
    pub at: Time,
}

impl Signature {
    /// Somebody at an instant.
    #[must_use]
    pub fn new(name: &str, email: &str, at: Time) -> Self {
        Self { name: name.to_owned(), email: email.to_owned(), at }
    }

    /// The engine itself, for reverts and notes.
    #[must_use]
    pub fn engine(at: Time) -> Self {
        Self::new("towtank engine", "engine@towtank.invalid", at)
    }

    fn actor(&self) -> gix::actor::Signature {
        let seconds = i64::try_from(self.at.as_micros() / 1_000_000).unwrap_or(i64::MAX);
        gix::actor::Signature {
            name: self.name.as_str().into(),
            email: self.email.as_str().into(),
            time: gix::date::Time { seconds, offset: 0 },
        }
    }
}

/// What a commit says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The tree of its files.
    pub tree: ObjectId,
    /// The commits it follows; the first is the branch it was made on.
    pub parents: Vec<ObjectId>,
    /// The first line of its message.
    pub subject: String,
}

/// Reads the header of a commit.
///
/// # Errors
/// `Missing` or `Unreadable`.
pub fn header<O: ReadObjects>(objects: &O, id: ObjectId) -> Result<Header, SourceError> {
    let mut buffer = Vec::new();
    let unreadable = |why: String| unreadable("commit", id, why);
    let data = objects.try_find(&id, &mut buffer).map_err(|e| unreadable(e.to_string()))?;
    let data = data.ok_or_else(|| missing("commit", id))?;
    if data.kind != Kind::Commit {
        return Err(unreadable(format!("it is a {}", data.kind)));
    }
    let commit = CommitRef::from_bytes(data.data, id.kind());
    let commit = commit.map_err(|e| unreadable(e.to_string()))?;
    Ok(Header {
        tree: commit.tree(),
        parents: commit.parents().collect(),
        subject: subject(commit.message),
    })
}

/// The message's first paragraph as one line, as `git log --format=%s` shows it.
fn subject(message: &[u8]) -> String {
    let lines = message.lines().skip_while(|line| line.trim().is_empty());
    let lines = lines.take_while(|line| !line.trim().is_empty());
    lines.map(|line| line.trim().to_str_lossy()).collect::<Vec<_>>().join(" ")
}

/// Writes a commit. Author and committer are the same; the message ends in one line break.
///
/// # Errors
/// `Failed` where the name or address cannot stand in a commit, or the database refuses.
pub fn write<O: WriteObjects>(
    objects: &O,
    tree: ObjectId,
    parents: &[ObjectId],
    message: &str,
    by: &Signature,
) -> Result<ObjectId, SourceError> {
    let actor = by.actor();
    let commit = gix::objs::Commit {
        tree,
        parents: parents.iter().copied().collect(),
        author: actor.clone(),
        committer: actor,
        encoding: None,
        message: format!("{}\n", message.trim_end()).into(),
        extra_headers: Vec::new(),
    };
    objects.write(&commit).map_err(|e| failed("writing a commit", e))
}

/// The error for an object that the database does not have.
pub(super) fn missing(what: &str, id: ObjectId) -> SourceError {
    SourceError::Missing { what: what.to_owned(), id: git_id(&id) }
}

/// The error for an object that makes no sense.
pub(super) fn unreadable(what: &str, id: ObjectId, why: String) -> SourceError {
    SourceError::Unreadable { what: what.to_owned(), id: git_id(&id), why }
}

/// The error for something that the database did not do.
pub(super) fn failed(what: &str, why: impl std::fmt::Display) -> SourceError {
    SourceError::Failed { what: what.to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::subject;

    #[test]
    fn a_subject_is_the_first_paragraph_on_one_line() {
        for (message, want) in [
            ("one\n", "one"),
            ("\n\none\ntwo \n\nthree\n", "one two"),
            ("", ""),
            ("one\r\n\r\ntwo", "one"),
        ] {
            assert_eq!(subject(message.as_bytes()), want, "{message:?}");
        }
    }
}
