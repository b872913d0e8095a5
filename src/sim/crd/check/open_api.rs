//! The rules for each part of a schema beyond structure: what is not supported, lists with keys,
//! sets, and the rules in the expression language.

use super::costs::Costs;
use super::rules::{self, Around};
use crate::api::Cause;
use crate::object::schema::node::{Node, list, text, texts};
use crate::object::{Map, Value, json};
use crate::sim::crd::fault::{self, Path};

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// How a place was reached.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    is_root: bool,
    in_metadata: bool,
    /// Why there may be no defaults.
    no_defaults: Option<&'p str>,
    /// The outermost list whose items cannot be told from each other.
    no_old: Option<&'p Path<'p>>,
    /// Whether rules are compiled.
    rules: bool,
    /// Whether it is the schema of an object of its own.
    is_resource: bool,
    /// How often such a value can be there; `None` where nothing bounds it.
    count_max: Option<u64>,
    /// Whether the whole schema was there before.
    is_unchanged: bool,
}

/// The errors of schemas come before those of rules.
#[derive(Default)]
struct Found {
    schema: Vec<Cause>,
    rules: Vec<Cause>,
    costs: Costs,
}

/// What is wrong with a whole schema; rules are looked at where it is structural.
pub(super) fn check(
    path: &Path,
    schema: &Value,
    is_structural: bool,
    is_unchanged: bool,
) -> Vec<Cause> {
    let mut found = Found::default();
    let place = Place {
        is_root: true,
        in_metadata: false,
        no_defaults: None,
        no_old: None,
        rules: is_structural,
        is_resource: true,
        count_max: Some(1),
        is_unchanged,
    };
    visit(path, schema, place, &mut found);
    found.schema.append(&mut found.rules);
    found.schema.extend(found.costs.total(path));
    found.schema
}

fn visit(path: &Path, schema: &Value, place: Place<'_>, found: &mut Found) {
    let mut here = Found::default();
    supported(path, schema, place, &mut here.schema);
    if schema.get("uniqueItems") == Some(&json!(true)) {
        let why =
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        here.schema.push(fault::forbidden(&path.field("uniqueItems"), why));
    }
    below(path, schema, place, &mut here);
    extensions(path, schema, &mut here.schema);
    keyed(path, schema, &mut here.schema);
    whole_items(path, schema, &mut here.schema);
    let texts = list(schema, "x-kubernetes-validations");
    if !texts.is_empty() {
        let node = Node::read(schema);
        rules::texts(path, &node, &mut here.schema);
        if here.schema.is_empty() && place.rules {
            let around = Around {
                is_resource: place.is_resource,
                no_old: place.no_old,
                count_max: place.count_max,
                is_unchanged: place.is_unchanged,
            };
            rules::compiled(path, &node, &around, &mut here.costs, &mut here.rules);
        }
    }
    found.schema.append(&mut here.schema);
    found.rules.append(&mut here.rules);
    found.costs.append(&mut here.costs);
}

/// How often what lies below can be there for each time that this is.
fn count_below(schema: &Value) -> Option<u64> {
    let most = |key: &str| {
        let most = schema.get(key).and_then(Value::as_i64);
        most.map(|most| u64::try_from(most).unwrap_or(0))
    };
    let has_additional = schema.get("additionalProperties").is_some_and(|of| !of.is_null());
    match text(schema, "type").as_str() {
        "object" if has_additional => most("maxProperties"),
        "array" => most("maxItems"),
        _ => Some(1),
    }
}

