//! The spec: group, scope, versions, names, conversion, in upstream's order.

use super::{defaults, go, open_api, parts, structural};
use crate::api::Cause;
use crate::object::schema::node::{Node, list, text, texts};
use crate::object::{Object, Value, json};
use crate::sim::crd::fault::{self, Path};
use crate::sim::crd::names;

const SPEC: Path<'static> = Path::Printed("spec");

/// What is wrong with the spec of a definition, which may have been there before.
pub(super) fn check(crd: &Object, live: Option<&Object>) -> Vec<Cause> {
    let nothing = json!({});
    let spec = crd.at(&["spec"]).unwrap_or(&nothing);
    let mut out = Vec::new();
    group_and_scope(spec, &mut out);
    let all = list(spec, "versions");
    let unchanged = |version: &Value| is_unchanged(live, version);
    for (at, version) in all.iter().enumerate() {
        if version.pointer("/schema/openAPIV3Schema").is_none_or(Value::is_null)
            && common(all, "/schema/openAPIV3Schema").is_none()
        {
            let versions = SPEC.field("versions");
            let place = versions.index(at);
            let place = place.field("schema");
            out.push(fault::required(&place.field("openAPIV3Schema"), ""));
        }
    }
    for (at, version) in all.iter().enumerate() {
        let place = SPEC.field("versions");
        of_version(&place.index(at), all, (version, unchanged(version)), &mut out);
    }
    versions_together(all, spec.get("versions").is_some_and(Value::is_array), &mut out);
    of_names(spec, &mut out);
    top_level(all, all.first().is_some_and(unchanged), &mut out);
    conversion(spec, &mut out);
    out
}

fn group_and_scope(spec: &Value, out: &mut Vec<Cause>) {
    let group = text(spec, "group");
    let place = SPEC.field("group");
    let faults = names::subdomain_1123(&group);
    if group.is_empty() {
        out.push(fault::required(&place, ""));
    } else if !faults.is_empty() {
        out.push(fault::invalid(&place, &group.into(), &faults.join(",")));
    } else if !group.contains('.') {
        let why = "should be a domain with at least one dot";
        out.push(fault::invalid(&place, &group.into(), why));
    }
    one_of(&SPEC.field("scope"), &text(spec, "scope"), &["Cluster", "Namespaced"], out);
}

fn one_of(path: &Path, found: &str, words: &[&str], out: &mut Vec<Cause>) {
    if found.is_empty() {
        out.push(fault::required(path, ""));
    } else if !words.contains(&found) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        out.push(fault::unsupported(path, &found.into(), &words));
    }
}

/// What all versions say alike, and not nothing.
fn common<'v>(versions: &'v [Value], pointer: &str) -> Option<&'v Value> {
    let first = versions.first()?.pointer(pointer)?;
    let is_empty = first.is_null() || first.as_array().is_some_and(Vec::is_empty);
    let same = versions.iter().all(|version| version.pointer(pointer) == Some(first));
    (same && !is_empty).then_some(first)
}

/// Whether a version was there before with the same schema.
fn is_unchanged(live: Option<&Object>, version: &Value) -> bool {
    let before = live.and_then(|live| live.at(&["spec", "versions"])).and_then(Value::as_array);
    let name = version.get("name");
    let before = before.into_iter().flatten().find(|before| before.get("name") == name);
    let schema = "/schema/openAPIV3Schema";
    before.is_some_and(|before| before.pointer(schema) == version.pointer(schema))
}

/// What one version says by itself.
fn of_version(
    path: &Path,
    all: &[Value],
    (version, is_unchanged): (&Value, bool),
    out: &mut Vec<Cause>,
) {
    let name = text(version, "name");
    let faults = names::label_1035(&name);
    if !faults.is_empty() {
        out.push(fault::invalid(&path.field("name"), &name.into(), &faults.join(",")));
    }
    deprecation(path, version, out);
    let alone =
        |key: &str, pointer: &str| version.get(key).filter(|_| common(all, pointer).is_none());
    let root = version.pointer("/schema/openAPIV3Schema").unwrap_or(&Value::Null);
    let has_status = version.pointer("/subresources/status").is_some_and(Value::is_object);
    if root.is_object() && alone("schema", "/schema").is_some() {
        schema(&path.field("schema"), root, (has_status, is_unchanged), out);
    }
    if let Some(value) = alone("subresources", "/subresources") {
        parts::subresources(&path.field("subresources"), value, out);
    }
    if let Some(value) = alone("additionalPrinterColumns", "/additionalPrinterColumns") {
        let columns = value.as_array().map_or(&[][..], Vec::as_slice);
        parts::columns(&path.field("additionalPrinterColumns"), columns, out);
    }
    if alone("selectableFields", "/selectableFields").is_some() {
        parts::selectable(&path.field("selectableFields"), version, &Node::read(root), out);
    }
}

