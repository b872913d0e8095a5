//! CronJobs and their Jobs in, calls out.

use super::*;
use crate::sim::controllers::trial;

const T0: Time = Time::VIRTUAL_START;

fn at(minutes: u64) -> Time {
    T0 + Duration::from_secs(minutes * 60)
}

fn cron(spec: Value, status: Value) -> Value {
    let mut spec = spec;
    spec["schedule"] = "*/10 * * * *".into();
    spec["jobTemplate"] = json!({"spec": {"template": {"spec": {}}}});
    json!({"apiVersion": "batch/v1", "kind": "CronJob", "spec": spec, "status": status,
        "metadata": {"name": "w", "namespace": "n", "uid": "c",
            "creationTimestamp": T0.rfc3339()}})
}

fn job(name: &str, condition: &str) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": "n",
        "uid": name, "ownerReferences": [{"apiVersion": "batch/v1", "kind": "CronJob",
            "name": "w", "uid": "c", "controller": true}]},
        "status": {"conditions": [{"type": condition, "status": "True"}]}})
}

fn active(name: &str) -> Value {
    json!({"active": [{"name": name, "uid": name}]})
}

/// The calls and the reasons of the Events, with the name of a Job cut to its beginning.
fn check(objects: &[Value], now: Time, expected: &str) {
    let plan = trial::plan(sync, objects, now, &[]);
    let told: Vec<_> = plan.notes.iter().map(|note| note.reason).collect();
    let text = [trial::text(&plan), told.join(" ")].join(" ");
    let number = format!("w-{}", now.as_micros() / 600_000_000 * 10);
    assert_eq!(text.trim().replace(&number, "w-N"), expected, "{objects:?}");
}

#[test]
fn a_job_starts_when_the_time_has_come_and_once() {
    check(&[cron(json!({}), json!({}))], at(9), "");
    check(&[cron(json!({}), json!({}))], at(10), "create jobs w-N");
    check(&[cron(json!({}), json!({}))], at(35), "create jobs w-N");
    let done = json!({"lastScheduleTime": at(10).rfc3339()});
    check(&[cron(json!({}), done)], at(11), "");
    check(&[cron(json!({"suspend": true}), json!({}))], at(10), "");
}

#[test]
fn what_is_still_running_is_waited_for_replaced_or_joined() {
    let running = |policy: &str| {
        [cron(json!({"concurrencyPolicy": policy}), active("old")), job("old", "Suspended")]
    };
    check(&running("Allow"), at(10), "create jobs w-N");
    check(&running("Forbid"), at(10), "JobAlreadyActive");
    check(&running("Replace"), at(10), "delete jobs old; create jobs w-N");
}

#[test]
fn what_ended_leaves_the_list_and_old_ones_go() {
    let ended = [cron(json!({}), active("old")), job("old", "Complete")];
    check(&ended, at(1), "update cronjobs w/status SawCompletedJob");
    let missing = [cron(json!({}), active("old"))];
    check(&missing, at(1), "update cronjobs w/status MissingJob");
    let many = [cron(json!({"failedJobsHistoryLimit": 0}), json!({})), job("bad", "Failed")];
    check(&many, at(1), "delete jobs bad");
}

#[test]
fn too_late_and_too_often_missed_are_told() {
    let strict = json!({"startingDeadlineSeconds": 30});
    check(&[cron(strict, json!({}))], at(11), "");
    let far = T0 + Duration::from_secs(3_600 * 24);
    check(&[cron(json!({}), json!({}))], far, "create jobs w-N TooManyMissedTimes");
}
