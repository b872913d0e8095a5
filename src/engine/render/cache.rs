//! What was parsed before, by the Git id of the file: a commit then costs only the files that it
//! changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::limits;
use crate::engine::model::GitId;
use crate::object::yaml::Dialect;
use crate::object::yaml::spanned::Node;
use crate::object::{Object, Value};

/// Parsed files by Git id. Owned by the caller of [`render`](super::render); one serves any
/// number of Apps and commits. It holds at most
/// [`limits::PARSE_CACHE_FILES`] files for longer than one render.
#[derive(Debug, Default)]
pub struct ParseCache {
    objects: BTreeMap<(GitId, Dialect), Used<Vec<Parsed>>>,
    nodes: BTreeMap<GitId, Used<Vec<Node>>>,
    /// Those of which the last of a key's values counts.
    loose: BTreeMap<GitId, Used<Vec<Node>>>,
    renders: u64,
    parsed: u64,
}

#[derive(Debug)]
struct Used<T> {
    value: Arc<T>,
    /// The render that asked for it last.
    by: u64,
}

/// An object of a file; the items of a `List` stand for themselves.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parsed {
    /// The object.
    pub(super) object: Arc<Object>,
    /// The line that its document starts at, from 1.
    pub(super) line: usize,
    /// Paths of fields after whose colon nothing is written, which kustomize tells from `null`.
    pub(super) bare_nulls: Arc<Vec<Vec<String>>>,
    /// Labels and annotations whose text is not what their value prints as (`0644`, `null`).
    pub(super) raw: Arc<RawTexts>,
    /// Numbers whose text is not what they print as (`1.10`).
    pub(super) spelled: Arc<Spelled>,
}

/// By the path of a number: what it was read as, and its text.
pub(super) type Spelled = BTreeMap<Vec<String>, (Value, String)>;

/// By field (`labels`, `annotations`) and key: what a scalar was read as, and its text.
pub(super) type RawTexts = BTreeMap<(&'static str, String), (Value, String)>;

impl ParseCache {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many files were parsed since it was made.
    #[must_use]
    pub const fn parsed(&self) -> u64 {
        self.parsed
    }

    /// A render starts: makes room where there is too much from renders before the last.
    pub(super) fn start_render(&mut self) {
        if self.objects.len() + self.nodes.len() + self.loose.len() > limits::PARSE_CACHE_FILES {
            let last = self.renders;
            self.objects.retain(|_, used| used.by == last);
            self.nodes.retain(|_, used| used.by == last);
            self.loose.retain(|_, used| used.by == last);
        }
        self.renders += 1;
    }

    /// The objects of a file, parsed by `parse` unless they were before.
    pub(super) fn objects<E>(
        &mut self,
        id: &GitId,
        dialect: Dialect,
        parse: impl FnOnce() -> Result<Vec<Parsed>, E>,
    ) -> Result<Arc<Vec<Parsed>>, E> {
        let key = (id.clone(), dialect);
        lookup(&mut self.objects, key, self.renders, &mut self.parsed, parse)
    }

    /// The documents of a file as trees, parsed by `parse` unless they were before.
    pub(super) fn nodes<E>(
        &mut self,
        id: &GitId,
        parse: impl FnOnce() -> Result<Vec<Node>, E>,
    ) -> Result<Arc<Vec<Node>>, E> {
        lookup(&mut self.nodes, id.clone(), self.renders, &mut self.parsed, parse)
    }
}

impl ParseCache {
    /// As [`nodes`](Self::nodes), for files in which keys may stand twice.
    pub(super) fn loose_nodes<E>(
        &mut self,
        id: &GitId,
        parse: impl FnOnce() -> Result<Vec<Node>, E>,
    ) -> Result<Arc<Vec<Node>>, E> {
        lookup(&mut self.loose, id.clone(), self.renders, &mut self.parsed, parse)
    }
}

fn lookup<K: Ord, T, E>(
    map: &mut BTreeMap<K, Used<T>>,
    key: K,
    render: u64,
    parsed: &mut u64,
    parse: impl FnOnce() -> Result<T, E>,
) -> Result<Arc<T>, E> {
    if let Some(used) = map.get_mut(&key) {
        used.by = render;
        return Ok(used.value.clone());
    }
    *parsed += 1;
    let value = Arc::new(parse()?);
    map.insert(key, Used { value: value.clone(), by: render });
    Ok(value)
}
