//! The simulated cluster in the process: the store by itself, and the API server's shortest ways.

use std::sync::Arc;

use towtank::api::Request;
use towtank::base::{Rng, Time};
use towtank::object::{Gvr, Object, Value, json};
use towtank::sim::Server;
use towtank::sim::store::{Filter, Key, Resource, Since, Store, Watch};

use super::measure::{Each, Work, lap};

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

/// `size` creates through the API server, before one watch; timed is each from when it is handed in
/// to its answer and its event, right is each whose event is there with the answer.
pub(crate) fn write_to_event(size: usize, seed: u64) -> Work {
    written(size, seed, 1)
}

/// The same for updates of one ConfigMap, as the API server's bench over HTTPS has them.
pub(crate) fn update_to_event(size: usize, seed: u64) -> Work {
    let (mut server, now) = (watched_server(seed, 1), Time::VIRTUAL_START);
    let create = Request::create(CONFIG_MAPS, "default", config_map(0, 0));
    assert_eq!(server.handle(now, 2, 0, &create).response.code, 201, "the map is made");
    let update = |n| Request::update(CONFIG_MAPS, "default", "map-0", config_map(0, n + 1));
    let updates: Vec<Request> = (0..size).map(update).collect();
    heard(server, updates, 1)
}

/// Creates before a thousand watches, all of which are to hear.
pub(crate) fn watched(size: usize, seed: u64) -> Work {
    written(size, seed, 1_000)
}

fn written(size: usize, seed: u64, watches: u64) -> Work {
    let create = |n| Request::create(CONFIG_MAPS, "default", config_map(n, n));
    heard(watched_server(seed, watches), (0..size).map(create).collect(), watches)
}

/// A server with so many watches of the ConfigMaps.
fn watched_server(seed: u64, watches: u64) -> Server {
    let mut server = Server::new(&Rng::new(seed));
    let from = server.revision().to_string();
    let watch = Request::watch(CONFIG_MAPS, "default", &from);
    for id in 0..watches {
        let opened = server.handle(Time::VIRTUAL_START, 1, id, &watch).response.code;
        assert_eq!(opened, 200, "the watch is open");
    }
    server
}

/// Hands in the writes one by one; right is each that all watches hear of.
fn heard(mut server: Server, writes: Vec<Request>, watches: u64) -> Work {
    Box::new(Each(move |laps: &mut Vec<u64>| {
        let mut right = 0;
        for write in &writes {
            let (took, told) = lap(|| server.handle(Time::VIRTUAL_START, 2, 1, write).deliveries);
            laps.push(took);
            right += usize::from(u64::try_from(told.len()) == Ok(watches));
        }
        right
    }))
}

/// A ConfigMap of about 1 kB.
fn config_map(number: usize, content: usize) -> Object {
    let text = format!("{content:0>1000}");
    let value: Value = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": format!("map-{number}"), "namespace": "default"},
        "data": {"text": text}});
    Object::from_value(value).unwrap_or_default()
}
