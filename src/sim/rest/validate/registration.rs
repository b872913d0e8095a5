//! Kinds by which clusters are administered and extended, as far as it takes more than a rule
//! about one field: APIServices, certificate requests, webhooks, admission policies.

use super::errors::{Errors, Path};
use super::expressions;
use super::read::{given, list, text};
use crate::object::{Object, Value};
use crate::sim::rest::{names, secrets};

const SPEC: Path = Path::Printed("spec");

pub(super) fn api_service(object: &Object, is_new: bool, errors: &mut Errors) {
    let spec = object.at(&["spec"]).unwrap_or(&Value::Null);
    let (group, version) = (text(spec, "group"), text(spec, "version"));
    let wanted = format!("{version}.{group}");
    let fault = format!("must be `spec.version+\".\"+spec.group`: {wanted:?}");
    let metadata = Path::Printed("metadata");
    let prefix = object.text(&["metadata", "generateName"]).unwrap_or_default();
    if is_new && !prefix.is_empty() {
        errors.invalid(&metadata.field("generateName"), prefix, &fault);
    }
    if object.name() != wanted && !(is_new && object.name().is_empty()) {
        errors.invalid(&metadata.field("name"), object.name(), &fault);
    }
    if group.is_empty() && version != "v1" {
        let text = "only v1 may have an empty group and it better be legacy kube";
        errors.required(&SPEC.field("group"), text);
    } else if !group.is_empty() {
        errors.faults(&SPEC.field("group"), group, names::subdomain_1123(group));
    }
}

pub(super) fn certificate_request(object: &Object, errors: &mut Errors) {
    let spec = object.at(&["spec"]).unwrap_or(&Value::Null);
    let bytes = secrets::decode(text(spec, "request"));
    if !String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE REQUEST-----") {
        let text = "PEM block type must be CERTIFICATE REQUEST";
        errors.invalid(&SPEC.field("request"), spec["request"].clone(), text);
    }
    let signer = text(spec, "signerName");
    let domain = signer.split_once('/').map(|(domain, path)| (domain.contains('.'), path));
    if !signer.is_empty() && !matches!(domain, Some((true, path)) if !path.is_empty()) {
        let text =
            "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        errors.invalid(&SPEC.field("signerName"), signer, text);
    }
}

/// Webhook configurations of both kinds.
pub(super) fn webhooks(object: &Object, errors: &mut Errors) {
    let root = Path::Printed("webhooks");
    for (i, hook) in object.list(&["webhooks"]).iter().enumerate() {
        let path = root.index(i);
        let name = text(hook, "name");
        if name.is_empty() {
            errors.required(&path.field("name"), "");
        } else {
            let faults = names::subdomain_1123(name);
            if faults.is_empty() && name.split('.').count() < 3 {
                let text = "should be a domain with at least three segments separated by dots";
                errors.invalid(&path.field("name"), name, text);
            }
            errors.faults(&path.field("name"), name, faults);
        }
        review_versions(hook, &path, errors);
        let effects = given(hook, "sideEffects");
        if effects.is_none() {
            let text = "must specify one of None, NoneOnDryRun";
            errors.required(&path.field("sideEffects"), text);
        }
        client_config(&hook["clientConfig"], &path.field("clientConfig"), errors);
    }
}

fn review_versions(hook: &Value, path: &Path, errors: &mut Errors) {
    let at = path.field("admissionReviewVersions");
    let mut seen: Vec<&str> = Vec::new();
    let versions = list(hook, "admissionReviewVersions");
    for (i, version) in versions.iter().filter_map(Value::as_str).enumerate() {
        if seen.contains(&version) {
            errors.invalid(&at.index(i), version, "duplicate version");
            continue;
        }
        seen.push(version);
        errors.faults(&at.index(i), version, names::label_1035(version));
    }
    let known = ["v1", "v1beta1"];
    if !seen.is_empty() && !seen.iter().any(|version| known.contains(version)) {
        let text = "must include at least one of v1, v1beta1";
        errors.invalid(&at, Value::Array(versions.to_vec()), text);
    }
}

fn client_config(config: &Value, path: &Path, errors: &mut Errors) {
    let (url, service) = (given(config, "url"), given(config, "service"));
    if url.is_some() == service.is_some() {
        errors.required(path, "exactly one of url or service is required");
    }
    if let Some(url) = url.and_then(Value::as_str) {
        self::url(url, &path.field("url"), errors);
    }
    let at = path.field("service");
    if let Some(route) = service.and_then(|service| given(service, "path")?.as_str()) {
        let place = at.field("path");
        if !route.is_empty() && !route.starts_with('/') {
            errors.invalid(&place, route, "must start with a '/'");
        }
        let segments = route.strip_prefix('/').unwrap_or(route).split('/');
        for (i, segment) in segments.enumerate().filter(|(_, s)| !s.is_empty()) {
            for fault in names::subdomain_1123(segment) {
                errors.invalid(&place, route, &format!("segment[{i}]: {fault}"));
            }
        }
    }
}

