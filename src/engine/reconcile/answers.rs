//! What happens when a request is answered. What an answer means is read in `apply`; here it finds
//! its App.

use std::sync::Arc;

use crate::api::Response;
use crate::base::{Bug, Event, Time};
use crate::engine::Engine;
use crate::engine::apply::{self, Verdict};
use crate::engine::model::{InventoryEntry, NAMESPACE, config_map_name};
use crate::engine::plan::{Applied, Desired};
use crate::object::{Object, ObjectId};

use super::Core;
use super::app::{AppState, Refusal};
use super::requests::Pending;

impl Engine {
    /// The answer to request `id`.
    pub(super) fn answered(&mut self, now: Time, id: u64, pending: Pending, response: &Response) {
        match &pending {
            Pending::States => return self.states_listed(now, response),
            Pending::Namespace => return self.namespace_answered(now, response),
            Pending::Notice { .. } | Pending::Again(_) => return,
            Pending::Correct { app, id } => {
                let Some(app) = self.apps.get_mut(app) else { return };
                return self.core.corrected(now, app, id, response);
            }
            _ => {}
        }
        let verdict = match self.verdict(now, id, &pending, response) {
            Verdict::Again(_) if self.core.forgets(&pending) => Verdict::Done(None),
            Verdict::Again(_) => return self.put_off_or_drop(now, id, pending),
            verdict => verdict,
        };
        let (Pending::State { app: name, .. }
        | Pending::Rehearse { app: name, .. }
        | Pending::Look { app: name, .. }
        | Pending::Apply { app: name, .. }
        | Pending::Prune { app: name, .. }) = &pending
        else {
            return;
        };
        let name = name.clone();
        let Some(app) = self.apps.get_mut(&name) else { return };
        if matches!(pending, Pending::State { .. }) {
            if let Verdict::Refused(message) = &verdict
                && app.run.as_ref().is_some_and(|run| run.waiting.contains(&id))
            {
                // Without an inventory nothing may be applied.
                refuse(app, &state_id(&name), message.clone());
            }
            self.core.state_written(app, id, matches!(verdict, Verdict::Refused(_)));
        }
        self.core.note_answer(now, app, &pending, response.code, verdict);
        let is_last =
            app.run.as_mut().is_some_and(|run| run.waiting.remove(&id) && run.waiting.is_empty());
        if is_last {
            self.core.advance(now, app);
        }
    }

    /// What the answer to a request of a deployment comes to.
    fn verdict(&self, now: Time, id: u64, pending: &Pending, response: &Response) -> Verdict {
        let is_prune = matches!(pending, Pending::Prune { .. });
        let verdict = if is_prune { apply::read_prune(response) } else { apply::read(response) };
        let run = pending.app().and_then(|app| self.apps.get(app)).and_then(|app| {
            let run = app.run.as_ref().filter(|run| run.waiting.contains(&id))?;
            Some((run, app.spec.health_timeout))
        });
        let Some((run, timeout)) = run else { return verdict };
        match verdict {
            // A namespace that the App itself brings was deleted under it: it comes back.
            Verdict::Refused(message)
                if pending.is_to_namespace_of(run) && apply::lacks_namespace(response) =>
            {
                bounded(now >= run.began + timeout, message)
            }
            // A definition says that it is established a moment before its resources are served.
            Verdict::Refused(message)
                if response.code == 404 && !is_prune && self.core.is_custom(pending) =>
            {
                bounded(now >= run.began + timeout, message)
            }
            Verdict::Again(message) if !apply::is_unavailable(response) => {
                bounded(now >= run.began + timeout, message)
            }
            verdict => verdict,
        }
    }

    fn put_off_or_drop(&mut self, now: Time, id: u64, mut pending: Pending) {
        let Some((name, _, _)) = pending.resend() else { return };
        let Some(app) = self.apps.get_mut(name) else { return };
        self.core.put_off(now, id, pending);
        // A newer commit waits only for what may still change the cluster, not for retries.
        if app.next.is_some() {
            self.core.forget_put_off(app);
            if !app.is_busy() {
                self.core.advance(now, app);
            }
        }
    }
}

