//! The simulated cluster in the process: the store by itself, and the API server's shortest ways.

use std::sync::Arc;

use towtank::api::Request;
use towtank::base::{Rng, Time};
use towtank::object::{Gvr, Object, Value, json};
use towtank::sim::Server;
use towtank::sim::store::{Filter, Key, Resource, Since, Store, Watch};

use super::measure::Work;

const WATCHES: u64 = 10;
const CONFIG_MAPS: Gvr = Gvr::new("", "v1", "configmaps");

/// `size` writes to the bare store, of a thousand objects, before ten watches; right is each that
/// all watches heard of.
pub(crate) fn store(size: usize, _seed: u64) -> Work {
    let things = Resource { group: "".into(), plural: "things".into() };
    let mut store = Store::default();
    for id in 0..WATCHES {
        let watch = Watch {
            client: 1,
            id,
            filter: Filter::default(),
            bookmarks: false,
            until: None,
            api_version: "v1".into(),
            kind: "Thing".into(),
        };
        store.watch(&things, watch, Since::Later).unwrap_or_else(|error| panic!("{error}"));
    }
    let objects: Vec<Object> = (0..size).map(|n| config_map(n % 1_000, n)).collect();
    Box::new(move || {
        let mut heard = 0;
        for object in objects {
            let key = Key::new("default", object.name());
            store.put(&things, key, object);
            heard += store.take_deliveries().len();
        }
        heard / usize::try_from(WATCHES).unwrap_or(1)
    })
}

/// `size` server-side applies that change nothing; right is each that is answered so.
pub(crate) fn apply_same(size: usize, seed: u64) -> Work {
    let mut server = Server::new(&Rng::new(seed));
    let now = Time::VIRTUAL_START;
    let body = Arc::new(config_map(0, 0).into_value());
    let name = body["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let request = Request::apply(CONFIG_MAPS, "default", &name, "bench".into(), body);
    let first = server.handle(now, 1, 0, &request).response.code;
    assert_eq!(first, 201, "the first apply makes the object");
    Box::new(move || {
        (0..size).filter(|_| server.handle(now, 1, 0, &request).response.code == 200).count()
    })
}

/// `size` creates through the API server, before one watch; right is each whose event is there with
/// the answer.
pub(crate) fn write_to_event(size: usize, seed: u64) -> Work {
    let mut server = Server::new(&Rng::new(seed));
    let now = Time::VIRTUAL_START;
    let from = server.revision().to_string();
    let watch = Request::watch(CONFIG_MAPS, "default", &from);
    let opened = server.handle(now, 1, 0, &watch).response.code;
    assert_eq!(opened, 200, "the watch is open");
    let create = |n| Request::create(CONFIG_MAPS, "default", config_map(n, n));
    let creates: Vec<Request> = (0..size).map(create).collect();
    Box::new(move || {
        let heard = |create: &&Request| server.handle(now, 2, 1, create).deliveries.len() == 1;
        creates.iter().filter(heard).count()
    })
}

/// A ConfigMap of about 1 kB.
fn config_map(number: usize, content: usize) -> Object {
    let text = format!("{content:0>1000}");
    let value: Value = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": format!("map-{number}"), "namespace": "default"},
        "data": {"text": text}});
    Object::from_value(value).unwrap_or_default()
}
