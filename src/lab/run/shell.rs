//! The engine's shell in a run: starts and ends it, carries its requests to the cluster, grants
//! its actions from the repository of the run, and records what it does.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Event, Time};
use crate::engine::model::GitId;
use crate::engine::source::Signature;
use crate::engine::{self, Action, Engine};
use crate::lab::backend::Repository;
use crate::lab::scenario::model::Notice;
use crate::sim::world::{Handled, Outbox};

use super::{Item, Run, RunError, SCRIPT};

impl Run<'_> {
    /// The client number of the engine that runs now.
    pub(super) fn engine_client(&self) -> u32 {
        SCRIPT + self.round
    }

    /// Starts an engine that knows nothing but its Apps.
    pub(super) fn start_engine(&mut self) {
        if self.engine.is_some() {
            return;
        }
        self.round += 1;
        let engine = Engine::new(&self.apps()).with_remotes(self.remotes.clone());
        self.engine = Some(engine.with_bug(self.within.bug));
        self.event(Event::EngineStarted { round: self.round });
        self.step_engine(engine::Input::Start);
    }

    /// Whether the engine does not know yet what a change of health comes to.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.engine.as_ref().is_some_and(Engine::is_in_doubt)
    }

    /// Ends the engine without warning: what is on its way to the cluster arrives, what is on its
    /// way to the engine is lost.
    pub(super) fn stop_engine(&mut self) {
        if self.engine.take().is_none() {
            return;
        }
        self.cluster.drop_client(self.engine_client());
        self.event(Event::EngineStopped { round: self.round });
    }

    /// Hands the engine an input and carries out what it wants.
    pub(super) fn step_engine(&mut self, input: engine::Input) {
        let Some(engine) = &mut self.engine else { return };
        let wants = engine.step(self.now, input);
        if !wants.events.is_empty() || !wants.api.requests.is_empty() || !wants.actions.is_empty() {
            self.active_at = self.now;
        }
        for event in wants.events {
            self.event(event);
        }
        for action in wants.actions {
            self.grant(action);
        }
        let client = self.engine_client();
        let mut out = Outbox::default();
        self.cluster.send(self.now, client, wants.api, &mut out);
        self.take_world(out);
    }

    fn grant(&mut self, action: Action) {
        let round = self.round;
        if let Repository::Wire(served) = &self.repo {
            match action {
                Action::Fetch { commit } => served.fetch(round, commit),
                Action::Note { commit, line } => {
                    served.note(self.now, commit, line);
                    self.errands_due += 1;
                }
                Action::Revert { app, commit } => {
                    served.revert(self.now, round, app, commit);
                    self.errands_due += 1;
                    self.reverts_due += 1;
                }
            }
            return;
        }
        match action {
            Action::Fetch { commit } => {
                let at = self.now + self.profile.fetch.draw(&mut self.rng);
                self.queue.push(at, Item::Fetch { round, commit });
            }
            Action::Note { commit, line } => self.write_note(&commit, &line),
            Action::Revert { app, commit } => {
                let at = self.now + self.profile.fetch.draw(&mut self.rng);
                self.queue.push(at, Item::Revert { round, app, commit });
            }
        }
    }

    /// A fetch ends: the engine gets what the repository holds now.
    pub(super) fn fetch(&mut self, asked: Option<GitId>) {
        let commit = asked.clone().unwrap_or_else(|| self.repo.head());
        let input = match self.trees.artifact(self.repo.world().objects(), &commit) {
            Ok(artifact) => engine::Input::Fetched { asked, artifact: Arc::new(artifact) },
            Err(error) => engine::Input::FetchFailed { asked, message: error.to_string() },
        };
        self.step_engine(input);
    }

    fn write_note(&mut self, commit: &GitId, line: &str) {
        let by = Signature::engine(self.now);
        if self.repo.world_mut().note(commit, line, &by).is_ok() {
            self.noted(commit, line);
        }
    }

    /// A note is in the repository.
    pub(super) fn noted(&mut self, commit: &GitId, line: &str) {
        // A line is `time App: text`; the App is what the record files it under.
        let app = line.split_once(' ').and_then(|(_, rest)| rest.split_once(':'));
        let app = app.map(|(app, _)| app.to_owned()).unwrap_or_default();
        let (commit, text) = (commit.to_string(), line.to_owned());
        self.event(Event::Noted { app, commit, text });
    }

    /// The engine's revert is pushed, as anybody's commit would be.
    pub(super) fn push_revert(&mut self, app: String, bad: GitId) {
        let by = Signature::engine(self.now);
        let reason = format!("{app} did not become healthy.");
        let result = self.repo.world_mut().revert_for_engine(&bad, &reason, &by);
        let result = result.map(|commit| commit.id).map_err(|error| error.to_string());
        self.reverted(app, bad, result);
    }

    /// A revert is in the repository, or could not be pushed.
    pub(super) fn reverted(&mut self, app: String, bad: GitId, result: Result<GitId, String>) {
        let pushed = result.clone();
        self.step_engine(engine::Input::Reverted { app, bad, result });
        if let Ok(commit) = pushed {
            self.push_out(&commit, "revert by the engine", false);
        }
    }

    /// Pushes what was committed, says so, and lets the engine hear of it.
    pub(super) fn push_out(&mut self, commit: &GitId, summary: &str, is_forced: bool) {
        let commit = commit.to_string();
        self.event(Event::PushIntended { commit: commit.clone(), summary: summary.to_owned() });
        if let Some(from) = self.built_from.take() {
            let took_us = self.now.since(from).as_micros();
            let took_us = u64::try_from(took_us).unwrap_or(u64::MAX);
            self.event(Event::Built { commit: commit.clone(), took_us });
        }
        if let Err(source) = self.repo.push(is_forced) {
            let file = self.scenario.file.display().to_string();
            self.error.get_or_insert(RunError::Site { file, source });
            return;
        }
        self.tell_time();
        self.event(Event::Pushed { commit });
        let head = self.repo.head();
        let is_news = self.checks.apps().head != *head;
        self.checks.head_moved(&head);
        self.active_at = self.now;
        if self.outside.is_some() {
            // The Git server says it.
            if is_news && self.heard_of.as_deref() != Some(&*head) {
                self.unheard = Some(head.to_string());
            }
            return;
        }
        let latency = self.profile.push_notice.draw(&mut self.rng);
        let at = match self.scenario.notice {
            Notice::Webhook => self.now + latency,
            Notice::Poll(every) => self.next_look(every) + latency,
        };
        self.notices_due += 1;
        self.queue.push(at, Item::Notice { round: self.round });
    }

    /// When an engine that looks itself looks next.
    fn next_look(&self, every: Duration) -> Time {
        let start = self.recorder.start();
        let micros = every.as_micros().max(1);
        let looks = self.now.since(start).as_micros() / micros + 1;
        start + Duration::from_micros(u64::try_from(looks * micros).unwrap_or(u64::MAX))
    }

    /// The API server answered a request: records the engine's and the script's, and tells the
    /// checks what changed.
    pub(super) fn handled(&mut self, handled: &Handled) {
        let is_write = handled.request.is_write() && !handled.request.options.dry_run;
        if handled.client == self.engine_client() && self.engine.is_some() {
            self.active_at = self.now;
            let app = self.engine.as_ref().and_then(|e| e.app_of(handled.id)).map(str::to_owned);
            if let Some(finding) = crate::lab::check::oracles::on_delete(self, handled) {
                let oracle = "inventory-only deletion".to_owned();
                self.event(Event::OracleFailed { oracle, detail: finding });
            }
            self.event(Event::Request {
                verb: handled.request.verb_name().to_owned(),
                object: handled.object(),
                code: handled.code,
                dry_run: handled.request.options.dry_run,
                app,
            });
            if is_write {
                self.kept.engine_wrote(handled);
                self.count_write();
            }
        } else if handled.client == SCRIPT {
            self.drift_answered(handled);
        } else {
            self.kept.cluster_wrote(handled);
        }
        if handled.wrote {
            self.look_at_objects();
        }
    }

    fn count_write(&mut self) {
        let Some(left) = &mut self.writes_left else { return };
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.writes_left = None;
            self.stop_engine();
            self.start_engine();
        }
    }
}
