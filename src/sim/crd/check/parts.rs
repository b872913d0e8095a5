//! Subresources, columns and selectable fields of versions.

use super::paths;
use crate::api::Cause;
use crate::object::Value;
use crate::object::schema::node::{Node, list, text};
use crate::sim::crd::fault::{self, Path};

/// `subresources`.
pub(super) fn subresources(path: &Path, value: &Value, out: &mut Vec<Cause>) {
    let Some(scale) = value.get("scale").filter(|scale| scale.is_object()) else { return };
    for (key, under, required) in [
        ("specReplicasPath", ".spec.", true),
        ("statusReplicasPath", ".status.", true),
        ("labelSelectorPath", "", false),
    ] {
        let field = format!("scale.{key}");
        let place = path.field(&field);
        let found = text(scale, key);
        let shown = Value::from(found.as_str());
        if found.is_empty() {
            if required {
                out.push(fault::required(&place, ""));
            }
        } else if !found.starts_with('.') {
            let why = "must be a simple json path starting with .";
            out.push(fault::invalid(&place, &shown, why));
        } else if required && !found.starts_with(under) {
            let why = format!("should be a json path under {}", under.trim_end_matches('.'));
            out.push(fault::invalid(&place, &shown, &why));
        } else if !required && !found.starts_with(".spec.") && !found.starts_with(".status.") {
            let why = "should be a json path under either .spec or .status";
            out.push(fault::invalid(&place, &shown, why));
        }
    }
}

const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] =
    ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

/// `additionalPrinterColumns`.
pub(super) fn columns(path: &Path, columns: &[Value], out: &mut Vec<Cause>) {
    for (at, column) in columns.iter().enumerate() {
        let place = path.index(at);
        if text(column, "name").is_empty() {
            out.push(fault::required(&place.field("name"), ""));
        }
        let ty = text(column, "type");
        let why = format!("must be one of {}", COLUMN_TYPES.join(","));
        if ty.is_empty() {
            out.push(fault::required(&place.field("type"), &why));
        } else if !COLUMN_TYPES.contains(&ty.as_str()) {
            out.push(fault::invalid(&place.field("type"), &ty.into(), &why));
        }
        let format = text(column, "format");
        if !format.is_empty() && !COLUMN_FORMATS.contains(&format.as_str()) {
            let why = format!("must be one of {}", COLUMN_FORMATS.join(","));
            out.push(fault::invalid(&place.field("format"), &format.into(), &why));
        }
        let json_path = text(column, "jsonPath");
        if json_path.is_empty() {
            out.push(fault::required(&place.field("JSONPath"), ""));
        } else if !json_path.starts_with('.') {
            let why = "must be a simple json path starting with .";
            out.push(fault::invalid(&place.field("JSONPath"), &json_path.into(), why));
        }
    }
}

const MOST_SELECTABLE: i64 = 8;

/// `selectableFields`.
pub(super) fn selectable(path: &Path, version: &Value, root: &Node, out: &mut Vec<Cause>) {
    let mut known: Vec<String> = Vec::new();
    for (at, field) in list(version, "selectableFields").iter().enumerate() {
        let place = path.index(at);
        let place = place.field("jsonPath");
        let found = text(field, "jsonPath");
        let shown = Value::from(found.as_str());
        if found.is_empty() {
            out.push(fault::required(&place, ""));
            continue;
        }
        match paths::follow(&found, root, false) {
            Err(why) => {
                let why = format!("is an invalid path: {why}");
                out.push(fault::invalid(&place, &shown, &why));
            }
            Ok((node, normal)) => {
                if normal.split(['.', '[']).next() == Some("metadata") {
                    let why = "must not point to fields in metadata";
                    out.push(fault::invalid(&place, &shown, why));
                }
                if !matches!(node.ty.as_str(), "string" | "boolean" | "integer") {
                    let why = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
                    out.push(fault::invalid(&place, &shown, why));
                }
                if known.contains(&normal) {
                    out.push(fault::duplicate(&place, Some(&shown)));
                } else {
                    known.push(normal);
                }
            }
        }
    }
    if i64::try_from(known.len()).is_ok_and(|count| count > MOST_SELECTABLE) {
        out.push(fault::too_many(path, known.len(), MOST_SELECTABLE));
    }
}
