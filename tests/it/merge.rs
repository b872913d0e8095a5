//! Random applies and updates over every form of type, against structured-merge-diff itself.
//!
//! `scripts/baseline-merge` recorded them with the Go library; the schema below is the one there.

#![expect(clippy::unwrap_used, reason = "a recording that cannot be read fails the test")]

use std::fmt::Write as _;
use std::path::Path;

use towtank::base::Time;
use towtank::fields::{self, Applied, ApplyError, Write};
use towtank::object::fieldset::Set;
use towtank::object::schema::{
    Field, Format, GoNames, ListType, MapType, PatchRule, Presence, Relation, Scalar, Schema, Type,
    TypeId,
};
use towtank::object::{Map, Object, Value, json};

const TEXT: TypeId = TypeId(2);
const NUMBER: TypeId = TypeId(3);
const NAMES: TypeId = TypeId(4);
const ATOMS: TypeId = TypeId(5);
const ITEM: TypeId = TypeId(6);
const ITEMS: TypeId = TypeId(7);
const LABELS: TypeId = TypeId(8);
const BLOCK: TypeId = TypeId(9);
const NESTED: TypeId = TypeId(10);
const TABLE: TypeId = TypeId(11);
const ROOT: TypeId = TypeId(12);

fn blank() -> Type {
    Type { name: "".into(), scalar: None, list: None, map: None, format: Format::None }
}

fn scalar(form: Scalar) -> Type {
    Type { scalar: Some(form), ..blank() }
}

fn list(item: TypeId, relation: Relation, keys: &[&'static str]) -> Type {
    let keys = keys.iter().map(|k| (*k).into()).collect();
    Type { list: Some(ListType { item, relation, keys }), ..blank() }
}

fn map_of(item: TypeId, atomic: bool) -> Type {
    Type { map: Some(MapType { fields: vec![].into(), item: Some(item), atomic }), ..blank() }
}

fn fields_of(fields: &[(&'static str, TypeId)]) -> Type {
    let fields: Vec<Field> = fields
        .iter()
        .map(|(name, ty)| Field {
            name: (*name).into(),
            ty: *ty,
            required: false,
            presence: Presence::Pointer,
            patch: PatchRule::default(),
            default: (*name == "port").then(|| 1.into()),
            go: GoNames::default(),
        })
        .collect();
    Type { map: Some(MapType { fields: fields.into(), item: None, atomic: false }), ..blank() }
}

fn schema() -> Schema {
    let mut schema = Schema::new();
    for (id, ty) in [
        (TEXT, scalar(Scalar::String)),
        (NUMBER, scalar(Scalar::Number)),
        (NAMES, list(TEXT, Relation::Set, &[])),
        (ATOMS, list(TEXT, Relation::Atomic, &[])),
        (ITEM, fields_of(&[("name", TEXT), ("port", NUMBER), ("value", TEXT), ("inner", NAMES)])),
        (ITEMS, list(ITEM, Relation::Map, &["name", "port"])),
        (LABELS, map_of(TEXT, false)),
        (BLOCK, map_of(TEXT, true)),
        (NESTED, fields_of(&[("a", TEXT), ("down", NESTED), ("table", TABLE)])),
        (TABLE, map_of(NESTED, false)),
        (
            ROOT,
            fields_of(&[
                ("text", TEXT),
                ("number", NUMBER),
                ("names", NAMES),
                ("atoms", ATOMS),
                ("items", ITEMS),
                ("labels", LABELS),
                ("block", BLOCK),
                ("nested", NESTED),
                ("any", TypeId::DEDUCED),
            ]),
        ),
    ] {
        assert_eq!(schema.add_type(ty), id);
    }
    schema
}

/// The object with its owners as managed fields, and one owner more, so that it counts as tracked.
fn tracked(object: &Value, owners: &Map) -> Object {
    // The library leaves null of an object that lost its last field; ours have metadata.
    let mut object = Object::from_value(object.clone()).unwrap_or_default();
    let entry = |name: &str, operation: &str, fields: &Value| {
        json!({"manager": name, "operation": operation, "apiVersion": "v1",
            "fieldsType": "FieldsV1", "fieldsV1": fields})
    };
    let mut list = vec![entry("nobody", "Update", &json!({"f:nothing": {}}))];
    list.extend(
        owners.iter().map(|(name, fields)| {
            entry(name, if name == "u" { "Update" } else { "Apply" }, fields)
        }),
    );
    object.set(&["metadata", "managedFields"], Value::Array(list));
    object
}

/// An object and its owners, as they are recorded.
fn untracked(mut object: Object) -> (Value, Map) {
    let entries = object.list(&["metadata", "managedFields"]).to_vec();
    object.remove(&["metadata"]);
    let named = entries.iter().filter(|e| e["manager"] != "nobody");
    let owners =
        named.map(|e| (e["manager"].as_str().unwrap().to_owned(), e["fieldsV1"].clone())).collect();
    (object.into_value(), owners)
}

fn disagreement(schema: &Schema, live: &Object, line: &Value) -> Option<String> {
    let reset = Set::new();
    let write = Write {
        manager: line["manager"].as_str().unwrap(),
        api_version: "v1",
        subresource: "",
        now: Time::VIRTUAL_START,
        reset: &reset,
    };
    let body = Object::from_value(line["body"].clone()).unwrap();
    let ours = if line["op"] == "apply" {
        let force = line["force"].as_bool().unwrap();
        match fields::apply(schema, ROOT, Some(live), &body, force, &write) {
            Ok(Applied::Unchanged) => live.clone(),
            Ok(Applied::Changed(object)) => object,
            Err(ApplyError::Conflicts(conflicts)) => {
                let mut found: Vec<String> = conflicts
                    .0
                    .iter()
                    .map(|c| format!("{} {}", c.manager.split('"').nth(1).unwrap(), c.path))
                    .collect();
                found.sort();
                let found = Value::from(found);
                return (found != line["conflicts"])
                    .then(|| format!("ours {found}, real {}", line["conflicts"]));
            }
            Err(other) => return Some(other.to_string()),
        }
    } else {
        let mut new = body;
        fields::update(schema, ROOT, Some(live), &mut new, &write);
        new
    };
    let (object, owners) = untracked(ours);
    let owners = Value::Object(owners);
    let emptied = line["object"].is_null() && object == json!({});
    let same = (emptied || object == line["object"]) && owners == line["owners"];
    (!same).then(|| {
        format!(
            "ours {object} {owners}\n  real {} {} {}",
            line["object"], line["owners"], line["conflicts"]
        )
    })
}

#[test]
fn every_random_write_gives_what_the_go_library_gives() {
    let schema = schema();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/fields/merge.jsonl");
    let (mut report, mut count) = (String::new(), 0);
    let mut live = Object::default();
    for (at, text) in std::fs::read_to_string(file).unwrap().lines().enumerate() {
        let line: Value = serde_json::from_str(text).unwrap();
        if line.get("start").is_some() {
            live = tracked(&json!({}), &Map::new());
        }
        count += 1;
        if let Some(wrong) = disagreement(&schema, &live, &line) {
            let _ = writeln!(report, "--- line {}: {wrong}\n  {}", at + 1, line["body"]);
        }
        if let (Some(object), Some(owners)) = (line.get("object"), line["owners"].as_object()) {
            live = tracked(object, owners);
        }
    }
    assert!(report.is_empty(), "{report}");
    assert!(count >= 320, "only {count}");
}
