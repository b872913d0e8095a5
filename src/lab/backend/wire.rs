//! A cluster over the wire: requests leave through kube's client, what comes back is heard by the
//! run's loop, and what checks look at is a cache of the lab's own.
//!
//! It lives in the thread of the loop. The connection itself is [`Link`]'s, on a runtime
//! elsewhere; what may be written is decided by `guard`, what is removed at the end by `clean`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::http::{Link, Told};
use crate::api::{self, Ids, Input, PatchKind, Request, Response};
use crate::base::{Time, limits};
use crate::object::{Gvr, Object, json};
use crate::serve;
use crate::sim::pods::Behaviour;
use crate::sim::world::{FIRST_FOREIGN, Outbox, Signal, What};

use super::error::SiteError;
use super::guard::{Guard, Key, NAMESPACES, RUN_LABEL};
use super::home::Home;
use super::inside::{Inside, KUBELETS};
use super::seen::{Seen, Written};
use super::trouble::Trouble;

/// The client number of the cache.
const OBSERVER: u32 = 10;
/// The client number of questions before a write.
const GUARD: u32 = 11;

/// A request that was answered: its id, itself, and the answer.
pub(in crate::lab) type Answered = (u64, Box<Request>, Arc<Response>);

/// A cluster over the wire.
pub struct Wire {
    pub(super) link: Link,
    pub(super) guard: Guard,
    /// The namespace that runs here have together; `None` where each has its own.
    pub(super) home: Option<Home>,
    /// The value of [`RUN_LABEL`].
    pub(super) run: String,
    pub(super) inside: Inside,
    seen: Seen,
    /// The server at the other end, where it is simulated in this process.
    pub(super) own: Option<serve::Cluster>,
    ids: Ids,
    /// Requests that wait for the guard's question, by its id.
    held: BTreeMap<u64, (u32, u64, Box<Request>)>,
    trouble: Trouble,
    /// Requests of the engine and of the script that are not answered yet.
    under_way: usize,
    written: Written,
    changed: bool,
    /// Whether what was made stays.
    pub(super) keeps: bool,
    /// Nodes of the cluster's own that were taken out for the run.
    pub(super) cordoned: Vec<String>,
}

impl Wire {
    /// A cluster behind `link`, with what the lab brings along.
    pub(super) fn new(
        link: Link,
        run: String,
        inside: Inside,
        own: Option<serve::Cluster>,
        trouble: Trouble,
    ) -> Self {
        Self {
            link,
            guard: Guard::default(),
            home: None,
            run,
            inside,
            seen: Seen::default(),
            own,
            ids: Ids::default(),
            held: BTreeMap::new(),
            trouble,
            under_way: 0,
            written: Written::default(),
            changed: false,
            keeps: false,
            cordoned: Vec::new(),
        }
    }

    /// Starts what the lab brings along.
    pub(super) fn start(&mut self, now: Time) -> Outbox {
        let mut out = Outbox::default();
        for client in self.inside.numbers() {
            self.hear(now, client, Input::Start, &mut out);
        }
        out
    }

    /// Makes sure that checks see objects of these kinds.
    pub(in crate::lab) fn watch(&mut self, now: Time, kinds: &[Gvr], out: &mut Outbox) {
        let mut wants = api::Outbox::default();
        for gvr in kinds {
            self.seen.want(gvr, &mut wants);
        }
        self.send(now, OBSERVER, wants, out);
    }

    /// Sends what a client wants: requests leave, timers go to the run's queue.
    pub(super) fn send(&mut self, now: Time, client: u32, wants: api::Outbox, out: &mut Outbox) {
        for (at, key) in wants.timers {
            let what = What::Hear(Input::Timer { key });
            out.later.push((at.max(now), Signal { client, what }));
        }
        for (id, request) in wants.requests {
            if client >= FIRST_FOREIGN {
                self.watch(now, std::slice::from_ref(&request.resource), out);
                if let Some(question) = self.guard.before(&request) {
                    let asked = self.ids.draw();
                    self.held.insert(asked, (client, id, Box::new(request)));
                    self.link.send(GUARD, asked, Box::new(question));
                    continue;
                }
            }
            self.leave(client, id, Box::new(request));
        }
    }

    /// A request leaves.
    fn leave(&mut self, client: u32, id: u64, request: Box<Request>) {
        if counts(client, &request) {
            self.under_way += 1;
        }
        self.link.send(client, id, request);
    }

    /// A question that is waited for, for a while: an answer of 503 stands for none.
    pub(super) fn ask(&self, request: &Request) -> Response {
        self.link.call_blocking(request, limits::ANSWER_TO_LAB)
    }

    /// Takes a signal for somebody on this side of the wire.
    pub(in crate::lab) fn step(&mut self, now: Time, signal: Signal) -> Outbox {
        let mut out = Outbox::default();
        if let What::Hear(input) = signal.what {
            self.hear(now, signal.client, input, &mut out);
        }
        out
    }

