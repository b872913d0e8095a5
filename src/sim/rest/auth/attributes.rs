//! What a request asks for, as an authorizer sees it, and how a refusal reads.
//!
//! Not here: who may do it (`grants`).

use crate::api::{Details, Reason, Request, Status, User, Verb};
use crate::object::{FieldSelector, Gvr, Name};

/// What is asked for: a resource, or a path that names none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes<'a> {
    pub(crate) verb: &'a str,
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    /// Empty for the object itself.
    pub(crate) subresource: &'a str,
    /// Empty at cluster scope and for all namespaces.
    pub(crate) namespace: &'a str,
    /// Empty for a collection.
    pub(crate) name: Text<'a>,
    /// A path that is no resource's; then the fields above, `verb` apart, mean nothing.
    pub(crate) path: Option<&'a str>,
}

/// A name that may have been read out of a selector.
pub(crate) type Text<'a> = std::borrow::Cow<'a, str>;

impl<'a> Attributes<'a> {
    /// A path that names no resource.
    pub(crate) fn of_path(verb: &'a str, path: &'a str) -> Self {
        Self { verb, path: Some(path), ..Self::default() }
    }

    /// What a request asks for.
    pub(crate) fn of(request: &'a Request) -> Self {
        let gvr = &request.resource;
        let name = request.name.as_deref().unwrap_or_default();
        let mut namespace = request.namespace.as_deref().unwrap_or_default();
        // A namespace lies in itself, as far as authorization goes.
        if gvr.plural == "namespaces" && gvr.group.is_empty() && !name.is_empty() {
            namespace = name;
        }
        Self {
            verb: request.verb.word(),
            group: &gvr.group,
            resource: &gvr.plural,
            subresource: request.subresource.as_deref().unwrap_or_default(),
            namespace,
            name: if name.is_empty() { selected_name(request) } else { name.into() },
            path: None,
        }
    }

    /// The same, but with another verb.
    pub(crate) fn with_verb(self, verb: &'a str) -> Self {
        Self { verb, ..self }
    }

    /// The resource as rules name it: `pods/log`.
    pub(crate) fn combined(&self) -> Text<'a> {
        if self.subresource.is_empty() {
            self.resource.into()
        } else {
            format!("{}/{}", self.resource, self.subresource).into()
        }
    }

    /// 403 in the words of a kube-apiserver; `reason` is what the authorizer adds, or empty.
    pub(crate) fn forbidden(&self, user: &User, reason: &str) -> Status {
        let colon = if reason.is_empty() { "" } else { ": " };
        let Self { verb, group, namespace, .. } = self;
        if let Some(path) = self.path {
            let text = format!(
                "forbidden: User {:?} cannot {verb} path {path:?}{colon}{reason}",
                user.name
            );
            let mut status = Status::new(403, Reason::Forbidden, text);
            status.details = Some(Details::default());
            return status;
        }
        let place = if namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace {namespace:?}")
        };
        let gvr = Gvr {
            group: Name::Owned((*group).to_owned()),
            version: Name::Borrowed(""),
            plural: Name::Owned(self.resource.to_owned()),
        };
        let named = if self.name.is_empty() { String::new() } else { format!(" {:?}", self.name) };
        let text = format!(
            "{gvr}{named} is forbidden: User {:?} cannot {verb} resource {:?} in API group {group:?} {place}{colon}{reason}",
            user.name,
            self.combined()
        );
        let mut status = Status::new(403, Reason::Forbidden, text);
        status.details = Some(Details {
            name: self.name.clone().into_owned(),
            group: (*group).to_owned(),
            kind: self.resource.to_owned(),
            ..Details::default()
        });
        status
    }
}

/// A list or a watch of one name asks for that name.
fn selected_name(request: &Request) -> Text<'_> {
    if !matches!(request.verb, Verb::List | Verb::Watch) {
        return "".into();
    }
    let fields = request.options.field_selector.as_deref();
    let Some(Ok(fields)) = fields.map(FieldSelector::parse) else { return "".into() };
    let named = fields.terms.into_iter().find(|t| t.field == "metadata.name" && t.equal);
    named.map(|term| term.value).unwrap_or_default().into()
}
