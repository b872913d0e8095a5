//! What happens in the cluster between deployments: every watch event finds the App that it
//! concerns, whose health and drift are then looked at.

use std::collections::BTreeSet;

use crate::api::{Request, Response};
use crate::base::{Event, Time, limits};
use crate::engine::Engine;
use crate::engine::apply::{self, Verdict};
use crate::engine::drift::{self, Drift, Turn};
use crate::engine::live::Touched;
use crate::engine::model::DriftPolicy;
use crate::engine::notify::Notice;
use crate::object::ObjectId;

use super::answers::Pending;
use super::app::{AppState, Stage};
use super::{Core, Wake};

impl Engine {
    /// Finds the Apps that changes in the cluster concern. Each App's health is looked at once,
    /// however many of its objects changed.
    pub(super) fn observe(&mut self, now: Time, touched: Touched) {
        let mut concerned: BTreeSet<String> = BTreeSet::new();
        for id in touched.objects {
            let Some(name) = self.core.owner.get(&id).cloned() else { continue };
            if let Some(app) = self.apps.get_mut(&name) {
                self.core.look_for_drift(now, app, &id);
            }
            concerned.insert(name);
        }
        for id in touched.owners_of_pods {
            concerned.extend(self.core.owner.get(&id).cloned());
        }
        for name in concerned {
            if let Some(app) = self.apps.get_mut(&name) {
                self.core.judge(now, app);
            }
        }
        if touched.synced {
            self.plan_what_waited(now);
        }
    }

    fn plan_what_waited(&mut self, now: Time) {
        for app in self.apps.values_mut() {
            if app.run.as_ref().is_some_and(|run| run.stage == Stage::Live) {
                self.core.advance(now, app);
            }
        }
    }
}

impl Core {
    /// Compares one live object with what was applied.
    pub(super) fn look_for_drift(&mut self, now: Time, app: &mut AppState, id: &ObjectId) {
        if app.spec.drift == DriftPolicy::Ignore || app.will_apply(id) || app.writing.contains(id) {
            return;
        }
        let Some(applied) = app.applied.get(id) else { return };
        let live = self.live.get(&applied.gvr, &id.namespace, &id.name);
        let drift = match live {
            // An answer is newer than any view that lacks the object, until the view has caught up.
            None if applied.answer.revision() > self.live.revision(&applied.gvr) => return,
            None => Some(Drift { fields: Vec::new(), by: None }),
            Some(live) if live.revision() <= applied.answer.revision() => return,
            // Going: it can only be made anew once it is gone.
            Some(live) if live.is_deleting() => return,
            Some(live) => drift::look(self.schema, applied, live),
        };
        match drift {
            Some(drift) => self.drifted(now, app, id, drift),
            None => {
                app.reported.remove(id);
            }
        }
    }

    fn drifted(&mut self, now: Time, app: &mut AppState, id: &ObjectId, drift: Drift) {
        if app.reported.get(id) == Some(&drift.fields) {
            return;
        }
        let (name, object) = (app.spec.name.clone(), id.to_string());
        self.event(Event::DriftSeen {
            app: name.clone(),
            object: object.clone(),
            fields: drift.fields.clone(),
            by: drift.by.clone(),
        });
        if app.spec.drift == DriftPolicy::Report {
            app.reported.insert(id.clone(), drift.fields.clone());
            self.event(Event::DriftReported { app: name, object });
            let message = describe(id, &drift);
            self.notice(now, app, "DriftReported", message, Some(id));
            return;
        }
        match app.corrections.entry(id.clone()).or_default().next(now) {
            Turn::Now => self.correct(app, id),
            Turn::Later(at) => {
                let by = drift.by.clone();
                self.event(Event::DriftFight { app: name.clone(), object, by });
                let message = format!("{}; next correction later", describe(id, &drift));
                self.notice(now, app, "DriftFight", message, Some(id));
                app.reported.insert(id.clone(), drift.fields);
                self.wake_at(at, Wake::Correct { app: name, id: id.clone() });
            }
        }
    }

    /// Applies an object again as it was applied last.
    pub(super) fn correct(&mut self, app: &mut AppState, id: &ObjectId) {
        let Some(applied) = app.applied.get(id) else { return };
        if app.will_apply(id) || !app.writing.insert(id.clone()) {
            return;
        }
        let request = apply::apply(&applied.gvr, &applied.body);
        self.send(request, Pending::Correct { app: app.spec.name.clone(), id: id.clone() });
    }

    /// The answer to a correction.
    pub(super) fn corrected(
        &mut self,
        now: Time,
        app: &mut AppState,
        id: &ObjectId,
        response: &Response,
    ) {
        app.writing.remove(id);
        let (reason, message) = match apply::read(response) {
            // 404: its namespace went too, and has to come back first.
            Verdict::Again(_) | Verdict::Refused(_) if is_to_repeat(response) => {
                let wake = Wake::Correct { app: app.spec.name.clone(), id: id.clone() };
                self.wake_at(now + limits::CORRECT_AGAIN, wake);
                return self.go_on(now, app);
            }
            Verdict::Done(Some(answer)) => {
                if let Some(applied) = app.applied.get_mut(id) {
                    applied.answer = answer;
                }
                app.reported.remove(id);
                self.event(Event::DriftCorrected {
                    app: app.spec.name.clone(),
                    object: id.to_string(),
                });
                ("DriftCorrected", format!("{id} is as rendered again"))
            }
            Verdict::Refused(message) => {
                self.event(Event::DriftReported {
                    app: app.spec.name.clone(),
                    object: id.to_string(),
                });
                ("DriftReported", format!("{id} could not be corrected: {message}"))
            }
            _ => return,
        };
        self.notice(now, app, reason, message, Some(id));
        self.look_for_drift(now, app, id);
        self.go_on(now, app);
    }

    /// A deployment that waited for a correction plans; one that is applied is looked at again.
    fn go_on(&mut self, now: Time, app: &mut AppState) {
        match app.run.as_ref().map(|run| run.stage) {
            Some(Stage::Live) => self.advance(now, app),
            _ => self.judge(now, app),
        }
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
        let request = Request::create(crate::engine::notify::EVENTS, &namespace, event);
        self.send(request, Pending::Notice { app: app.spec.name.clone() });
    }
}

/// Whether a correction may do better later.
fn is_to_repeat(response: &Response) -> bool {
    response.code == 404 || matches!(apply::read(response), Verdict::Again(_))
}

fn describe(id: &ObjectId, drift: &Drift) -> String {
    let by = drift.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
    if drift.fields.is_empty() {
        return format!("{id} was deleted{by}");
    }
    format!("{id} was changed{by}: {}", drift.fields.join(", "))
}
