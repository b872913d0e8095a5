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
    let event = "DeadlineExceeded: Pod was active on the node longer than the specified deadline";
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

fn hooked(hooks: Value, more: Value) -> Value {
    let mut container = json!({"lifecycle": hooks});
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    probed(container)
}

/// R-CTL-31: nobody sees that a container runs, and no probe looks, before its hook is over.
#[test]
fn a_container_is_there_when_its_post_start_hook_is_over() {
    let nap = json!({"postStart": {"sleep": {"seconds": 5}}});
    let probe = json!({"readinessProbe": {"periodSeconds": 2, "initialDelaySeconds": 1}});
    let want = ["0 Pending unready 0: c=ContainerCreating", "5000 Running ready 0: c=running"];
    let trial = check(hooked(nap.clone(), probe), &[("a", ready(3_000))], 60_000, &want);
    assert!(trial.events.iter().all(|event| !event.starts_with("Unhealthy")));
    let begun = &trial.pod.list(&["status", "containerStatuses"])[0]["state"]["running"];
    assert_eq!(begun["startedAt"], T0.rfc3339(), "the process itself ran all the while");
    // The next container waits for it.
    let mut two = hooked(nap, json!({}));
    two["containers"].as_array_mut().unwrap().push(json!({"name": "d", "image": "d:1"}));
    let want = [
        "0 Pending unready 0: c=ContainerCreating d=ContainerCreating",
        "5000 Running ready 0: c=running d=running",
    ];
    check(two, &[], 60_000, &want);
    // A script says how long a request takes, or that it has no end.
    let get = json!({"postStart": {"httpGet": {"path": "/warm", "port": 80}}});
    let hook = |hook: Hook| Behaviour { post_start: Some(hook), ..Behaviour::default() };
    let want = ["0 Pending unready 0: c=ContainerCreating", "700 Running ready 0: c=running"];
    let takes = hook(Hook::Takes(ms(700)));
    check(hooked(get.clone(), json!({})), &[("a", takes)], 60_000, &want);
    let never = [("a", hook(Hook::Never))];
    let mut trial = check(hooked(get, json!({})), &never, 60_000, &want[..1]);
    trial.fleet.images.set("a", Behaviour::default());
    trial.life.rescript("a", trial.now, &mut trial.fleet);
    trial.run(60_000);
    assert_eq!(trial.lines[1..], ["60000 Running ready 0: c=running"]);
}

/// R-CTL-31, R-CTL-33: the container is stopped, hook and grace included, and started again.
#[test]
fn a_container_whose_post_start_hook_fails_is_killed_and_backs_off() {
    let exec = json!({"postStart": {"exec": {"command": ["warm", "up"]}}});
    let script = Behaviour {
        post_start: Some(Hook::Fails(ms(500))),
        stop: Some(Stop::Takes(ms(100))),
        ..Behaviour::default()
    };
    let want = [
        "0 Pending unready 0: c=ContainerCreating",
        "600 Running unready 0: c=PostStartHookError",
        "1200 Running unready 1: c=PostStartHookError",
        "2200 Running unready 1: c=CrashLoopBackOff",
        "11800 Running unready 2: c=PostStartHookError",
        "12800 Running unready 2: c=CrashLoopBackOff",
    ];
    let trial = check(hooked(exec, json!({})), &[("a", script.clone())], 30_000, &want);
    let told = [
        "Started: Container started",
        "FailedPostStartHook: PostStartHook failed",
        "Killing: FailedPostStartHook",
    ];
    assert_eq!(trial.events[3..6], told.map(ToOwned::to_owned));
    // A socket is no hook, whatever the manifest says.
    let socket = json!({"postStart": {"tcpSocket": {"port": 80}}});
    let mut never = hooked(socket, json!({}));
    never["restartPolicy"] = "Never".into();
    let stop = Behaviour { post_start: None, ..script };
    let want = ["0 Pending unready 0: c=ContainerCreating", "100 Failed unready 0: c=Error"];
    check(never, &[("a", stop)], 30_000, &want);
}

/// R-CTL-37.
#[test]
fn a_pod_that_is_deleted_during_its_post_start_hook_stops_at_once() {
    let nap = json!({"postStart": {"sleep": {"seconds": 60}}});
    let script = Behaviour { stop: Some(Stop::Takes(ms(400))), ..Behaviour::default() };
    let mut trial = Trial::new(hooked(nap, json!({})), &[("a", script)]);
    trial.run(1_000);
    trial.delete(30);
    trial.run(100_000);
    assert_eq!(trial.lines.last().unwrap(), "1400 Failed unready 0: c=Error");
    assert!(trial.events.contains(&"FailedPostStartHook: PostStartHook failed".to_owned()));
}

/// R-CTL-37: it is told of, and the container is stopped all the same.
#[test]
fn a_pre_stop_hook_that_fails_is_told_of() {
    let check = |hook: Value, scripted: Option<Hook>, grace: i64, end: &str, told: usize| {
        let stop = Some(Stop::Takes(ms(400)));
        let script = Behaviour { pre_stop: scripted, stop, ..Behaviour::default() };
        let mut trial = Trial::new(hooked(json!({"preStop": hook}), json!({})), &[("a", script)]);
        trial.run(1_000);
        trial.delete(grace);
        trial.run(100_000);
        assert_eq!(trial.lines.last().unwrap(), end, "{hook}");
        let failed = "FailedPreStopHook: PreStopHook failed";
        assert_eq!(trial.events.iter().filter(|event| *event == failed).count(), told, "{hook}");
    };
    let get = json!({"httpGet": {"path": "/quit", "port": 80}});
    let ended = "1400 Failed unready 0: c=Error";
    check(json!({"tcpSocket": {"port": 80}}), None, 30, ended, 1);
    check(get.clone(), Some(Hook::Fails(Duration::ZERO)), 30, ended, 1);
    check(get.clone(), Some(Hook::Fails(ms(2_000))), 30, "3400 Failed unready 0: c=Error", 1);
    check(get.clone(), Some(Hook::Takes(ms(700))), 30, "2100 Failed unready 0: c=Error", 0);
    // What never ends, or fails after the grace, is not told of.
    check(get.clone(), Some(Hook::Never), 5, "6400 Failed unready 0: c=Error", 0);
    check(get, Some(Hook::Fails(ms(9_000))), 5, "6400 Failed unready 0: c=Error", 0);
}