fn url(url: &str, path: &Path, errors: &mut Errors) {
    let form = "; desired format: https://host[/path]";
    let Some(rest) = url.strip_prefix("https://") else {
        let text = format!("'https' is the only allowed URL scheme{form}");
        errors.invalid(path, scheme(url), &text);
        if !url.contains("://") {
            let text = format!("host must be specified{form}");
            errors.invalid(path, host(url), &text);
        }
        return;
    };
    if rest.is_empty() || rest.starts_with('/') {
        errors.invalid(path, host(url), &format!("host must be specified{form}"));
    }
    for (mark, what) in [('@', "user information"), ('#', "fragments"), ('?', "query parameters")] {
        if rest.contains(mark) {
            errors.invalid(path, url, &format!("{what} not permitted in the URL"));
        }
    }
}

fn scheme(url: &str) -> &str {
    url.split_once("://").map_or("", |(scheme, _)| scheme)
}

fn host(url: &str) -> &str {
    url.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default())
}

/// Admission policies of both kinds.
pub(super) fn policy(object: &Object, errors: &mut Errors) {
    let spec = object.at(&["spec"]).unwrap_or(&Value::Null);
    let at = SPEC.field("paramKind");
    if let Some(kind) = given(spec, "paramKind") {
        let version = text(kind, "apiVersion");
        if !version.is_empty() {
            let (group, version) = version.rsplit_once('/').unwrap_or(("", version));
            if !group.is_empty() {
                errors.faults(&at.field("apiVersion"), group, names::subdomain_1123(group));
            }
            errors.faults(&at.field("apiVersion"), version, names::label_1035(version));
        }
        let name = text(kind, "kind");
        if !name.is_empty() {
            for fault in names::label_1035(&name.to_lowercase()) {
                let text = format!("may have mixed case, but should otherwise match: {fault}");
                errors.invalid(&at.field("kind"), name, &text);
            }
        }
    }
    if object.kind() == "ValidatingAdmissionPolicy" {
        let lists = ["validations", "auditAnnotations"];
        if lists.iter().all(|field| list(spec, field).is_empty()) {
            let text = "validations or auditAnnotations must contain at least one item";
            for field in lists {
                errors.required(&SPEC.field(field), text);
            }
        }
        audit_annotations(object, spec, errors);
    } else {
        mutations(spec, errors);
    }
    expressions::check(spec, object.kind() == "MutatingAdmissionPolicy", errors);
}

fn audit_annotations(object: &Object, spec: &Value, errors: &mut Errors) {
    let at = SPEC.field("auditAnnotations");
    for (i, annotation) in list(spec, "auditAnnotations").iter().enumerate() {
        let key = format!("{}/{}", object.name(), text(annotation, "key"));
        errors.faults(&at.index(i).field("key"), &key, names::qualified(&key));
    }
}

fn mutations(spec: &Value, errors: &mut Errors) {
    let at = SPEC.field("mutations");
    let forms = [("ApplyConfiguration", "applyConfiguration"), ("JSONPatch", "jsonPatch")];
    for (i, mutation) in list(spec, "mutations").iter().enumerate() {
        let path = at.index(i);
        let kind = text(mutation, "patchType");
        let Some((_, own)) = forms.iter().find(|(name, _)| *name == kind) else { continue };
        for (_, field) in forms {
            let is_there = given(mutation, field).is_some();
            if field == *own && !is_there {
                let text = format!("must be specified when patchType is {kind}");
                errors.required(&path.field(field), &text);
            } else if field != *own && is_there {
                let text = format!("must not be specified when patchType is {kind}");
                errors.invalid(&path.field(field), format!("{{{field}}}"), &text);
            }
        }
    }
}

/// A binding's parameters are named or selected.
pub(super) fn policy_binding(object: &Object, errors: &mut Errors) {
    let Some(reference) = object.at(&["spec", "paramRef"]).filter(|r| !r.is_null()) else { return };
    let named = !text(reference, "name").is_empty();
    let selected = given(reference, "selector").is_some();
    let path = SPEC.field("paramRef");
    if named == selected {
        let text = "one of name or selector must be specified";
        if named {
            let text = "name and selector are mutually exclusive";
            errors.forbidden(&path.field("name"), text);
        } else {
            errors.required(&path, text);
        }
    }
}
