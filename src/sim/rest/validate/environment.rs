//! Environment variables of a container, and where their values come from.

use super::errors::{Errors, Path};
use super::read::{given, list, text};
use crate::object::Value;
use crate::sim::rest::names;

pub(super) fn check(container: &Value, path: &Path, errors: &mut Errors) {
    let env = path.field("env");
    for (i, variable) in list(container, "env").iter().enumerate() {
        let at = env.index(i);
        let name = text(variable, "name");
        if name.is_empty() {
            errors.required(&at.field("name"), "");
        } else {
            errors.faults(&at.field("name"), name, names::variable(name));
        }
        if let Some(from) = given(variable, "valueFrom") {
            value_from(from, text(variable, "value"), &at.field("valueFrom"), errors);
        }
    }
    let from = path.field("envFrom");
    for source in list(container, "envFrom") {
        let sources = ["configMapRef", "secretRef"].into_iter();
        match sources.filter(|s| given(source, s).is_some()).count() {
            0 => errors.invalid(&from, "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => errors.invalid(&from, "", "may not have more than one field specified at a time"),
        }
    }
}

fn value_from(from: &Value, value: &str, path: &Path, errors: &mut Errors) {
    let mut sources = 0;
    if let Some(reference) = given(from, "fieldRef") {
        field_reference(reference, &path.field("fieldRef"), errors);
    }
    for kind in ["fieldRef", "resourceFieldRef", "fileKeyRef"] {
        sources += usize::from(given(from, kind).is_some());
    }
    for kind in ["configMapKeyRef", "secretKeyRef"] {
        let Some(reference) = given(from, kind) else { continue };
        sources += 1;
        let at = path.field(kind);
        let name = text(reference, "name");
        errors.faults(&at.field("name"), name, names::subdomain_1123(name));
        let key = text(reference, "key");
        if key.is_empty() {
            errors.required(&at.field("key"), "");
        } else {
            errors.faults(&at.field("key"), key, names::config_key(key));
        }
    }
    if sources == 0 {
        errors.invalid(path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`");
    } else if !value.is_empty() {
        errors.invalid(path, "", "may not be specified when `value` is not empty");
    } else if sources > 1 {
        errors.invalid(path, "", "may not have more than one field specified at a time");
    }
}

const POD_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Pod fields that exist and cannot be had in the environment.
const OTHER_FIELDS: [&str; 5] = [
    "metadata.annotations",
    "metadata.labels",
    "spec.restartPolicy",
    "spec.schedulerName",
    "status.phase",
];

fn field_reference(reference: &Value, path: &Path, errors: &mut Errors) {
    let field = text(reference, "fieldPath");
    let at = path.field("fieldPath");
    let subscripted = ["metadata.annotations['", "metadata.labels['"];
    let version = text(reference, "apiVersion");
    if field.is_empty() {
        errors.required(&at, "");
    } else if !matches!(version, "" | "v1") {
        let text = format!("error converting fieldPath: unsupported pod version: {version}");
        errors.invalid(&at, field, &text);
    } else if OTHER_FIELDS.contains(&field) {
        errors.unsupported(&at, field, &POD_FIELDS);
    } else if !POD_FIELDS.contains(&field) && !subscripted.iter().any(|s| field.starts_with(s)) {
        let text = format!("error converting fieldPath: field label not supported: {field}");
        errors.invalid(&at, field, &text);
    }
}
