//! The CronJob controller: Jobs at the times of a schedule, one of them, many or the newest at a
//! time, and the finished ones kept up to a limit (R-CTL-19).
//!
//! A schedule that came round several times unnoticed starts one Job, for the last of the times.

mod schedule;

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::kinds::{CRON_JOB, JOB, gvr};
use super::plan::{Again, Call, Cx, Note, Plan};
use super::pod;
use crate::api::{Propagation, Request, Verb};
use crate::base::{Time, limits};
use crate::object::{Object, Value, json};
use schedule::Schedule;

const SCHEDULED_AT: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// How long after the time itself a schedule is looked at, so that it has come in any case
/// (upstream's figure).
const LATER: Duration = Duration::from_millis(100);

/// Decides what to do for one CronJob.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let cron = cx.caches.get(CRON_JOB, cx.key.namespace(), cx.key.name());
    let Some(cron) = cron.filter(|_| cx.failure.is_none()) else { return Plan::nothing() };
    let jobs: Vec<_> = cx.caches.controlled(JOB, cron.uid()).collect();
    let mut scene = Scene {
        now: cx.now,
        cron,
        status: cron.at(&["status"]).cloned().unwrap_or_else(|| json!({})),
        jobs,
        notes: Vec::new(),
    };
    scene.drop_deleted(cx);
    // What is too much goes first, and is no news any more when the rest is counted.
    let surplus = scene.beyond_limits();
    if cx.asked.is_empty() && !surplus.is_empty() {
        return Plan::nothing().then(surplus).again(Again::WithAnswers);
    }
    scene.count();
    scene.take_started(cx);
    let (batches, again) = scene.start();
    scene.finish(batches, again)
}

/// Whether a Job has ended, and the condition that says so.
fn ending(job: &Object) -> Option<&'static str> {
    let is_true = |kind: &&str| job.condition(kind).is_some_and(|c| c["status"] == "True");
    ["Complete", "Failed"].into_iter().find(|kind| is_true(kind))
}

struct Scene<'a> {
    now: Time,
    cron: &'a Arc<Object>,
    status: Value,
    jobs: Vec<&'a Arc<Object>>,
    notes: Vec<Note>,
}

