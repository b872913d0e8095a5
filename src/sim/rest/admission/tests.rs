//! Admission where no controller helps. What a real server answers is compared in
//! `tests/it/admission.rs`.

use crate::api::{Request, Response};
use crate::base::{Rng, Time};
use crate::object::{Gvr, Object, Value, json};
use crate::sim::rest::Server;

fn create(server: &mut Server, gvr: &Gvr, value: Value) -> Response {
    let object = Object::from_value(value).unwrap();
    let request = Request::create(gvr.clone(), "default", object);
    server.handle(Time::VIRTUAL_START, 1, 1, &request).response
}

#[test]
fn a_server_without_a_quota_controller_counts_for_itself() {
    let mut server = Server::new(&Rng::new(1));
    let (quotas, maps) = (Gvr::new("", "v1", "resourcequotas"), Gvr::new("", "v1", "configmaps"));
    let map = |name: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name } });
    assert!(create(&mut server, &maps, map("first")).is_ok());
    let quota = json!({ "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "q" },
        "spec": { "hard": { "configmaps": "2" } } });
    assert!(create(&mut server, &quotas, quota).is_ok());
    let used = |server: &Server| {
        let quota = server.peek(&quotas, "default", "q").unwrap();
        quota.text(&["status", "used", "configmaps"]).unwrap_or_default().to_owned()
    };
    assert_eq!(used(&server), "1");
    assert!(create(&mut server, &maps, map("second")).is_ok());
    assert_eq!(used(&server), "2");
    let refused = create(&mut server, &maps, map("third"));
    assert_eq!(refused.code, 403, "{refused:?}");
    let delete = Request::delete(maps.clone(), "default", "first");
    assert!(server.handle(Time::VIRTUAL_START, 1, 1, &delete).response.is_ok());
    assert_eq!(used(&server), "1");
    assert!(create(&mut server, &maps, map("third")).is_ok());
}

#[test]
fn a_webhook_that_nobody_calls_is_one_that_cannot_be_reached() {
    let mut server = Server::new(&Rng::new(1));
    let configurations =
        Gvr::new("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations");
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration", "metadata": { "name": "c" },
        "webhooks": [{ "name": "w.example.com", "admissionReviewVersions": ["v1"],
            "sideEffects": "None", "clientConfig": { "url": "https://hooks.example/w" },
            "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                "resources": ["configmaps"] }] }],
    });
    let object = Object::from_value(configuration).unwrap();
    let request = Request::create(configurations, "", object);
    assert!(server.handle(Time::VIRTUAL_START, 1, 1, &request).response.is_ok());
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } });
    let refused = create(&mut server, &Gvr::new("", "v1", "configmaps"), map);
    let text = "Internal error occurred: failed calling webhook \"w.example.com\": failed to call webhook: Post \"https://hooks.example/w?timeout=10s\": this server calls no webhooks";
    assert_eq!(refused.as_status().map(|status| status.message.as_str()), Some(text));
}
