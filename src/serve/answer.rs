//! From a request of HTTP to its answer: who asks, for what, in which form.
//!
//! Everything is decided elsewhere: paths, parameters and bodies are read by `api::path`, answered
//! by the server of the cluster, written by `encode`. Not here: sockets (`listener`).

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{self, HeaderName};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Response};

use super::audit;
use super::body::Body;
use super::cluster::{Cluster, Outcome};
use super::encode;
use super::health;
use super::identity::{self, Peer};
use super::journal::Kept;
use super::negotiate::{self, Form, Offer};
use super::pages::Page;
use super::protobuf;
use super::reply::Reply;
use crate::api::path::{self, Incoming, percent_decode, percent_encode};
use crate::api::{Reason, Request, Status, User, Verb};
use crate::object::{Gvr, Value, schema};
use crate::sim::rest::discovery::{Document, DocumentRequest};
use crate::sim::rest::table::{Form as Shape, Include};
use crate::sim::rest::{Asked as SenderAsks, WebhookAnswer};
use crate::sim::world::CallingOut;

/// The media type of bodies in protobuf.
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// What is asked, with the headers that matter read.
struct Asked<'a> {
    method: &'a str,
    path: Cow<'a, str>,
    query: &'a str,
    accept: String,
    user_agent: &'a str,
    headers: &'a HeaderMap,
    body: Bytes,
    pretty: bool,
}

/// Answers a request whose body has been read. An answer to a write may be sent when the write is
/// kept.
///
/// A request that has to wait for a webhook is not answered: the caller makes the call, and asks
/// again with what came of it.
pub(super) fn answer(
    cluster: &Cluster,
    peer: &Peer,
    head: &Parts,
    body: Bytes,
    resumed: Option<Resumed>,
) -> Step {
    let query = head.uri.query().unwrap_or_default();
    let user_agent = text(&head.headers, header::USER_AGENT);
    let accept: Vec<&str> =
        head.headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok()).collect();
    let asked = Asked {
        method: head.method.as_str(),
        path: plain_path(head.uri.path()),
        query,
        accept: accept.join(","),
        user_agent,
        headers: &head.headers,
        body,
        pretty: negotiate::is_pretty(query, user_agent),
    };
    let audit_id = audit::id(text(&head.headers, HeaderName::from_static("audit-id")));
    let mut come =
        Come { cluster, peer, user: None, kept: None, resumed, asked: None, waiting: None };
    let (reply, flow) = match asked.reply(&mut come) {
        Ok(reply) => (reply, Some(audit::flow(come.user.as_deref()))),
        // Who is not known comes under no flow.
        Err(status) if status.code == 401 => (asked.status(&status, false), None),
        Err(status) => (asked.status(&status, true), Some(audit::flow(come.user.as_deref()))),
    };
    if let Some(waiting) = come.waiting {
        return Step::Waiting(waiting);
    }
    let reply = if asked.method == "GET" { reply.gzipped(&head.headers) } else { reply };
    let response = reply.into_http(&audit_id, flow);
    Step::Answered(Answer { response, kept: come.kept, asked: come.asked })
}

/// How far a request has come.
pub(super) enum Step {
    Answered(Answer),
    Waiting(Box<CallingOut>),
}

/// A request that waited, and what its webhook answered.
pub(super) type Resumed = (Box<CallingOut>, WebhookAnswer);

/// Where a request has come, from whom, and what came of it.
struct Come<'a> {
    cluster: &'a Cluster,
    peer: &'a Peer,
    user: Option<Arc<User>>,
    kept: Option<Kept>,
    resumed: Option<Resumed>,
    /// The request that was carried out.
    asked: Option<Box<Request>>,
    /// Set where a webhook has to be called before there can be an answer.
    waiting: Option<Box<CallingOut>>,
}

/// An answer, and what has to be on the disk before it is sent.
pub(super) struct Answer {
    pub(super) response: Response<Body>,
    pub(super) kept: Option<Kept>,
    /// The request that was carried out, if it was one about a resource.
    pub(super) asked: Option<Box<Request>>,
}

/// The answer in place of one to a write that was not kept.
pub(super) fn unkept(status: &Status) -> Response<Body> {
    Reply::status(status, Form::PLAIN).into_http(&audit::id(""), None)
}

