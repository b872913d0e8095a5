//! Carries requests to an API server over HTTP, through kube's client, and brings back answers and
//! watch events: the transport for a real cluster.
//!
//! A client of the API (`api::client`) cannot tell this from the simulated transport: it hears the
//! same inputs. What fails on the way is told as the Status that a server which cannot be reached
//! would answer; a watch that breaks off has ended; an answer that asks for a pause is sent again
//! after it, as client-go does. To go on from a watch that ended, and from a 410, is the
//! informer's.
//!
//! Not here: who is asked and with which credentials (`lab::backend` makes the `kube::Client`), and
//! what a request looks like (`path`).

mod answer;
mod lines;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::header::{self, HeaderMap};
use kube::client::Body;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::path::{self, Outgoing};
use super::{Payload, Reason, Request, Response, Status, Verb, WatchEvent};
use crate::base::limits;
use lines::Lines;

/// What comes back for a client.
#[derive(Debug)]
pub enum Told {
    /// The answer to a request; a watch that is open is `Watching`.
    Answer {
        /// Whose request it was.
        client: u32,
        /// The client's id for it.
        id: u64,
        /// The request.
        request: Box<Request>,
        /// What the server said, or what is said for one that cannot be reached.
        response: Arc<Response>,
    },
    /// An event of a watch.
    Event {
        /// Whose watch it is.
        client: u32,
        /// The client's id for it.
        id: u64,
        /// The event.
        event: WatchEvent,
    },
    /// A watch has ended.
    Ended {
        /// Whose watch it was.
        client: u32,
        /// The client's id for it.
        id: u64,
    },
}

/// The server could not be reached, or broke off. Whether it got the request is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unreachable {
    /// What went wrong, from the outside to its cause.
    pub why: String,
}

/// Where what comes back is told.
type Tell = Box<dyn Fn(Told) + Send + Sync>;

/// A connection to one API server, for any number of clients. Clones are the same connection.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    client: kube::Client,
    runtime: Handle,
    tell: Tell,
    /// As many requests as may be under way at once; watches are not counted.
    slots: Semaphore,
    watches: Mutex<BTreeMap<(u32, u64), AbortHandle>>,
}

