//! `metadata` of an object, read and written by name.

use std::sync::LazyLock;

use super::{Gvk, Key, Map, Object, ObjectId, Value};

/// The keys that objects are asked for all the time, so that they need not be compared as texts.
struct Words {
    api_version: Key,
    kind: Key,
    metadata: Key,
    name: Key,
    namespace: Key,
    uid: Key,
    resource_version: Key,
    generation: Key,
    deletion_timestamp: Key,
    labels: Key,
    annotations: Key,
    owner_references: Key,
    controller: Key,
    status: Key,
    conditions: Key,
    r#type: Key,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    api_version: "apiVersion".into(),
    kind: "kind".into(),
    metadata: "metadata".into(),
    name: "name".into(),
    namespace: "namespace".into(),
    uid: "uid".into(),
    resource_version: "resourceVersion".into(),
    generation: "generation".into(),
    deletion_timestamp: "deletionTimestamp".into(),
    labels: "labels".into(),
    annotations: "annotations".into(),
    owner_references: "ownerReferences".into(),
    controller: "controller".into(),
    status: "status".into(),
    conditions: "conditions".into(),
    r#type: "type".into(),
});

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
    let flag = owner.as_object().and_then(|owner| owner.get_key(&WORDS.controller));
    flag.and_then(Value::as_bool).unwrap_or(false)
}

fn text<'a>(value: &'a Value, key: &Key) -> Option<&'a str> {
    value.as_object()?.get_key(key)?.as_str()
}

impl Object {
    /// `metadata.<key>`.
    fn meta(&self, key: &Key) -> Option<&Value> {
        self.0.get_key(&WORDS.metadata)?.as_object()?.get_key(key)
    }

    fn owner_references(&self) -> &[Value] {
        self.meta(&WORDS.owner_references).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// `apiVersion`, empty if missing.
    #[must_use]
    pub fn api_version(&self) -> &str {
        self.0.get_key(&WORDS.api_version).and_then(Value::as_str).unwrap_or_default()
    }

    /// `kind`, empty if missing.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.get_key(&WORDS.kind).and_then(Value::as_str).unwrap_or_default()
    }

    /// `apiVersion` and `kind` together.
    #[must_use]
    pub fn gvk(&self) -> Gvk {
        Gvk::from_api_version(self.api_version(), self.kind())
    }

    /// `metadata.name`, empty if missing.
    #[must_use]
    pub fn name(&self) -> &str {
        self.meta(&WORDS.name).and_then(Value::as_str).unwrap_or_default()
    }

    /// `metadata.namespace`, empty if missing.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.meta(&WORDS.namespace).and_then(Value::as_str).unwrap_or_default()
    }

    /// `metadata.uid`, empty if missing.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.meta(&WORDS.uid).and_then(Value::as_str).unwrap_or_default()
    }

    /// `metadata.resourceVersion` as text, empty if missing.
    #[must_use]
    pub fn resource_version(&self) -> &str {
        self.meta(&WORDS.resource_version).and_then(Value::as_str).unwrap_or_default()
    }

    /// `metadata.resourceVersion` as the number that a 1.36 server always gives; 0 if missing.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.resource_version().parse().unwrap_or(0)
    }

    /// `metadata.generation`, 0 if missing.
    #[must_use]
    pub fn generation(&self) -> i64 {
        self.meta(&WORDS.generation).and_then(Value::as_i64).unwrap_or(0)
    }

    /// Whether `metadata.deletionTimestamp` is set.
    #[must_use]
    pub fn is_deleting(&self) -> bool {
        self.meta(&WORDS.deletion_timestamp).is_some_and(|v| !v.is_null())
    }

    /// The label `key`.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels()?.get(key)?.as_str()
    }

    /// `metadata.labels`, if there are any.
    #[must_use]
    pub fn labels(&self) -> Option<&Map> {
        self.meta(&WORDS.labels)?.as_object()
    }

    /// The annotation `key`.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.meta(&WORDS.annotations)?.as_object()?.get(key)?.as_str()
    }

    /// `metadata.finalizers`.
    pub fn finalizers(&self) -> impl Iterator<Item = &str> {
        self.list(&["metadata", "finalizers"]).iter().filter_map(Value::as_str)
    }

    /// `metadata.ownerReferences`.
    pub fn owners(&self) -> impl Iterator<Item = OwnerRef<'_>> {
        self.owner_references().iter().map(OwnerRef::read)
    }

    /// The owner that controls this object.
    #[must_use]
    pub fn controller(&self) -> Option<OwnerRef<'_>> {
        let mut owners = self.owner_references().iter();
        owners.find(|owner| is_controller(owner)).map(OwnerRef::read)
    }

    /// The uid of the owner that controls this object.
    #[must_use]
    pub fn controller_uid(&self) -> Option<&str> {
        let owner = self.owner_references().iter().find(|owner| is_controller(owner))?;
        Some(text(owner, &WORDS.uid).unwrap_or_default())
    }

    /// The object's id, which holds whatever version it was read at.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        let gvk = self.gvk();
        ObjectId::new(gvk.group, gvk.kind, self.namespace(), self.name())
    }

    /// `status.conditions[type=kind]`.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&Value> {
        let conditions = self.0.get_key(&WORDS.status)?.as_object()?.get_key(&WORDS.conditions)?;
        conditions.as_array()?.iter().find(|c| text(c, &WORDS.r#type) == Some(kind))
    }
}
