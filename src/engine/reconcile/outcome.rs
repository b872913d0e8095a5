//! How a deployment ends: ready, failed, rolled back, taken back, held.

use std::sync::Arc;

use crate::base::{Event, Time};
use crate::engine::model::{Artifact, FailurePolicy, GitId};
use crate::engine::notify::short;
use crate::engine::plan;
use crate::engine::render;
use crate::engine::rollback::{Case, Decision, decide};
use crate::engine::{Action, Engine};
use crate::object::ObjectId;

use super::Core;
use super::app::{AppState, Awaited, Next, Run, Version, Why};
use crate::engine::apps::given::Bad;

impl Core {
    /// Everything is healthy.
    pub(super) fn ready(&mut self, now: Time, app: &mut AppState) {
        let Some(run) = app.run.take() else { return };
        let Run { version, why, touched, .. } = run;
        app.runs += 1;
        let (name, commit) = (app.spec.name.clone(), version.commit.to_string());
        app.state.revision = commit.clone();
        match why {
            Why::Commit => {
                app.is_ready = true;
                self.boot.became_ready = true;
                "ready".clone_into(&mut app.state.phase);
                app.state.message = String::new();
                app.state.last_good = Some(commit.clone());
                app.state.bad = None;
                app.state.remember(&commit, "ready", now.rfc3339());
                app.good = Some(version);
                self.event(Event::Ready { app: name, commit: commit.clone() });
                self.notice(now, app, "Ready", format!("{} is ready", short(&commit)), None);
            }
            Why::Rollback { from } => {
                // Told before, and nothing had to be done: a restart is no news.
                let is_known = app.state.phase == "rolled-back" && !touched;
                let text = format!("rolled back from {} to {}", short(&from), short(&commit));
                "rolled-back".clone_into(&mut app.state.phase);
                app.good = Some(version);
                if is_known {
                    return;
                }
                app.state.message.clone_from(&text);
                app.state.remember(&commit, "rolled-back", now.rfc3339());
                self.event(Event::RolledBack { app: name, from: from.to_string(), to: commit });
                self.notice(now, app, "RolledBack", text.clone(), None);
                self.note(now, app, &from, &text);
            }
        }
        self.write_state(app);
    }

    /// A commit of which nothing can be applied: what is in the cluster stays, and stays managed.
    pub(super) fn not_deployable(
        &mut self,
        now: Time,
        app: &mut AppState,
        head: &Artifact,
        step: &str,
        reason: &str,
    ) {
        app.is_ready = false;
        app.blocked = None;
        let commit = Arc::clone(&head.commit);
        self.tell_failure(now, app, &commit, step, reason, None);
        self.write_state(app);
    }

