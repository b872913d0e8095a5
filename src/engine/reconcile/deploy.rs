//! A deployment's stages, up to the point where only health is left to wait for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Event, Time};
use crate::engine::Action;
use crate::engine::apps::given::State;
use crate::engine::model::{Artifact, FailurePolicy, GitId, InventoryEntry, Rendered};
use crate::engine::plan::{self, Applied, Desired, DesiredSet, Known, PlanError};
use crate::engine::render;
use crate::engine::{apply, live};
use crate::object::{ObjectId, yaml};

use super::answers::Pending;
use super::app::{AppState, Awaited, Next, Run, Stage, Version, Why};
use super::{Core, Wake};

impl Core {
    /// Renders the App at a new head. `None` where there is nothing to start: its files are the
    /// same, or cannot be rendered.
    pub(super) fn look(
        &mut self,
        now: Time,
        app: &mut AppState,
        head: &Artifact,
        noticed: bool,
    ) -> Option<(Version, Why)> {
        let name = app.spec.name.clone();
        let commit = head.commit.to_string();
        app.target = Some(Arc::clone(&head.commit));
        if app.tip.as_ref().is_some_and(|tip| tip.holds_for(&head.tree)) {
            self.event(Event::Unchanged { app: name, commit });
            return None;
        }
        if noticed {
            self.event(Event::Noticed { app: name.clone() });
        }
        self.event(Event::Fetched { app: name.clone(), commit: commit.clone() });
        app.tip = None;
        let rendered = match render::render(&head.tree, &app.spec.path, &mut self.cache) {
            Ok(rendered) => Arc::new(rendered),
            Err(error) => {
                self.not_deployable(now, app, head, "render", &error.to_string());
                return None;
            }
        };
        app.tip = Some(Arc::clone(&rendered));
        self.event(Event::Rendered { app: name, commit, objects: rendered.manifests.len() });
        let desired = match plan::desired::settle(&app.spec, &rendered, self.schema) {
            Ok(desired) => Arc::new(desired),
            Err(error) => {
                let text = place(&error, head);
                self.not_deployable(now, app, head, "plan", &text);
                return None;
            }
        };
        let version = Version { commit: Arc::clone(&head.commit), desired };
        self.own(app, &version.desired);
        self.way_for(app, version, &rendered)
    }

    /// A revision that was rolled back from is not tried again, whatever the commit is called
    /// now: the App goes (or stays) where it was rolled back to.
    fn way_for(
        &mut self,
        app: &mut AppState,
        version: Version,
        rendered: &Rendered,
    ) -> Option<(Version, Why)> {
        let is_bad = app.state.bad.as_ref().is_some_and(|bad| bad.digest == rendered.digest());
        let last_good = app.state.last_good.as_deref().filter(|good| **good != *version.commit);
        let (true, FailurePolicy::Rollback, Some(to)) = (is_bad, app.spec.on_failure, last_good)
        else {
            return Some((version, Why::Commit));
        };
        let (from, to) = (version.commit, GitId::from(to));
        if let Some(good) = app.good.clone().filter(|good| good.commit == to) {
            return Some((good, Why::Rollback { from }));
        }
        self.await_tree(app, from, to);
        None
    }

    /// After a restart the tree of the last good commit is not in memory: it is asked for.
    pub(super) fn await_tree(&mut self, app: &mut AppState, from: GitId, to: GitId) {
        self.out.actions.push(Action::Fetch { commit: Some(Arc::clone(&to)) });
        app.awaited = Some(Awaited { to, from });
    }

    /// The App waits for a dependency; what ran before goes on until then.
    pub(super) fn block(&mut self, app: &mut AppState, version: Version) {
        app.is_ready = false;
        app.blocked = Some(version);
    }

    /// Starts a deployment, taking over from one under way.
    pub(super) fn begin(&mut self, now: Time, app: &mut AppState, next: Next) {
        app.is_ready = false;
        app.blocked = None;
        self.own(app, &next.version.desired);
        if let Some(run) = &app.run {
            let by = next.version.commit.to_string();
            if !run.held && next.why == Why::Commit {
                let commit = run.version.commit.to_string();
                self.event(Event::Preempted { app: app.spec.name.clone(), commit, by });
            }
            self.forget_put_off(app);
            if app.is_busy() {
                app.next = Some(next);
                return;
            }
        }
        self.begin_now(now, app, next);
    }

    fn begin_now(&mut self, now: Time, app: &mut AppState, next: Next) {
        app.runs += 1;
        let desired = Arc::clone(&next.version.desired);
        for want in desired.objects.values() {
            self.live.want(&want.gvr, &mut self.ids, &mut self.out.api);
        }
        for entry in &app.state.inventory {
            let (group, version) = (&entry.id.group, &entry.version);
            if let Some(gvr) = self.resource_of(group, version, &entry.id.kind) {
                self.live.want(&gvr, &mut self.ids, &mut self.out.api);
            }
        }
        if desired.objects.keys().any(live::runs_pods) {
            self.live.want_pods(&mut self.ids, &mut self.out.api);
        }
        app.desired = Some(next.version.clone());
        app.run = Some(Run::new(app.runs, next.version, next.why));
        self.advance(now, app);
    }

