//! The objects of one resource, their history and their watches.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::history::{Change, Compacted, History};
use super::{Delivery, Filter, Key, set_revision};
use crate::api::{EventKind, WatchEvent};
use crate::base::Time;
use crate::object::Object;

/// An open watch.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Whose it is.
    pub client: u32,
    /// The id of the request that opened it.
    pub id: u64,
    /// What it wants to hear of.
    pub filter: Filter,
    /// Whether it wants bookmarks.
    pub bookmarks: bool,
    /// When it ends, if it was given an end.
    pub until: Option<Time>,
    /// Kind and apiVersion that its events are told in.
    pub api_version: Arc<str>,
    /// The kind of its objects.
    pub kind: Arc<str>,
}

/// Where a watch starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// With every object that is there, then what follows.
    Now,
    /// With what follows alone.
    Later,
    /// After this revision.
    Revision(u64),
}

/// A page of a list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The objects, by key.
    pub items: Vec<Arc<Object>>,
    /// The last key, if there is more after it.
    pub next: Option<Key>,
    /// How many there are after it.
    pub remaining: usize,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    objects: BTreeMap<Key, Arc<Object>>,
    history: History,
    watches: Vec<Watch>,
}

impl Table {
    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Object>> {
        self.objects.get(key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values()
    }

    /// Every object under its key.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Key, &Arc<Object>)> {
        self.objects.iter()
    }

    /// Takes an object in without a change: it was there before.
    pub(super) fn restore(&mut self, key: Key, object: Arc<Object>) {
        self.objects.insert(key, object);
    }

    /// What changed after a revision, as (before, after).
    pub(super) fn changes(
        &self,
        since: u64,
    ) -> Result<impl Iterator<Item = (Option<&Object>, Option<&Object>)>, Compacted> {
        Ok(self.history.since(since)?.map(Change::versions))
    }

    pub(super) fn watches(&self) -> &[Watch] {
        &self.watches
    }

    /// Takes a change in (`None`: the object goes) and tells the watches. Gives back the object
    /// that the event of the change carries.
    pub(super) fn commit(
        &mut self,
        revision: u64,
        key: Key,
        object: Option<Arc<Object>>,
        out: &mut Vec<Delivery>,
    ) -> Option<Arc<Object>> {
        let removed = object.is_none();
        let old = match &object {
            Some(object) => self.objects.insert(key.clone(), Arc::clone(object)),
            None => self.objects.remove(&key),
        };
        let new = match object {
            Some(object) => object,
            None => at_revision(old.as_ref()?, revision),
        };
        let change = Change { revision, key, old, new: Arc::clone(&new), removed };
        for watch in &self.watches {
            tell(watch, &change, out);
        }
        self.history.push(change);
        Some(new)
    }

