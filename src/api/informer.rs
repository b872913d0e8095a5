//! A cache of one resource, kept by LIST and WATCH.
//!
//! An [`Informer`] is a state machine like the client that it lives in: it is given every input
//! of the client, takes those that answer its own requests and timers, and says what changed.
//! It lists in pages, watches from the list's revision, resumes a watch that ended from the last
//! revision it saw, lists anew on 410, and retries everything else by timer, the pause doubling.
//!
//! Not here: indices (their user builds them from the changes), and anything that depends on
//! what the objects are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{EventKind, Input, List, Outbox, Payload, Request, Response, WatchEvent};
use crate::base::{Bug, Time, limits};
use crate::object::word::Word;
use crate::object::{Gvr, Object};

/// Where a client draws the ids of its requests and timers; one for all parts of it.
#[derive(Clone, Debug, Default)]
pub struct Ids(u64);

impl Ids {
    /// The next id, never given before.
    pub fn draw(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// What happened to one object. An object replaced by another of its name while the informer
/// was not looking comes as two changes, a deletion and a creation.
#[derive(Clone, Debug)]
pub struct Change {
    /// As it was; `None` where it is new.
    pub old: Option<Arc<Object>>,
    /// As it is; `None` where it is gone.
    pub new: Option<Arc<Object>>,
}

impl Change {
    /// The newest version known of the object.
    #[must_use]
    pub fn object(&self) -> Option<&Arc<Object>> {
        self.new.as_ref().or(self.old.as_ref())
    }
}

#[derive(Debug)]
enum Phase {
    /// Not started, or stopped.
    Idle,
    /// Waiting for a page; `page` holds those that came before.
    Listing { id: u64, token: Option<String>, page: Vec<Arc<Object>> },
    /// The watch is asked for or open. `heard` once it said anything.
    Watching { id: u64, since: Time, heard: bool },
    /// A pause; then the page (or the watch) is asked for again.
    Pausing { timer: u64, then: Next },
}

#[derive(Debug)]
enum Next {
    Page { token: Option<String>, page: Vec<Arc<Object>> },
    Watch,
}

/// A watch that ended this soon without a word counts as a failure, as in client-go.
const WATCH_SHORT: Duration = Duration::from_secs(1);

/// A cache of one resource in one namespace or in all.
#[derive(Debug)]
pub struct Informer {
    /// What every list is made of: resource, namespace, selectors, user agent.
    list: Request,
    objects: BTreeMap<Word, BTreeMap<Word, Arc<Object>>>,
    revision: u64,
    synced: bool,
    /// Lists that were complete.
    lists: u64,
    failures: u32,
    phase: Phase,
    /// Wrong on purpose.
    bug: Option<Bug>,
}

impl Informer {
    /// An informer of `resource`; an empty `namespace` means all of them. `user_agent` is the
    /// client's name. Sends nothing before [`Informer::start`].
    #[must_use]
    pub fn new(resource: Gvr, namespace: &str, user_agent: &'static str) -> Self {
        Self {
            list: Request::list(resource, namespace).by(user_agent),
            objects: BTreeMap::new(),
            revision: 0,
            synced: false,
            lists: 0,
            failures: 0,
            phase: Phase::Idle,
            bug: None,
        }
    }

    /// The same, wrong on purpose (see [`Bug`]).
    #[must_use]
    pub fn with_bug(mut self, bug: Option<Bug>) -> Self {
        self.bug = bug;
        self
    }

    /// The same informer for objects that match a label selector only.
    #[must_use]
    pub fn selecting(mut self, labels: &str) -> Self {
        self.list.options.label_selector = Some(labels.to_owned());
        self
    }

    /// What is cached.
    #[must_use]
    pub fn resource(&self) -> &Gvr {
        &self.list.resource
    }

    /// Asks for the list. What was cached stays until it is there.
    pub fn start(&mut self, ids: &mut Ids, out: &mut Outbox) {
        self.ask_page(None, Vec::new(), ids, out);
    }

    /// Forgets everything and ignores what is still under way.
    pub fn stop(&mut self) -> Vec<Change> {
        self.phase = Phase::Idle;
        self.synced = false;
        self.revision = 0;
        let objects = std::mem::take(&mut self.objects);
        let gone = objects.into_values().flat_map(BTreeMap::into_values);
        gone.map(|old| Change { old: Some(old), new: None }).collect()
    }

    /// Takes `input` if it is this informer's; gives what changed, in the order of the server.
    pub fn take(
        &mut self,
        now: Time,
        input: &Input,
        ids: &mut Ids,
        out: &mut Outbox,
    ) -> Vec<Change> {
        match input {
            Input::Answer { id, response } => self.answered(now, *id, response, ids, out),
            Input::Event { id, event } => self.heard(now, *id, event, ids, out),
            Input::WatchEnded { id } => self.watch_ended(now, *id, ids, out),
            Input::Timer { key } => self.woken(now, *key, ids, out),
            Input::Start => Vec::new(),
        }
    }

    /// Whether the first list is complete.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.synced
    }

    /// How many lists were complete: what came and went between two of them is no change.
    #[must_use]
    pub fn lists(&self) -> u64 {
        self.lists
    }

    /// The revision up to which the cache has seen every change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// One object; `namespace` is empty for cluster scope.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.objects.get(&namespace.into())?.get(&name.into())
    }

