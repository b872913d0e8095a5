//! Does what a step says: pushes to the repository, changes to images, the engine's ends and
//! starts. Foreign writes are in `drift`.

use std::collections::BTreeMap;

use crate::lab::scenario::model::{
    Action, Commit, Edit, EngineAction, ImageRule, Push, PushKind, Rev,
};
use crate::lab::world::git::{self, Document, GitError, scenario_author};
use crate::sim::pods::Images;
use crate::sim::world::Outbox;

use super::Run;

impl Run<'_> {
    /// Does it.
    ///
    /// # Errors
    /// What the action names is not there.
    pub(super) fn act(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Push(push) => self.push(push).map_err(|error| error.to_string()),
            Action::Drift(drift) => self.drift(drift),
            Action::Image(rules) => {
                let mut out = Outbox::default();
                for rule in rules {
                    let (pattern, script) = (&rule.pattern.value, rule.script.clone());
                    self.world.set_image(self.now, pattern, script, &mut out);
                }
                self.take_world(out);
                Ok(())
            }
            Action::Wait(_) => Ok(()),
            Action::Engine(action) => {
                self.end_or_start(*action);
                Ok(())
            }
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

    fn push(&mut self, push: &Push) -> Result<(), GitError> {
        let by = scenario_author(self.now);
        let commit = match &push.kind {
            PushKind::Commit(commit) => self.commit(commit)?,
            PushKind::Revert { rev, message } => {
                let rev = named(&self.labels, &rev.value);
                self.git.revert(&rev, message.as_deref(), &by)?
            }
            PushKind::ForcePush { rev } => {
                let rev = named(&self.labels, &rev.value);
                self.git.force_to(&rev)?
            }
            PushKind::Merge { branch, message } => {
                self.git.merge(&branch.value, message.as_deref(), &by)?
            }
            PushKind::Tag { name } => self.git.tag(&name.value)?,
        };
        if let Some(label) = &push.label {
            self.labels.insert(label.value.clone(), commit.id.to_string());
        }
        let summary = push.to_string();
        self.pushed(&commit.id, &summary);
        Ok(())
    }

    fn commit(&mut self, commit: &Commit) -> Result<git::Commit, GitError> {
        let by = scenario_author(self.now);
        let mut draft = self.git.draft()?;
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
        self.git.commit_staged(staged, &message, &by)
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

/// The scripted images of a scenario, for the nodes.
pub(super) fn images(rules: &[ImageRule]) -> Images {
    let mut images = Images::new();
    for rule in rules {
        images.set(&rule.pattern.value, rule.script.clone());
    }
    images
}

/// The words of an action, for the record.
pub(super) fn describe(action: Option<&Action>) -> String {
    action.map_or_else(|| "first deploy".to_owned(), ToString::to_string)
}
