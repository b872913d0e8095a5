//! Whether a schema is structural: every value has one type, and what stands in `allOf` and the
//! like only narrows it.

use crate::api::Cause;
use crate::object::schema::node::{list, text};
use crate::object::{Key, Value, json};
use crate::sim::crd::fault::{self, Path};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// What is wrong, sorted as upstream sorts it.
pub(super) fn check(path: &Path, schema: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    invariants(path, schema, Level::Root, &mut causes);
    complete(path, schema, schema, &mut causes);
    causes.sort_by_cached_key(|cause| format!("{}: {}", cause.field, cause.message));
    causes
}

fn flag(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn has_properties(schema: &Value) -> bool {
    schema.get("properties").and_then(Value::as_object).is_some_and(|p| !p.is_empty())
}

const OPEN: &str = "x-kubernetes-preserve-unknown-fields";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";

fn invariants(path: &Path, schema: &Value, level: Level, out: &mut Vec<Cause>) {
    let ty = text(schema, "type");
    if ty == "array"
        && !schema.get("items").is_some_and(|items| items.is_object() || items.is_array())
    {
        out.push(fault::required(&path.field("items"), "must be specified"));
    }
    if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
        invariants(&path.field("items"), items, Level::Item, out);
    }
    for (key, below) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        invariants(&path.field("properties").key(key), below, Level::Field, out);
    }
    if let Some(additional) = schema.get("additionalProperties") {
        let place = path.field("additionalProperties");
        if level == Level::Root {
            out.push(fault::forbidden(&place, "must not be used at the root"));
        }
        if additional.is_object() {
            invariants(&place, additional, Level::Field, out);
        }
    }
    extensions(path, schema, out);
    let alternatives = json!([{"type": "integer"}, {"type": "string"}]);
    let skip_any = schema.get("anyOf") == Some(&alternatives);
    let skip_first = schema.pointer("/allOf/0/anyOf") == Some(&alternatives);
    junctions(path, schema, skip_any, skip_first, out);
    types(path, schema, level, out);
    metadata(path, schema, level, out);
    if flag(schema, EMBEDDED) && !flag(schema, OPEN) && !has_properties(schema) {
        let why = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
        out.push(fault::required(&path.field("properties"), why));
    }
}

fn extensions(path: &Path, schema: &Value, out: &mut Vec<Cause>) {
    if !flag(schema, INT_OR_STRING) {
        return;
    }
    for key in [OPEN, EMBEDDED] {
        if flag(schema, key) {
            let why = "must be false if x-kubernetes-int-or-string is true";
            out.push(fault::invalid(&path.field(key), &true.into(), why));
        }
    }
}

fn types(path: &Path, schema: &Value, level: Level, out: &mut Vec<Cause>) {
    let ty = text(schema, "type");
    let place = path.field("type");
    let embedded = flag(schema, EMBEDDED);
    if embedded && ty != "object" {
        let why = "must be object if x-kubernetes-embedded-resource is true";
        out.push(match ty.as_str() {
            "" => fault::required(&place, why),
            ty => fault::invalid(&place, &ty.into(), why),
        });
    } else if ty.is_empty() && !flag(schema, INT_OR_STRING) && !flag(schema, OPEN) {
        let what = match level {
            Level::Root => "at the root",
            Level::Item => "for specified array items",
            Level::Field => "for specified object fields",
        };
        out.push(fault::required(&place, &format!("must not be empty {what}")));
    }
    if embedded && schema.get("additionalProperties").is_some() {
        let why = "must not be used if x-kubernetes-embedded-resource is set";
        out.push(fault::forbidden(&path.field("additionalProperties"), why));
    }
    if level == Level::Root && !ty.is_empty() && ty != "object" {
        out.push(fault::invalid(&place, &ty.into(), "must be object at the root"));
    }
}

/// What a schema may say of the type and the metadata of an object.
fn metadata(path: &Path, schema: &Value, level: Level, out: &mut Vec<Cause>) {
    let is_resource = level == Level::Root || flag(schema, EMBEDDED);
    let property = |key: &str| schema.get("properties").and_then(|p| p.get(key));
    let properties = path.field("properties");
    for key in ["kind", "apiVersion"] {
        let wrong = property(key).filter(|p| is_resource && text(p, "type") != "string");
        if let Some(found) = wrong {
            let place = properties.key(key);
            let ty = Value::from(text(found, "type"));
            out.push(fault::invalid(&place.field("type"), &ty, "must be string"));
        }
    }
    let Some(metadata) = property("metadata") else { return };
    let place = properties.key("metadata");
    if is_resource && text(metadata, "type") != "object" {
        let ty = Value::from(text(metadata, "type"));
        out.push(fault::invalid(&place.field("type"), &ty, "must be object"));
    }
    if level == Level::Root && !restricts_names_alone(metadata) {
        let why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        out.push(fault::forbidden(&place, why));
    }
}

fn restricts_names_alone(metadata: &Value) -> bool {
    let Some(map) = metadata.as_object() else { return true };
    let properties = map.get("properties").and_then(Value::as_object);
    let is_name = |key: &Key| key == "name" || key == "generateName";
    properties.is_none_or(|p| p.keys().all(is_name))
        && map.keys().all(|key| matches!(key.as_str(), "type" | "default" | "properties"))
}

