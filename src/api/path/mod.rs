//! HTTP's view of a request: method, path, query, the headers that matter and body bytes, to a
//! [`Request`] and back (R-HTTP-01, R-HTTP-14, R-HTTP-30 to R-HTTP-40).
//!
//! What is wrong with a path, a parameter or a body is told here as a kube-apiserver tells it;
//! whether such a resource exists is for the server to say. Not here: reading from a socket, and
//! how an answer is written (`serve`).

mod body;
mod gojson;
mod query;

use bytes::Bytes;

use super::{PatchKind, Reason, Request, Status, Verb};
use crate::base::limits;
use crate::object::{Gvr, Name};

pub(crate) use body::{field_order, media_of, summary};
pub(crate) use gojson::error as json_error;
pub use query::{decode as percent_decode, encode as percent_encode};
pub(crate) use query::{field_manager_fault, invalid_options};

/// A request as it came over HTTP.
#[derive(Clone, Debug, Default)]
pub struct Incoming<'a> {
    /// `GET`, `POST`, ...
    pub method: &'a str,
    /// Path and query, as sent.
    pub target: &'a str,
    /// `Content-Type`, empty if missing.
    pub content_type: &'a str,
    /// `User-Agent`, empty if missing.
    pub user_agent: &'a str,
    /// The body, as sent.
    pub body: Bytes,
}

/// A request as it goes over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// `GET`, `POST`, ...
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// `Content-Type` of the body, if there is one.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Vec<u8>,
}

/// Reads a request. `kind_of` says the kind of a resource, for the texts of errors; what it does
/// not know is passed on without a body, for the server to refuse.
///
/// # Errors
/// The `Status` that a kube-apiserver answers to a path that names no resource, a parameter that
/// cannot be read and a body that cannot be decoded.
pub fn parse(
    incoming: &Incoming,
    kind_of: impl Fn(&Gvr) -> Option<Name>,
) -> Result<Request, Status> {
    let (path, query) = incoming.target.split_once('?').unwrap_or((incoming.target, ""));
    let place = Place::read(path).ok_or_else(Status::page_not_found)?;
    if place.goes_on {
        return Err(Status::no_such_resource());
    }
    let query = query::Query::read(query);
    let kind = kind_of(&place.resource);
    let verb = verb(incoming, &place, &query, kind.is_some())?;
    if incoming.body.len() > limits::REQUEST_BODY_BYTES {
        return Err(too_large());
    }
    let mut options = query::options(verb, &query, incoming.body.is_empty())?;
    let mut read = None;
    if let Some(kind) = kind.filter(|_| !place.connects()) {
        let kind = place.kind_of_body(kind);
        read = match verb {
            Verb::Create | Verb::Update => Some(body::object(incoming, &kind)?),
            Verb::Patch(patch) => Some(body::patch(&incoming.body, patch)?),
            Verb::Delete | Verb::DeleteCollection if !incoming.body.is_empty() => {
                body::delete_options(incoming, &mut options)?;
                None
            }
            _ => None,
        };
    }
    if matches!(verb, Verb::Create | Verb::Update) {
        options.source = body::source(incoming);
    }
    let body = read.map(|read| {
        options.duplicate_fields = read.duplicates;
        options.duplicate_keys = read.duplicate_keys;
        std::sync::Arc::new(read.value)
    });
    Ok(Request {
        verb,
        resource: place.resource,
        namespace: place.namespace,
        name: place.name,
        subresource: place.subresource.map(Name::Owned),
        body,
        options,
        user_agent: Name::Owned(incoming.user_agent.to_owned()),
        user: None,
    })
}

/// Prints a request as it goes over HTTP.
#[must_use]
pub fn print(request: &Request) -> Outgoing {
    let gvr = &request.resource;
    let mut target = String::from("/");
    target.push_str(if gvr.group.is_empty() { "api" } else { "apis" });
    for part in [Some(&*gvr.group).filter(|g| !g.is_empty()), Some(&*gvr.version)] {
        push_segment(&mut target, part);
    }
    if request.namespace.is_some() {
        target.push_str("/namespaces");
        push_segment(&mut target, request.namespace.as_deref());
    }
    push_segment(&mut target, Some(&*gvr.plural));
    push_segment(&mut target, request.name.as_deref());
    push_segment(&mut target, request.subresource.as_deref());
    query::print(request, &mut target);
    let (method, content_type) = match request.verb {
        Verb::Get | Verb::List | Verb::Watch => ("GET", None),
        Verb::Create => ("POST", Some("application/json")),
        Verb::Update => ("PUT", Some("application/json")),
        Verb::Patch(kind) => ("PATCH", Some(media_type(kind))),
        Verb::Delete | Verb::DeleteCollection => ("DELETE", Some("application/json")),
    };
    let body = match request.verb {
        Verb::Delete | Verb::DeleteCollection => body::print_delete_options(request),
        _ => request.body.as_ref().map(|b| b.to_string().into_bytes()).unwrap_or_default(),
    };
    let content_type = content_type.filter(|_| !body.is_empty());
    Outgoing { method, target, content_type, body }
}

