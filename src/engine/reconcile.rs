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

mod answers;
mod app;
mod boot;
mod deploy;
mod drifts;
mod judge;
mod outcome;
mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api;
use crate::base::{Event, Time};
use crate::engine::live::Live;
use crate::engine::model::{App, Artifact, GitId};
use crate::engine::render::ParseCache;
use crate::engine::{Action, Input, Outbox};
use crate::object::schema::{self, Schema};
use crate::object::{Gvr, ObjectId};
use answers::Pending;
use app::{AppState, Next, Why};

/// The engine.
pub struct Engine {
    apps: BTreeMap<String, AppState>,
    core: Core,
}

/// All of the engine that is not of one App.
struct Core {
    schema: &'static Schema,
    live: Live,
    cache: ParseCache,
    head: Option<Arc<Artifact>>,
    /// What every object's App is; an object that left one App for another is not pruned.
    owner: BTreeMap<ObjectId, String>,
    /// Requests under way, by id.
    pending: BTreeMap<u64, Pending>,
    timers: BTreeMap<u64, Wake>,
    ids: api::Ids,
    /// Commits that were taken back.
    reverted: BTreeSet<GitId>,
    boot: boot::Boot,
    /// When the push notice came that the next head answers to.
    noticed: bool,
    notices: u64,
    out: Outbox,
}

/// What a timer is for.
#[derive(Clone, Debug)]
enum Wake {
    /// Send a request again.
    Again(u64),
    /// Look at an App's health: its time is up, or a rule depends on age.
    Health { app: String, run: u64 },
    /// Correct an object after a pause.
    Correct { app: String, id: ObjectId },
}

impl Engine {
    /// An engine for `apps`. It does nothing before [`Input::Start`].
    #[must_use]
    pub fn new(apps: &[App]) -> Self {
        let states = apps.iter().map(|app| (app.name.clone(), AppState::new(app.clone())));
        Self { apps: states.collect(), core: Core::new() }
    }

    /// Takes one input at `now` and says what is wanted.
    pub fn step(&mut self, now: Time, input: Input) -> Outbox {
        match input {
            Input::Start => self.core.start(),
            Input::Pushed => {
                self.core.noticed = true;
                self.core.out.actions.push(Action::Fetch { commit: None });
            }
            Input::Fetched { asked: None, artifact } => {
                self.core.head = Some(artifact);
                self.retarget(now);
            }
            Input::Fetched { asked: Some(commit), artifact } => {
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
        if self.core.noticed {
            return Some("a new commit is being fetched".to_owned());
        }
        self.apps.values().find_map(|app| {
            let name = &app.spec.name;
            if let Some(run) = app.run.as_ref().filter(|run| !run.held) {
                return Some(format!("{name}: {:?} of {}", run.stage, run.version.commit));
            }
            if let Some(awaited) = &app.awaited {
                return Some(format!("{name}: waits for the tree of {}", awaited.to));
            }
            app.writing.first().map(|id| format!("{name}: writes {id}"))
        })
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
                if state.run.as_ref().is_some_and(|r| r.number == run) {
                    self.core.judge(now, state);
                }
            }
            Wake::Correct { app, id } => {
                if let Some(state) = self.apps.get_mut(&app) {
                    self.core.correct(state, &id);
                }
            }
        }
    }

    /// The head moved: renders every App whose files changed, then starts them. All are rendered
    /// before one is started, so that an object that moves from one App to another has its new
    /// owner before its old one prunes.
    fn retarget(&mut self, now: Time) {
        let Some(head) = self.core.head.clone() else { return };
        if !self.core.boot.is_done() {
            return;
        }
        let noticed = std::mem::take(&mut self.core.noticed);
        let mut changed = Vec::new();
        for (name, app) in &mut self.apps {
            if let Some(version) = self.core.look(now, app, &head, noticed) {
                changed.push((name.clone(), version));
            }
        }
        for (name, (version, why)) in changed {
            let is_blocked = why == Why::Commit && self.is_blocked(&name);
            let Some(app) = self.apps.get_mut(&name) else { continue };
            if is_blocked {
                self.core.block(app, version);
            } else {
                self.core.begin(now, app, Next { version, why });
            }
        }
    }

    /// Whether a dependency of the App is not ready at the head yet.
    fn is_blocked(&self, name: &str) -> bool {
        let Some(app) = self.apps.get(name) else { return false };
        app.spec.depends_on.iter().any(|on| !self.apps.get(on).is_some_and(|on| on.is_ready))
    }

    /// Starts what waited for a dependency that has become ready.
    fn unblock(&mut self, now: Time) {
        if !std::mem::take(&mut self.core.boot.became_ready) {
            return;
        }
        let waiting: Vec<String> = self
            .apps
            .values()
            .filter(|app| app.blocked.is_some())
            .map(|app| app.spec.name.clone())
            .collect();
        for name in waiting {
            if self.is_blocked(&name) {
                continue;
            }
            let Some(app) = self.apps.get_mut(&name) else { continue };
            if let Some(version) = app.blocked.take() {
                self.core.begin(now, app, Next { version, why: Why::Commit });
            }
        }
        // A start may end at once (nothing to do), which may free the next in the chain.
        if self.core.boot.became_ready {
            self.unblock(now);
        }
    }
}

impl Core {
    fn new() -> Self {
        Self {
            schema: schema::builtin(),
            live: Live::default(),
            cache: ParseCache::default(),
            head: None,
            owner: BTreeMap::new(),
            pending: BTreeMap::new(),
            timers: BTreeMap::new(),
            ids: api::Ids::default(),
            reverted: BTreeSet::new(),
            boot: boot::Boot::default(),
            noticed: false,
            notices: 0,
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
        Some(self.schema.kind(group, version, kind)?.gvr.clone())
    }
}
