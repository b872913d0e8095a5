//! The commit that takes another one back, as `git revert` makes it. Who decides on one is the
//! rollback stage; who moves the branch is the shell.

use super::commit::{self, Signature};
use super::{SourceError, WriteObjects, git_id, merge, object_id};
use crate::engine::model::GitId;

/// Writes a commit on top of `head` that undoes what `bad` did, and keeps everything else that
/// came after it. A merge commit is taken back to its first parent. `reason` becomes the last
/// paragraph of the message; empty for none.
///
/// # Errors
/// `RootCommit`, `NothingToRevert`, `Conflict` with the paths; `NotAnId`, `Missing`, `Unreadable`,
/// `Failed` from the repository.
pub fn revert<O: WriteObjects>(
    objects: &O,
    head: &str,
    bad: &str,
    reason: &str,
    by: &Signature,
) -> Result<GitId, SourceError> {
    let message = |subject: &str, parents: &[gix::ObjectId]| message(subject, bad, parents, reason);
    with_message(objects, head, bad, by, message)
}

/// As [`revert`], with a message of the caller's own in full.
///
/// # Errors
/// As [`revert`].
pub fn revert_saying<O: WriteObjects>(
    objects: &O,
    head: &str,
    bad: &str,
    message: &str,
    by: &Signature,
) -> Result<GitId, SourceError> {
    with_message(objects, head, bad, by, |_, _| message.to_owned())
}

fn with_message<O: WriteObjects>(
    objects: &O,
    head: &str,
    bad: &str,
    by: &Signature,
    message: impl FnOnce(&str, &[gix::ObjectId]) -> String,
) -> Result<GitId, SourceError> {
    let (head_id, bad_id) = (object_id(head)?, object_id(bad)?);
    let head_tree = commit::header(objects, head_id)?.tree;
    let undone = commit::header(objects, bad_id)?;
    let Some(parent) = undone.parents.first() else {
        return Err(SourceError::RootCommit { commit: git_id(&bad_id) });
    };
    let parent_tree = commit::header(objects, *parent)?.tree;
    let what = format!("reverting {bad}");
    let tree = merge::merge(objects, &what, undone.tree, head_tree, parent_tree)?;
    if tree == head_tree {
        let (commit, head) = (git_id(&bad_id), git_id(&head_id));
        return Err(SourceError::NothingToRevert { commit, head });
    }
    let text = message(&undone.subject, &undone.parents);
    commit::write(objects, tree, &[head_id], &text, by).map(|id| git_id(&id))
}

/// Git's own wording, so that tools which look for it find it.
fn message(subject: &str, bad: &str, parents: &[gix::ObjectId], reason: &str) -> String {
    let of_merge = match parents {
        [first, _, ..] => format!(", reversing\nchanges made to {first}"),
        _ => String::new(),
    };
    let mut text = format!("Revert \"{subject}\"\n\nThis reverts commit {bad}{of_merge}.\n");
    if !reason.is_empty() {
        text.push('\n');
        text.push_str(reason.trim_end());
        text.push('\n');
    }
    text
}
