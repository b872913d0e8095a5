//! What a server says of itself: the documents that a client reads before it asks for objects
//! (R-HTTP-03 to R-HTTP-07, R-HTTP-13).
//!
//! A document is made of the list of served kinds, when it is first asked for, and kept until a
//! CustomResourceDefinition changes. `catalog` is that list, `custom` reads the definitions,
//! `legacy` and `aggregated` are the two forms of discovery, `paths` the list at `/`. What OpenAPI
//! says is in the folder beside this one.
//!
//! Not here: who may read a document, methods other than GET, health checks, and headers that
//! every answer has (`serve`).

pub(super) mod accept;
mod aggregated;
pub(super) mod bytes;
pub(super) mod catalog;
pub(super) mod custom;
mod legacy;
mod paths;
mod version;

use std::sync::{Arc, OnceLock};

use super::Server;
use crate::api::{Reason, Request, Status};
use crate::object::Object;
use crate::sim::store::Resource;
use accept::{Form, JSON, YAML};
use catalog::Catalog;
use custom::Stamp;

pub use paths::HEALTH_CHECKS;

/// What a client asks for, apart from the method, which is GET.
#[derive(Clone, Copy, Debug, Default)]
pub struct DocumentRequest<'a> {
    /// The path, percent-decoded: `/apis/apps/v1`.
    pub path: &'a str,
    /// What stands behind `?`, as sent.
    pub query: &'a str,
    /// `Accept`; empty where there is none.
    pub accept: &'a str,
    /// `If-None-Match`.
    pub if_none_match: Option<&'a str>,
}

/// A document as it goes over the wire.
#[derive(Clone, Debug)]
pub struct Document {
    /// HTTP status code.
    pub code: u16,
    /// `Content-Type`; empty where there is no body.
    pub content_type: String,
    /// Further headers; `Cache-Control` is always among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Arc<[u8]>,
}

/// What was made of the served kinds, until a CustomResourceDefinition changes.
#[derive(Debug, Default)]
pub(super) struct Documents {
    made: OnceLock<Made>,
}

/// What was made of one state of the definitions, and of those that came after it by other ways
/// than a request for one (the end of the last object of one, say).
#[derive(Debug)]
struct Made {
    stamp: Stamp,
    catalog: Arc<Catalog>,
    later: OnceLock<Box<Made>>,
}

impl Documents {
    /// Lets go of what was made, where `request` may have changed it.
    pub(super) fn after(&mut self, request: &Request) {
        if request.is_write() && request.resource.plural == custom::PLURAL {
            *self = Self::default();
        }
    }
}

impl Server {
    /// The document at a path; `None` where a path is that of no document.
    #[must_use]
    pub fn document(&self, get: &DocumentRequest) -> Option<Document> {
        // A request about a resource is spared the catalog: that is made anew after each change of
        // a definition.
        if is_of_a_resource(get.path) { None } else { self.catalog().document(get) }
    }

    /// What is served now.
    pub(super) fn catalog(&self) -> Arc<Catalog> {
        let stamp = custom::stamp(self.definitions());
        let make = || {
            let catalog = Arc::new(Catalog::new(self.definitions()));
            Made { stamp, catalog, later: OnceLock::new() }
        };
        let mut made = self.documents.made.get_or_init(make);
        while made.stamp != stamp {
            made = made.later.get_or_init(|| Box::new(make()));
        }
        Arc::clone(&made.catalog)
    }

    fn definitions(&self) -> impl Iterator<Item = &Arc<Object>> {
        let resource = Resource { group: custom::GROUP.into(), plural: custom::PLURAL.into() };
        self.store.all_of(&resource)
    }
}

/// Whether a path lies below the documents of its group and version.
fn is_of_a_resource(path: &str) -> bool {
    let mut segments = path.strip_suffix('/').unwrap_or(path).split('/').skip(1);
    match segments.next() {
        Some("api") => segments.count() > 1,
        Some("apis") => segments.count() > 2,
        _ => false,
    }
}

