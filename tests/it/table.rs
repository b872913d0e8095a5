//! Tables and metadata, held to those that a real server made of the same objects (R-HTTP-17 to
//! R-HTTP-20).

#![expect(clippy::unwrap_used, reason = "a record that cannot be read fails the test")]
#![expect(clippy::print_stderr, reason = "skips are told")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use towtank::api::{EventKind, List, PatchKind, Payload, Request, WatchEvent};
use towtank::base::{Rng, Time};
use towtank::object::{Gvr, Key, Map, Name, Object, Value, json};
use towtank::sim::Server;
use towtank::sim::rest::table::{Include, Transform};

const CLIENT: u32 = 1;
const CUSTOM_RESOURCE_DEFINITIONS: Gvr =
    Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions");

fn define(server: &mut Server, definition: &Object) {
    let mut object = definition.clone();
    object.remove(&["metadata", "resourceVersion"]);
    let status = json!({ "status": object.at(&["status"]) });
    let name = object.name().to_owned();
    let create = Request::create(CUSTOM_RESOURCE_DEFINITIONS, "", object);
    let answer = server.handle(Time::VIRTUAL_START, CLIENT, 1, &create).response;
    assert!(answer.is_ok(), "{name}: {:?}", answer.payload);
    let update = Request::patch(CUSTOM_RESOURCE_DEFINITIONS, "", &name, PatchKind::Merge, status);
    server.handle(Time::VIRTUAL_START, CLIENT, 2, &update.subresource("status"));
}

fn object(value: &Value) -> Arc<Object> {
    Arc::new(Object::from_value(value.clone()).unwrap())
}

/// Every key at which two values differ.
fn differences(path: &str, expected: &Value, found: &Value, out: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: Vec<&Key> = a.keys().chain(b.keys().filter(|k| !a.contains_key(k))).collect();
            for key in keys {
                let (a, b) = (a.get(key), b.get(key));
                let absent = Value::from("(absent)");
                differences(
                    &format!("{path}.{key}"),
                    a.unwrap_or(&absent),
                    b.unwrap_or(&absent),
                    out,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{i}]"), a, b, out);
            }
        }
        _ if expected == found => {}
        _ => out.push(format!("{path}: {found}, expected {expected}")),
    }
}

/// R-HTTP-18, and R-HTTP-19 for pods in every state.
#[test]
fn rows_are_those_of_a_real_server() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/table/rows.jsonl");
    let mut server = Server::new(&Rng::new(1));
    let mut report = String::new();
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let [group, version, plural] = [0, 1, 2].map(|i| {
            let parts = record["resource"].as_array().unwrap();
            Name::Owned(parts[i].as_str().unwrap().to_owned())
        });
        let gvr = Gvr { group, version, plural };
        let object = object(&record["object"]);
        if gvr == CUSTOM_RESOURCE_DEFINITIONS {
            define(&mut server, &object);
        }
        let now = Time::from_micros(record["second"].as_u64().unwrap() * 1_000_000);
        let name = format!("{gvr} {}", object.name());
        let table = server.as_table(&gvr, &Payload::Object(object), Include::None, now);
        let mut expected = Map::new();
        expected.insert("cells".to_owned(), record["cells"].clone());
        expected.insert("object".to_owned(), Value::Null);
        if let Some(conditions) = record.get("conditions") {
            expected.insert("conditions".to_owned(), conditions.clone());
        }
        let mut found = Vec::new();
        differences("row", &Value::Object(expected), &table["rows"][0], &mut found);
        if !found.is_empty() {
            let _ = writeln!(report, "{name}\n    {}", found.join("\n    "));
        }
    }
    assert!(report.is_empty(), "wrong:\n{report}");
}

