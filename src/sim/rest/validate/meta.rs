//! `metadata` of every kind.

use std::collections::BTreeSet;

use super::errors::{Errors, Path};
use crate::object::meta::OwnerRef;
use crate::object::{Map, Object, Value};
use crate::sim::rest::names;

const METADATA: Path = Path::Printed("metadata");

/// What names of a kind must be.
fn name_rule(kind: &str) -> fn(&str) -> Vec<String> {
    match kind {
        "Namespace" | "Service" | "StatefulSet" => names::label_1123,
        "Role"
        | "RoleBinding"
        | "ClusterRole"
        | "ClusterRoleBinding"
        | "APIService"
        | "CertificateSigningRequest"
        | "PodDisruptionBudget"
        | "core/Event" => names::path_segment,
        "IPAddress" => |_| Vec::new(),
        _ => names::subdomain_1123,
    }
}

pub(super) fn create(kind: &str, object: &Object, errors: &mut Errors) {
    let rule = name_rule(kind);
    let generate = object.text(&["metadata", "generateName"]).unwrap_or_default();
    if !generate.is_empty() {
        // A prefix may end as no name may: what follows it makes it right.
        let stem = generate.strip_suffix('-').unwrap_or(generate);
        errors.faults(&METADATA.field("generateName"), generate, rule(stem));
    }
    let name = object.name();
    if name.is_empty() {
        errors.required(&METADATA.field("name"), "name or generateName is required");
    } else {
        errors.faults(&METADATA.field("name"), name, rule(name));
    }
    common(kind, object, errors);
}

/// What is checked of every kind's new state before the kind has its say.
pub(super) fn common(kind: &str, object: &Object, errors: &mut Errors) {
    maps(object, errors);
    owners(object, errors);
    finalizers(kind, object, errors);
}

/// Metadata of an object within an object that stands at `path`.
pub(super) fn embedded(path: &str, metadata: &Value, errors: &mut Errors) {
    let path = Path::Printed(path);
    if let Some(name) = metadata.get("name").and_then(Value::as_str).filter(|n| !n.is_empty()) {
        errors.faults(&path.field("name"), name, names::path_segment(name));
    }
    if let Some(labels) = metadata.get("labels").and_then(Value::as_object) {
        labels_at(labels, &path.field("labels"), errors);
    }
    if let Some(annotations) = metadata.get("annotations").and_then(Value::as_object) {
        annotations_at(annotations, &path.field("annotations"), errors);
    }
}

/// The same of a new state of what is there, and what may not change of it.
pub(super) fn update(kind: &str, live: &Object, object: &Object, errors: &mut Errors) {
    let is_new = !is_as_before(live, object);
    if is_new {
        maps(object, errors);
        owners(object, errors);
    }
    finalizers(kind, object, errors);
    let (before, after) = (live.at(&["metadata"]), object.at(&["metadata"]));
    let of = |metadata: Option<&Value>, field: &str| metadata.and_then(|m| m.get(field).cloned());
    let fixed = ["uid", "deletionTimestamp", "deletionGracePeriodSeconds"];
    let changed: Vec<&str> =
        fixed.into_iter().filter(|field| of(before, field) != of(after, field)).collect();
    for _ in 0..times_checked(kind) {
        new_finalizers(live, object, errors);
        for field in &changed {
            let value = of(after, field).unwrap_or_default();
            errors.invalid(&METADATA.field(field), value, "field is immutable");
        }
        if is_new {
            maps(object, errors);
            owners(object, errors);
        }
    }
}

/// Whether labels, annotations and owners are the very ones that are there, which were found good
/// when they were written.
fn is_as_before(live: &Object, object: &Object) -> bool {
    let is_same = |live: &Value, new: &Value| match (live, new) {
        (Value::Object(live), Value::Object(new)) => live.is_same(new),
        _ => false,
    };
    let is_kept =
        |field: &str| match (live.at(&["metadata", field]), object.at(&["metadata", field])) {
            (Some(Value::Array(live)), Some(Value::Array(new))) => {
                live.len() == new.len()
                    && live.iter().zip(new).all(|(live, new)| is_same(live, new))
            }
            (Some(live), Some(new)) => is_same(live, new),
            (None, None) => true,
            _ => false,
        };
    ["labels", "annotations", "ownerReferences"].into_iter().all(is_kept)
}

fn maps(object: &Object, errors: &mut Errors) {
    if let Some(labels) = object.labels() {
        labels_at(labels, &METADATA.field("labels"), errors);
    }
    if let Some(map) = object.at(&["metadata", "annotations"]).and_then(Value::as_object) {
        annotations_at(map, &METADATA.field("annotations"), errors);
    }
}

