//! Ends that take their time, or come before their time: hooks and deadlines.

use super::*;

/// R-CTL-37: a hook takes its time from the grace, and the signal comes after it.
#[test]
fn a_pre_stop_hook_runs_before_the_signal_and_within_the_grace() {
    let check = |hook: Value, grace: i64, stop: Stop, want: &str| {
        let spec = probed(json!({"lifecycle": {"preStop": hook}}));
        let script = Behaviour { stop: Some(stop), ..Behaviour::default() };
        let mut trial = Trial::new(spec, &[("a", script)]);
        trial.run(1_000);
        trial.delete(grace);
        trial.run(100_000);
        assert_eq!(trial.lines.last().unwrap(), want, "{hook} within {grace} s, {stop:?}");
        let killing = trial.events.iter().filter(|event| event.starts_with("Killing"));
        assert_eq!(killing.count(), 1, "{hook}");
    };
    let nap = |seconds: u64| json!({"sleep": {"seconds": seconds}});
    let quick = Stop::Takes(ms(400));
    check(nap(5), 30, quick, "6400 Failed unready 0: c=Error");
    check(nap(5), 6, Stop::Ignored, "8000 Failed unready 0: c=Error");
    // A hook that does not end leaves two seconds.
    check(nap(60), 10, quick, "11400 Failed unready 0: c=Error");
    check(nap(60), 10, Stop::Ignored, "13000 Failed unready 0: c=Error");
    check(nap(60), 0, quick, "1000 Failed unready 0: c=Error");
    let exec = json!({"exec": {"command": ["sh", "-c", "nginx -s quit; sleep 3"]}});
    check(exec, 30, quick, "4400 Failed unready 0: c=Error");
    let http = json!({"httpGet": {"path": "/quit", "port": 80}});
    check(http, 30, quick, "1400 Failed unready 0: c=Error");
}

/// R-CTL-35, R-CTL-37.
#[test]
fn a_hook_runs_before_a_restart_too() {
    let spec = probed(json!({"livenessProbe": {"periodSeconds": 5, "failureThreshold": 1},
        "lifecycle": {"preStop": {"sleep": {"seconds": 2}}}}));
    let script = Behaviour {
        live: Some(Live::Until(ms(7_000))),
        stop: Some(Stop::Takes(ms(400))),
        ..Behaviour::default()
    };
    let want = ["0 Running ready 0: c=running", "12400 Running ready 1: c=running"];
    check(spec, &[("a", script)], 15_000, &want);
}

/// R-CTL-32: the deadline counts from when the node saw the pod, whatever its restart policy.
#[test]
fn a_pod_that_is_active_for_too_long_fails() {
    let mut spec = one("a:1");
    spec["activeDeadlineSeconds"] = 5.into();
    let script = Behaviour { stop: Some(Stop::Takes(ms(400))), ..Behaviour::default() };
    let want = ["0 Running ready 0: c=running", "5400 Failed unready 0: c=Error"];
    let trial = check(spec.clone(), &[("a", script)], 60_000, &want);
    let event = "DeadlineExceeded: Pod was active on the node longer than specified deadline";
    assert!(trial.events.contains(&event.to_owned()));
    let status = |key: &str| trial.pod.text(&["status", key]);
    assert_eq!(status("reason"), Some("DeadlineExceeded"));
    let message = "Pod was active on the node longer than the specified deadline";
    assert_eq!(status("message"), Some(message));
    assert_eq!(trial.life.next(trial.now), None);
    // One that still waits for its image fails at once.
    let hangs = Behaviour { pull: Some(Pull::Never), ..Behaviour::default() };
    let want =
        ["0 Pending unready 0: c=ContainerCreating", "5000 Failed unready 0: c=ContainerCreating"];
    check(spec, &[("a", hangs)], 60_000, &want);
}
