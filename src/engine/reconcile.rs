//! The order of things: which stage follows which, for each App. The stages themselves are
//! elsewhere and know nothing of each other.
//!
//! An App's way through a commit:
//!
//! ```text
//! fetched ─ render ─ settle ─ [dependencies] ─ live view ─ plan ─ dry run + inventory ─ waves
//!   ─ prune ─ health ─┬─ ready
//!                     └─ failed ─ hold | rollback (the same way, for the last good commit) | revert
//! ```
//!
//! A wait (for answers, for health, for a dependency) is a field in the App's state, never a held
//! worker: any number of Apps wait at once. A newer commit takes over at once from one that waits
//! for health, and as soon as the requests under way are answered from one that is being applied:
//! two applies of one object must not be under way together.

mod after;
mod answers;
mod app;
mod back;
mod begin;
mod boot;
mod deploy;
mod drifts;
mod heads;
mod homeless;
mod judge;
mod kinds;
mod outcome;
mod owners;
mod requests;
mod tell;
mod verdicts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api;
use crate::base::{Bug, Event, Time};
use crate::engine::kinds::Kinds;
use crate::engine::live::Live;
use crate::engine::model::{App, Artifact, GitId};
use crate::engine::render::kustomize::{Options, Remotes};
use crate::engine::render::{ParseCache, Renderer};
use crate::engine::{Action, Input, Outbox};
use crate::object::schema::Schema;
use crate::object::{Gvr, ObjectId};

use app::AppState;
use owners::Owners;
use requests::Pending;

/// The engine.
pub struct Engine {
    apps: BTreeMap<String, AppState>,
    core: Core,
}

/// All of the engine that is not of one App.
struct Core {
    kinds: Kinds,
    live: Live,
    renderer: Renderer,
    head: Option<Arc<Artifact>>,
    /// What every object's App is; an object that left one App for another is not pruned.
    owner: Owners,
    /// Requests under way, by id.
    pending: BTreeMap<u64, Pending>,
    timers: BTreeMap<u64, Wake>,
    ids: api::Ids,
    /// Commits that were taken back.
    reverted: BTreeSet<GitId>,
    /// Commits that take others back and were pushed by an engine.
    own_reverts: BTreeSet<GitId>,
    /// Fetches that failed since the last one that did not.
    fetches_failed: u32,
    /// The head is asked for again after a pause.
    fetch_put_off: bool,
    boot: boot::Boot,
    /// Apps that wait for a dependency, and maybe some that no longer do.
    waiting: BTreeSet<String>,
    /// When the first push notice came that no head was looked at for yet.
    noticed: Option<Time>,
    notices: u64,
    /// Wrong on purpose.
    bug: Option<Bug>,
    out: Outbox,
}

/// What a timer is for.
#[derive(Clone, Debug)]
enum Wake {
    /// Send a request again.
    Again(u64),
    /// Look at an App's health: its time is up, or a rule depends on age.
    Health { app: String, run: u64 },
    /// A wave has waited long enough for its kinds.
    Kinds { app: String, run: u64 },
    /// Correct an object after a pause.
    Correct { app: String, id: ObjectId },
    /// Fetch again what could not be fetched.
    Fetch { commit: Option<GitId> },
    /// Ask again for what has to be known at the start.
    States,
    /// The same of the engine's own namespace.
    Namespace,
    /// Tell of an object whose namespace did not come back.
    Homeless { app: String, id: ObjectId },
}

impl Engine {
    /// An engine for `apps`. It does nothing before [`Input::Start`].
    #[must_use]
    pub fn new(apps: &[App]) -> Self {
        let states = apps.iter().map(|app| (app.name.clone(), AppState::new(app.clone())));
        Self { apps: states.collect(), core: Core::new() }
    }

    /// The same engine, with what is at hand of what kustomizations name by URL.
    #[must_use]
    pub fn with_remotes(mut self, remotes: Remotes) -> Self {
        self.core.renderer = Renderer::new(Options { remotes, ..Options::default() });
        self
    }

    /// The same, wrong on purpose (see [`Bug`]).
    #[must_use]
    pub fn with_bug(mut self, bug: Option<Bug>) -> Self {
        self.core.bug = bug;
        self.core.live.set_bug(bug);
        self
    }