/// Everything that lies below.
fn below(path: &Path, schema: &Value, place: Place<'_>, found: &mut Found) {
    let embedded = schema.get("x-kubernetes-embedded-resource") == Some(&json!(true));
    let count_max = count_below(schema).and_then(|n| Some(place.count_max?.saturating_mul(n)));
    let inner = Place { is_root: false, is_resource: false, count_max, ..place };
    let properties = schema.get("properties").and_then(Value::as_object);
    let is_resource_of =
        |schema: &Value| schema.get("x-kubernetes-embedded-resource") == Some(&json!(true));
    if let Some(additional) = schema.get("additionalProperties") {
        let at = path.field("additionalProperties");
        let closed = *additional == json!(false) || additional.is_object();
        if closed && properties.is_some_and(|p| !p.is_empty()) {
            let why = "additionalProperties and properties are mutual exclusive";
            found.schema.push(fault::forbidden(&at, why));
        }
        if additional.is_object() {
            let reason = "inside additionalProperties applying to object metadata";
            let no_defaults = if place.in_metadata { Some(reason) } else { place.no_defaults };
            let is_resource = is_resource_of(additional);
            visit(&at, additional, Place { no_defaults, is_resource, ..inner }, found);
        }
    }
    for (key, property) in properties.into_iter().flatten() {
        let own = matches!(key.as_str(), "metadata" | "kind" | "apiVersion");
        let in_metadata = place.in_metadata || (own && (place.is_root || embedded));
        let reason = format!("in top-level {key}");
        let no_defaults =
            if own && place.is_root { Some(reason.as_str()) } else { place.no_defaults };
        let is_resource = is_resource_of(property);
        let inner = Place { in_metadata, no_defaults, is_resource, ..inner };
        visit(&path.field("properties").key(key), property, inner, found);
    }
    let nested = Place { rules: false, ..inner };
    if let Some(not) = schema.get("not").filter(|not| not.is_object()) {
        visit(&path.field("not"), not, nested, found);
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        for (at, below) in list(schema, key).iter().enumerate() {
            visit(&path.field(key).index(at), below, nested, found);
        }
    }
    if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
        let keyed = text(schema, "x-kubernetes-list-type") == "map";
        let no_old = if keyed { place.no_old } else { place.no_old.or(Some(path)) };
        let is_resource = is_resource_of(items);
        visit(&path.field("items"), items, Place { no_old, is_resource, ..inner }, found);
    }
}

