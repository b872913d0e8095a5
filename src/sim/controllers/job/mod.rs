//! The Job controller: pods until enough have succeeded, counted once each by way of a finalizer,
//! or until too many have failed or a policy says so (R-CTL-17, R-CTL-18).
//!
//! Reading order: this file (the order of a sync, which is upstream's), `count` (pods that ended
//! and the status), `pods` (which are made and which go), `policy`, `indexes`, `backoff`. The end
//! of finished Jobs by `ttlSecondsAfterFinished` is `expiry`'s.

mod backoff;
mod count;
mod indexes;
mod orphan;
mod pods;
mod policy;

use std::sync::Arc;
use std::time::Duration;

use super::condition::{self, Condition};
use super::kinds::{JOB, POD, gvr};
use super::plan::{Again, Call, Cx, Note, Plan};
use super::selector::Selector;
use super::{claim, pod};
use crate::api::{PatchKind, Request};
use crate::base::Time;
use crate::object::{Object, Value, json, value};
use backoff::Backoff;
use count::Count;
use indexes::Indexes;
pub(crate) use orphan::{has_tracked, is_let_go, sync as sync_orphan};
use policy::Action;

/// The finalizer that keeps a pod until it is counted.
const TRACKING: &str = "batch.kubernetes.io/job-tracking";

/// How long changes of pods are gathered before the Job is looked at (upstream's figure).
pub(crate) const GATHERING: Duration = Duration::from_secs(1);

/// Decides what to do for one Job.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let Some(job) = cx.caches.get(JOB, cx.key.namespace(), cx.key.name()) else {
        return Plan::nothing().remember(Value::Null);
    };
    let is_other = job.text(&["spec", "managedBy"]).is_some_and(|by| by != CONTROLLER);
    if cx.failure.is_some() || is_other || is_finished(job) {
        return Plan::nothing();
    }
    let claims = claim::claims(cx.caches, POD, job);
    if !claims.is_empty() {
        return Plan::nothing().then(claims);
    }
    Scene::of(cx, job).plan()
}

/// The name that `spec.managedBy` has for this controller.
const CONTROLLER: &str = "kubernetes.io/job-controller";

/// Whether a Job has ended one way or the other.
pub(crate) fn is_finished(job: &Object) -> bool {
    let is_true = |kind| job.condition(kind).is_some_and(|c| c["status"] == "True");
    is_true("Complete") || is_true("Failed")
}

/// A Job, its pods and what is known of them.
struct Scene<'a> {
    now: Time,
    job: &'a Arc<Object>,
    /// All pods, by name; for an indexed Job by index.
    pods: Vec<&'a Arc<Object>>,
    active: Vec<&'a Arc<Object>>,
    /// As it is to be written.
    status: Value,
    conditions: Vec<Condition<'static>>,
    count: Count<'a>,
    backoff: Backoff,
    /// The interim condition that says that the Job is to end, old or new.
    verdict: Option<Condition<'static>>,
    /// What comes with the status.
    note: Option<Note>,
}

/// What is done about pods.
#[derive(Default)]
struct Managed {
    batches: Vec<Vec<Call>>,
    made: usize,
    /// Those to be deleted, and how many of them were ready.
    gone: usize,
    gone_ready: usize,
    /// When to look again.
    again: Option<Time>,
}

