//! Kinds that a CustomResourceDefinition adds while the controllers run: their objects are
//! collected with their owners and go with their namespace, like any other.

use std::time::Duration;

use towtank::api::Payload;
use towtank::object::{Gvr, Value, json};

use super::world::World;

const SECOND: Duration = Duration::from_secs(1);
const THINGS: &str = "/apis/g.example.com/v1/namespaces/default/things";

fn thing(name: &str, owner: Option<&Value>) -> Value {
    let mut thing = json!({"apiVersion": "g.example.com/v1", "kind": "Thing",
        "metadata": {"name": name}, "spec": {}});
    if let Some(owner) = owner {
        thing["metadata"]["ownerReferences"] = json!([{
            "apiVersion": owner["apiVersion"], "kind": owner["kind"],
            "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}]);
    }
    thing
}

/// A world with a definition that came after the controllers had started.
fn world() -> World {
    let mut world = World::new(Duration::from_millis(2), None);
    world.run_for(SECOND);
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition", "metadata": {"name": "things.g.example.com"},
        "spec": {"group": "g.example.com", "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"}, "versions": [{"name": "v1",
            "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object",
            "properties": {"spec": {"type": "object"}}}}}]}});
    world.must("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition);
    world.run_for(SECOND);
    world
}

/// Makes an object and gives it back.
fn made(world: &mut World, path: &str, body: &Value) -> Value {
    match world.must("POST", path, body).payload {
        Payload::Object(object) => Value::Object(object.0.clone()),
        other => panic!("no object: {other:?}"),
    }
}

fn is_there(world: &World, name: &str) -> bool {
    world.object(("g.example.com", "things"), name).is_some()
}

#[test]
fn custom_resources_are_collected_with_their_owners() {
    let mut w = world();
    let owner = made(&mut w, THINGS, &thing("owner", None));
    w.must("POST", THINGS, &thing("owned", Some(&owner)));
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}});
    let other = made(&mut w, "/api/v1/namespaces/default/configmaps", &other);
    w.must("POST", THINGS, &thing("of-a-map", Some(&other)));
    w.run_for(5 * SECOND);
    assert!(is_there(&w, "owned") && is_there(&w, "of-a-map"));
    w.must("DELETE", &format!("{THINGS}/owner"), &Value::Null);
    w.must("DELETE", "/api/v1/namespaces/default/configmaps/c", &Value::Null);
    w.run_for(10 * SECOND);
    assert!(!is_there(&w, "owned") && !is_there(&w, "of-a-map"));
}

#[test]
fn custom_resources_go_with_their_namespace() {
    let mut w = world();
    let space = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}});
    w.must("POST", "/api/v1/namespaces", &space);
    let path = "/apis/g.example.com/v1/namespaces/n/things";
    w.must("POST", path, &thing("a", None));
    w.run_for(SECOND);
    w.must("DELETE", "/api/v1/namespaces/n", &Value::Null);
    w.run_for(30 * SECOND);
    let namespaces = Gvr::new("", "v1", "namespaces");
    assert!(w.server.peek(&namespaces, "", "n").is_none(), "the namespace is gone");
    assert_eq!(w.server.all().filter(|object| object.kind() == "Thing").count(), 0);
}
