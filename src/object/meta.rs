//! `metadata` of an object, read and written by name.

use super::{Gvk, Map, Object, ObjectId, Value};

/// An entry of `metadata.ownerReferences`, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct OwnerRef<'a> {
    pub api_version: &'a str,
    pub kind: &'a str,
    pub name: &'a str,
    pub uid: &'a str,
    pub controller: bool,
    pub block_owner_deletion: bool,
}

impl<'a> OwnerRef<'a> {
    fn read(owner: &'a Value) -> Self {
        let mut read = Self {
            api_version: "",
            kind: "",
            name: "",
            uid: "",
            controller: false,
            block_owner_deletion: false,
        };
        for (key, value) in owner.as_object().into_iter().flatten() {
            let text = || value.as_str().unwrap_or_default();
            let flag = || value.as_bool().unwrap_or(false);
            match key.as_str() {
                "apiVersion" => read.api_version = text(),
                "kind" => read.kind = text(),
                "name" => read.name = text(),
                "uid" => read.uid = text(),
                "controller" => read.controller = flag(),
                "blockOwnerDeletion" => read.block_owner_deletion = flag(),
                _ => {}
            }
        }
        read
    }
}

fn is_controller(owner: &Value) -> bool {
    let flag = owner.as_object().and_then(|owner| owner.get("controller"));
    flag.and_then(Value::as_bool).unwrap_or(false)
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

impl Object {
    /// `apiVersion`, empty if missing.
    #[must_use]
    pub fn api_version(&self) -> &str {
        self.text(&["apiVersion"]).unwrap_or_default()
    }

    /// `kind`, empty if missing.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text(&["kind"]).unwrap_or_default()
    }

    /// `apiVersion` and `kind` together.
    #[must_use]
    pub fn gvk(&self) -> Gvk {
        Gvk::from_api_version(self.api_version(), self.kind())
    }

    /// `metadata.name`, empty if missing.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text(&["metadata", "name"]).unwrap_or_default()
    }

    /// `metadata.namespace`, empty if missing.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.text(&["metadata", "namespace"]).unwrap_or_default()
    }

    /// `metadata.uid`, empty if missing.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.text(&["metadata", "uid"]).unwrap_or_default()
    }

    /// `metadata.resourceVersion` as text, empty if missing.
    #[must_use]
    pub fn resource_version(&self) -> &str {
        self.text(&["metadata", "resourceVersion"]).unwrap_or_default()
    }

    /// `metadata.resourceVersion` as the number that a 1.36 server always gives; 0 if missing.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.resource_version().parse().unwrap_or(0)
    }

    /// `metadata.generation`, 0 if missing.
    #[must_use]
    pub fn generation(&self) -> i64 {
        self.int(&["metadata", "generation"]).unwrap_or(0)
    }

    /// Whether `metadata.deletionTimestamp` is set.
    #[must_use]
    pub fn is_deleting(&self) -> bool {
        self.at(&["metadata", "deletionTimestamp"]).is_some_and(|v| !v.is_null())
    }

    /// The label `key`.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.text(&["metadata", "labels", key])
    }

    /// `metadata.labels`, if there are any.
    #[must_use]
    pub fn labels(&self) -> Option<&Map> {
        self.at(&["metadata", "labels"])?.as_object()
    }

    /// The annotation `key`.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.text(&["metadata", "annotations", key])
    }

    /// `metadata.finalizers`.
    pub fn finalizers(&self) -> impl Iterator<Item = &str> {
        self.list(&["metadata", "finalizers"]).iter().filter_map(Value::as_str)
    }

    /// `metadata.ownerReferences`.
    pub fn owners(&self) -> impl Iterator<Item = OwnerRef<'_>> {
        self.list(&["metadata", "ownerReferences"]).iter().map(OwnerRef::read)
    }

    /// The owner that controls this object.
    #[must_use]
    pub fn controller(&self) -> Option<OwnerRef<'_>> {
        let mut owners = self.list(&["metadata", "ownerReferences"]).iter();
        owners.find(|owner| is_controller(owner)).map(OwnerRef::read)
    }

    /// The uid of the owner that controls this object.
    #[must_use]
    pub fn controller_uid(&self) -> Option<&str> {
        let mut owners = self.list(&["metadata", "ownerReferences"]).iter();
        let owner = owners.find(|owner| is_controller(owner))?;
        Some(text(owner, "uid").unwrap_or_default())
    }

    /// The object's id, which holds whatever version it was read at.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        let gvk = self.gvk();
        ObjectId {
            group: gvk.group,
            kind: gvk.kind,
            namespace: self.namespace().to_owned(),
            name: self.name().to_owned(),
        }
    }

    /// `status.conditions[type=kind]`.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&Value> {
        self.list(&["status", "conditions"]).iter().find(|c| text(c, "type") == Some(kind))
    }
}
