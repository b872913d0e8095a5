//! Git notes: text beside a commit that does not change the commit. What the engine decided about
//! a revision is kept here, and `git notes --ref=towtank show COMMIT` or
//! `git log --notes=towtank` show it.
//!
//! The notes are a history of their own. These functions take its newest commit and give the next
//! one; moving the reference is the shell's.

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::note::plumbing::State;
use gix::objs::Kind;

use super::commit::{self, Signature, failed, missing, unreadable};
use super::{ReadObjects, SourceError, WriteObjects, git_id, object_id};
use crate::engine::model::GitId;

/// The reference that the engine's notes live under.
pub const NOTES_REF: &str = "refs/notes/towtank";

const MESSAGE: &str = "Notes added by towtank";

/// The note of a commit; `None` where it has none. `tip` is the newest commit of the notes, `None`
/// where there are none at all.
///
/// # Errors
/// `NotAnId`, `Missing`, `Unreadable`, `Failed`.
pub fn note<O: ReadObjects>(
    objects: &O,
    tip: Option<&str>,
    commit: &str,
) -> Result<Option<String>, SourceError> {
    let mut state = state(objects, tip_tree(objects, tip)?.1)?;
    let Some(id) = find(objects, &mut state, commit)? else { return Ok(None) };
    text(objects, id).map(Some)
}

/// Adds a line to the note of a commit, or makes the note; gives the new tip of the notes. What a
/// note said before stays.
///
/// # Errors
/// `NotAnId`, `Missing`, `Unreadable`, `Failed`.
pub fn append<O: WriteObjects>(
    objects: &O,
    tip: Option<&str>,
    commit: &str,
    line: &str,
    by: &Signature,
) -> Result<GitId, SourceError> {
    let mut before = note(objects, tip, commit)?.unwrap_or_default();
    if !before.is_empty() && !before.ends_with('\n') {
        before.push('\n');
    }
    replace(objects, tip, commit, &format!("{before}{line}"), by)
}

/// Sets the note of a commit, whatever it said before; gives the new tip of the notes.
///
/// # Errors
/// `NotAnId`, `Missing`, `Unreadable`, `Failed`.
pub fn replace<O: WriteObjects>(
    objects: &O,
    tip: Option<&str>,
    commit: &str,
    text: &str,
    by: &Signature,
) -> Result<GitId, SourceError> {
    let (parent, tree) = tip_tree(objects, tip)?;
    let text = format!("{}\n", text.trim_end());
    let blob = objects.write_buf(Kind::Blob, text.as_bytes());
    let blob = blob.map_err(|e| failed("writing a note", e))?;
    let about = object_id(commit)?;
    let mut state = state(objects, tree)?;
    let edit = state.replace(about, blob, objects);
    let edit = edit.map_err(|e| failed("writing the notes", e))?;
    let parents: Vec<ObjectId> = parent.into_iter().collect();
    commit::write(objects, edit.tree, &parents, MESSAGE, by).map(|id| git_id(&id))
}

/// The tip as an id, and its tree; the empty tree where there are no notes.
fn tip_tree<O: ReadObjects>(
    objects: &O,
    tip: Option<&str>,
) -> Result<(Option<ObjectId>, ObjectId), SourceError> {
    let Some(tip) = tip else { return Ok((None, ObjectId::empty_tree(gix::hash::Kind::Sha1))) };
    let id = object_id(tip)?;
    Ok((Some(id), commit::header(objects, id)?.tree))
}

fn state<O: ReadObjects>(objects: &O, tree: ObjectId) -> Result<State, SourceError> {
    State::new(tree, objects).map_err(|e| failed("reading the notes", e))
}

fn find<O: ReadObjects>(
    objects: &O,
    state: &mut State,
    commit: &str,
) -> Result<Option<ObjectId>, SourceError> {
    let about = object_id(commit)?;
    state.get(&about, objects).map_err(|e| failed("reading the notes", e))
}

fn text<O: ReadObjects>(objects: &O, id: ObjectId) -> Result<String, SourceError> {
    let mut buffer = Vec::new();
    let found = objects.try_find(&id, &mut buffer);
    let found = found.map_err(|e| unreadable("note", id, e.to_string()))?;
    Ok(found.ok_or_else(|| missing("note", id))?.data.to_str_lossy().into_owned())
}
