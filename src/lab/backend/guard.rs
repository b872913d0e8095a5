//! Keeps a run to what is its own on a cluster that may hold other people's things: what it may
//! write without looking, what it has to look at first, and what it made and has to remove.
//!
//! What is the run's own: namespaces that it made, with all that is in them, and objects elsewhere
//! (cluster-scoped, or in `default`) that were not there before it wrote them. Pure: asking and
//! removing are the wire's.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::{Request, Response, Verb};
use crate::object::{Gvr, Object};

/// The resource of namespaces.
pub(super) const NAMESPACES: Gvr = Gvr::new("", "v1", "namespaces");

/// The label of namespaces that a run made; its value names the run.
pub const RUN_LABEL: &str = "towtank.dev/run";

/// An object by its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::lab) struct Key {
    pub(super) gvr: Gvr,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/", self.gvr)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

impl Key {
    /// What a request is about; `None` for a collection and for a name that the server makes up.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let named = request.body.as_ref().and_then(|body| body["metadata"]["name"].as_str());
        Some(Self {
            gvr: request.resource.clone(),
            namespace: request.namespace.clone().unwrap_or_default(),
            name: request.name.as_deref().or(named)?.to_owned(),
        })
    }
}

/// What a run may do and has done.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// Nobody else is there: whatever is written to is the run's.
    pub(super) is_alone: bool,
    /// Namespaces of this run.
    namespaces: BTreeSet<String>,
    /// Those of them that outlive the run: what is in them is removed one by one.
    lasting: BTreeSet<String>,
    /// Objects that this run made, by their uid.
    made: BTreeMap<Key, String>,
    /// Objects that were not there when this run first wanted to write them.
    absent: BTreeSet<Key>,
}

impl Guard {
    /// What has to be looked at before this is sent: it would write to something that may be
    /// somebody else's. `None`: it may go.
    pub(super) fn before(&self, request: &Request) -> Option<Request> {
        if self.is_alone || !request.is_write() || request.options.dry_run {
            return None;
        }
        let key = Key::of(request)?;
        let is_own = self.namespaces.contains(&key.namespace)
            || self.made.contains_key(&key)
            || self.absent.contains(&key);
        (!is_own).then(|| Request::get(key.gvr, &key.namespace, &key.name))
    }

    /// Takes the answer to what was asked first.
    ///
    /// # Errors
    /// There is such an object, and it is not this run's: in words.
    pub(super) fn looked(&mut self, request: &Request, answer: &Response) -> Result<(), String> {
        let Some(key) = Key::of(request) else { return Ok(()) };
        if answer.as_object().is_some() {
            return Err(format!(
                "{key} was in the cluster before this run, which would change it; run in a \
                 cluster or under a name where it is not there"
            ));
        }
        // Whatever else the server says it says again to the request itself.
        self.absent.insert(key);
        Ok(())
    }

    /// Takes note of what a request of this run made.
    pub(super) fn learn(&mut self, request: &Request, answer: &Response) {
        let creates = matches!(request.verb, Verb::Create | Verb::Patch(_) | Verb::Update);
        if answer.code != 201 || !creates || request.options.dry_run {
            return;
        }
        let Some(object) = answer.as_object().filter(|_| request.subresource.is_none()) else {
            return;
        };
        self.made(&request.resource, object);
    }

    /// Takes note of an object that this run made.
    pub(super) fn made(&mut self, gvr: &Gvr, object: &Object) {
        let name = object.name().to_owned();
        if *gvr == NAMESPACES {
            self.namespaces.insert(name.clone());
        }
        let key = Key { gvr: gvr.clone(), namespace: object.namespace().to_owned(), name };
        self.made.insert(key, object.uid().to_owned());
    }

    /// Takes a namespace as the run's own that is there before and after it.
    pub(super) fn lodge(&mut self, name: &str) {
        self.namespaces.insert(name.to_owned());
        self.lasting.insert(name.to_owned());
    }

