//! The Git server itself: HTTP in front of `rpc`, and the call of the webhook behind a push.

use std::convert::Infallible;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use super::commands::{self, Moved};
use super::hook::Hook;
use super::rpc::{self, Ask, Service};
use crate::base::limits::{GIT_BODY_BYTES, HEAD_TIMEOUT};

/// The server cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("no port for the Git server: {0}")]
pub struct HostError(#[from] std::io::Error);

/// A Git server that listens until it is dropped.
#[derive(Debug)]
pub struct Host {
    address: SocketAddr,
    name: String,
    shop: Arc<Shop>,
    task: AbortHandle,
}

/// What every connection needs.
#[derive(Debug)]
struct Shop {
    repository: PathBuf,
    /// The repository's path on the server.
    path: String,
    hook: Mutex<Option<Hook>>,
    deliveries: AtomicU64,
    /// What a client of version 2 is told first: the same for every repository and state.
    greeting: Mutex<Option<Bytes>>,
}

impl Host {
    /// Serves a bare repository as `/NAME.git` on any free port of this machine. Within a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`HostError`].
    pub async fn start(repository: PathBuf, name: &str) -> Result<Self, HostError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shop = Arc::new(Shop {
            repository,
            path: format!("/{name}.git"),
            hook: Mutex::default(),
            deliveries: AtomicU64::new(0),
            greeting: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shop))).abort_handle();
        Ok(Self { address, name: name.to_owned(), shop, task })
    }

    /// Where the repository is fetched from and pushed to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/{}.git", self.address, self.name)
    }

    /// Tells pushes from now on to this webhook; to none without one.
    pub fn set_hook(&self, hook: Option<Hook>) {
        *self.shop.hook.lock().unwrap_or_else(PoisonError::into_inner) = hook;
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shop: Arc<Shop>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, mostly: others have to end first.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let shop = Arc::clone(&shop);
        connections.spawn(async move {
            // Small packets of a conversation must not wait for each other.
            let _ = stream.set_nodelay(true);
            let service = hyper::service::service_fn(move |request| {
                let shop = Arc::clone(&shop);
                async move { Ok::<_, Infallible>(shop.answer(request).await) }
            });
            let mut builder = hyper::server::conn::http1::Builder::new();
            let builder = builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
            // How a connection ends concerns nobody but the client.
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

impl Shop {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let Some(rest) = head.uri.path().strip_prefix(&self.path) else {
            return refused(StatusCode::NOT_FOUND, "there is no such repository\n");
        };
        let query = head.uri.query().unwrap_or_default();
        let protocol = text(&head.headers, "git-protocol");
        match (&head.method, rest) {
            (&Method::GET, "/info/refs") => {
                let asked = query.split('&').find_map(|pair| pair.strip_prefix("service="));
                match asked.and_then(Service::named) {
                    Some(service) => self.advertise(service, protocol).await,
                    None => refused(StatusCode::FORBIDDEN, "only Git's smart protocol is served\n"),
                }
            }
            (&Method::POST, rest) => match Service::named(rest.trim_start_matches('/')) {
                Some(service) => match read(body, &head.headers).await {
                    Ok(body) => self.serve(service, protocol, body).await,
                    Err(refusal) => *refusal,
                },
                None => refused(StatusCode::NOT_FOUND, "there is no such service\n"),
            },
            _ => refused(StatusCode::METHOD_NOT_ALLOWED, "a GET or a POST is expected\n"),
        }
    }

    /// What there is to fetch, or to push to.
    async fn advertise(
        self: Arc<Self>,
        service: Service,
        protocol: Option<String>,
    ) -> Response<Full<Bytes>> {
        let is_greeting =
            service == Service::UploadPack && protocol.as_deref() == Some("version=2");
        let media = format!("application/x-{}-advertisement", service.name());
        if is_greeting && let Some(known) = self.greeting() {
            return said(&media, known);
        }
        let ask = Ask { service, advertise: true, protocol, body: Vec::new() };
        match Arc::clone(&self).ask(ask).await {
            Ok(answer) => {
                let head = format!("# service={}\n", service.name());
                let mut text = format!("{:04x}{head}0000", head.len() + 4).into_bytes();
                text.extend_from_slice(&answer);
                let text = Bytes::from(text);
                if is_greeting {
                    *self.greeting.lock().unwrap_or_else(PoisonError::into_inner) =
                        Some(text.clone());
                }
                said(&media, text)
            }
            Err(refusal) => *refusal,
        }
    }

    fn greeting(&self) -> Option<Bytes> {
        self.greeting.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A fetch or a push.
    async fn serve(
        self: Arc<Self>,
        service: Service,
        protocol: Option<String>,
        body: Vec<u8>,
    ) -> Response<Full<Bytes>> {
        let media = format!("application/x-{}-result", service.name());
        // Only the head of a push is looked at again.
        let head = match service {
            Service::ReceivePack => {
                body.get(..body.len().min(GIT_COMMANDS_BYTES)).map(<[u8]>::to_vec)
            }
            Service::UploadPack => None,
        };
        let ask = Ask { service, advertise: false, protocol, body };
        match Arc::clone(&self).ask(ask).await {
            Ok(answer) => {
                if let Some(head) = head {
                    self.tell(commands::moved(&head, &answer));
                }
                said(&media, Bytes::from(answer))
            }
            Err(refusal) => *refusal,
        }
    }

    async fn ask(self: Arc<Self>, ask: Ask) -> Result<Vec<u8>, Box<Response<Full<Bytes>>>> {
        let work = move || rpc::run(&self.repository, &ask);
        let done = tokio::task::spawn_blocking(work).await;
        let failed = |why: String| {
            let mut response = Response::new(Full::new(Bytes::from(why + "\n")));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            Box::new(response)
        };
        match done {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Calls the webhook for what a push moved; notes and the like are nobody's news.
    fn tell(&self, moved: Vec<Moved>) {
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(hook) = hook else { return };
        let is_news = |moved: &Moved| {
            ["refs/heads/", "refs/tags/"].iter().any(|kind| moved.reference.starts_with(kind))
        };
        for moved in moved.into_iter().filter(is_news) {
            let number = self.deliveries.fetch_add(1, Ordering::Relaxed) + 1;
            let hook = hook.clone();
            tokio::spawn(async move { hook.tell(&moved, &number.to_string()).await });
        }
    }
}

/// The commands of a push are at its beginning.
const GIT_COMMANDS_BYTES: usize = 1024 * 1024;

/// The whole body, as it was before it was compressed.
async fn read(body: Incoming, headers: &HeaderMap) -> Result<Vec<u8>, Box<Response<Full<Bytes>>>> {
    let too_large = || Box::new(refused(StatusCode::PAYLOAD_TOO_LARGE, "the pack is too large\n"));
    let body = Limited::new(body, GIT_BODY_BYTES).collect().await.map_err(|_| too_large())?;
    let bytes = body.to_bytes();
    if text(headers, "content-encoding").as_deref() != Some("gzip") {
        return Ok(bytes.to_vec());
    }
    let mut plain = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(&*bytes).take(GIT_BODY_BYTES as u64);
    match reader.read_to_end(&mut plain) {
        Ok(_) => Ok(plain),
        Err(_) => Err(Box::new(refused(StatusCode::BAD_REQUEST, "the body is no gzip\n"))),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn said(media: &str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    if let Ok(media) = media.parse() {
        response.headers_mut().insert(header::CONTENT_TYPE, media);
    }
    let no_cache = header::HeaderValue::from_static("no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, no_cache);
    response
}

fn refused(code: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = code;
    response
}
