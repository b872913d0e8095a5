//! What OpenAPI says of custom resources: their schemas, out of the definition's, and their paths.

use std::collections::BTreeMap;

use super::schema::{self, properties_mut};
use super::table::{Edition, Table};
use crate::object::{Key, Map, Value, json};
use crate::sim::rest::discovery::catalog::{Custom, Served, Version};

const TYPES: &str = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
const RESOURCES: &str =
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
const METADATA: &str =
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// Adds the path items of the custom resources of a version.
pub(super) fn paths(
    table: &Table,
    edition: Edition,
    version: &Version,
    paths: &mut BTreeMap<String, String>,
) {
    for (served, _) in customs(version) {
        let info = &*served.info;
        let (tag, id) = tag_and_id(&info.gvk.group, &info.gvk.version);
        let [own, list] = names(served);
        for row in table.custom.iter().filter(|row| row.namespaced == info.namespaced) {
            let subresource = row.path.rsplit_once("{name}/").map(|(_, name)| name);
            if subresource.is_some_and(|name| !info.has_subresource(name)) {
                continue;
            }
            let path = row.path.replace('*', &info.gvr.plural);
            let path = format!("/apis/{}/{}/{path}", info.gvk.group, info.gvk.version);
            let [kind, group, version] = [&*info.gvk.kind, &info.gvk.group, &info.gvk.version];
            let words = [kind, &tag, &id, group, version, &own, &list];
            table.custom_item(edition, row, words, paths.entry(path).or_default());
        }
    }
}

/// Adds the schemas of the custom resources of a version and of lists of them.
pub(super) fn schemas(edition: Edition, version: &Version, schemas: &mut BTreeMap<String, String>) {
    for (served, custom) in customs(version) {
        let [own, list] = names(served);
        schema::write(
            edition,
            &kind_schema(edition, served, custom),
            schemas.entry(own.clone()).or_default(),
        );
        schema::write(
            edition,
            &list_schema(edition, served, &own),
            schemas.entry(list).or_default(),
        );
    }
}

fn customs(version: &Version) -> impl Iterator<Item = (&Served, &Custom)> {
    version.kinds.iter().filter_map(|served| Some((served, served.custom.as_ref()?)))
}

/// The names of the schemas of a kind and of its list: the group's words turned round.
fn names(served: &Served) -> [String; 2] {
    let info = &*served.info;
    let words: Vec<&str> = info.gvk.group.rsplit('.').collect();
    let own = |kind: &str| format!("{}.{}.{kind}", words.join("."), info.gvk.version);
    [own(&info.gvk.kind), own(&info.list_kind)]
}

/// `zooExampleOrg_v1` and `ZooExampleOrgV1`.
fn tag_and_id(group: &str, version: &str) -> (String, String) {
    let capital = |word: &str| -> String {
        let mut chars = word.chars();
        chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect()
    };
    let words = || group.strip_suffix(".k8s.io").unwrap_or(group).split(['.', '-']);
    let id: String = words().map(capital).collect();
    let first = words().next().unwrap_or_default();
    let tag = format!("{first}{}_{version}", &id[first.len()..]);
    (tag, id + &capital(version))
}

fn reference(edition: Edition, name: &str, description: &str) -> Value {
    match edition {
        Edition::V3 => json!({
            "description": description,
            "allOf": [{ "$ref": format!("#/components/schemas/{name}") }],
        }),
        Edition::V2 => json!({
            "description": description,
            "$ref": format!("#/definitions/{name}"),
        }),
    }
}

/// The schema of the kind: the definition's, with what every object has.
fn kind_schema(edition: Edition, served: &Served, custom: &Custom) -> Value {
    let mut schema = custom.schema.clone();
    let is_free = schema["x-kubernetes-preserve-unknown-fields"] == true;
    // A client would take what is told of an object for all that it may have.
    if schema.is_null() || (edition == Edition::V2 && is_free) {
        schema = json!({ "type": "object" });
    } else if let Value::Object(map) = &mut schema {
        tidy(edition, map);
        let metadata = format!("Standard object's metadata. More info: {METADATA}");
        let metadata = reference(edition, &format!("{META}.ObjectMeta"), &metadata);
        map.remove("x-kubernetes-embedded-resource");
        embed(edition, map);
        set_property(map, "metadata", metadata);
        add_type_meta(map);
    }
    if let Value::Object(map) = &mut schema {
        let gvk = &served.info.gvk;
        map.insert(
            "x-kubernetes-group-version-kind".to_owned(),
            gvk_list(gvk.group.as_ref(), &gvk.version, &gvk.kind),
        );
    }
    schema
}

fn list_schema(edition: Edition, served: &Served, own: &str) -> Value {
    let info = &*served.info;
    let item = match edition {
        Edition::V3 => format!("#/components/schemas/{own}"),
        Edition::V2 => format!("#/definitions/{own}"),
    };
    let metadata = format!("Standard list metadata. More info: {TYPES}");
    let mut schema = json!({
        "type": "object",
        "description": format!("{} is a list of {}", info.list_kind, info.gvk.kind),
        "required": ["items"],
        "properties": {
            "items": {
                "type": "array",
                "items": { "$ref": item },
                "description": format!("List of {}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md", info.gvr.plural),
            },
            "metadata": reference(edition, &format!("{META}.ListMeta"), &metadata),
        },
        "x-kubernetes-group-version-kind": gvk_list(&info.gvk.group, &info.gvk.version, &info.list_kind),
    });
    schema.as_object_mut().into_iter().for_each(add_type_meta);
    schema
}

