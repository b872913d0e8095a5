//! The REST layer: takes an [`api::Request`](crate::api::Request), decides as a kube-apiserver
//! 1.36 would, and answers.
//!
//! A request is routed here by verb to a file of its own. What a kind does at create and update
//! is in `strategy`, what it fills in by itself in `defaults`, what it refuses in `validate`.
//! Custom resources go the same way: `kinds` knows which are served, `definitions` what follows from
//! a write of a CustomResourceDefinition, `custom` what a definition's version (`sim::crd`) does to
//! its objects. Merging, patching and field ownership are `object::patch` and `fields`; keeping objects and
//! telling watches is `store`.
//!
//! Before that, a request that says who sends it is held against RBAC (`auth`); between reading
//! and storing, a write goes through `admission`, where it may have to wait for a webhook
//! ([`Handled::call_out`]). Requests of clients in the process have no sender and may do
//! everything, and plugins that need controllers are off unless they are asked for.
//!
//! Not here: the wire, TLS and the calling of webhooks (`serve`).

mod admission;
mod apply;
mod auth;
mod autoscalers;
mod bootstrap;
mod call;
mod create;
mod custom;
mod defaults;
mod definitions;
mod delete;
pub mod discovery;
mod expiry;
mod get;
mod kinds;
mod list;
mod names;
mod observed;
mod openapi;
mod patch;
mod scale;
mod secrets;
mod selection;
mod services;
mod strategy;
mod subresources;
pub mod table;
mod ticks;
mod update;
mod validate;
mod views;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::{Request, Response, Status, Verb};
use crate::base::{Rng, Time};
use crate::object::{Gvr, Name, Object};
use crate::sim::store::{Commit, Delivery, Key, Resource, Store};
pub use admission::{Admission, CallOut, WebhookAnswer, WebhookCall, WebhookService, Webhooks};
pub use auth::{Asked, Authorization, Credentials, Impersonate, SharedKey, Subject, TokenKey};
pub use bootstrap::{Bootstrap, Endpoint};
use call::Call;
pub use kinds::Served;

