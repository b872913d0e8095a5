//! The store: one revision counter, a table for each resource, watches that hear of each commit.
//!
//! It knows neither HTTP nor schemas: an object is a value under a key, a selection is data
//! ([`Filter`]). What may be written, and how an error is told, is decided in `rest`.

mod filter;
mod history;
mod table;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use filter::Filter;
pub use history::Compacted;
pub use table::{Page, Since, Watch};

use crate::api::WatchEvent;
use crate::base::Time;
use crate::object::word::{self, order};
use crate::object::{Map, Name, Object, Value};
use table::Table;

/// What objects are kept by: the group and plural of their resource, at whatever version they
/// are asked for (R-STO-34).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Empty for the core group.
    pub group: Name,
    /// `deployments`.
    pub plural: Name,
}

impl Ord for Resource {
    fn cmp(&self, other: &Self) -> Ordering {
        order(&self.group, &other.group).then_with(|| order(&self.plural, &other.plural))
    }
}

impl PartialOrd for Resource {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Where an object is kept within its resource: `namespace/name`, or `name` at cluster scope.
/// The order of keys is the order of lists (R-STO-27).
///
/// Its first letters stand in place, as numbers that are in order as the letters are: they mostly
/// decide which of two comes first, so that a table of thousands is searched without fetching a
/// text for each step. Copies share the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// What it leaves open the text decides.
    head: word::Head,
    text: Arc<str>,
}

impl Key {
    /// The key of an object; `namespace` is empty at cluster scope.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        if namespace.is_empty() {
            return Self::from_text(name);
        }
        let mut key = String::with_capacity(namespace.len() + name.len() + 1);
        key.push_str(namespace);
        key.push('/');
        key.push_str(name);
        Self::from_text(&key)
    }

    /// The key of what [`Key::as_str`] gave.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self { head: word::head(text), text: text.into() }
    }

    /// The key as text, as a continue token carries it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// An event for one watch of one client.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Whose watch.
    pub client: u32,
    /// The id of the request that opened it.
    pub id: u64,
    /// What happened.
    pub event: WatchEvent,
}

/// A commit, for whoever keeps the store's state elsewhere too.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// At which revision.
    pub revision: u64,
    /// Of which resource.
    pub resource: Resource,
    /// Under which key.
    pub key: Key,
    /// The object as it is now; `None` where it is gone.
    pub object: Option<Arc<Object>>,
}

/// All objects of a cluster.
#[derive(Debug, Default)]
pub struct Store {
    revision: u64,
    compacted: u64,
    tables: BTreeMap<Resource, Table>,
    deliveries: Vec<Delivery>,
    /// See [`Store::next_end`].
    next_end: Option<Time>,
    /// Commits since they were last taken, where somebody wants them.
    journal: Option<Vec<Commit>>,
}

impl Store {
    /// A store that goes on from a state that was kept, at a revision that none of its objects is
    /// past. What was before is history that is no longer kept.
    #[must_use]
    pub fn restored(revision: u64, state: impl IntoIterator<Item = Commit>) -> Self {
        let mut store = Self { revision, compacted: revision, ..Self::default() };
        for Commit { resource, key, object, .. } in state {
            if let Some(object) = object {
                store.tables.entry(resource).or_default().restore(key, object);
            }
        }
        for table in store.tables.values_mut() {
            table.compact(revision);
        }
        store
    }

    /// From now on commits are noted for [`Store::take_journal`].
    pub fn keep_journal(&mut self) {
        self.journal.get_or_insert_default();
    }

    /// The commits since the last call, in their order.
    pub fn take_journal(&mut self) -> Vec<Commit> {
        self.journal.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Every object as the commit that made it.
    pub fn state(&self) -> impl Iterator<Item = Commit> {
        self.tables.iter().flat_map(|(resource, table)| {
            table.entries().map(|(key, object)| Commit {
                revision: object.revision(),
                resource: resource.clone(),
                key: key.clone(),
                object: Some(Arc::clone(object)),
            })
        })
    }

    /// The revision of the last commit.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The object under a key.
    #[must_use]
    pub fn get(&self, resource: &Resource, key: &Key) -> Option<&Arc<Object>> {
        self.tables.get(resource)?.get(key)
    }

    /// Every object, by resource and key.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.tables.values().flat_map(Table::all)
    }

