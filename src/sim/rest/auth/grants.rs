//! Who may do what: every binding with its role's rules, found by user and by group.
//!
//! Built from the roles and bindings in the store when it is first asked after one of them was
//! written, so that an authorization costs two look-ups and not a walk over all bindings. It
//! resolves in the order of names, cluster-wide bindings first; the real server's order is chance.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attributes::Attributes;
use super::rule::Rule;
use crate::api::User;
use crate::object::{Object, Value};
use crate::sim::store::{Key, Resource, Store};

pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

/// Somebody that a binding names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    User(String),
    Group(String),
}

#[derive(Debug)]
struct Binding {
    /// `RoleBinding "reader/team-a" of Role "reader"`.
    source: String,
    /// Each with how it prints, `User "alice"`.
    subjects: Vec<(Subject, String)>,
    /// Or why there are none.
    rules: Result<Arc<[Rule]>, String>,
}

/// Places in the list of bindings, by who is named.
#[derive(Debug, Default)]
struct Index {
    users: BTreeMap<String, Vec<usize>>,
    groups: BTreeMap<String, Vec<usize>>,
}

/// What an authorizer decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) allowed: bool,
    /// By what, or which bindings could not be resolved; may be empty.
    pub(crate) reason: String,
}

/// All bindings of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    bindings: Vec<Binding>,
    cluster: Index,
    namespaces: BTreeMap<String, Index>,
}

/// What a user has: rules, and the bindings that led nowhere.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) rules: Vec<Rule>,
    pub(crate) errors: Vec<String>,
}

fn resource(plural: &'static str) -> Resource {
    Resource { group: GROUP.into(), plural: plural.into() }
}

/// The rules of the role that a reference of a binding in `namespace` names, or that it is not
/// there.
pub(crate) fn rules_of(
    store: &Store,
    reference: &Value,
    namespace: &str,
) -> Result<Vec<Rule>, String> {
    let text = |key: &str| reference.get(key).and_then(Value::as_str).unwrap_or_default();
    let (plural, namespace) = match text("kind") {
        "ClusterRole" => ("clusterroles", ""),
        "Role" => ("roles", namespace),
        other => return Err(format!("unsupported role reference kind: {other:?}")),
    };
    let role = store.get(&resource(plural), &Key::new(namespace, text("name")));
    let missing =
        || format!("{}.{GROUP} {:?} not found", plural.trim_end_matches('s'), text("name"));
    role.map(|role| Rule::of_role(role)).ok_or_else(missing)
}

impl Grants {
    /// Reads every binding and its role.
    pub(crate) fn read(store: &Store) -> Self {
        let mut grants = Self::default();
        for plural in ["clusterrolebindings", "rolebindings"] {
            for binding in store.all_of(&resource(plural)) {
                grants.add(store, binding);
            }
        }
        grants
    }

    fn add(&mut self, store: &Store, binding: &Object) {
        let namespace = binding.namespace();
        let reference = binding.at(&["roleRef"]).unwrap_or(&Value::Null);
        let kind = binding.kind();
        let name = match namespace {
            "" => binding.name().to_owned(),
            namespace => format!("{}/{namespace}", binding.name()),
        };
        let part = |key: &str| reference.get(key).and_then(Value::as_str).unwrap_or_default();
        let source = format!("{kind} {name:?} of {} {:?}", part("kind"), part("name"));
        let subjects: Vec<_> =
            binding.list(&["subjects"]).iter().filter_map(|s| subject(s, namespace)).collect();
        let place = self.bindings.len();
        let index = match namespace {
            "" => &mut self.cluster,
            namespace => self.namespaces.entry(namespace.to_owned()).or_default(),
        };
        for (subject, _) in &subjects {
            let places = match subject {
                Subject::User(name) => index.users.entry(name.clone()).or_default(),
                Subject::Group(name) => index.groups.entry(name.clone()).or_default(),
            };
            places.push(place);
        }
        let rules = rules_of(store, reference, namespace).map(Into::into);
        self.bindings.push(Binding { source, subjects, rules });
    }

    /// The bindings that apply to a user in a namespace (empty: cluster-wide ones alone), in
    /// their order.
    fn of(&self, user: &User, namespace: &str) -> impl Iterator<Item = &Binding> {
        let mut places: Vec<usize> = Vec::new();
        for index in [Some(&self.cluster), self.namespaces.get(namespace)].into_iter().flatten() {
            places.extend(index.users.get(&user.name).into_iter().flatten());
            let groups = user.groups.iter().filter_map(|group| index.groups.get(group));
            places.extend(groups.flatten());
        }
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| &self.bindings[place])
    }

    /// Whether a user may do what is asked for.
    pub(crate) fn decide(&self, user: &User, asked: &Attributes) -> Decision {
        let mut errors = Vec::new();
        for binding in self.of(user, asked.namespace) {
            match &binding.rules {
                Ok(rules) if rules.iter().any(|rule| rule.allows(asked)) => {
                    let reason = binding.allowed(user);
                    return Decision { allowed: true, reason };
                }
                Ok(_) => {}
                Err(missing) => errors.push(missing.clone()),
            }
        }
        let reason = match errors.len() {
            0 => String::new(),
            _ => format!("RBAC: {}", joined(&errors)),
        };
        Decision { allowed: false, reason }
    }

    /// All that a user has in a namespace.
    pub(crate) fn held(&self, user: &User, namespace: &str) -> Held {
        let mut held = Held::default();
        for binding in self.of(user, namespace) {
            match &binding.rules {
                Ok(rules) => held.rules.extend(rules.iter().cloned()),
                Err(missing) => held.errors.push(missing.clone()),
            }
        }
        held
    }
}

impl Binding {
    fn allowed(&self, user: &User) -> String {
        let applies = |subject: &Subject| match subject {
            Subject::User(name) => *name == user.name,
            Subject::Group(name) => user.groups.contains(name),
        };
        let by = self.subjects.iter().find(|(subject, _)| applies(subject));
        let shown = by.map(|(_, shown)| shown.as_str()).unwrap_or_default();
        format!("RBAC: allowed by {} to {shown}", self.source)
    }
}

/// A list of errors as upstream prints an aggregate: each once.
pub(crate) fn joined(errors: &[String]) -> String {
    let mut once: Vec<&str> = Vec::new();
    for error in errors {
        if !once.contains(&error.as_str()) {
            once.push(error);
        }
    }
    match once.as_slice() {
        [one] => (*one).to_owned(),
        many => format!("[{}]", many.join(", ")),
    }
}

/// Somebody that a binding in `namespace` names; a service account is a user of a long name.
fn subject(subject: &Value, namespace: &str) -> Option<(Subject, String)> {
    let text = |key: &str| subject.get(key).and_then(Value::as_str).unwrap_or_default();
    let (kind, name) = (text("kind"), text("name"));
    let who = match kind {
        "User" => Subject::User(name.to_owned()),
        "Group" => Subject::Group(name.to_owned()),
        "ServiceAccount" => {
            let own = Some(text("namespace")).filter(|ns| !ns.is_empty()).unwrap_or(namespace);
            if own.is_empty() {
                return None;
            }
            let shown = format!("{kind} {:?}", format!("{name}/{own}"));
            return Some((Subject::User(super::account_user(own, name)), shown));
        }
        _ => return None,
    };
    Some((who, format!("{kind} {name:?}")))
}
