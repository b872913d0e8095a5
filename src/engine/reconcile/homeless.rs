//! Objects that cannot be corrected for want of their namespace: they wait until it is back, and
//! are told of where it does not come back.

use crate::base::Time;
use crate::object::ObjectId;

use super::app::{AppState, namespace_id};
use super::boot::NAMESPACES;
use super::{Core, Wake};

impl Core {
    /// The namespace of an object is gone or going: the object is corrected when it is back, and
    /// told of where that is not the App's own doing or takes too long.
    pub(super) fn await_namespace(&mut self, now: Time, app: &mut AppState, id: &ObjectId) {
        self.live.want(&NAMESPACES, &mut self.ids, &mut self.out.api);
        let namespace = self.live.get(&NAMESPACES, "", &id.namespace);
        if namespace.is_some_and(|namespace| !namespace.is_deleting()) {
            // Back already, or its end has not been heard of yet.
            return self.correct_again(now, app, id, "its namespace is going");
        }
        app.homeless.entry(id.clone()).or_insert(false);
        if app.applied.contains_key(&namespace_id(&id.namespace)) {
            let wake = Wake::Homeless { app: app.spec.name.clone(), id: id.clone() };
            self.wake_at(now + app.spec.health_timeout, wake);
        } else {
            self.tell_homeless(now, app, id);
        }
    }

    /// Tells, once, that an object cannot be corrected for want of its namespace.
    pub(super) fn tell_homeless(&mut self, now: Time, app: &mut AppState, id: &ObjectId) {
        let Some(is_told) = app.homeless.get_mut(id).filter(|is_told| !**is_told) else { return };
        *is_told = true;
        let why = format!("cannot be made anew: there is no namespace {}", id.namespace);
        self.not_corrected(now, app, id, &why);
    }

    /// A namespace is there (again): what waited for it is corrected.
    pub(super) fn house(&mut self, app: &mut AppState, namespace: &str) {
        let waiting = app.homeless.keys().filter(|id| id.namespace == namespace);
        for id in waiting.cloned().collect::<Vec<_>>() {
            app.homeless.remove(&id);
            self.correct(app, &id);
        }
    }
}