    /// Takes one input at `now` and says what is wanted.
    pub fn step(&mut self, now: Time, input: Input) -> Outbox {
        match input {
            Input::Start => self.core.start(now),
            Input::Pushed => {
                self.core.noticed.get_or_insert(now);
                self.core.out.actions.push(Action::Fetch { commit: None });
            }
            Input::Fetched { asked: None, artifact } => {
                self.core.fetches_failed = 0;
                self.core.head = Some(artifact);
                self.retarget(now);
            }
            Input::Fetched { asked: Some(commit), artifact } => {
                self.core.fetches_failed = 0;
                self.go_back(now, &commit, &artifact);
            }
            Input::FetchFailed { asked, message } => self.fetch_failed(now, asked, &message),
            Input::Reverted { app, bad, result } => self.reverted(now, &app, &bad, result),
            Input::Api(input) => self.take(now, input),
        }
        self.unblock(now);
        std::mem::take(&mut self.core.out)
    }

    /// What is under way, if something is; `None` at rest.
    #[must_use]
    pub fn pending(&self) -> Option<String> {
        if !self.core.boot.is_done() || self.core.head.is_none() {
            return Some("the engine starts".to_owned());
        }
        if self.core.noticed.is_some() {
            return Some("a new commit is being fetched".to_owned());
        }
        self.apps.values().find_map(|app| Some(format!("{}: {}", app.spec.name, app.pending()?)))
    }

    /// Whether the health of something changed and it is not known yet what that comes to: what
    /// is held may be ready after all, what was ready may not be any more.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.apps.values().any(AppState::is_in_doubt)
    }

    /// The kinds that the engine knows.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        self.core.kinds.schema()
    }

    /// What was parsed so far: for who renders the same files besides.
    pub fn parsed_files(&mut self) -> &mut ParseCache {
        self.core.renderer.parsed_files()
    }

    fn take(&mut self, now: Time, input: api::Input) {
        if let api::Input::Timer { key } = input
            && let Some(wake) = self.core.timers.remove(&key)
        {
            return self.wake(now, wake);
        }
        if let api::Input::Answer { id, response } = &input
            && let Some(pending) = self.core.pending.remove(id)
        {
            return self.answered(now, *id, pending, response);
        }
        let changes = self.core.live.take(now, &input, &mut self.core.ids, &mut self.core.out.api);
        self.observe(now, changes);
    }

    fn wake(&mut self, now: Time, wake: Wake) {
        match wake {
            Wake::Again(id) => self.core.send_again(id),
            Wake::Health { app, run } => {
                let Some(state) = self.apps.get_mut(&app) else { return };
                if state.runs == run {
                    self.core.judge(now, state);
                }
            }
            Wake::Kinds { app, run } => {
                let Some(state) = self.apps.get_mut(&app) else { return };
                if state.runs == run {
                    self.core.advance(now, state);
                }
            }
            Wake::Correct { app, id } => {
                if let Some(state) = self.apps.get_mut(&app) {
                    state.put_off.remove(&id);
                    self.core.correct(state, &id);
                }
            }
            Wake::Fetch { commit } => {
                self.core.fetch_put_off &= commit.is_some();
                self.core.out.actions.push(Action::Fetch { commit });
            }
            Wake::States => self.core.ask_states(),
            Wake::Namespace => self.core.ask_namespace(),
            Wake::Homeless { app, id } => {
                if let Some(state) = self.apps.get_mut(&app) {
                    self.core.tell_homeless(now, state, &id);
                }
            }
        }
    }
}

impl Core {
    fn new() -> Self {
        Self {
            kinds: Kinds::default(),
            live: Live::default(),
            renderer: Renderer::default(),
            head: None,
            owner: Owners::default(),
            pending: BTreeMap::new(),
            timers: BTreeMap::new(),
            ids: api::Ids::default(),
            reverted: BTreeSet::new(),
            own_reverts: BTreeSet::new(),
            fetches_failed: 0,
            fetch_put_off: false,
            boot: boot::Boot::default(),
            waiting: BTreeSet::new(),
            noticed: None,
            notices: 0,
            bug: None,
            out: Outbox::default(),
        }
    }

    fn event(&mut self, event: Event) {
        self.out.events.push(event);
    }

    fn wake_at(&mut self, at: Time, wake: Wake) {
        let key = self.ids.draw();
        self.timers.insert(key, wake);
        self.out.api.timers.push((at, key));
    }

    /// The resource that an inventory entry is written at.
    fn resource_of(&self, group: &str, version: &str, kind: &str) -> Option<Gvr> {
        Some(self.kinds.schema().kind(group, version, kind)?.gvr.clone())
    }
}
