//! Objects that others can write to, and what they can write: made from what a repository renders.

use super::ground::{NOWHERE, placed};
use crate::engine::live;
use crate::engine::plan::Desired;
use crate::lab::scenario::field;
use crate::lab::scenario::model::{FieldEdit, ObjectRef};
use crate::object::{Object, Value, json};

/// An object that others can write to.
#[derive(Debug)]
pub(super) struct Thing {
    pub(super) object: ObjectRef,
    /// The object as it is rendered.
    pub(super) whole: Object,
    /// Rendered fields with other values.
    pub(super) changes: Vec<FieldEdit>,
    /// Rendered fields that can be taken out.
    pub(super) removals: Vec<FieldEdit>,
    /// Whether it has a scale subresource.
    pub(super) is_scaled: bool,
    /// Whether it can be deleted without taking others with it.
    pub(super) is_deletable: bool,
}

/// Kinds whose deletion takes more with it, or runs something again.
const KEPT: [&str; 5] =
    ["Namespace", "Job", "PersistentVolume", "PersistentVolumeClaim", "CustomResourceDefinition"];

/// Numbers that anybody may change without making the object invalid.
const NUMBERS: [&str; 4] =
    ["replicas", "minReadySeconds", "revisionHistoryLimit", "terminationGracePeriodSeconds"];

/// An annotation that nobody renders.
pub(super) const MARK: &str = "chaos.towtank.dev/mark";

impl Thing {
    pub(super) fn of(want: &Desired) -> Option<Self> {
        let whole = Object::from_value(Value::clone(&want.body)).ok()?;
        let kind = format!("{}.{}", want.gvr.plural, want.gvr.group);
        let object = ObjectRef {
            kind: kind.trim_end_matches('.').to_owned(),
            namespace: (!want.id.namespace.is_empty()).then(|| want.id.namespace.clone()),
            name: want.id.name.clone(),
            at: NOWHERE,
        };
        Some(Self {
            object,
            changes: changes(want),
            removals: removals(want),
            is_scaled: matches!(want.id.kind.as_ref(), "Deployment" | "StatefulSet" | "ReplicaSet"),
            is_deletable: !KEPT.contains(&want.id.kind.as_ref()),
            whole,
        })
    }

    /// Only its type and name, to apply a part of it.
    pub(super) fn bare(&self) -> Object {
        let mut bare = Object::default();
        for path in
            [&["apiVersion"][..], &["kind"], &["metadata", "name"], &["metadata", "namespace"]]
        {
            if let Some(value) = self.whole.at(path) {
                bare.set(path, value.clone());
            }
        }
        bare
    }
}

/// A field with a value; `None` where the path cannot be written.
pub(super) fn edit(path: &str, value: Value) -> Option<FieldEdit> {
    Some(FieldEdit { path: placed(field::parse(path)?), value })
}

fn changes(want: &Desired) -> Vec<FieldEdit> {
    let mut found = Vec::new();
    for name in NUMBERS {
        if let Some(number) = want.body["spec"][name].as_i64() {
            found.extend(edit(&format!("spec.{name}"), (number + 1).into()));
            found.extend(edit(&format!("spec.{name}"), 0.into()));
        }
    }
    if want.id.kind == "ConfigMap" && want.body["immutable"] != true {
        found.extend(
            keys(&want.body["data"])
                .into_iter()
                .filter_map(|key| edit(&format!("data[{key}]"), "drifted".into())),
        );
    }
    found.extend(
        keys(&want.body["metadata"]["labels"])
            .into_iter()
            .filter_map(|key| edit(&format!("metadata.labels[{key}]"), "drifted".into())),
    );
    let containers = want.body["spec"]["template"]["spec"]["containers"].as_array();
    if live::runs_pods(&want.id) && want.id.kind != "Job" {
        for name in containers.into_iter().flatten().filter_map(|c| c["name"].as_str()) {
            let path = format!("spec.template.spec.containers[name={name}]");
            found.extend(edit(&format!("{path}.image"), "drift/image:1".into()));
            found.extend(edit(&format!("{path}.env"), json!([{"name": "DRIFT", "value": "1"}])));
        }
    }
    found
}

fn removals(want: &Desired) -> Vec<FieldEdit> {
    let mut found = Vec::new();
    if want.id.kind == "ConfigMap" && want.body["immutable"] != true {
        found.extend(
            keys(&want.body["data"])
                .into_iter()
                .filter_map(|key| edit(&format!("data[{key}]"), Value::Null)),
        );
    }
    found.extend(
        keys(&want.body["metadata"]["labels"])
            .into_iter()
            .filter_map(|key| edit(&format!("metadata.labels[{key}]"), Value::Null)),
    );
    found.extend(
        edit("metadata.labels", Value::Null)
            .filter(|_| want.body["metadata"]["labels"].is_object()),
    );
    found
}

fn keys(map: &Value) -> Vec<String> {
    map.as_object().into_iter().flat_map(|map| map.keys().map(ToString::to_string)).collect()
}