fn deprecation(path: &Path, version: &Value, out: &mut Vec<Cause>) {
    let Some(warning) = version.get("deprecationWarning").and_then(Value::as_str) else { return };
    let deprecated = version.get("deprecated") == Some(&json!(true));
    let mut faults = Vec::new();
    if !deprecated {
        faults.push("can only be set for deprecated versions".to_owned());
    } else {
        if warning.len() > 256 {
            faults.push("must be <= 256 characters long".to_owned());
        }
        if warning.is_empty() {
            faults.push("must not be an empty string".to_owned());
        }
        if let Some(at) = warning.find(char::is_control) {
            faults.push(format!(
                "must only contain printable UTF-8 characters; non-printable character found at index {at}"
            ));
        }
    }
    for fault in faults {
        let place = path.field("deprecationWarning");
        out.push(fault::invalid(&place, &warning.into(), &fault));
    }
}

fn versions_together(versions: &[Value], is_given: bool, out: &mut Vec<Cause>) {
    let place = SPEC.field("versions");
    let names: Vec<String> = versions.iter().map(|version| text(version, "name")).collect();
    let shown = if is_given { go::versions(versions) } else { "null".to_owned() };
    if (0..names.len()).any(|at| names[..at].contains(&names[at])) {
        out.push(fault::invalid_as(&place, Some(&shown), "must contain unique version names"));
    }
    let stored = versions.iter().filter(|v| v.get("storage") == Some(&json!(true))).count();
    if stored != 1 {
        let why = "must have exactly one version marked as storage version";
        out.push(fault::invalid_as(&place, Some(&shown), why));
    }
    // An empty one is told of where it stands.
    if let Some(first) = names.first().filter(|name| !name.is_empty()) {
        let faults = names::label_1035(first);
        if !faults.is_empty() {
            let place = SPEC.field("version");
            out.push(fault::invalid(&place, &first.as_str().into(), &faults.join(",")));
        }
    }
}

fn of_names(spec: &Value, out: &mut Vec<Cause>) {
    let place = SPEC.field("names");
    let given = spec.get("names").unwrap_or(&Value::Null);
    for key in ["plural", "singular", "kind", "listKind"] {
        if text(given, key).is_empty() {
            out.push(fault::required(&place.field(key), ""));
        }
    }
    for key in ["plural", "singular", "kind", "listKind"] {
        let name = text(given, key);
        let mixed = matches!(key, "kind" | "listKind");
        let faults = names::label_1035(&if mixed { name.to_lowercase() } else { name.clone() });
        if !name.is_empty() && !faults.is_empty() {
            let lead = "may have mixed case, but should otherwise match: ";
            let why = format!("{}{}", if mixed { lead } else { "" }, faults.join(","));
            out.push(fault::invalid(&place.field(key), &name.into(), &why));
        }
    }
    let labels = |key: &str, out: &mut Vec<Cause>| {
        for (at, name) in texts(given, key).into_iter().enumerate() {
            let faults = names::label_1035(&name);
            if !faults.is_empty() {
                let place = place.field(key);
                out.push(fault::invalid(&place.index(at), &name.into(), &faults.join(",")));
            }
        }
    };
    labels("shortNames", out);
    let kind = text(given, "kind");
    if !kind.is_empty() && kind == text(given, "listKind") {
        let why = "kind and listKind may not be the same";
        out.push(fault::invalid(&place.field("listKind"), &kind.into(), why));
    }
    labels("categories", out);
}

/// What all versions say alike.
fn top_level(versions: &[Value], is_unchanged: bool, out: &mut Vec<Cause>) {
    let has_status =
        versions.iter().any(|v| v.pointer("/subresources/status").is_some_and(Value::is_object));
    let root = common(versions, "/schema").and_then(|schema| schema.get("openAPIV3Schema"));
    if let Some(root) = root.filter(|root| root.is_object()) {
        schema(&SPEC.field("validation"), root, (has_status, is_unchanged), out);
    }
    if let Some(value) = common(versions, "/subresources") {
        parts::subresources(&SPEC.field("subresources"), value, out);
    }
    if let Some(columns) = common(versions, "/additionalPrinterColumns").and_then(Value::as_array) {
        parts::columns(&SPEC.field("additionalPrinterColumns"), columns, out);
    }
    if let Some(version) =
        versions.first().filter(|_| common(versions, "/selectableFields").is_some())
    {
        let root = Node::read(root.unwrap_or(&Value::Null));
        parts::selectable(&SPEC.field("selectableFields"), version, &root, out);
    }
}