fn gvk_list(group: &str, version: &str, kind: &str) -> Value {
    json!([{ "group": group, "kind": kind, "version": version }])
}

fn set_property(map: &mut Map, name: &str, schema: Value) {
    let properties = map.entry("properties").or_insert_with(|| json!({}));
    properties.as_object_mut().into_iter().for_each(|properties| {
        properties.insert(name.to_owned(), schema.clone());
    });
}

fn add_type_meta(map: &mut Map) {
    let version = format!(
        "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: {RESOURCES}"
    );
    let kind = format!(
        "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: {TYPES}"
    );
    set_property(map, "apiVersion", json!({ "type": "string", "description": version }));
    set_property(map, "kind", json!({ "type": "string", "description": kind }));
}

/// Says of what is a whole object within this one that it has type and metadata.
fn embed(edition: Edition, map: &mut Map) {
    properties_mut(map).filter_map(Value::as_object_mut).for_each(|map| embed(edition, map));
    for nested in ["items", "additionalProperties"] {
        let nested = map.get_mut(nested).and_then(Value::as_object_mut);
        nested.into_iter().for_each(|map| embed(edition, map));
    }
    let is = |flag: &str| map.get(flag) == Some(&Value::Bool(true));
    if !is("x-kubernetes-embedded-resource")
        || (edition == Edition::V2 && is("x-kubernetes-preserve-unknown-fields"))
    {
        return;
    }
    let version = format!(
        "apiVersion defines the versioned schema of this representation of an object. More info: {RESOURCES}"
    );
    let kind = format!(
        "kind is a string value representing the type of this object. In CamelCase. More info: {TYPES}"
    );
    let metadata = format!("Standard object's metadata. More info: {METADATA}");
    set_property(map, "apiVersion", json!({ "type": "string", "description": version }));
    set_property(map, "kind", json!({ "type": "string", "description": kind }));
    set_property(map, "metadata", reference(edition, &format!("{META}.ObjectMeta"), &metadata));
    let required = map.entry("required").or_insert_with(|| json!([]));
    for name in ["kind", "apiVersion"] {
        let list = required.as_array_mut().into_iter();
        list.filter(|list| !list.iter().any(|n| n == name)).for_each(|list| list.push(name.into()));
    }
}

/// Takes out what the edition has no place for, here and below, and what says nothing.
fn tidy(edition: Edition, map: &mut Map) {
    let is_set = |value: &Value| !matches!(value, Value::Null | Value::Bool(false)) && value != "";
    map.retain(|name, value| name == "default" || is_set(value));
    if edition == Edition::V2 {
        tidy_v2(map);
    } else if map.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true))
        && !map.contains_key("anyOf")
        && !map.contains_key("allOf")
    {
        map.insert("anyOf".to_owned(), json!([{ "type": "integer" }, { "type": "string" }]));
    }
    let nested = ["items", "additionalProperties"];
    for name in nested {
        let nested = map.get_mut(name).and_then(Value::as_object_mut);
        nested.into_iter().for_each(|map| tidy(edition, map));
    }
    properties_mut(map).filter_map(Value::as_object_mut).for_each(|map| tidy(edition, map));
}

/// What kubectl's reader of version 2 cannot cope with is left untyped.
fn tidy_v2(map: &mut Map) {
    for name in ["allOf", "oneOf", "anyOf", "not", "default"] {
        map.remove(name);
    }
    let nullable = map.remove("nullable").is_some();
    let free = map.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    if nullable || free {
        map.remove("items");
        map.remove("properties");
    }
    let ty = map.get("type").and_then(Value::as_str);
    let is_bare_list = ty == Some("array") && !map.contains_key("items");
    if nullable || is_bare_list || (free && ty == Some("object")) {
        map.remove("type");
    }
    let is_nullable = |schema: &Value| schema["nullable"] == true;
    let properties = map.get("properties").and_then(Value::as_object).into_iter().flatten();
    let optional: Vec<Key> = properties
        .filter(|(_, schema)| is_nullable(schema))
        .map(|(name, _)| name.clone())
        .collect();
    let none_is_required = map.get("additionalProperties").is_some_and(is_nullable);
    if let Some(Value::Array(required)) = map.get_mut("required") {
        required.retain(|name| !none_is_required && !optional.iter().any(|o| *name == **o));
        if required.is_empty() {
            map.remove("required");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_names_tags_and_operations() {
        let expect = ("zooExampleOrg_v1".to_owned(), "ZooExampleOrgV1".to_owned());
        assert_eq!(tag_and_id("zoo.example.org", "v1"), expect);
        let expect = ("clusterXK8sIo_v1".to_owned(), "ClusterXK8sIoV1".to_owned());
        assert_eq!(tag_and_id("cluster.x-k8s.io", "v1"), expect);
        let expect =
            ("gatewayNetworking_v1beta1".to_owned(), "GatewayNetworkingV1beta1".to_owned());
        assert_eq!(tag_and_id("gateway.networking.k8s.io", "v1beta1"), expect);
    }

    #[test]
    fn version_2_leaves_untyped_what_may_be_null_or_anything() {
        let Value::Object(mut map) = json!({"type": "object", "required": ["a", "b"], "properties": {
            "a": {"type": "string", "nullable": true, "default": "x"},
            "b": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {}},
        }}) else {
            unreachable!()
        };
        tidy(Edition::V2, &mut map);
        let expect = json!({"type": "object", "required": ["b"], "properties": {
            "a": {}, "b": {"x-kubernetes-preserve-unknown-fields": true}}});
        assert_eq!(Value::Object(map), expect);
    }
}