    fn hear(&mut self, now: Time, client: u32, input: Input, out: &mut Outbox) {
        let mut wants = api::Outbox::default();
        match client {
            OBSERVER => self.changed |= self.seen.take(now, &input, &mut wants),
            GUARD => {
                if let Input::Answer { id, response } = input {
                    self.looked(id, &response);
                }
            }
            _ => self.inside.hear(now, client, input, &mut wants),
        }
        self.send(now, client, wants, out);
    }

    /// The guard's question is answered: what waited for it goes, or the run is over.
    fn looked(&mut self, asked: u64, answer: &Response) {
        let Some((client, id, request)) = self.held.remove(&asked) else { return };
        match self.guard.looked(&request, answer) {
            Ok(()) => self.leave(client, id, request),
            Err(why) => self.trouble.tell(why),
        }
    }

    /// What came back, as a signal for whom it is for, and the request that was answered.
    pub(in crate::lab) fn told(&mut self, now: Time, told: Told) -> (Signal, Option<Answered>) {
        match told {
            Told::Event { client, id, event } => {
                (Signal { client, what: What::Hear(Input::Event { id, event }) }, None)
            }
            Told::Ended { client, id } => {
                (Signal { client, what: What::Hear(Input::WatchEnded { id }) }, None)
            }
            Told::Answer { client, id, request, response } => {
                if counts(client, &request) {
                    self.under_way = self.under_way.saturating_sub(1);
                }
                let namespace = request.namespace.as_deref().unwrap_or_default();
                let is_at_home = self.guard.is_at_home(namespace);
                self.trouble.look(now, client, &request, &response, is_at_home);
                if client >= FIRST_FOREIGN || client == KUBELETS {
                    self.guard.learn(&request, &response);
                    self.written.learn(&request, &response);
                    self.label(&request, &response);
                }
                let input = Input::Answer { id, response: Arc::clone(&response) };
                (Signal { client, what: What::Hear(input) }, Some((id, request, response)))
            }
        }
    }

    /// A namespace that the engine made gets the label of the run.
    fn label(&mut self, request: &Request, response: &Response) {
        let is_new = response.code == 201 && !request.options.dry_run;
        if is_new
            && request.resource == NAMESPACES
            && let Some(key) = Key::of(request)
        {
            let body = json!({"metadata": {"labels": {RUN_LABEL: self.run.as_str()}}});
            let patch = Request::patch(NAMESPACES, "", &key.name, PatchKind::Merge, body);
            let id = self.ids.draw();
            self.link.send(GUARD, id, Box::new(patch.by(super::seen::AGENT)));
        }
    }

    /// What images do from now on.
    pub(super) fn set_image(
        &mut self,
        now: Time,
        pattern: &str,
        behaviour: Behaviour,
        out: &mut Outbox,
    ) {
        if let Some(own) = &self.own {
            return own.set_image(pattern, behaviour);
        }
        let mut wants = api::Outbox::default();
        self.inside.set_image(now, pattern, behaviour, &mut wants);
        self.send(now, KUBELETS, wants, out);
    }

    /// A client went away.
    pub(super) fn drop_client(&mut self, client: u32) {
        self.held.retain(|_, (of, _, _)| *of != client);
        self.link.drop_client(client);
    }

    /// Whether a write of the engine or of the script may still come true.
    pub(in crate::lab) fn is_writing(&self) -> bool {
        self.under_way > 0
    }

    /// A fetch from the Git server has ended.
    pub(in crate::lab) fn fetched(&mut self, now: Time, result: Result<(), &str>) {
        self.trouble.fetched(now, result);
    }

    /// Why the run cannot go on, if it cannot.
    pub(in crate::lab) fn trouble(&mut self, now: Time) -> Option<String> {
        self.trouble.take(now)
    }

    /// The server cannot be used, for a reason.
    pub(super) fn unusable(&self, why: String) -> SiteError {
        SiteError::Unusable { server: self.trouble.server().to_owned(), why }
    }

    /// Whether checks see everything that the run has written so far.
    pub(in crate::lab) fn sees_what_was_written(&self) -> bool {
        self.written.is_in(&self.seen)
    }

    /// Whether what checks look at changed since the last call.
    pub(in crate::lab) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    pub(super) fn peek(&self, gvr: &Gvr, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.seen.get(gvr, namespace, name)
    }

    /// The objects of a resource that are this run's.
    pub(super) fn all_of<'a>(
        &'a self,
        gvr: &Gvr,
    ) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        let own = gvr.clone();
        self.seen.all_of(gvr).filter(move |object| self.guard.is_own(&own, object))
    }

    /// Every object that is this run's.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Object>> {
        let own = self.seen.all().filter(|(gvr, object)| self.guard.is_own(gvr, object));
        own.map(|(_, object)| object)
    }
}

/// Whether a request is one that a run waits for before it takes away what it made.
fn counts(client: u32, request: &Request) -> bool {
    client >= FIRST_FOREIGN && request.is_write()
}

impl Drop for Wire {
    fn drop(&mut self) {
        // After a run that went its way nothing is left to remove; a panic leaves everything.
        if !self.keeps {
            self.remove();
        }
        self.uncordon();
        self.link.close();
    }
}
