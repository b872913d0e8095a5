//! Whether what is applied is healthy: asked whenever something of the App changes in the
//! cluster, and at the instants at which a rule depends on age. Of what did not change since,
//! `verdicts` remembers how it was found.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Event, Time, limits};
use crate::engine::health::before::is_of_before;
use crate::engine::health::failfast::{self, PodVerdict};
use crate::engine::health::kstatus::{self, State};
use crate::engine::plan::Desired;
use crate::object::{Object, ObjectId};

use super::app::{AppState, Stage};
use super::verdicts::{About, Verdict, Verdicts};
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
    /// Pods that had not failed yet when they were last looked at.
    pub(super) failing: &'a BTreeMap<String, Time>,
    /// Whether an object may be missing.
    pub(super) may_lack: &'a dyn Fn(&ObjectId) -> bool,
    /// Which pods of its newest revision speak for a workload that is not current.
    pub(super) speaks: fn(&Object) -> bool,
}

impl Core {
    /// Looks at the health of all of the App and acts on it.
    pub(super) fn judge(&mut self, now: Time, app: &mut AppState) {
        app.verdicts.forget();
        self.judge_changes(now, app);
    }

    /// Looks at what changed of the App since its health was looked at, and acts on it.
    pub(super) fn judge_changes(&mut self, now: Time, app: &mut AppState) {
        let Some(run) = &app.run else { return self.look_after(now, app) };
        if run.stage != Stage::Health || run.is_incomplete {
            return;
        }
        let mut verdicts = std::mem::take(&mut app.verdicts);
        let about = About {
            desired: Arc::clone(&run.version.desired),
            run: run.number,
            is_under_way: true,
        };
        let mut sum = self.sum(
            now,
            (&mut verdicts, about),
            Asked {
                app,
                failing: &run.failing,
                may_lack: &|id| run.plan.left.contains(id),
                speaks: |_| true,
            },
        );
        let number = run.number;
        let deadline = run.applied_at.map(|at| at + app.spec.health_timeout);
        app.verdicts = verdicts;
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

    /// Sums up the health of a set of objects. Looked at are those of which something changed.
    pub(super) fn sum(
        &self,
        now: Time,
        (verdicts, about): (&mut Verdicts, About),
        asked: Asked<'_>,
    ) -> Sum {
        let desired = Arc::clone(&about.desired);
        for id in verdicts.due(now, about) {
            if let Some(want) = desired.objects.get(&id) {
                let verdict = self.look_at(now, asked, want);
                verdicts.found(id, verdict);
            }
        }
        let mut sum = Sum::default();
        for (id, verdict) in verdicts.open() {
            let first = |text: &Option<String>| text.clone().map(|text| (id.clone(), text));
            sum.waiting = sum.waiting.or_else(|| first(&verdict.waiting));
            sum.failed = sum.failed.or_else(|| first(&verdict.failed));
            sum.unobserved |= verdict.is_unobserved;
            sum.again = earliest(sum.again, verdict.again);
            sum.failing.extend(verdict.failing.iter().map(|(uid, at)| (uid.clone(), *at)));
        }
        sum
    }

    /// How one object is.
    fn look_at(&self, now: Time, asked: Asked<'_>, want: &Desired) -> Verdict {
        let id = &want.id;
        let answer = asked.app.applied.get(id).map(|applied| &applied.answer);
        let is_unseen = self.live.get(&want.gvr, &id.namespace, &id.name).is_none();
        let mut verdict = Verdict { is_unseen, ..Verdict::default() };
        let Some(object) = self.live.newest(&want.gvr, id, answer) else {
            if !(asked.may_lack)(id) {
                verdict.waiting = Some("it is not there".to_owned());
                verdict.is_unobserved = true;
            }
            return verdict;
        };
        let mut health = kstatus::status(object, now);
        if health.state == State::Failed && answer.is_some_and(|a| is_of_before(object, a)) {
            health.state = State::InProgress;
        }
        verdict.again = health.again_at;
        match health.state {
            State::Current => {}
            State::Failed => verdict.failed = Some(health.message),
            _ => {
                verdict.is_unobserved = health.reason == LATEST_GENERATION_NOT_OBSERVED;
                verdict.waiting = Some(health.message);
                self.add_pods(now, asked, object, id, &mut verdict);
            }
        }
        verdict
    }

    /// Pods of the new revision can tell early that a rollout will not come to anything.
    fn add_pods(
        &self,
        now: Time,
        asked: Asked<'_>,
        workload: &Object,
        id: &ObjectId,
        verdict: &mut Verdict,
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
                    verdict.failing.insert(pod.uid().to_owned(), since);
                    verdict.again = earliest(verdict.again, Some(fails_at));
                }
                PodVerdict::Failed { message, .. } => {
                    let text = || format!("pod {}: {message}", pod.name());
                    verdict.failed.get_or_insert_with(text);
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
