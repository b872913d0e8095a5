//! What stands between a connection and the service that answers it: whether the client has asked
//! anything yet, and what Go's HTTP server answers before a handler is asked.
//!
//! Not here: sockets and how long they may stay (`listener`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode, Version, header::HeaderValue};

use super::body::Body;
use super::service::{Answering, Service};

/// The service of one connection.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    service: Service,
    has_asked: Arc<AtomicBool>,
}

impl Wire {
    pub(super) fn new(service: Service) -> Self {
        Self { service, has_asked: Arc::default() }
    }

    /// Whether the head of a request has come.
    pub(super) fn has_asked(&self) -> bool {
        self.has_asked.load(Ordering::Relaxed)
    }
}

impl hyper::service::Service<Request<Incoming>> for Wire {
    type Response = Response<Body>;
    type Error = hyper::Error;
    type Future = Answering<hyper::Error>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.has_asked.store(true, Ordering::Relaxed);
        match answered(&request) {
            Some(response) => Box::pin(async { Ok(response) }),
            None => self.service.call(request),
        }
    }
}

/// The answer to a request that no handler sees.
fn answered<B>(request: &Request<B>) -> Option<Response<Body>> {
    if request.version() == Version::HTTP_11 && !request.headers().contains_key(HOST) {
        let text = "400 Bad Request: missing required Host header";
        let mut response = text_response(StatusCode::BAD_REQUEST, text);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return Some(response);
    }
    match (request.method(), request.uri().path()) {
        (&Method::OPTIONS, "*") => Some(Response::new(Body::whole(Bytes::new()))),
        (&Method::CONNECT, _) => Some(text_response(StatusCode::NOT_FOUND, "404 page not found\n")),
        _ => None,
    }
}

fn text_response(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::whole(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_handler_sees_is_answered_as_by_gos_server() {
        let check = |method: Method, uri: &str, host: bool, expected: Option<u16>| {
            let mut request = Request::builder().method(method).uri(uri);
            if host {
                request = request.header(HOST, "localhost");
            }
            let request = request.body(()).expect("the request is well formed");
            let code = answered(&request).map(|response| response.status().as_u16());
            assert_eq!(code, expected, "{uri}");
        };
        check(Method::GET, "/version", true, None);
        check(Method::GET, "/version", false, Some(400));
        check(Method::OPTIONS, "*", true, Some(200));
        check(Method::OPTIONS, "/version", true, None);
        check(Method::CONNECT, "127.0.0.1:22", true, Some(404));
    }
}
