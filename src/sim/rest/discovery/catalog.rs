//! The served kinds as one list, by group and version in the order in which clients are told of
//! them (R-HTTP-06).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use base64::Engine as _;

use super::custom;
use crate::object::schema::{self, KindInfo};
use crate::object::{Object, Value};
use crate::sim::rest::openapi::Built;

/// A kind at one version, with what discovery and OpenAPI tell of it.
#[derive(Debug)]
pub(in crate::sim::rest) struct Served {
    pub(in crate::sim::rest) info: Cow<'static, KindInfo>,
    /// A digest of group, version and kind that it is stored as; empty for what is not stored.
    pub(super) storage_hash: String,
    /// Set for a custom resource.
    pub(in crate::sim::rest) custom: Option<Custom>,
}

/// What a definition says of one version.
#[derive(Debug)]
pub(in crate::sim::rest) struct Custom {
    /// `openAPIV3Schema`; null where there is none.
    pub(in crate::sim::rest) schema: Value,
}

/// A version of a group.
#[derive(Debug)]
pub(in crate::sim::rest) struct Version {
    pub(in crate::sim::rest) name: Cow<'static, str>,
    pub(in crate::sim::rest) kinds: Vec<Served>,
}

/// A group.
#[derive(Debug)]
pub(in crate::sim::rest) struct Group {
    /// Empty for the core group.
    pub(in crate::sim::rest) name: Cow<'static, str>,
    /// The preferred one first.
    pub(in crate::sim::rest) versions: Vec<Version>,
}

impl Group {
    /// Whether all of it is custom resources.
    pub(super) fn is_custom(&self) -> bool {
        let mut kinds = self.versions.iter().flat_map(|version| &version.kinds);
        kinds.all(|served| served.custom.is_some())
    }
}

/// All that is served.
#[derive(Debug)]
pub(in crate::sim::rest) struct Catalog {
    groups: Vec<Group>,
    /// What OpenAPI says of it, as far as it was asked for.
    pub(in crate::sim::rest) built: Built,
}

impl Catalog {
    /// The built-in kinds, and those of the definitions that are established.
    pub(super) fn new<'a>(definitions: impl Iterator<Item = &'a Arc<Object>>) -> Self {
        let mut catalog = Self { groups: Vec::new(), built: Built::default() };
        for info in schema::builtin().kinds() {
            let storage_hash =
                storage_of(info).map_or_else(String::new, |kind| storage_hash(&kind));
            catalog.add(Served { info: Cow::Borrowed(info), storage_hash, custom: None });
        }
        let builtin = catalog.groups.len();
        for definition in definitions {
            custom::served(definition).into_iter().for_each(|served| catalog.add(served));
        }
        let (_, custom) = catalog.groups.split_at_mut(builtin);
        custom.sort_by(|a, b| a.name.cmp(&b.name));
        for group in custom {
            group.versions.sort_by(|a, b| by_maturity(&b.name, &a.name));
            for version in &mut group.versions {
                version.kinds.sort_by(|a, b| a.info.gvr.plural.cmp(&b.info.gvr.plural));
            }
        }
        catalog
    }

    fn add(&mut self, served: Served) {
        let gvr = &served.info.gvr;
        let at = self.groups.iter().position(|group| group.name == gvr.group);
        let at = at.unwrap_or_else(|| {
            self.groups.push(Group { name: gvr.group.clone(), versions: Vec::new() });
            self.groups.len() - 1
        });
        let versions = &mut self.groups[at].versions;
        match versions.iter_mut().find(|version| version.name == gvr.version) {
            Some(version) => version.kinds.push(served),
            None => versions.push(Version { name: gvr.version.clone(), kinds: vec![served] }),
        }
    }

    /// Every group, the core group first, built-in ones before others.
    pub(in crate::sim::rest) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// A group by name.
    pub(super) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// A version of a group.
    pub(in crate::sim::rest) fn version(&self, group: &str, version: &str) -> Option<&Version> {
        self.group(group)?.versions.iter().find(|v| v.name == version)
    }
}

/// Kinds that are stored as another group or version than the first they are served at.
const STORED_ELSEWHERE: [(&str, &str, &str); 5] = [
    (
        "admissionregistration.k8s.io",
        "MutatingAdmissionPolicy",
        "admissionregistration.k8s.io/v1beta1",
    ),
    (
        "admissionregistration.k8s.io",
        "MutatingAdmissionPolicyBinding",
        "admissionregistration.k8s.io/v1beta1",
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "apiextensions.k8s.io/v1beta1"),
    ("autoscaling", "HorizontalPodAutoscaler", "autoscaling/v2"),
    ("events.k8s.io", "Event", "/v1"),
];

/// Group, version and kind that a built-in kind is stored as; `None` if it is not.
fn storage_of(info: &KindInfo) -> Option<String> {
    if !info.verbs.iter().any(|verb| verb == "watch") {
        return None;
    }
    let (group, kind) = (&*info.gvk.group, &*info.gvk.kind);
    let elsewhere = STORED_ELSEWHERE.iter().find(|(g, k, _)| (*g, *k) == (group, kind));
    Some(match elsewhere {
        Some((_, _, stored)) => format!("{stored}/{kind}"),
        None => format!("{group}/{}/{kind}", info.gvk.version),
    })
}

/// The first eight bytes of a digest of group, version and kind (R-HTTP-03).
pub(super) fn storage_hash(group_version_kind: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, group_version_kind.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(&hash.as_ref()[..8])
}

/// Orders names of versions: `v2`, `v1`, `v1beta2`, `v1alpha1` rise in this order from the last
/// to the first; what is no such name comes below, later names below earlier ones.
fn by_maturity(a: &str, b: &str) -> Ordering {
    match (parse(a), parse(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => b.cmp(a),
    }
}

/// Stage (alpha, beta, stable), number, number of the stage.
fn parse(name: &str) -> Option<(u8, u64, u64)> {
    let number = |text: &str| -> Option<u64> {
        let plain = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| plain)
    };
    let rest = name.strip_prefix('v')?;
    for (stage, word) in ["alpha", "beta"].into_iter().enumerate() {
        if let Some((major, minor)) = rest.split_once(word) {
            return Some((u8::try_from(stage).ok()?, number(major)?, number(minor)?));
        }
    }
    Some((2, number(rest)?, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_by_maturity_then_number() {
        let mut names = [
            "foo1",
            "v1alpha1",
            "v2",
            "v11alpha2",
            "v1",
            "v10",
            "foo10",
            "v3beta1",
            "v12alpha1",
            "v11beta2",
            "v01",
        ];
        names.sort_by(|a, b| by_maturity(b, a));
        let expect = [
            "v10",
            "v2",
            "v1",
            "v11beta2",
            "v3beta1",
            "v12alpha1",
            "v11alpha2",
            "v1alpha1",
            "foo1",
            "foo10",
            "v01",
        ];
        assert_eq!(names, expect);
    }

    #[test]
    fn a_storage_hash_is_of_what_a_kind_is_stored_as() {
        assert_eq!(storage_hash("apps/v1/Deployment"), "8aSe+NMegvE=");
        let info = schema::builtin().kind("autoscaling", "v1", "HorizontalPodAutoscaler").unwrap();
        assert_eq!(storage_of(info).unwrap(), "autoscaling/v2/HorizontalPodAutoscaler");
    }
}
