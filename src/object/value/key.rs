//! Keys of maps: the texts that Kubernetes itself uses stand in one table and are held by number,
//! any other is shared by the maps that were copied from each other.
//!
//! Nine of ten keys of a cluster are field names of its schema, with or without the `f:` of
//! managed fields. Held by number they need no memory of their own, and to compare two of them no
//! text has to be fetched. The table is fixed: nothing is added to it while a program runs.
//!
//! Not here: where keys are looked for (`map`).

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::names::{self, MANAGED, NameId};
use crate::object::word;

/// A key of a [`Map`](super::Map): a text that is cheap to copy and, mostly, to compare.
#[derive(Clone)]
pub struct Key(Repr);

#[derive(Clone)]
enum Repr {
    /// In the table. Its length stands beside it, since that mostly decides already.
    Known(NameId, u16),
    Own(Arc<str>),
}

impl Key {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Known(id, _) => names::text(*id),
            Repr::Own(text) => text,
        }
    }

    /// Whether this is the key of that text.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        match &self.0 {
            Repr::Known(id, len) => usize::from(*len) == text.len() && names::text(*id) == text,
            Repr::Own(own) => **own == *text,
        }
    }

    /// The key that stands for a field of this name in managed fields: `f:` and the name
    /// (R-SSA-24).
    #[must_use]
    pub fn of_field(name: &Key) -> Self {
        let known = match &name.0 {
            Repr::Known(id, _) => names::with_prefix(*id),
            Repr::Own(_) => None,
        };
        known.map_or_else(|| format!("{MANAGED}{name}").into(), Self::known)
    }

    /// The name of the field that a key of managed fields stands for, if it stands for one.
    #[must_use]
    pub fn field(&self) -> Option<Self> {
        let known = match &self.0 {
            Repr::Known(id, _) => names::without_prefix(*id),
            Repr::Own(_) => None,
        };
        known.map(Self::known).or_else(|| self.strip_prefix(MANAGED).map(Self::from))
    }

    /// A number that equal keys share, and others mostly do not.
    pub(in crate::object) fn print(&self) -> u64 {
        match &self.0 {
            Repr::Known(id, _) => id.print(),
            Repr::Own(text) => word::print(text),
        }
    }

    fn known(id: NameId) -> Self {
        // No text of the table is that long, and if one were, only `is` would miss it.
        Self(Repr::Known(id, u16::try_from(names::text(id).len()).unwrap_or(u16::MAX)))
    }
}

impl Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        names::find(text).map_or_else(|| Self(Repr::Own(text.into())), Self::known)
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Key {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Cow<'_, str>> for Key {
    fn from(text: Cow<'_, str>) -> Self {
        (*text).into()
    }
}

impl From<&Key> for Key {
    fn from(key: &Key) -> Self {
        key.clone()
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.as_str().to_owned()
    }
}

impl From<&Key> for String {
    fn from(key: &Key) -> Self {
        key.as_str().to_owned()
    }
}

impl PartialEq for Key {
    /// A text is either in the table or not: one number is one text.
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Known(own, _), Repr::Known(other, _)) => own == other,
            (Repr::Own(own), Repr::Own(other)) => Arc::ptr_eq(own, other) || own == other,
            _ => false,
        }
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    /// As the texts are ordered; so are the numbers.
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Known(own, _), Repr::Known(other, _)) => own.cmp(other),
            _ => self.as_str().cmp(other.as_str()),
        }
    }
}

/// Comparisons with texts.
macro_rules! equal {
    ($($ty:ty),*) => {$(
        impl PartialEq<$ty> for Key {
            fn eq(&self, other: &$ty) -> bool {
                self.is(other)
            }
        }

        impl PartialEq<Key> for $ty {
            fn eq(&self, other: &Key) -> bool {
                other.is(self)
            }
        }
    )*};
}

equal!(str, &str, String, Cow<'_, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_two_words_and_one_of_the_schema_owns_no_memory() {
        assert_eq!(size_of::<Key>(), 2 * size_of::<usize>());
        for known in ["metadata", "f:metadata", "apiVersion", ".", "f:status"] {
            assert!(matches!(Key::from(known).0, Repr::Known(..)), "{known}");
        }
        assert!(matches!(Key::from("no such field").0, Repr::Own(_)));
    }

    #[test]
    fn a_field_and_its_key_in_managed_fields_lead_to_each_other() {
        for name in ["spec", "no such field", "", ".", "f", "f:spec"] {
            let key = Key::of_field(&name.into());
            assert_eq!(key, format!("f:{name}").as_str());
            assert_eq!(key.field(), Some(name.into()));
        }
        for key in [".", "spec", "k:{\"name\":\"a\"}", "f", ""] {
            assert_eq!(Key::from(key).field(), None);
        }
    }

    #[test]
    fn keys_are_compared_as_their_texts_are() {
        let texts = ["", ".", "a", "apiVersion", "f:", "f:a", "f:spec", "kind", "spec", "specs"];
        for a in texts {
            for b in texts {
                let (key_a, key_b) = (Key::from(a), Key::from(b));
                assert_eq!(key_a.cmp(&key_b), a.cmp(b), "{a:?} {b:?}");
                assert_eq!(key_a == key_b, a == b);
                assert_eq!((key_a == *b, key_a.as_str()), (a == b, a));
            }
        }
    }
}