    /// Whether a namespace is this run's.
    pub(super) fn is_at_home(&self, namespace: &str) -> bool {
        self.namespaces.contains(namespace)
    }

    /// Whether an object is this run's.
    pub(super) fn is_own(&self, gvr: &Gvr, object: &Object) -> bool {
        if self.namespaces.contains(object.namespace()) {
            return true;
        }
        let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
        self.made.contains_key(&Key { gvr: gvr.clone(), namespace, name })
    }

    /// Everything that was made, with its uid, in the order in which it is removed: what is in no
    /// namespace of the run, then the namespaces, which take with them what is in them.
    pub(super) fn leavings(&self) -> Vec<(Key, String)> {
        let is_namespace = |key: &Key| key.gvr == NAMESPACES;
        let goes_along = |key: &Key| {
            self.namespaces.contains(&key.namespace) && !self.lasting.contains(&key.namespace)
        };
        let single = self.made.iter().filter(|(key, _)| !is_namespace(key) && !goes_along(key));
        let namespaces = self.made.iter().filter(|(key, _)| is_namespace(key));
        single.chain(namespaces).map(|(key, uid)| (key.clone(), uid.clone())).collect()
    }

    /// What was made inside of the run's own namespaces: of it only what does not go by itself
    /// needs looking at.
    pub(super) fn within(&self) -> impl Iterator<Item = &Key> {
        self.made.keys().filter(|key| self.namespaces.contains(&key.namespace))
    }

    /// Forgets everything: it is removed.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::api::{PatchKind, Status};
    use crate::object::json;

    const MAPS: Gvr = Gvr::new("", "v1", "configmaps");

    fn object(namespace: &str, name: &str) -> Object {
        let metadata = json!({"namespace": namespace, "name": name, "uid": "u"});
        Object::from_value(json!({ "metadata": metadata })).unwrap()
    }

    fn patch(namespace: &str, name: &str) -> Request {
        Request::patch(MAPS, namespace, name, PatchKind::Merge, json!({}))
    }

    #[test]
    fn what_may_be_somebody_elses_is_looked_at_first() {
        let mut guard = Guard::default();
        guard.made(&NAMESPACES, &object("", "shop"));
        assert!(guard.before(&patch("shop", "a")).is_none(), "its own namespace");
        assert!(guard.before(&Request::get(MAPS, "default", "a")).is_none(), "reads");
        let first = patch("default", "a");
        assert_eq!(guard.before(&first).unwrap().name.as_deref(), Some("a"));
        let there = Response::object(200, Arc::new(object("default", "a")));
        assert!(guard.looked(&first, &there).unwrap_err().contains("configmaps/default/a"));
        let absent = Response::status(Status::not_found(&MAPS, "a"));
        guard.looked(&first, &absent).unwrap();
        assert!(guard.before(&first).is_none(), "it was not there");
        let mut dry = patch("default", "b");
        dry.options.dry_run = true;
        assert!(guard.before(&dry).is_none(), "nothing is written");
        guard.is_alone = true;
        assert!(guard.before(&patch("default", "c")).is_none(), "nobody else is there");
    }

    #[test]
    fn what_was_made_is_removed_and_namespaces_last() {
        let mut guard = Guard::default();
        let made = |guard: &mut Guard, gvr: Gvr, namespace: &str, name: &str| {
            let created = object(namespace, name);
            let request = Request::create(gvr, namespace, created.clone());
            guard.learn(&request, &Response::object(201, Arc::new(created)));
        };
        made(&mut guard, NAMESPACES, "", "shop");
        made(&mut guard, MAPS, "shop", "inside");
        made(&mut guard, MAPS, "default", "outside");
        guard.lodge("home");
        made(&mut guard, MAPS, "home", "state");
        let names: Vec<String> =
            guard.leavings().into_iter().map(|(key, _)| key.to_string()).collect();
        let outside = ["configmaps/default/outside", "configmaps/home/state"];
        assert_eq!(names, [&outside[..], &["namespaces/shop"]].concat());
    }
}
