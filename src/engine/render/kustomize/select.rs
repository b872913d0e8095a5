//! Which resources a target selects: anchored regular expressions over kind and names, and
//! selectors over labels and annotations.

use regex::Regex;

use super::pattern;
use super::resource::{Id, Resource};
use super::selectors::Target;
use crate::object::selector::LabelSelector;
use crate::object::{Map, Value};

/// A target made ready.
#[derive(Debug)]
pub(super) struct Selector {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    labels: LabelSelector,
    annotations: LabelSelector,
}

impl Selector {
    /// # Errors
    /// Where a regular expression or a selector cannot be read.
    pub(super) fn new(target: &Target) -> Result<Self, String> {
        Ok(Self {
            group: Pattern::new(&target.group)?,
            version: Pattern::new(&target.version)?,
            kind: Pattern::new(&target.kind)?,
            name: Pattern::new(&target.name)?,
            namespace: Pattern::new(&target.namespace)?,
            labels: selector(&target.label_selector)?,
            annotations: selector(&target.annotation_selector)?,
        })
    }

    /// Whether a resource is selected; its first and its present name and namespace count.
    pub(super) fn matches(&self, resource: &Resource) -> bool {
        let gvk = resource.object.gvk();
        if !(self.kind.matches(&gvk.kind)
            && self.group.matches(&gvk.group)
            && self.version.matches(&gvk.version))
        {
            return false;
        }
        let (first, now) = (resource.original_id(), resource.id());
        let either = |pattern: &Pattern, a: &str, b: &str| pattern.matches(a) || pattern.matches(b);
        either(&self.namespace, &first.namespace, &now.namespace)
            && either(&self.name, &first.name, &now.name)
            && self.matches_texts(resource)
    }

    /// Whether an id is selected, whatever the labels and annotations.
    pub(super) fn matches_id(&self, id: &Id) -> bool {
        self.kind.matches(&id.gvk.kind)
            && self.group.matches(&id.gvk.group)
            && self.version.matches(&id.gvk.version)
            && self.name.matches(&id.name)
            && self.namespace.matches(&id.namespace)
    }

    /// Whether the labels and annotations are selected.
    pub(super) fn matches_texts(&self, resource: &Resource) -> bool {
        fits(&self.labels, resource, "labels") && fits(&self.annotations, resource, "annotations")
    }
}

fn selector(text: &str) -> Result<LabelSelector, String> {
    LabelSelector::parse(text).map_err(|error| format!("selector {text:?}: {error}"))
}

fn fits(selector: &LabelSelector, resource: &Resource, field: &'static str) -> bool {
    if selector.is_empty() {
        return true;
    }
    let texts = resource.texts(field).into_iter();
    let labels: Map = texts.map(|(key, text)| (key, Value::String(text.into()))).collect();
    selector.matches(Some(&labels))
}

/// A regular expression over a whole text; empty matches all.
#[derive(Debug)]
enum Pattern {
    All,
    /// One without special characters: the usual one, and no need to compile it.
    Exactly(String),
    Regex(Regex),
}

impl Pattern {
    fn new(pattern: &str) -> Result<Self, String> {
        if pattern.is_empty() {
            return Ok(Self::All);
        }
        if pattern.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Ok(Self::Exactly(pattern.to_owned()));
        }
        pattern::compile(&format!("^(?:{pattern})$"))
            .map(Self::Regex)
            .map_err(|error| super::path::no_regex(pattern, &error))
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::All => true,
            Self::Exactly(exactly) => exactly == text,
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}