    pub(super) fn list(
        &self,
        filter: &Filter,
        at: Option<u64>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Page, Compacted> {
        let Some(at) = at else {
            if self.objects.is_empty() {
                return Ok(Page::default());
            }
            let start = Self::start(filter, after);
            return Ok(page(self.objects.range((start, Self::end(filter))), filter, limit));
        };
        let mut then: BTreeMap<&Key, &Arc<Object>> = self.objects.iter().collect();
        for (key, object) in self.history.undo(at)? {
            match object {
                Some(object) => then.insert(key, object),
                None => then.remove(key),
            };
        }
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let end = Self::end(filter);
        let range = then.range::<Key, _>((start, end.as_ref())).map(|(k, o)| (*k, *o));
        Ok(page(range, filter, limit))
    }

    /// Where a scan starts: a namespace's keys lie together, and one object's alone.
    fn start(filter: &Filter, after: Option<&Key>) -> Bound<Key> {
        match (after, &filter.namespace) {
            (Some(after), _) => Bound::Excluded(after.clone()),
            (None, Some(namespace)) => {
                Bound::Included(Key::new(namespace, filter.name.as_deref().unwrap_or_default()))
            }
            (None, None) => Bound::Unbounded,
        }
    }

    /// Where a scan ends: past the last key of a namespace, before which a slash stands.
    fn end(filter: &Filter) -> Bound<Key> {
        match &filter.namespace {
            Some(namespace) => Bound::Excluded(Key::from_text(&format!("{namespace}0"))),
            None => Bound::Unbounded,
        }
    }

    pub(super) fn open(
        &mut self,
        watch: Watch,
        since: Since,
        out: &mut Vec<Delivery>,
    ) -> Result<(), Compacted> {
        match since {
            Since::Later => {}
            Since::Now => {
                let start = Self::start(&watch.filter, None);
                let range = self.objects.range((start, Self::end(&watch.filter)));
                for object in page(range, &watch.filter, 0).items {
                    out.push(delivery(&watch, EventKind::Added, object));
                }
            }
            Since::Revision(from) => {
                for change in self.history.since(from)? {
                    tell(&watch, change, out);
                }
            }
        }
        self.watches.push(watch);
        Ok(())
    }

    pub(super) fn close(&mut self, is_over: impl Fn(&Watch) -> bool, closed: &mut Vec<(u32, u64)>) {
        self.watches.retain(|watch| {
            let over = is_over(watch);
            if over {
                closed.push((watch.client, watch.id));
            }
            !over
        });
    }

    pub(super) fn compact(&mut self, revision: u64) {
        self.history.compact(revision);
    }
}

fn page<'a>(
    range: impl Iterator<Item = (&'a Key, &'a Arc<Object>)>,
    filter: &Filter,
    limit: usize,
) -> Page {
    let mut page = Page::default();
    let mut last = None;
    let prefix = filter.namespace.as_ref().map(|namespace| format!("{namespace}/"));
    let only = filter.namespace.as_deref().zip(filter.name.as_deref());
    let only = only.map(|(namespace, name)| Key::new(namespace, name));
    let counts_all = !filter.looks_inside() && filter.name.is_none();
    let mut range = range;
    while let Some((key, object)) = range.next() {
        if only.as_ref().is_some_and(|only| key > only) {
            break;
        }
        if prefix.as_ref().is_some_and(|p| !key.as_str().starts_with(p.as_str())) {
            // Keys of one namespace lie together; past them there is nothing more.
            if prefix.as_deref() > Some(key.as_str()) {
                continue;
            }
            break;
        }
        if !filter.takes_key(key) || !filter.takes(object) {
            continue;
        }
        if limit > 0 && page.items.len() == limit {
            page.remaining += 1;
            if counts_all {
                // All that is left is meant; the range ends with the namespace.
                page.remaining += range.count();
                break;
            }
            continue;
        }
        page.items.push(Arc::clone(object));
        last = Some(key);
    }
    if page.remaining > 0 {
        page.next = last.cloned();
    }
    page
}

/// Tells one watch of a change, as the watch sees it: what starts to match is added, what stops
/// matching is deleted with the state that it last matched in (R-STO-29).
fn tell(watch: &Watch, change: &Change, out: &mut Vec<Delivery>) {
    if !watch.filter.takes_key(&change.key) {
        return;
    }
    let matched = change.old.as_ref().is_some_and(|old| watch.filter.takes(old));
    let matches = !change.removed && watch.filter.takes(&change.new);
    let event = match (matched, matches) {
        (false, false) => return,
        (false, true) => (EventKind::Added, Arc::clone(&change.new)),
        (true, true) => (EventKind::Modified, Arc::clone(&change.new)),
        (true, false) if change.removed => (EventKind::Deleted, Arc::clone(&change.new)),
        (true, false) => {
            let Some(old) = &change.old else { return };
            (EventKind::Deleted, at_revision(old, change.revision))
        }
    };
    out.push(delivery(watch, event.0, event.1));
}

fn delivery(watch: &Watch, kind: EventKind, object: Arc<Object>) -> Delivery {
    Delivery { client: watch.client, id: watch.id, event: WatchEvent { kind, object } }
}

fn at_revision(object: &Arc<Object>, revision: u64) -> Arc<Object> {
    let mut object = Object::clone(object);
    set_revision(&mut object, revision);
    Arc::new(object)
}