/// The answer to a request that showed a bug.
pub(super) fn panicked() -> Step {
    let text = "This request caused apiserver to panic. Look in the logs for details.";
    let response = unkept(&Status::new(500, Reason::InternalError, text));
    Step::Answered(Answer { response, kept: None, asked: None })
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A path whose escapes were read before it was split: `%2f` parts segments, as in Go's routers.
fn plain_path(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let decoded = percent_decode(path);
    let segments: Vec<String> = decoded.split('/').map(percent_encode).collect();
    Cow::Owned(segments.join("/"))
}

impl Asked<'_> {
    fn reply(&self, come: &mut Come) -> Result<Reply, Status> {
        if let Some(found) = health::answer(&self.path, self.query) {
            self.come_by_path(come)?;
            return Ok(found);
        }
        if self.path == "/metrics" && self.method == "GET" {
            self.come_by_path(come)?;
            let (objects, watches) = come
                .cluster
                .with_server(|server, _| (server.object_counts(), server.watch_count()));
            return Ok(come.cluster.metrics().page(&objects, watches));
        }
        if let Some(found) = self.document(come)? {
            return Ok(found);
        }
        let mut request = match self.request(come.cluster) {
            Ok(request) => request,
            // Who may not be here is told that first.
            Err(status) => {
                self.come_by_path(come)?;
                return Err(status);
            }
        };
        self.authenticate(come, &SenderAsks::Request(&request))?;
        request.user.clone_from(&come.user);
        let built_in = schema::builtin().resource(&request.resource).is_some();
        let offer = Offer { protobuf: built_in, watch: request.verb == Verb::Watch };
        let form = negotiate::negotiate(&self.accept, offer)?;
        let mut form = Form { pretty: form.pretty || self.pretty, ..form };
        if let Some(transform) = &mut form.transform
            && transform.form == Shape::Table
        {
            transform.include = Include::read(&self.parameter("includeObject"))?;
        }
        if request.verb == Verb::Watch && request.options.timeout_seconds.is_none() {
            request.options.timeout_seconds = Some(come.cluster.draw_watch_seconds());
        }
        let called = match come.resumed.take() {
            Some((waiting, answer)) => come.cluster.resume(*waiting, answer),
            None => come.cluster.call(&request, form),
        };
        come.kept = called.kept;
        match called.outcome {
            Outcome::Waiting(waiting) => {
                come.waiting = Some(waiting);
                Ok(Reply::text(200, Bytes::new()))
            }
            Outcome::Opened(warnings, reader) => {
                come.asked = Some(Box::new(request));
                let name = match form.media {
                    negotiate::Media::Protobuf => {
                        "application/vnd.kubernetes.protobuf;stream=watch"
                    }
                    media => media.name(),
                };
                let mut reply = Reply::new(200, name, Bytes::new()).warning(&warnings);
                reply.body = Body::watch(reader);
                Ok(reply)
            }
            Outcome::Answered(response) => {
                let reply = match response.as_status() {
                    Some(status) => Ok(self.status(status, built_in)),
                    None => encode::response(come.cluster, &request.resource, &response, form)
                        .map(|body| Reply::encoded(response.code, body)),
                };
                come.asked = Some(Box::new(request));
                Ok(reply?.warning(&response.warnings))
            }
        }
    }

    /// Finds out who asks for something.
    fn authenticate(&self, come: &mut Come, asks: &SenderAsks) -> Result<(), Status> {
        let (peer, headers) = (come.peer, self.headers);
        come.user = come
            .cluster
            .with_server(|server, now| identity::of_request(server, now, peer, headers, asks))?;
        Ok(())
    }

    /// Finds out who asks for a path that is no resource's, and whether he may.
    fn come_by_path(&self, come: &mut Come) -> Result<(), Status> {
        let verb = self.method.to_ascii_lowercase();
        self.authenticate(come, &SenderAsks::Path(&verb, &self.path))?;
        match &come.user {
            Some(user) => {
                come.cluster.with_server(|server, _| server.authorize_path(user, &verb, &self.path))
            }
            None => Ok(()),
        }
    }

    /// A document of discovery, OpenAPI or OpenID, or a page about the server.
    fn document(&self, come: &mut Come) -> Result<Option<Reply>, Status> {
        if let Some(page) = Page::at(&self.path) {
            self.come_by_path(come)?;
            return page.answer(come.cluster, &self.accept, self.pretty).map(Some);
        }
        let known = text(self.headers, header::IF_NONE_MATCH);
        let get = DocumentRequest {
            path: &self.path,
            query: self.query,
            accept: &self.accept,
            if_none_match: Some(known).filter(|known| !known.is_empty()),
        };
        let found = come.cluster.with_server(|server, _| match &*self.path {
            "/.well-known/openid-configuration" => Some(plain(&server.openid_configuration())),
            "/openid/v1/jwks" => Some(plain(&server.openid_keys())),
            _ => server.document(&get).map(written),
        });
        let Some(found) = found else { return Ok(None) };
        self.come_by_path(come)?;
        if self.method == "GET" || self.takes_any_method() {
            return Ok(Some(found));
        }
        Err(Status::method_not_allowed())
    }

    /// Whether a document is one of a handler that does not look at the method; the others stand
    /// in a router that does.
    fn takes_any_method(&self) -> bool {
        let mut segments = self.path.split('/').filter(|segment| !segment.is_empty());
        match segments.next() {
            Some("apis") => segments.count() < 2,
            Some("openapi") | None => true,
            Some(_) => false,
        }
    }

    /// A parameter of the query; empty where there is none.
    fn parameter(&self, name: &str) -> String {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value);
        value.map(percent_decode).unwrap_or_default()
    }

    fn request(&self, cluster: &Cluster) -> Result<Request, Status> {
        if self.path.starts_with("//") {
            return Err(Status::page_not_found());
        }
        // A namespace that is none stands for all of them.
        let path = self.path.trim_end_matches('/').replacen("/namespaces//", "/", 1);
        if path.contains("//") {
            return Err(Status::no_such_resource());
        }
        timeout_fault(&self.parameter("timeout")).map_or(Ok(()), Err)?;
        let content_type = text(self.headers, header::CONTENT_TYPE);
        let target = format!("{path}?{}", self.query);
        let kind_of = |gvr: &Gvr| cluster.with_server(|server, _| server.kind_of(gvr));
        let incoming = |content_type, body| Incoming {
            method: self.method,
            target: &target,
            content_type,
            user_agent: self.user_agent,
            body,
        };
        let incoming = match self.as_json(content_type) {
            Ok(Some(json)) => incoming("application/json", Bytes::from(json)),
            Ok(None) => incoming(content_type, self.body.clone()),
            Err(refused) => {
                // What it should have been is said by the path.
                let empty = incoming("application/json", Bytes::from_static(b"{}"));
                let request = path::parse(&empty, kind_of)?;
                let kind = kind_of(&request.resource).unwrap_or_default();
                return Err(Status::bad_request(refused.message(&kind, &self.body)));
            }
        };
        let request = path::parse(&incoming, kind_of)?;
        // What lies behind a name that is none names nothing.
        match request.name.as_deref().and_then(name_fault) {
            Some(_) if request.subresource.is_some() => Err(Status::no_such_resource()),
            Some(fault) => Err(Status::bad_request(fault)),
            None => key_fault(&request).map_or(Ok(request), Err),
        }
    }

    /// A protobuf body as JSON.
    fn as_json(&self, content_type: &str) -> Result<Option<Vec<u8>>, protobuf::Refused> {
        if path::media_of(content_type) != PROTOBUF || self.body.is_empty() {
            return Ok(None);
        }
        let read = protobuf::decode(&self.body, None)?;
        Ok(Some(read.value.to_string().into_bytes()))
    }

    /// A failure in the form that the client reads.
    fn status(&self, status: &Status, protobuf: bool) -> Reply {
        let form = negotiate::of_status(&self.accept, protobuf);
        Reply::status(status, Form { pretty: form.pretty || self.pretty, ..form })
    }
}

