//! The way of a request through the server, in process. Answers of a real server are compared in
//! `tests/it/rest.rs`.

use super::*;
use crate::api::{EventKind, Payload, Reason};
use crate::object::json;

fn configmaps() -> Gvr {
    Gvr::new("", "v1", "configmaps")
}

fn configmap(name: &str) -> Object {
    let value = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}});
    Object::from_value(value).unwrap()
}

fn server() -> Server {
    Server::new(&Rng::new(1))
}

fn send(server: &mut Server, request: &Request) -> Response {
    server.handle(Time::VIRTUAL_START, 1, 1, request).response
}

#[test]
fn a_cluster_begins_with_its_namespaces_and_its_own_service() {
    let server = server();
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        assert!(server.peek(&Gvr::new("", "v1", "namespaces"), "", name).is_some(), "{name}");
    }
    assert!(server.peek(&Gvr::new("", "v1", "services"), "default", "kubernetes").is_some());
}

#[test]
fn an_object_is_created_read_changed_and_deleted() {
    let mut server = server();
    let created = send(&mut server, &Request::create(configmaps(), "default", configmap("a")));
    assert_eq!(created.code, 201, "{created:?}");
    let mut object = Object::clone(created.as_object().unwrap());
    assert_eq!(object.uid().len(), 36);
    object.set(&["data", "a"], "2".into());
    let changed = send(&mut server, &Request::update(configmaps(), "default", "a", object.clone()));
    assert!(changed.as_object().unwrap().revision() > object.revision());
    let stale = send(&mut server, &Request::update(configmaps(), "default", "a", object));
    assert_eq!(stale.as_status().unwrap().reason, Reason::Conflict);
    let deleted = send(&mut server, &Request::delete(configmaps(), "default", "a"));
    assert!(deleted.as_status().unwrap().is_success());
    let gone = send(&mut server, &Request::get(configmaps(), "default", "a"));
    assert_eq!(gone.as_status().unwrap().reason, Reason::NotFound);
}

#[test]
fn a_watch_hears_of_what_others_write() {
    let mut server = server();
    let watch = Request::watch(configmaps(), "default", "0");
    let opened = server.handle(Time::VIRTUAL_START, 7, 3, &watch);
    assert_eq!(opened.response.payload, Payload::Watching);
    let create = Request::create(configmaps(), "default", configmap("a"));
    let handled = server.handle(Time::VIRTUAL_START, 1, 1, &create);
    let told: Vec<_> = handled.deliveries.iter().map(|d| (d.client, d.id, d.event.kind)).collect();
    assert_eq!(told, [(7, 3, EventKind::Added)]);
    server.drop_client(7);
    let delete = Request::delete(configmaps(), "default", "a");
    assert!(server.handle(Time::VIRTUAL_START, 1, 1, &delete).deliveries.is_empty());
}

#[test]
fn a_status_write_leaves_spec_and_generation_alone() {
    let mut server = server();
    let deployments = Gvr::new("apps", "v1", "deployments");
    let value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}});
    let object = Object::from_value(value).unwrap();
    send(&mut server, &Request::create(deployments.clone(), "default", object));
    let live = server.peek(&deployments, "default", "d").unwrap();
    let mut object = Object::clone(live);
    object.set(&["spec", "replicas"], 5.into());
    object.set(&["status", "replicas"], 1.into());
    let put = Request::update(deployments, "default", "d", object).subresource("status");
    let answer = send(&mut server, &put);
    let written = answer.as_object().unwrap();
    assert_eq!(written.int(&["spec", "replicas"]), Some(1));
    assert_eq!(written.int(&["status", "replicas"]), Some(1));
    assert_eq!(written.generation(), 1);
}

#[test]
fn an_idle_server_needs_no_ticks() {
    let mut server = server();
    let start = Time::VIRTUAL_START;
    server.handle(start, 7, 3, &Request::watch(configmaps(), "default", "0"));
    let due = server.next_tick().unwrap();
    assert_eq!(server.tick(due).deliveries.len(), 1);
    assert_eq!(server.next_tick(), None);
}
