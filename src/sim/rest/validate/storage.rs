//! PersistentVolumeClaims and PersistentVolumes.

use super::errors::{Errors, Path};
use super::read::{given, list, text};
use super::selectors;
use crate::object::{Object, Value, quantity::Quantity};
use crate::sim::rest::names;

const SPEC: Path = Path::Printed("spec");
const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

pub(super) fn claim(object: &Object, errors: &mut Errors) {
    claim_spec(object.at(&["spec"]).unwrap_or(&Value::Null), &SPEC, errors);
}

pub(super) fn claim_spec(spec: &Value, path: &Path, errors: &mut Errors) {
    let modes = list(spec, "accessModes");
    if modes.is_empty() {
        errors.required(&path.field("accessModes"), "at least 1 access mode is required");
    }
    if let Some(selector) = given(spec, "selector") {
        selectors::selector(selector, &path.field("selector"), errors);
    }
    for mode in modes.iter().filter_map(Value::as_str).filter(|mode| !MODES.contains(mode)) {
        errors.unsupported(&path.field("accessModes"), mode, &MODES);
    }
    let pods_own = |mode: &&Value| **mode == *"ReadWriteOncePod";
    if modes.len() > 1 && modes.iter().any(|mode| pods_own(&mode)) {
        let text = "may not use ReadWriteOncePod with other access modes";
        errors.forbidden(&path.field("accessModes"), text);
    }
    claim_size(spec, path, errors);
    let class = text(spec, "storageClassName");
    if !class.is_empty() {
        errors.faults(&path.field("storageClassName"), class, names::subdomain_1123(class));
    }
}

/// A claim asks for room.
pub(super) fn claim_size(spec: &Value, path: &Path, errors: &mut Errors) {
    let resources = path.field("resources");
    let size = resources.key("storage");
    match &spec["resources"]["requests"]["storage"] {
        Value::Null => errors.required(&size, ""),
        value => {
            let amount = value.as_str().and_then(|text| Quantity::parse(text).ok());
            if amount <= Quantity::parse("0").ok() {
                errors.invalid(&size, value.clone(), "must be greater than zero");
            }
        }
    }
}

/// A claim may grow once it is bound, and be bound once (R-VAL-08). Upstream's message goes on
/// with a printed difference of its Go structs, which is left out here.
pub(super) fn claim_changed(live: &Object, claim: &Object, errors: &mut Errors) {
    let bound = claim.text(&["status", "phase"]) == Some("Bound");
    let fixed = |object: &Object| {
        let mut spec = object.at(&["spec"]).cloned().unwrap_or_default();
        if let Some(fields) = spec.as_object_mut() {
            if live.at(&["spec", "volumeName"]).is_none() {
                fields.remove("volumeName");
            }
            if live.at(&["spec", "storageClassName"]).is_none() {
                fields.remove("storageClassName");
            }
            if bound {
                fields.remove("volumeAttributesClassName");
                let requests = fields.get_mut("resources").and_then(|r| r.get_mut("requests"));
                if let Some(requests) = requests.and_then(Value::as_object_mut) {
                    requests.remove("storage");
                }
            }
        }
        spec
    };
    if fixed(live) != fixed(claim) {
        let text = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n";
        errors.forbidden(&SPEC, text);
    }
    let size = |object: &Object, path: &[&str]| {
        object.text(path).and_then(|text| Quantity::parse(text).ok())
    };
    let requested = ["spec", "resources", "requests", "storage"];
    let (before, now) = (size(live, &requested), size(claim, &requested));
    let has = size(live, &["status", "capacity", "storage"]).or_else(|| Quantity::parse("0").ok());
    if now < before && now <= has {
        let resources = SPEC.field("resources");
        let requests = resources.field("requests");
        let text = "field can not be less than status.capacity";
        errors.forbidden(&requests.field("storage"), text);
    }
}

/// How a volume is used, and where, is for good.
pub(super) fn volume_changed(live: &Object, volume: &Object, errors: &mut Errors) {
    let mode = ["spec", "volumeMode"];
    if live.at(&mode) != volume.at(&mode) {
        let shown = volume.at(&mode).cloned().unwrap_or_default();
        errors.invalid(&Path::Printed("volumeMode"), shown, "field is immutable");
    }
    let affinity = ["spec", "nodeAffinity"];
    let (before, now) = (live.at(&affinity), volume.at(&affinity));
    if before.is_some() && before != now {
        let shown = now.map_or("null".to_owned(), |affinity| {
            let required = match given(affinity, "required") {
                None => "null".to_owned(),
                Some(required) => {
                    let terms = selectors::node_terms_shown(list(required, "nodeSelectorTerms"));
                    format!("{{\"NodeSelectorTerms\":{terms}}}")
                }
            };
            format!("{{\"Required\":{required}}}")
        });
        let text = "field is immutable, except for updating from beta label to GA";
        errors.invalid_as(&Path::Printed("nodeAffinity"), &shown, text);
    }
}

/// Fields of a volume's spec that are not where it is.
const VOLUME_FIELDS: [&str; 9] = [
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
];

pub(super) fn volume(object: &Object, errors: &mut Errors) {
    let spec = object.at(&["spec"]).unwrap_or(&Value::Null);
    if list(spec, "accessModes").is_empty() {
        errors.required(&SPEC.field("accessModes"), "");
    }
    let capacity = SPEC.field("capacity");
    match given(spec, "capacity") {
        None => {
            errors.required(&capacity, "");
            errors.unsupported(&capacity, Value::Null, &["storage"]);
        }
        Some(amounts) if amounts.get("storage").is_none() => {
            errors.unsupported(&capacity, amounts.clone(), &["storage"]);
        }
        Some(amounts) => {
            if amounts.as_object().is_some_and(|amounts| amounts.len() > 1) {
                errors.unsupported(&capacity, amounts.clone(), &["storage"]);
            }
            let size = amounts["storage"].as_str().and_then(|text| Quantity::parse(text).ok());
            if size <= Quantity::parse("0").ok() {
                let shown = amounts["storage"].clone();
                errors.invalid(&capacity.key("storage"), shown, "must be greater than zero");
            }
        }
    }
    if let Some(affinity) = given(spec, "nodeAffinity") {
        let at = SPEC.field("nodeAffinity");
        let place = at.field("required");
        match given(affinity, "required") {
            None => errors.required(&place, "must specify required node constraints"),
            Some(required) => {
                let terms = place.field("nodeSelectorTerms");
                if list(required, "nodeSelectorTerms").is_empty() {
                    errors.required(&terms, "must have at least one node selector term");
                }
                for (i, term) in list(required, "nodeSelectorTerms").iter().enumerate() {
                    selectors::node_term(term, &terms.index(i), errors);
                }
            }
        }
    }
    let mut sources = spec.as_object().into_iter().flat_map(|map| map.keys());
    if !sources.any(|key| !VOLUME_FIELDS.contains(&key.as_str())) {
        errors.required(&SPEC, "must specify a volume type");
    }
}