fn junctions(path: &Path, schema: &Value, skip_any: bool, skip_first: bool, out: &mut Vec<Cause>) {
    for key in ["anyOf", "allOf", "oneOf"] {
        if key == "anyOf" && skip_any {
            continue;
        }
        for (at, below) in list(schema, key).iter().enumerate() {
            let skip = key == "allOf" && at == 0 && skip_first;
            nested(&path.field(key).index(at), below, skip, out);
        }
    }
    if let Some(not) = schema.get("not").filter(|not| not.is_object()) {
        nested(&path.field("not"), not, false, out);
    }
    let pattern = text(schema, "pattern");
    if let Some(error) = regex::Regex::new(&pattern).err().filter(|_| !pattern.is_empty()) {
        let why = format!(
            "must be a valid regular expression, but isn't: error parsing regexp: {}",
            regex_fault(&pattern, &error)
        );
        out.push(fault::invalid(&path.field("pattern"), &pattern.into(), &why));
    }
}

/// Why a pattern is none, in Go's words where they are known.
fn regex_fault(pattern: &str, error: &regex::Error) -> String {
    let text = error.to_string();
    if text.contains("unclosed group") {
        format!("missing closing ): `{pattern}`")
    } else if let Some(at) = pattern.find("(?=").or_else(|| pattern.find("(?!")) {
        format!("invalid or unsupported Perl syntax: `{}`", &pattern[at..at + 3])
    } else if text.contains("unclosed character class") {
        format!("missing closing ]: `{pattern}`")
    } else {
        text.lines().last().unwrap_or_default().to_owned()
    }
}

/// Values for which a key of a nested schema counts as not given.
fn is_given(schema: &Value, key: &str) -> bool {
    schema.get(key).is_some_and(|value| match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    })
}

const FORBIDDEN: [(&str, &str); 12] = [
    ("type", "empty"),
    ("additionalProperties", "undefined"),
    ("default", "undefined"),
    ("title", "empty"),
    ("description", "empty"),
    ("nullable", "false"),
    (OPEN, "false"),
    (EMBEDDED, "false"),
    (INT_OR_STRING, "false"),
    ("x-kubernetes-list-map-keys", "empty"),
    ("x-kubernetes-list-type", "undefined"),
    ("x-kubernetes-map-type", "undefined"),
];

fn nested(path: &Path, schema: &Value, skip_any: bool, out: &mut Vec<Cause>) {
    junctions(path, schema, skip_any, false, out);
    if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
        nested(&path.field("items"), items, false, out);
    }
    for (key, below) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        nested(&path.field("properties").key(key), below, false, out);
    }
    for (key, what) in FORBIDDEN.iter().filter(|(key, _)| is_given(schema, key)) {
        let why = format!("must be {what} to be structural");
        out.push(fault::forbidden(&path.field(key), &why));
    }
    if is_given(schema, "x-kubernetes-validations") {
        let why = "must be empty to be structural";
        out.push(fault::forbidden(&path.field("x-kubernetes-validations"), why));
    }
    if schema.pointer("/properties/metadata").is_some() {
        let place = path.field("properties");
        let why = "must not be specified in a nested context";
        out.push(fault::forbidden(&place.key("metadata"), why));
    }
}

/// What stands in junctions must be specified outside of them. Upstream looks at those of the root
/// alone.
fn complete(path: &Path, schema: &Value, outside: &Value, out: &mut Vec<Cause>) {
    for key in ["anyOf", "allOf", "oneOf"] {
        for (at, below) in list(schema, key).iter().enumerate() {
            covered(&path.field(key).index(at), below, outside, path, out);
        }
    }
    if let Some(not) = schema.get("not").filter(|not| not.is_object()) {
        covered(&path.field("not"), not, outside, path, out);
    }
}

/// A nested schema speaks of fields that the outer one has.
fn covered(path: &Path, nested: &Value, outside: &Value, at: &Path, out: &mut Vec<Cause>) {
    for key in ["anyOf", "allOf", "oneOf"] {
        for (i, below) in list(nested, key).iter().enumerate() {
            covered(&path.field(key).index(i), below, outside, at, out);
        }
    }
    if let Some(items) = nested.get("items").filter(|items| items.is_object()) {
        match outside.get("items").filter(|items| items.is_object()) {
            Some(own) => covered(&path.field("items"), items, own, &at.field("items"), out),
            None => missing(&at.field("items"), &path.field("items"), out),
        }
    }
    for (key, below) in nested.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let place = path.field("properties");
        let own = outside.get("properties").and_then(|p| p.get(key));
        let outer = at.field("properties");
        match own {
            Some(own) => covered(&place.key(key), below, own, &outer.key(key), out),
            None => missing(&outer.key(key), &place.key(key), out),
        }
    }
}

fn missing(at: &Path, because: &Path, out: &mut Vec<Cause>) {
    out.push(fault::required(at, &format!("because it is defined in {because}")));
}
