//! What the engine writes down: an App's state in the cluster, notes in the repository.

use std::sync::Arc;

use crate::api::Request;
use crate::base::Time;
use crate::engine::Action;
use crate::engine::apply;
use crate::engine::apps::given;
use crate::engine::model::GitId;
use crate::engine::notify::{EVENTS, Notice, note_line};
use crate::object::ObjectId;

use super::Core;
use super::app::AppState;
use super::requests::Pending;

impl Core {
    /// Sends the App's state. The ids are those of the requests, for who has to wait for them.
    /// While a write of it is under way the next one waits, for requests may overtake each other,
    /// and an older state must not come in last; the state that is sent then is that of then.
    pub(super) fn write_state(&mut self, app: &mut AppState) -> Vec<u64> {
        if app.state_writes.is_empty() {
            let first = self.ids.draw();
            return self.send_state(app, first);
        }
        let ids = &mut self.ids;
        vec![*app.state_next.get_or_insert_with(|| ids.draw())]
    }

    fn send_state(&mut self, app: &mut AppState, first: u64) -> Vec<u64> {
        let name = app.spec.name.clone();
        let maps = given::to_config_maps(&name, &app.state);
        let mut sent = Vec::new();
        for object in maps {
            let request = apply::apply(&given::CONFIG_MAPS, &Arc::new(object.into_value()));
            let pending = Pending::State { app: name.clone(), request: request.clone(), tries: 0 };
            let id = if sent.is_empty() { first } else { self.ids.draw() };
            self.send_as(id, request, pending);
            sent.push(id);
        }
        app.state_writes.extend(&sent);
        app.state_refused = false;
        sent
    }

    /// A write of the state is answered: sends the next one, if there is one. A deployment that
    /// waits for its first request waits for all.
    pub(super) fn state_written(&mut self, app: &mut AppState, id: u64, is_refused: bool) {
        app.state_writes.remove(&id);
        app.state_refused |= is_refused;
        if !app.state_writes.is_empty() {
            return;
        }
        let Some(first) = app.state_next.take() else {
            app.is_unwritten &= app.state_refused;
            return;
        };
        let sent = self.send_state(app, first);
        if let Some(run) = app.run.as_mut().filter(|run| run.waiting.contains(&first)) {
            run.waiting.extend(sent);
        }
    }

    /// Writes a line to the audit trail of a commit.
    pub(super) fn note(&mut self, now: Time, app: &AppState, commit: &GitId, what: &str) {
        let line = note_line(now, &app.spec.name, what);
        self.out.actions.push(Action::Note { commit: Arc::clone(commit), line });
    }

    /// Tells something about an App by a Kubernetes Event.
    pub(super) fn notice(
        &mut self,
        now: Time,
        app: &AppState,
        reason: &'static str,
        message: String,
        about: Option<&ObjectId>,
    ) {
        let notice = Notice { app: &app.spec.name, reason, message, about };
        self.notices += 1;
        let event = notice.to_event(now, self.notices);
        let namespace = event.namespace().to_owned();
        let request = Request::create(EVENTS, &namespace, event);
        self.send(request, Pending::Notice { app: app.spec.name.clone() });
    }
}