/// A document as it was made.
fn written(document: Document) -> Reply {
    let mut reply = Reply::new(document.code, "", Bytes::from_owner(document.body));
    if document.code == 404 && document.content_type.starts_with("text/plain") {
        reply = reply.with(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    }
    reply.content_type = Cow::Owned(document.content_type);
    for (name, value) in document.headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            reply = reply.with(name, &value);
        }
    }
    reply
}

fn plain(value: &Value) -> Reply {
    Reply::encoded(200, encode::value(value, Form::PLAIN))
}

/// What is wrong with the time that a client gives its request, if anything.
fn timeout_fault(text: &str) -> Option<Status> {
    let is_one = text.is_empty() || crate::object::go::duration(text).is_some();
    let why = "invalid timeout specified in the request URL - time: invalid duration";
    (!is_one).then(|| Status::bad_request(format!("{why} {text:?}")))
}

/// A namespace that would lead out of its place among the keys of the store.
fn key_fault(request: &Request) -> Option<Status> {
    let namespace = request.namespace.as_deref().filter(|name| matches!(*name, "." | ".."))?;
    let mut key = format!("/{}/{namespace}", request.resource.plural);
    for name in request.name.iter() {
        key.push('/');
        key.push_str(name);
    }
    Some(Status::new(500, Reason::Unknown, format!("invalid key: {key:?}")))
}

/// What is wrong with a name as a segment of a key, if anything.
fn name_fault(name: &str) -> Option<String> {
    let fault = match name {
        "." | ".." => format!("may not be '{name}'"),
        _ if name.contains('/') => "may not contain '/'".to_owned(),
        _ if name.contains('%') => "may not contain '%'".to_owned(),
        _ => return None,
    };
    Some(format!("Name parameter invalid: {name:?}: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_slash_parts_segments_and_other_escapes_stay() {
        assert_eq!(plain_path("/api/v1/pods"), "/api/v1/pods");
        assert_eq!(plain_path("/api/v1/a%2fb"), "/api/v1/a/b");
        assert_eq!(plain_path("/api/v1/a%20b"), "/api/v1/a%20b");
    }

    #[test]
    fn names_that_would_leave_their_place_are_refused() {
        assert_eq!(
            name_fault("..").as_deref(),
            Some("Name parameter invalid: \"..\": may not be '..'")
        );
        assert_eq!(name_fault("a..b"), None);
    }
}