/// What schemas of definitions do not have.
fn supported(path: &Path, schema: &Value, place: Place<'_>, out: &mut Vec<Cause>) {
    let ty = text(schema, "type");
    if !ty.is_empty() && !TYPES.contains(&ty.as_str()) {
        let types = TYPES.map(str::to_owned);
        out.push(fault::unsupported(&path.field("type"), &ty.as_str().into(), &types));
    }
    if let Some(reason) = place.no_defaults.filter(|_| schema.get("default").is_some()) {
        let why = format!("must not be set {reason}");
        out.push(fault::forbidden(&path.field("default"), &why));
    }
    let is_full = |key: &str| match schema.get(key) {
        None | Some(Value::Null) => false,
        Some(Value::Object(map)) => key == "additionalItems" || !map.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    for key in ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"]
    {
        if is_full(key) {
            let why = format!("{key} is not supported");
            out.push(fault::forbidden(&path.field(key), &why));
        }
    }
    if ty == "null" {
        let why = "type cannot be set to null, use nullable as an alternative";
        out.push(fault::forbidden(&path.field("type"), why));
    }
    if schema.get("items").is_some_and(Value::is_array) {
        let why = "items must be a schema object and not an array";
        out.push(fault::forbidden(&path.field("items"), why));
    }
    if place.in_metadata && schema.get("x-kubernetes-embedded-resource") == Some(&json!(true)) {
        let why = "must not be used inside of resource meta";
        out.push(fault::forbidden(&path.field("x-kubernetes-embedded-resource"), why));
    }
}

/// What the extensions of Kubernetes ask of the type.
fn extensions(path: &Path, schema: &Value, out: &mut Vec<Cause>) {
    let ty = text(schema, "type");
    let open = "x-kubernetes-preserve-unknown-fields";
    if schema.get(open) == Some(&json!(false)) {
        let why = "must be true or undefined";
        out.push(fault::invalid(&path.field(open), &false.into(), why));
    }
    let mut wants = |key: &str, wanted: &str, words: &[&str]| {
        let Some(found) = schema.get(key).and_then(Value::as_str) else { return };
        if ty != wanted {
            let why = format!("must be {wanted} if {key} is specified");
            let place = path.field("type");
            out.push(match ty.as_str() {
                "" => fault::required(&place, &why),
                ty => fault::invalid(&place, &ty.into(), &why),
            });
        } else if key == "x-kubernetes-list-type" && found == "set" {
            out.extend(set_of_parts(path, schema));
        }
        if !words.contains(&found) {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            out.push(fault::unsupported(&path.field(key), &found.into(), &words));
        }
    };
    wants("x-kubernetes-map-type", "object", &["atomic", "granular"]);
    wants("x-kubernetes-list-type", "array", &["atomic", "set", "map"]);
}

/// Items of a set are compared as wholes.
fn set_of_parts(path: &Path, schema: &Value) -> Option<Cause> {
    let items = schema.get("items").filter(|items| items.is_object())?;
    let list_type = items.get("x-kubernetes-list-type").and_then(Value::as_str);
    let map_type = items.get("x-kubernetes-map-type").and_then(Value::as_str);
    let why = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let place = path.field("items");
    let shown = list_type.map_or(Value::Null, Value::from);
    match text(items, "type").as_str() {
        "array" if list_type.is_some_and(|ty| ty != "atomic") => {
            Some(fault::invalid(&place.field("x-kubernetes-list-type"), &shown, why))
        }
        "object" if map_type != Some("atomic") => {
            Some(fault::invalid(&place.field("x-kubernetes-map-type"), &shown, why))
        }
        _ => None,
    }
}

/// Lists whose items have keys.
fn keyed(path: &Path, schema: &Value, out: &mut Vec<Cause>) {
    let keys = texts(schema, "x-kubernetes-list-map-keys");
    let ty = schema.get("x-kubernetes-list-type").and_then(Value::as_str);
    if !keys.is_empty() && ty != Some("map") {
        let why = "must be map if x-kubernetes-list-map-keys is non-empty";
        let place = path.field("x-kubernetes-list-type");
        out.push(match ty {
            None => fault::required(&place, why),
            Some(ty) => fault::invalid(&place, &ty.into(), why),
        });
    }
    if ty != Some("map") {
        return;
    }
    let at_keys = path.field("x-kubernetes-list-map-keys");
    if keys.is_empty() {
        let why = "must not be empty if x-kubernetes-list-type is map";
        out.push(fault::required(&at_keys, why));
    }
    let at_items = path.field("items");
    let Some(items) = schema.get("items") else {
        let why = "must have a schema if x-kubernetes-list-type is map";
        out.push(fault::required(&at_items, why));
        return;
    };
    let item_type = text(items, "type");
    if item_type != "object" {
        let why = "must be object if parent array's x-kubernetes-list-type is map";
        out.push(fault::invalid(&at_items.field("type"), &item_type.into(), why));
        return;
    }
    for (at, key) in keys.iter().enumerate() {
        let shown = Value::from(keys.clone());
        match items.get("properties").and_then(|properties| properties.get(key)) {
            Some(property) if matches!(text(property, "type").as_str(), "array" | "object") => {
                let place = at_items.field("properties");
                let why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
                let place = place.key(key);
                out.push(fault::invalid(&place.field("type"), &"object".into(), why));
            }
            Some(_) => {}
            None => {
                let why = "entries must all be names of item properties";
                out.push(fault::invalid(&at_keys, &shown, why));
            }
        }
        if keys[..at].contains(key) {
            let why = "must not contain duplicate entries";
            out.push(fault::invalid(&at_keys, &shown, why));
        }
    }
}

/// Items of sets and of lists with keys are there, and so are their keys.
fn whole_items(path: &Path, schema: &Value, out: &mut Vec<Cause>) {
    let ty = text(schema, "x-kubernetes-list-type");
    let Some(items) = schema.get("items").filter(|items| items.is_object()) else { return };
    if !matches!(ty.as_str(), "set" | "map") {
        return;
    }
    let place = path.field("items");
    if items.get("nullable") == Some(&json!(true)) {
        let why = format!("cannot be nullable when x-kubernetes-list-type is {ty}");
        out.push(fault::forbidden(&place.field("nullable"), &why));
    }
    if ty != "map" {
        return;
    }
    let required = texts(items, "required");
    let none = Map::new();
    let properties = items.get("properties").and_then(Value::as_object).unwrap_or(&none);
    for key in texts(schema, "x-kubernetes-list-map-keys") {
        let Some(property) = properties.get(&key) else { continue };
        let place = place.field("properties");
        let place = place.key(&key);
        let has_default = property.get("default").is_some_and(|default| !default.is_null());
        if !required.contains(&key) && !has_default {
            let why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            out.push(fault::required(&place.field("default"), why));
        }
        if property.get("nullable") == Some(&json!(true)) {
            let why = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            out.push(fault::forbidden(&place.field("nullable"), why));
        }
    }
}
