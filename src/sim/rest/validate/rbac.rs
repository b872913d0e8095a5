//! Roles and their bindings.

use super::errors::{Errors, Path};
use super::read::{list, text};
use crate::object::{Object, Value};
use crate::sim::rest::names;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn role(object: &Object, errors: &mut Errors) {
    let path = Path::Printed("rules");
    let namespaced = object.kind() == "Role";
    for (i, rule) in object.list(&["rules"]).iter().enumerate() {
        let at = path.index(i);
        if list(rule, "verbs").is_empty() {
            errors.required(&at.field("verbs"), "verbs must contain at least one value");
        }
        let (groups, resources) = (list(rule, "apiGroups"), list(rule, "resources"));
        if !list(rule, "nonResourceURLs").is_empty() {
            let urls = rule["nonResourceURLs"].clone();
            let place = at.field("nonResourceURLs");
            if namespaced {
                let text = "namespaced rules cannot apply to non-resource URLs";
                errors.invalid(&place, urls.clone(), text);
            }
            if !groups.is_empty() || !resources.is_empty() {
                let text = "rules cannot apply to both regular resources and non-resource URLs";
                errors.invalid(&place, urls, text);
            }
            continue;
        }
        if groups.is_empty() {
            let text = "resource rules must supply at least one api group";
            errors.required(&at.field("apiGroups"), text);
        }
        if resources.is_empty() {
            let text = "resource rules must supply at least one resource";
            errors.required(&at.field("resources"), text);
        }
    }
}

pub(super) fn binding(object: &Object, errors: &mut Errors) {
    let namespaced = object.kind() == "RoleBinding";
    let reference = object.at(&["roleRef"]).unwrap_or(&Value::Null);
    let path = Path::Printed("roleRef");
    let group = text(reference, "apiGroup");
    if group != GROUP {
        errors.unsupported(&path.field("apiGroup"), group, &[GROUP]);
    }
    let kind = text(reference, "kind");
    if kind != "ClusterRole" && !(namespaced && kind == "Role") {
        let supported: &[&str] =
            if namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
        errors.unsupported(&path.field("kind"), kind, supported);
    }
    let name = text(reference, "name");
    if name.is_empty() {
        errors.required(&path.field("name"), "");
    } else {
        errors.faults(&path.field("name"), name, names::path_segment(name));
    }
    let subjects = Path::Printed("subjects");
    for (i, subject) in object.list(&["subjects"]).iter().enumerate() {
        self::subject(subject, namespaced, &subjects.index(i), errors);
    }
}

fn subject(subject: &Value, namespaced: bool, path: &Path, errors: &mut Errors) {
    let (name, group) = (text(subject, "name"), text(subject, "apiGroup"));
    if name.is_empty() {
        errors.required(&path.field("name"), "");
    }
    match text(subject, "kind") {
        "ServiceAccount" => {
            if !name.is_empty() {
                errors.faults(&path.field("name"), name, names::subdomain_1123(name));
            }
            if !group.is_empty() {
                errors.unsupported(&path.field("apiGroup"), group, &[""]);
            }
            if !namespaced && text(subject, "namespace").is_empty() {
                errors.required(&path.field("namespace"), "");
            }
        }
        "User" | "Group" => {
            if group != GROUP {
                errors.unsupported(&path.field("apiGroup"), group, &[GROUP]);
            }
        }
        other => {
            let supported = ["ServiceAccount", "User", "Group"];
            errors.unsupported(&path.field("kind"), other, &supported);
        }
    }
}

pub(super) fn binding_changed(live: &Object, object: &Object, errors: &mut Errors) {
    if live.at(&["roleRef"]) != object.at(&["roleRef"]) {
        let part = |key: &str| Value::from(object.text(&["roleRef", key]).unwrap_or_default());
        let shown = format!(
            "{{\"APIGroup\":{},\"Kind\":{},\"Name\":{}}}",
            part("apiGroup"),
            part("kind"),
            part("name")
        );
        errors.invalid_as(&Path::Printed("roleRef"), &shown, "cannot change roleRef");
    }
}
