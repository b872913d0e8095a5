//! Authentication without a wire. What a real server answers is compared in `tests/it/auth.rs`.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::base::Rng;
use crate::object::{Gvr, Object, json};
use crate::sim::rest::{Bootstrap, Endpoint};

const NOW: Time = Time::VIRTUAL_START;

fn pods() -> Request {
    Request::list(Gvr::new("", "v1", "pods"), "default")
}

fn server() -> Server {
    Server::new(&Rng::new(1))
}

#[test]
fn the_holder_of_a_certificate_is_told_from_others_by_its_fingerprint() {
    let subject = Subject {
        common_name: "ann".to_owned(),
        fingerprint: "0ab1".to_owned(),
        ..Subject::default()
    };
    let credentials = Credentials { certificate: Some(&subject), ..Credentials::default() };
    let user = server().authenticate(NOW, &credentials, &Asked::Request(&pods())).unwrap();
    let id = &user.extra["authentication.kubernetes.io/credential-id"];
    assert_eq!(id, &["X509SHA256=0ab1"]);
}

#[test]
fn a_certificate_comes_before_a_token_and_nobody_is_anonymous() {
    let subject = Subject {
        common_name: "ann".to_owned(),
        organizations: vec!["dev".to_owned()],
        fingerprint: "0ab1".to_owned(),
    };
    let mut server =
        server().with_token("secret", User { name: "bob".to_owned(), ..User::default() });
    let ask = pods();
    let mut name = |credentials: Credentials| {
        let user = server.authenticate(NOW, &credentials, &Asked::Request(&ask));
        user.map(|user| user.name.clone()).map_err(|status| status.code)
    };
    let certificate = Some(&subject);
    for (certificate, authorization, expected) in [
        (certificate, Some("Bearer secret"), Ok("ann".to_owned())),
        (None, Some("bearer  secret"), Ok("bob".to_owned())),
        (None, Some("Bearer other"), Err(401)),
        (None, Some("Basic c2VjcmV0"), Ok("system:anonymous".to_owned())),
        (None, None, Ok("system:anonymous".to_owned())),
    ] {
        let credentials = Credentials { certificate, authorization, ..Credentials::default() };
        assert_eq!(name(credentials), expected, "{authorization:?}");
    }
}

#[test]
fn who_may_not_is_refused_before_the_resource_is_looked_at() {
    let mut server = server();
    let mut request = Request::list(Gvr::new("none.example", "v1", "things"), "");
    request.user = Some(Arc::new(User { name: "ann".to_owned(), ..User::default() }));
    let refused = |server: &mut Server| {
        server.handle(NOW, 1, 1, &request).response.as_status().map(|status| status.code)
    };
    assert_eq!(refused(&mut server), Some(403));
    let mut open = server.with_authorization(Authorization::AlwaysAllow);
    assert_eq!(refused(&mut open), Some(404));
}

#[test]
fn a_token_of_an_account_ends_with_its_time() {
    let mut server = server();
    let accounts = Gvr::new("", "v1", "serviceaccounts");
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}});
    let account = Object::from_value(account).unwrap();
    server.handle(NOW, 1, 1, &Request::create(accounts.clone(), "default", account));
    let ask = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}});
    let mut ask = Request::create(accounts, "default", Object::from_value(ask).unwrap());
    ask.name = Some("a".to_owned());
    let answer = server.handle(NOW, 1, 2, &ask.subresource("token")).response;
    let token = answer.as_object().unwrap().text(&["status", "token"]).unwrap();
    let header = format!("Bearer {token}");
    let mut code = |now| {
        let credentials = Credentials { authorization: Some(&header), ..Credentials::default() };
        let user = server.authenticate(now, &credentials, &Asked::Path("get", "/"));
        user.map(|user| user.name.clone()).map_err(|status| status.code)
    };
    assert_eq!(code(NOW), Ok("system:serviceaccount:default:a".to_owned()));
    assert_eq!(
        code(NOW + Duration::from_secs(600)),
        Ok("system:serviceaccount:default:a".to_owned())
    );
    assert_eq!(code(NOW + Duration::from_secs(700)), Err(401));
}

#[test]
fn a_server_says_where_the_keys_of_its_tokens_are() {
    let endpoint = Endpoint {
        address: "192.0.2.1".to_owned(),
        port: 6443,
        client_ca: String::new(),
        front_proxy_ca: String::new(),
    };
    let server = Server::with_bootstrap(&Rng::new(1), NOW, &Bootstrap::Full(endpoint));
    let said = server.openid_configuration();
    assert_eq!(said["issuer"], "https://kubernetes.default.svc.cluster.local");
    assert_eq!(said["jwks_uri"], "https://192.0.2.1:6443/openid/v1/jwks");
    assert_eq!(server.openid_keys(), json!({ "keys": [] }), "a shared secret is nobody's to see");
}
