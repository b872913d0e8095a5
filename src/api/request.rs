//! A request to an API server as data, with every parameter already read.

use std::sync::Arc;

use bytes::Bytes;

use super::User;
use crate::object::{Gvr, Name, Object, Value};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch(PatchKind),
    Delete,
    DeleteCollection,
}

impl Verb {
    /// The word that discovery and rules have for it: every patch is `patch`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Patch(_) => "patch",
            Verb::Delete => "delete",
            Verb::DeleteCollection => "deletecollection",
        }
    }
}

/// The four patch formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own, driven by patch keys of the schema.
    Strategic,
    /// Server-side apply.
    Apply,
}

/// What a request carries.
pub type Body = Arc<Value>;

/// `fieldValidation`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub enum FieldValidation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

/// `propagationPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub enum Propagation {
    Orphan,
    Background,
    Foreground,
}

/// What DELETE takes besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// `gracePeriodSeconds`.
    pub grace_seconds: Option<i64>,
    /// `propagationPolicy`; `orphanDependents` is translated to it.
    pub propagation: Option<Propagation>,
    /// Whether `orphanDependents` is there and false: what has to wait is then 202 (R-STO-20).
    pub in_cascade: bool,
    /// `preconditions.uid`.
    pub uid: Option<String>,
    /// `preconditions.resourceVersion`.
    pub resource_version: Option<String>,
}

/// Parameters of a request. Those that do not belong to a verb are ignored for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `dryRun=All`.
    pub dry_run: bool,
    /// `fieldManager`; without it the user agent up to the first `/` (R-HTTP-31).
    pub field_manager: Option<Name>,
    /// `force` of an apply.
    pub force: bool,
    /// `fieldValidation`.
    pub field_validation: FieldValidation,
    /// `labelSelector`.
    pub label_selector: Option<String>,
    /// `fieldSelector`.
    pub field_selector: Option<String>,
    /// `limit` of a list; 0 for all.
    pub limit: u64,
    /// `continue` of a list.
    pub continue_token: Option<String>,
    /// `resourceVersion` of a get, list or watch.
    pub resource_version: Option<String>,
    /// `resourceVersionMatch`.
    pub resource_version_match: Option<String>,
    /// `allowWatchBookmarks`.
    pub bookmarks: bool,
    /// `sendInitialEvents`.
    pub send_initial_events: Option<bool>,
    /// `timeoutSeconds` of a watch.
    pub timeout_seconds: Option<u64>,
    /// Of a delete.
    pub delete: DeleteOptions,
    /// Fields that the body's text gave twice, as paths; the last value counts (R-HTTP-33).
    pub duplicate_fields: Vec<String>,
    /// Keys that a body in YAML gave twice, each as `line 3: key "a" already set in map`.
    pub duplicate_keys: Vec<String>,
    /// The body's text, if it was JSON: what is wrong with its fields is told in its order.
    pub source: Option<Bytes>,
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is asked for.
    pub verb: Verb,
    /// Of which resource.
    pub resource: Gvr,
    /// In which namespace; `None` for cluster scope and for all namespaces.
    pub namespace: Option<String>,
    /// Of which object; `None` for a collection.
    pub name: Option<String>,
    /// `status`, `scale`, `binding`, `finalize`, ...
    pub subresource: Option<Name>,
    /// What is sent along.
    pub body: Option<Body>,
    /// Its parameters.
    pub options: Options,
    /// `User-Agent`.
    pub user_agent: Name,
    /// Who sends it; `None` for a client in this process, who may do everything.
    pub user: Option<Arc<User>>,
}

impl Request {
    fn new(verb: Verb, resource: Gvr, namespace: &str, name: Option<&str>) -> Self {
        Self {
            verb,
            resource,
            namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
            name: name.map(ToOwned::to_owned),
            subresource: None,
            body: None,
            options: Options::default(),
            user_agent: Name::Borrowed("towtank"),
            user: None,
        }
    }

    /// GET of one object. `namespace` is empty for cluster scope, here and below.
    #[must_use]
    pub fn get(resource: Gvr, namespace: &str, name: &str) -> Self {
        Self::new(Verb::Get, resource, namespace, Some(name))
    }

    /// LIST; an empty `namespace` means all of them.
    #[must_use]
    pub fn list(resource: Gvr, namespace: &str) -> Self {
        Self::new(Verb::List, resource, namespace, None)
    }

    /// WATCH from a revision on; an empty `namespace` means all of them.
    #[must_use]
    pub fn watch(resource: Gvr, namespace: &str, resource_version: &str) -> Self {
        let mut request = Self::new(Verb::Watch, resource, namespace, None);
        request.options.resource_version = Some(resource_version.to_owned());
        request.options.bookmarks = true;
        request
    }

    /// POST.
    #[must_use]
    pub fn create(resource: Gvr, namespace: &str, object: Object) -> Self {
        Self::new(Verb::Create, resource, namespace, None).with_body(object.into_value())
    }

    /// PUT.
    #[must_use]
    pub fn update(resource: Gvr, namespace: &str, name: &str, object: Object) -> Self {
        Self::new(Verb::Update, resource, namespace, Some(name)).with_body(object.into_value())
    }

    /// PATCH.
    #[must_use]
    pub fn patch(resource: Gvr, namespace: &str, name: &str, kind: PatchKind, body: Value) -> Self {
        Self::new(Verb::Patch(kind), resource, namespace, Some(name)).with_body(body)
    }

    /// Server-side apply as `manager`.
    #[must_use]
    pub fn apply(resource: Gvr, namespace: &str, name: &str, manager: Name, body: Body) -> Self {
        let mut request = Self::new(Verb::Patch(PatchKind::Apply), resource, namespace, Some(name));
        request.body = Some(body);
        request.options.field_manager = Some(manager);
        request
    }

    /// DELETE of one object.
    #[must_use]
    pub fn delete(resource: Gvr, namespace: &str, name: &str) -> Self {
        Self::new(Verb::Delete, resource, namespace, Some(name))
    }

    /// The same request for a subresource.
    #[must_use]
    pub fn subresource(mut self, subresource: &'static str) -> Self {
        self.subresource = Some(Name::Borrowed(subresource));
        self
    }

    /// The same request from another client.
    #[must_use]
    pub fn by(mut self, user_agent: &'static str) -> Self {
        self.user_agent = Name::Borrowed(user_agent);
        self
    }

    fn with_body(mut self, body: Value) -> Self {
        self.body = Some(Arc::new(body));
        self
    }

    /// Whether the request is meant to change something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self.verb, Verb::Get | Verb::List | Verb::Watch)
    }

    /// The word of the verb in lower case, as audit logs have it.
    #[must_use]
    pub fn verb_name(&self) -> &'static str {
        match self.verb {
            Verb::Patch(PatchKind::Apply) => "apply",
            verb => verb.word(),
        }
    }
}
