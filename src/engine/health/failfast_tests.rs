//! Verdicts on pods.

use super::*;
use crate::object::json;

const NOW: Time = Time::VIRTUAL_START;

fn object(value: Value) -> Object {
    Object::from_value(value).unwrap()
}

fn waits(reason: &str, restarts: u64) -> Value {
    json!({"name": "c", "restartCount": restarts, "state": {"waiting": {"reason": reason}}})
}

/// The verdict in a word, of a pod with one container, known to be in trouble for `ago` ms.
fn check(container: Value, ago: Option<u64>, want: &str) {
    let pod = object(json!({"status": {"containerStatuses": [container]}}));
    let since = ago.map(|ago| NOW - Duration::from_millis(ago));
    let got = match pod_failure(&pod, since, NOW) {
        PodVerdict::Fine => "fine".to_owned(),
        PodVerdict::Failing { reason, fails_at, .. } => {
            format!("failing in {} ms: {reason}", fails_at.since(NOW).as_millis())
        }
        PodVerdict::Failed { reason, message } => format!("failed: {reason}, {message}"),
    };
    assert_eq!(got, want, "{container}");
}

#[test]
fn an_image_that_cannot_be_had_fails_the_rollout_after_its_grace() {
    check(waits("ContainerCreating", 0), None, "fine");
    check(waits("ErrImagePull", 0), None, "failing in 5000 ms: ErrImagePull");
    check(waits("ImagePullBackOff", 0), Some(1000), "failing in 4000 ms: ImagePullBackOff");
    let want = "failed: ImagePullBackOff, container c: ImagePullBackOff";
    check(waits("ImagePullBackOff", 0), Some(5000), want);
    check(waits("ErrImageNeverPull", 0), Some(4999), "failing in 1 ms: ErrImageNeverPull");
    let want = "failed: InvalidImageName, container c: InvalidImageName";
    check(waits("InvalidImageName", 0), None, want);
}

#[test]
fn a_missing_secret_fails_the_rollout_after_the_kubelet_looked_again() {
    check(waits(UNCONFIGURED, 0), None, "failing in 20000 ms: CreateContainerConfigError");
    let want = "failing in 4000 ms: CreateContainerConfigError";
    check(waits(UNCONFIGURED, 0), Some(16_000), want);
    let want = "failed: CreateContainerConfigError, container c: CreateContainerConfigError";
    check(waits(UNCONFIGURED, 0), Some(20_000), want);
}

#[test]
fn the_second_crash_fails_the_rollout() {
    let ended = |code: i64, restarts: u64| {
        json!({"name": "c", "restartCount": restarts,
        "state": {"terminated": {"exitCode": code}}})
    };
    let runs = |restarts: u64| {
        json!({"name": "c", "restartCount": restarts,
        "state": {"running": {}}, "lastState": {"terminated": {"exitCode": 3}}})
    };
    check(ended(1, 0), None, "fine");
    check(ended(0, 1), None, "fine");
    check(runs(1), None, "fine");
    check(
        ended(1, 1),
        None,
        "failed: CrashLoop, container c crashed 2 times, last with exit code 1",
    );
    check(waits("CrashLoopBackOff", 1), None, "failed: CrashLoop, container c crashed 2 times");
    check(runs(2), None, "failed: CrashLoop, container c crashed 2 times, last with exit code 3");
}

#[test]
fn a_pod_that_is_being_deleted_says_nothing() {
    let pod = object(json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"containerStatuses": [waits("InvalidImageName", 0)]}}));
    assert_eq!(pod_failure(&pod, None, NOW), PodVerdict::Fine);
}
