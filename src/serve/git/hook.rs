//! The calling side of a webhook: tells one address of a push, signed as GitHub signs.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::commands::Moved;
use crate::base::limits::HEAD_TIMEOUT;
use crate::object::json;

/// Where pushes are told, and the secret that the telling is signed with.
#[derive(Clone)]
pub struct Hook {
    /// `127.0.0.1:8080`.
    pub address: String,
    /// Path of the address.
    pub path: String,
    /// The secret that both sides know.
    pub secret: Vec<u8>,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hook({}{})", self.address, self.path)
    }
}

/// The value of `X-Hub-Signature-256` for a body: HMAC-SHA256 in hexadecimal.
#[must_use]
pub fn signature(secret: &[u8], body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, body);
    let mut text = "sha256=".to_owned();
    for byte in tag.as_ref() {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl Hook {
    /// Tells of one reference that a push moved. A receiver that is not there hears nothing: as
    /// with the big hosts, nobody calls again.
    pub(super) async fn tell(&self, moved: &Moved, delivery: &str) {
        let body = json!({
            "ref": moved.reference.as_str(),
            "before": moved.before.as_str(),
            "after": moved.after.as_str(),
        });
        let body = body.to_string().into_bytes();
        let _ = timeout(HEAD_TIMEOUT, self.post(body, delivery)).await;
    }

    async fn post(&self, body: Vec<u8>, delivery: &str) -> Result<(), String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let stream = TcpStream::connect(&self.address).await.map_err(|e| text(&e))?;
        stream.set_nodelay(true).map_err(|e| text(&e))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| text(&e))?;
        // The connection ends with the sender.
        let connection = tokio::spawn(connection);
        let request = Request::post(&self.path)
            .header(header::HOST, &self.address)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "towtank-git")
            .header("X-GitHub-Event", "push")
            .header("X-GitHub-Delivery", delivery)
            .header("X-Hub-Signature-256", signature(&self.secret, &body))
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| text(&e))?;
        let response = sender.send_request(request).await.map_err(|e| text(&e))?;
        let _ = response.into_body().collect().await;
        drop(sender);
        connection.abort();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_signed_as_github_signs_it() {
        // GitHub's own example, from its page on validating deliveries.
        assert_eq!(
            signature(b"It's a Secret to Everybody", b"Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }
}
