//! Pods that ended, each counted once, and the status that tells of them (R-CTL-17).
//!
//! A pod that ended is first named in `uncountedTerminatedPods`, then loses its finalizer, then is
//! counted: three writes of one sync, in this order, so that none is lost or counted twice
//! wherever the sync stops. Succeeded indexes need no names: a set counts nothing twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::policy::{self, Action};
use super::{Indexes, JOB, Managed, Scene, indexes, is_indexed, is_tracked, untrack};
use crate::api::Request;
use crate::object::{Object, Value, json};
use crate::sim::controllers::kinds::gvr;
use crate::sim::controllers::plan::{Call, Note, Plan};
use crate::sim::controllers::pod;

/// What is counted of a Job's pods, and what is about to be.
pub(super) struct Count<'a> {
    /// Numbers of the status.
    succeeded: i64,
    failed: i64,
    /// Uids that are named and not counted.
    uncounted: [Vec<String>; 2],
    /// Indexes begin at 0 and end here.
    pub(super) end: i64,
    pub(super) succeeded_indexes: Indexes,
    /// Where each index has a limit of its own.
    pub(super) failed_indexes: Option<Indexes>,
    /// Failed pods that stay until their index is tried again, since they bear its count.
    pub(super) delayed: BTreeMap<i64, &'a Arc<Object>>,
}

const WAYS: [&str; 2] = ["succeeded", "failed"];

/// Whether a pod counts as failed: one that is deleted does too, unless only pods that ended are
/// to be replaced.
pub(super) fn is_failed(job: &Object, pod: &Object) -> bool {
    match pod::phase(pod) {
        "Failed" => true,
        "Succeeded" => false,
        _ => pod.is_deleting() && !super::replaces_only_failed(job),
    }
}

/// How often an index failed before this pod was made, counted or not.
pub(super) fn failures(pod: &Object, with_ignored: bool) -> i64 {
    let read = |name: &str| pod.annotation(name).and_then(|text| text.parse().ok()).unwrap_or(0);
    read(FAILURES) + if with_ignored { read(IGNORED) } else { 0 }
}

/// The annotations with how often an index failed.
pub(super) const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
pub(super) const IGNORED: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