/// What may stand at the root of a schema whose status is validated by itself.
const AT_ROOT: [&str; 22] = [
    "description",
    "type",
    "format",
    "title",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "multipleOf",
    "required",
    "items",
    "properties",
    "externalDocs",
    "example",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

fn schema(
    path: &Path,
    root: &Value,
    (has_status, is_unchanged): (bool, bool),
    out: &mut Vec<Cause>,
) {
    let place = path.field("openAPIV3Schema");
    let before = out.len();
    if has_status {
        let ty = text(root, "type");
        let keys = root.as_object().into_iter().flat_map(|map| map.keys());
        let strange = keys.into_iter().any(|key| !AT_ROOT.contains(&key.as_str()));
        if !ty.is_empty() && ty != "object" {
            let why = "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
            let place = path.field("openAPIV3Schema.type");
            out.push(fault::invalid(&place, &ty.into(), why));
        } else if strange {
            let why = "only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled";
            out.push(fault::invalid(&place, root, why));
        }
    }
    if root.get("nullable") == Some(&json!(true)) {
        let why = "nullable cannot be true at the root";
        out.push(fault::forbidden(&path.field("openAPIV3Schema.nullable"), why));
    }
    if has_dialect(root) {
        let why = "OpenAPIV3Schema 'schema' is not supported";
        out.push(fault::invalid(&place, &"".into(), why));
    }
    // What has parts that are not supported cannot be looked at for its structure.
    let unreadable = has_unsupported(root);
    let mut structure = if unreadable { Vec::new() } else { structural::check(&place, root) };
    if structure.is_empty() && !unreadable {
        structure = defaults::check(&place, &Node::read(root));
    }
    let sound = structure.is_empty() && !unreadable;
    out.append(&mut structure);
    out.extend(open_api::check(&place, root, sound, is_unchanged));
    debug_assert!(!unreadable || out.len() > before, "what is not supported is told");
}

/// Whether a part of a schema names the dialect that it is written in.
fn has_dialect(schema: &Value) -> bool {
    let Some(map) = schema.as_object() else { return false };
    map.iter().any(|(key, below)| match key.as_str() {
        "$schema" => below.as_str().is_some_and(|text| !text.is_empty()),
        "properties" => {
            below.as_object().into_iter().flatten().any(|(_, below)| has_dialect(below))
        }
        "items" | "not" | "additionalProperties" => has_dialect(below),
        "allOf" | "anyOf" | "oneOf" => below.as_array().into_iter().flatten().any(has_dialect),
        _ => false,
    })
}

/// Whether a schema has a part that no structural schema has.
fn has_unsupported(schema: &Value) -> bool {
    const KEYS: [&str; 7] = [
        "id",
        "$schema",
        "$ref",
        "patternProperties",
        "dependencies",
        "additionalItems",
        "definitions",
    ];
    let Some(map) = schema.as_object() else { return false };
    let filled = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    };
    KEYS.iter().any(|key| map.get(key).is_some_and(filled))
        || map.get("items").is_some_and(Value::is_array)
        || map.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(false))
        || ["items", "not", "additionalProperties"]
            .iter()
            .any(|key| map.get(key).is_some_and(has_unsupported))
        || ["allOf", "anyOf", "oneOf"]
            .iter()
            .any(|key| list(schema, key).iter().any(has_unsupported))
        || map
            .get("properties")
            .and_then(Value::as_object)
            .is_some_and(|properties| properties.values().any(has_unsupported))
}

fn conversion(spec: &Value, out: &mut Vec<Cause>) {
    let Some(conversion) = spec.get("conversion").filter(|value| value.is_object()) else { return };
    let place = SPEC.field("conversion");
    let strategy = text(conversion, "strategy");
    one_of(&place.field("strategy"), &strategy, &["None", "Webhook"], out);
    let config = conversion.pointer("/webhook/clientConfig").filter(|config| config.is_object());
    let webhook = conversion.get("webhook").unwrap_or(&Value::Null);
    let versions = texts(webhook, "conversionReviewVersions");
    let (at_config, at_versions) =
        (place.field("webhookClientConfig"), place.field("conversionReviewVersions"));
    if strategy != "Webhook" {
        let why = "should not be set when strategy is not set to Webhook";
        if config.is_some() {
            out.push(fault::forbidden(&at_config, why));
        }
        if !versions.is_empty() {
            out.push(fault::forbidden(&at_versions, why));
        }
        return;
    }
    match config {
        None => out.push(fault::required(&at_config, "required when strategy is set to Webhook")),
        Some(config) => match (config.get("url"), config.get("service")) {
            (None, Some(service)) => {
                let place = at_config.field("service");
                // Upstream names the other of the two.
                for (field, told) in [("name", "namespace"), ("namespace", "name")] {
                    if text(service, field).is_empty() {
                        out.push(fault::required(&place.field(told), ""));
                    }
                }
            }
            (Some(_), None) => out.extend(https(&at_config, config)),
            _ => {
                let why = "exactly one of url or service is required";
                out.push(fault::required(&at_config, why));
            }
        },
    }
    if versions.is_empty() {
        out.push(fault::required(&at_versions, ""));
    } else if !versions.iter().any(|version| matches!(version.as_str(), "v1" | "v1beta1")) {
        let why = "must include at least one of v1, v1beta1";
        out.push(fault::invalid(&at_versions, &versions.into(), why));
    }
}

fn https(path: &Path, config: &Value) -> Option<Cause> {
    let url = config.get("url").and_then(Value::as_str)?;
    let scheme = url.split("://").next().unwrap_or_default();
    let why = "'https' is the only allowed URL scheme; desired format: https://host[/path]";
    (scheme != "https").then(|| fault::invalid(&path.field("url"), &scheme.into(), why))
}
