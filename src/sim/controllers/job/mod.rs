//! The Job controller, in its basics: pods until enough have succeeded, counted once each by way
//! of a finalizer, or until too many have failed (R-CTL-17, R-CTL-18).
//!
//! Not here: indexed completion, success and failure policies, suspension, and the end of finished
//! Jobs by `ttlSecondsAfterFinished`.

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

/// The finalizer that keeps a pod until it is counted.
const TRACKING: &str = "batch.kubernetes.io/job-tracking";

/// How long changes of pods are gathered before the Job is looked at (upstream's figure).
pub(crate) const GATHERING: Duration = Duration::from_secs(1);

/// First and longest pause after pods that failed.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(600));

/// Decides what to do for one Job.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let Some(job) = cx.caches.get(JOB, &cx.key.namespace, &cx.key.name) else {
        return Plan::nothing();
    };
    if cx.failure.is_some() {
        return Plan::nothing();
    }
    let claims = claim::claims(cx.caches, POD, job);
    if !claims.is_empty() {
        return Plan::nothing().then(claims);
    }
    let selector = Selector::of(job);
    let pods: Vec<_> =
        cx.caches.controlled(POD, job.uid()).filter(|pod| selector.matches(pod)).collect();
    let mut status = job.at(&["status"]).cloned().unwrap_or_else(|| json!({}));
    let conditions: Vec<Condition<'static>> = status
        .get("conditions")
        .and_then(|c| value::from_value(c.clone()).ok())
        .unwrap_or_default();
    let is_finished = ["Complete", "Failed"]
        .iter()
        .any(|kind| condition::find(&conditions, kind).is_some_and(|c| c.status == "True"));
    if is_finished || job.flag(&["spec", "suspend"]) {
        let left = pods.iter().filter(|pod| pod.finalizers().any(|f| f == TRACKING));
        return Plan::nothing().then(left.map(|pod| untrack(pod)).collect());
    }
    if !status["startTime"].is_string() {
        status["startTime"] = cx.now.rfc3339().into();
    }
    Scene::of(cx, job, pods, status, conditions).plan()
}

struct Scene<'a> {
    cx: &'a Cx<'a>,
    job: &'a Arc<Object>,
    pods: Vec<&'a Arc<Object>>,
    status: Value,
    conditions: Vec<Condition<'static>>,
    /// Counted, and counted as soon as their finalizers are gone.
    succeeded: Tally,
    failed: Tally,
}

/// Pods that ended one way.
#[derive(Debug)]
struct Tally {
    /// In the count of the status.
    counted: i64,
    /// Uids that are to be counted, once their pods bear no finalizer.
    uncounted: Vec<String>,
}

impl Tally {
    fn of(status: &Value, way: &str, pods: &[&Arc<Object>], phase: &str) -> Self {
        let known = status["uncountedTerminatedPods"][way].as_array();
        let known = known.into_iter().flatten().filter_map(Value::as_str);
        let is_tracked = |uid: &str| {
            let mut pods = pods.iter().filter(|pod| pod.uid() == uid);
            pods.any(|pod| pod.finalizers().any(|f| f == TRACKING))
        };
        let (mut uncounted, gone): (Vec<_>, Vec<_>) =
            known.map(ToOwned::to_owned).partition(|uid| is_tracked(uid));
        let ended = pods.iter().filter(|pod| pod::phase(pod) == phase);
        let new = ended.filter(|pod| is_tracked(pod.uid())).map(|pod| pod.uid().to_owned());
        for uid in new {
            if !uncounted.contains(&uid) && !gone.contains(&uid) {
                uncounted.push(uid);
            }
        }
        let before = status[way].as_i64().unwrap_or(0);
        Self { counted: before + i64::try_from(gone.len()).unwrap_or(0), uncounted }
    }

    fn total(&self) -> i64 {
        self.counted + i64::try_from(self.uncounted.len()).unwrap_or(i64::MAX)
    }
}

impl<'a> Scene<'a> {
    fn of(
        cx: &'a Cx<'a>,
        job: &'a Arc<Object>,
        pods: Vec<&'a Arc<Object>>,
        status: Value,
        conditions: Vec<Condition<'static>>,
    ) -> Self {
        let succeeded = Tally::of(&status, "succeeded", &pods, "Succeeded");
        let failed = Tally::of(&status, "failed", &pods, "Failed");
        Self { cx, job, pods, status, conditions, succeeded, failed }
    }

    fn number(&self, field: &str) -> Option<i64> {
        self.job.int(&["spec", field])
    }

