//! Calls a webhook over HTTPS: the one thing that a request may have to wait for outside.
//!
//! Whom to ask, what, and what the answer means is the server's (`sim::rest`). The network of the
//! cluster is simulated, so a webhook behind a Service cannot be reached; one with a URL can, which
//! is how suites that run beside their server register them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Response, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::base::limits::REQUEST_BODY_BYTES;
use crate::object::Value;
use crate::sim::rest::{WebhookAnswer, WebhookCall};

/// Redirections that are followed, as many as Go's client follows.
const REDIRECTIONS: usize = 10;

/// Makes a call; what goes wrong is told as Go's client tells it, as far as that is known.
pub(super) async fn call(call: &WebhookCall) -> WebhookAnswer {
    let answer = match timeout(call.timeout, follow(call)).await {
        Ok(answer) => answer,
        Err(_) => Err("context deadline exceeded".to_owned()),
    };
    answer.map_or_else(WebhookAnswer::Failed, WebhookAnswer::Review)
}

/// What one request came to.
enum Posted {
    Review(Value),
    /// To be sent again, to there. Webhooks that are registered with a path of two slashes, as
    /// envtest's are, redirect to the one with one.
    Elsewhere(Uri),
}

async fn follow(call: &WebhookCall) -> Result<Value, String> {
    let mut uri: Uri = call.url.parse().map_err(|e| format!("{e}"))?;
    for _ in 0..=REDIRECTIONS {
        match post(call, &uri).await? {
            Posted::Review(review) => return Ok(review),
            Posted::Elsewhere(other) => uri = other,
        }
    }
    Err(format!("stopped after {REDIRECTIONS} redirects"))
}

/// Where a redirection that keeps method and body leads to.
fn redirected(response: &Response<hyper::body::Incoming>, from: &Uri) -> Option<Uri> {
    let keeps = [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT];
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    if !keeps.contains(&response.status()) {
        return None;
    }
    if location.starts_with('/') {
        let authority = from.authority()?;
        return format!("https://{authority}{location}").parse().ok();
    }
    location.parse().ok().filter(|uri: &Uri| uri.scheme_str() == Some("https"))
}

async fn post(call: &WebhookCall, uri: &Uri) -> Result<Posted, String> {
    let host = uri.host().unwrap_or_default().to_owned();
    if call.service.is_some() {
        return Err(format!("dial tcp: lookup {host}: no such host"));
    }
    let port = uri.port_u16().unwrap_or(443);
    let plain_host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let stream = TcpStream::connect((plain_host.as_str(), port)).await;
    let stream = stream.map_err(|e| format!("dial tcp {host}:{port}: connect: {}", cause(&e)))?;
    let name = ServerName::try_from(plain_host).map_err(|e| e.to_string())?;
    let stream = TlsConnector::from(config(&call.ca_bundle)?).connect(name, stream).await;
    let stream = stream.map_err(|e| format!("tls: failed to verify certificate: {e}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|e| e.to_string())?;
    // The connection ends with the sender.
    let connection = tokio::spawn(connection);
    let target = uri.path_and_query().map_or("/", hyper::http::uri::PathAndQuery::as_str);
    let request = Request::post(target)
        .header(header::HOST, format!("{host}:{port}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json, */*")
        .header(header::USER_AGENT, "kube-apiserver-admission")
        .body(Full::new(Bytes::from(call.body.to_string())))
        .map_err(|e| e.to_string())?;
    let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
    if let Some(elsewhere) = redirected(&response, uri) {
        connection.abort();
        return Ok(Posted::Elsewhere(elsewhere));
    }
    let code = response.status();
    let body = Limited::new(response.into_body(), REQUEST_BODY_BYTES);
    let bytes = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
    drop(sender);
    connection.abort();
    if !code.is_success() {
        let text = String::from_utf8_lossy(&bytes);
        return Err(format!("the server responded with the status code {code} {text:?}"));
    }
    let review = serde_json::from_slice(&bytes);
    review.map(Posted::Review).map_err(|e| format!("couldn't get version/kind; {e}"))
}

/// The system's words for an error of a connection.
fn cause(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        std::io::ErrorKind::TimedOut => "i/o timeout".to_owned(),
        _ => error.to_string(),
    }
}

/// TLS that trusts the authorities of a bundle (PEM in base64); none where it is empty.
fn config(bundle: &str) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let pem = BASE64.decode(bundle).map_err(|e| format!("caBundle: {e}"))?;
    let mut roots = RootCertStore::empty();
    let mut trusted = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|e| format!("caBundle: {e}"))?;
        roots.add(certificate.clone()).map_err(|e| format!("caBundle: {e}"))?;
        trusted.push(certificate);
    }
    if trusted.is_empty() {
        return Err("tls: failed to verify certificate: x509: certificate signed by unknown \
                    authority"
            .to_owned());
    }
    let by_authority =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|e| format!("caBundle: {e}"))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Bundle { by_authority, trusted }))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Trusts what the authorities of a bundle signed, and, as Go does, a server's certificate that is
/// in the bundle itself: suites often sign one for themselves.
#[derive(Debug)]
struct Bundle {
    by_authority: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Bundle {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.trusted.iter().any(|trusted| trusted == own) {
            return Ok(ServerCertVerified::assertion());
        }
        self.by_authority.verify_server_cert(own, between, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.by_authority.verify_tls12_signature(message, own, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.by_authority.verify_tls13_signature(message, own, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_authority.supported_verify_schemes()
    }
}
