//! Caches in, requests out.

use super::*;
use crate::api::{Response, Status};
use crate::base::Time;
use crate::sim::controllers::kinds::{REPLICA_SET, gvr};
use crate::sim::controllers::plan::Asked;
use crate::sim::controllers::trial::Trial;

/// An object by kind and name (also its uid), owned by `owners` (`ReplicaSet/a`), with more
/// metadata.
fn object(kind: &str, name: &str, owners: &[&str], more: &Value) -> Value {
    let group = if kind == "Pod" { "v1" } else { "apps/v1" };
    let mut object = json!({"apiVersion": group, "kind": kind,
        "metadata": {"name": name, "namespace": "n", "uid": name, "resourceVersion": "5"}});
    let references: Vec<Value> = owners
        .iter()
        .map(|owner| {
            let (kind, name) = owner.split_once('/').unwrap();
            let group = if kind == "Pod" { "v1" } else { "apps/v1" };
            json!({"apiVersion": group, "kind": kind, "name": name, "uid": name,
                "blockOwnerDeletion": true})
        })
        .collect();
    object["metadata"]["ownerReferences"] = references.into();
    if let Value::Object(more) = more {
        for (key, value) in more {
            object["metadata"][key] = value.clone();
        }
    }
    object
}

fn plan(objects: &[Value], uid: &str, asked: &[Asked]) -> String {
    let trial = Trial::of(sync, "", uid, Time::VIRTUAL_START);
    let plan = Trial { asked, ..trial }.plan(objects);
    let call = |call: &Call| {
        let r = &call.request;
        let mut text = format!("{} {}", r.verb_name(), r.name.as_deref().unwrap_or_default());
        if let Some(propagation) = r.options.delete.propagation {
            text.push_str(&format!(" {propagation:?}"));
        }
        if let Some(body) = &r.body {
            let metadata = &body["metadata"];
            for part in ["finalizers", "ownerReferences"] {
                if let Some(list) = metadata[part].as_array() {
                    text.push_str(&format!(" {part}={}", list.len()));
                }
            }
        }
        text
    };
    let batches = plan.batches.iter().map(|b| b.iter().map(call).collect::<Vec<_>>().join(", "));
    batches.collect::<Vec<_>>().join("; ")
}

fn answer(name: &str, response: Response) -> Asked {
    Asked { request: Request::get(gvr(REPLICA_SET), "n", name), response: Arc::new(response) }
}

fn deleting(finalizer: &str) -> Value {
    json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [finalizer]})
}

#[test]
fn an_owner_that_is_not_cached_is_asked_for_before_anything_is_deleted() {
    let pod = [object("Pod", "p", &["ReplicaSet/a"], &Value::Null)];
    assert_eq!(plan(&pod, "p", &[]), "get a");
    let gone = answer("a", Status::not_found(&gvr(REPLICA_SET), "a").into());
    assert_eq!(plan(&pod, "p", &[gone]), "delete p Background");
    let there = |uid: &str| {
        let mut set = object("ReplicaSet", "a", &[], &Value::Null);
        set["metadata"]["uid"] = uid.into();
        answer("a", Response::object(200, Arc::new(Object::from_value(set).unwrap())))
    };
    assert_eq!(plan(&pod, "p", &[there("a")]), "");
    assert_eq!(plan(&pod, "p", &[there("other")]), "delete p Background");
}

#[test]
fn with_one_owner_left_only_the_dangling_reference_goes() {
    let pod = object("Pod", "p", &["ReplicaSet/a", "ReplicaSet/b"], &Value::Null);
    let set = object("ReplicaSet", "b", &[], &Value::Null);
    let gone = answer("a", Status::not_found(&gvr(REPLICA_SET), "a").into());
    assert_eq!(plan(&[pod, set], "p", &[gone]), "patch p ownerReferences=1");
}

#[test]
fn foreground_deletion_goes_down_the_tree_and_the_owner_waits_for_what_blocks_it() {
    let d = object("Deployment", "d", &[], &deleting(FOREGROUND));
    let set = object("ReplicaSet", "a", &["Deployment/d"], &Value::Null);
    let pod = object("Pod", "p", &["ReplicaSet/a"], &Value::Null);
    let all = [d.clone(), set, pod];
    assert_eq!(plan(&all, "d", &[]), "");
    assert_eq!(plan(&all, "a", &[]), "delete a Foreground");
    assert_eq!(plan(&all, "p", &[]), "");
    assert_eq!(plan(&[d], "d", &[]), "patch d finalizers=0");
}

#[test]
fn orphaning_releases_the_dependents_and_then_the_owner() {
    let d = object("Deployment", "d", &[], &deleting(ORPHAN));
    let set = object("ReplicaSet", "a", &["Deployment/d"], &Value::Null);
    let expected = "patch a ownerReferences=0; patch d finalizers=0";
    assert_eq!(plan(&[d, set], "d", &[]), expected);
}

#[test]
fn an_owner_in_another_namespace_or_of_an_unknown_kind_never_counts_as_there() {
    let mut set = object("ReplicaSet", "a", &[], &Value::Null);
    set["metadata"]["namespace"] = "elsewhere".into();
    let pod = object("Pod", "p", &["ReplicaSet/a"], &Value::Null);
    assert_eq!(plan(&[set, pod], "p", &[]), "delete p Background");
    let pod = object("Pod", "p", &["Unheard/a"], &Value::Null);
    assert_eq!(plan(&[pod], "p", &[]), "", "what is not served is not taken for gone");
}
