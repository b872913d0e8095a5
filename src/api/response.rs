//! An API server's answer as data.

use std::sync::Arc;

use super::Status;
use crate::object::{Name, Object};

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// HTTP status code.
    pub code: u16,
    /// What came back.
    pub payload: Payload,
    /// Texts of `Warning` headers (R-HTTP-25).
    pub warnings: Vec<String>,
}

/// What an answer carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// One object.
    Object(Arc<Object>),
    /// A collection.
    List(List),
    /// A failure, or the success of a delete.
    Status(Box<Status>),
    /// The watch is open; events follow under the request's id.
    Watching,
}

/// A collection at one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// `DeploymentList`.
    pub kind: Name,
    /// `apps/v1`.
    pub api_version: String,
    /// The revision of the whole list.
    pub revision: u64,
    /// Where the next page starts, if there is one.
    pub continue_token: Option<String>,
    /// How many are left after this page, where the server says so.
    pub remaining: Option<u64>,
    /// The page, by namespace and name.
    pub items: Vec<Arc<Object>>,
}

/// What a watch event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub enum EventKind {
    Added,
    Modified,
    Deleted,
    Bookmark,
    /// The object is a Status; the watch is over.
    Error,
}

/// One event of a watch.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct WatchEvent {
    pub kind: EventKind,
    pub object: Arc<Object>,
}

impl Response {
    /// An answer with one object.
    #[must_use]
    pub fn object(code: u16, object: Arc<Object>) -> Self {
        Self { code, payload: Payload::Object(object), warnings: Vec::new() }
    }

    /// A collection, 200.
    #[must_use]
    pub fn list(list: List) -> Self {
        Self { code: 200, payload: Payload::List(list), warnings: Vec::new() }
    }

    /// A status, with its own code.
    #[must_use]
    pub fn status(status: Status) -> Self {
        Self { code: status.code, payload: Payload::Status(Box::new(status)), warnings: Vec::new() }
    }

    /// Whether the code is a 2xx.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// The object that came back, if one did.
    #[must_use]
    pub fn as_object(&self) -> Option<&Arc<Object>> {
        match &self.payload {
            Payload::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The status that came back, if one did.
    #[must_use]
    pub fn as_status(&self) -> Option<&Status> {
        match &self.payload {
            Payload::Status(status) => Some(status),
            _ => None,
        }
    }
}

impl From<Status> for Response {
    fn from(status: Status) -> Self {
        Self::status(status)
    }
}