/// What a request came to.
#[derive(Debug)]
pub struct Handled {
    /// The answer.
    pub response: Response,
    /// Events for open watches, in the order in which they happened; the answer comes first.
    pub deliveries: Vec<Delivery>,
    /// Watches (client, id) that ended.
    pub ended: Vec<(u32, u64)>,
    /// The request waits for this call, and `response` means nothing yet: make it, and hand its
    /// answer to [`Server::resume`]. Never there unless the server was told that webhooks are
    /// called ([`Server::with_webhooks`]).
    pub call_out: Option<Box<CallOut>>,
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
    kinds: kinds::Registry,
    rng: Rng,
    bookmarks: ticks::Bookmarks,
    expiry: expiry::Expiry,
    ended: Vec<(u32, u64)>,
    auth: auth::Auth,
    admission: Admission,
    documents: discovery::Documents,
    calls: admission::Calls,
    programs: admission::Programs,
    addresses: services::Addresses,
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
        Self::with_bootstrap(seed, now, &Bootstrap::Minimal)
    }

    fn empty(seed: &Rng) -> Self {
        Self {
            store: Store::default(),
            kinds: kinds::Registry::default(),
            rng: seed.fork("apiserver"),
            bookmarks: ticks::Bookmarks::default(),
            expiry: expiry::Expiry::default(),
            ended: Vec::new(),
            auth: auth::Auth::new(seed),
            admission: Admission::default(),
            documents: discovery::Documents::default(),
            calls: admission::Calls::default(),
            programs: admission::Programs::default(),
            addresses: services::Addresses::default(),
        }
    }

    /// A server that goes on from a state that was kept (see [`Store::restored`]).
    #[must_use]
    pub fn restored(seed: &Rng, store: Store) -> Self {
        Self { store, ..Self::empty(seed) }
    }

    /// From now on commits are noted for [`Server::take_journal`].
    pub fn keep_journal(&mut self) {
        self.store.keep_journal();
    }

    /// The commits since the last call, in their order.
    pub fn take_journal(&mut self) -> Vec<Commit> {
        self.store.take_journal()
    }

    /// Every object as the commit that made it.
    pub fn state(&self) -> impl Iterator<Item = Commit> {
        self.store.state()
    }

    /// Takes request `id` of `client`. The events of a watch that it opens come under the same
    /// pair, those for others' watches under theirs.
    pub fn handle(&mut self, now: Time, client: u32, id: u64, request: &Request) -> Handled {
        // A GET of `exec` and its like connects, which webhooks may want to see too.
        let may_be_governed = request.is_write() || request.subresource.is_some();
        if may_be_governed && self.calls.mode == Webhooks::CalledOut {
            return self.run_with_webhooks(now, client, id, request);
        }
        self.run_once(now, client, id, request)
    }

    fn run_once(&mut self, now: Time, client: u32, id: u64, request: &Request) -> Handled {
        expiry::expire(self, now);
        let response = self.answer(now, client, id, request).unwrap_or_else(Response::from);
        if request.is_write() {
            self.auth.after_write(request);
            self.expiry.after(now, request, &response);
        }
        self.bookmarks.after_request(now, &self.store);
        self.documents.after(request);
        let deliveries = self.store.take_deliveries();
        let deliveries = custom::present(self, deliveries);
        Handled { response, deliveries, ended: std::mem::take(&mut self.ended), call_out: None }
    }

    fn answer(
        &mut self,
        now: Time,
        client: u32,
        id: u64,
        request: &Request,
    ) -> Result<Response, Status> {
        auth::authorize(self, request)?;
        let mut call = Call::new(&self.kinds, now, request)?;
        has_verb(&call)?;
        custom::is_convertible(self, &call)?;
        let mut response = match request.verb {
            Verb::Get => get::answer(self, &mut call),
            Verb::List => list::answer(self, &call),
            Verb::Watch => watch::answer(self, &call, client, id),
            Verb::Create => create::answer(self, &mut call),
            Verb::Update => update::answer(self, &mut call),
            Verb::Patch(kind) => patch::answer(self, &mut call, kind),
            Verb::Delete => delete::answer(self, &mut call),
            Verb::DeleteCollection => delete::answer_collection(self, &mut call),
        }
        // Who is refused is told of the rest as well.
        .unwrap_or_else(Response::from);
        response.warnings.append(&mut call.warnings);
        if definitions::concerns(self, &call) {
            definitions::settle(self, now);
        }
        observed::settle(self, &call);
        Ok(response)
    }

    /// Closes every watch of a client that went away.
    pub fn drop_client(&mut self, client: u32) {
        self.store.close(|watch| watch.client == client);
    }

    /// Ends every watch of a client that is still there; gives back (client, id) of each.
    pub fn end_watches(&mut self, client: u32) -> Vec<(u32, u64)> {
        self.store.close(|watch| watch.client == client)
    }

    /// Closes one watch.
    pub fn drop_watch(&mut self, client: u32, id: u64) {
        self.store.close(|watch| watch.client == client && watch.id == id);
    }

    /// Whether a client from number `first` on watches objects of one of these kinds.
    #[must_use]
    pub fn is_watched(&self, first: u32, kinds: &[&str]) -> bool {
        let mut watches = self.store.watches().filter(|watch| watch.client >= first);
        watches.any(|watch| kinds.contains(&&*watch.kind))
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

    /// How many watches are open.
    #[must_use]
    pub fn watch_count(&self) -> usize {
        self.store.watches().count()
    }

    /// The revision of the last write.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.store.revision()
    }

    /// The kind of a resource that is served.
    #[must_use]
    pub fn kind_of(&self, gvr: &Gvr) -> Option<Name> {
        self.kinds.of(gvr).map(|kind| kind.info.gvk.kind.clone())
    }

    /// Everything that is served: built-in kinds in the order of discovery, then custom ones by
    /// group, version and plural.
    pub fn kinds(&self) -> impl Iterator<Item = Served<'_>> {
        self.kinds.all()
    }

    /// Grows with each change of [`Server::kinds`], so that what was made of them can be kept.
    #[must_use]
    pub fn kinds_generation(&self) -> u64 {
        self.kinds.generation()
    }

    /// Serves what the definitions in the store say: for a store that was filled by other means than
    /// requests.
    pub fn learn_kinds(&mut self, now: Time) {
        definitions::settle(self, now);
        expiry::adopt(self, now);
    }

    /// Forgets history up to `revision`: older lists and watches are told 410 (R-STO-33).
    pub fn compact(&mut self, revision: u64) {
        self.store.compact(revision);
    }

    /// How many objects there are of each resource that is served, as `deployments.apps`.
    #[must_use]
    pub fn object_counts(&self) -> Vec<(String, usize)> {
        let resources: BTreeMap<String, Gvr> =
            self.kinds().map(|kind| (kind.info.gvr.to_string(), kind.info.gvr.clone())).collect();
        resources.into_iter().map(|(name, gvr)| (name, self.all_of(&gvr).count())).collect()
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

/// Refuses a verb that a kind, or its subresource, does not have: reviews and bindings can be
/// posted and nothing else, and not every collection can be deleted at once.
fn has_verb(call: &Call) -> Result<(), Status> {
    if !call.is_whole() {
        return subresources::has_verb(call);
    }
    let has = |word: &str| call.kind.info.verbs.iter().any(|verb| verb == word);
    if has(call.request.verb.word()) {
        return Ok(());
    }
    let is_no_path = !has("get") && !call.name.is_empty();
    Err(if is_no_path { call::no_such_resource(true) } else { Status::method_not_allowed() })
}

#[cfg(test)]
mod tests;
