//! A cluster in real time: the owner of a [`World`], its queue of signals and its clock.
//!
//! Requests from outside are answered at once, on the thread that brings them; what they mean for
//! controllers, nodes and timers is carried out by [`drive`], a task, as the clock says. Watch
//! events are written once a form and handed to every feed that takes that form.
//!
//! Not here: sockets (`listener`), HTTP (`answer`), what a request does (`sim`).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;

use super::encode;
use super::journal::{Journal, JournalError, Kept, Opened};
use super::metrics::Metrics;
use super::negotiate::Form;
use super::settings::Settings;
use super::stream::{Feed, Reader};
use super::webhook;
use crate::api::{Payload, Request, Response, WatchEvent};
use crate::base::{Clock, Queue, Rng, Time, limits};
use crate::object::{Gvr, Object};
use crate::sim::pods::Behaviour;
use crate::sim::rest::WebhookAnswer;
use crate::sim::rest::table::Transform;
use crate::sim::world::{CallingOut, FIRST_DIRECT, Outbox, Signal, World};
use crate::sim::{Delivery, Server};

/// Every request from the wire is of this client; watches are told apart by their ids.
const WIRE: u32 = FIRST_DIRECT;

/// What is due this soon is due now: timers are no finer than a millisecond.
const SOON: Duration = Duration::from_micros(500);

/// A running cluster. Clones are the same cluster; it ends with the last of them.
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
}

struct Shared {
    core: Mutex<Core>,
    wake: Arc<Notify>,
    settings: Settings,
    metrics: Metrics,
}

struct Core {
    world: World,
    journal: Option<Journal>,
    queue: Queue<Signal>,
    clock: Clock,
    now: Time,
    rng: Rng,
    watches: BTreeMap<u64, Watching>,
    next_id: u64,
    /// Requests of clients in the cluster that wait for a webhook.
    calling_out: Vec<CallingOut>,
}

/// An open watch of the wire.
struct Watching {
    feed: Arc<Feed>,
    form: Form,
    resource: Gvr,
    /// Whether it has been told of something.
    has_heard: bool,
}

/// What came of a request, and when what it wrote is kept, where it is.
pub(super) struct Called {
    pub(super) outcome: Outcome,
    pub(super) kept: Option<Kept>,
}

/// See [`Called`].
pub(super) enum Outcome {
    /// A webhook has to be called first: see [`Cluster::resume`].
    Waiting(Box<CallingOut>),
    Answered(Response),
    /// The watch is open; the answer's warnings, and its body.
    Opened(Vec<String>, Reader),
}

