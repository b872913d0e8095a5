//! A map of JSON: sorted by key, shared until it is written to.

use std::fmt;

use ecow::EcoVec;

use super::{Key, Value};

mod iter;

pub use iter::{IntoIter, Iter, IterMut};

/// A sorted map whose clones share its entries: the first write to one of them copies those,
/// and of values that are maps again only that they are shared.
///
/// The entries lie in one piece of memory with the count of who shares them, and how many there
/// are stands in the map itself: a look-up goes to one place. An empty map needs no memory.
#[derive(Clone, Default)]
pub struct Map(EcoVec<(Key, Value)>);

/// Maps with up to this many keys are searched from the first key on.
const SCANNED: usize = 16;

impl Map {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self(EcoVec::new())
    }

    fn entries(&self) -> &[(Key, Value)] {
        self.0.as_slice()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// Whether both hold the very same entries, and not only equal ones.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.entries(), other.entries())
    }

    /// The entries, by key.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.entries().iter())
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Key> + ExactSizeIterator + Clone {
        self.entries().iter().map(|(key, _)| key)
    }

    /// The values, by key.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator + Clone {
        self.entries().iter().map(|(_, value)| value)
    }

    /// The place of a key. The keys of a small map mostly differ in length, which stands in the
    /// map beside them, while their texts lie elsewhere in memory: looked at one by one, only the
    /// key that is sought has to be fetched. That is what most of the time of a look-up goes to.
    fn find(&self, key: &str) -> Option<usize> {
        let entries = self.entries();
        if entries.len() <= SCANNED {
            return entries.iter().position(|(name, _)| name.is(key));
        }
        entries.binary_search_by(|(name, _)| name.as_str().cmp(key)).ok()
    }

    /// The place of a key, or the one that it would have.
    fn place(&self, key: &Key) -> Result<usize, usize> {
        let entries = self.entries();
        // Maps are mostly made in the order of their keys.
        if entries.last().is_none_or(|(last, _)| last < key) {
            return Err(entries.len());
        }
        entries.binary_search_by(|(name, _)| name.cmp(key))
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.find(key).map(|at| &self.entries()[at].1)
    }

    /// The same by a key that another map has, which takes less comparing.
    #[must_use]
    pub fn get_key(&self, key: &Key) -> Option<&Value> {
        let entries = self.entries();
        let at = if entries.len() <= SCANNED {
            entries.iter().position(|(name, _)| name == key)?
        } else {
            entries.binary_search_by(|(name, _)| name.cmp(key)).ok()?
        };
        Some(&entries[at].1)
    }

    /// A key and its value.
    #[must_use]
    pub fn get_key_value(&self, key: &str) -> Option<(&Key, &Value)> {
        self.find(key).map(|at| &self.entries()[at]).map(|(key, value)| (key, value))
    }

    /// Whether there is a key.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// The value at a place, in entries that are this map's alone.
    fn own(&mut self, at: usize) -> &mut Value {
        &mut self.0.make_mut()[at].1
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let at = self.find(key)?;
        Some(self.own(at))
    }

    /// Puts an entry at its place. Maps are kept in great number and seldom grow: room is made for a
    /// few more, where the memory below would double.
    fn put(&mut self, at: usize, entry: (Key, Value)) {
        let len = self.len();
        if len == self.0.capacity() {
            let mut grown = EcoVec::with_capacity(len + (len / 4).max(2));
            grown.extend(std::mem::take(&mut self.0));
            self.0 = grown;
        }
        self.0.insert(at, entry);
    }

    /// The same entries, in memory that has room for exactly `more`.
    #[must_use]
    pub fn with_room(&self, more: usize) -> Self {
        let mut entries = EcoVec::with_capacity(self.len() + more);
        entries.extend_from_slice(self.entries());
        Self(entries)
    }

    /// Puts a value under a key and gives back the one that was there.
    pub fn insert(&mut self, key: impl Into<Key>, value: Value) -> Option<Value> {
        let key = key.into();
        match self.place(&key) {
            Ok(at) => Some(std::mem::replace(self.own(at), value)),
            Err(at) => {
                self.put(at, (key, value));
                None
            }
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.find(key)?;
        Some(self.0.remove(at).1)
    }

    /// Takes a key out, and gives it back too.
    pub fn remove_entry(&mut self, key: &str) -> Option<(Key, Value)> {
        let at = self.find(key)?;
        Some(self.0.remove(at))
    }

    /// Keeps the entries that `keep` says.
    pub fn retain(&mut self, mut keep: impl FnMut(&Key, &mut Value) -> bool) {
        self.0.retain(|(key, value)| keep(key, value));
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.0 = EcoVec::new();
    }

    /// The place of a key, to be filled or changed.
    pub fn entry(&mut self, key: impl Into<Key>) -> Entry<'_> {
        let key = key.into();
        let at = self.place(&key);
        Entry { map: self, key, at }
    }

    /// The entries, with values that may be changed.
    pub fn iter_mut(&mut self) -> IterMut<'_> {
        IterMut(self.0.make_mut().iter_mut())
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.iter_mut().map(|(_, value)| value)
    }
}

/// The place of a key in a map.
pub struct Entry<'a> {
    map: &'a mut Map,
    key: Key,
    at: Result<usize, usize>,
}

impl<'a> Entry<'a> {
    /// The value there, or what is put there.
    pub fn or_insert_with(self, value: impl FnOnce() -> Value) -> &'a mut Value {
        let at = match self.at {
            Ok(at) => at,
            Err(at) => {
                self.map.put(at, (self.key, value()));
                at
            }
        };
        self.map.own(at)
    }

    /// The value there, or the given one.
    pub fn or_insert(self, value: Value) -> &'a mut Value {
        self.or_insert_with(|| value)
    }

    /// Changes the value that is there.
    #[must_use]
    pub fn and_modify(self, change: impl FnOnce(&mut Value)) -> Self {
        if let Ok(at) = self.at {
            change(self.map.own(at));
        }
        self
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.entries() == other.entries()
    }
}

impl Eq for Map {}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Into<Key>> FromIterator<(K, Value)> for Map {
    /// Of a key that comes more than once, the last value stays.
    fn from_iter<T: IntoIterator<Item = (K, Value)>>(entries: T) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
        let entries: EcoVec<(Key, Value)> = entries.collect();
        if entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Self(entries);
        }
        let mut entries: Vec<(Key, Value)> = entries.into_iter().collect();
        entries.reverse();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.dedup_by(|(a, _), (b, _)| a == b);
        Self(entries.into())
    }
}

impl<K: Into<Key>> Extend<(K, Value)> for Map {
    fn extend<T: IntoIterator<Item = (K, Value)>>(&mut self, entries: T) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}
