//! What is served and not stored as it is: built-in kinds that two groups serve, and the
//! ComponentStatuses, which are made when they are asked for.
//!
//! The Events of events.k8s.io are those of the core group,
//! under other names of their fields. They are stored as the core group has them. The two versions
//! of HorizontalPodAutoscalers are `autoscalers`'.
//!
//! Versions of custom resources are `custom`'s.

use std::borrow::Cow;
use std::sync::Arc;

use super::autoscalers;
use super::kinds::Kind;
use crate::object::{Name, Object, Value, json};

const GROUP: &str = "events.k8s.io";
const VERSION: &str = "events.k8s.io/v1";

/// What a field is called in events.k8s.io, and in the core group.
const FIELDS: [(&str, &str); 7] = [
    ("deprecatedCount", "count"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedSource", "source"),
    ("note", "message"),
    ("regarding", "involvedObject"),
    ("reportingController", "reportingComponent"),
];

/// The group under which objects of a kind are stored, where it is not their own.
pub(super) fn stored_group(kind: &Kind) -> Option<Name> {
    (kind.group == GROUP).then(|| Name::from(""))
}

/// An object as it is stored.
pub(super) fn to_storage(kind: &Kind, mut object: Object) -> Object {
    if kind.group == GROUP && object.api_version() == VERSION {
        for (own, core) in FIELDS {
            rename(&mut object, own, core);
        }
        object.set(&["apiVersion"], "v1".into());
    }
    if object.api_version() == autoscalers::OLD {
        return autoscalers::to_stored(object);
    }
    object
}

/// A stored object as a version serves it; `None` where that is as it is.
pub(super) fn read_as(api_version: &str, stored: &Object) -> Option<Arc<Object>> {
    if api_version == autoscalers::OLD && stored.api_version() == autoscalers::STORED {
        return Some(Arc::new(autoscalers::to_old(stored)));
    }
    if api_version != VERSION || stored.api_version() == VERSION {
        return None;
    }
    let mut object = stored.clone();
    for (own, core) in FIELDS {
        rename(&mut object, core, own);
    }
    // Here they need not be there, and then are not told where they are empty.
    for field in ["reportingController", "reportingInstance"] {
        if object.0.get(field).and_then(Value::as_str) == Some("") {
            object.0.remove(field);
        }
    }
    object.set(&["apiVersion"], VERSION.into());
    Some(Arc::new(object))
}

/// Whether objects of a kind are not always served as they are stored.
pub(super) fn has_forms(kind: &str) -> bool {
    matches!(kind, "Event" | "HorizontalPodAutoscaler")
}

/// A field of a selector by the name that it has in storage.
pub(super) fn stored_field<'f>(kind: &Kind, field: &'f str) -> Cow<'f, str> {
    if kind.group != GROUP {
        return Cow::Borrowed(field);
    }
    let (first, rest) = field.split_once('.').map_or((field, ""), |(first, rest)| (first, rest));
    match FIELDS.iter().find(|(own, _)| *own == first) {
        Some((_, core)) if rest.is_empty() => Cow::Borrowed(core),
        Some((_, core)) => Cow::Owned(format!("{core}.{rest}")),
        None => Cow::Borrowed(field),
    }
}

/// The parts of a control plane, which are well as long as anybody can ask.
const COMPONENTS: [&str; 3] = ["controller-manager", "etcd-0", "scheduler"];

/// A ComponentStatus.
pub(super) fn component(name: &str) -> Option<Arc<Object>> {
    COMPONENTS.contains(&name).then(|| {
        let object = json!({
            "apiVersion": "v1", "kind": "ComponentStatus", "metadata": { "name": name },
            "conditions": [{ "type": "Healthy", "status": "True", "message": "ok" }],
        });
        Arc::new(Object::from_value(object).unwrap_or_default())
    })
}

/// All of them.
pub(super) fn components() -> Vec<Arc<Object>> {
    COMPONENTS.into_iter().filter_map(component).collect()
}

fn rename(object: &mut Object, from: &str, to: &str) {
    if let Some(value) = object.0.remove(from) {
        object.0.insert(to, value);
    }
}
