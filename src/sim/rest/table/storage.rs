//! Volumes, claims to them, and what provides them.

use super::cells::Cells;
use super::row::{Row, joined, text_of};
use crate::object::Value;

/// The kinds of group `storage.k8s.io`.
pub(super) fn of(kind: &str) -> Option<Cells> {
    Some(match kind {
        "StorageClass" => storage_class,
        "CSIDriver" => csi_driver,
        "CSINode" => |row| vec![row.name(), row.count("spec.drivers"), row.age()],
        "VolumeAttachment" => |row| {
            let [attacher, volume, node] =
                ["spec.attacher", "spec.source.persistentVolumeName", "spec.nodeName"]
                    .map(|path| row.text(path));
            let attached = row.flag_or("status.attached", false);
            vec![row.name(), attacher, volume, node, attached, row.age()]
        },
        "VolumeAttributesClass" => |row| vec![row.name(), row.text("driverName"), row.age()],
        _ => return None,
    })
}

/// The annotation that named a class before there was a field for it.
const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

fn class(row: &Row) -> Value {
    match row.object.annotation(CLASS_ANNOTATION) {
        Some(class) => class.into(),
        None => row.text("spec.storageClassName"),
    }
}

fn phase(row: &Row) -> Value {
    if row.object.is_deleting() { "Terminating".into() } else { row.text("status.phase") }
}

fn access_modes(modes: &[Value]) -> Value {
    let known = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let there = known.iter().filter(|(mode, _)| modes.iter().any(|m| m == mode));
    joined(there.map(|(_, short)| short), ",").into()
}

/// A PersistentVolume.
pub(super) fn volume(row: &Row) -> Vec<Value> {
    let claim = row.at("spec.claimRef").map_or_else(String::new, |claim| {
        format!("{}/{}", text_of(claim, "namespace"), text_of(claim, "name"))
    });
    vec![
        row.name(),
        row.printed_or("spec.capacity.storage", "0"),
        access_modes(row.list("spec.accessModes")),
        row.text("spec.persistentVolumeReclaimPolicy"),
        phase(row),
        claim.into(),
        class(row),
        row.text_or("spec.volumeAttributesClassName", "<unset>"),
        row.text("status.reason"),
        row.age(),
        row.text_or("spec.volumeMode", "<unset>"),
    ]
}

/// A PersistentVolumeClaim; what its volume gives is told once it has one.
pub(super) fn claim(row: &Row) -> Vec<Value> {
    let bound = !row.str("spec.volumeName").is_empty();
    let (capacity, modes) = if bound {
        let modes = access_modes(row.list("status.accessModes"));
        (row.printed_or("status.capacity.storage", "0"), modes)
    } else {
        ("".into(), "".into())
    };
    vec![
        row.name(),
        phase(row),
        row.text("spec.volumeName"),
        capacity,
        modes,
        class(row),
        row.text_or("spec.volumeAttributesClassName", "<unset>"),
        row.age(),
        row.text_or("spec.volumeMode", "<unset>"),
    ]
}

fn storage_class(row: &Row) -> Vec<Value> {
    let marks = [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    ];
    let is_default = marks.iter().any(|mark| row.object.annotation(mark) == Some("true"));
    let name = format!("{}{}", row.object.name(), if is_default { " (default)" } else { "" });
    vec![
        name.into(),
        row.text("provisioner"),
        row.text_or("reclaimPolicy", "Delete"),
        row.text_or("volumeBindingMode", "Immediate"),
        row.flag_or("allowVolumeExpansion", false),
        row.age(),
    ]
}

fn csi_driver(row: &Row) -> Vec<Value> {
    let modes = row.list("spec.volumeLifecycleModes").iter().filter_map(Value::as_str);
    let modes = joined(modes, ",");
    let tokens = row.at("spec.tokenRequests").and_then(Value::as_array).map_or_else(
        || "<unset>".to_owned(),
        |requests| joined(requests.iter().map(|request| text_of(request, "audience")), ","),
    );
    vec![
        row.name(),
        row.flag_or("spec.attachRequired", true),
        row.flag_or("spec.podInfoOnMount", false),
        row.flag_or("spec.storageCapacity", false),
        tokens.into(),
        row.flag_or("spec.requiresRepublish", false),
        if modes.is_empty() { "<none>".into() } else { modes.into() },
        row.age(),
    ]
}