impl Core {
    /// Whether a failure is to be overlooked on purpose.
    fn forgets(&self, pending: &Pending) -> bool {
        match self.bug {
            Some(Bug::ForgetsRetry) => matches!(pending, Pending::Apply { .. }),
            Some(Bug::ForgetsPrune) => matches!(pending, Pending::Prune { .. }),
            _ => false,
        }
    }

    /// What one answer changes in what is known of the App.
    fn note_answer(
        &mut self,
        now: Time,
        app: &mut AppState,
        pending: &Pending,
        code: u16,
        verdict: Verdict,
    ) {
        if let Pending::Apply { want, .. } = pending {
            app.writing.remove(&want.id);
        }
        match (pending, verdict) {
            (Pending::Apply { want, was, .. }, Verdict::Done(Some(answer))) => {
                let action = apply::action(code, *was, &answer);
                self.applied(now, app, want, action, answer);
            }
            (Pending::Look { want, .. }, Verdict::Done(Some(answer))) => {
                let mut answer = Object::clone(&answer);
                // It stands for what was applied before anything that the view holds.
                answer.remove(&["metadata", "resourceVersion"]);
                let uid = app.state.marks.get(&want.id).map(|mark| mark.uid.clone());
                answer.set(&["metadata", "uid"], uid.unwrap_or_default().into());
                app.applied.insert(want.id.clone(), as_applied(want, Arc::new(answer)));
                self.look_for_drift(now, app, &want.id);
            }
            (Pending::Prune { entry, .. }, Verdict::Done(_)) => self.pruned(app, entry),
            (Pending::Apply { want, .. }, Verdict::Refused(message)) => {
                refuse(app, &want.id, message);
            }
            (Pending::Rehearse { id, .. }, Verdict::Refused(message)) => refuse(app, id, message),
            (Pending::Prune { entry, .. }, Verdict::Refused(message)) => {
                refuse(app, &entry.id, message);
            }
            _ => {}
        }
    }

    fn applied(
        &mut self,
        now: Time,
        app: &mut AppState,
        want: &Desired,
        action: &str,
        answer: Arc<Object>,
    ) {
        let commit = app.run.as_ref().map(|run| run.version.commit.to_string());
        self.event(Event::Changed {
            app: app.spec.name.clone(),
            commit: commit.unwrap_or_default(),
            object: want.id.to_string(),
            action: action.to_owned(),
        });
        app.reported.remove(&want.id);
        app.homeless.remove(&want.id);
        app.state.marks.insert(want.id.clone(), want.mark(answer.uid()));
        app.applied.insert(want.id.clone(), as_applied(want, answer));
        self.look_for_drift(now, app, &want.id);
    }

    fn pruned(&mut self, app: &mut AppState, entry: &InventoryEntry) {
        app.forget(entry);
        self.owner.remove(&entry.id);
        let commit = app.run.as_ref().map(|run| run.version.commit.to_string());
        self.event(Event::Changed {
            app: app.spec.name.clone(),
            commit: commit.unwrap_or_default(),
            object: entry.id.to_string(),
            action: "deleted".to_owned(),
        });
    }
}

/// Another try, unless the time for that is over.
fn bounded(is_late: bool, message: String) -> Verdict {
    if is_late { Verdict::Refused(format!("given up: {message}")) } else { Verdict::Again(message) }
}

/// The id of the ConfigMap of an App's state.
fn state_id(app: &str) -> ObjectId {
    ObjectId::new("", "ConfigMap", NAMESPACE, config_map_name(app, 0))
}

fn as_applied(want: &Desired, answer: Arc<Object>) -> Applied {
    Applied {
        body: Arc::clone(&want.body),
        fields: Arc::clone(&want.fields),
        ty: want.ty,
        gvr: want.gvr.clone(),
        answer,
    }
}

fn refuse(app: &mut AppState, id: &ObjectId, message: String) {
    if let Some(run) = &mut app.run {
        run.refused.push(Refusal { id: id.clone(), message });
    }
}
