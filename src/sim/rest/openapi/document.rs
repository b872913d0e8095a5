//! Puts documents together: paths, and the schemas that they lead to.

use std::collections::{BTreeMap, BTreeSet};

use super::custom;
use super::schema;
use super::table::{Edition, Listed, Table, table};
use crate::object::Value;
use crate::sim::rest::discovery::catalog::{Catalog, Version};

/// Kinds that belong to every group, of which a document lists those that it has to do with.
const OF_ALL_GROUPS: [&str; 2] = [
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent",
];
const GVKS: &str = "\"x-kubernetes-group-version-kind\":[";
const V3_REFERENCE: &str = "\"#/components/schemas/";

/// A v3 document of built-in kinds.
pub(super) fn builtin(listed: &Listed) -> String {
    let table = table();
    let mut paths = BTreeMap::new();
    for row in &listed.rows {
        table.item(Edition::V3, listed, row, paths.entry(row.path.to_owned()).or_default());
    }
    let (group, version) = listed.group_version();
    let needed = needed(table, paths.values().map(String::as_str));
    let schemas = needed.into_iter().map(|name| {
        let schema = table.schemas.get(name).copied().unwrap_or("{}");
        let narrowed = OF_ALL_GROUPS.contains(&name).then(|| narrow(name, schema, group, version));
        (name.to_owned(), narrowed.unwrap_or_else(|| schema.to_owned()))
    });
    v3(table.head_v3, &paths, &schemas.collect(), table.tail_v3)
}

/// The v3 document of a version of custom resources.
pub(super) fn of_custom(version: &Version) -> String {
    let table = table();
    let (mut paths, mut schemas) = (BTreeMap::new(), BTreeMap::new());
    custom::paths(table, Edition::V3, version, &mut paths);
    custom::schemas(Edition::V3, version, &mut schemas);
    let needed = needed(table, paths.values().chain(schemas.values()).map(String::as_str));
    let others: Vec<(String, String)> = needed
        .into_iter()
        .map(|name| {
            let own = table.schemas_custom.get(name).or_else(|| table.schemas.get(name));
            (name.to_owned(), own.map_or_else(String::new, ToString::to_string))
        })
        .collect();
    schemas.extend(others);
    v3(table.head_custom, &paths, &schemas, "{}")
}

fn v3(
    head: &str,
    paths: &BTreeMap<String, String>,
    schemas: &BTreeMap<String, String>,
    tail: &str,
) -> String {
    let mut out = String::with_capacity(64 * 1024);
    out.push_str(head.strip_suffix('}').unwrap_or_default());
    out.push_str(",\"paths\":");
    object(paths, &mut out);
    out.push_str(",\"components\":{");
    let rest = tail.strip_prefix('{').unwrap_or("}");
    if !schemas.is_empty() {
        out.push_str("\"schemas\":");
        object(schemas, &mut out);
        out.push_str(if rest == "}" { "" } else { "," });
    }
    out.push_str(rest);
    out.push('}');
    out
}

/// A JSON object out of written values.
fn object(members: &BTreeMap<String, String>, out: &mut String) {
    out.push('{');
    for (i, (name, value)) in members.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push('"');
        out.push_str(name);
        out.push_str("\":");
        out.push_str(value);
    }
    out.push('}');
}

/// The built-in schemas that texts name, and those that these name.
fn needed<'a>(table: &'a Table, texts: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = texts.collect();
    while let Some(text) = open.pop() {
        for part in text.split(V3_REFERENCE).skip(1) {
            let name = part.split('"').next().unwrap_or_default();
            if let Some((name, schema)) = table.schemas.get_key_value(name)
                && found.insert(*name)
            {
                open.push(schema);
            }
        }
    }
    found
}

/// The schema of a kind of all groups with the core group's and one other.
fn narrow(name: &str, schema: &str, group: &str, version: &str) -> String {
    let kind = name.rsplit('.').next().unwrap_or_default();
    let head = schema.split_once(GVKS).map_or(schema, |(head, _)| head);
    let gvk = |group: &str, version: &str| {
        format!("{{\"group\":\"{group}\",\"kind\":\"{kind}\",\"version\":\"{version}\"}}")
    };
    let other = if group.is_empty() { String::new() } else { format!(",{}", gvk(group, version)) };
    format!("{head}{GVKS}{}{other}]}}", gvk("", "v1"))
}

/// The v2 document in two parts, paths and definitions, each written as JSON.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) paths: BTreeMap<String, String>,
    pub(super) definitions: BTreeMap<String, String>,
}

/// The parts of the v2 document.
pub(super) fn v2_parts(catalog: &Catalog) -> Parts {
    let table = table();
    let mut parts = Parts::default();
    for listed in &table.documents {
        for row in &listed.rows {
            let item = parts.paths.entry(row.path.to_owned()).or_default();
            table.item(Edition::V2, listed, row, item);
        }
    }
    for (name, text) in &table.schemas {
        let mut schema: Value = serde_json::from_str(text).unwrap_or_default();
        schema::to_v2(&mut schema);
        schema::write(
            Edition::V2,
            &schema,
            parts.definitions.entry((*name).to_owned()).or_default(),
        );
    }
    for version in catalog.groups().iter().flat_map(|group| &group.versions) {
        custom::paths(table, Edition::V2, version, &mut parts.paths);
        custom::schemas(Edition::V2, version, &mut parts.definitions);
    }
    parts
}

/// The v2 document as JSON.
pub(super) fn v2_json(parts: &Parts) -> String {
    let table = table();
    let mut out = String::with_capacity(2_500_000);
    out.push_str(table.head_v2.strip_suffix('}').unwrap_or_default());
    out.push_str(",\"paths\":");
    object(&parts.paths, &mut out);
    out.push_str(",\"definitions\":");
    object(&parts.definitions, &mut out);
    out.push(',');
    out.push_str(table.tail_v2.strip_prefix('{').unwrap_or("}"));
    // This document alone comes from an encoder that does not escape for HTML.
    out.replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0026", "&")
}