impl<'a> Count<'a> {
    pub(super) fn of(job: &Object, pods: &[&'a Arc<Object>]) -> Self {
        let number = |field: &str| job.int(&["status", field]).unwrap_or(0);
        let names = |way: &str| {
            let list = job.list(&["status", "uncountedTerminatedPods", way]).iter();
            list.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
        };
        let end = job.int(&["spec", "completions"]).unwrap_or(0);
        let text = |field: &str| job.text(&["status", field]).unwrap_or_default();
        let mut count = Self {
            succeeded: number("succeeded"),
            failed: number("failed"),
            uncounted: WAYS.map(names),
            end,
            succeeded_indexes: Indexes::default(),
            failed_indexes: None,
            delayed: BTreeMap::new(),
        };
        if is_indexed(job) {
            count.succeeded_indexes = Indexes::parse(text("completedIndexes"), end);
            let new = pods.iter().filter(|pod| pod::phase(pod) == "Succeeded" && is_tracked(pod));
            count.succeeded_indexes.0.extend(new.filter_map(|pod| indexes::of(pod, end)));
            if job.int(&["spec", "backoffLimitPerIndex"]).is_some() {
                let mut failed = Indexes::parse(text("failedIndexes"), end);
                let new = pods.iter().filter(|pod| has_failed_index(job, pod));
                failed.0.extend(new.filter_map(|pod| indexes::of(pod, end)));
                count.failed_indexes = Some(failed);
                count.delay(job, pods);
            }
        }
        count
    }

    /// Of each index that is to be tried again, the pod that failed last.
    fn delay(&mut self, job: &Object, pods: &[&'a Arc<Object>]) {
        let active = pods.iter().filter(|pod| pod::is_active(pod));
        let active: Vec<_> = active.filter_map(|pod| indexes::of(pod, self.end)).collect();
        for pod in pods.iter().filter(|pod| is_tracked(pod) && is_failed(job, pod)) {
            let Some(index) = indexes::of(pod, self.end) else { continue };
            let is_settled = self.succeeded_indexes.has(index)
                || self.failed_indexes.as_ref().is_some_and(|failed| failed.has(index))
                || active.contains(&index);
            let known = self.delayed.get(&index).map_or(-1, |pod| failures(pod, true));
            if !is_settled && known <= failures(pod, true) {
                self.delayed.insert(index, pod);
            }
        }
    }

    fn is_named(&self, pod: &Object) -> bool {
        self.uncounted.iter().flatten().any(|uid| uid == pod.uid())
    }

    /// Pods that succeeded and are not named yet.
    pub(super) fn new_succeeded(&self, pods: &[&'a Arc<Object>]) -> Vec<&'a Arc<Object>> {
        let new = pods.iter().filter(|pod| is_tracked(pod) && !self.is_named(pod));
        new.filter(|pod| pod::phase(pod) == "Succeeded").copied().collect()
    }

    /// Pods that failed and are not named yet.
    pub(super) fn new_failed(
        &self,
        job: &Object,
        pods: &[&'a Arc<Object>],
    ) -> Vec<&'a Arc<Object>> {
        let new = pods.iter().filter(|pod| is_tracked(pod) && !self.is_named(pod));
        new.filter(|pod| is_failed(job, pod)).copied().collect()
    }

    pub(super) fn total_succeeded(&self, pods: &[&'a Arc<Object>]) -> i64 {
        if self.end > 0 && !self.succeeded_indexes.0.is_empty() {
            return self.succeeded_indexes.total();
        }
        self.succeeded + length(&self.uncounted[0]) + length(&self.new_succeeded(pods))
    }

    pub(super) fn total_failed(&self, job: &Object, pods: &[&'a Arc<Object>]) -> i64 {
        let mut new = self.new_failed(job, pods);
        new.retain(|pod| policy::of_failure(job, pod) != Action::Ignore);
        self.failed + length(&self.uncounted[1]) + length(&new)
    }

    /// Counts the named pods of which `is_left` says no.
    fn settle(&mut self, is_left: impl Fn(&str) -> bool) {
        let [succeeded, failed] = &mut self.uncounted;
        for (names, counted) in [(succeeded, &mut self.succeeded), (failed, &mut self.failed)] {
            let before = names.len();
            names.retain(|uid| is_left(uid));
            *counted += i64::try_from(before - names.len()).unwrap_or(0);
        }
    }
}

fn length<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}

/// Whether a failed pod used up the tries of its index.
fn has_failed_index(job: &Object, pod: &Object) -> bool {
    if !is_tracked(pod) || !is_failed(job, pod) {
        return false;
    }
    let limit = job.int(&["spec", "backoffLimitPerIndex"]).unwrap_or(0);
    match policy::of_failure(job, pod) {
        Action::FailIndex => true,
        Action::Ignore => false,
        Action::Count | Action::FailJob(_) => failures(pod, false) >= limit,
    }
}

impl<'a> Scene<'a> {
    /// Names what ended; the pods that may go now.
    fn name(&mut self) -> Vec<&'a Arc<Object>> {
        let tracked: Vec<_> = self.pods.iter().copied().filter(|pod| is_tracked(pod)).collect();
        self.count.settle(|uid| tracked.iter().any(|pod| pod.uid() == uid));
        let mut free = Vec::new();
        let is_lost = self.verdict.as_ref().is_some_and(|c| c.kind == "FailureTarget");
        for pod in tracked {
            let is_failed = is_failed(self.job, pod);
            let is_success = pod::phase(pod) == "Succeeded";
            let is_over = self.job.is_deleting() || self.verdict.is_some() || is_success;
            let index = indexes::any(pod);
            let stays = index.and_then(|i| self.count.delayed.get(&i));
            let is_delayed = stays.is_some_and(|stays| stays.uid() == pod.uid());
            if !(is_over || is_failed && !is_delayed) {
                continue;
            }
            free.push(pod);
            let is_known = self.count.is_named(pod);
            let in_range = !is_indexed(self.job) || indexes::of(pod, self.count.end).is_some();
            if is_success {
                if !is_known && !is_indexed(self.job) {
                    self.count.uncounted[0].push(pod.uid().to_owned());
                }
            } else if (is_failed || is_lost) && in_range && !is_known {
                let action = policy::of_failure(self.job, pod);
                if action != Action::Ignore {
                    self.count.uncounted[1].push(pod.uid().to_owned());
                }
            }
        }
        free
    }

    /// The writes of a sync: pods, status, finalizers, status.
    pub(super) fn write(mut self, managed: Managed, active: usize) -> Plan {
        let ready = self.active.iter().filter(|pod| pod::is_ready(pod)).count();
        let terminating = self.pods.iter().filter(|pod| pod::is_terminating(pod)).count();
        let terminating = terminating + managed.gone;
        self.status["ready"] = ready.saturating_sub(managed.gone_ready).into();
        self.status["terminating"] = terminating.into();
        self.set_number("active", i64::try_from(active).unwrap_or(i64::MAX));
        let free = self.name();
        if let Some(verdict) = &self.verdict
            && !self.conditions.iter().any(|c| c.kind == verdict.kind)
        {
            self.conditions.push(verdict.clone());
        }
        let first = self.written();
        self.count.settle(|uid| !free.iter().any(|pod| pod.uid() == uid));
        let end = self.end(terminating);
        let second = self.written();
        let mut plan = managed.batches.into_iter().fold(Plan::nothing(), Plan::then);
        let before = self.job.at(&["status"]);
        if Some(&first) != before {
            let call = self.put(&first, self.job.resource_version());
            plan = plan.then(vec![Call { done: self.note.take(), ..call }]);
        }
        plan = plan.then(free.into_iter().map(|pod| untrack(pod)).collect());
        if second != first {
            // The write before moved the revision, and nobody else writes this status.
            plan = plan.then(vec![Call { done: end, ..self.put(&second, "") }]);
        }
        match self.backoff.written() {
            Value::Null if plan.is_nothing() => plan,
            memory => plan.remember(memory),
        }
    }

    fn put(&self, status: &Value, revision: &str) -> Call {
        let mut object = pod::with_status(self.job, status.clone());
        if revision.is_empty() {
            object.remove(&["metadata", "resourceVersion"]);
        }
        let put = Request::update(gvr(JOB), self.job.namespace(), self.job.name(), object);
        Call::new(put.subresource("status"))
    }

    fn set_number(&mut self, field: &str, number: i64) {
        if number > 0 {
            self.status[field] = number.into();
        } else if let Value::Object(status) = &mut self.status {
            status.remove(field);
        }
    }

    /// The status as it stands.
    fn written(&mut self) -> Value {
        let mut uncounted = json!({});
        for (way, names) in WAYS.iter().zip(&self.count.uncounted) {
            if !names.is_empty() {
                uncounted[*way] = json!(names);
            }
        }
        self.status["uncountedTerminatedPods"] = uncounted;
        if is_indexed(self.job) {
            self.set_number("succeeded", self.count.succeeded_indexes.total());
            let text = self.count.succeeded_indexes.text();
            if !text.is_empty() {
                self.status["completedIndexes"] = text.into();
            }
            if let Some(failed) = &self.count.failed_indexes {
                self.status["failedIndexes"] = failed.text().into();
            }
        } else {
            self.set_number("succeeded", self.count.succeeded);
        }
        self.set_number("failed", self.count.failed);
        if !self.conditions.is_empty() {
            self.status["conditions"] = json!(self.conditions);
        }
        self.status.clone()
    }

    /// Sets the terminal condition when everything is counted and no pod is on its way out.
    fn end(&mut self, terminating: usize) -> Option<Note> {
        let verdict = self.verdict.clone()?;
        if terminating > 0 || self.count.uncounted.iter().any(|names| !names.is_empty()) {
            return None;
        }
        let is_success = verdict.kind == "SuccessCriteriaMet";
        let kind = if is_success { "Complete" } else { "Failed" };
        let message = verdict.message.clone().unwrap_or_default().into_owned();
        let last = self.interim(kind, verdict.reason(), &message);
        self.conditions.push(last);
        if is_success {
            self.status["completionTime"] = self.now.rfc3339().into();
        }
        let reason = ENDS.iter().find(|reason| **reason == verdict.reason());
        Some(Note {
            about: Arc::clone(self.job),
            warning: !is_success,
            reason: if is_success { "Completed" } else { reason.copied().unwrap_or("Failed") },
            message: if is_success { "Job completed".to_owned() } else { message },
        })
    }
}

/// Why Jobs fail.
const ENDS: [&str; 5] = [
    "BackoffLimitExceeded",
    "DeadlineExceeded",
    "PodFailurePolicy",
    "FailedIndexes",
    "MaxFailedIndexesExceeded",
];
