//! A selection of a resource's objects as data.

use super::Key;
use crate::object::{FieldSelector, LabelSelector, Object};

/// Which objects are meant. All parts must hold; one that is absent always does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this namespace.
    pub namespace: Option<String>,
    /// Of this name.
    pub name: Option<String>,
    /// With such labels.
    pub labels: LabelSelector,
    /// With such fields.
    pub fields: FieldSelector,
}

impl Filter {
    /// Whether an object under `key` can be meant at all.
    #[must_use]
    pub fn takes_key(&self, key: &Key) -> bool {
        let (namespace, name) = key.as_str().rsplit_once('/').unwrap_or(("", key.as_str()));
        self.namespace.as_deref().is_none_or(|n| n == namespace)
            && self.name.as_deref().is_none_or(|n| n == name)
    }

    /// Whether an object, whose key is taken, is meant.
    #[must_use]
    pub fn takes(&self, object: &Object) -> bool {
        (self.labels.is_empty() || self.labels.matches(object.labels()))
            && (self.fields.is_empty() || self.fields.matches(object))
    }

    /// Whether what is in an object decides (and not its key alone).
    #[must_use]
    pub fn looks_inside(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }
}
