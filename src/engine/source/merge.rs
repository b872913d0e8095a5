//! Three trees into one, as `git merge` and `git revert` do it: renames are followed (at 50 per
//! cent likeness) and files are merged by line.
//!
//! Configuration, merge drivers and attributes of the repository are not read, so that the same
//! trees always give the same result and no process is started.

use gix::ObjectId;
use gix::diff::blob as diff;
use gix::merge::plumbing::{blob, tree};
use gix::objs::Kind;
use gix::worktree::stack::State;

use super::commit::failed;
use super::{SourceError, WriteObjects};

/// The tree that `ours` becomes when everything that changed from `base` to `theirs` is done to
/// it. `what` says what is being tried, for messages. A clean merge writes the new tree and files;
/// one that fails may leave files behind that nothing refers to.
///
/// # Errors
/// `Conflict` with the paths, `Failed` where a tree cannot be read or written.
pub fn merge<O: WriteObjects>(
    objects: &O,
    what: &str,
    base: ObjectId,
    ours: ObjectId,
    theirs: ObjectId,
) -> Result<ObjectId, SourceError> {
    if ours == base || ours == theirs {
        return Ok(theirs);
    }
    if theirs == base {
        return Ok(ours);
    }
    let options = tree::Options {
        rewrites: Some(gix::diff::Rewrites::default()),
        ..tree::Options::default()
    };
    let outcome = gix::merge::plumbing::tree(
        &base,
        &ours,
        &theirs,
        blob::builtin_driver::text::Labels::default(),
        objects,
        |bytes| objects.write_buf(Kind::Blob, bytes),
        &mut gix::diff::tree::State::default(),
        &mut diff_platform(base.kind()),
        &mut merge_platform(base.kind()),
        options,
    );
    let mut outcome = outcome.map_err(|e| failed(what, e))?;
    let how = tree::TreatAsUnresolved::git();
    let open = outcome.conflicts.iter().filter(|conflict| conflict.is_unresolved(how));
    let mut paths: Vec<String> = open.map(|c| c.ours.location().to_string()).collect();
    if !paths.is_empty() {
        paths.sort();
        paths.dedup();
        return Err(SourceError::Conflict { what: what.to_owned(), paths });
    }
    outcome.tree.write(|tree| objects.write(tree)).map_err(|e| failed(what, e))
}

/// Attributes of nowhere: no path has any.
fn attributes() -> gix::worktree::Stack {
    let state = State::AttributesStack(gix::worktree::stack::state::Attributes::default());
    let case = gix::glob::pattern::Case::Sensitive;
    gix::worktree::Stack::new("", state, case, Vec::new(), Vec::new())
}

/// Filters that leave every byte as it is.
fn filter(hash: gix::hash::Kind) -> gix::filter::plumbing::Pipeline {
    let options = gix::filter::plumbing::pipeline::Options::default();
    gix::filter::plumbing::Pipeline::new(Default::default(), hash, options)
}

fn diff_platform(hash: gix::hash::Kind) -> diff::Platform {
    let pipeline =
        diff::Pipeline::new(Default::default(), filter(hash), Vec::new(), Default::default());
    let mode = diff::pipeline::Mode::ToGit;
    diff::Platform::new(diff::platform::Options::default(), pipeline, mode, attributes())
}

fn merge_platform(hash: gix::hash::Kind) -> blob::Platform {
    let pipeline = blob::Pipeline::new(Default::default(), filter(hash), Default::default());
    let mode = blob::pipeline::Mode::ToGit;
    let options = blob::platform::Options::default();
    blob::Platform::new(pipeline, mode, attributes(), Vec::new(), options)
}
