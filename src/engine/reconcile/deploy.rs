//! A deployment's stages, up to the point where only health is left to wait for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::{Bug, Event, Time};
use crate::engine::apps::given::State;
use crate::engine::kinds::DEFINITIONS;
use crate::engine::model::{DriftPolicy, FailurePolicy};
use crate::engine::plan::{self, Applied, Desired, DesiredSet, Known};
use crate::engine::{apply, live};
use crate::object::{Gvr, ObjectId};

use super::app::{AppState, Stage, Why};
use super::requests::Pending;
use super::{Core, Wake};

impl Core {
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
            Stage::Kinds(wave) => self.send_wave(now, app, wave),
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
                let had = app.state.inventory.iter().find(|entry| entry.id == *id)?;
                self.resource_of(&id.group, &had.version, &id.kind)
            })?;
            let found = self.live.newest(&gvr, id, app.applied.get(id).map(|a| &a.answer));
            found.filter(|object| !object.is_deleting()).cloned()
        };
        let known = Known {
            applied: &app.applied,
            inventory: &app.state.inventory,
            live: &find,
            served: &|gvr| self.is_served(gvr),
            schema: self.kinds.schema(),
            marks: (app.spec.drift != DriftPolicy::Correct).then_some(&app.state.marks),
            prune: app.spec.prune,
        };
        run.plan = plan::make(&desired, &known);
        if run.plan.adds {
            let had: BTreeSet<&ObjectId> = known.inventory.iter().map(|entry| &entry.id).collect();
            let new = run.plan.union.iter().filter(|entry| !had.contains(&entry.id));
            let found =
                new.filter(|entry| find(&entry.id).is_some_and(|live| !live::is_ours(&live)));
            let found: Vec<ObjectId> = found.map(|entry| entry.id.clone()).collect();
            app.state.found.extend(found);
            app.is_unwritten = true;
        }
        let (state, is_back) = (&app.state, run.why != Why::Commit);
        let stays = |id: &ObjectId| {
            (state.found.contains(id) && find(id).is_some())
                || (is_back && state.moved.contains(id))
        };
        run.plan.prune.retain(|entry| !stays(&entry.id));
        let adopted = adopt(&app.applied, &desired, &run.plan, &find);
        for (id, entry) in adopted {
            if let Some(want) = desired.objects.get(&id) {
                app.state.marks.insert(id.clone(), want.mark(entry.answer.uid()));
            }
            app.applied.insert(id, entry);
        }
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
    fn sees_all(&mut self, desired: &DesiredSet, state: &State) -> bool {
        let had = state
            .inventory
            .iter()
            .map(|entry| self.resource_of(&entry.id.group, &entry.version, &entry.id.kind));
        let had: Vec<Option<Gvr>> = had.collect();
        let sees_had = had.iter().all(|gvr| match gvr {
            Some(gvr) => self.sees(gvr),
            // A kind that is known nowhere has no objects.
            None => self.live.is_synced(&DEFINITIONS),
        });
        sees_had && desired.objects.values().all(|want| self.sees(&want.gvr))
    }

    /// Sends the dry runs, and the inventory where it grows: neither does harm if the other fails.
    fn check(&mut self, now: Time, app: &mut AppState) {
        let Some(run) = &app.run else { return };
        let name = app.spec.name.clone();
        let desired = Arc::clone(&run.version.desired);
        let rehearse = run.plan.rehearse.clone();
        let union = run.plan.union.clone();
        let mut sent = Vec::new();
        for id in rehearse {
            let Some(want) = desired.objects.get(&id) else { continue };
            let request = apply::rehearse(&want.gvr, &want.body);
            let app = name.clone();
            let pending = Pending::Rehearse { app, id, request: request.clone(), tries: 0 };
            sent.push(self.send(request, pending));
        }
        if app.spec.drift == DriftPolicy::Report {
            sent.extend(self.look_at_left(app));
        }
        // Who is to take a commit back has to know, after a restart too, which one it was.
        let is_news = std::mem::take(&mut app.is_news);
        let is_early = self.bug != Some(Bug::InventoryLate);
        if (app.is_unwritten && is_early)
            || (is_news && app.spec.on_failure == FailurePolicy::Revert)
        {
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

    /// Asks the server what the objects that are left would be: only against that can be told what
    /// somebody changed while no engine was looking.
    fn look_at_left(&mut self, app: &AppState) -> Vec<u64> {
        let Some(run) = &app.run else { return Vec::new() };
        let left = run.plan.left.iter().filter_map(|id| run.version.desired.objects.get(id));
        let ask = |want: &Desired| {
            let request = apply::rehearse(&want.gvr, &want.body);
            let (app, want) = (app.spec.name.clone(), Box::new(want.clone()));
            self.send(request.clone(), Pending::Look { app, want, request, tries: 0 })
        };
        left.map(ask).collect()
    }

    fn send_wave(&mut self, now: Time, app: &mut AppState, wave: usize) {
        let Some(run) = &mut app.run else { return };
        let desired = Arc::clone(&run.version.desired);
        let Some(ids) = run.plan.waves.get(wave).cloned() else {
            run.stage = Stage::Prune;
            return self.prune(now, app);
        };
        let is_late = now >= run.began + app.spec.health_timeout;
        if !is_late && self.lacks_kind(&desired, &ids) {
            return self.await_kinds(app, wave);
        }
        ids.iter().filter_map(|id| desired.objects.get(id)).for_each(|want| self.want(&want.gvr));
        run.stage = Stage::Wave(wave);
        run.touched = true;
        app.state.unsettled = true;
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
            // One whose every field somebody else took is still ours if it is the same one.
            let uid = answer.map(|answer| answer.uid());
            let uid = uid.or_else(|| app.state.marks.get(&entry.id).map(|mark| mark.uid.as_str()));
            let prunable = live.is_some_and(|live| {
                let is_ours = entry.bare || live::is_ours(live) || uid == Some(live.uid());
                is_ours && live::may_prune(live)
            });
            match gvr {
                Some(gvr) if mine && prunable => {
                    // From now on its absence is no drift, whenever the watch tells of it.
                    app.applied.remove(&entry.id);
                    let request = apply::prune(gvr, &entry);
                    let app = name.clone();
                    let pending = Pending::Prune { app, entry, request: request.clone(), tries: 0 };
                    sent.push(self.send(request, pending));
                }
                _ => app.forget(&entry),
            }
        }
        if let Some(run) = &mut app.run {
            run.touched |= !sent.is_empty();
            app.state.unsettled |= !sent.is_empty();
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
        let (found, moved) = (&app.state.found, &app.state.moved);
        let is_back = run.why != Why::Commit;
        let stays = |id: &ObjectId| found.contains(id) || (is_back && moved.contains(id));
        app.state.inventory.retain(|entry| stays(&entry.id));
        app.state.inventory.extend(run.version.desired.objects.values().map(Desired::entry));
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

/// After a restart: what is in the cluster just as wanted counts as applied, so that drift of it
/// is noticed.
fn adopt(
    applied: &BTreeMap<ObjectId, Applied>,
    desired: &DesiredSet,
    plan: &plan::Plan,
    live: &dyn Fn(&ObjectId) -> Option<Arc<crate::object::Object>>,
) -> Vec<(ObjectId, Applied)> {
    let is_planned =
        |id: &ObjectId| plan.left.contains(id) || plan.waves.iter().any(|wave| wave.contains(id));
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