/// The dump of a real server, where there is one.
fn dump() -> Option<PathBuf> {
    let shared = std::env::var("TOWTANK_SHARED")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let tables = shared.join("schema/tables");
    if tables.is_dir() {
        return Some(tables);
    }
    eprintln!("skipped: no dump of a real server at {}", tables.display());
    None
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The resource that a file `plural.group.json` is of.
fn resource(file: &str, items: &Value) -> Gvr {
    let (plural, group) = file.split_once('.').unwrap_or((file, ""));
    let version = items["apiVersion"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    Gvr {
        group: Name::Owned(group.to_owned()),
        version: Name::Owned(version),
        plural: Name::Owned(plural.to_owned()),
    }
}

/// The objects of a list as they are kept: each says what it is.
fn items(list: &Value) -> Vec<Arc<Object>> {
    let kind = list["kind"].as_str().unwrap().strip_suffix("List").unwrap();
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            let mut item = Object::from_value(item.clone()).unwrap();
            item.set(&["kind"], kind.into());
            item.set(&["apiVersion"], list["apiVersion"].clone());
            Arc::new(item)
        })
        .collect()
}

/// A list whose items are those of the rows of a recorded table.
fn list_of(table: &Value, all: &[Arc<Object>]) -> Payload {
    let rows = table["rows"].as_array().unwrap().iter();
    let key = |object: &Value| {
        (object["metadata"]["namespace"].clone(), object["metadata"]["name"].clone())
    };
    let items = rows.map(|row| {
        let same = |o: &&Arc<Object>| key(&(***o).clone().into_value()) == key(&row["object"]);
        let mut object = Object::clone(all.iter().find(same).unwrap());
        // The table was made a moment before, and metadata may be newer in the list.
        object.set(&["metadata"], row["object"]["metadata"].clone());
        Arc::new(object)
    });
    let metadata = &table["metadata"];
    Payload::List(List {
        kind: "X".into(),
        api_version: "v1".to_owned(),
        revision: metadata["resourceVersion"].as_str().unwrap().parse().unwrap(),
        continue_token: metadata["continue"].as_str().map(str::to_owned),
        remaining: metadata["remainingItemCount"].as_u64(),
        items: items.collect(),
    })
}

/// The dump does not say when a table was made: some moment within minutes of its newest object
/// must give the ages in it.
fn at_some_moment(newest: Time, differs: impl Fn(Time) -> Vec<String>) -> Vec<String> {
    let moments = (0..6_000).map(|tenths| newest + Duration::from_millis(100 * tenths));
    let mut least: Option<Vec<String>> = None;
    for found in moments.map(differs) {
        if least.as_ref().is_none_or(|least| found.len() < least.len()) {
            let done = found.is_empty();
            least = Some(found);
            if done {
                break;
            }
        }
    }
    least.unwrap_or_default()
}

fn newest(objects: &[Arc<Object>]) -> Time {
    let times = objects.iter().filter_map(|o| o.text(&["metadata", "creationTimestamp"]));
    // Of no object any moment will do.
    times.filter_map(Time::parse_rfc3339).max().unwrap_or(Time::VIRTUAL_START)
}

/// R-HTTP-18: columns and rows of every kind.
#[test]
fn tables_are_those_of_the_dump() {
    let Some(tables) = dump() else { return };
    let mut server = Server::new(&Rng::new(1));
    for definition in
        items(&read(&tables.join("objects/customresourcedefinitions.apiextensions.k8s.io.json")))
    {
        define(&mut server, &definition);
    }
    let mut report = String::new();
    let mut files: Vec<_> =
        std::fs::read_dir(tables.join("objects")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let list = read(&file);
        let (gvr, all) = (resource(&name, &list), items(&list));
        for form in ["list", "get"] {
            let path = tables.join(format!("{name}.{form}.json"));
            if !path.is_file() {
                continue;
            }
            let table = read(&path);
            let payload = match (list_of(&table, &all), form) {
                (Payload::List(list), "get") => Payload::Object(Arc::clone(&list.items[0])),
                (payload, _) => payload,
            };
            let found = at_some_moment(newest(&all), |now| {
                let ours = server.as_table(&gvr, &payload, Include::Metadata, now);
                let mut found = Vec::new();
                differences("table", &table, &ours, &mut found);
                found
            });
            if !found.is_empty() {
                let _ = writeln!(report, "{name} {form}\n    {}", found.join("\n    "));
            }
        }
    }
    assert!(report.is_empty(), "wrong:\n{report}");
}

