//! Kinds of which little is checked: Leases, EndpointSlices.

use super::errors::{Errors, Path};
use crate::object::Object;

pub(super) fn lease(object: &Object, errors: &mut Errors) {
    let path = Path::Printed("spec");
    if let Some(seconds) = object.int(&["spec", "leaseDurationSeconds"]).filter(|s| *s <= 0) {
        let text = "must be greater than 0";
        errors.invalid(&path.field("leaseDurationSeconds"), seconds, text);
    }
    let changes = object.int(&["spec", "leaseTransitions"]);
    if let Some(changes) = changes.filter(|changes| *changes < 0) {
        let text = "must be greater than or equal to 0";
        errors.invalid(&path.field("leaseTransitions"), changes, text);
    }
}

pub(super) fn endpoint_slice(object: &Object, errors: &mut Errors) {
    let kind = object.text(&["addressType"]).unwrap_or_default();
    let path = Path::Printed("addressType");
    if kind.is_empty() {
        errors.required(&path, "");
    } else if !matches!(kind, "FQDN" | "IPv4" | "IPv6") {
        errors.unsupported(&path, kind, &["FQDN", "IPv4", "IPv6"]);
    }
}
