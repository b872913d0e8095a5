//! The hearing side of a webhook: an address where pushes are told, as GitHub tells them. What is
//! not signed with the secret that both sides know is refused.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use crate::base::limits::{HEAD_TIMEOUT, HOOK_BODY_BYTES};
use crate::object::Value;

/// A push that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The full name of the branch or tag.
    pub reference: String,
    /// The commit that it is at now.
    pub after: String,
}

type Tell = dyn Fn(Pushed) + Send + Sync;

/// A receiver that listens until it is dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    task: AbortHandle,
}

/// The path that is called.
const PATH: &str = "/hook";

impl Receiver {
    /// Listens on any free port of this machine; pushes are handed to `tell`, which must not
    /// block. Within a tokio runtime.
    ///
    /// # Errors
    /// No port is to be had.
    pub async fn start(
        secret: Vec<u8>,
        tell: impl Fn(Pushed) + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &secret));
        let tell: Arc<Tell> = Arc::new(tell);
        let task = tokio::spawn(accept(listener, key, tell)).abort_handle();
        Ok(Self { address, task })
    }

    /// Where it listens: `127.0.0.1:8080`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The path that is to be called.
    #[must_use]
    pub fn path(&self) -> &'static str {
        PATH
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, key: Arc<hmac::Key>, tell: Arc<Tell>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, mostly: others have to end first.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (key, tell) = (Arc::clone(&key), Arc::clone(&tell));
        let answer = move |request: Request<Incoming>| {
            let (key, tell) = (Arc::clone(&key), Arc::clone(&tell));
            async move { Ok::<_, Infallible>(answer(request, &key, &*tell).await) }
        };
        let service = hyper::service::service_fn(answer);
        connections.spawn(async move {
            let mut builder = hyper::server::conn::http1::Builder::new();
            let builder = builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
            // How a connection ends concerns nobody but the caller.
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(request: Request<Incoming>, key: &hmac::Key, tell: &Tell) -> Response<Full<Bytes>> {
    if request.uri().path() != PATH {
        return said(StatusCode::NOT_FOUND, "no such path\n");
    }
    if request.method() != Method::POST {
        return said(StatusCode::METHOD_NOT_ALLOWED, "a webhook is a POST\n");
    }
    let header = |name: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let (signature, event) = (header("x-hub-signature-256"), header("x-github-event"));
    let body = match Limited::new(request.into_body(), HOOK_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return said(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n"),
    };
    if !is_signed(key, signature.as_deref(), &body) {
        return said(StatusCode::UNAUTHORIZED, "the signature is missing or wrong\n");
    }
    match event.as_deref() {
        Some("ping") => said(StatusCode::OK, "pong\n"),
        Some("push") => match read(&body) {
            Some(pushed) => {
                tell(pushed);
                said(StatusCode::ACCEPTED, "")
            }
            None => said(StatusCode::BAD_REQUEST, "a push has ref and after\n"),
        },
        _ => said(StatusCode::OK, "of no interest\n"),
    }
}

/// Whether the body was signed with the key; takes as long for a wrong signature as for another.
fn is_signed(key: &hmac::Key, signature: Option<&str>, body: &[u8]) -> bool {
    let Some(hex) = signature.and_then(|text| text.strip_prefix("sha256=")) else { return false };
    let digit = |at: usize| hex.as_bytes().get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let pairs = (0..hex.len() / 2).map(|n| Some(digit(2 * n)? * 16 + digit(2 * n + 1)?));
    let bytes: Option<Vec<u8>> =
        pairs.map(|byte| byte.and_then(|byte| u8::try_from(byte).ok())).collect();
    bytes.is_some_and(|tag| hmac::verify(key, body, &tag).is_ok())
}

fn read(body: &[u8]) -> Option<Pushed> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Pushed { reference: text("ref")?, after: text("after")? })
}

fn said(code: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = code;
    response
}

#[cfg(test)]
mod tests {
    use super::super::hook::signature;
    use super::*;

    #[test]
    fn only_what_is_signed_with_the_secret_is_heard() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let check = |signature: Option<&str>, signed: bool| {
            assert_eq!(is_signed(&key, signature, b"body"), signed, "{signature:?}");
        };
        let right = signature(b"secret", b"body");
        check(Some(&right), true);
        check(Some(&signature(b"other", b"body")), false);
        check(Some(&signature(b"secret", b"bodies")), false);
        check(Some(right.trim_start_matches("sha256=")), false);
        check(Some(&right[..right.len() - 1]), false);
        check(Some(&format!("{right}00")), false);
        check(Some("sha256=zz"), false);
        check(Some(""), false);
        check(None, false);
    }

    #[test]
    fn a_push_names_its_branch_and_commit() {
        let read = |text: &str| read(text.as_bytes()).map(|pushed| pushed.reference);
        assert_eq!(
            read(r#"{"ref":"refs/heads/main","after":"1"}"#).as_deref(),
            Some("refs/heads/main")
        );
        assert_eq!(read(r#"{"ref":"refs/heads/main"}"#), None);
        assert_eq!(read("ref"), None);
    }
}