#[test]
fn forms_of_a_table_of_pods_are_those_of_the_dump() {
    let Some(tables) = dump() else { return };
    let server = Server::new(&Rng::new(1));
    let all = items(&read(&tables.join("objects/pods.json")));
    let gvr = Gvr::new("", "v1", "pods");
    for (form, include) in
        [("None", Include::None), ("Metadata", Include::Metadata), ("Object", Include::Object)]
    {
        let table = read(&tables.join(format!("variants/pods.includeObject-{form}.json")));
        let name = &table["rows"][0]["cells"][0];
        let pod = all.iter().find(|pod| *name == pod.name()).unwrap();
        let mut pod = Object::clone(pod);
        if let Some(shown) = table["rows"][0]["object"].as_object().filter(|o| o["kind"] == "Pod") {
            pod = Object(shown.clone());
        }
        let Payload::List(mut list) =
            list_of(&json!({"metadata": table["metadata"], "rows": []}), &all)
        else {
            unreachable!()
        };
        list.items.push(Arc::new(pod));
        let payload = Payload::List(list);
        let found = at_some_moment(newest(&all), |now| {
            let mut found = Vec::new();
            differences(
                "table",
                &table,
                &server.as_table(&gvr, &payload, include, now),
                &mut found,
            );
            found
        });
        assert_eq!(found, Vec::<String>::new(), "{form}");
    }
    let partial = read(&tables.join("variants/pods.PartialObjectMetadata.json"));
    assert_eq!(server.as_partial(&Payload::Object(object(&partial))), partial);
    let partials = read(&tables.join("variants/pods.PartialObjectMetadataList.json"));
    let rows: Vec<Value> = partials["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| json!({ "object": item }))
        .collect();
    let list = list_of(&json!({"metadata": partials["metadata"], "rows": rows}), &all);
    assert_eq!(server.as_partial(&list), partials);
}

#[test]
fn a_watch_says_its_columns_in_the_first_event() {
    let Some(tables) = dump() else { return };
    let server = Server::new(&Rng::new(1));
    let all = items(&read(&tables.join("objects/pods.json")));
    let gvr = Gvr::new("", "v1", "pods");
    let text = std::fs::read_to_string(tables.join("variants/pods.watch.jsonl")).unwrap();
    for (i, line) in text.lines().enumerate() {
        let table = serde_json::from_str::<Value>(line).unwrap()["object"].clone();
        let Payload::List(list) = list_of(&table, &all) else { unreachable!() };
        let event = WatchEvent { kind: EventKind::Added, object: Arc::clone(&list.items[0]) };
        let found = at_some_moment(newest(&all), |now| {
            let mut found = Vec::new();
            let ours = server.as_table_event(&gvr, &event, Include::Metadata, now, i == 0);
            differences("table", &table, &ours, &mut found);
            found
        });
        assert_eq!(found, Vec::<String>::new(), "{i}");
    }
}

#[test]
fn a_form_that_does_not_fit_is_refused_and_a_beta_form_says_so() {
    let server = Server::new(&Rng::new(1));
    let gvr = Gvr::new("", "v1", "namespaces");
    let object =
        object(&json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "a"}}));
    let one = Payload::Object(Arc::clone(&object));
    let ask = |accept: &str, payload: &Payload| {
        let transform = Transform::of(accept, "").unwrap().unwrap();
        server.transformed(&gvr, payload, &transform, Time::VIRTUAL_START)
    };
    let refused =
        ask("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", &one).unwrap_err();
    assert_eq!(
        (refused.code, refused.message.as_str()),
        (
            406,
            "you requested PartialObjectMetadataList, but the requested object is not a list (*core.Namespace)"
        )
    );
    let beta = ask("application/json;as=Table;v=v1beta1;g=meta.k8s.io", &one).unwrap();
    assert_eq!(beta["apiVersion"], "meta.k8s.io/v1beta1");
    assert_eq!(beta["rows"][0]["object"]["apiVersion"], "meta.k8s.io/v1beta1");
}
