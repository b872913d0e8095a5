//! A cluster as a `tower::Service`: for `kube::Client::new` in this process, and for each
//! connection of a listener.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::{Method, Request, Response, StatusCode};
use tokio::time::timeout;
use tower_service::Service as Tower;

use super::answer::{Answer, Step, answer, panicked, unkept};
use super::body::{self, Body};
use super::cluster::Cluster;
use super::identity::Peer;
use super::webhook;
use crate::api::{Reason, Status};
use crate::base::limits::{BODY_TIMEOUT, FIRST_REQUEST};

/// How often a read of a revision that is not there yet looks for it, which makes three seconds.
const AHEAD_LOOKS: u32 = 60;
/// How long it waits in between.
const AHEAD_EVERY: Duration = Duration::from_millis(50);

/// How long clients are waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For the first request of a connection.
    pub(super) first_request: Duration,
    /// For the whole body of a request.
    pub(super) body: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { first_request: FIRST_REQUEST, body: BODY_TIMEOUT }
    }
}

/// Answers requests of HTTP as one peer.
#[derive(Clone, Debug)]
pub struct Service {
    cluster: Cluster,
    peer: Arc<Peer>,
    patience: Patience,
}

/// An answer to come.
pub(super) type Answering<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl Cluster {
    /// The cluster's API as a service for a client in this process, who may do everything.
    #[must_use]
    pub fn service(&self) -> Service {
        self.service_for(Peer::Inside)
    }

    /// The cluster's API as a service for a peer.
    #[must_use]
    pub fn service_for(&self, peer: Peer) -> Service {
        Service { cluster: self.clone(), peer: Arc::new(peer), patience: Patience::default() }
    }
}

impl Service {
    /// The same for clients that are waited for as long as this.
    pub(super) fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    async fn answer<B>(self, request: Request<B>) -> Result<Response<Body>, B::Error>
    where
        B: hyper::body::Body + Unpin,
    {
        let (head, body) = request.into_parts();
        let Ok(bytes) = timeout(self.patience.body, body::read(body)).await else {
            let text = "Timeout: request did not complete within the allotted timeout";
            return Ok(unkept(&Status::new(504, Reason::Timeout, text)));
        };
        let bytes = bytes?;
        // A panic is a bug that is told on standard error; the client gets an answer all the same.
        let mut resumed = None;
        let mut looks_left = AHEAD_LOOKS;
        let Answer { response, kept, asked } = loop {
            let (body, resumed_now) = (bytes.clone(), resumed.take());
            let work =
                AssertUnwindSafe(|| answer(&self.cluster, &self.peer, &head, body, resumed_now));
            match catch_unwind(work).unwrap_or_else(|_| panicked()) {
                // A revision that is not there yet may come (R-HTTP-36).
                Step::Answered(answer)
                    if looks_left > 0
                        && head.method == Method::GET
                        && answer.response.status() == StatusCode::GATEWAY_TIMEOUT =>
                {
                    looks_left -= 1;
                    tokio::time::sleep(AHEAD_EVERY).await;
                }
                Step::Answered(answer) => break answer,
                Step::Waiting(waiting) => {
                    let answer = webhook::call(waiting.call()).await;
                    resumed = Some((waiting, answer));
                }
            }
        };
        if let Some(asked) = &asked {
            self.cluster.metrics().count(asked, response.status().as_u16());
        }
        match kept {
            None => Ok(response),
            Some(kept) => {
                Ok(kept.wait().await.map_or_else(|status| unkept(&status), |()| response))
            }
        }
    }
}

impl<B> Tower<Request<B>> for Service
where
    B: hyper::body::Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response<Body>;
    type Error = B::Error;
    type Future = Answering<B::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), B::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}

impl<B> hyper::service::Service<Request<B>> for Service
where
    B: hyper::body::Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response<Body>;
    type Error = B::Error;
    type Future = Answering<B::Error>;

    fn call(&self, request: Request<B>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use http_body_util::BodyExt as _;
    use hyper::body::Frame;

    use super::super::settings::Settings;
    use super::*;

    /// A body of which nothing comes.
    struct Silent;

    impl hyper::body::Body for Silent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_body_that_never_comes_is_answered_504() {
        let parts = crate::sim::world::Parts { controllers: None, ..Settings::default().parts };
        let cluster = Cluster::start(Settings { parts, ..Settings::default() });
        let patience = Patience { body: Duration::from_millis(5), ..Patience::default() };
        let service = cluster.service().with_patience(patience);
        let request = Request::post("/api/v1/namespaces").body(Silent).unwrap();
        let response = service.answer(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(text.contains("request did not complete within the allotted timeout"), "{text}");
    }
}