    /// Everything that is rendered for an App is its own, and no longer another's.
    fn own(&mut self, app: &AppState, desired: &DesiredSet) {
        for id in desired.objects.keys() {
            self.owner.insert(id.clone(), app.spec.name.clone());
        }
    }

    /// Goes on with a deployment whose stage waits for no answer any more.
    pub(super) fn advance(&mut self, now: Time, app: &mut AppState) {
        if let Some(next) = app.next.take() {
            return self.begin_now(now, app, next);
        }
        let Some(run) = &mut app.run else { return };
        if !run.waiting.is_empty() {
            return;
        }
        match run.stage {
            Stage::Live => self.plan(now, app),
            _ if !run.refused.is_empty() => self.refused(now, app),
            Stage::Check => self.send_wave(now, app, 0),
            Stage::Wave(wave) => {
                let event = Event::WaveApplied {
                    app: app.spec.name.clone(),
                    commit: run.version.commit.to_string(),
                    wave,
                };
                self.event(event);
                self.send_wave(now, app, wave + 1);
            }
            Stage::Prune => self.all_applied(now, app),
            Stage::Health => self.judge(now, app),
        }
    }

    /// Waits until the view of the cluster covers the App's kinds, then compares.
    fn plan(&mut self, now: Time, app: &mut AppState) {
        let Some(run) = &mut app.run else { return };
        let desired = Arc::clone(&run.version.desired);
        // A correction under way carries what was applied before: it must not come in second.
        if !app.writing.is_empty() || !self.sees_all(&desired, &app.state) {
            return;
        }
        let find = |id: &ObjectId| {
            let want = desired.objects.get(id);
            let gvr = want.map(|want| want.gvr.clone()).or_else(|| {
                self.schema.kind(&id.group, "v1", &id.kind).map(|kind| kind.gvr.clone())
            })?;
            let found = self.live.newest(&gvr, id, app.applied.get(id).map(|a| &a.answer));
            found.filter(|object| !object.is_deleting()).cloned()
        };
        let known = Known {
            applied: &app.applied,
            inventory: &app.state.inventory,
            live: &find,
            prune: app.spec.prune,
        };
        run.plan = plan::make(&desired, &known);
        let adopted = adopt(&app.applied, &desired, &run.plan, &find);
        app.applied.extend(adopted);
        let event = Event::Planned {
            app: app.spec.name.clone(),
            commit: run.version.commit.to_string(),
            apply: run.plan.applies(),
            prune: run.plan.prune.len(),
        };
        run.stage = Stage::Check;
        self.event(event);
        self.check(now, app);
    }

    /// Whether the view of the cluster covers every kind that the App has or had.
    fn sees_all(&self, desired: &DesiredSet, state: &State) -> bool {
        let had = state
            .inventory
            .iter()
            .filter_map(|entry| self.resource_of(&entry.id.group, &entry.version, &entry.id.kind));
        desired.objects.values().all(|want| self.live.is_synced(&want.gvr))
            && had.into_iter().all(|gvr| self.live.is_synced(&gvr))
    }

    /// Sends the dry runs, and the inventory where it grows: neither does harm if the other fails.
    fn check(&mut self, now: Time, app: &mut AppState) {
        let Some(run) = &app.run else { return };
        let name = app.spec.name.clone();
        let desired = Arc::clone(&run.version.desired);
        let (rehearse, adds) = (run.plan.rehearse.clone(), run.plan.adds);
        let union = run.plan.union.clone();
        let mut sent = Vec::new();
        for id in rehearse {
            let Some(want) = desired.objects.get(&id) else { continue };
            let request = apply::rehearse(&want.gvr, &want.body);
            let app = name.clone();
            let pending = Pending::Rehearse { app, id, request: request.clone(), tries: 0 };
            sent.push(self.send(request, pending));
        }
        if adds {
            app.state.inventory = union;
            if let Some(run) = &app.run {
                app.state.revision = run.version.commit.to_string();
                "deploying".clone_into(&mut app.state.phase);
            }
            sent.extend(self.write_state(app));
        }
        if let Some(run) = &mut app.run {
            run.waiting.extend(sent);
        }
        self.advance(now, app);
    }

