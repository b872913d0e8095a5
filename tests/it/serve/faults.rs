//! What clients do wrong: the answer is that of a kube-apiserver or an end of the connection, and
//! the process stays.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

use std::fs;
use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use towtank::serve::tls::{Authority, Pair};

use super::process::Process;

const NONE: &[&str] = &["--controllers", "none"];

/// A connection, with a client certificate if one is given.
async fn connect(process: &Process, client: Option<&Pair>) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let authority = fs::read(process.folder.join("pki/ca.crt")).unwrap();
    roots.add(CertificateDer::from_pem_slice(&authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        Some(pair) => {
            let chain = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
            config.with_client_auth_cert(vec![chain], key).unwrap()
        }
        None => config.with_no_client_auth(),
    };
    let stream = TcpStream::connect(process.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

/// What comes back for bytes after which nothing more is sent.
async fn answer(process: &Process, client: Option<&Pair>, bytes: &[u8]) -> String {
    let mut stream = connect(process, client).await;
    // Where the server has answered already it does not read on.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    String::from_utf8_lossy(&text).into_owned()
}

fn post(process: &Process, kind: &str, body: &str) -> Vec<u8> {
    let token = fs::read_to_string(process.folder.join("token")).unwrap();
    format!(
        "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        token.trim(),
        body.len()
    )
    .into_bytes()
}

async fn check(process: &Process, kind: &str, body: &str, expected: &str) {
    let text = answer(process, None, &post(process, kind, body)).await;
    assert!(text.contains(expected), "{expected}: {}", &text[..text.len().min(600)]);
}

#[tokio::test]
async fn bodies_without_measure_are_refused_and_the_process_stays() {
    let process = Process::start(NONE);
    let large = format!("{{\"data\":{{\"a\":\"{}\"}}}}", "x".repeat(4 << 20));
    check(&process, "application/json", &large, "Request entity too large: limit is 3145728").await;
    let deep = "{\"a\":".repeat(400_000);
    check(&process, "application/json", &deep, "exceeded max depth").await;
    check(&process, "application/yaml", &"[".repeat(1_000_000), "\"code\":400").await;
    check(&process, "application/yaml", &"- ".repeat(1_000_000), "\"code\":400").await;
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let before = format!("*a{}, ", n - 1).repeat(9);
        bomb.push_str(&format!("a{n}: &a{n} [{}]\n", before.trim_end_matches(", ")));
    }
    check(&process, "application/yaml", &bomb, "\"code\":400").await;
    check(&process, "application/vnd.kubernetes.protobuf", "k8s\0\u{1}\u{1}", "\"code\":400").await;
    let made = "{\"metadata\":{\"name\":\"a\"}}";
    check(&process, "application/json", made, "HTTP/1.1 201 Created").await;
}

#[tokio::test]
async fn a_client_that_has_closed_its_side_is_answered() {
    let process = Process::start(NONE);
    let text = answer(&process, None, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(text.ends_with("ok"), "{text}");
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_answered_401() {
    let process = Process::start(NONE);
    let get = b"GET /api/v1/nodes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let forged = Authority::new().unwrap().client("admin", &["system:masters"]).unwrap();
    let text = answer(&process, Some(&forged), get).await;
    assert!(text.starts_with("HTTP/1.1 401") && text.contains("\"Unauthorized\""), "{text}");
    let pair = |name: &str| fs::read_to_string(process.folder.join(name)).unwrap();
    let own = Pair { certificate: pair("pki/ca.crt"), key: pair("pki/ca.key") };
    let eve = Authority::again(own).unwrap().client("eve", &["nobody"]).unwrap();
    let text = answer(&process, Some(&eve), get).await;
    assert!(text.contains("User \\\"eve\\\" cannot list resource \\\"nodes\\\""), "{text}");
}

/// `X-Remote-` headers count from a proxy whose certificate the proxies' own authority signed for
/// the name that it must have, and from nobody else.
#[tokio::test]
async fn a_proxy_in_front_names_users_and_nobody_else_does() {
    let process = Process::start(NONE);
    let file = |name: &str| fs::read_to_string(process.folder.join("pki").join(name)).unwrap();
    let pair = |name: &str| {
        let (crt, key) = (format!("{name}.crt"), format!("{name}.key"));
        Pair { certificate: file(&crt), key: file(&key) }
    };
    let ask = |headers: &str| {
        let body = r#"{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}"#;
        format!(
            "POST /apis/authentication.k8s.io/v1/selfsubjectreviews HTTP/1.1\r\nHost: localhost\r\n\
             Connection: close\r\nContent-Type: application/json\r\n{headers}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let named = ask("X-Remote-User: eve\r\nX-Remote-Group: devs\r\nX-Remote-Extra-Scopes: a\r\n");
    let proxy = pair("front-proxy-client");
    let text = answer(&process, Some(&proxy), named.as_bytes()).await;
    let is_eve =
        r#""username":"eve","groups":["devs","system:authenticated"],"extra":{"scopes":["a"]}"#;
    assert!(text.contains(is_eve), "{text}");
    let text = answer(&process, Some(&proxy), ask("").as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 401"), "{text}");
    let other = Authority::again(pair("front-proxy-ca")).unwrap().client("other", &[]).unwrap();
    let text = answer(&process, Some(&other), named.as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 401"), "{text}");
    let own = Authority::again(pair("ca")).unwrap().client("front-proxy-client", &[]).unwrap();
    let text = answer(&process, Some(&own), named.as_bytes()).await;
    assert!(text.contains(r#""username":"front-proxy-client""#), "{text}");
    let text = answer(&process, None, named.as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 403") || text.starts_with("HTTP/1.1 401"), "{text}");
}

#[tokio::test]
async fn what_is_no_tls_and_what_is_no_http_ends_the_connection_alone() {
    let process = Process::start(NONE);
    let mut stream = TcpStream::connect(process.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("Client sent an HTTP request to an HTTPS server.\n"), "{text}");
    let mut stream = TcpStream::connect(process.address()).await.unwrap();
    stream.write_all(&[0x16, 3, 1, 0xff, 0xff, 0, 1, 2]).await.unwrap();
    drop(stream);
    let text = answer(&process, None, b"\0\x01\x02 nothing of HTTP\r\n\r\n").await;
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 400"), "{text}");
    let text = answer(&process, None, b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(text.ends_with("ok"), "{text}");
}

#[tokio::test]
async fn what_gos_server_answers_before_a_handler_is_asked_is_answered_so() {
    let process = Process::start(NONE);
    let check = async |request: &str, expected: &str| {
        let text = answer(&process, None, request.as_bytes()).await;
        assert!(text.starts_with(expected), "{request:?}: {text}");
    };
    check("GET /version HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request").await;
    check("GET /version HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK").await;
    check("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK").await;
    let connect = "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: a\r\n\r\n";
    check(connect, "HTTP/1.1 404 Not Found").await;
}

#[tokio::test]
async fn a_selector_that_names_thousands_is_taken() {
    let process = Process::start(NONE);
    let maps: Api<ConfigMap> = Api::all(process.client().await);
    let names: Vec<String> = (0..1_500).map(|n| format!("a-long-name-of-a-value-{n}")).collect();
    let selector = format!("app in ({})", names.join(","));
    let found = maps.list(&ListParams::default().labels(&selector)).await.unwrap();
    assert!(found.items.is_empty());
}
