//! Repositories on the disk and elsewhere that are only looked at: a commit's files by what people
//! call it, and a commit that is fetched without its history.
//!
//! Shells call it (`towtank diff`, bases named by URL); a run never does.

use std::error::Error;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use gix::remote::fetch::Shallow;

use crate::engine::model::Artifact;
use crate::engine::source::Trees;

/// The commits that `revisions` name (a branch, a tag, an id, `HEAD~1`, ...) in the repository that
/// `folder` is in.
///
/// # Errors
/// Which of them cannot be read, and why.
pub fn artifacts(folder: &Path, revisions: &[&str]) -> Result<Vec<Artifact>, String> {
    let repo = gix::discover(folder).map_err(|error| format!("no Git repository: {error}"))?;
    let mut trees = Trees::new();
    let mut artifact = |revision: &str| -> Result<Artifact, Box<dyn Error>> {
        let id = repo.rev_parse_single(revision)?.object()?.peel_to_commit()?.id;
        Ok(trees.artifact(&repo.objects, &id.to_string())?)
    };
    let named =
        |revision: &&str| artifact(revision).map_err(|error| format!("{revision}: {error}"));
    revisions.iter().map(named).collect()
}

/// Fetches the commit at `revision` (`HEAD`, a full reference name, or a commit's id) of a
/// repository, without what came before it, to a bare repository in `folder`, which must not be
/// there. Gives the commit's id.
///
/// # Errors
/// That it is not there, or cannot be reached.
pub fn fetch_commit(
    repository: &str,
    revision: &str,
    folder: &Path,
) -> Result<String, Box<dyn Error>> {
    let mut fetch = gix::prepare_clone_bare(repository, folder)?
        .with_shallow(Shallow::DepthAtRemote(NonZeroU32::MIN))
        .with_revision(Some(revision))?;
    let (repo, _) = fetch.fetch_only(gix::progress::Discard, &AtomicBool::new(false))?;
    Ok(repo.head_commit()?.id.to_hex().to_string())
}
