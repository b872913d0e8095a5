//! What a kube-apiserver makes by itself besides: cluster roles and bindings, flow control, API
//! services, its own endpoints (R-STO-15).
//!
//! `table.jsonl` holds them, generated from a real server by `scripts/bootstrap`; it is read only
//! when somebody asks for them, because no virtual run needs them.

use super::{Endpoint, create, send};
use crate::api::Request;
use crate::base::Time;
use crate::object::{Key, Name, Object, Value, schema};
use crate::sim::rest::Server;

const TABLE: &str = include_str!("table.jsonl");

/// Makes what is missing.
pub(super) fn fill(server: &mut Server, now: Time, endpoint: &Endpoint) {
    for line in TABLE.lines() {
        let Ok(mut entry) = serde_json::from_str::<Value>(line) else {
            debug_assert!(false, "a line of the table is JSON: {line}");
            continue;
        };
        put_in(&mut entry, now, endpoint);
        let data = entry.pointer_mut("/object/data/requestheader-client-ca-file");
        if let Some(ca) = data {
            *ca = endpoint.front_proxy_ca.clone().into();
        }
        make(server, now, entry);
    }
}

fn make(server: &mut Server, now: Time, mut entry: Value) {
    let manager = entry["by"].as_str().map(ToOwned::to_owned);
    let status = entry["status"].take();
    let Ok(mut object) = Object::from_value(entry["object"].take()) else { return };
    if object.kind() == "ConfigMap"
        && let Some(Value::Object(data)) = object.0.get_mut("data")
    {
        // Without a CA for proxies or for clients there is nothing to tell of them.
        let has_proxies = data.get("requestheader-client-ca-file").is_some_and(|ca| *ca != "");
        let told = |key: &Key| has_proxies || !key.starts_with("requestheader-");
        data.retain(|key, value| told(key) && *value != "");
    }
    let Some(info) = schema::builtin().kinds().find(|kind| {
        kind.gvk.kind == object.kind() && kind.gvk.api_version() == object.api_version()
    }) else {
        return;
    };
    let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
    let (version, kind) = (object.api_version().to_owned(), object.kind().to_owned());
    let gvr = info.gvr.clone();
    if !create(server, now, gvr.clone(), &namespace, object, manager) || !status.is_object() {
        return;
    }
    let by = status["by"].as_str().map(ToOwned::to_owned);
    let mut body = Object::default();
    body.set(&["apiVersion"], version.into());
    body.set(&["kind"], kind.into());
    body.set(&["metadata", "name"], name.clone().into());
    body.set(&["status", "conditions"], status["conditions"].clone());
    match by {
        Some(manager) => {
            let status = body.0.get_mut("status");
            if let Some(Value::Array(conditions)) = status.and_then(|s| s.get_mut("conditions")) {
                let given = |_: &Key, value: &mut Value| *value != "";
                let maps = conditions.iter_mut().filter_map(Value::as_object_mut);
                maps.for_each(|condition| condition.retain(given));
            }
            let body = std::sync::Arc::new(body.into_value());
            let apply = Request::apply(gvr, &namespace, &name, Name::Owned(manager), body);
            send(server, now, &apply.subresource("status"));
        }
        // Such a status is nobody's: it was there when the object was stored.
        None => {
            let resource = crate::sim::store::Resource { group: gvr.group, plural: gvr.plural };
            let key = crate::sim::store::Key::new(&namespace, &name);
            if let Some(live) = server.store.get(&resource, &key) {
                let mut object = Object::clone(live);
                object.set(&["status", "conditions"], body.0["status"]["conditions"].clone());
                server.store.put(&resource, key, object);
            }
        }
    }
}

/// Puts the time and the place for their marks.
fn put_in(value: &mut Value, now: Time, endpoint: &Endpoint) {
    match value {
        Value::Object(map) => map.values_mut().for_each(|v| put_in(v, now, endpoint)),
        Value::Array(list) => list.iter_mut().for_each(|v| put_in(v, now, endpoint)),
        Value::String(text) => match text.as_str() {
            "@now" => *value = now.rfc3339().into(),
            "@day" => *value = now.rfc3339()[..10].into(),
            "@address" => *value = endpoint.address.clone().into(),
            "@port" => *value = endpoint.port.into(),
            "@ca" => *value = endpoint.client_ca.clone().into(),
            _ => {}
        },
        _ => {}
    }
}