impl<'a> Scene<'a> {
    fn of(cx: &'a Cx<'a>, job: &'a Arc<Object>) -> Self {
        let selector = Selector::of(job);
        let mut pods: Vec<_> =
            cx.caches.controlled(POD, job.uid()).filter(|pod| selector.matches(pod)).collect();
        if is_indexed(job) {
            pods.sort_by_key(|pod| indexes::any(pod));
        }
        let mut status = job.at(&["status"]).cloned().unwrap_or_else(|| json!({}));
        let conditions: Vec<Condition<'static>> = status
            .get("conditions")
            .and_then(|c| value::from_value(c.clone()).ok())
            .unwrap_or_default();
        if !status["startTime"].is_string() && !job.flag(&["spec", "suspend"]) {
            status["startTime"] = cx.now.rfc3339().into();
        }
        let count = Count::of(job, &pods);
        let (succeeded, failed) = (count.new_succeeded(&pods), count.new_failed(job, &pods));
        let backoff = Backoff::read(cx.memory).with(&succeeded, &failed);
        let kinds = ["SuccessCriteriaMet", "FailureTarget"];
        let verdict = kinds.iter().find_map(|kind| condition::find(&conditions, kind)).cloned();
        let active = pods.iter().copied().filter(|pod| pod::is_active(pod)).collect();
        let now = cx.now;
        Self { now, job, pods, active, status, conditions, count, backoff, verdict, note: None }
    }

    fn number(&self, field: &str) -> Option<i64> {
        self.job.int(&["spec", field])
    }

    fn plan(mut self) -> Plan {
        let deadline = self.deadline();
        self.judge(deadline);
        let managed = if self.verdict.is_some() {
            self.delete(&self.active)
        } else if self.job.is_deleting() {
            Managed::default()
        } else {
            self.manage()
        };
        let active = (self.active.len() + managed.made).saturating_sub(managed.gone);
        if self.verdict.is_none() {
            if self.is_enough(active) {
                let text = "Reached expected number of succeeded pods";
                self.verdict = Some(self.interim("SuccessCriteriaMet", "CompletionsReached", text));
            } else if !self.job.is_deleting() {
                self.tell_suspension();
            }
        }
        let again = [deadline.filter(|at| *at > self.now), managed.again];
        let again = again.into_iter().flatten().min();
        self.write(managed, active).again(again.map_or(Again::OnChange, Again::At))
    }

    /// Until when it may run; a suspended Job has all the time.
    fn deadline(&self) -> Option<Time> {
        let seconds = u64::try_from(self.number("activeDeadlineSeconds")?).ok()?;
        let start = Time::parse_rfc3339(self.status["startTime"].as_str()?)?;
        let is_running = !self.job.flag(&["spec", "suspend"]) && !self.is_resumed_now();
        is_running.then(|| start + Duration::from_secs(seconds))
    }

    /// Whether it is told just now that the Job goes on, from when on its time is counted anew.
    fn is_resumed_now(&self) -> bool {
        let was = condition::find(&self.conditions, "Suspended");
        was.is_some_and(|c| c.status == "True") && !self.job.flag(&["spec", "suspend"])
    }

