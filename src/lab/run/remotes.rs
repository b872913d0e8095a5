//! What a scenario puts in the place of things that kustomizations name by URL: folders, read
//! once, before the run.

use crate::base::Time;
use crate::engine::model::Node;
use crate::engine::render::kustomize::{Options, Remotes};
use crate::lab::scenario::model::{Mapped, Scenario};
use crate::lab::world::git::{GitError, GitWorld};

use super::{Run, RunError};

/// Reads the folders.
pub(super) fn read(scenario: &Scenario, now: Time) -> Result<Remotes, RunError> {
    let mut remotes = Remotes::new();
    for Mapped { url, written, path } in &scenario.remotes {
        let read = || -> Result<Node, GitError> {
            let world = GitWorld::from_path(path, now)?;
            Ok(Node::Dir(world.artifact()?.tree))
        };
        let wrong = |source| RunError::Repository {
            file: format!("{}:{}", scenario.file.display(), written.at),
            source,
        };
        remotes.insert(url.clone(), read().map_err(wrong)?);
    }
    Ok(remotes)
}

impl Run<'_> {
    /// How the engine of this run renders.
    pub(in crate::lab) fn render_options(&self) -> Options {
        Options { remotes: self.remotes.clone(), ..Options::default() }
    }
}