    /// All objects, by namespace and name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values().flat_map(BTreeMap::values)
    }

    /// The objects of one namespace, by name.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.get(&namespace.into()).into_iter().flat_map(BTreeMap::values)
    }

    fn ask_page(
        &mut self,
        token: Option<String>,
        page: Vec<Arc<Object>>,
        ids: &mut Ids,
        out: &mut Outbox,
    ) {
        let id = ids.draw();
        let mut request = self.list.clone();
        request.options.limit = limits::LIST_PAGE;
        request.options.continue_token.clone_from(&token);
        out.requests.push((id, request));
        self.phase = Phase::Listing { id, token, page };
    }

    fn ask_watch(&mut self, now: Time, ids: &mut Ids, out: &mut Outbox) {
        let id = ids.draw();
        let namespace = self.list.namespace.as_deref().unwrap_or_default();
        let from = self.revision.to_string();
        let mut request = Request::watch(self.list.resource.clone(), namespace, &from);
        request.user_agent.clone_from(&self.list.user_agent);
        request.options.label_selector.clone_from(&self.list.options.label_selector);
        out.requests.push((id, request));
        self.phase = Phase::Watching { id, since: now, heard: false };
    }

    fn pause(&mut self, now: Time, then: Next, ids: &mut Ids, out: &mut Outbox) {
        let timer = ids.draw();
        let delay = limits::RETRY_START.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        out.timers.push((now + delay.min(limits::RETRY_MAX), timer));
        self.phase = Phase::Pausing { timer, then };
    }

    /// Lists from the first page: at once the first time, after a pause when that did not help.
    fn relist(&mut self, now: Time, ids: &mut Ids, out: &mut Outbox) {
        if self.bug == Some(Bug::NoRelist) {
            self.revision = 0;
            return self.ask_watch(now, ids, out);
        }
        if self.failures == 0 {
            self.failures = 1;
            self.ask_page(None, Vec::new(), ids, out);
        } else {
            self.pause(now, Next::Page { token: None, page: Vec::new() }, ids, out);
        }
    }

    fn woken(&mut self, now: Time, key: u64, ids: &mut Ids, out: &mut Outbox) -> Vec<Change> {
        if matches!(self.phase, Phase::Pausing { timer, .. } if timer == key)
            && let Phase::Pausing { then, .. } = std::mem::replace(&mut self.phase, Phase::Idle)
        {
            match then {
                Next::Page { token, page } => self.ask_page(token, page, ids, out),
                Next::Watch => self.ask_watch(now, ids, out),
            }
        }
        Vec::new()
    }

    fn answered(
        &mut self,
        now: Time,
        id: u64,
        response: &Response,
        ids: &mut Ids,
        out: &mut Outbox,
    ) -> Vec<Change> {
        match &self.phase {
            Phase::Listing { id: own, .. } if *own == id => {}
            Phase::Watching { id: own, .. } if *own == id => {
                match response.payload {
                    Payload::Watching => {}
                    _ if response.code == 410 => self.relist(now, ids, out),
                    _ => self.pause(now, Next::Watch, ids, out),
                }
                return Vec::new();
            }
            _ => return Vec::new(),
        }
        let Phase::Listing { token, mut page, .. } =
            std::mem::replace(&mut self.phase, Phase::Idle)
        else {
            return Vec::new();
        };
        match &response.payload {
            Payload::List(list) if response.is_ok() => {
                page.extend(list.items.iter().map(|item| typed(item, list)));
                if list.continue_token.as_ref().is_some_and(|token| !token.is_empty()) {
                    self.ask_page(list.continue_token.clone(), page, ids, out);
                    return Vec::new();
                }
                let changes = self.replace(page);
                self.revision = list.revision;
                self.synced = true;
                self.lists += 1;
                self.ask_watch(now, ids, out);
                changes
            }
            _ => {
                // A continue token may have expired: then the pages before it are of no use.
                let next = if response.code == 410 {
                    Next::Page { token: None, page: Vec::new() }
                } else {
                    Next::Page { token, page }
                };
                self.pause(now, next, ids, out);
                Vec::new()
            }
        }
    }

    fn watch_ended(&mut self, now: Time, id: u64, ids: &mut Ids, out: &mut Outbox) -> Vec<Change> {
        if let Phase::Watching { id: own, since, heard } = self.phase
            && own == id
        {
            if self.bug == Some(Bug::SkipsGap) {
                self.revision = 0;
            }
            if !heard && now.since(since) < WATCH_SHORT {
                self.pause(now, Next::Watch, ids, out);
            } else {
                self.ask_watch(now, ids, out);
            }
        }
        Vec::new()
    }

    fn heard(
        &mut self,
        now: Time,
        id: u64,
        event: &WatchEvent,
        ids: &mut Ids,
        out: &mut Outbox,
    ) -> Vec<Change> {
        match &mut self.phase {
            Phase::Watching { id: own, heard, .. } if *own == id => *heard = true,
            _ => return Vec::new(),
        }
        if event.kind == EventKind::Error {
            if event.object.int(&["code"]) == Some(410) {
                self.relist(now, ids, out);
            } else {
                self.pause(now, Next::Watch, ids, out);
            }
            return Vec::new();
        }
        self.failures = 0;
        self.revision = self.revision.max(event.object.revision());
        match event.kind {
            EventKind::Added | EventKind::Modified => self.put(Arc::clone(&event.object)),
            EventKind::Deleted => self.drop_object(&event.object),
            EventKind::Bookmark | EventKind::Error => Vec::new(),
        }
    }

    fn put(&mut self, object: Arc<Object>) -> Vec<Change> {
        let names = self.objects.entry(object.namespace().into()).or_default();
        let old = names.insert(object.name().into(), Arc::clone(&object));
        difference(old, object)
    }

    fn drop_object(&mut self, object: &Object) -> Vec<Change> {
        let namespace = object.namespace().into();
        let Some(names) = self.objects.get_mut(&namespace) else { return Vec::new() };
        let old = names.remove(&object.name().into());
        if names.is_empty() {
            self.objects.remove(&namespace);
        }
        old.map(|old| Change { old: Some(old), new: None }).into_iter().collect()
    }

    /// Puts a whole list in the place of what was cached.
    fn replace(&mut self, items: Vec<Arc<Object>>) -> Vec<Change> {
        let mut before = std::mem::take(&mut self.objects);
        let mut changes = Vec::new();
        for item in items {
            let (namespace, name) = (Word::from(item.namespace()), Word::from(item.name()));
            let old = before.get_mut(&namespace).and_then(|names| names.remove(&name));
            let names = self.objects.entry(namespace).or_default();
            names.insert(name, Arc::clone(&item));
            changes.extend(difference(old, item));
        }
        let gone = before.into_values().flat_map(BTreeMap::into_values);
        changes.extend(gone.map(|old| Change { old: Some(old), new: None }));
        changes
    }
}

fn difference(old: Option<Arc<Object>>, new: Arc<Object>) -> Vec<Change> {
    match old {
        Some(old) if old.uid() != new.uid() => {
            vec![Change { old: Some(old), new: None }, Change { old: None, new: Some(new) }]
        }
        Some(old) if old.resource_version() == new.resource_version() => Vec::new(),
        old => vec![Change { old, new: Some(new) }],
    }
}

/// The item with kind and apiVersion. A real server leaves them out of the items of a typed list.
fn typed(item: &Arc<Object>, list: &List) -> Arc<Object> {
    if !item.kind().is_empty() {
        return Arc::clone(item);
    }
    let mut object = Object::clone(item);
    let kind = list.kind.strip_suffix("List").unwrap_or(&list.kind);
    object.set(&["kind"], kind.into());
    object.set(&["apiVersion"], list.api_version.as_str().into());
    Arc::new(object)
}

#[cfg(test)]
mod tests;
