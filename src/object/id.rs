//! The name of a single object of a cluster.
//!
//! An engine keeps the same few ids in a dozen maps for as long as it runs, so that copies share
//! their texts. Not here: names of kinds and resources (`gvk`).

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::gvk::Name;
use super::word::order;

/// One object of a cluster, whatever version it is read at. Ordered by group, kind, namespace,
/// name. Cheap to copy.
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectId(Arc<Parts>);

/// What an [`ObjectId`] consists of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "ObjectId")]
pub struct Parts {
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub group: Name,
    pub kind: Name,
    /// Empty for what is cluster-scoped.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    pub name: String,
}

impl ObjectId {
    /// An id from its parts; `namespace` is empty for what is cluster-scoped.
    #[must_use]
    pub fn new(
        group: impl Into<Name>,
        kind: impl Into<Name>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        let (group, kind) = (group.into(), kind.into());
        Self(Arc::new(Parts { group, kind, namespace: namespace.into(), name: name.into() }))
    }
}

impl Deref for ObjectId {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Ord for ObjectId {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        order(&self.group, &other.group)
            .then_with(|| order(&self.kind, &other.kind))
            .then_with(|| order(&self.namespace, &other.namespace))
            .then_with(|| order(&self.name, &other.name))
    }
}

impl PartialOrd for ObjectId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Parts::deserialize(from).map(|parts| Self(Arc::new(parts)))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `Kind/[namespace/]name`, the form of reports. The group is left out: it is rarely needed to
/// tell two apart, and is in the id all the same.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.kind)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}
