//! Renders with what the command line says of the things that are elsewhere: URLs that are mapped
//! to folders, and others that are fetched.

use std::collections::BTreeSet;

use super::disk::{Unreadable, whole};
use super::fetch::{Fetcher, default_cache};
use super::typed::{RestrictorWord, SourceArgs};
use crate::engine::model::{RenderError, Rendered, Tree};
use crate::engine::render::ParseCache;
use crate::engine::render::kustomize::{self, Files, Options, Remote};

/// Renders any number of folders; what was parsed and what was fetched for one serves the others.
pub(super) struct Sources {
    pub options: Options,
    pub cache: ParseCache,
    fetcher: Fetcher,
}

impl Sources {
    /// As the command line says.
    ///
    /// # Errors
    /// Where what a URL is mapped to cannot be read.
    pub(super) fn new(args: &SourceArgs) -> Result<Self, Unreadable> {
        let mut options = Options {
            files: match args.load_restrictor {
                RestrictorWord::RootOnly => Files::Below,
                RestrictorWord::None => Files::Anywhere,
            },
            ..Options::default()
        };
        for (url, to) in &args.map {
            options.remotes.insert(url.clone(), whole(to)?);
        }
        let cache = args.cache_dir.clone().unwrap_or_else(default_cache);
        let fetcher = Fetcher::new(cache, args.offline);
        Ok(Self { options, cache: ParseCache::new(), fetcher })
    }

    /// What the kustomization in the folder `path` of `tree` comes to.
    ///
    /// # Errors
    /// As of [`kustomize::build`], and where something that is elsewhere cannot be fetched.
    pub(super) fn build(&mut self, tree: &Tree, path: &str) -> Result<Rendered, RenderError> {
        loop {
            match kustomize::build(tree, path, &self.options, &mut self.cache) {
                Ok(rendered) => return Ok(rendered),
                Err(error) if !self.fetch(tree, path, &error)? => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Fetches what a build that failed with `error` lacks. Whether anything came of it.
    ///
    /// # Errors
    /// Where something cannot be fetched: the same error, saying why.
    pub(super) fn fetch(
        &mut self,
        tree: &Tree,
        path: &str,
        error: &RenderError,
    ) -> Result<bool, RenderError> {
        let missing = kustomize::missing(tree, path, &self.options, &mut self.cache);
        self.fetch_all(missing, error)
    }

    /// Fetches things that a build which failed with `error` lacks. Whether anything came of it.
    ///
    /// # Errors
    /// As of [`Sources::fetch`].
    pub(super) fn fetch_all(
        &mut self,
        missing: BTreeSet<Remote>,
        error: &RenderError,
    ) -> Result<bool, RenderError> {
        let mut is_more = false;
        for remote in missing {
            let fetched = self.fetcher.fetch(&remote).map_err(|why| {
                let message =
                    format!("{:?} is elsewhere: {why}; --map takes a folder for it", remote.url);
                RenderError { message, ..error.clone() }
            });
            let (key, node) = fetched?;
            is_more |= self.options.remotes.insert(key, node).is_none();
        }
        Ok(is_more)
    }
}
