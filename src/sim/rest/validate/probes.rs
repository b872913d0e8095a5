//! Probes and life cycle hooks of a container.

use super::containers::{port_number, port_or_name};
use super::errors::{Errors, Path};
use super::read::{given, int, list, text};
use crate::object::Value;

/// Life cycle hooks and probes.
pub(super) fn handlers(container: &Value, path: &Path, errors: &mut Errors) {
    if let Some(lifecycle) = given(container, "lifecycle") {
        let at = path.field("lifecycle");
        for hook in ["postStart", "preStop"] {
            if let Some(hook_value) = given(lifecycle, hook) {
                handler(hook_value, &at.field(hook), errors);
            }
        }
    }
    for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = given(container, kind) else { continue };
        let at = path.field(kind);
        handler(probe, &at, errors);
        errors.nonnegative(
            probe,
            &at,
            &[
                "initialDelaySeconds",
                "timeoutSeconds",
                "periodSeconds",
                "successThreshold",
                "failureThreshold",
            ],
        );
        let grace = int(probe, "terminationGracePeriodSeconds");
        if kind == "readinessProbe" {
            if grace.is_some() {
                let text = "must not be set for readinessProbes";
                let path = at.field("terminationGracePeriodSeconds");
                errors.invalid(&path, grace, text);
            }
        } else if let Some(grace) = grace.filter(|grace| *grace <= 0) {
            let path = at.field("terminationGracePeriodSeconds");
            errors.invalid(&path, grace, "must be greater than 0");
        }
        let once = int(probe, "successThreshold").unwrap_or(1) == 1;
        if kind != "readinessProbe" && !once {
            let found = int(probe, "successThreshold");
            errors.invalid(&at.field("successThreshold"), found, "must be 1");
        }
    }
}

fn handler(handler: &Value, path: &Path, errors: &mut Errors) {
    let mut kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"]
        .into_iter()
        .filter_map(|kind| Some((kind, given(handler, kind)?)));
    let Some((kind, action)) = kinds.next() else {
        errors.required(path, "must specify a handler type");
        return;
    };
    let at = path.field(kind);
    match kind {
        "exec" if list(action, "command").is_empty() => {
            errors.required(&at.field("command"), "");
        }
        "httpGet" => {
            port_or_name(&action["port"], &at.field("port"), errors);
            let scheme = text(action, "scheme");
            if !matches!(scheme, "HTTP" | "HTTPS") {
                errors.unsupported(&at.field("scheme"), scheme, &["HTTP", "HTTPS"]);
            }
            for header in list(action, "httpHeaders") {
                let name = text(header, "name");
                let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
                if name.is_empty() || !name.bytes().all(is_name) {
                    let why = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
                    errors.invalid(&at.field("httpHeaders"), name, why);
                }
            }
        }
        "tcpSocket" => port_or_name(&action["port"], &at.field("port"), errors),
        "grpc" => port_number(action, &at, "port", errors),
        _ => {}
    }
    for (kind, _) in kinds {
        errors.forbidden(&path.field(kind), "may not specify more than 1 handler type");
    }
}
