//! Requests under way, and what happens when each is answered. What an answer means is read in
//! `apply`; here it finds its App.

use std::sync::Arc;

use crate::api::{Request, Response};
use crate::base::{Event, Time, limits};
use crate::engine::Engine;
use crate::engine::apply::{self, Verdict};
use crate::engine::model::InventoryEntry;
use crate::engine::plan::{Applied, Desired};
use crate::object::{Object, ObjectId};

use super::app::{AppState, Refusal};
use super::{Core, Wake};

/// What a request under way is for.
#[derive(Clone, Debug)]
pub(super) enum Pending {
    /// The list of states at the start.
    States,
    /// The engine's own namespace.
    Namespace,
    /// Part of an App's state; a deployment may wait for it.
    State { app: String, request: Request, tries: u32 },
    /// A dry run.
    Rehearse { app: String, id: ObjectId, request: Request, tries: u32 },
    /// An apply of a deployment.
    Apply { app: String, want: Box<Desired>, was: u64, request: Request, tries: u32 },
    /// A deletion of a deployment.
    Prune { app: String, entry: InventoryEntry, request: Request, tries: u32 },
    /// A correction of drift.
    Correct { app: String, id: ObjectId },
    /// A Kubernetes Event: nobody waits for it.
    Notice { app: String },
    /// Waits to be sent again.
    Again(Box<Pending>),
}

impl Pending {
    /// The App, the request and how often it was sent, of what may be sent again.
    fn resend(&mut self) -> Option<(&str, &Request, &mut u32)> {
        match self {
            Pending::State { app, request, tries }
            | Pending::Rehearse { app, request, tries, .. }
            | Pending::Apply { app, request, tries, .. }
            | Pending::Prune { app, request, tries, .. } => Some((app, request, tries)),
            Pending::States
            | Pending::Namespace
            | Pending::Correct { .. }
            | Pending::Notice { .. }
            | Pending::Again(_) => None,
        }
    }
}

impl Core {
    /// Sends `request`; its answer comes back as `pending`.
    pub(super) fn send(&mut self, request: Request, pending: Pending) -> u64 {
        let id = self.ids.draw();
        self.pending.insert(id, pending);
        self.out.api.requests.push((id, request));
        id
    }

    /// The pause before a request is sent again is over.
    pub(super) fn send_again(&mut self, id: u64) {
        if let Some(Pending::Again(mut inner)) = self.pending.remove(&id)
            && let Some((_, request, _)) = inner.resend()
        {
            self.out.api.requests.push((id, request.clone()));
            self.pending.insert(id, *inner);
        }
    }

    /// Puts a request aside that failed for a passing reason.
    fn put_off(&mut self, now: Time, id: u64, mut pending: Pending) {
        let Some((_, _, tries)) = pending.resend() else { return };
        let pause = (limits::RETRY_START * 2_u32.saturating_pow(*tries)).min(limits::RETRY_MAX);
        *tries += 1;
        self.pending.insert(id, Pending::Again(Box::new(pending)));
        self.wake_at(now + pause, Wake::Again(id));
    }

    /// Forgets requests that wait to be sent again: nobody needs them any more.
    pub(super) fn forget_put_off(&mut self, app: &mut AppState) {
        let Some(run) = &mut app.run else { return };
        let pending = &mut self.pending;
        run.waiting.retain(|id| {
            let Some(Pending::Again(inner)) = pending.get(id) else { return true };
            if let Pending::Apply { want, .. } = &**inner {
                app.writing.remove(&want.id);
            }
            pending.remove(id);
            false
        });
    }
}

impl Engine {
    /// The App that request `id`, which is under way, is for.
    #[must_use]
    pub fn app_of(&self, id: u64) -> Option<&str> {
        match self.core.pending.get(&id)? {
            Pending::State { app, .. }
            | Pending::Rehearse { app, .. }
            | Pending::Apply { app, .. }
            | Pending::Prune { app, .. }
            | Pending::Notice { app }
            | Pending::Correct { app, .. } => Some(app),
            Pending::States | Pending::Namespace | Pending::Again(_) => None,
        }
    }

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
        let is_prune = matches!(pending, Pending::Prune { .. });
        let verdict = if is_prune { apply::read_prune(response) } else { apply::read(response) };
        if matches!(verdict, Verdict::Again(_)) {
            return self.put_off_or_drop(now, id, pending);
        }
        let (Pending::State { app: name, .. }
        | Pending::Rehearse { app: name, .. }
        | Pending::Apply { app: name, .. }
        | Pending::Prune { app: name, .. }) = &pending
        else {
            return;
        };
        let Some(app) = self.apps.get_mut(&name.clone()) else { return };
        self.core.note_answer(now, app, &pending, response.code, verdict);
        let is_last =
            app.run.as_mut().is_some_and(|run| run.waiting.remove(&id) && run.waiting.is_empty());
        if is_last {
            self.core.advance(now, app);
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
        let applied = Applied {
            body: Arc::clone(&want.body),
            fields: Arc::clone(&want.fields),
            ty: want.ty,
            gvr: want.gvr.clone(),
            answer,
        };
        app.reported.remove(&want.id);
        app.applied.insert(want.id.clone(), applied);
        self.look_for_drift(now, app, &want.id);
    }

    fn pruned(&mut self, app: &mut AppState, entry: &InventoryEntry) {
        app.applied.remove(&entry.id);
        app.state.inventory.remove(entry);
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

fn refuse(app: &mut AppState, id: &ObjectId, message: String) {
    if let Some(run) = &mut app.run {
        run.refused.push(Refusal { id: id.clone(), message });
    }
}
