//! Discovery a group and a version at a time: `/api`, `/apis`, `/apis/GROUP` and the lists of
//! resources (R-HTTP-03).

use serde::Serialize;

use super::catalog::{Catalog, Group, Served};
use crate::object::schema::Subresource;

/// The address that the recorded server told; it is one that documentation may use, and no
/// client goes there.
const SERVER_ADDRESS: &str = "192.0.2.1:443";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiVersions {
    kind: &'static str,
    versions: [&'static str; 1],
    #[serde(rename = "serverAddressByClientCIDRs")]
    server_addresses: [ServerAddress; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServerAddress {
    #[serde(rename = "clientCIDR")]
    client_cidr: &'static str,
    server_address: &'static str,
}

/// `/api`.
pub(super) fn versions() -> ApiVersions {
    let address = ServerAddress { client_cidr: "0.0.0.0/0", server_address: SERVER_ADDRESS };
    ApiVersions { kind: "APIVersions", versions: ["v1"], server_addresses: [address] }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GroupList<'a> {
    kind: &'static str,
    api_version: &'static str,
    groups: Vec<ApiGroup<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiGroup<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<&'static str>,
    name: &'a str,
    versions: Vec<GroupVersion<'a>>,
    preferred_version: GroupVersion<'a>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupVersion<'a> {
    group_version: String,
    version: &'a str,
}

impl<'a> ApiGroup<'a> {
    fn of(group: &'a Group) -> Option<Self> {
        let version = |version: &'a str| GroupVersion {
            group_version: format!("{}/{version}", group.name),
            version,
        };
        let versions: Vec<_> = group.versions.iter().map(|v| version(&v.name)).collect();
        let preferred_version = versions.first()?.clone();
        Some(Self { kind: None, api_version: None, name: &group.name, versions, preferred_version })
    }
}

/// `/apis`. Custom groups stand by the names of their APIServices, which begin with the version.
pub(super) fn group_list(catalog: &Catalog) -> GroupList<'_> {
    let named = catalog.groups().iter().filter(|group| !group.name.is_empty());
    let (mut custom, mut groups): (Vec<_>, Vec<_>) = named.partition(|group| group.is_custom());
    custom.sort_by_cached_key(|group| {
        let version = group.versions.first().map_or("", |version| &version.name);
        format!("{version}.{}", group.name)
    });
    groups.extend(custom);
    let groups = groups.into_iter().filter_map(ApiGroup::of).collect();
    GroupList { kind: "APIGroupList", api_version: "v1", groups }
}

/// `/apis/GROUP`; `None` where there is no such group.
pub(super) fn group<'a>(catalog: &'a Catalog, name: &str) -> Option<ApiGroup<'a>> {
    let group = ApiGroup::of(catalog.group(name).filter(|_| !name.is_empty())?)?;
    Some(ApiGroup { kind: Some("APIGroup"), api_version: Some("v1"), ..group })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceList<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<&'static str>,
    group_version: String,
    resources: Vec<Resource<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource<'a> {
    name: String,
    singular_name: &'a str,
    namespaced: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    group: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    kind: &'a str,
    verbs: &'a [crate::object::Name],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    short_names: &'a [crate::object::Name],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    categories: &'a [crate::object::Name],
    #[serde(skip_serializing_if = "str::is_empty")]
    storage_version_hash: &'a str,
}

/// `/api/v1` and `/apis/GROUP/VERSION`, and whether its kinds are custom ones; `None` where there
/// is no such version.
pub(super) fn version<'a>(
    catalog: &'a Catalog,
    group: &str,
    version: &str,
) -> Option<(ResourceList<'a>, bool)> {
    let kinds = &catalog.version(group, version)?.kinds;
    let resources = kinds.iter().flat_map(resources_of).collect();
    let first = kinds.first()?;
    // The core version's list was there before lists had an apiVersion, and has none yet.
    let api_version = (!group.is_empty()).then_some("v1");
    let group_version = first.info.gvk.api_version();
    let list = ResourceList { kind: "APIResourceList", api_version, group_version, resources };
    Some((list, first.custom.is_some()))
}

/// A kind's resource and its subresources.
fn resources_of(served: &Served) -> Vec<Resource<'_>> {
    let info = &*served.info;
    let own = Resource {
        name: info.gvr.plural.to_string(),
        singular_name: &info.singular,
        namespaced: info.namespaced,
        group: "",
        version: "",
        kind: &info.gvk.kind,
        verbs: &info.verbs,
        short_names: &info.short_names,
        categories: &info.categories,
        storage_version_hash: &served.storage_hash,
    };
    let parts = info.subresource_details.iter().map(|part| subresource(served, part));
    std::iter::once(own).chain(parts).collect()
}

fn subresource<'a>(served: &'a Served, part: &'a Subresource) -> Resource<'a> {
    let info = &*served.info;
    let kind = part.gvk.as_ref().unwrap_or(&info.gvk);
    let foreign = (&kind.group, &kind.version) != (&info.gvk.group, &info.gvk.version);
    Resource {
        name: format!("{}/{}", info.gvr.plural, part.name),
        singular_name: "",
        namespaced: info.namespaced,
        group: if foreign { &kind.group } else { "" },
        version: if foreign { &kind.version } else { "" },
        kind: &kind.kind,
        verbs: &part.verbs,
        short_names: &[],
        categories: &[],
        storage_version_hash: "",
    }
}
