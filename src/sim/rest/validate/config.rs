//! ConfigMaps and Secrets.

use super::errors::{Errors, Path};
use crate::api::path::json_error;
use crate::object::{Key, Object, Value};
use crate::sim::rest::{names, secrets};

/// Data of one object, in bytes.
const DATA_BYTES: usize = 1024 * 1024;

fn entries<'a>(object: &'a Object, field: &str) -> impl Iterator<Item = (&'a Key, usize)> {
    let map = object.at(&[field]).and_then(Value::as_object).into_iter().flatten();
    let encoded = field == "binaryData" || object.kind() == "Secret";
    map.map(move |(key, value)| {
        let length = value.as_str().map_or(0, str::len);
        (key, if encoded { length / 4 * 3 } else { length })
    })
}

pub(super) fn config_map(object: &Object, errors: &mut Errors) {
    let mut size = 0;
    for field in ["data", "binaryData"] {
        let root = Path::Printed("");
        let path = root.field(field);
        for (key, bytes) in entries(object, field) {
            errors.faults(&path.key(key), key, names::config_key(key));
            if field == "data" && object.at(&["binaryData", key]).is_some() {
                let text = "duplicate of key present in binaryData";
                errors.invalid(&path.key(key), key.as_str(), text);
            }
            size += bytes;
        }
    }
    if size > DATA_BYTES {
        // An empty path prints as brackets.
        errors.too_long(&Path::Printed("[]"), DATA_BYTES);
    }
}

pub(super) fn secret(object: &Object, errors: &mut Errors) {
    let path = Path::Printed("data");
    let mut size = 0;
    for (key, bytes) in entries(object, "data") {
        errors.faults(&path.key(key), key, names::config_key(key));
        size += bytes;
    }
    if size > DATA_BYTES {
        errors.too_long(&path, DATA_BYTES);
    }
    let has = |key: &str| object.at(&["data", key]).is_some();
    let need = |keys: &[&str], errors: &mut Errors| {
        for key in keys.iter().filter(|key| !has(key)) {
            errors.required(&path.key(key), "");
        }
    };
    match object.text(&["type"]).unwrap_or_default() {
        "kubernetes.io/service-account-token" => {
            let key = "kubernetes.io/service-account.name";
            if object.annotation(key).unwrap_or_default().is_empty() {
                let metadata = Path::Printed("metadata");
                errors.required(&metadata.field("annotations").key(key), "");
            }
        }
        "kubernetes.io/dockercfg" => {
            need(&[".dockercfg"], errors);
            is_json(object, ".dockercfg", errors);
        }
        "kubernetes.io/dockerconfigjson" => {
            need(&[".dockerconfigjson"], errors);
            is_json(object, ".dockerconfigjson", errors);
        }
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            need(&["username", "password"], errors);
        }
        "kubernetes.io/ssh-auth" => need(&["ssh-privatekey"], errors),
        "kubernetes.io/tls" => need(&["tls.crt", "tls.key"], errors),
        _ => {}
    }
}

/// Bytes that must be JSON; what they are is not shown.
fn is_json(secret: &Object, key: &str, errors: &mut Errors) {
    let Some(text) = secret.text(&["data", key]) else { return };
    if let Some(fault) = json_error(&secrets::decode(text)) {
        let path = Path::Printed("data");
        errors.invalid(&path.key(key), "<secret contents redacted>", &fault);
    }
}

/// What an immutable object keeps (R-VAL-09).
pub(super) fn changed(live: &Object, object: &Object, errors: &mut Errors) {
    let root = Path::Printed("");
    let empty = Value::Null;
    let field = |object: &Object, name: &str| object.at(&[name]).unwrap_or(&empty).clone();
    if object.kind() == "Secret" && field(live, "type") != field(object, "type") {
        errors.invalid(&root.field("type"), field(object, "type"), "field is immutable");
    }
    if !live.flag(&["immutable"]) {
        return;
    }
    let text = "field is immutable when `immutable` is set";
    if !object.flag(&["immutable"]) {
        errors.forbidden(&root.field("immutable"), text);
    }
    for name in ["data", "binaryData"] {
        if field(live, name) != field(object, name) {
            errors.forbidden(&root.field(name), text);
        }
    }
}