    /// Every object of one resource, by key.
    pub fn all_of<'a>(
        &'a self,
        resource: &Resource,
    ) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        self.tables.get(resource).into_iter().flat_map(Table::all)
    }

    /// Whether there is any object of an API group.
    #[must_use]
    pub fn has_any_of(&self, group: &'static str) -> bool {
        let first = Resource { group: group.into(), plural: "".into() };
        let from_there = self.tables.range(first..);
        let mut of_group = from_there.take_while(|(resource, _)| resource.group == group);
        of_group.any(|(_, table)| !table.is_empty())
    }

    /// The changes of one resource after a revision, as (before, after).
    ///
    /// # Errors
    /// [`Compacted`] if that revision is no longer kept.
    pub fn changes(
        &self,
        resource: &Resource,
        since: u64,
    ) -> Result<impl Iterator<Item = (Option<&Object>, Option<&Object>)>, Compacted> {
        if since < self.compacted {
            return Err(Compacted { oldest: self.compacted });
        }
        let changes = self.tables.get(resource).map(|table| table.changes(since)).transpose()?;
        Ok(changes.into_iter().flatten())
    }

    /// Writes an object at the next revision and tells the watches. What equals the object that
    /// is there, `resourceVersion` apart, is not committed, and that one is given back (R-STO-08).
    pub fn put(&mut self, resource: &Resource, key: Key, mut object: Object) -> Arc<Object> {
        let table = self.tables.entry(resource.clone()).or_default();
        if let Some(live) = table.get(&key)
            && same_but_revision(live, &object)
        {
            return Arc::clone(live);
        }
        self.revision += 1;
        set_revision(&mut object, self.revision);
        let object = Arc::new(object);
        if let Some(journal) = &mut self.journal {
            let (resource, key) = (resource.clone(), key.clone());
            let object = Some(Arc::clone(&object));
            journal.push(Commit { revision: self.revision, resource, key, object });
        }
        table.commit(self.revision, key, Some(Arc::clone(&object)), &mut self.deliveries);
        object
    }

    /// Removes an object at the next revision and tells the watches; gives back its last state
    /// with the revision of the removal.
    pub fn remove(&mut self, resource: &Resource, key: Key) -> Option<Arc<Object>> {
        let table = self.tables.get_mut(resource)?;
        table.get(&key)?;
        self.revision += 1;
        if let Some(journal) = &mut self.journal {
            let (resource, key) = (resource.clone(), key.clone());
            journal.push(Commit { revision: self.revision, resource, key, object: None });
        }
        table.commit(self.revision, key, None, &mut self.deliveries)
    }

    /// A page of the objects that `filter` selects, as of revision `at` (`None`: now), after the
    /// key `after`, `limit` of them (0: all).
    ///
    /// # Errors
    /// [`Compacted`] if `at` is no longer kept.
    pub fn list(
        &self,
        resource: &Resource,
        filter: &Filter,
        at: Option<u64>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Page, Compacted> {
        let at = at.filter(|at| *at < self.revision);
        if at.is_some_and(|at| at < self.compacted) {
            return Err(Compacted { oldest: self.compacted });
        }
        match self.tables.get(resource) {
            Some(table) => table.list(filter, at, after, limit),
            None => Ok(Page::default()),
        }
    }

    /// Opens a watch. What it starts with is among the next [`Store::take_deliveries`].
    ///
    /// # Errors
    /// [`Compacted`] if it is to start at a revision that is no longer kept.
    pub fn watch(
        &mut self,
        resource: &Resource,
        watch: Watch,
        since: Since,
    ) -> Result<(), Compacted> {
        if let Since::Revision(from) = since
            && from < self.compacted
        {
            return Err(Compacted { oldest: self.compacted });
        }
        let table = self.tables.entry(resource.clone()).or_default();
        let until = watch.until;
        table.open(watch, since, &mut self.deliveries)?;
        self.next_end = self.next_end.into_iter().chain(until).min();
        Ok(())
    }

    /// Whether anybody watches objects of a resource.
    #[must_use]
    pub fn is_watched(&self, resource: &Resource) -> bool {
        self.tables.get(resource).is_some_and(|table| !table.watches().is_empty())
    }

    /// When the first of the open watches ends that were given an end.
    #[must_use]
    pub fn next_end(&self) -> Option<Time> {
        self.next_end
    }

    /// Every open watch.
    pub fn watches(&self) -> impl Iterator<Item = &Watch> {
        self.tables.values().flat_map(|table| table.watches().iter())
    }

    /// Closes the watches that `is_over` names and gives back their (client, id).
    pub fn close(&mut self, is_over: impl Fn(&Watch) -> bool) -> Vec<(u32, u64)> {
        let mut closed = Vec::new();
        for table in self.tables.values_mut() {
            table.close(&is_over, &mut closed);
        }
        self.next_end = self.watches().filter_map(|watch| watch.until).min();
        closed
    }

    /// Adds an event for one watch to what is to be told.
    pub fn deliver(&mut self, delivery: Delivery) {
        self.deliveries.push(delivery);
    }

    /// What the watches have to be told since the last call.
    pub fn take_deliveries(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.deliveries)
    }

    /// Forgets history up to and including `revision`: reading at an older one fails from now on
    /// (R-STO-33). For tests of what clients do then.
    pub fn compact(&mut self, revision: u64) {
        self.compacted = self.compacted.max(revision.min(self.revision));
        for table in self.tables.values_mut() {
            table.compact(self.compacted);
        }
    }
}

/// Whether two objects are the same, `resourceVersion` apart.
fn same_but_revision(live: &Object, new: &Object) -> bool {
    let rest = |map| Map::iter(map).filter(|(key, _)| *key != "resourceVersion");
    live.0.len() == new.0.len()
        && live.0.iter().zip(&new.0).all(|((k, v), (l, w))| match (v, w) {
            (Value::Object(v), Value::Object(w)) if k == "metadata" => {
                k == l && rest(v).eq(rest(w))
            }
            _ => k == l && v == w,
        })
}

fn set_revision(object: &mut Object, revision: u64) {
    object.set(&["metadata", "resourceVersion"], revision.to_string().into());
}

#[cfg(test)]
mod tests;
