//! Webhooks with scripted answers: whom a server asks, what it sends, and what answers come to.
//! The texts of failures are those of kube-apiserver 1.36 (R-FLT-16).

#![expect(clippy::unwrap_used, reason = "a step that does not work fails the test")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use towtank::api::{PatchKind, Request, Response};
use towtank::base::{Rng, Time};
use towtank::object::{Gvr, Object, Value, json};
use towtank::sim::Server;
use towtank::sim::rest::{WebhookAnswer, Webhooks};

const NOW: Time = Time::VIRTUAL_START;

fn configmaps() -> Gvr {
    Gvr::new("", "v1", "configmaps")
}

fn object(value: Value) -> Object {
    Object::from_value(value).unwrap()
}

fn configmap(name: &str, data: Value) -> Object {
    object(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}),
    )
}

/// What a webhook answers to a review's request; the webhook is named by the URL's path.
type Script<'a> = &'a mut dyn FnMut(&str, &Value) -> WebhookAnswer;

struct Cluster {
    server: Server,
    /// Each call: path, then operation and name.
    calls: Vec<String>,
}

impl Cluster {
    fn new(configurations: &[(&'static str, Value)]) -> Self {
        let server = Server::new(&Rng::new(1)).with_webhooks(Webhooks::CalledOut);
        let mut cluster = Self { server, calls: Vec::new() };
        for (i, (plural, webhooks)) in configurations.iter().enumerate() {
            let kind = match *plural {
                "mutatingwebhookconfigurations" => "MutatingWebhookConfiguration",
                _ => "ValidatingWebhookConfiguration",
            };
            let value = json!({
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
                "metadata": { "name": format!("c{i}") }, "webhooks": webhooks,
            });
            let gvr = Gvr::new("admissionregistration.k8s.io", "v1", plural);
            let made = cluster.send(&Request::create(gvr, "", object(value)), &mut |_, _| allow());
            assert!(made.is_ok(), "{made:?}");
        }
        cluster
    }

    fn send(&mut self, request: &Request, script: Script) -> Response {
        let mut handled = self.server.handle(NOW, 1, 1, request);
        while let Some(call_out) = handled.call_out.take() {
            let url = call_out.call.url.clone();
            let path = url.trim_start_matches("https://hooks.example/").split('?').next().unwrap();
            let review = &call_out.call.body["request"];
            self.calls.push(format!(
                "{path} {} {}",
                review["operation"].as_str().unwrap(),
                review["name"].as_str().unwrap_or_default()
            ));
            let mut answer = script(path, review);
            if let WebhookAnswer::Review(body) = &mut answer
                && body["response"]["uid"].is_null()
                && body["response"].is_object()
            {
                body["response"]["uid"] = review["uid"].clone();
            }
            handled = self.server.resume(*call_out, answer);
        }
        handled.response
    }
}

fn webhook(name: &str, more: Value) -> Value {
    let mut hook = json!({
        "name": format!("{name}.example.com"), "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "clientConfig": { "url": format!("https://hooks.example/{name}") },
        "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"],
            "resources": ["configmaps"] }],
    });
    for (key, value) in more.as_object().unwrap() {
        hook[key] = value.clone();
    }
    hook
}

fn response(response: Value) -> WebhookAnswer {
    WebhookAnswer::Review(json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response,
    }))
}

fn allow() -> WebhookAnswer {
    response(json!({ "allowed": true }))
}

fn patch(patch: Value) -> WebhookAnswer {
    let patch = STANDARD.encode(patch.to_string());
    response(json!({ "allowed": true, "patchType": "JSONPatch", "patch": patch }))
}

const VALIDATING: &str = "validatingwebhookconfigurations";
const MUTATING: &str = "mutatingwebhookconfigurations";

/// One validating webhook, one create, one answer: code and message, `None` for success.
fn check(more: Value, dry: bool, answer: &WebhookAnswer, expected: Option<(u16, &str)>) {
    let mut cluster = Cluster::new(&[(VALIDATING, json!([webhook("w", more)]))]);
    let mut request = Request::create(configmaps(), "default", configmap("a", json!({})));
    request.options.dry_run = dry;
    let answered = cluster.send(&request, &mut |_, _| answer.clone());
    let found = answered.as_status().map(|status| (status.code, status.message.clone()));
    let expected = expected.map(|(code, text)| (code, text.to_owned()));
    assert_eq!(found, expected, "{answer:?}");
}

