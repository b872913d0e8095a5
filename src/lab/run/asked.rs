//! What checks may ask a run: the cluster, the repository, the kinds, what others wrote.
//!
//! Not here: what checks make of it (`lab::check`).

use super::Run;
use crate::engine::render::ParseCache;
use crate::engine::{self, Engine};
use crate::lab::backend::Cluster;
use crate::lab::check::{Checks, Kept, References};
use crate::lab::scenario::model::Scenario;
use crate::object::schema::{self, Schema};

impl Run<'_> {
    /// The cluster, for checks.
    pub(in crate::lab) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The scenario, for checks.
    pub(in crate::lab) fn scenario(&self) -> &Scenario {
        self.scenario
    }

    /// What is known so far of the Apps, for checks.
    pub(in crate::lab) fn checks(&self) -> &Checks {
        &self.checks
    }

    /// The newest commit, for checks.
    pub(in crate::lab) fn head(&self) -> String {
        self.repo.head().to_string()
    }

    /// The kinds that the engine knows; without one, those that every cluster has.
    pub(in crate::lab) fn schema(&self) -> &Schema {
        self.engine.as_ref().map_or(schema::builtin(), Engine::schema)
    }

    /// What others wrote, for checks.
    pub(in crate::lab) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// What undisturbed runs came to, for checks.
    pub(in crate::lab) fn references(&mut self) -> &mut References {
        &mut self.within.references
    }

    /// Whether this run stands for what nobody disturbed.
    pub(in crate::lab) fn is_reference(&self) -> bool {
        self.within.is_reference
    }

    /// Whether an engine runs, for checks.
    pub(in crate::lab) fn has_engine(&self) -> bool {
        self.engine.is_some()
    }

    /// What a folder of a tree renders to, for checks. Files that the engine has parsed are not
    /// parsed again: equal Git ids are equal bytes.
    pub(in crate::lab) fn render(
        &mut self,
        tree: &engine::model::Tree,
        path: &str,
    ) -> Result<engine::model::Rendered, engine::model::RenderError> {
        let mut fresh = ParseCache::default();
        let options = self.render_options();
        let cache = self.engine.as_mut().map_or(&mut fresh, Engine::parsed_files);
        engine::render::render_with(tree, path, &options, cache)
    }

    /// A commit's tree, for checks.
    pub(in crate::lab) fn artifact(&mut self, commit: &str) -> Option<engine::model::Artifact> {
        let commit = engine::model::GitId::from(commit);
        self.trees.artifact(self.repo.world().objects(), &commit).ok()
    }
}
