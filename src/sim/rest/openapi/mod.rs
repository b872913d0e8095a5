//! What a server says of the form of its objects: `/openapi/v3`, a document a group and version,
//! and `/openapi/v2`, one document for all (R-HTTP-09 to R-HTTP-13).
//!
//! Documents are put together when they are asked for, out of a generated table (`table`) and of
//! the definitions of custom resources (`custom`); those of built-in kinds are the same for every
//! server of a process. A document's `ETag` is the digest of its bytes, which are those of the
//! real server.
//!
//! Not here: checking objects against a schema (`object::schema`), `Expires` and `Last-Modified`,
//! which need a clock (`serve`).

mod custom;
mod document;
mod gnostic;
mod schema;
mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

use super::discovery::accept::{self, JSON};
use super::discovery::bytes;
use super::discovery::catalog::Catalog;
use super::discovery::{Document, DocumentRequest};
use table::table;

/// Gnostic's protocol buffers, and an old name of them, which is no media type.
const GNOSTIC: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const GNOSTIC_OLD: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/// A document with its digest.
#[derive(Clone, Debug)]
struct Made {
    etag: String,
    body: Arc<[u8]>,
}

impl Made {
    fn new(text: String) -> Self {
        let bytes = text.into_bytes();
        Self { etag: bytes::etag(&bytes), body: bytes.into() }
    }
}

/// What was made for one state of the definitions.
#[derive(Debug, Default)]
pub(super) struct Built {
    /// Documents of custom resources, by name.
    custom: OnceLock<BTreeMap<String, Made>>,
    index: OnceLock<Arc<[u8]>>,
    v2: OnceLock<Made>,
    v2_protobuf: OnceLock<Arc<[u8]>>,
}

/// A document of built-in kinds; its body is kept once it was asked for, its digest before.
#[derive(Debug, Default)]
struct Builtin {
    made: OnceLock<Made>,
    etag: OnceLock<String>,
}

static BUILTIN: LazyLock<BTreeMap<&'static str, Builtin>> = LazyLock::new(|| {
    table().documents.iter().map(|listed| (listed.name, Builtin::default())).collect()
});

impl Builtin {
    fn write(name: &str) -> String {
        let listed = table().documents.iter().find(|listed| listed.name == name);
        listed.map(document::builtin).unwrap_or_default()
    }

    fn made(&self, name: &str) -> &Made {
        self.made.get_or_init(|| Made::new(Self::write(name)))
    }

    /// The digest, for which a body that nobody asked for is not kept.
    fn etag(&self, name: &str) -> &str {
        match self.made.get() {
            Some(made) => &made.etag,
            None => self.etag.get_or_init(|| bytes::etag(Self::write(name).as_bytes())),
        }
    }
}

impl Catalog {
    /// `/openapi/v2`.
    pub(super) fn openapi_v2(&self, get: &DocumentRequest) -> Document {
        const VARY: (&str, &str) = ("Vary", "Accept-Encoding, Accept");
        let Some(form) = accept::choose(get.accept, &[JSON, GNOSTIC, GNOSTIC_OLD]) else {
            return Document::empty(406).with(&[VARY]);
        };
        let json =
            self.built.v2.get_or_init(|| Made::new(document::v2_json(&document::v2_parts(self))));
        if form.media_type == JSON {
            return served(get, json, JSON).with(&[VARY]);
        }
        // Both forms are one document to a client that has it: they have one tag.
        let body = self
            .built
            .v2_protobuf
            .get_or_init(|| gnostic::document(table(), &document::v2_parts(self)).into());
        let made = Made { etag: json.etag.clone(), body: Arc::clone(body) };
        served(get, &made, GNOSTIC).with(&[VARY])
    }

    /// `/openapi/v3` and what is below it.
    pub(super) fn openapi_v3(&self, get: &DocumentRequest, name: &str) -> Document {
        if name.is_empty() {
            let index = self.built.index.get_or_init(|| self.index().into_bytes().into());
            return Document::shared("text/plain; charset=utf-8", Arc::clone(index));
        }
        let made = match BUILTIN.get(name) {
            Some(builtin) => builtin.made(name),
            None => match self.custom().get(name) {
                Some(made) => made,
                None => return Document::empty(404),
            },
        };
        self.v3_document(get, name, made)
    }

    fn v3_document(&self, get: &DocumentRequest, name: &str, made: &Made) -> Document {
        const VARY: (&str, &str) = ("Vary", "Accept");
        if accept::choose(get.accept, &[JSON]).is_none() {
            return Document::empty(406).with(&[VARY]);
        }
        let hash = get.query.split('&').find_map(|part| part.strip_prefix("hash="));
        match hash.filter(|hash| !hash.is_empty()) {
            Some(hash) if hash != made.etag => {
                let location = format!("/openapi/v3/{name}?hash={}", made.etag);
                let etag = format!("\"{}\"", made.etag);
                let headers = [("ETag", &*etag), VARY, ("Location", &location)];
                let mut document = Document::empty(301).with(&headers);
                JSON.clone_into(&mut document.content_type);
                document
            }
            Some(_) => {
                let forever = ("Cache-Control", "public, immutable");
                served(get, made, JSON).with(&[VARY, forever])
            }
            None => served(get, made, JSON).with(&[VARY]),
        }
    }

    /// Documents of custom resources, by name.
    fn custom(&self) -> &BTreeMap<String, Made> {
        self.built.custom.get_or_init(|| {
            let mut made = BTreeMap::new();
            for group in self.groups() {
                for version in &group.versions {
                    if version.kinds.iter().any(|served| served.custom.is_some()) {
                        let name = format!("apis/{}/{}", group.name, version.name);
                        made.insert(name, Made::new(document::of_custom(version)));
                    }
                }
            }
            made
        })
    }

    /// Where each document is, at an address that changes with it (R-HTTP-11).
    fn index(&self) -> String {
        let builtin = BUILTIN.iter().map(|(name, builtin)| (*name, builtin.etag(name)));
        let custom = self.custom().iter().map(|(name, made)| (name.as_str(), made.etag.as_str()));
        let all: BTreeMap<&str, &str> = custom.chain(builtin).collect();
        let entries: Vec<String> = all
            .iter()
            .map(|(name, etag)| {
                format!("\"{name}\":{{\"serverRelativeURL\":\"/openapi/v3/{name}?hash={etag}\"}}")
            })
            .collect();
        format!("{{\"paths\":{{{}}}}}", entries.join(","))
    }
}

/// A document, or 304 where the client has it.
fn served(get: &DocumentRequest, made: &Made, content_type: &str) -> Document {
    let etag = format!("\"{}\"", made.etag);
    let known = get.if_none_match == Some(&etag);
    let document = match known {
        true => Document::empty(304),
        false => Document::shared(content_type, Arc::clone(&made.body)),
    };
    document.with(&[("ETag", &etag)])
}