impl Link {
    /// A link through `client`, whose work is done on `runtime`. `tell` is called from there and
    /// must not block.
    pub fn new(
        client: kube::Client,
        runtime: Handle,
        tell: impl Fn(Told) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            client,
            runtime,
            tell: Box::new(tell),
            slots: Semaphore::new(limits::REQUESTS_IN_FLIGHT),
            watches: Mutex::default(),
        }))
    }

    /// Sends a request of a client; what comes of it is told under the same client and id.
    pub fn send(&self, client: u32, id: u64, request: Box<Request>) {
        let link = self.clone();
        if request.verb == Verb::Watch {
            let task = self.0.runtime.spawn(link.watch(client, id, request));
            let mut watches = self.0.watches.lock().unwrap_or_else(PoisonError::into_inner);
            watches.retain(|_, task| !task.is_finished());
            watches.insert((client, id), task.abort_handle());
        } else {
            self.0.runtime.spawn(async move {
                let response = Arc::new(link.call(&request).await);
                (link.0.tell)(Told::Answer { client, id, request, response });
            });
        }
    }

    /// A client went away: its watches are closed. What it sent before arrives.
    pub fn drop_client(&self, client: u32) {
        let mut watches = self.0.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|(of, _), task| {
            if *of == client {
                task.abort();
            }
            *of != client
        });
    }

    /// Closes every watch.
    pub fn close(&self) {
        let mut watches = self.0.watches.lock().unwrap_or_else(PoisonError::into_inner);
        for task in std::mem::take(&mut *watches).into_values() {
            task.abort();
        }
    }

    /// One request and its answer. A server that cannot be reached answers 503.
    pub async fn call(&self, request: &Request) -> Response {
        self.try_call(request).await.unwrap_or_else(|error| unavailable(&error))
    }

    /// The same, waited for, but no longer than `bound`: for those who do nothing else meanwhile.
    /// Not from within the runtime.
    #[must_use]
    pub fn call_blocking(&self, request: &Request, bound: Duration) -> Response {
        let asked = async { timeout(bound, self.call(request)).await };
        self.0.runtime.block_on(asked).unwrap_or_else(|_| {
            let why = format!("no answer in {} s", bound.as_secs());
            unavailable(&Unreachable { why })
        })
    }

    /// One request and its answer. Where the answer asks for a pause it is sent again after that,
    /// up to [`limits::ASKED_TO_WAIT_TRIES`] times.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn try_call(&self, request: &Request) -> Result<Response, Unreachable> {
        // Nobody closes the semaphore; without a slot the request would go all the same.
        let _slot = self.0.slots.acquire().await.ok();
        let outgoing = path::print(request);
        let agent = &request.user_agent;
        let mut tries = 0;
        loop {
            let exchange = async {
                let response = self.exchange(&outgoing, agent).await?;
                let (head, body) = response.into_parts();
                let body = body.collect().await.map_err(|error| unreachable(&error))?;
                Ok((head, body.to_bytes()))
            };
            let (head, bytes) = match timeout(limits::ANSWER_TIMEOUT, exchange).await {
                Ok(answered) => answered?,
                Err(_) => return Err(Unreachable { why: "no answer in time".to_owned() }),
            };
            tries += 1;
            match pause_asked_for(head.status.as_u16(), &head.headers) {
                Some(pause) if tries < limits::ASKED_TO_WAIT_TRIES => sleep(pause).await,
                _ => {
                    let code = head.status.as_u16();
                    return Ok(answer::read(request.verb, code, &head.headers, &bytes));
                }
            }
        }
    }

    async fn exchange(
        &self,
        outgoing: &Outgoing,
        agent: &str,
    ) -> Result<http::Response<Body>, Unreachable> {
        let mut request = http::Request::builder()
            .method(outgoing.method)
            .uri(&outgoing.target)
            .header(header::USER_AGENT, agent)
            .header(header::ACCEPT, "application/json");
        if let Some(media) = outgoing.content_type {
            request = request.header(header::CONTENT_TYPE, media);
        }
        let request = request.body(Body::from(Bytes::copy_from_slice(&outgoing.body)));
        let request = request.map_err(|error| unreachable(&error))?;
        self.0.client.send(request).await.map_err(|error| unreachable(&error))
    }

    /// Opens a watch and tells of its events until it ends.
    async fn watch(self, client: u32, id: u64, mut request: Box<Request>) {
        // A connection that is dead would never be noticed: the watch is asked for anew in time.
        request.options.timeout_seconds.get_or_insert(limits::WATCH_SECONDS);
        let outgoing = path::print(&request);
        let opened = timeout(limits::ANSWER_TIMEOUT, self.exchange(&outgoing, &request.user_agent));
        let response = match opened.await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return self.not_opened(client, id, request, unavailable(&error)),
            Err(_) => {
                let late = Unreachable { why: "no answer in time".to_owned() };
                return self.not_opened(client, id, request, unavailable(&late));
            }
        };
        let (head, mut body) = response.into_parts();
        let code = head.status.as_u16();
        if code != 200 {
            let bytes = body.collect().await.map(http_body_util::Collected::to_bytes);
            let bytes = bytes.unwrap_or_default();
            let response = answer::read(request.verb, code, &head.headers, &bytes);
            return self.not_opened(client, id, request, response);
        }
        let open = Response { code, payload: Payload::Watching, warnings: Vec::new() };
        self.not_opened(client, id, request, open);
        let mut lines = Lines::default();
        'stream: while let Some(Ok(frame)) = body.frame().await {
            let Ok(data) = frame.into_data() else { continue };
            lines.add(&data);
            while let Some(line) = lines.next() {
                let Some(event) = answer::event(&line) else { break 'stream };
                (self.0.tell)(Told::Event { client, id, event });
            }
            if lines.is_too_long() {
                break;
            }
        }
        (self.0.tell)(Told::Ended { client, id });
    }

    /// Tells of the answer to a watch.
    fn not_opened(&self, client: u32, id: u64, request: Box<Request>, response: Response) {
        (self.0.tell)(Told::Answer { client, id, request, response: Arc::new(response) });
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

/// The pause that an answer asks for, as client-go reads it: of a 429 and of server errors, in
/// whole seconds.
fn pause_asked_for(code: u16, headers: &HeaderMap) -> Option<Duration> {
    if code != 429 && code < 500 {
        return None;
    }
    let seconds: u64 = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(limits::RETRY_MAX))
}

fn unavailable(error: &Unreachable) -> Response {
    let text = format!("the API server cannot be reached: {error}");
    Response::status(Status::new(503, Reason::ServiceUnavailable, text))
}

/// What went wrong, with everything that an error says of its causes.
fn unreachable(error: &dyn std::error::Error) -> Unreachable {
    let mut why = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        if !why.contains(&text) {
            why.push_str(": ");
            why.push_str(&text);
        }
        source = error.source();
    }
    Unreachable { why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_made_where_a_busy_server_asks_for_one() {
        let check = |code: u16, after: Option<&str>, pause: Option<u64>| {
            let mut headers = HeaderMap::new();
            if let Some(after) = after {
                headers.insert(header::RETRY_AFTER, after.parse().unwrap());
            }
            assert_eq!(pause_asked_for(code, &headers), pause.map(Duration::from_secs), "{code}");
        };
        check(429, Some("1"), Some(1));
        check(503, Some("2"), Some(2));
        check(429, None, None);
        check(200, Some("1"), None);
        check(404, Some("1"), None);
        check(500, Some("soon"), None);
    }
}