#[test]
fn refusals_and_failures_are_told_in_the_words_of_a_real_server() {
    let denied = |status: Value| response(json!({ "allowed": false, "status": status }));
    let by = "admission webhook \"w.example.com\" denied the request";
    check(json!({}), false, &allow(), None);
    let text = format!("{by}: no");
    check(json!({}), false, &denied(json!({ "message": "no", "code": 403 })), Some((403, &text)));
    check(json!({}), false, &denied(json!({ "message": "no" })), Some((400, &text)));
    check(json!({}), false, &denied(json!({ "message": "no", "code": 200 })), Some((400, &text)));
    let text = format!("{by}: Because");
    check(json!({}), false, &denied(json!({ "reason": "Because" })), Some((400, &text)));
    let text = format!("{by} without explanation");
    check(json!({}), false, &response(json!({ "allowed": false })), Some((400, &text)));
    let failed = "Internal error occurred: failed calling webhook \"w.example.com\":";
    let text = format!(
        "{failed} failed to call webhook: Post \"https://hooks.example/w?timeout=10s\": context deadline exceeded"
    );
    let late = WebhookAnswer::Failed("context deadline exceeded".to_owned());
    check(json!({}), false, &late, Some((500, &text)));
    check(json!({ "failurePolicy": "Ignore" }), false, &late, None);
    let text = format!("{failed} received invalid webhook response: webhook response was absent");
    check(json!({}), false, &response(Value::Null), Some((500, &text)));
    // One with other side effects cannot be registered through v1.
    check(json!({ "sideEffects": "NoneOnDryRun" }), true, &allow(), None);
}