impl Scene<'_> {
    fn tell(&mut self, warning: bool, reason: &'static str, message: String) {
        self.notes.push(Note { about: Arc::clone(self.cron), warning, reason, message });
    }

    fn active(&self) -> Vec<Value> {
        self.status["active"].as_array().cloned().unwrap_or_default()
    }

    fn set_active(&mut self, active: Vec<Value>) {
        if active.is_empty() {
            if let Value::Object(status) = &mut self.status {
                status.remove("active");
            }
        } else {
            self.status["active"] = active.into();
        }
    }

    /// Forgets the Jobs that the last plan deleted, whose end may not have been heard of yet.
    fn drop_deleted(&mut self, cx: &Cx) {
        let gone = cx.asked.iter().filter(|asked| asked.request.verb == Verb::Delete);
        let gone: Vec<_> = gone.filter_map(|asked| asked.request.name.as_deref()).collect();
        self.jobs.retain(|job| !gone.contains(&job.name()));
        let mut active = self.active();
        active.retain(|entry| !entry["name"].as_str().is_some_and(|name| gone.contains(&name)));
        let is_started = cx.asked.iter().any(|asked| asked.request.verb == Verb::Create);
        if is_started && self.cron.text(&["spec", "concurrencyPolicy"]) == Some("Replace") {
            // The one that was started took the place of all that ran.
            self.jobs.retain(|job| active.iter().all(|entry| entry["uid"] != *job.uid()));
            active.clear();
        }
        self.set_active(active);
    }

    /// Takes out of the list what has ended or gone, and notes the last success.
    fn count(&mut self) {
        let mut active = self.active();
        for job in self.jobs.clone() {
            let at = active.iter().position(|entry| entry["uid"] == *job.uid());
            match (at, ending(job)) {
                (None, None) => {
                    let name = job.name();
                    let text =
                        format!("Saw a job that the controller did not create or forgot: {name}");
                    self.tell(true, "UnexpectedJob", text);
                }
                (Some(at), Some(condition)) => {
                    active.remove(at);
                    let text = format!("Saw completed job: {}, condition: {condition}", job.name());
                    self.tell(false, "SawCompletedJob", text);
                }
                _ => {}
            }
            if ending(job) == Some("Complete") {
                let ended = job.text(&["status", "completionTime"]).unwrap_or_default();
                let before = self.status["lastSuccessfulTime"].as_str().unwrap_or_default();
                if ended > before {
                    self.status["lastSuccessfulTime"] = ended.into();
                }
            }
        }
        let is_there = |entry: &Value| self.jobs.iter().any(|job| entry["uid"] == *job.uid());
        let (there, gone): (Vec<_>, Vec<_>) = active.into_iter().partition(|e| is_there(e));
        for entry in gone {
            let name = entry["name"].as_str().unwrap_or_default();
            self.tell(false, "MissingJob", format!("Active job went missing: {name}"));
        }
        self.set_active(there);
    }

    /// Notes the Job that the last plan created.
    fn take_started(&mut self, cx: &Cx) {
        let created = cx.asked.iter().filter(|asked| asked.request.verb == Verb::Create);
        for job in created.filter_map(|asked| asked.response.as_object()) {
            let mut active = self.active();
            active.retain(|entry| entry["uid"] != *job.uid());
            active.push(json!({"kind": "Job", "apiVersion": "batch/v1", "name": job.name(),
                "namespace": job.namespace(), "uid": job.uid(),
                "resourceVersion": job.resource_version()}));
            self.set_active(active);
            self.notes.retain(|note| note.reason != "UnexpectedJob");
            if let Some(at) = job.annotation(SCHEDULED_AT).and_then(Time::parse_rfc3339) {
                self.status["lastScheduleTime"] = at.rfc3339().into();
            }
        }
    }

    /// The calls that start a Job, if it is time; when to look again.
    fn start(&mut self) -> (Vec<Vec<Call>>, Again) {
        let text = self.cron.text(&["spec", "schedule"]).unwrap_or_default();
        if self.cron.is_deleting() || self.cron.flag(&["spec", "suspend"]) {
            return (Vec::new(), Again::OnChange);
        }
        let name = self.cron.text(&["spec", "timeZone"]).unwrap_or("UTC");
        let Ok(zone) = TimeZone::get(name) else {
            let text = format!("invalid timeZone: {name:?}: unknown time zone {name}");
            self.tell(true, "UnknownTimeZone", text);
            return (Vec::new(), Again::OnChange);
        };
        let schedule = match Schedule::parse(text) {
            Ok(schedule) => schedule,
            Err(why) => {
                let text = format!("unparseable schedule: {text:?} : {why}");
                self.tell(true, "UnparseableSchedule", text);
                return (Vec::new(), Again::OnChange);
            }
        };
        let next = schedule.next(self.now, &zone);
        let again = next.map_or(Again::OnChange, |at| Again::At(at + LATER));
        match self.due(&schedule, &zone) {
            Some(at) => self.start_for(at, again),
            None => (Vec::new(), again),
        }
    }

    /// The last time that the schedule came round and for which no Job was started.
    fn due(&mut self, schedule: &Schedule, zone: &TimeZone) -> Option<Time> {
        let made = self.cron.text(&["metadata", "creationTimestamp"]);
        let last = self.status["lastScheduleTime"].as_str().or(made);
        let mut since = last.and_then(Time::parse_rfc3339).unwrap_or_default();
        if let Some(deadline) = self.deadline() {
            let earliest = self
                .now
                .as_micros()
                .saturating_sub(u64::try_from(deadline.as_micros()).unwrap_or(u64::MAX));
            since = since.max(Time::from_micros(earliest));
        }
        let (mut due, mut missed) = (None, 0_usize);
        while let Some(at) = schedule.next(since, zone).filter(|at| *at <= self.now) {
            (due, since) = (Some(at), at);
            missed += 1;
            if missed > limits::CRON_TIMES_TRIED {
                break;
            }
        }
        if missed > limits::CRON_TIMES_MISSED {
            let text = "too many missed start times. Set or decrease \
                .spec.startingDeadlineSeconds or check clock skew";
            self.tell(true, "TooManyMissedTimes", text.to_owned());
        }
        due
    }

    fn deadline(&self) -> Option<Duration> {
        let seconds = self.cron.int(&["spec", "startingDeadlineSeconds"])?;
        Some(Duration::from_secs(u64::try_from(seconds).ok()?))
    }

    fn start_for(&mut self, at: Time, again: Again) -> (Vec<Vec<Call>>, Again) {
        let name = format!("{}-{}", self.cron.name(), at.as_micros() / 60_000_000);
        let active = self.active();
        let is_late = self.deadline().is_some_and(|deadline| at + deadline < self.now);
        let is_known = active.iter().any(|entry| entry["name"] == *name)
            || self.jobs.iter().any(|job| job.name() == name)
            || self.status["lastScheduleTime"] == *at.rfc3339();
        if is_late {
            let text = format!("Missed scheduled time to start a job: {}", at.rfc3339());
            self.tell(true, "MissSchedule", text);
        }
        if is_late || is_known {
            return (Vec::new(), again);
        }
        let policy = self.cron.text(&["spec", "concurrencyPolicy"]).unwrap_or("Allow");
        if policy == "Forbid" && !active.is_empty() {
            let text = "Not starting job because prior execution is running and concurrency \
                policy is Forbid";
            self.tell(false, "JobAlreadyActive", text.to_owned());
            return (Vec::new(), again);
        }
        let mut batches = Vec::new();
        if policy == "Replace" {
            let is_active =
                |job: &&&Arc<Object>| active.iter().any(|entry| entry["uid"] == *job.uid());
            let gone: Vec<_> = self.jobs.iter().filter(is_active).copied().collect();
            batches.push(gone.iter().map(|job| self.delete(job)).collect());
        }
        batches.push(vec![self.create(&name, at)]);
        (batches, Again::WithAnswers)
    }

    fn note(&self, warning: bool, reason: &'static str, message: &str) -> Option<Note> {
        Some(Note { about: Arc::clone(self.cron), warning, reason, message: message.to_owned() })
    }

    fn delete(&self, job: &Object) -> Call {
        let mut request = Request::delete(gvr(JOB), job.namespace(), job.name());
        request.options.delete.propagation = Some(Propagation::Background);
        let done = self.note(false, "SuccessfulDelete", &format!("Deleted job {}", job.name()));
        Call { done, ..Call::new(request) }
    }

    fn create(&self, name: &str, at: Time) -> Call {
        let template = |path: &[&str]| {
            let path: Vec<&str> = ["spec", "jobTemplate"].iter().chain(path).copied().collect();
            self.cron.at(&path).cloned()
        };
        let metadata = |field| template(&["metadata", field]).unwrap_or_else(|| json!({}));
        let mut annotations = metadata("annotations");
        annotations[SCHEDULED_AT] = at.rfc3339().into();
        let job = json!({"apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": name, "namespace": self.cron.namespace(),
                "labels": metadata("labels"), "annotations": annotations,
                "ownerReferences": [pod::controller_reference(self.cron)]},
            "spec": template(&["spec"])});
        let object = Object::from_value(job).unwrap_or_default();
        Call {
            request: Request::create(gvr(JOB), self.cron.namespace(), object),
            done: self.note(false, "SuccessfulCreate", "Created job {}"),
            failed: self.note(true, "FailedCreate", "Error creating job: {}"),
            forgives_ending_namespace: false,
        }
    }

    /// Finished Jobs beyond the limits, oldest first.
    fn beyond_limits(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        let kinds = [
            ("Complete", "successfulJobsHistoryLimit", 3),
            ("Failed", "failedJobsHistoryLimit", 1),
        ];
        for (kind, field, usual) in kinds {
            let limit = self.cron.int(&["spec", field]).unwrap_or(usual);
            let limit = usize::try_from(limit).unwrap_or(0);
            let mut ended: Vec<_> = self
                .jobs
                .iter()
                .filter(|job| ending(job) == Some(kind) && !job.is_deleting())
                .collect();
            ended.sort_by_key(|job| (job.text(&["status", "startTime"]), job.name()));
            let surplus = ended.len().saturating_sub(limit);
            calls.extend(ended.iter().take(surplus).map(|job| self.delete(job)));
        }
        calls
    }

    fn finish(self, batches: Vec<Vec<Call>>, again: Again) -> Plan {
        let mut plan = Plan { again, ..Plan::nothing() };
        let before = self.cron.at(&["status"]).cloned().unwrap_or_else(|| json!({}));
        if self.status != before {
            let object = pod::with_status(self.cron, self.status.clone());
            let (namespace, name) = (self.cron.namespace(), self.cron.name());
            let put = Request::update(gvr(CRON_JOB), namespace, name, object);
            plan = plan.then(vec![Call::new(put.subresource("status"))]);
        }
        plan.notes = self.notes;
        // What is to be started is last, so that its answer is what the next look gets.
        batches.into_iter().fold(plan, Plan::then)
    }
}

#[cfg(test)]
mod tests;
