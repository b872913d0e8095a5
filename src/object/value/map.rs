//! A map of JSON: sorted by key, shared until it is written to.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

mod iter;

pub use iter::{IntoIter, Iter, IterMut};

/// A sorted map whose clones share its entries: the first write to one of them copies those,
/// and of values that are maps again only that they are shared.
pub struct Map<K, V>(
    /// `None` if empty, which needs no memory.
    Option<Arc<Vec<(K, V)>>>,
);

/// Maps with up to this many keys are searched from the first key on.
const SCANNED: usize = 16;

impl<K, V> Map<K, V> {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    fn entries(&self) -> &[(K, V)] {
        self.0.as_ref().map_or(&[], |entries| entries.as_slice())
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
        match (&self.0, &other.0) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (None, None) => true,
            _ => false,
        }
    }

    /// The entries, by key.
    #[must_use]
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter(self.entries().iter())
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator + Clone {
        self.entries().iter().map(|(key, _)| key)
    }

    /// The values, by key.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator + Clone {
        self.entries().iter().map(|(_, value)| value)
    }
}

impl<K: Ord + Borrow<str>, V> Map<K, V> {
    /// The place of a key. The keys of a small map mostly differ in length, which stands in the
    /// map beside them, while their texts lie elsewhere in memory: looked at one by one, only the
    /// key that is sought has to be fetched. That is what most of the time of a look-up goes to.
    fn find(&self, key: &str) -> Option<usize> {
        let entries = self.entries();
        if entries.len() <= SCANNED {
            return entries.iter().position(|(name, _)| name.borrow() == key);
        }
        entries.binary_search_by(|(name, _)| name.borrow().cmp(key)).ok()
    }

    /// The place of a key, or the one that it would have.
    fn place(&self, key: &str) -> Result<usize, usize> {
        let entries = self.entries();
        // Maps are mostly made in the order of their keys.
        if entries.last().is_none_or(|(last, _)| last.borrow() < key) {
            return Err(entries.len());
        }
        entries.binary_search_by(|(name, _)| name.borrow().cmp(key))
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&V> {
        self.find(key).map(|at| &self.entries()[at].1)
    }

    /// A key and its value.
    #[must_use]
    pub fn get_key_value(&self, key: &str) -> Option<(&K, &V)> {
        self.find(key).map(|at| &self.entries()[at]).map(|(key, value)| (key, value))
    }

    /// Whether there is a key.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_some()
    }
}

impl<K: Ord + Clone + Borrow<str>, V: Clone> Map<K, V> {
    /// The entries for this map alone.
    fn own(&mut self) -> &mut Vec<(K, V)> {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        let at = self.find(key)?;
        Some(&mut self.own()[at].1)
    }

    /// Puts a value under a key and gives back the one that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(key.borrow()) {
            Ok(at) => Some(std::mem::replace(&mut self.own()[at].1, value)),
            Err(at) => {
                put(self.own(), at, key, value);
                None
            }
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        let at = self.find(key)?;
        Some(self.own().remove(at).1)
    }

    /// Takes a key out, and gives it back too.
    pub fn remove_entry(&mut self, key: &str) -> Option<(K, V)> {
        let at = self.find(key)?;
        Some(self.own().remove(at))
    }

    /// Keeps the entries that `keep` says.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        if !self.is_empty() {
            self.own().retain_mut(|(key, value)| keep(key, value));
        }
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.0 = None;
    }

    /// The place of a key, to be filled or changed.
    pub fn entry(&mut self, key: impl Into<K>) -> Entry<'_, K, V> {
        let key = key.into();
        let at = self.place(key.borrow());
        Entry { entries: self.own(), key, at }
    }

    /// The entries, with values that may be changed.
    pub fn iter_mut(&mut self) -> IterMut<'_, K, V> {
        let entries: &mut [(K, V)] = if self.is_empty() { &mut [] } else { self.own() };
        IterMut(entries.iter_mut())
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.iter_mut().map(|(_, value)| value)
    }
}

/// Inserts an entry. Most maps are small and stay as they are: little room is made beyond it.
fn put<K, V>(entries: &mut Vec<(K, V)>, at: usize, key: K, value: V) {
    if entries.len() == entries.capacity() {
        entries.reserve_exact(1 + entries.len() / 2);
    }
    entries.insert(at, (key, value));
}

/// The place of a key in a map.
pub struct Entry<'a, K, V> {
    entries: &'a mut Vec<(K, V)>,
    key: K,
    at: Result<usize, usize>,
}

impl<'a, K, V> Entry<'a, K, V> {
    /// The value there, or what is put there.
    pub fn or_insert_with(self, value: impl FnOnce() -> V) -> &'a mut V {
        let at = match self.at {
            Ok(at) => at,
            Err(at) => {
                put(self.entries, at, self.key, value());
                at
            }
        };
        &mut self.entries[at].1
    }

    /// The value there, or the given one.
    pub fn or_insert(self, value: V) -> &'a mut V {
        self.or_insert_with(|| value)
    }

    /// Changes the value that is there.
    #[must_use]
    pub fn and_modify(self, change: impl FnOnce(&mut V)) -> Self {
        if let Ok(at) = self.at {
            change(&mut self.entries[at].1);
        }
        self
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.entries() == other.entries()
    }
}

impl<K: Eq, V: Eq> Eq for Map<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    /// Of a key that comes more than once, the last value stays.
    fn from_iter<T: IntoIterator<Item = (K, V)>>(entries: T) -> Self {
        let mut entries: Vec<(K, V)> = entries.into_iter().collect();
        if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            entries.reverse();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|(a, _), (b, _)| a == b);
        }
        Self((!entries.is_empty()).then(|| Arc::new(entries)))
    }
}

impl<K: Ord + Clone + Borrow<str>, V: Clone> Extend<(K, V)> for Map<K, V> {
    fn extend<T: IntoIterator<Item = (K, V)>>(&mut self, entries: T) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}