    fn plan(mut self) -> Plan {
        let active: Vec<_> = self.pods.iter().copied().filter(|pod| pod::is_active(pod)).collect();
        let deadline = self.deadline();
        let mut plan = Plan::nothing();
        let mut count = active.len();
        let mut pause = None;
        if self.target().is_none()
            && let Some((reason, message)) = self.verdict_of_failure(deadline)
        {
            self.push_condition("FailureTarget", reason, message);
        }
        let mut deleted = 0;
        if self.target().is_some() {
            plan = plan.then(active.iter().map(|gone| pod::delete(self.job, gone)).collect());
            (count, deleted) = (0, active.len());
            self.fail_what_runs();
        } else if self.is_enough(active.len()) {
            let text = "Reached expected number of succeeded pods";
            self.push_condition("SuccessCriteriaMet", "CompletionsReached", text);
        } else if !self.job.is_deleting() {
            let (calls, change, wait) = self.manage(&active);
            count = count.saturating_add_signed(change);
            pause = wait;
            plan = plan.then(calls);
        }
        let note = self.finish(count);
        let value = self.written(count, deleted, &active);
        if Some(&value) != self.job.at(&["status"]) {
            let object = pod::with_status(self.job, value);
            let put = Request::update(gvr(JOB), self.job.namespace(), self.job.name(), object);
            let call = Call { done: note, ..Call::new(put.subresource("status")) };
            plan = plan.then(vec![call]);
        }
        let again = [deadline.filter(|at| *at > self.cx.now), pause].into_iter().flatten().min();
        plan.then(self.untracking()).again(again.map_or(Again::OnChange, Again::At))
    }

    /// The finalizers of pods that the status now names.
    fn untracking(&self) -> Vec<Call> {
        let is_named = |uid: &str| {
            [&self.succeeded, &self.failed].iter().any(|t| t.uncounted.iter().any(|u| u == uid))
        };
        self.pods.iter().filter(|pod| is_named(pod.uid())).map(|pod| untrack(pod)).collect()
    }

