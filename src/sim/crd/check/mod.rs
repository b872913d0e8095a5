//! Whether a CustomResourceDefinition is right (R-CRD-01, R-CRD-02): names, versions, schemas,
//! subresources, columns, in the order and the words of apiextensions.
//!
//! What all versions say alike upstream tells at the top of the spec (`spec.validation`), where
//! it is kept inside the server; so do we. Not here: metadata that is every object's.

mod costs;
mod defaults;
mod formats;
mod go;
mod open_api;
mod parts;
mod paths;
mod rules;
mod spec;
mod structural;

use super::conditions;
use super::fault::{self, Path};
use crate::api::Cause;
use crate::object::schema::node::{list, text, texts};
use crate::object::{Object, Value};

pub use formats::unknown as unknown_formats;

/// What is wrong with a new definition, its common metadata apart.
#[must_use]
pub fn create(crd: &Object) -> Vec<Cause> {
    let mut causes = name(crd);
    causes.extend(spec::check(crd, None));
    causes.extend(stored_versions(crd));
    causes.extend(approval(None, crd));
    causes.extend(keeps_unknown_fields(None, crd));
    causes
}

/// What is wrong with a new state of `live`.
#[must_use]
pub fn update(live: &Object, crd: &Object) -> Vec<Cause> {
    let mut causes = spec::check(crd, Some(live));
    let (old, new) = (live.at(&["spec"]), crd.at(&["spec"]));
    let (old, new) = (old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
    let established = conditions::is_true(live, "Established");
    for (pointer, field, always) in [
        ("/scope", "spec.scope", false),
        ("/names/kind", "spec.names.kind", false),
        ("/group", "spec.group", true),
        ("/names/plural", "spec.names.plural", true),
    ] {
        let value = new.pointer(pointer);
        if (always || established) && value != old.pointer(pointer) {
            let value = value.unwrap_or(&Value::Null);
            causes.push(fault::invalid(&Path::Printed(field), value, "field is immutable"));
        }
    }
    causes.extend(stored_versions(crd));
    causes.extend(approval(Some(live), crd));
    causes.extend(keeps_unknown_fields(Some(live), crd));
    causes
}

fn name(crd: &Object) -> Vec<Cause> {
    let name = crd.name();
    let metadata = Path::Printed("metadata.name");
    let spec = crd.at(&["spec"]).unwrap_or(&Value::Null);
    let names = spec.get("names").unwrap_or(&Value::Null);
    let wanted = format!("{}.{}", text(names, "plural"), text(spec, "group"));
    let fault = (name != wanted).then_some("must be spec.names.plural+\".\"+spec.group");
    fault.map(|fault| fault::invalid(&metadata, &name.into(), fault)).into_iter().collect()
}

fn stored_versions(crd: &Object) -> Vec<Cause> {
    let path = Path::Printed("status.storedVersions");
    let status = crd.at(&["status"]).unwrap_or(&Value::Null);
    let stored = texts(status, "storedVersions");
    let shown = Value::from(stored.clone());
    if stored.is_empty() {
        return vec![fault::invalid(&path, &Value::Null, "must have at least one stored version")];
    }
    let spec = crd.at(&["spec"]).unwrap_or(&Value::Null);
    let versions = list(spec, "versions");
    let mut causes = Vec::new();
    for version in versions {
        let name = text(version, "name");
        if version.get("storage") == Some(&Value::Bool(true)) && !stored.contains(&name) {
            let why = format!("must have the storage version {name}");
            causes.push(fault::invalid(&path, &shown, &why));
        }
    }
    for (at, name) in stored.iter().enumerate() {
        if !versions.iter().any(|version| text(version, "name") == *name) {
            let why = format!(
                "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
            );
            causes.push(fault::invalid(&path.index(at), &name.as_str().into(), &why));
        }
    }
    causes
}

fn approval(live: Option<&Object>, crd: &Object) -> Option<Cause> {
    if !conditions::is_protected(crd.text(&["spec", "group"])?) {
        return None;
    }
    let (_, reason, message) = conditions::approval(crd);
    if live.is_some_and(|live| conditions::approval(live).1 == reason) {
        return None;
    }
    let path = Path::Printed("metadata.annotations[api-approved.kubernetes.io]");
    match reason {
        "MissingAnnotation" => Some(fault::required(&path, &message)),
        "InvalidAnnotation" => {
            let value = crd.annotation("api-approved.kubernetes.io").unwrap_or_default();
            Some(fault::invalid(&path, &value.into(), &message))
        }
        _ => None,
    }
}

fn keeps_unknown_fields(live: Option<&Object>, crd: &Object) -> Option<Cause> {
    let path = ["spec", "preserveUnknownFields"];
    if !crd.flag(&path) || live.is_some_and(|live| live.flag(&path)) {
        return None;
    }
    let text = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
    Some(fault::invalid(&Path::Printed("spec.preserveUnknownFields"), &true.into(), text))
}
