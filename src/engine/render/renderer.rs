//! Renders the same folders commit after commit, at the cost of what changed: a commit that leaves
//! alone what a build looked at costs a look at the ids, any other a build in which only changed
//! files are parsed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cache::ParseCache;
use super::kustomize::Options;
use super::render_with;
use crate::base::limits;
use crate::engine::model::{RenderError, Rendered, Tree};

/// Renders folders and remembers what each came to. One serves any number of Apps and commits.
#[derive(Debug, Default)]
pub struct Renderer {
    options: Options,
    cache: ParseCache,
    last: BTreeMap<String, Arc<Rendered>>,
    builds: u64,
}

impl Renderer {
    /// One that builds with these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// What the folder `path` comes to in `tree`.
    ///
    /// # Errors
    /// As of [`render`](super::render). What failed is built anew the next time.
    pub fn build(&mut self, tree: &Tree, path: &str) -> Result<Arc<Rendered>, RenderError> {
        if let Some(last) = self.last.get(path).filter(|last| last.holds_for(tree)) {
            return Ok(Arc::clone(last));
        }
        self.builds += 1;
        let rendered = Arc::new(render_with(tree, path, &self.options, &mut self.cache)?);
        if self.last.len() >= limits::PARSE_CACHE_FILES {
            self.last.clear();
        }
        self.last.insert(path.to_owned(), Arc::clone(&rendered));
        Ok(rendered)
    }

    /// What was parsed so far: for who renders the same files besides.
    pub fn parsed_files(&mut self) -> &mut ParseCache {
        &mut self.cache
    }

    /// How often a folder had to be built.
    #[must_use]
    pub const fn builds(&self) -> u64 {
        self.builds
    }

    /// How many files were parsed for that.
    #[must_use]
    pub const fn parsed(&self) -> u64 {
        self.cache.parsed()
    }
}
