//! How what two commits come to differs: objects that came, went and changed, and their fields.
//!
//! What a Secret holds is masked here, so that no page can show it.

use std::collections::BTreeMap;

use crate::engine::model::{Manifest, Origin, RenderError};
use crate::object::diff::{Difference, differences};
use crate::object::{Object, ObjectId, Value, json};

/// The objects of one commit, or why there are none.
pub(super) type Side = Result<Vec<Manifest>, RenderError>;

/// How one folder differs.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub path: String,
    pub added: Vec<(ObjectId, Origin)>,
    pub removed: Vec<(ObjectId, Origin)>,
    pub changed: Vec<Changed>,
    /// Why the left or right commit cannot be rendered.
    pub left_error: Option<RenderError>,
    pub right_error: Option<RenderError>,
}

/// An object that is on both sides.
#[derive(Debug)]
pub(super) struct Changed {
    pub id: ObjectId,
    pub origin: Origin,
    /// The name on the left, where it had another: a generated name ends in a hash of its content.
    pub was: Option<String>,
    pub fields: Vec<Difference>,
}

impl Folder {
    /// Compares two sides; `None` where the folder is not there.
    pub(super) fn compared(path: String, left: Option<Side>, right: Option<Side>) -> Self {
        let (left, left_error) = parted(left);
        let (right, right_error) = parted(right);
        let mut folder = Self { path, left_error, right_error, ..Self::default() };
        if folder.right_error.is_some() {
            // It would look as if all of it were taken away.
            return folder;
        }
        let (left, right) = (by_id(&left), by_id(&right));
        let mut gone = Vec::new();
        for (id, before) in &left {
            match right.get(id) {
                Some(after) => folder.changed.extend(changed(before, after)),
                None => gone.push(*before),
            }
        }
        for (id, after) in right.iter().filter(|(id, _)| !left.contains_key(id)) {
            let same = |before: &&Manifest| is_renamed(&before.object, &after.object);
            match gone.iter().position(same) {
                Some(at) => folder.changed.extend(changed(gone.remove(at), after)),
                None => folder.added.push((id.clone(), after.origin.clone())),
            }
        }
        folder.removed = gone.into_iter().map(|m| (m.object.id(), m.origin.clone())).collect();
        folder.changed.sort_by(|a, b| a.id.cmp(&b.id));
        folder
    }

    /// Whether there is anything to be told.
    pub(super) fn differs(&self) -> bool {
        !self.added.is_empty()
            || !self.removed.is_empty()
            || !self.changed.is_empty()
            || self.left_error.is_some()
            || self.right_error.is_some()
    }
}

fn parted(side: Option<Side>) -> (Vec<Manifest>, Option<RenderError>) {
    match side {
        None => (Vec::new(), None),
        Some(Ok(manifests)) => (manifests, None),
        Some(Err(error)) => (Vec::new(), Some(error)),
    }
}

fn by_id(manifests: &[Manifest]) -> BTreeMap<ObjectId, &Manifest> {
    manifests.iter().map(|manifest| (manifest.object.id(), manifest)).collect()
}

/// How an object changed, if it did.
fn changed(before: &Manifest, after: &Manifest) -> Option<Changed> {
    if before.object == after.object {
        return None;
    }
    let (left, right) = (masked(&before.object), masked(&after.object));
    let mut fields = differences(&left, &right);
    if after.object.kind() == "Secret" {
        fields.extend(secret_fields(&before.object, &after.object));
        fields.sort_by(|a, b| a.path.cmp(&b.path));
    }
    let was = before.object.name();
    let was = (was != after.object.name()).then(|| was.to_owned());
    if was.is_some() {
        fields.retain(|field| field.path != "metadata.name");
    }
    Some(Changed { id: after.object.id(), origin: after.origin.clone(), was, fields })
}

/// Where a Secret's values stand, and an annotation that repeats them.
const SECRET_FIELDS: [&str; 2] = ["data", "stringData"];
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object without what nobody is to see.
fn masked(object: &Object) -> Value {
    let mut object = object.clone();
    if object.kind() == "Secret" {
        SECRET_FIELDS.iter().for_each(|field| drop(object.remove(&[field])));
        object.remove(&["metadata", "annotations", LAST_APPLIED]);
    }
    object.into_value()
}

/// Which keys of a Secret differ, with masks for their values.
fn secret_fields(before: &Object, after: &Object) -> Vec<Difference> {
    let mut found = Vec::new();
    for field in SECRET_FIELDS {
        let side = |object: &Object| object.at(&[field]).cloned().unwrap_or_else(|| json!({}));
        for mut difference in differences(&side(before), &side(after)) {
            difference.path = format!("{field}.{}", difference.path);
            let mask = |value: Option<Value>, mask: &str| value.map(|_| Value::from(mask));
            difference.left = mask(difference.left, "*** (before)");
            difference.right = mask(difference.right, "*** (after)");
            found.push(difference);
        }
    }
    found
}

/// Whether two generated objects differ but in the hash that their names end in.
fn is_renamed(before: &Object, after: &Object) -> bool {
    const HASH_CHARS: usize = 10;
    let base = |object: &'_ Object| {
        let (base, hash) = object.name().rsplit_once('-')?;
        let is_hash =
            hash.len() == HASH_CHARS && hash.chars().all(|c| "bcdfghkmt2456789".contains(c));
        is_hash.then(|| (base.to_owned(), object.gvk(), object.namespace().to_owned()))
    };
    base(before).is_some_and(|name| Some(name) == base(after))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn manifests(values: &[Value]) -> Option<Side> {
        let manifest = |value: &Value| Manifest {
            object: Arc::new(Object::from_value(value.clone()).unwrap()),
            origin: Origin { file: "a.yaml".to_owned(), line: 1 },
        };
        Some(Ok(values.iter().map(manifest).collect()))
    }

    #[test]
    fn the_values_of_a_secret_are_nowhere_to_be_seen() {
        let secret = |value: &str| {
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "annotations":
                {LAST_APPLIED: value}}, "data": {"same": "x", "key": value}, "stringData": {"a.b": value}})
        };
        let folder = Folder::compared(
            String::new(),
            manifests(&[secret("hunter2")]),
            manifests(&[secret("swordfish")]),
        );
        let shown = format!("{folder:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("swordfish"), "{shown}");
        let paths: Vec<&str> = folder.changed[0].fields.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["data.key", "stringData.[a.b]"]);
    }

    #[test]
    fn a_generated_object_with_another_hash_is_the_same_object() {
        let map = |name: &str, value: &str| {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
                "data": {"a": value}})
        };
        let folder = Folder::compared(
            String::new(),
            manifests(&[map("m-52gt5hbg6d", "1"), map("gone", "")]),
            manifests(&[map("m-9k25c9hb5k", "2"), map("new", "")]),
        );
        assert_eq!((folder.added.len(), folder.removed.len()), (1, 1));
        let [changed] = folder.changed.as_slice() else { panic!("{folder:?}") };
        assert_eq!(changed.was.as_deref(), Some("m-52gt5hbg6d"));
        assert_eq!(changed.fields[0].path, "data.a");
    }
}
