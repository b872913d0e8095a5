//! A pod, or a template of one, as the checks look at it, and how they say what they found.

use std::collections::BTreeSet;

use crate::object::Value;

/// A value with `metadata` and `spec`.
pub(super) struct Pod<'a>(pub(super) &'a Value);

/// What a check found.
pub(super) struct Fault {
    pub(super) reason: &'static str,
    pub(super) detail: String,
}

/// Containers and values that a check found, by name.
#[derive(Default)]
pub(super) struct Found {
    /// Whether the pod itself sets it.
    pub(super) pod: bool,
    pub(super) containers: Vec<String>,
    pub(super) values: BTreeSet<String>,
}

impl<'a> Pod<'a> {
    /// A field of the spec.
    pub(super) fn field(&self, name: &str) -> &'a Value {
        &self.0["spec"][name]
    }

    /// Whether a switch of the spec is on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        *self.field(name) == true
    }

    /// A part of the pod's security context.
    pub(super) fn security(&self, name: &str) -> &'a Value {
        &self.0["spec"]["securityContext"][name]
    }

    /// A list of the spec.
    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.0["spec"][name].as_array().into_iter().flatten()
    }

    /// Every container, of each sort, in the order in which upstream visits them.
    pub(super) fn containers(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        let kinds = ["initContainers", "containers", "ephemeralContainers"];
        let spec = &self.0["spec"];
        kinds.into_iter().flat_map(move |kind| spec[kind].as_array().into_iter().flatten())
    }

    /// Annotations.
    pub(super) fn annotations(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let annotations = self.0["metadata"]["annotations"].as_object();
        annotations.into_iter().flatten().filter_map(|(k, v)| Some((k.as_str(), v.as_str()?)))
    }

    /// Windows pods know less that could be restricted.
    pub(super) fn is_windows(&self) -> bool {
        self.field("os")["name"] == "windows"
    }

    /// A pod with users of its own is let do more.
    pub(super) fn has_own_users(&self) -> bool {
        *self.field("hostUsers") == false
    }

    /// The names of the containers that `is_bad` takes.
    pub(super) fn names(&self, mut is_bad: impl FnMut(&Value) -> bool) -> Vec<String> {
        self.containers().filter(|c| is_bad(c)).map(name).collect()
    }

    /// Who sets what `bad` finds in a security context, and what it is.
    pub(super) fn setters(&self, bad: impl Fn(&Value) -> Vec<String>) -> Found {
        let mut found = Found::default();
        let own = bad(&self.0["spec"]["securityContext"]);
        found.pod = !own.is_empty();
        found.values.extend(own);
        for container in self.containers() {
            let values = bad(&container["securityContext"]);
            if !values.is_empty() {
                found.containers.push(name(container));
                found.values.extend(values);
            }
        }
        found
    }
}

fn name(container: &Value) -> String {
    container["name"].as_str().unwrap_or_default().to_owned()
}

impl Found {
    pub(super) fn is_empty(&self) -> bool {
        !self.pod && self.containers.is_empty()
    }

    /// `pod and container "a"`.
    pub(super) fn setters(&self) -> String {
        let pod = self.pod.then(|| "pod".to_owned());
        let containers = (!self.containers.is_empty()).then(|| containers(&self.containers));
        pod.into_iter().chain(containers).collect::<Vec<_>>().join(" and ")
    }

    pub(super) fn values(&self) -> String {
        quoted(&self.values)
    }
}

/// `container "a"`, `containers "a", "b"`.
pub(super) fn containers(names: &[String]) -> String {
    format!("{} {}", plural("container", "containers", names.len()), quoted(names))
}

/// `"a", "b"`.
pub(super) fn quoted<'t>(texts: impl IntoIterator<Item = &'t String>) -> String {
    // Upstream puts quotes around, and does not look inside.
    texts.into_iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(", ")
}

pub(super) fn plural<'t>(one: &'t str, many: &'t str, count: usize) -> &'t str {
    if count == 1 { one } else { many }
}