impl Catalog {
    fn document(&self, get: &DocumentRequest) -> Option<Document> {
        if get.path == "/openapi/v3/" {
            return Some(Document::empty(404));
        }
        let path = get.path.strip_suffix('/').unwrap_or(get.path);
        let mut segments = path.split('/').skip(1);
        let first = segments.next().unwrap_or_default();
        let rest: Vec<&str> = segments.collect();
        match (first, rest.as_slice()) {
            ("", []) => Some(Document::json(&paths::list(self))),
            ("version", []) => Some(self.plain(get, &[JSON], version::document())),
            ("api", []) if wants_aggregated(get) => Some(aggregated::core(self, get)),
            ("apis", []) if wants_aggregated(get) => Some(aggregated::groups(self, get)),
            ("api", []) => Some(self.negotiated(get, ROUTED, &legacy::versions())),
            ("apis", []) => Some(self.negotiated(get, HANDLED, &legacy::group_list(self))),
            ("api", [version]) => Some(self.version_document(get, "", version)),
            ("apis", [group]) => Some(match legacy::group(self, group) {
                Some(body) => self.negotiated(get, HANDLED, &body),
                None => Document::page_not_found(),
            }),
            ("apis", [group, version]) => Some(self.version_document(get, group, version)),
            ("openapi", ["v2"]) => Some(self.openapi_v2(get)),
            ("openapi", ["v3", rest @ ..]) => Some(self.openapi_v3(get, &rest.join("/"))),
            _ => None,
        }
    }

    fn version_document(&self, get: &DocumentRequest, group: &str, version: &str) -> Document {
        match (legacy::version(self, group, version), self.group(group)) {
            (Some((body, custom)), _) => {
                self.negotiated(get, if custom { HANDLED } else { ROUTED }, &body)
            }
            (None, Some(_)) => Document::status(&Status::no_such_resource()),
            (None, None) => Document::page_not_found(),
        }
    }

    /// A document in the form that the client wants. `refusal` says how none is refused.
    fn negotiated(
        &self,
        get: &DocumentRequest,
        refusal: Refusal,
        body: &impl serde::Serialize,
    ) -> Document {
        match accept::choose(get.accept, &[JSON, YAML]) {
            Some(form) => {
                let mut document = Document::json(&bytes::line(body));
                if form.media_type == YAML {
                    document = document.in_yaml();
                }
                document
            }
            None => refusal(&[JSON, YAML, PROTOBUF]),
        }
    }

    fn plain(&self, get: &DocumentRequest, types: &[&'static str], body: Vec<u8>) -> Document {
        match accept::choose(get.accept, types) {
            Some(_) => Document::json(&body),
            None => ROUTED(types),
        }
    }
}

/// Whether the client takes the aggregated form (R-HTTP-04). The first clause of `Accept` that
/// can be met decides.
fn wants_aggregated(get: &DocumentRequest) -> bool {
    let met = accept::choose_with(get.accept, &[JSON, YAML], |form| {
        form.kind.is_empty() || aggregated::is_meant(form)
    });
    met.is_some_and(|form: Form| aggregated::is_meant(&form))
}

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

type Refusal = fn(&[&str]) -> Document;

/// 406 by the router, which knows what an endpoint produces.
const ROUTED: Refusal = |types| {
    let text = format!("406: Not Acceptable\n\nAvailable representations: {}", types.join(", "));
    let mut status = Status::new(406, Reason::NotAcceptable, text);
    status.details = Some(crate::api::Details::default());
    Document::pretty_status(&status)
};

/// 406 by a handler that looked for an encoder.
const HANDLED: Refusal = |types| {
    let text = format!("only the following media types are accepted: {}", types.join(", "));
    Document::pretty_status(&Status::new(406, Reason::NotAcceptable, text))
};

impl Document {
    fn new(code: u16, content_type: &str, body: &[u8]) -> Self {
        Self {
            code,
            content_type: content_type.to_owned(),
            headers: vec![("Cache-Control", "no-cache, private".to_owned())],
            body: body.into(),
        }
    }

    fn json(body: &[u8]) -> Self {
        Self::new(200, JSON, body)
    }

    fn page_not_found() -> Self {
        Self::new(404, "text/plain; charset=utf-8", b"404 page not found\n")
    }

    fn status(status: &Status) -> Self {
        Self::new(status.code, JSON, &bytes::status(status))
    }

    fn pretty_status(status: &Status) -> Self {
        Self::new(status.code, JSON, &bytes::pretty_status(status))
    }

    fn in_yaml(mut self) -> Self {
        self.content_type = YAML.to_owned();
        self.body = bytes::yaml(&self.body).into();
        self
    }

    /// The same with other headers.
    pub(super) fn with(mut self, headers: &[(&'static str, &str)]) -> Self {
        for (name, value) in headers {
            self.headers.retain(|(other, _)| other != name);
            self.headers.push((name, (*value).to_owned()));
        }
        self
    }

    /// An answer without a body.
    pub(super) fn empty(code: u16) -> Self {
        Self::new(code, "", b"")
    }

    /// An answer whose body is kept by others too.
    pub(super) fn shared(content_type: &str, body: Arc<[u8]>) -> Self {
        Self { body, ..Self::new(200, content_type, b"") }
    }
}
