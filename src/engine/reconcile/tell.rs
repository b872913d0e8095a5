//! What the engine writes down: an App's state in the cluster, notes in the repository.

use std::sync::Arc;

use crate::base::Time;
use crate::engine::Action;
use crate::engine::apps::given;
use crate::engine::model::GitId;
use crate::engine::notify::note_line;

use super::Core;
use super::answers::Pending;
use super::app::AppState;
use crate::engine::apply;

impl Core {
    /// Sends the App's state. The ids are those of the requests, for who has to wait for them.
    pub(super) fn write_state(&mut self, app: &AppState) -> Vec<u64> {
        let name = &app.spec.name;
        let maps = given::to_config_maps(name, &app.state);
        let send = |object: crate::object::Object| {
            let request = apply::apply(&given::CONFIG_MAPS, &Arc::new(object.into_value()));
            let pending = Pending::State { app: name.clone(), request: request.clone(), tries: 0 };
            self.send(request, pending)
        };
        maps.into_iter().map(send).collect()
    }

    /// Writes a line to the audit trail of a commit.
    pub(super) fn note(&mut self, now: Time, app: &AppState, commit: &GitId, what: &str) {
        let line = note_line(now, &app.spec.name, what);
        self.out.actions.push(Action::Note { commit: Arc::clone(commit), line });
    }
}
