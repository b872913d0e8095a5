//! Custom resources on their way: kinds that are not known yet are asked for, and nothing of a
//! kind is sent before the server serves it.
//!
//! A definition may come with the same commit as its resources, with another App's, or be in the
//! cluster already. Only Apps that have custom resources cost a watch of definitions.

use crate::base::Time;
use crate::engine::Engine;
use crate::engine::kinds::{self, DEFINITIONS};
use crate::engine::live::Touched;
use crate::engine::plan::DesiredSet;
use crate::object::{Gvr, ObjectId};

use super::app::{AppState, Stage, Unknown};
use super::requests::Pending;
use super::{Core, Wake};

impl Core {
    /// Whether requests for a resource can be answered, as far as is known.
    pub(super) fn is_served(&self, gvr: &Gvr) -> bool {
        let Some(definition) = self.kinds.definition_of(gvr) else { return true };
        let seen = self.live.get(&DEFINITIONS, "", definition);
        seen.is_some_and(|definition| kinds::serves(definition, gvr))
    }

    /// Makes sure that the resource is watched, as soon as it is served.
    pub(super) fn want(&mut self, gvr: &Gvr) {
        if self.kinds.definition_of(gvr).is_some() {
            self.want_definitions();
        }
        if self.is_served(gvr) {
            self.live.want(gvr, &mut self.ids, &mut self.out.api);
        }
    }

    pub(super) fn want_definitions(&mut self) {
        self.live.want(&DEFINITIONS, &mut self.ids, &mut self.out.api);
    }

    /// Whether what there is of a resource is known: of one that is not served, that is nothing.
    pub(super) fn sees(&mut self, gvr: &Gvr) -> bool {
        if self.kinds.definition_of(gvr).is_none() {
            return self.live.is_synced(gvr);
        }
        if !self.live.is_synced(&DEFINITIONS) {
            return false;
        }
        self.want(gvr);
        !self.is_served(gvr) || self.live.is_synced(gvr)
    }

    /// Whether a wave has to wait for kinds that come with the waves before it.
    pub(super) fn lacks_kind(&self, desired: &DesiredSet, wave: &[ObjectId]) -> bool {
        let wanted = wave.iter().filter_map(|id| desired.objects.get(id));
        wanted.into_iter().any(|want| !self.is_served(&want.gvr))
    }

    /// Whether a request is about a custom resource.
    pub(super) fn is_custom(&self, pending: &Pending) -> bool {
        let (Pending::Apply { request, .. }
        | Pending::Rehearse { request, .. }
        | Pending::Look { request, .. }) = pending
        else {
            return false;
        };
        self.kinds.definition_of(&request.resource).is_some()
    }

    /// Waits for a definition to be established; at the end of the App's time the wave is sent all
    /// the same, so that the server says what is wrong.
    pub(super) fn await_kinds(&mut self, app: &mut AppState, wave: usize) {
        let Some(run) = &mut app.run else { return };
        if run.stage != Stage::Kinds(wave) {
            run.stage = Stage::Kinds(wave);
            let (at, run) = (run.began + app.spec.health_timeout, run.number);
            self.wake_at(at, Wake::Kinds { app: app.spec.name.clone(), run });
        }
    }

    fn learn_from_cluster(&mut self) {
        let Self { kinds, live, .. } = self;
        live.all(&DEFINITIONS).for_each(|definition| kinds.learn(definition));
    }
}

impl Engine {
    /// Follows definitions that came, changed or went, and kinds that were listed for the first
    /// time.
    pub(super) fn follow_kinds(&mut self, now: Time, touched: &Touched) {
        let is_definition = |id: &ObjectId| id.kind == "CustomResourceDefinition";
        if !touched.synced && !touched.objects.iter().any(is_definition) {
            return;
        }
        self.core.learn_from_cluster();
        let custom: Vec<Gvr> = self.core.kinds.custom().cloned().collect();
        for gvr in &custom {
            if !self.core.is_served(gvr) {
                self.core.live.forget(gvr);
            } else if self.apps.values().any(|app| has(app, gvr)) {
                self.core.want(gvr);
            }
        }
        self.settle_unknown(now);
        for app in self.apps.values_mut() {
            app.verdicts.forget();
            if matches!(app.run.as_ref().map(|run| run.stage), Some(Stage::Kinds(_))) {
                self.core.advance(now, app);
            }
            // What went with its definition is missed when the kind is back.
            let applied = app.applied.iter().filter(|(_, applied)| custom.contains(&applied.gvr));
            let ids: Vec<ObjectId> = applied.map(|(id, _)| id.clone()).collect();
            ids.iter().for_each(|id| self.core.look_for_drift(now, app, id));
        }
    }

    /// Looks again at what could not be settled for want of a kind. Where the cluster has been
    /// asked and has none, that is told, once; a definition that comes later is taken up still.
    pub(super) fn settle_unknown(&mut self, now: Time) {
        let Some(head) = self.core.head.clone() else { return };
        let mut changed = Vec::new();
        for (name, app) in &mut self.apps {
            let (Some(unknown), Some(rendered)) = (app.unknown, app.tip.clone()) else { continue };
            match self.core.settle(now, app, &head, &rendered) {
                Ok(next) => {
                    app.unknown = None;
                    changed.extend(next.map(|next| (name.clone(), next)));
                }
                Err(_) if !self.core.live.is_synced(&DEFINITIONS) => self.core.want_definitions(),
                Err(error) if unknown == Unknown::Asking => {
                    app.unknown = Some(Unknown::Told);
                    let reason = error.to_string();
                    self.core.not_deployable(now, app, &head.commit, "plan", &reason);
                }
                Err(_) => {}
            }
        }
        self.admit(now, changed);
    }
}

/// Whether the App has objects of a resource.
fn has(app: &AppState, gvr: &Gvr) -> bool {
    let desired = app.desired.iter().flat_map(|version| version.desired.objects.values());
    desired.into_iter().any(|want| want.gvr == *gvr)
        || app
            .state
            .inventory
            .iter()
            .any(|entry| entry.id.group == gvr.group && entry.version == gvr.version)
}
