//! All of discovery in one answer: `APIGroupDiscoveryList` (R-HTTP-04 to R-HTTP-06).

use serde::Serialize;

use super::accept::Form;
use super::bytes::{self, Empty};
use super::catalog::{Catalog, Group, Served, Version};
use super::{Document, DocumentRequest};
use crate::object::{Gvk, Name};

const CONTENT_TYPE: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Whether a clause of `Accept` asks for this form. The version before it is no longer there.
pub(super) fn is_meant(form: &Form) -> bool {
    let kind = (form.group.as_str(), form.version.as_str(), form.kind.as_str());
    kind == ("apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList")
}

/// `/api`.
pub(super) fn core(catalog: &Catalog, get: &DocumentRequest) -> Document {
    answer(catalog, get, str::is_empty)
}

/// `/apis`.
pub(super) fn groups(catalog: &Catalog, get: &DocumentRequest) -> Document {
    answer(catalog, get, |group| !group.is_empty())
}

fn answer(catalog: &Catalog, get: &DocumentRequest, wants: impl Fn(&str) -> bool) -> Document {
    let groups = catalog.groups().iter().filter(|group| wants(&group.name));
    let items = groups.map(GroupDiscovery::of).collect();
    // The digest is of a list that does not yet say what it is.
    let mut list = List { kind: None, api_version: None, metadata: Empty {}, items };
    let etag = format!("\"{}\"", bytes::etag(&bytes::compact(&list)));
    list.kind = Some("APIGroupDiscoveryList");
    list.api_version = Some("apidiscovery.k8s.io/v2");
    let known = get.if_none_match == Some(&etag);
    let document = if known { Document::empty(304) } else { Document::json(&bytes::line(&list)) };
    let mut document =
        document.with(&[("Cache-Control", "public"), ("ETag", &etag), ("Vary", "Accept")]);
    if !known {
        document.content_type = CONTENT_TYPE.to_owned();
    }
    document
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<&'static str>,
    metadata: Empty,
    items: Vec<GroupDiscovery<'a>>,
}

#[derive(Serialize)]
struct GroupDiscovery<'a> {
    metadata: GroupName<'a>,
    versions: Vec<VersionDiscovery<'a>>,
}

#[derive(Serialize)]
struct GroupName<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
}

#[derive(Serialize)]
struct VersionDiscovery<'a> {
    version: &'a str,
    resources: Vec<ResourceDiscovery<'a>>,
    freshness: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceDiscovery<'a> {
    resource: &'a str,
    response_kind: ResponseKind<'a>,
    scope: &'static str,
    singular_resource: &'a str,
    verbs: &'a [Name],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    short_names: &'a [Name],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    categories: &'a [Name],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subresources: Vec<SubresourceDiscovery<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubresourceDiscovery<'a> {
    subresource: &'a str,
    response_kind: ResponseKind<'a>,
    verbs: &'a [Name],
}

#[derive(Serialize)]
struct ResponseKind<'a> {
    group: &'a str,
    version: &'a str,
    kind: &'a str,
}

impl<'a> GroupDiscovery<'a> {
    fn of(group: &'a Group) -> Self {
        let versions = group.versions.iter().map(VersionDiscovery::of).collect();
        Self { metadata: GroupName { name: &group.name }, versions }
    }
}

impl<'a> VersionDiscovery<'a> {
    fn of(version: &'a Version) -> Self {
        let resources = version.kinds.iter().map(ResourceDiscovery::of).collect();
        Self { version: &version.name, resources, freshness: "Current" }
    }
}

impl<'a> ResourceDiscovery<'a> {
    fn of(served: &'a Served) -> Self {
        let info = &*served.info;
        let parts = info.subresource_details.iter().map(|part| SubresourceDiscovery {
            subresource: &part.name,
            response_kind: ResponseKind::of(served, part.gvk.as_ref().unwrap_or(&info.gvk)),
            verbs: &part.verbs,
        });
        Self {
            resource: &info.gvr.plural,
            response_kind: ResponseKind::of(served, &info.gvk),
            scope: if info.namespaced { "Namespaced" } else { "Cluster" },
            singular_resource: &info.singular,
            verbs: &info.verbs,
            short_names: &info.short_names,
            categories: &info.categories,
            subresources: parts.collect(),
        }
    }
}

impl<'a> ResponseKind<'a> {
    /// Built-in kinds of the version itself leave group and version empty, custom ones do not.
    fn of(served: &'a Served, kind: &'a Gvk) -> Self {
        let own = &served.info.gvk;
        let is_left_out =
            served.custom.is_none() && (&kind.group, &kind.version) == (&own.group, &own.version);
        let part = |text: &'a str| if is_left_out { "" } else { text };
        Self { group: part(&kind.group), version: part(&kind.version), kind: &kind.kind }
    }
}