    fn interim(&self, kind: &'static str, reason: &str, message: &str) -> Condition<'static> {
        let condition = Condition::new(kind, "True", "", message.to_owned(), self.now).probed();
        Condition { reason: Some(reason.to_owned().into()), ..condition }
    }

    /// Whether the Job is to end before its pods do.
    fn judge(&mut self, deadline: Option<Time>) {
        if self.verdict.is_some() {
            return;
        }
        let (end, succeeded) = (self.count.end, &self.count.succeeded_indexes);
        if let Some((reason, message)) = self.failure(deadline) {
            self.verdict = Some(self.interim("FailureTarget", reason, &message));
        } else if let Some(message) = policy::of_success(self.job, succeeded, end) {
            self.verdict = Some(self.interim("SuccessCriteriaMet", "SuccessPolicy", &message));
        }
    }

    fn failure(&self, deadline: Option<Time>) -> Option<(&'static str, String)> {
        let told = |reason, text: &str| Some((reason, text.to_owned()));
        let failed = self.pods.iter().filter(|pod| count::is_failed(self.job, pod));
        for pod in failed {
            if let Action::FailJob(message) = policy::of_failure(self.job, pod) {
                return Some(("PodFailurePolicy", message));
            }
        }
        let limit = self.number("backoffLimit").unwrap_or(6);
        let failed = self.count.total_failed(self.job, &self.pods);
        if failed > limit || self.restarts().is_some_and(|n| n > 0 && n >= limit) {
            return told("BackoffLimitExceeded", "Job has reached the specified backoff limit");
        }
        if deadline.is_some_and(|at| at <= self.now) {
            return told("DeadlineExceeded", "Job was active longer than specified deadline");
        }
        let indexes = self.count.failed_indexes.as_ref()?;
        let failed = indexes.total();
        if self.number("maxFailedIndexes").is_some_and(|most| failed > most) {
            let text = "Job has exceeded the specified maximal number of failed indexes";
            return told("MaxFailedIndexesExceeded", text);
        }
        let all = failed + self.count.succeeded_indexes.total();
        let is_over = failed > 0 && all >= self.count.end;
        is_over.then(|| ("FailedIndexes", "Job has failed indexes".to_owned()))
    }

    /// How often containers were started again, where pods do that themselves.
    fn restarts(&self) -> Option<i64> {
        let policy = self.job.text(&["spec", "template", "spec", "restartPolicy"]);
        (policy == Some("OnFailure")).then_some(())?;
        let alive = self.pods.iter().filter(|pod| matches!(pod::phase(pod), "Running" | "Pending"));
        let of = |pod: &&Arc<Object>| {
            let lists = ["initContainerStatuses", "containerStatuses"];
            let all = lists.into_iter().flat_map(|list| pod.list(&["status", list]).to_vec());
            all.filter_map(|status| status["restartCount"].as_i64()).sum::<i64>()
        };
        Some(alive.map(of).sum())
    }

    fn is_enough(&self, active: usize) -> bool {
        let succeeded = self.count.total_succeeded(&self.pods);
        let is_enough = match self.number("completions") {
            Some(completions) => succeeded >= completions,
            None => succeeded > 0,
        };
        is_enough && active == 0
    }

    /// The condition Suspended; a Job that goes on starts anew.
    fn tell_suspension(&mut self) {
        let is_suspended = self.job.flag(&["spec", "suspend"]);
        let current = condition::find(&self.conditions, "Suspended");
        let is_told = match current {
            Some(current) => (current.status == "True") == is_suspended,
            None => !is_suspended,
        };
        if is_told {
            return;
        }
        let (status, reason, message, event) = if is_suspended {
            ("True", "JobSuspended", "Job suspended", "Suspended")
        } else {
            ("False", "JobResumed", "Job resumed", "Resumed")
        };
        let next = Condition::new("Suspended", status, reason, message, self.now).probed();
        match self.conditions.iter_mut().find(|c| c.kind == "Suspended") {
            Some(current) => *current = next,
            None => self.conditions.push(next),
        }
        if !is_suspended {
            self.status["startTime"] = self.now.rfc3339().into();
        }
        let about = Arc::clone(self.job);
        self.note = Some(Note { about, warning: false, reason: event, message: message.into() });
    }
}

fn is_indexed(job: &Object) -> bool {
    job.text(&["spec", "completionMode"]) == Some("Indexed")
}

/// Whether only pods that have ended are followed by others.
fn replaces_only_failed(job: &Object) -> bool {
    job.text(&["spec", "podReplacementPolicy"]) == Some("Failed")
        || job.at(&["spec", "podFailurePolicy"]).is_some_and(Value::is_object)
}

fn is_tracked(pod: &Object) -> bool {
    pod.finalizers().any(|finalizer| finalizer == TRACKING)
}

fn untrack(pod: &Object) -> Call {
    // Whatever its revision: the pod may have been deleted a moment before.
    let metadata = json!({"uid": pod.uid(), "$deleteFromPrimitiveList/finalizers": [TRACKING]});
    let body = json!({ "metadata": metadata });
    Call::new(Request::patch(gvr(POD), pod.namespace(), pod.name(), PatchKind::Strategic, body))
}

#[cfg(test)]
mod tests;