    /// The server refused something: before anything was applied, or in the middle.
    pub(super) fn refused(&mut self, now: Time, app: &mut AppState) {
        let Some(run) = &mut app.run else { return };
        let refused = std::mem::take(&mut run.refused);
        let Some(first) = refused.first() else { return };
        let origin = run.version.desired.objects.get(&first.id).map(|want| want.origin.to_string());
        let more = match refused.len() {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        let place = origin.map(|origin| format!("{origin}: ")).unwrap_or_default();
        let reason = format!("{place}{}{more}", first.message);
        let (touched, commit) = (run.touched, Arc::clone(&run.version.commit));
        let (id, is_rollback) = (first.id.clone(), run.why != Why::Commit);
        if touched || is_rollback {
            return self.failed(now, app, "apply", &reason, Some(&id));
        }
        app.run = None;
        app.desired = app.good.clone();
        self.tell_failure(now, app, &commit, "plan", &reason, Some(&id));
        self.write_state(app);
    }

    /// A deployment that reached the cluster failed: decides what to do and does it in the same
    /// step.
    pub(super) fn failed(
        &mut self,
        now: Time,
        app: &mut AppState,
        step: &str,
        reason: &str,
        id: Option<&ObjectId>,
    ) {
        let Some(run) = &app.run else { return };
        let commit = Arc::clone(&run.version.commit);
        let is_rollback = run.why != Why::Commit;
        let last_good: Option<GitId> = app.state.last_good.as_deref().map(Into::into);
        let decision = decide(&Case {
            policy: app.spec.on_failure,
            bad: &commit,
            last_good: last_good.as_ref(),
            touched: run.touched,
            is_rollback,
            is_reverted: self.reverted.contains(&commit),
        });
        if !is_rollback {
            let digest = run.version.desired.rendered.digest();
            app.state.bad = Some(Bad { commit: commit.to_string(), digest });
        }
        self.tell_failure(now, app, &commit, step, reason, id);
        match decision {
            Decision::Hold(why) => self.hold(now, app, &commit, why),
            Decision::Rollback(to) => self.roll_back(now, app, commit, to),
            Decision::Revert => self.revert(now, app, commit),
        }
    }

    fn tell_failure(
        &mut self,
        now: Time,
        app: &mut AppState,
        commit: &GitId,
        step: &str,
        reason: &str,
        id: Option<&ObjectId>,
    ) {
        "failed".clone_into(&mut app.state.phase);
        app.state.revision = commit.to_string();
        let about = id.map(|id| format!("{id}: ")).unwrap_or_default();
        app.state.message = format!("{step}: {about}{reason}");
        app.state.remember(commit, "failed", now.rfc3339());
        self.event(Event::Failed {
            app: app.spec.name.clone(),
            commit: commit.to_string(),
            step: step.to_owned(),
            reason: reason.to_owned(),
            object: id.map(ToString::to_string),
        });
        let text = format!("{} failed at {step}: {about}{reason}", short(commit));
        self.notice(now, app, "Failed", text, None);
        self.note(now, app, commit, &format!("failed at {step}: {about}{reason}"));
    }

    fn hold(&mut self, now: Time, app: &mut AppState, commit: &GitId, why: &str) {
        if let Some(run) = &mut app.run {
            run.held = true;
            run.waiting.clear();
            run.stage = super::app::Stage::Health;
        }
        if app.spec.on_failure != FailurePolicy::Hold {
            self.note(now, app, commit, &format!("held: {why}"));
        }
        let text = format!("{} is held: {why}", short(commit));
        self.notice(now, app, "Held", text, None);
        self.event(Event::Held { app: app.spec.name.clone(), commit: commit.to_string() });
        self.write_state(app);
    }

    fn roll_back(&mut self, now: Time, app: &mut AppState, from: GitId, to: GitId) {
        self.event(Event::RollingBack {
            app: app.spec.name.clone(),
            from: from.to_string(),
            to: to.to_string(),
        });
        self.note(now, app, &from, &format!("rolling back to {}", short(&to)));
        let kept = app.good.clone().filter(|good| good.commit == to);
        self.forget_put_off(app);
        match kept {
            Some(version) => {
                self.begin(now, app, Next { version, why: Why::Rollback { from } });
            }
            None => self.await_tree(app, from, to),
        }
        self.write_state(app);
    }

    fn revert(&mut self, now: Time, app: &mut AppState, commit: GitId) {
        if let Some(run) = &mut app.run {
            run.held = true;
            run.stage = super::app::Stage::Health;
        }
        self.reverted.insert(Arc::clone(&commit));
        self.write_state(app);
        self.note(now, app, &commit, "reverting");
        self.out.actions.push(Action::Revert { app: app.spec.name.clone(), commit });
    }
}

impl Engine {
    /// The tree of a commit to go back to is there.
    pub(super) fn go_back(&mut self, now: Time, commit: &GitId, artifact: &Artifact) {
        for app in self.apps.values_mut() {
            let Some(Awaited { from, .. }) = app.awaited.take_if(|awaited| awaited.to == *commit)
            else {
                continue;
            };
            let rendered = render::render(&artifact.tree, &app.spec.path, &mut self.core.cache);
            let desired = rendered.map_err(|error| error.to_string()).and_then(|rendered| {
                let rendered = Arc::new(rendered);
                plan::desired::settle(&app.spec, &rendered, self.core.schema)
                    .map_err(|error| error.to_string())
            });
            match desired {
                Ok(desired) => {
                    let version =
                        Version { commit: Arc::clone(commit), desired: Arc::new(desired) };
                    self.core.begin(now, app, Next { version, why: Why::Rollback { from } });
                }
                Err(message) => {
                    let why = format!("the commit to go back to cannot be rendered: {message}");
                    self.core.hold(now, app, &from, &why);
                }
            }
        }
    }

    /// A fetch failed. The head is asked for again at the next notice; what waited to go back is
    /// held.
    pub(super) fn fetch_failed(&mut self, now: Time, asked: Option<GitId>, message: &str) {
        for app in self.apps.values_mut() {
            if asked.is_none() {
                app.state.message = format!("fetch: {message}");
                continue;
            }
            let awaited = app.awaited.take_if(|awaited| Some(&awaited.to) == asked.as_ref());
            if let Some(Awaited { from, .. }) = awaited {
                let why = format!("the commit to go back to cannot be fetched: {message}");
                self.core.hold(now, app, &from, &why);
            }
        }
    }

    /// What came of taking a commit back.
    pub(super) fn reverted(
        &mut self,
        now: Time,
        name: &str,
        bad: &GitId,
        result: Result<GitId, String>,
    ) {
        let Some(app) = self.apps.get_mut(name) else { return };
        match result {
            Ok(commit) => {
                self.core.event(Event::RevertPushed {
                    app: name.to_owned(),
                    from: bad.to_string(),
                    commit: commit.to_string(),
                });
                let text = format!("{} takes {} back", short(&commit), short(bad));
                self.core.notice(now, app, "RevertPushed", text.clone(), None);
                self.core.note(now, app, bad, &text);
            }
            Err(message) => {
                let why = format!("it could not be taken back: {message}");
                self.core.hold(now, app, bad, &why);
            }
        }
    }
}
