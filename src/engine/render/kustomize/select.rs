//! Which resources a target selects: anchored regular expressions over kind and names, and
//! selectors over labels and annotations.

use std::collections::BTreeMap;

use regex::Regex;

use super::pattern;
use super::resource::{Id, Resource};
use super::selectors::Target;

/// A target made ready.
#[derive(Debug)]
pub(super) struct Selector {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
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
            labels: requirements(&target.label_selector)?,
            annotations: requirements(&target.annotation_selector)?,
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

fn fits(requirements: &[Requirement], resource: &Resource, field: &'static str) -> bool {
    if requirements.is_empty() {
        return true;
    }
    let texts = resource.texts(field);
    requirements.iter().all(|requirement| requirement.holds(&texts))
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

/// A comma-separated part of a label selector.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Requirement {
    fn holds(&self, texts: &BTreeMap<String, String>) -> bool {
        let value = texts.get(&self.key);
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Missing => value.is_none(),
            Test::In(values) => value.is_some_and(|value| values.contains(value)),
            Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
        }
    }
}

/// Takes `a=b, c!=d, e in (f, g), h notin (i), j, !k` apart.
fn requirements(selector: &str) -> Result<Vec<Requirement>, String> {
    let mut found = Vec::new();
    let mut rest = selector.trim();
    while !rest.is_empty() {
        // A comma within parentheses does not end a part.
        let open = rest.find('(').unwrap_or(rest.len());
        let comma = rest.find(',').unwrap_or(rest.len());
        let end = if open < comma {
            let close = rest.find(')').ok_or_else(|| format!("selector {selector:?} lacks a )"))?;
            rest[close..].find(',').map_or(rest.len(), |comma| close + comma)
        } else {
            comma
        };
        found.push(requirement(rest[..end].trim(), selector)?);
        rest = rest.get(end + 1..).unwrap_or_default().trim_start();
    }
    Ok(found)
}

fn requirement(part: &str, selector: &str) -> Result<Requirement, String> {
    let made = |key: &str, test| {
        let key = key.trim();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(format!("selector {selector:?} cannot be read at {part:?}"));
        }
        Ok(Requirement { key: key.to_owned(), test })
    };
    if let Some(key) = part.strip_prefix('!') {
        return made(key, Test::Missing);
    }
    if let Some((head, list)) = part.strip_suffix(')').and_then(|part| part.split_once('(')) {
        let values = list.split(',').map(|value| value.trim().to_owned()).collect();
        let head = head.trim();
        if let Some(key) = head.strip_suffix(" notin") {
            return made(key, Test::NotIn(values));
        }
        if let Some(key) = head.strip_suffix(" in") {
            return made(key, Test::In(values));
        }
        return Err(format!("selector {selector:?} cannot be read at {part:?}"));
    }
    let one = |value: &str| vec![value.trim().to_owned()];
    for (sign, is_equal) in [("!=", false), ("==", true), ("=", true)] {
        if let Some((key, value)) = part.split_once(sign) {
            let test = if is_equal { Test::In(one(value)) } else { Test::NotIn(one(value)) };
            return made(key, test);
        }
    }
    made(part, Test::Exists)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(selector: &str, expected: bool) {
        let texts = [("app", "web"), ("tier", "front")];
        let texts = texts.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let holds = requirements(selector).unwrap().iter().all(|r| r.holds(&texts));
        assert_eq!(holds, expected, "{selector}");
    }

    #[test]
    fn label_selectors_are_read_as_kubectl_reads_them() {
        check("", true);
        check("app=web", true);
        check("app==web,tier!=front", false);
        check("app in (a, web),tier", true);
        check("app notin (a, web)", false);
        check("!app", false);
        check("!other, app", true);
        check("other!=x", true);
        assert!(requirements("app in (a").is_err());
        assert!(requirements("a b").is_err());
    }
}