    fn send_wave(&mut self, now: Time, app: &mut AppState, wave: usize) {
        let Some(run) = &mut app.run else { return };
        let desired = Arc::clone(&run.version.desired);
        let Some(ids) = run.plan.waves.get(wave).cloned() else {
            run.stage = Stage::Prune;
            return self.prune(now, app);
        };
        run.stage = Stage::Wave(wave);
        run.touched = true;
        let commit = run.version.commit.to_string();
        let name = app.spec.name.clone();
        let mut sent = Vec::new();
        for id in &ids {
            let Some(want) = desired.objects.get(id) else { continue };
            let request = apply::apply(&want.gvr, &want.body);
            let answer = app.applied.get(id).map(|applied| &applied.answer);
            let was = self.live.newest(&want.gvr, id, answer).map_or(0, |live| live.revision());
            app.writing.insert(id.clone());
            let app = name.clone();
            let want = Box::new(want.clone());
            let pending = Pending::Apply { app, want, was, request: request.clone(), tries: 0 };
            sent.push(self.send(request, pending));
        }
        self.event(Event::WaveSent { app: name, commit, wave, requests: sent.len() });
        if let Some(run) = &mut app.run {
            run.waiting.extend(sent);
        }
    }

    /// Deletes what left the repository, unless another App has it now, it is gone already, or it
    /// does not say that we applied it.
    fn prune(&mut self, now: Time, app: &mut AppState) {
        let Some(run) = &mut app.run else { return };
        let entries = run.plan.prune.clone();
        let name = app.spec.name.clone();
        let mut sent = Vec::new();
        for entry in entries {
            let mine = self.owner.get(&entry.id).is_none_or(|owner| *owner == name);
            let gvr = self.resource_of(&entry.id.group, &entry.version, &entry.id.kind);
            let answer = app.applied.get(&entry.id).map(|applied| &applied.answer);
            let live = gvr.as_ref().and_then(|gvr| self.live.newest(gvr, &entry.id, answer));
            let prunable = live
                .is_some_and(|live| (entry.bare || live::is_ours(live)) && live::may_prune(live));
            match gvr {
                Some(gvr) if mine && prunable => {
                    // From now on its absence is no drift, whenever the watch tells of it.
                    app.applied.remove(&entry.id);
                    let request = apply::prune(gvr, &entry);
                    let app = name.clone();
                    let pending = Pending::Prune { app, entry, request: request.clone(), tries: 0 };
                    sent.push(self.send(request, pending));
                }
                _ => forget(app, &entry),
            }
        }
        if let Some(run) = &mut app.run {
            run.touched |= !sent.is_empty();
            run.waiting.extend(sent);
        }
        self.advance(now, app);
    }

    fn all_applied(&mut self, now: Time, app: &mut AppState) {
        let Some(run) = &mut app.run else { return };
        run.stage = Stage::Health;
        run.applied_at = Some(now);
        let (number, commit) = (run.number, run.version.commit.to_string());
        let pruned = !run.plan.prune.is_empty();
        app.state.inventory =
            run.version.desired.objects.values().map(plan::Desired::entry).collect();
        self.event(Event::Applied { app: app.spec.name.clone(), commit });
        let until = now + app.spec.health_timeout;
        let runs_before = app.runs;
        self.judge(now, app);
        // Where it is ready already there is nothing to wait for, and its state is written.
        if app.runs == runs_before && app.run.as_ref().is_some_and(|run| run.number == number) {
            self.wake_at(until, Wake::Health { app: app.spec.name.clone(), run: number });
            if pruned {
                self.write_state(app);
            }
        }
    }
}

fn forget(app: &mut AppState, entry: &InventoryEntry) {
    app.applied.remove(&entry.id);
    app.state.inventory.remove(entry);
}

/// After a restart: what is in the cluster just as wanted counts as applied, so that drift of it
/// is noticed.
fn adopt(
    applied: &BTreeMap<ObjectId, Applied>,
    desired: &DesiredSet,
    plan: &plan::Plan,
    live: &dyn Fn(&ObjectId) -> Option<Arc<crate::object::Object>>,
) -> Vec<(ObjectId, Applied)> {
    let is_planned = |id: &ObjectId| plan.waves.iter().any(|wave| wave.contains(id));
    let settled = desired
        .objects
        .values()
        .filter(|want| !applied.contains_key(&want.id) && !is_planned(&want.id));
    let adopt_one = |want: &Desired| {
        let entry = Applied {
            body: Arc::clone(&want.body),
            fields: Arc::clone(&want.fields),
            ty: want.ty,
            gvr: want.gvr.clone(),
            answer: live(&want.id)?,
        };
        Some((want.id.clone(), entry))
    };
    settled.filter_map(adopt_one).collect()
}

/// The error with the line and column of the field itself, where the file shows it.
fn place(error: &PlanError, head: &Artifact) -> String {
    let PlanError::BadField { origin, id, path, message } = error else {
        return error.to_string();
    };
    let text = head.tree.file(&origin.file).map(|blob| String::from_utf8_lossy(&blob.bytes));
    let position = text.and_then(|text| {
        let documents = yaml::documents(&text, yaml::Dialect::Kubectl).ok()?;
        let document = documents.iter().position(|document| document.line == origin.line)?;
        yaml::position_of(&text, document, path)
    });
    match position {
        Some((line, column)) => format!("{}:{line}:{column}: {id}: {message}", origin.file),
        None => error.to_string(),
    }
}