/// Annotations wherever they stand. Their keys may be of any case.
pub(super) fn annotations_at(map: &Map, path: &Path, errors: &mut Errors) {
    let mut size = 0;
    for (key, value) in map {
        errors.faults(path, key, names::qualified(&key.to_lowercase()));
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > 256 * 1024 {
        errors.too_long(path, 256 * 1024);
    }
}

/// Labels wherever they stand.
pub(super) fn labels_at(labels: &Map, path: &Path, errors: &mut Errors) {
    for (key, value) in labels {
        errors.faults(path, key, names::qualified(key));
        let value = value.as_str().unwrap_or_default();
        errors.faults(path, value, names::label_value(value));
    }
}

fn owners(object: &Object, errors: &mut Errors) {
    let path = METADATA.field("ownerReferences");
    let mut controller: Option<OwnerRef<'_>> = None;
    let shown = |owner: OwnerRef<'_>| format!("{}/{}", owner.kind, owner.name);
    for owner in object.owners() {
        // More than a group and a version is neither.
        if owner.api_version.is_empty() || owner.api_version.matches('/').count() > 1 {
            let text = "version must not be empty";
            errors.invalid(&path.field("apiVersion"), owner.api_version, text);
        }
        for (field, value) in [("kind", owner.kind), ("name", owner.name), ("uid", owner.uid)] {
            if value.is_empty() {
                errors.invalid(&path.field(field), "", "must not be empty");
            }
        }
        if (owner.api_version, owner.kind) == ("v1", "Event") {
            let shown = shown_owner(object, owner.uid);
            errors.invalid(&path, shown, "/v1, Kind=Event is disallowed from being an owner");
        }
        if !owner.controller {
            continue;
        }
        if let Some(first) = controller {
            let (first, shown) = (shown(first), shown(owner));
            let text = format!(
                "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {shown}"
            );
            errors.invalid_as(&path, &shown_owners(object), &text);
        } else {
            controller = Some(owner);
        }
    }
}

/// The owners as their Go type prints.
fn shown_owners(object: &Object) -> String {
    let fields = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];
    let owners = object.list(&["metadata", "ownerReferences"]).iter().map(|owner| {
        let given = fields.iter().filter_map(|field| Some((field, owner.get(field)?)));
        let parts: Vec<String> =
            given.map(|(field, value)| format!("\"{field}\":{value}")).collect();
        format!("{{{}}}", parts.join(","))
    });
    format!("[{}]", owners.collect::<Vec<_>>().join(","))
}

/// The owner of that uid as it was given.
fn shown_owner(object: &Object, uid: &str) -> Value {
    let owners = object.list(&["metadata", "ownerReferences"]);
    owners.iter().find(|owner| owner["uid"] == *uid).cloned().unwrap_or_default()
}

/// Kinds that take any finalizer of a sound form: those of groups that came late.
const LENIENT: [&str; 12] = [
    "",
    "CustomResourceDefinition",
    "Lease",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "PodDisruptionBudget",
    "RuntimeClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "core/Event",
];

/// Kinds whose own check of a change leaves metadata to the common one.
const CHECKED_ONCE: [&str; 15] = [
    "CSINode",
    "EndpointSlice",
    "FlowSchema",
    "LimitRange",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "PersistentVolume",
    "PodDisruptionBudget",
    "PriorityLevelConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "core/Event",
];

/// How often upstream looks at the metadata of a new state, and says what it finds.
fn times_checked(kind: &str) -> usize {
    if CHECKED_ONCE.contains(&kind) { 1 } else { 2 }
}

/// Finalizers that stand without a domain.
const STANDARD: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

fn finalizers(kind: &str, object: &Object, errors: &mut Errors) {
    let path = METADATA.field("finalizers");
    let (mut orphan, mut foreground) = (false, false);
    for (i, finalizer) in object.finalizers().enumerate() {
        errors.faults(&path, finalizer, names::qualified(finalizer));
        // Definitions and custom resources come by without this one.
        let is_core = !LENIENT.contains(&kind);
        if is_core && !finalizer.contains('/') && !STANDARD.contains(&finalizer) {
            let text = "name is neither a standard finalizer name nor is it fully qualified";
            errors.invalid(&path.index(i), finalizer, text);
        }
        orphan |= finalizer == "orphan";
        foreground |= finalizer == "foregroundDeletion";
    }
    if orphan && foreground {
        let value = object.list(&["metadata", "finalizers"]).to_vec();
        let text = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.invalid(&path, Value::Array(value), text);
    }
}

/// What is being deleted takes no more finalizers (R-STO-22).
fn new_finalizers(live: &Object, object: &Object, errors: &mut Errors) {
    if !live.is_deleting() {
        return;
    }
    let known: Vec<&str> = live.finalizers().collect();
    let new: BTreeSet<String> =
        object.finalizers().filter(|f| !known.contains(f)).map(|f| format!("{f:?}")).collect();
    if !new.is_empty() {
        let text = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            new.into_iter().collect::<Vec<_>>().join(", ")
        );
        errors.forbidden(&METADATA.field("finalizers"), &text);
    }
}