fn push_segment(target: &mut String, segment: Option<&str>) {
    if let Some(segment) = segment {
        target.push('/');
        target.push_str(&percent_encode(segment));
    }
}

/// The media type of a patch.
#[must_use]
pub fn media_type(kind: PatchKind) -> &'static str {
    match kind {
        PatchKind::Json => "application/json-patch+json",
        PatchKind::Merge => "application/merge-patch+json",
        PatchKind::Strategic => "application/strategic-merge-patch+json",
        PatchKind::Apply => "application/apply-patch+yaml",
    }
}

/// What a path names.
struct Place {
    resource: Gvr,
    namespace: Option<String>,
    name: Option<String>,
    subresource: Option<String>,
    /// The old `/watch/` paths.
    watched: bool,
    /// Whether more follows that names nothing.
    goes_on: bool,
}

impl Place {
    /// Whether this is a stream to something that runs, which takes no object.
    fn connects(&self) -> bool {
        let subresource = self.subresource.as_deref().unwrap_or_default();
        matches!(subresource, "exec" | "attach" | "portforward" | "proxy")
    }

    /// What is sent to the place, where `own` is the kind of its resource.
    fn kind_of_body(&self, own: Name) -> Name {
        match self.subresource.as_deref() {
            Some("token") => Name::Borrowed("TokenRequest"),
            Some("eviction") => Name::Borrowed("Eviction"),
            Some("binding") => Name::Borrowed("Binding"),
            Some("scale") => Name::Borrowed("Scale"),
            _ => own,
        }
    }

    fn read(path: &str) -> Option<Self> {
        let mut segments: Vec<String> =
            path.split('/').filter(|s| !s.is_empty()).map(percent_decode).collect();
        let head = match segments.first().map(String::as_str)? {
            "api" => 2,
            "apis" => 3,
            _ => return None,
        };
        if segments.len() <= head {
            return None;
        }
        let group = if head == 3 { segments[1].clone() } else { String::new() };
        let version = segments[head - 1].clone();
        let watched = segments[head] == "watch" && segments.len() > head + 1;
        let mut rest = segments.split_off(head + usize::from(watched)).into_iter();
        let mut plural = rest.next()?;
        let mut namespace = None;
        let mut name = None;
        if plural == "namespaces" {
            name = rest.next();
            // `/namespaces/a/status` is of the namespace itself, `/namespaces/a/pods` is in it.
            let next = rest.as_slice().first().map(String::as_str);
            if next.is_some_and(|next| next != "status" && next != "finalize") {
                namespace = name.take();
                plural = rest.next()?;
                name = rest.next();
            }
        } else {
            name = name.or_else(|| rest.next());
        }
        let subresource = rest.next();
        let resource = Gvr {
            group: Name::Owned(group),
            version: Name::Owned(version),
            plural: Name::Owned(plural),
        };
        let mut place = Self { resource, namespace, name, subresource, watched, goes_on: false };
        // Behind a proxy the rest of the path is another server's.
        place.goes_on = rest.next().is_some() && !place.connects();
        Some(place)
    }
}

fn verb(
    incoming: &Incoming,
    place: &Place,
    query: &query::Query,
    known: bool,
) -> Result<Verb, Status> {
    Ok(match (incoming.method, &place.name) {
        ("GET", name) if place.watched || (name.is_none() && query.flag("watch")) => Verb::Watch,
        ("GET", None) => Verb::List,
        ("GET", Some(_)) => Verb::Get,
        ("POST", _) => Verb::Create,
        ("PUT", _) => Verb::Update,
        ("PATCH", _) if !known => Verb::Patch(PatchKind::Merge),
        ("PATCH", _) => Verb::Patch(patch_kind(incoming.content_type)?),
        ("DELETE", Some(_)) => Verb::Delete,
        ("DELETE", None) => Verb::DeleteCollection,
        _ => return Err(Status::method_not_allowed()),
    })
}

fn patch_kind(content_type: &str) -> Result<PatchKind, Status> {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    [PatchKind::Json, PatchKind::Merge, PatchKind::Strategic, PatchKind::Apply]
        .into_iter()
        .find(|kind| media_type(*kind) == media)
        .ok_or_else(|| {
            let mut status =
                Status::new(415, Reason::UnsupportedMediaType, "415: Unsupported Media Type");
            status.details = Some(super::Details::default());
            status
        })
}

fn too_large() -> Status {
    let text = format!("Request entity too large: limit is {}", limits::REQUEST_BODY_BYTES);
    Status::new(413, Reason::RequestEntityTooLarge, text)
}

#[cfg(test)]
mod tests;
