//! One rule of a role: what it allows, what it covers, how it prints.

use super::attributes::Attributes;
use crate::object::{Object, Value};

/// A rule of a Role or ClusterRole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule {
    pub(crate) verbs: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) names: Vec<String>,
    pub(crate) urls: Vec<String>,
}

impl Rule {
    fn read(rule: &Value) -> Self {
        let texts = |key: &str| {
            let list = rule.get(key).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
        };
        Self {
            verbs: texts("verbs"),
            groups: texts("apiGroups"),
            resources: texts("resources"),
            names: texts("resourceNames"),
            urls: texts("nonResourceURLs"),
        }
    }

    /// The rules of a role.
    pub(crate) fn of_role(role: &Object) -> Vec<Self> {
        role.list(&["rules"]).iter().map(Self::read).collect()
    }

    /// The two rules that together allow everything.
    pub(crate) fn everything() -> [Self; 2] {
        let star = || vec!["*".to_owned()];
        [
            Self { verbs: star(), groups: star(), resources: star(), ..Self::default() },
            Self { verbs: star(), urls: star(), ..Self::default() },
        ]
    }

    /// Whether it allows what is asked for.
    pub(crate) fn allows(&self, asked: &Attributes) -> bool {
        if !has(&self.verbs, "*") && !has(&self.verbs, asked.verb) {
            return false;
        }
        if let Some(path) = asked.path {
            return self.urls.iter().any(|url| url == "*" || covers_url(url, path));
        }
        (has(&self.groups, "*") || has(&self.groups, asked.group))
            && self.resources.iter().any(|resource| names_resource(resource, asked))
            && (self.names.is_empty() || has(&self.names, &asked.name))
    }

    /// The rule as rules of one verb, one resource and one name each.
    fn broken_down(&self) -> Vec<Self> {
        let one = |text: &String| vec![text.clone()];
        let mut parts = Vec::new();
        for group in &self.groups {
            for resource in &self.resources {
                for verb in &self.verbs {
                    let part = Self {
                        verbs: one(verb),
                        groups: one(group),
                        resources: one(resource),
                        ..Self::default()
                    };
                    if self.names.is_empty() {
                        parts.push(part);
                        continue;
                    }
                    let named =
                        self.names.iter().map(|name| Self { names: one(name), ..part.clone() });
                    parts.extend(named);
                }
            }
        }
        for url in &self.urls {
            let verbs = self.verbs.iter();
            parts.extend(verbs.map(|v| Self { urls: one(url), verbs: one(v), ..Self::default() }));
        }
        parts
    }

    /// Whether it allows all that `part`, a rule broken down, allows.
    fn covers(&self, part: &Self) -> bool {
        let all = |own: &[String], of: &[String]| of.iter().all(|text| has(own, text));
        let resources = has(&self.resources, "*")
            || part.resources.iter().all(|path| {
                has(&self.resources, path)
                    || path
                        .split_once('/')
                        .is_some_and(|(_, sub)| has(&self.resources, &format!("*/{sub}")))
            });
        let names =
            self.names.is_empty() || (!part.names.is_empty() && all(&self.names, &part.names));
        (has(&self.verbs, "*") || all(&self.verbs, &part.verbs))
            && (has(&self.groups, "*") || all(&self.groups, &part.groups))
            && resources
            && names
            && part.urls.iter().all(|url| self.urls.iter().any(|own| covers_url(own, url)))
    }

    /// As it prints in the refusal of an escalation.
    fn shown(&self) -> String {
        let fields = [
            ("APIGroups", &self.groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.urls),
            ("ResourceNames", &self.names),
            ("Verbs", &self.verbs),
        ];
        let parts = fields.iter().filter(|(_, list)| !list.is_empty());
        let parts = parts.map(|(key, list)| format!("{key}:{}", quoted_list(list)));
        format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
    }
}

/// What of `wanted` the rules `own` do not cover: a line for each resource and path, sorted.
pub(crate) fn uncovered(own: &[Rule], wanted: &[Rule]) -> Vec<String> {
    let parts = wanted.iter().flat_map(Rule::broken_down);
    let missing = parts.filter(|part| !own.iter().any(|rule| rule.covers(part)));
    let mut merged: Vec<Rule> = Vec::new();
    for part in missing {
        let same = merged.iter_mut().find(|rule| {
            rule.urls.is_empty()
                && part.urls.is_empty()
                && (&rule.groups, &rule.resources, &rule.names)
                    == (&part.groups, &part.resources, &part.names)
        });
        match same {
            Some(rule) => rule.verbs.extend(part.verbs),
            None => merged.push(part),
        }
    }
    let mut lines: Vec<String> = merged.iter().map(Rule::shown).collect();
    lines.sort();
    lines.dedup();
    lines
}

/// As Go's `%q` prints a list.
pub(crate) fn quoted_list(list: &[String]) -> String {
    let quoted: Vec<String> = list.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", quoted.join(" "))
}

fn has(list: &[String], text: &str) -> bool {
    list.iter().any(|own| own == text)
}

fn covers_url(own: &str, path: &str) -> bool {
    own == path
        || own.strip_suffix('*').is_some_and(|_| path.starts_with(own.trim_end_matches('*')))
}

/// `pods`, `pods/log`, `*/log` and `*` are how a rule can name a resource; `pods/*` is not.
fn names_resource(own: &str, asked: &Attributes) -> bool {
    if own == "*" {
        return true;
    }
    let sub = asked.subresource;
    if sub.is_empty() {
        return own == asked.resource;
    }
    own.split_once('/').is_some_and(|(resource, subresource)| {
        subresource == sub && (resource == "*" || resource == asked.resource)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn rule(value: Value) -> Rule {
        Rule::read(&value)
    }

    #[test]
    fn a_rule_allows_what_it_names() {
        let subs = rule(
            json!({ "apiGroups": [""], "resources": ["pods/*", "*/status"], "verbs": ["get"] }),
        );
        let ask = |subresource| Attributes {
            verb: "get",
            resource: "pods",
            subresource,
            ..Attributes::default()
        };
        assert!(!subs.allows(&ask("log")), "a star stands for a resource, not for a subresource");
        assert!(subs.allows(&ask("status")));
        let urls = rule(json!({ "nonResourceURLs": ["/logs/*"], "verbs": ["get"] }));
        assert!(urls.allows(&Attributes::of_path("get", "/logs/x/y")));
        assert!(!urls.allows(&Attributes::of_path("get", "/logs")));
    }

    #[test]
    fn what_is_not_covered_is_told_by_resource() {
        let own = [rule(json!({ "apiGroups": ["*"], "resources": ["pods"], "verbs": ["get"] }))];
        let wanted = [rule(
            json!({ "apiGroups": [""], "resources": ["secrets", "pods"], "verbs": ["get", "list"] }),
        )];
        let expected = [
            r#"{APIGroups:[""], Resources:["pods"], Verbs:["list"]}"#,
            r#"{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}"#,
        ];
        assert_eq!(uncovered(&own, &wanted), expected);
    }
}
