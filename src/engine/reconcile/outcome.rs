//! How a deployment ends: ready, refused, failed or held.
//!
//! Not here: how it is gone back (`back`).

use std::sync::Arc;

use crate::base::{Event, Time};
use crate::engine::apps::given::Content;
use crate::engine::model::{FailurePolicy, GitId};
use crate::engine::notify::short;
use crate::engine::rollback::{Case, Decision, decide};
use crate::object::ObjectId;

use super::Core;
use super::app::{AppState, Run, Why};

impl Core {
    /// Everything is healthy.
    pub(super) fn ready(&mut self, now: Time, app: &mut AppState) {
        let Some(run) = app.run.take() else { return };
        let Run { version, why, touched, .. } = run;
        app.runs += 1;
        let (name, commit) = (app.spec.name.clone(), version.commit.to_string());
        app.state.unsettled = false;
        // A newer commit may wait for a dependency, or may have failed before it was applied: then
        // this one is good to go back to, and no more.
        let is_newest =
            app.tip.as_ref().is_some_and(|tip| Arc::ptr_eq(tip, &version.desired.rendered));
        let is_told = is_newest || app.blocked.is_some() || why != Why::Commit;
        if is_told {
            app.state.revision.clone_from(&commit);
        }
        match why {
            Why::Commit => {
                app.is_ready = is_newest;
                self.boot.became_ready |= is_newest;
                if is_told {
                    "ready".clone_into(&mut app.state.phase);
                    app.state.message = String::new();
                    app.state.bad = None;
                }
                app.state.found.retain(|id| !version.desired.objects.contains_key(id));
                app.state.moved.clear();
                app.state.last_good = Some(commit.clone());
                app.state.good_digest = Some(version.desired.rendered.digest());
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
        commit: &GitId,
        step: &str,
        reason: &str,
    ) {
        app.is_ready = false;
        app.blocked = None;
        self.tell_failure(now, app, commit, step, reason, None);
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
        // Part of it is not in the cluster: whatever becomes healthy now, it is not this commit.
        run.is_incomplete = true;
        if touched || is_rollback || app.state.unsettled {
            let step = if touched || is_rollback { "apply" } else { "plan" };
            return self.failed(now, app, step, &reason, Some(&id));
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
        let content = run.version.desired.rendered.digest();
        // The commit to blame is the one that brought this content, which is not the newest one
        // where an engine was started after others had come on top.
        let since = app.state.since.as_ref().filter(|since| since.digest == content);
        let culprit = since.map_or_else(|| Arc::clone(&commit), |s| GitId::from(s.commit.as_str()));
        let last_good: Option<GitId> = app.state.last_good.as_deref().map(Into::into);
        let case = Case {
            policy: app.spec.on_failure,
            bad: &commit,
            last_good: last_good.as_ref(),
            // What is judged healthy or not is in the cluster, even if an engine before this one
            // brought it there; so may be part of an older commit that never became ready.
            touched: run.touched || step == "health" || app.state.unsettled,
            is_good: app.state.good_digest.as_ref() == Some(&content),
            is_rollback,
            is_reverted: self.reverted.contains(&culprit),
            is_own: self.own_reverts.contains(&culprit),
        };
        let decision = decide(&case);
        if !is_rollback && !case.is_good {
            app.state.bad = Some(Content { commit: commit.to_string(), digest: content });
        }
        self.tell_failure(now, app, &commit, step, reason, id);
        match decision {
            Decision::Hold(why) => self.hold(now, app, &commit, why),
            Decision::Rollback(to) => self.roll_back(now, app, commit, to),
            Decision::Revert => self.revert(now, app, culprit),
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

    pub(super) fn hold(&mut self, now: Time, app: &mut AppState, commit: &GitId, why: &str) {
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
}
