//! What is kept of foreign writes, and what counts as lost.

use std::sync::Arc;

use super::*;
use crate::api::{PatchKind, Request, Response};
use crate::object::json;

const MAPS: Gvr = Gvr::new("", "v1", "configmaps");

fn object(uid: &str, data: Value) -> Object {
    let value = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
        "metadata": {"name": "a", "namespace": "n", "uid": uid}});
    Object::from_value(value).unwrap()
}

/// A patch with this body that makes the object this.
fn patch(body: Value, after: &Object) -> Handled {
    let request = Request::patch(MAPS, "n", "a", PatchKind::Merge, body);
    let response = Response::object(200, Arc::new(after.clone()));
    Handled {
        client: 100,
        id: 0,
        request: Box::new(request),
        code: 200,
        response: Arc::new(response),
        wrote: true,
    }
}

/// What is lost of `{data: {x: 1}}` written from outside when `then` happens and the object is
/// `live` at the end.
fn lost(then: impl FnOnce(&mut Kept), live: &Object) -> usize {
    let mut kept = Kept::default();
    let first = object("u", json!({"x": "1"}));
    kept.written(&patch(json!({"data": {"x": "1"}}), &first));
    then(&mut kept);
    kept.lost(|_, _, _| Some(live)).len()
}

#[test]
fn what_somebody_wrote_and_nobody_renders_is_to_stay() {
    let there = object("u", json!({"x": "1", "y": "2"}));
    let changed = object("u", json!({"x": "2"}));
    let gone = object("u", json!({"y": "2"}));
    assert_eq!(lost(|_| {}, &there), 0);
    assert_eq!(lost(|_| {}, &changed), 1);
    assert_eq!(lost(|_| {}, &gone), 1);
    assert_eq!(lost(|_| {}, &object("v", json!({}))), 0, "another object of that name");
}

#[test]
fn what_was_written_again_or_is_rendered_is_nobody_elses() {
    let changed = object("u", json!({"x": "2"}));
    let write = |data: Value| patch(json!({ "data": data }), &changed);
    assert_eq!(lost(|kept| kept.written(&write(json!({"x": "2"}))), &changed), 0);
    assert_eq!(lost(|kept| kept.engine_wrote(&write(json!({"x": "2"}))), &changed), 0);
    assert_eq!(lost(|kept| kept.engine_wrote(&write(json!({"y": "2"}))), &changed), 1);
    assert_eq!(lost(|kept| kept.cluster_wrote(&write(json!({}))), &changed), 0);
}
