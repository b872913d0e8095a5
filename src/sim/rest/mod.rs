//! The REST layer: takes an [`api::Request`](crate::api::Request), decides as a kube-apiserver
//! 1.36 would, and answers.
//!
//! A request is routed here by verb to a file of its own. What a kind does at create and update
//! is in `strategy`, what it fills in by itself in `defaults`, what it refuses in `validate`.
//! Merging, patching and field ownership are `object::patch` and `fields`; keeping objects and
//! telling watches is `store`.
//!
//! Not here: the wire (`serve`), admission that asks for other objects. Of the admission that a
//! kube-apiserver runs by default, NamespaceLifecycle, DefaultTolerationSeconds, Priority and
//! StorageObjectInUseProtection are done; ServiceAccount is off, because there is no controller
//! yet that makes the account `default`, so pods have no token volume.

mod admission;
mod apply;
mod bootstrap;
mod call;
mod create;
mod defaults;
mod delete;
mod get;
mod kinds;
mod list;
mod names;
mod patch;
mod scale;
mod secrets;
mod selection;
mod services;
mod strategy;
mod subresources;
mod ticks;
mod update;
mod validate;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::{Request, Response, Status, Verb};
use crate::base::{Rng, Time};
use crate::object::{Gvr, Name, Object};
use crate::sim::store::{Delivery, Key, Resource, Store};
use call::Call;

/// What a request came to.
#[derive(Debug)]
pub struct Handled {
    /// The answer.
    pub response: Response,
    /// Events for open watches, in the order in which they happened; the answer comes first.
    pub deliveries: Vec<Delivery>,
    /// Watches (client, id) that ended.
    pub ended: Vec<(u32, u64)>,
}

/// What passing time brought.
#[derive(Debug, Default)]
pub struct Ticked {
    /// Bookmarks.
    pub deliveries: Vec<Delivery>,
    /// Watches (client, id) whose time is up.
    pub ended: Vec<(u32, u64)>,
}

/// An API server.
#[derive(Debug)]
pub struct Server {
    store: Store,
    rng: Rng,
    bookmarks: ticks::Bookmarks,
    ended: Vec<(u32, u64)>,
}

impl Server {
    /// A server with what every cluster begins with (R-STO-15), at [`Time::VIRTUAL_START`]. Uids
    /// and generated names follow from `seed`.
    #[must_use]
    pub fn new(seed: &Rng) -> Self {
        Self::new_at(seed, Time::VIRTUAL_START)
    }

    /// The same at another time.
    #[must_use]
    pub fn new_at(seed: &Rng, now: Time) -> Self {
        let mut server = Self {
            store: Store::default(),
            rng: seed.fork("apiserver"),
            bookmarks: ticks::Bookmarks::default(),
            ended: Vec::new(),
        };
        bootstrap::fill(&mut server, now);
        server
    }

    /// Takes request `id` of `client`. The events of a watch that it opens come under the same
    /// pair, those for others' watches under theirs.
    pub fn handle(&mut self, now: Time, client: u32, id: u64, request: &Request) -> Handled {
        let response = self.answer(now, client, id, request).unwrap_or_else(Response::from);
        self.bookmarks.after_request(now, &self.store);
        Handled {
            response,
            deliveries: self.store.take_deliveries(),
            ended: std::mem::take(&mut self.ended),
        }
    }

    fn answer(
        &mut self,
        now: Time,
        client: u32,
        id: u64,
        request: &Request,
    ) -> Result<Response, Status> {
        let mut call = Call::new(now, request)?;
        let mut response = match request.verb {
            Verb::Get => get::answer(self, &call),
            Verb::List => list::answer(self, &call),
            Verb::Watch => watch::answer(self, &call, client, id),
            Verb::Create => create::answer(self, &mut call),
            Verb::Update => update::answer(self, &mut call),
            Verb::Patch(kind) => patch::answer(self, &mut call, kind),
            Verb::Delete => delete::answer(self, &call),
            Verb::DeleteCollection => delete::answer_collection(self, &call),
        }?;
        response.warnings.append(&mut call.warnings);
        Ok(response)
    }

    /// Closes every watch of a client that went away.
    pub fn drop_client(&mut self, client: u32) {
        self.store.close(|watch| watch.client == client);
    }

    /// Closes one watch.
    pub fn drop_watch(&mut self, client: u32, id: u64) {
        self.store.close(|watch| watch.client == client && watch.id == id);
    }

    /// What is due at `now`: bookmarks, and watches whose `timeoutSeconds` are over.
    pub fn tick(&mut self, now: Time) -> Ticked {
        ticks::tick(self, now)
    }

    /// When [`Server::tick`] has something to do next. `None` while no watch has an end and
    /// nothing was written since the last bookmark, so an idle server lets a run end.
    #[must_use]
    pub fn next_tick(&self) -> Option<Time> {
        ticks::next(self)
    }

    /// Reads an object without a request; `namespace` is empty at cluster scope.
    #[must_use]
    pub fn peek(&self, gvr: &Gvr, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        let resource = Resource { group: gvr.group.clone(), plural: gvr.plural.clone() };
        self.store.get(&resource, &Key::new(namespace, name))
    }

    /// Every object of a resource, by namespace and name.
    pub fn all_of<'s>(&'s self, gvr: &Gvr) -> impl Iterator<Item = &'s Arc<Object>> + use<'s> {
        let resource = Resource { group: gvr.group.clone(), plural: gvr.plural.clone() };
        self.store.all_of(&resource)
    }

    /// Every object, by resource, namespace and name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.store.all()
    }

    /// The revision of the last write.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.store.revision()
    }

    /// The kind of a resource that is served.
    #[must_use]
    pub fn kind_of(&self, gvr: &Gvr) -> Option<Name> {
        kinds::of(gvr).map(|kind| Name::Borrowed(kind.kind))
    }

    /// Forgets history up to `revision`: older lists and watches are told 410 (R-STO-33).
    pub fn compact(&mut self, revision: u64) {
        self.store.compact(revision);
    }

    /// Objects of each resource, for reports.
    #[must_use]
    pub fn census(&self) -> BTreeMap<String, usize> {
        let mut census = BTreeMap::new();
        for object in self.store.all() {
            *census.entry(object.kind().to_owned()).or_default() += 1;
        }
        census
    }
}

#[cfg(test)]
mod tests;
