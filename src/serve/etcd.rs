//! What is left of etcd where the API server has its own store: it says that it is well.

use std::convert::Infallible;
use std::future::Future;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Answers on a socket, in plain HTTP, until `stop` is there.
pub async fn serve(listener: TcpListener, stop: impl Future) {
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = &mut stop => return,
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(async move {
                    let service = service_fn(|request| async move {
                        Ok::<_, Infallible>(answer(&request))
                    });
                    let builder = Builder::new(TokioExecutor::new());
                    // How a connection ends concerns nobody but the client.
                    drop(builder.serve_connection(TokioIo::new(stream), service).await);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

fn answer<B>(request: &Request<B>) -> Response<Full<Bytes>> {
    let text = match request.uri().path() {
        "/health" => r#"{"health":"true","reason":""}"#,
        "/livez" | "/readyz" => "ok\n",
        "/version" => r#"{"etcdserver":"3.6.5","etcdcluster":"3.6.0","storage":"3.6.0"}"#,
        _ => {
            let mut response = Response::new(Full::from("404 page not found\n"));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        }
    };
    let mut response = Response::new(Full::from(text));
    if text.starts_with('{') {
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    response
}
