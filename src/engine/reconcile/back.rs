//! The way back from a failed revision: to the last good commit, or by a commit that takes the bad
//! one back; and what comes of the fetch or the push that this needs.
//!
//! Not here: whether to go back at all (`rollback`).

use std::sync::Arc;

use crate::base::{Event, Time, limits};
use crate::engine::model::{Artifact, GitId};
use crate::engine::notify::short;
use crate::engine::{Action, Engine, plan};

use super::app::{AppState, Awaited, Next, Version, Why};
use super::{Core, Wake};

impl Core {
    pub(super) fn roll_back(&mut self, now: Time, app: &mut AppState, from: GitId, to: GitId) {
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
            None => {
                // Nothing more can come of it, and it must not fail again meanwhile.
                app.run = None;
                self.await_tree(app, from, to);
            }
        }
        self.write_state(app);
    }

    pub(super) fn revert(&mut self, now: Time, app: &mut AppState, commit: GitId) {
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
            let rendered = self.core.renderer.build(&artifact.tree, &app.spec.path);
            let desired = rendered.map_err(|error| error.to_string()).and_then(|rendered| {
                self.core.kinds.learn_rendered(&rendered);
                plan::desired::settle(&app.spec, &rendered, self.core.kinds.schema())
                    .map_err(|error| error.to_string())
            });
            match desired {
                Ok(desired) => {
                    let version =
                        Version { commit: Arc::clone(commit), desired: Arc::new(desired) };
                    app.good = Some(version.clone());
                    self.core.begin(now, app, Next { version, why: Why::Rollback { from } });
                }
                Err(message) => {
                    let why = format!("the commit to go back to cannot be rendered: {message}");
                    self.core.hold(now, app, &from, &why);
                }
            }
        }
    }

    /// A fetch failed. The head is asked for again until it comes; so is a commit to go back to,
    /// but only for a while: it may be gone from the repository.
    pub(super) fn fetch_failed(&mut self, now: Time, asked: Option<GitId>, message: &str) {
        self.core.fetches_failed += 1;
        let failures = self.core.fetches_failed;
        let pause = limits::RETRY_START * 2_u32.saturating_pow(failures.min(16));
        let at = now + pause.min(limits::RETRY_MAX);
        let Some(asked) = asked else {
            if failures == limits::FETCH_TRIES {
                for app in self.apps.values() {
                    self.core.notice(now, app, "FetchFailed", message.to_owned(), None);
                }
            }
            // Every push notice meanwhile asks for the head as well: one repetition is enough.
            if !std::mem::replace(&mut self.core.fetch_put_off, true) {
                self.core.wake_at(at, Wake::Fetch { commit: None });
            }
            return;
        };
        if failures < limits::FETCH_TRIES {
            return self.core.wake_at(at, Wake::Fetch { commit: Some(asked) });
        }
        for app in self.apps.values_mut() {
            if let Some(awaited) = app.awaited.take_if(|awaited| awaited.to == asked) {
                let why = format!("the commit to go back to cannot be fetched: {message}");
                self.core.hold(now, app, &awaited.from, &why);
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
                app.state.revert = Some(commit.to_string());
                if let Some(run) = &mut app.run {
                    run.taken_back = true;
                }
                let text = format!("{} takes {} back", short(&commit), short(bad));
                self.core.own_reverts.insert(commit);
                self.core.notice(now, app, "RevertPushed", text.clone(), None);
                self.core.note(now, app, bad, &text);
                self.core.write_state(app);
            }
            Err(message) => {
                // Held is what is deployed, which may be a later commit than the one to blame.
                let held = app.run.as_ref().map_or(bad, |run| &run.version.commit).clone();
                let why = format!("it could not be taken back: {message}");
                self.core.hold(now, app, &held, &why);
            }
        }
    }
}
