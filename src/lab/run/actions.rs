//! Does what a step says: pushes to the repository, changes to images, the engine's ends and
//! starts. Foreign writes are in `drift`.

use std::collections::BTreeMap;

use crate::base::{Event, Time};
use crate::engine::source::Signature;
use crate::lab::scenario::model::{
    Action, Ci, Commit, Edit, EngineAction, MetricRule, Placed, Push, PushKind, Rev,
};
use crate::lab::world::git::{self, Document, GitError, pipeline_author, scenario_author};
use crate::object::Value;
use crate::sim;
use crate::sim::stages::Stage;
use crate::sim::world::Outbox;

use super::{Item, Run};

impl Run<'_> {
    /// Does it.
    ///
    /// # Errors
    /// What the action names is not there.
    pub(super) fn act(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Push(push) => self.push(push),
            Action::Ci(ci) => {
                self.start_build(ci);
                Ok(())
            }
            Action::Drift(drift) => self.drift(drift),
            Action::Image(rules) => {
                let mut out = Outbox::default();
                for rule in rules {
                    let (pattern, script) = (&rule.pattern.value, rule.script.clone());
                    self.cluster.set_image(self.now, pattern, script, &mut out);
                }
                self.take_world(out);
                Ok(())
            }
            Action::Metrics(rules) => {
                self.measure(rules);
                Ok(())
            }
            Action::Wait(_) | Action::WaitUntil(_) => Ok(()),
            Action::Foreign(written) => {
                let mut out = Outbox::default();
                self.cluster.add_stages(self.now, stages(written), &mut out);
                self.take_world(out);
                Ok(())
            }
            Action::Node(step) => self.node(step),
            Action::Fault(fault) => self.fault(fault),
            Action::Engine(action) => {
                self.end_or_start(*action);
                Ok(())
            }
        }
    }

    /// From now on this is measured.
    pub(super) fn measure(&mut self, rules: &[MetricRule]) {
        for rule in rules {
            self.cluster.set_metric(self.now, rule.measured(), &rule.metric, rule.reading.clone());
        }
    }

    fn end_or_start(&mut self, action: EngineAction) {
        match action {
            EngineAction::Restart => {
                self.stop_engine();
                self.start_engine();
            }
            EngineAction::Stop => self.stop_engine(),
            EngineAction::Start => self.start_engine(),
            EngineAction::RestartAfterWrites(writes) => self.writes_left = Some(writes),
        }
    }

    fn start_build(&mut self, ci: &Ci) {
        self.event(Event::BuildStarted { what: ci.push.to_string() });
        // What is there now is not what is expected of the pipeline.
        self.checks.head_moved("");
        self.is_building = true;
        let push = Box::new(ci.push.clone());
        self.queue.push(self.now + ci.build, Item::Built { push, started: self.now });
    }

    /// A build ends: what it came to is pushed.
    ///
    /// # Errors
    /// As [`Run::act`].
    pub(super) fn end_build(&mut self, push: &Push, started: Time) -> Result<(), String> {
        self.is_building = false;
        self.built_from = Some(started);
        self.push(push)
    }

    fn push(&mut self, push: &Push) -> Result<(), String> {
        let commit = self.commit_push(push).map_err(|error| error.to_string())?;
        if let Some(label) = &push.label {
            self.labels.insert(label.value.clone(), commit.id.to_string());
        }
        let is_forced = matches!(push.kind, PushKind::ForcePush { .. });
        self.push_out(&commit.id, &push.to_string(), is_forced);
        Ok(())
    }

    /// Makes the commit that is to be pushed.
    fn commit_push(&mut self, push: &Push) -> Result<git::Commit, GitError> {
        let by = match self.built_from {
            Some(_) => pipeline_author(self.now),
            None => scenario_author(self.now),
        };
        Ok(match &push.kind {
            PushKind::Commit(commit) => self.commit(commit, &by)?,
            PushKind::Revert { rev, message } => {
                let rev = named(&self.labels, &rev.value);
                self.repo.world_mut().revert(&rev, message.as_deref(), &by)?
            }
            PushKind::ForcePush { rev } => {
                let rev = named(&self.labels, &rev.value);
                self.repo.world_mut().force_to(&rev)?
            }
            PushKind::Merge { branch, message } => {
                self.repo.world_mut().merge(&branch.value, message.as_deref(), &by)?
            }
            PushKind::Tag { name } => self.repo.world_mut().tag(&name.value)?,
        })
    }

    fn commit(&mut self, commit: &Commit, by: &Signature) -> Result<git::Commit, GitError> {
        let mut draft = self.repo.world().draft()?;
        for edit in &commit.edits {
            match edit {
                Edit::SetImage { image, tag } => {
                    draft.set_image(&image.value, tag)?;
                }
                Edit::Write { path, text } => draft.write(&path.value, text.as_bytes())?,
                Edit::Delete { path } => draft.delete(&path.value)?,
                Edit::Set { file, object, fields } => {
                    let document = document(object.as_ref());
                    for field in fields {
                        let path = field.path.value.to_string();
                        draft.edit_field(&file.value, &document, &path, &field.value)?;
                    }
                }
            }
        }
        let staged = draft.finish()?;
        let message = commit.message.clone().unwrap_or_else(|| commit.summary());
        self.repo.world_mut().commit_staged(staged, &message, by)
    }
}

/// A commit in the repository's own revision syntax.
pub(in crate::lab) fn named(labels: &BTreeMap<String, String>, rev: &Rev) -> String {
    match rev {
        Rev::Label(label) => labels.get(label).cloned().unwrap_or_else(|| label.clone()),
        other => other.to_string(),
    }
}

fn document(object: Option<&crate::lab::scenario::model::ObjectRef>) -> Document {
    match object {
        None => Document::Any,
        Some(object) => Document::Object {
            kind: object.kind.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
        },
    }
}

/// The stages of a scenario, which its reader has looked at.
pub(super) fn stages(written: &[Placed<Value>]) -> Vec<Stage> {
    written.iter().filter_map(|stage| sim::stages::stage(&stage.value).ok()).collect()
}

/// The words of an action, for the record.
pub(super) fn describe(action: Option<&Action>) -> String {
    action.map_or_else(|| "first deploy".to_owned(), ToString::to_string)
}