#[test]
fn a_webhook_is_asked_about_what_it_selects_and_nothing_else() {
    let never = json!({ "message": "never", "allowed": false });
    for (more, asked) in [
        (json!({}), true),
        (json!({ "namespaceSelector": { "matchLabels": { "a": "b" } } }), false),
        (json!({ "objectSelector": { "matchLabels": { "a": "b" } } }), false),
        (
            json!({ "matchConditions": [{ "name": "c", "expression": "object.metadata.name == 'b'" }] }),
            false,
        ),
        (
            json!({ "matchConditions": [{ "name": "c", "expression": "request.operation == 'CREATE'" }] }),
            true,
        ),
        (
            json!({ "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["configmaps"] }] }),
            false,
        ),
        (
            json!({ "rules": [{ "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["*"], "scope": "Namespaced" }] }),
            true,
        ),
        (
            json!({ "rules": [{ "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["*"], "scope": "Cluster" }] }),
            false,
        ),
        (
            json!({ "rules": [{ "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["*"] }] }),
            false,
        ),
    ] {
        let mut cluster = Cluster::new(&[(VALIDATING, json!([webhook("w", more.clone())]))]);
        let request = Request::create(configmaps(), "default", configmap("a", json!({})));
        let answered = cluster.send(&request, &mut |_, _| response(never.clone()));
        assert_eq!(!answered.is_ok(), asked, "{more}");
    }
}

#[test]
fn what_a_webhook_sees_is_the_whole_request() {
    let mut cluster = Cluster::new(&[(VALIDATING, json!([webhook("w", json!({}))]))]);
    let mut seen = Vec::new();
    let mut look = |_: &str, request: &Value| {
        seen.push(request.clone());
        response(json!({ "allowed": true, "warnings": ["mind the gap"] }))
    };
    let create = Request::create(configmaps(), "default", configmap("a", json!({ "k": "1" })));
    let answered = cluster.send(&create, &mut look);
    assert_eq!(answered.warnings, ["mind the gap"]);
    let merge = json!({ "data": { "k": "2" } });
    cluster.send(&Request::patch(configmaps(), "default", "a", PatchKind::Merge, merge), &mut look);
    cluster.send(&Request::delete(configmaps(), "default", "a"), &mut look);
    let part = |i: usize, path: &str| seen[i].pointer(path).cloned().unwrap_or_default();
    assert_eq!(part(0, "/operation"), "CREATE");
    assert_eq!(part(0, "/object/data/k"), "1");
    assert_eq!(part(0, "/object/metadata/namespace"), "default");
    assert_eq!(part(0, "/oldObject"), Value::Null);
    assert_eq!(
        part(0, "/resource"),
        json!({ "group": "", "version": "v1", "resource": "configmaps" })
    );
    assert_eq!(part(0, "/kind"), json!({ "group": "", "version": "v1", "kind": "ConfigMap" }));
    assert_eq!(
        (part(1, "/operation"), part(1, "/object/data/k"), part(1, "/oldObject/data/k")),
        (json!("UPDATE"), json!("2"), json!("1"))
    );
    assert_eq!(
        (part(2, "/operation"), part(2, "/object"), part(2, "/oldObject/data/k")),
        (json!("DELETE"), Value::Null, json!("2"))
    );
    assert_eq!(cluster.calls, ["w CREATE a", "w UPDATE a", "w DELETE a"]);
}

#[test]
fn mutating_webhooks_go_in_order_and_see_later_changes_again_if_they_wish() {
    let hooks = json!([
        webhook("first", json!({ "reinvocationPolicy": "IfNeeded" })),
        webhook("second", json!({})),
        webhook("third", json!({ "reinvocationPolicy": "IfNeeded" })),
    ]);
    let mut cluster =
        Cluster::new(&[(MUTATING, hooks), (VALIDATING, json!([webhook("last", json!({}))]))]);
    let create = Request::create(configmaps(), "default", configmap("a", json!({ "k": "1" })));
    let mut judged = Value::Null;
    let answered = cluster.send(&create, &mut |name, request| match name {
        "second" => patch(json!([{ "op": "add", "path": "/data/second", "value": "2" }])),
        "last" => {
            judged = request["object"]["data"].clone();
            allow()
        }
        _ => allow(),
    });
    assert_eq!(judged, json!({ "k": "1", "second": "2" }));
    let made = answered.as_object().unwrap();
    assert_eq!(made.text(&["data", "second"]), Some("2"));
    let calls =
        ["first CREATE a", "second CREATE a", "third CREATE a", "first CREATE a", "last CREATE a"];
    assert_eq!(cluster.calls, calls);
    let managed = made.at(&["metadata", "managedFields"]).unwrap().to_string();
    assert!(!managed.contains("f:second"), "what a webhook set is nobody's: {managed}");
}

#[test]
fn requests_of_others_go_on_while_one_waits() {
    let mut cluster = Cluster::new(&[(
        VALIDATING,
        json!([webhook("w", json!({ "objectSelector": { "matchLabels": { "slow": "yes" } } }))]),
    )]);
    let mut slow = configmap("slow", json!({}));
    slow.set(&["metadata", "labels", "slow"], "yes".into());
    let waiting = cluster.server.handle(NOW, 1, 1, &Request::create(configmaps(), "default", slow));
    let call_out = waiting.call_out.unwrap();
    let fast = Request::create(configmaps(), "default", configmap("fast", json!({})));
    let fast = cluster.send(&fast, &mut |_, _| allow());
    assert!(cluster.server.peek(&configmaps(), "default", "slow").is_none());
    let mut answer = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": { "allowed": true } });
    answer["response"]["uid"] = call_out.call.body["request"]["uid"].clone();
    let slow = cluster.server.resume(*call_out, WebhookAnswer::Review(answer));
    assert!(slow.call_out.is_none());
    let (slow, fast) =
        (slow.response.as_object().unwrap().clone(), fast.as_object().unwrap().clone());
    assert!(slow.revision() > fast.revision());
    assert_ne!(slow.uid(), fast.uid());
}

#[test]
fn a_change_in_between_is_asked_about_anew() {
    let mut cluster = Cluster::new(&[]);
    let create = Request::create(configmaps(), "default", configmap("a", json!({ "k": "1" })));
    cluster.send(&create, &mut |_, _| allow());
    let config = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": "c" }, "webhooks": [webhook("w", json!({}))],
    });
    let gvr = Gvr::new("admissionregistration.k8s.io", "v1", VALIDATING);
    cluster.send(&Request::create(gvr, "", object(config)), &mut |_, _| allow());
    let slow = json!({ "data": { "slow": "1" } });
    let slow = Request::patch(configmaps(), "default", "a", PatchKind::Merge, slow);
    let waiting = cluster.server.handle(NOW, 1, 1, &slow).call_out.unwrap();
    let quick = json!({ "metadata": { "labels": { "quick": "yes" } }, "data": { "quick": "1" } });
    let quick = Request::patch(configmaps(), "default", "a", PatchKind::Merge, quick);
    let handled = cluster.server.handle(NOW, 1, 2, &quick);
    let again = handled.call_out.unwrap();
    let answer = |call: &towtank::sim::rest::CallOut| {
        WebhookAnswer::Review(
            json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "response": { "allowed": true, "uid": call.call.body["request"]["uid"] } }),
        )
    };
    let first = answer(&again);
    assert!(cluster.server.resume(*again, first).response.is_ok());
    let first = answer(&waiting);
    let asked_anew = cluster.server.resume(*waiting, first).call_out.unwrap();
    assert_eq!(
        asked_anew.call.body["request"]["object"]["data"],
        json!({ "k": "1", "quick": "1", "slow": "1" })
    );
    let second = answer(&asked_anew);
    let done = cluster.server.resume(*asked_anew, second).response;
    assert_eq!(
        done.as_object().unwrap().at(&["data"]).unwrap(),
        &json!({ "k": "1", "quick": "1", "slow": "1" })
    );
}
