//! ControllerRevisions: the templates that a StatefulSet or DaemonSet had, each an object of its
//! own, numbered (R-CTL-15, R-CTL-16).

use std::sync::Arc;

use super::caches::Caches;
use super::kinds::{CONTROLLER_REVISION, gvr};
use super::plan::Call;
use super::{pod, template};
use crate::api::Request;
use crate::object::{Object, Value, json};

/// The revisions of one owner, oldest number first.
#[derive(Debug)]
pub(crate) struct Revisions<'a> {
    owner: &'a Arc<Object>,
    all: Vec<&'a Arc<Object>>,
}

/// What there is of the owner's present template.
#[derive(Debug)]
pub(crate) enum Present<'a> {
    /// Its revision, with the highest number.
    There(&'a Arc<Object>),
    /// It has to be made, or to be given the highest number again.
    Write(Box<Call>),
}

impl<'a> Revisions<'a> {
    /// Those that `owner` controls.
    pub(crate) fn of(caches: &'a Caches, owner: &'a Arc<Object>) -> Self {
        let mut all: Vec<_> = caches.controlled(CONTROLLER_REVISION, owner.uid()).collect();
        all.sort_by_key(|revision| number(revision));
        Self { owner, all }
    }

    /// The revision of that name.
    pub(crate) fn named(&self, name: &str) -> Option<&'a Arc<Object>> {
        self.all.iter().copied().find(|revision| revision.name() == name)
    }

    /// The revision of the template as it is. A new one bears its hash as the label `hash_label`.
    pub(crate) fn present(&self, hash_label: &str, collisions: Option<i64>) -> Present<'a> {
        let data = data(self.owner);
        let highest = self.all.last().map_or(0, |revision| number(revision));
        let same = self.all.iter().rev().find(|revision| revision.0.get("data") == Some(&data));
        match same {
            Some(revision) if number(revision) == highest => Present::There(revision),
            Some(revision) => {
                let mut object = Object::clone(revision);
                object.set(&["revision"], (highest + 1).into());
                let (namespace, name) = (revision.namespace(), revision.name());
                let put = Request::update(gvr(CONTROLLER_REVISION), namespace, name, object);
                Present::Write(Box::new(Call::new(put)))
            }
            None => {
                let hash = template::hash(&data, collisions);
                let object = self.new_revision(&data, highest + 1, hash_label, &hash);
                let namespace = self.owner.namespace();
                let create = Request::create(gvr(CONTROLLER_REVISION), namespace, object);
                Present::Write(Box::new(Call::new(create)))
            }
        }
    }

    fn new_revision(&self, data: &Value, number: i64, label: &str, hash: &str) -> Object {
        let owner = self.owner;
        let mut object = Object::default();
        object.set(&["apiVersion"], "apps/v1".into());
        object.set(&["kind"], "ControllerRevision".into());
        object.set(&["metadata", "name"], format!("{}-{hash}", owner.name()).into());
        object.set(&["metadata", "namespace"], owner.namespace().into());
        if let Some(labels) = owner.at(&["spec", "template", "metadata", "labels"]) {
            object.set(&["metadata", "labels"], labels.clone());
        }
        object.set(&["metadata", "labels", label], hash.into());
        if let Some(annotations) = owner.at(&["metadata", "annotations"]) {
            object.set(&["metadata", "annotations"], annotations.clone());
        }
        let reference = pod::controller_reference(owner);
        object.set(&["metadata", "ownerReferences"], json!([reference]));
        object.set(&["data"], data.clone());
        object.set(&["revision"], number.into());
        object
    }

    /// Deletes the oldest that nobody uses, beyond `spec.revisionHistoryLimit`.
    pub(crate) fn cleanup(&self, is_used: impl Fn(&Object) -> bool) -> Vec<Call> {
        let limit = self.owner.int(&["spec", "revisionHistoryLimit"]).unwrap_or(10);
        let unused: Vec<_> = self.all.iter().filter(|revision| !is_used(revision)).collect();
        let surplus = unused.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        let delete = |revision: &&&Arc<Object>| {
            let (namespace, name) = (revision.namespace(), revision.name());
            Call::new(Request::delete(gvr(CONTROLLER_REVISION), namespace, name))
        };
        unused.iter().take(surplus).map(delete).collect()
    }
}

fn number(revision: &Object) -> i64 {
    revision.int(&["revision"]).unwrap_or(0)
}

/// The owner's template as a patch that puts it back.
fn data(owner: &Object) -> Value {
    let mut template = owner.at(&["spec", "template"]).cloned().unwrap_or_default();
    if let Value::Object(template) = &mut template {
        template.insert("$patch".to_owned(), "replace".into());
    }
    json!({"spec": {"template": template}})
}

/// `owner` with the template that `revision` holds.
pub(crate) fn applied(owner: &Object, revision: &Object) -> Object {
    let mut object = owner.clone();
    if let Some(template) = revision.at(&["data", "spec", "template"]) {
        let mut template = template.clone();
        if let Value::Object(template) = &mut template {
            template.remove("$patch");
        }
        object.set(&["spec", "template"], template);
    }
    object
}