impl Cluster {
    /// Starts a cluster on the tokio runtime that this is called in.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn start(settings: Settings) -> Self {
        let clock = Clock::real();
        let server = settings.server(None, clock.start());
        Self::around(server, None, settings, clock)
    }

    /// Starts a cluster whose state is kept in a folder: it goes on where it was left.
    ///
    /// # Errors
    /// [`JournalError`]: the folder cannot be used.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn open(settings: Settings, folder: &Path) -> Result<Self, JournalError> {
        let clock = Clock::real();
        let mut opened = Opened::open(folder)?;
        let is_new = opened.store.is_none();
        let mut server = settings.server(opened.store.take(), clock.start());
        let mut journal = opened.start(server.revision(), || server.state().collect())?;
        // What is made at a start is in a new log's state, and follows what an old log holds.
        let made = server.take_journal();
        if !is_new && !made.is_empty() {
            journal.take(made);
        }
        server.keep_journal();
        Ok(Self::around(server, Some(journal), settings, clock))
    }

    fn around(server: Server, journal: Option<Journal>, settings: Settings, clock: Clock) -> Self {
        let seed = Rng::new(settings.seed);
        let now = clock.start();
        let mut world = World::with(
            settings.parts.clone(),
            server,
            &seed,
            &settings.profile,
            settings.images.clone(),
        );
        let out = world.start(now);
        let mut core = Core {
            world,
            journal,
            queue: Queue::new(None),
            clock,
            now,
            rng: seed.fork("wire"),
            watches: BTreeMap::new(),
            next_id: 1,
            calling_out: Vec::new(),
        };
        core.take(out);
        let wake = Arc::new(Notify::new());
        let shared = Shared {
            core: Mutex::new(core),
            wake: Arc::clone(&wake),
            settings,
            metrics: Metrics::default(),
        };
        let shared = Arc::new(shared);
        tokio::spawn(drive(Arc::downgrade(&shared), wake));
        Self { shared }
    }

    /// How it was started.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// From now on the images that `pattern` stands for do what `behaviour` says.
    pub fn set_image(&self, pattern: &str, behaviour: Behaviour) {
        self.with_world(|world, now, out| world.set_image(now, pattern, behaviour, out));
    }

    /// Changes what goes on in the world, at what time it is: what measures show, which nodes are
    /// silent, what becomes of objects without a controller.
    pub fn with_world<R>(&self, act: impl FnOnce(&mut World, Time, &mut Outbox) -> R) -> R {
        let mut core = self.shared.lock();
        let now = core.tell_time();
        let mut out = Outbox::default();
        let acted = act(&mut core.world, now, &mut out);
        core.take(out);
        self.shared.wake.notify_one();
        acted
    }

    /// What is counted of requests.
    pub(super) fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// When it was started.
    pub(super) fn started(&self) -> Time {
        self.shared.lock().clock.start()
    }

    /// Asks something of the API server without a request, at what time it is.
    pub(super) fn with_server<R>(&self, ask: impl FnOnce(&mut Server, Time) -> R) -> R {
        let mut core = self.shared.lock();
        let now = core.tell_time();
        ask(core.world.server(), now)
    }

    /// Answers a request. The events of a watch come in `form`.
    pub(super) fn call(&self, request: &Request, form: Form) -> Called {
        let mut core = self.shared.lock();
        if request.is_write()
            && let Some(Err(status)) = core.journal.as_ref().map(Journal::ready)
        {
            return Called { outcome: Outcome::Answered(status.into()), kept: None };
        }
        let now = core.tell_time();
        let id = core.next_id;
        core.next_id += 1;
        let mut out = Outbox::default();
        let response = core.world.call(now, WIRE, id, request, &mut out);
        let Some(response) = response else { return self.done(core, None, out) };
        if !matches!(response.payload, Payload::Watching) {
            return self.done(core, Some(response), out);
        }
        let (feed, initial) = core.open(id, form, &request.resource, &mut out);
        let kept = self.done(core, None, out).kept;
        let shared = Arc::downgrade(&self.shared);
        let on_drop = move || close(&shared, id);
        let reader = Reader::new(initial, feed, on_drop);
        Called { outcome: Outcome::Opened(response.warnings, reader), kept }
    }

    /// Goes on with a request whose webhook has answered.
    pub(super) fn resume(&self, waiting: CallingOut, answer: WebhookAnswer) -> Called {
        let mut core = self.shared.lock();
        let now = core.tell_time();
        let mut out = Outbox::default();
        let response = core.world.resume(now, waiting, answer, &mut out);
        self.done(core, response, out)
    }

    /// Takes what a request meant for others, and lets go of the core.
    fn done(
        &self,
        mut core: MutexGuard<'_, Core>,
        response: Option<Response>,
        mut out: Outbox,
    ) -> Called {
        let own = out.calling_out.pop_if(|calling| calling.client == WIRE);
        core.take(out);
        let kept = core.keep();
        if core.is_due() {
            self.shared.wake.notify_one();
        }
        let outcome = match (own, response) {
            (Some(calling), _) => Outcome::Waiting(Box::new(calling)),
            (None, Some(response)) => Outcome::Answered(response),
            // The answer to a watch is its stream, which the caller puts in its place.
            (None, None) => Outcome::Opened(Vec::new(), Reader::nothing()),
        };
        Called { outcome, kept }
    }

    /// Ends what is kept in a folder: it is free for another when this returns.
    pub async fn close(&self) {
        let kept = {
            let mut core = self.shared.lock();
            core.keep();
            let revision = core.world.server().revision();
            core.journal.as_mut().map(|journal| journal.stop(revision))
        };
        if let Some(kept) = kept {
            // A disk that does not take the end will have the next start read it as a crash.
            let _ = kept.wait().await;
        }
    }

    /// How long a watch lasts that was given no end: R-HTTP-40.
    pub(super) fn draw_watch_seconds(&self) -> u64 {
        1_800 + self.shared.lock().rng.below(1_800)
    }

    /// Ends every watch, as a server does that stops.
    pub(super) fn end_watches(&self) {
        let mut core = self.shared.lock();
        for (id, watch) in std::mem::take(&mut core.watches) {
            watch.feed.end();
            core.world.drop_watch(WIRE, id);
        }
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Core> {
        // A request that panicked is a bug that was told; the next one is still answered.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn close(shared: &Weak<Shared>, id: u64) {
    if let Some(shared) = shared.upgrade() {
        let mut core = shared.lock();
        if core.watches.remove(&id).is_some() {
            core.world.drop_watch(WIRE, id);
        }
    }
}

/// Carries out what is due, until the cluster is gone.
async fn drive(shared: Weak<Shared>, wake: Arc<Notify>) {
    loop {
        let next = match shared.upgrade() {
            Some(strong) => {
                let mut core = strong.lock();
                let next = core.run_due();
                for waiting in std::mem::take(&mut core.calling_out) {
                    tokio::spawn(call_webhook(shared.clone(), waiting));
                }
                next
            }
            None => return,
        };
        match next {
            Some(Duration::ZERO) => tokio::task::yield_now().await,
            // A cluster that is gone wakes nobody, so it is looked for now and then.
            next => {
                let wait = next.unwrap_or(Duration::from_secs(1)).min(Duration::from_secs(1));
                let _ = tokio::time::timeout(wait, wake.notified()).await;
            }
        }
    }
}

/// Calls a webhook for a client in the cluster, whose request waits for it.
async fn call_webhook(shared: Weak<Shared>, waiting: CallingOut) {
    let answer = webhook::call(waiting.call()).await;
    if let Some(shared) = shared.upgrade() {
        Cluster { shared }.resume(waiting, answer);
    }
}

type Initial = Box<dyn Iterator<Item = Bytes> + Send>;

impl Core {
    /// What time it is; never earlier than what was told before.
    fn tell_time(&mut self) -> Time {
        self.now = self.now.max(self.clock.now());
        self.now
    }

    fn is_due(&self) -> bool {
        !self.calling_out.is_empty() || self.queue.next_at().is_some_and(|at| at <= self.now + SOON)
    }

    /// Carries out some of what is due; says how long it is until the next.
    fn run_due(&mut self) -> Option<Duration> {
        for _ in 0..limits::SIGNALS_AT_ONCE {
            let now = self.tell_time();
            let next = self.queue.next_at()?;
            if next > now + SOON {
                return Some(next.since(now));
            }
            let (at, signal) = self.queue.pop()?;
            self.now = now.max(at);
            let out = self.world.step(self.now, signal);
            self.take(out);
            // Nobody waits for what the cluster itself writes.
            self.keep();
        }
        Some(Duration::ZERO)
    }

    /// Hands what was committed to the journal.
    fn keep(&mut self) -> Option<Kept> {
        let journal = self.journal.as_mut()?;
        let commits = self.world.take_journal();
        let kept = (!commits.is_empty()).then(|| journal.take(commits));
        if journal.wants_state() {
            let server = self.world.server();
            journal.give_state(server.revision(), server.state().collect());
        }
        kept
    }

    /// Takes what the world wants: signals for later, events for watches.
    fn take(&mut self, out: Outbox) {
        for (at, signal) in out.later {
            self.queue.push(at, signal);
        }
        self.calling_out.extend(out.calling_out);
        self.tell(out.direct);
        for (_, id) in out.ended {
            if let Some(watch) = self.watches.remove(&id) {
                watch.feed.end();
            }
        }
    }

    fn tell(&mut self, deliveries: Vec<Delivery>) {
        let mut written = Written::default();
        let mut cut = Vec::new();
        for delivery in deliveries {
            let Some(watch) = self.watches.get_mut(&delivery.id) else { continue };
            let bytes = match watch.form.transform {
                Some(transform) => {
                    watch.transformed(self.world.server(), &delivery.event, &transform, self.now)
                }
                None => written.event(&delivery.event, watch.form),
            };
            if !watch.feed.push(self.now, bytes) {
                cut.push(delivery.id);
            }
        }
        for id in cut {
            if let Some(watch) = self.watches.remove(&id) {
                watch.feed.cut();
                self.world.drop_watch(WIRE, id);
            }
        }
    }

    /// Takes a watch in that has just been opened, with what it begins with.
    fn open(
        &mut self,
        id: u64,
        form: Form,
        resource: &Gvr,
        out: &mut Outbox,
    ) -> (Arc<Feed>, Initial) {
        let own = |delivery: &mut Delivery| delivery.id == id;
        let first: Vec<WatchEvent> = out.direct.extract_if(.., own).map(|d| d.event).collect();
        let feed = Arc::new(Feed::default());
        let resource = resource.clone();
        let mut watch = Watching { feed: Arc::clone(&feed), form, resource, has_heard: false };
        let now = self.now;
        let initial: Initial = match form.transform {
            Some(transform) => {
                let server = self.world.server();
                let written = first.iter();
                let written =
                    written.map(|event| watch.transformed(server, event, &transform, now));
                Box::new(written.collect::<Vec<Bytes>>().into_iter())
            }
            None => Box::new(first.into_iter().map(move |event| encode::event(&event, form, None))),
        };
        self.watches.insert(id, watch);
        (feed, initial)
    }
}

impl Watching {
    /// An event in the shape that this watch wants.
    fn transformed(
        &mut self,
        server: &Server,
        event: &WatchEvent,
        transform: &Transform,
        now: Time,
    ) -> Bytes {
        let first = !std::mem::replace(&mut self.has_heard, true);
        let object = server.transformed_event(&self.resource, event, transform, now, first);
        encode::event(event, self.form, Some(&object))
    }
}

/// Events as they were just written: the same event goes to many watches, one after the other.
#[derive(Default)]
struct Written {
    object: Option<Arc<Object>>,
    events: Vec<(crate::api::EventKind, Form, Bytes)>,
}

impl Written {
    fn event(&mut self, event: &WatchEvent, form: Form) -> Bytes {
        let same = self.object.as_ref().is_some_and(|object| Arc::ptr_eq(object, &event.object));
        if !same {
            self.object = Some(Arc::clone(&event.object));
            self.events.clear();
        }
        let known = self.events.iter().find(|(kind, f, _)| *kind == event.kind && *f == form);
        if let Some((_, _, bytes)) = known {
            return bytes.clone();
        }
        let bytes = encode::event(event, form, None);
        self.events.push((event.kind, form, bytes.clone()));
        bytes
    }
}
