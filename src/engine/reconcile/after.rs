//! The health of what is deployed, after its deployment ended: told when it gets bad and when it
//! is good again.
//!
//! Nothing is gone back for it: a revision that was healthy gets ill of something that is not in
//! the commit (a node, a registry, another service), and an older commit would be no cure.

use std::collections::BTreeMap;

use crate::base::{Event, Time, limits};
use crate::engine::health::failfast;
use crate::object::ObjectId;

use super::app::AppState;
use super::judge::{Asked, too_long};
use super::verdicts::About;
use super::{Core, Wake};

/// What is known of the health of an App between deployments.
#[derive(Debug, Default)]
pub(super) struct Aftercare {
    /// It is not healthy since then.
    ill_since: Option<Time>,
    /// That was told, and it is healthy since then.
    well_since: Option<Time>,
    /// Pods that will have failed soon, by uid, and since when.
    failing: BTreeMap<String, Time>,
}

impl AppState {
    /// Whether its health has changed and it takes a while to see what that comes to.
    pub(super) fn is_in_doubt(&self) -> bool {
        let care = &self.aftercare;
        let is_held_and_well = self.run.as_ref().is_some_and(|run| run.healthy_since.is_some());
        let is_told = self.state.degraded.is_some();
        is_held_and_well || care.well_since.is_some() || (care.ill_since.is_some() && !is_told)
    }
}

impl Core {
    /// Looks at an App of which no deployment is under way.
    pub(super) fn look_after(&mut self, now: Time, app: &mut AppState) {
        let Some(version) = app.desired.clone().filter(|_| app.awaited.is_none()) else { return };
        let mut verdicts = std::mem::take(&mut app.verdicts);
        let about = About { desired: version.desired, run: app.runs, is_under_way: false };
        let sum = self.sum(
            now,
            (&mut verdicts, about),
            Asked {
                app,
                failing: &app.aftercare.failing,
                // Drift, and told as that.
                may_lack: &|_| true,
                // A pod that runs may have crashed long ago.
                speaks: failfast::is_stuck,
            },
        );
        app.verdicts = verdicts;
        app.aftercare.failing = sum.failing;
        if sum.failed.is_none() && sum.waiting.is_none() {
            return self.is_well(now, app);
        }
        app.aftercare.well_since = None;
        let is_new = app.aftercare.ill_since.is_none();
        let since = *app.aftercare.ill_since.get_or_insert(now);
        if app.state.degraded.is_some() {
            return;
        }
        let until = since + app.spec.health_timeout;
        let overdue = || sum.waiting.filter(|_| now >= until);
        let failed = sum.failed.or_else(|| overdue().map(|(id, text)| (id, too_long(app, &text))));
        if let Some((id, reason)) = failed {
            return self.degraded(now, app, &id, reason);
        }
        for at in is_new.then_some(until).into_iter().chain(sum.again) {
            self.look_again(at, app);
        }
    }

    fn is_well(&mut self, now: Time, app: &mut AppState) {
        app.aftercare.ill_since = None;
        if app.state.degraded.is_none() {
            return;
        }
        let since = *app.aftercare.well_since.get_or_insert(now);
        if since == now {
            return self.look_again(since + limits::RECOVERED_AFTER, app);
        }
        if now >= since + limits::RECOVERED_AFTER {
            app.aftercare = Aftercare::default();
            app.state.degraded = None;
            self.event(Event::Recovered { app: app.spec.name.clone() });
            self.notice(now, app, "Recovered", "healthy again".to_owned(), None);
            self.write_state(app);
        }
    }

    fn degraded(&mut self, now: Time, app: &mut AppState, id: &ObjectId, reason: String) {
        let text = format!("{id}: {reason}");
        app.state.degraded = Some(text.clone());
        let (name, object) = (app.spec.name.clone(), id.to_string());
        self.event(Event::Degraded { app: name, object, reason });
        self.notice(now, app, "Degraded", text, None);
        self.write_state(app);
    }

    fn look_again(&mut self, at: Time, app: &AppState) {
        self.wake_at(at, Wake::Health { app: app.spec.name.clone(), run: app.runs });
    }
}
