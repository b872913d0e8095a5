//! What happens in the cluster between deployments: every watch event finds the App that it
//! concerns, whose health and drift are then looked at.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::api::Response;
use crate::base::{Bug, Event, Time};
use crate::engine::Engine;
use crate::engine::apply::{self, Verdict};
use crate::engine::drift::{self, Drift, Turn};
use crate::engine::live::Touched;
use crate::engine::model::DriftPolicy;
use crate::object::{ObjectId, Value};

use super::app::{AppState, Stage};
use super::boot::NAMESPACES;
use super::requests::Pending;
use super::{Core, Wake};

impl Engine {
    /// Finds the Apps that changes in the cluster concern. Each App's health is looked at once,
    /// however many of its objects changed.
    pub(super) fn observe(&mut self, now: Time, mut touched: Touched) {
        self.follow_kinds(now, &touched);
        for gvr in &touched.listed_anew {
            let applied = self.apps.values().flat_map(|app| &app.applied);
            let of_kind = applied.filter(|(_, applied)| applied.gvr == *gvr);
            let is_gone =
                |id: &ObjectId| self.core.live.get(gvr, &id.namespace, &id.name).is_none();
            touched.objects.extend(of_kind.map(|(id, _)| id).filter(|id| is_gone(id)).cloned());
        }
        let mut concerned: BTreeSet<String> = BTreeSet::new();
        let is_namespace = |id: &&ObjectId| id.kind == "Namespace" && id.group.is_empty();
        let namespaces = touched.objects.iter().filter(is_namespace);
        let is_there = |name: &&String| {
            let namespace = self.core.live.get(&NAMESPACES, "", name);
            namespace.is_some_and(|namespace| !namespace.is_deleting())
        };
        let came: Vec<String> = namespaces.map(|id| &id.name).filter(is_there).cloned().collect();
        for id in touched.objects {
            let Some(name) = self.core.owner.get(&id).cloned() else { continue };
            if let Some(app) = self.apps.get_mut(&name) {
                self.core.look_for_drift(now, app, &id);
                app.verdicts.changed(id);
            }
            concerned.insert(name);
        }
        for name in came {
            self.apps.values_mut().for_each(|app| self.core.house(app, &name));
        }
        for id in touched.owners_of_pods {
            let Some(name) = self.core.owner.get(&id).cloned() else { continue };
            if let Some(app) = self.apps.get_mut(&name) {
                app.verdicts.changed(id);
            }
            concerned.insert(name);
        }
        for name in concerned {
            if let Some(app) = self.apps.get_mut(&name) {
                self.core.judge_changes(now, app);
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
        if app.spec.drift == DriftPolicy::Ignore || app.will_write(id) || app.writing.contains(id) {
            return;
        }
        match self.drift_of(app, id) {
            Some(Some(drift)) => self.drifted(now, app, id, drift),
            Some(None) => {
                app.reported.remove(id);
            }
            None => {}
        }
    }

    /// How one live object differs from what was applied: `Some(None)` where it does not, `None`
    /// where that cannot be said yet.
    fn drift_of(&self, app: &AppState, id: &ObjectId) -> Option<Option<Drift>> {
        let applied = app.applied.get(id)?;
        match self.live.get(&applied.gvr, &id.namespace, &id.name) {
            // An answer is newer than any view that lacks the object, until the view has caught up.
            None if applied.answer.revision() > self.live.revision(&applied.gvr) => None,
            None if self.bug == Some(Bug::BlindToDeletion) => None,
            None => Some(Some(Drift { fields: Vec::new(), by: None })),
            Some(live) if live.revision() <= applied.answer.revision() => None,
            // Going: it can only be made anew once it is gone.
            Some(live) if live.is_deleting() => None,
            Some(live) => {
                let drift = drift::look(self.kinds.schema(), applied, live);
                let takes_it = self.bug == Some(Bug::TakesReplacement);
                Some(drift.filter(|drift| !takes_it || drift.fields != ["metadata.uid"]))
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
                self.correct_at(at, app, id);
            }
        }
    }

    /// Applies an object again as it was applied last.
    pub(super) fn correct(&mut self, app: &mut AppState, id: &ObjectId) {
        let Some(applied) = app.applied.get(id) else { return };
        if app.will_write(id) || !app.writing.insert(id.clone()) {
            return;
        }
        let mut body = Arc::clone(&applied.body);
        if let Some(bug) = self.bug {
            body = self.wrong_body(bug, app, id).unwrap_or(body);
        }
        let request = apply::apply(&applied.gvr, &body);
        self.send(request, Pending::Correct { app: app.spec.name.clone(), id: id.clone() });
    }

    /// What is applied in a correction that is wrong on purpose.
    fn wrong_body(&self, bug: Bug, app: &AppState, id: &ObjectId) -> Option<Arc<Value>> {
        let applied = app.applied.get(id)?;
        match bug {
            Bug::CorrectsStale => {
                let good = app.good.as_ref()?.desired.objects.get(id)?;
                Some(Arc::clone(&good.body))
            }
            Bug::Greedy => {
                let live = self.live.get(&applied.gvr, &id.namespace, &id.name)?;
                let mut body = Value::clone(&applied.body);
                body["metadata"]["labels"] = live.at(&["metadata", "labels"])?.clone();
                Some(Arc::new(body))
            }
            _ => None,
        }
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
        match apply::read(response) {
            _ if apply::lacks_namespace(response) => self.await_namespace(now, app, id),
            Verdict::Again(message) => self.correct_again(now, app, id, &message),
            Verdict::Done(answer) => {
                if let (Some(applied), Some(answer)) = (app.applied.get_mut(id), answer) {
                    applied.answer = answer;
                }
                app.reported.remove(id);
                app.homeless.remove(id);
                if let Some(corrections) = app.corrections.get_mut(id) {
                    corrections.done();
                }
                let (name, object) = (app.spec.name.clone(), id.to_string());
                self.event(Event::DriftCorrected { app: name, object });
                let message = format!("{id} is as rendered again");
                self.notice(now, app, "DriftCorrected", message, Some(id));
                self.look_for_drift(now, app, id);
            }
            Verdict::Refused(message) => {
                // The same would be refused again: the drift stands until it is another one, or a
                // commit brings something else.
                if let Some(Some(drift)) = self.drift_of(app, id) {
                    app.reported.insert(id.clone(), drift.fields);
                }
                self.not_corrected(now, app, id, &format!("could not be corrected: {message}"));
            }
        }
        self.go_on(now, app);
    }

    /// The API server could not take a correction: it is sent again after a pause that grows.
    pub(super) fn correct_again(
        &mut self,
        now: Time,
        app: &mut AppState,
        id: &ObjectId,
        message: &str,
    ) {
        let (pause, is_to_tell) = app.corrections.entry(id.clone()).or_default().again();
        self.correct_at(now + pause, app, id);
        if is_to_tell {
            self.not_corrected(now, app, id, &format!("cannot be corrected yet: {message}"));
        }
    }

    /// Tells of drift that stands though it is to be corrected.
    pub(super) fn not_corrected(&mut self, now: Time, app: &AppState, id: &ObjectId, why: &str) {
        let (name, object) = (app.spec.name.clone(), id.to_string());
        self.event(Event::DriftReported { app: name, object });
        self.notice(now, app, "DriftReported", format!("{id} {why}"), Some(id));
    }

    fn correct_at(&mut self, at: Time, app: &mut AppState, id: &ObjectId) {
        app.put_off.insert(id.clone());
        self.wake_at(at, Wake::Correct { app: app.spec.name.clone(), id: id.clone() });
    }

    /// A deployment that waited for a correction plans; one that is applied is looked at again.
    fn go_on(&mut self, now: Time, app: &mut AppState) {
        match app.run.as_ref().map(|run| run.stage) {
            Some(Stage::Live) => self.advance(now, app),
            _ => self.judge(now, app),
        }
    }
}

fn describe(id: &ObjectId, drift: &Drift) -> String {
    let by = drift.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
    if drift.fields.is_empty() {
        return format!("{id} was deleted{by}");
    }
    format!("{id} was changed{by}: {}", drift.fields.join(", "))
}
