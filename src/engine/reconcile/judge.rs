//! Whether what is applied is healthy: asked whenever something of the App changes in the
//! cluster, and at the instants at which a rule depends on age.

use std::collections::BTreeMap;

use crate::base::{Event, Time, limits};
use crate::engine::health::failfast::{self, PodVerdict};
use crate::engine::health::kstatus::{self, State};
use crate::engine::plan::DesiredSet;
use crate::object::{Object, ObjectId};

use super::app::{AppState, Stage};
use super::{Core, Wake};

/// The reason of kstatus for a status that is older than the spec (R-HLT-01).
const LATEST_GENERATION_NOT_OBSERVED: &str = "LatestGenerationNotObserved";

/// What the objects of an App come to together.
#[derive(Debug, Default)]
pub(super) struct Sum {
    /// Not current yet: what is waited for, of the first such object.
    pub(super) waiting: Option<(ObjectId, String)>,
    /// An object's status is older than its spec.
    unobserved: bool,
    /// What has failed, of the first such object.
    pub(super) failed: Option<(ObjectId, String)>,
    /// Pods that have not failed yet but will, by uid, and since when.
    pub(super) failing: BTreeMap<String, Time>,
    /// When to look again even if nothing changes.
    pub(super) again: Option<Time>,
}

/// What is summed up, and how.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) app: &'a AppState,
    pub(super) desired: &'a DesiredSet,
    /// Pods that had not failed yet when they were last looked at.
    pub(super) failing: &'a BTreeMap<String, Time>,
    /// Whether an object may be missing.
    pub(super) may_lack: &'a dyn Fn(&ObjectId) -> bool,
    /// Which pods of its newest revision speak for a workload that is not current.
    pub(super) speaks: fn(&Object) -> bool,
}

impl Core {
    /// Looks at the App's health and acts on it.
    pub(super) fn judge(&mut self, now: Time, app: &mut AppState) {
        let Some(run) = &app.run else { return self.look_after(now, app) };
        if run.stage != Stage::Health || run.is_incomplete {
            return;
        }
        let mut sum = self.sum(
            now,
            Asked {
                app,
                desired: &run.version.desired,
                failing: &run.failing,
                may_lack: &|id| run.plan.left.contains(id),
                speaks: |_| true,
            },
        );
        let number = run.number;
        let deadline = run.applied_at.map(|at| at + app.spec.health_timeout);
        if sum.waiting.is_some() && sum.failed.is_none() && deadline.is_some_and(|at| now >= at) {
            sum.failed = Self::timed_out(app, &sum);
        }
        if let Some(run) = &mut app.run {
            run.failing = std::mem::take(&mut sum.failing);
        }
        if !sum.unobserved {
            self.observed(app);
        }
        let is_held = app.run.as_ref().is_some_and(|run| run.held);
        if is_held && sum.failed.is_none() && sum.waiting.is_none() {
            return self.recovering(now, app);
        }
        if let Some(run) = &mut app.run {
            run.healthy_since = None;
        }
        match (sum.failed, sum.waiting) {
            (Some((id, reason)), _) if !is_held => {
                self.failed(now, app, "health", &reason, Some(&id));
            }
            (None, None) => self.ready(now, app),
            _ => {
                if let Some(at) = sum.again.filter(|_| !is_held) {
                    self.wake_at(at, Wake::Health { app: app.spec.name.clone(), run: number });
                }
            }
        }
    }

    /// A revision that failed and was held is healthy now. It has to stay so for a while.
    fn recovering(&mut self, now: Time, app: &mut AppState) {
        let Some(run) = &mut app.run else { return };
        let since = *run.healthy_since.get_or_insert(now);
        let number = run.number;
        if now >= since + limits::RECOVERED_AFTER {
            return self.ready(now, app);
        }
        if since == now {
            let wake = Wake::Health { app: app.spec.name.clone(), run: number };
            self.wake_at(since + limits::RECOVERED_AFTER, wake);
        }
    }

    /// Sums up the health of a set of objects.
    pub(super) fn sum(&self, now: Time, asked: Asked<'_>) -> Sum {
        let mut sum = Sum::default();
        for want in asked.desired.objects.values() {
            let answer = asked.app.applied.get(&want.id).map(|applied| &applied.answer);
            let Some(object) = self.live.newest(&want.gvr, &want.id, answer) else {
                if !(asked.may_lack)(&want.id) {
                    let text = "it is not there".to_owned();
                    sum.waiting.get_or_insert((want.id.clone(), text));
                    sum.unobserved = true;
                }
                continue;
            };
            let health = kstatus::status(object, now);
            sum.again = earliest(sum.again, health.again_at);
            match health.state {
                State::Current => continue,
                State::Failed => {
                    sum.failed.get_or_insert((want.id.clone(), health.message));
                }
                _ => {
                    sum.unobserved |= health.reason == LATEST_GENERATION_NOT_OBSERVED;
                    sum.waiting.get_or_insert((want.id.clone(), health.message));
                    self.add_pods(now, asked, &want.id, object, &mut sum);
                }
            }
        }
        sum
    }

    /// Pods of the new revision can tell early that a rollout will not come to anything.
    fn add_pods(
        &self,
        now: Time,
        asked: Asked<'_>,
        id: &ObjectId,
        workload: &Object,
        sum: &mut Sum,
    ) {
        if !crate::engine::live::runs_pods(id) {
            return;
        }
        let pods = self.live.pods_of_new_revision(workload);
        for pod in pods.filter(|pod| (asked.speaks)(pod)) {
            let since = asked.failing.get(pod.uid()).copied();
            match failfast::pod_failure(pod, since, now) {
                PodVerdict::Fine => {}
                PodVerdict::Failing { since, fails_at, .. } => {
                    sum.failing.insert(pod.uid().to_owned(), since);
                    sum.again = earliest(sum.again, Some(fails_at));
                }
                PodVerdict::Failed { message, .. } => {
                    let text = format!("pod {}: {message}", pod.name());
                    sum.failed.get_or_insert((id.clone(), text));
                }
            }
        }
    }

    fn observed(&mut self, app: &mut AppState) {
        let Some(run) = app.run.as_mut().filter(|run| !run.observed) else { return };
        run.observed = true;
        let commit = run.version.commit.to_string();
        self.event(Event::Observed { app: app.spec.name.clone(), commit });
    }

    fn timed_out(app: &AppState, sum: &Sum) -> Option<(ObjectId, String)> {
        let (id, waiting) = sum.waiting.clone()?;
        Some((id, too_long(app, &waiting)))
    }
}

/// In words: what is waited for did not come in time.
pub(super) fn too_long(app: &AppState, waiting: &str) -> String {
    format!("not healthy after {} s: {waiting}", app.spec.health_timeout.as_secs_f64())
}

fn earliest(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    match (one, other) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
