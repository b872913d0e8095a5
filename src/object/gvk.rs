//! Names of kinds and resources.
//!
//! *Kind* (`Deployment`) is what a manifest says, *resource* (`deployments`) what a URL says; the
//! schema table (`object::schema`) knows which belongs to which. Single objects are named in `id`.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use super::word::order;

/// A short name: borrowed where it is known at compile time.
pub type Name = Cow<'static, str>;

/// Group, version and kind, as in a manifest's `apiVersion` and `kind`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct Gvk {
    pub group: Name,
    pub version: Name,
    pub kind: Name,
}

/// Group, version and resource (the plural), as in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct Gvr {
    pub group: Name,
    pub version: Name,
    pub plural: Name,
}

impl Ord for Gvr {
    fn cmp(&self, other: &Self) -> Ordering {
        order(&self.group, &other.group)
            .then_with(|| order(&self.version, &other.version))
            .then_with(|| order(&self.plural, &other.plural))
    }
}

impl PartialOrd for Gvr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Gvk {
    /// From parts known at compile time.
    #[must_use]
    pub const fn new(group: &'static str, version: &'static str, kind: &'static str) -> Self {
        Self {
            group: Cow::Borrowed(group),
            version: Cow::Borrowed(version),
            kind: Cow::Borrowed(kind),
        }
    }

    /// From a manifest's `apiVersion` (`apps/v1`, `v1`) and `kind`.
    #[must_use]
    pub fn from_api_version(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self {
            group: Cow::Owned(group.to_owned()),
            version: Cow::Owned(version.to_owned()),
            kind: Cow::Owned(kind.to_owned()),
        }
    }

    /// As a manifest writes it: `apps/v1`, `v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        api_version(&self.group, &self.version)
    }
}

impl Gvr {
    /// From parts known at compile time.
    #[must_use]
    pub const fn new(group: &'static str, version: &'static str, plural: &'static str) -> Self {
        Self {
            group: Cow::Borrowed(group),
            version: Cow::Borrowed(version),
            plural: Cow::Borrowed(plural),
        }
    }

    /// As a manifest writes group and version: `apps/v1`, `v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        api_version(&self.group, &self.version)
    }
}

fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// `apps/v1, Kind=Deployment`, the form of apimachinery's messages.
impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.group.is_empty() {
            write!(f, "{}", self.group)?;
        }
        write!(f, "/{}, Kind={}", self.version, self.kind)
    }
}

/// `deployments.apps`, the form of API errors; a core resource has no group.
impl fmt::Display for Gvr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.plural)?;
        if self.group.is_empty() { Ok(()) } else { write!(f, ".{}", self.group) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_print_as_upstream_prints_them() {
        assert_eq!(Gvk::new("apps", "v1", "Deployment").to_string(), "apps/v1, Kind=Deployment");
        assert_eq!(Gvk::new("", "v1", "Pod").to_string(), "/v1, Kind=Pod");
        assert_eq!(Gvr::new("apps", "v1", "deployments").to_string(), "deployments.apps");
        assert_eq!(Gvk::from_api_version("v1", "Pod"), Gvk::new("", "v1", "Pod"));
    }
}
