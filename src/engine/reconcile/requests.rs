//! Requests under way: what each is for, and the sending again of what failed for a passing reason.
//!
//! Not here: what an answer means (`apply`) and what follows from it (`answers`).

use crate::api::Request;
use crate::base::{Bug, Time, limits};
use crate::engine::Engine;
use crate::engine::model::InventoryEntry;
use crate::engine::plan::Desired;
use crate::object::ObjectId;

use super::app::{AppState, Run, namespace_id};
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
    /// A dry run that tells what an object would be that is left as it is.
    Look { app: String, want: Box<Desired>, request: Request, tries: u32 },
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
    /// The App that it is for.
    pub(super) fn app(&self) -> Option<&str> {
        match self {
            Pending::State { app, .. }
            | Pending::Rehearse { app, .. }
            | Pending::Look { app, .. }
            | Pending::Apply { app, .. }
            | Pending::Prune { app, .. }
            | Pending::Notice { app }
            | Pending::Correct { app, .. } => Some(app),
            Pending::States | Pending::Namespace | Pending::Again(_) => None,
        }
    }

    /// Whether it writes into a namespace that the deployment brings along.
    pub(super) fn is_to_namespace_of(&self, run: &Run) -> bool {
        let id = match self {
            Pending::Rehearse { id, .. } => id,
            Pending::Apply { want, .. } => &want.id,
            _ => return false,
        };
        run.version.desired.objects.contains_key(&namespace_id(&id.namespace))
    }

    /// The App, the request and how often it was sent, of what may be sent again.
    pub(super) fn resend(&mut self) -> Option<(&str, &Request, &mut u32)> {
        match self {
            Pending::State { app, request, tries }
            | Pending::Rehearse { app, request, tries, .. }
            | Pending::Look { app, request, tries, .. }
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
        self.send_as(id, request, pending);
        id
    }

    /// The same with an id that was drawn before.
    pub(super) fn send_as(&mut self, id: u64, mut request: Request, pending: Pending) {
        request.options.force &= self.bug != Some(Bug::Timid);
        self.pending.insert(id, pending);
        self.out.api.requests.push((id, request));
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
    pub(super) fn put_off(&mut self, now: Time, id: u64, mut pending: Pending) {
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
        let reserved = app.state_next;
        run.waiting.retain(|id| {
            if Some(*id) == reserved {
                return false;
            }
            let Some(Pending::Again(inner)) = pending.get(id) else { return true };
            if matches!(**inner, Pending::State { .. }) {
                // What is true of the App has to be written whoever waits for it.
                return false;
            }
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
        self.core.pending.get(&id)?.app()
    }
}
