//! Whether what is applied is healthy: asked whenever something of the App changes in the
//! cluster, and at the instants at which a rule depends on age.

use std::collections::BTreeMap;

use crate::base::{Event, Time};
use crate::engine::health::failfast::{self, PodVerdict};
use crate::engine::health::kstatus::{self, State};
use crate::engine::plan::Desired;
use crate::object::{Object, ObjectId};

use super::app::{AppState, Run, Stage};
use super::{Core, Wake};

/// The reason of kstatus for a status that is older than the spec (R-HLT-01).
const LATEST_GENERATION_NOT_OBSERVED: &str = "LatestGenerationNotObserved";

/// What the objects of an App come to together.
#[derive(Debug, Default)]
struct Sum {
    /// Not current yet: what is waited for, of the first such object.
    waiting: Option<(ObjectId, String)>,
    /// An object's status is older than its spec.
    unobserved: bool,
    failed: Option<(ObjectId, String)>,
    /// Pods that have not failed yet but will, by uid, and since when.
    failing: BTreeMap<String, Time>,
    /// When to look again even if nothing changes.
    again: Option<Time>,
}

impl Core {
    /// Looks at the App's health and acts on it.
    pub(super) fn judge(&mut self, now: Time, app: &mut AppState) {
        let Some(run) = app.run.as_ref().filter(|run| run.stage == Stage::Health) else { return };
        let mut sum = self.sum(now, app, run);
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

    fn sum(&self, now: Time, app: &AppState, run: &Run) -> Sum {
        let mut sum = Sum::default();
        for want in run.version.desired.objects.values() {
            let answer = app.applied.get(&want.id).map(|applied| &applied.answer);
            let Some(object) = self.live.newest(&want.gvr, &want.id, answer) else {
                let text = "it is not there".to_owned();
                sum.waiting.get_or_insert((want.id.clone(), text));
                sum.unobserved = true;
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
                    self.add_pods(now, run, want, object, &mut sum);
                }
            }
        }
        sum
    }

    /// Pods of the new revision can tell early that a rollout will not come to anything.
    fn add_pods(&self, now: Time, run: &Run, want: &Desired, workload: &Object, sum: &mut Sum) {
        if !crate::engine::live::runs_pods(&want.id) {
            return;
        }
        for pod in self.live.pods_of_new_revision(workload) {
            let since = run.failing.get(pod.uid()).copied();
            match failfast::pod_failure(pod, since, now) {
                PodVerdict::Fine => {}
                PodVerdict::Failing { since, fails_at, .. } => {
                    sum.failing.insert(pod.uid().to_owned(), since);
                    sum.again = earliest(sum.again, Some(fails_at));
                }
                PodVerdict::Failed { message, .. } => {
                    let text = format!("pod {}: {message}", pod.name());
                    sum.failed.get_or_insert((want.id.clone(), text));
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
        let seconds = app.spec.health_timeout.as_secs_f64();
        let (id, waiting) = sum.waiting.clone()?;
        Some((id, format!("not healthy after {seconds} s: {waiting}")))
    }
}

fn earliest(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    match (one, other) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