    fn target(&self) -> Option<&Condition<'static>> {
        let kinds = ["SuccessCriteriaMet", "FailureTarget"];
        kinds.iter().find_map(|kind| condition::find(&self.conditions, kind))
    }

    fn push_condition(&mut self, kind: &'static str, reason: &str, message: &str) {
        let message = message.to_owned();
        let condition = Condition::new(kind, "True", "", message, self.cx.now).probed();
        let reason = Some(reason.to_owned().into());
        self.conditions.push(Condition { reason, ..condition });
    }

    fn deadline(&self) -> Option<Time> {
        let seconds = u64::try_from(self.number("activeDeadlineSeconds")?).ok()?;
        let start = Time::parse_rfc3339(self.status["startTime"].as_str()?)?;
        Some(start + Duration::from_secs(seconds))
    }

    fn verdict_of_failure(&self, deadline: Option<Time>) -> Option<(&'static str, &'static str)> {
        let text = "Job has reached the specified backoff limit";
        if self.failed.total() > self.number("backoffLimit").unwrap_or(6) {
            return Some(("BackoffLimitExceeded", text));
        }
        let text = "Job was active longer than specified deadline";
        deadline.is_some_and(|at| at <= self.cx.now).then_some(("DeadlineExceeded", text))
    }

    fn is_enough(&self, active: usize) -> bool {
        let enough = match self.number("completions") {
            Some(completions) => self.succeeded.total() >= completions,
            None => self.succeeded.total() > 0,
        };
        enough && active == 0
    }

    /// Creates or deletes pods; how many more are active then; when to look again.
    fn manage(&self, active: &[&'a Arc<Object>]) -> (Vec<Call>, isize, Option<Time>) {
        let parallel = self.number("parallelism").unwrap_or(1);
        let has = i64::try_from(active.len()).unwrap_or(i64::MAX);
        let wanted = match self.number("completions") {
            Some(completions) => parallel.min(completions - self.succeeded.total()).max(0),
            None if self.succeeded.total() > 0 => has.min(parallel),
            None => parallel,
        };
        if wanted < has {
            let surplus = usize::try_from(has - wanted).unwrap_or(0);
            let calls: Vec<_> =
                active.iter().take(surplus).map(|gone| pod::delete(self.job, gone)).collect();
            let change = -isize::try_from(calls.len()).unwrap_or(0);
            return (calls, change, None);
        }
        if let Some(at) = self.backoff().filter(|at| wanted > has && *at > self.cx.now) {
            return (Vec::new(), 0, Some(at));
        }
        let mut pod = pod::from_template(self.job);
        let mut finalizers: Vec<Value> = pod.list(&["metadata", "finalizers"]).to_vec();
        finalizers.push(TRACKING.into());
        pod.set(&["metadata", "finalizers"], finalizers.into());
        let calls: Vec<_> = (has..wanted).map(|_| pod::create(self.job, pod.clone())).collect();
        let change = isize::try_from(calls.len()).unwrap_or(0);
        (calls, change, None)
    }

    /// Until when failed pods hold new ones up: doubled with each failure since the last success.
    fn backoff(&self) -> Option<Time> {
        let last = |phase: &str| {
            let ended = self.pods.iter().filter(|pod| pod::phase(pod) == phase);
            ended.map(|pod| ended_at(pod)).max()
        };
        let (failed, succeeded) = (last("Failed")?, last("Succeeded").unwrap_or_default());
        let since = |pod: &&&Arc<Object>| pod::phase(pod) == "Failed" && ended_at(pod) > succeeded;
        let count = u32::try_from(self.pods.iter().filter(since).count()).unwrap_or(u32::MAX);
        let pause = BACKOFF.0.saturating_mul(1 << count.saturating_sub(1).min(16));
        (count > 0).then(|| failed + pause.min(BACKOFF.1))
    }

    /// Sets the terminal condition when everything is counted and over.
    fn finish(&mut self, active: usize) -> Option<Note> {
        let target = self.target()?.clone();
        let is_settled = self.succeeded.uncounted.is_empty() && self.failed.uncounted.is_empty();
        if active > 0 || !is_settled || self.pods.iter().any(|pod| !pod::is_finished(pod)) {
            return None;
        }
        let is_success = target.kind == "SuccessCriteriaMet";
        let message = target.message.clone().unwrap_or_default();
        self.push_condition(
            if is_success { "Complete" } else { "Failed" },
            target.reason(),
            &message,
        );
        if is_success {
            self.status["completionTime"] = self.cx.now.rfc3339().into();
        }
        let reasons = ["BackoffLimitExceeded", "DeadlineExceeded"];
        let failed = reasons.iter().find(|reason| **reason == target.reason());
        Some(Note {
            about: Arc::clone(self.job),
            warning: !is_success,
            reason: if is_success { "Completed" } else { failed.copied().unwrap_or("Failed") },
            message: if is_success { "Job completed".to_owned() } else { message.into() },
        })
    }

    /// Once a Job has failed, every pod that has not ended counts as failed.
    fn fail_what_runs(&mut self) {
        if condition::find(&self.conditions, "FailureTarget").is_none() {
            return;
        }
        let running = self.pods.iter().filter(|pod| !pod::is_finished(pod));
        let tracked = running.filter(|pod| pod.finalizers().any(|f| f == TRACKING));
        let new: Vec<_> = tracked
            .map(|pod| pod.uid().to_owned())
            .filter(|uid| !self.failed.uncounted.contains(uid))
            .collect();
        self.failed.uncounted.extend(new);
    }

    /// The status as it is to be, with so many pods `active` and so many just `deleted`.
    fn written(&self, active: usize, deleted: usize, alive: &[&Arc<Object>]) -> Value {
        let mut status = self.status.clone();
        let ready = alive.iter().filter(|pod| active > 0 && pod::is_ready(pod)).count();
        let terminating = self.pods.iter().filter(|pod| pod::is_terminating(pod)).count();
        status["ready"] = ready.into();
        status["terminating"] = (terminating + deleted).into();
        let mut uncounted = json!({});
        for (way, tally) in [("succeeded", &self.succeeded), ("failed", &self.failed)] {
            if tally.counted > 0 {
                status[way] = tally.counted.into();
            }
            if !tally.uncounted.is_empty() {
                uncounted[way] = json!(tally.uncounted);
            }
        }
        status["uncountedTerminatedPods"] = uncounted;
        if !self.conditions.is_empty() {
            status["conditions"] = json!(self.conditions);
        }
        if let Value::Object(map) = &mut status {
            if active > 0 {
                map.insert("active".to_owned(), active.into());
            } else {
                map.remove("active");
            }
        }
        status
    }
}

/// When the last container of a pod ended.
fn ended_at(pod: &Object) -> Time {
    let statuses = pod.list(&["status", "containerStatuses"]).iter();
    let ends = statuses.filter_map(|s| s["state"]["terminated"]["finishedAt"].as_str());
    ends.filter_map(Time::parse_rfc3339).max().unwrap_or_default()
}

fn untrack(pod: &Object) -> Call {
    let left: Vec<&str> = pod.finalizers().filter(|f| *f != TRACKING).collect();
    let metadata = json!({"finalizers": left, "resourceVersion": pod.resource_version()});
    let body = json!({ "metadata": metadata });
    Call::new(Request::patch(gvr(POD), pod.namespace(), pod.name(), PatchKind::Merge, body))
}

#[cfg(test)]
mod tests;
