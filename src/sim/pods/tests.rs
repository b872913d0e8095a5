//! The life of a pod as a table: what its images do and its spec, against what its status says
//! at which millisecond. No server: `life` and `status` alone, without latencies of a profile.

mod ends;

use std::collections::BTreeSet;
use std::time::Duration;

use super::life::Life;
use super::nodes::{Addresses, Fleet};
use super::references::Sources;
use super::usual::Usual;
use super::{Behaviour, Crash, Exit, Hook, Images, Live, Pull, Ready, Stop, status};
use crate::base::{Rng, Time};
use crate::object::{Map, Object, Value, json};

const T0: Time = Time::VIRTUAL_START;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A pod on its node, and a clock.
struct Trial {
    life: Life,
    fleet: Fleet,
    pod: Object,
    now: Time,
    lines: Vec<String>,
    events: Vec<String>,
}

impl Trial {
    fn new(spec: Value, images: &[(&str, Behaviour)]) -> Self {
        let mut pod = Object::from_value(json!({
            "metadata": {"name": "p", "namespace": "n", "uid": "u", "generation": 1},
            "spec": spec}))
        .unwrap();
        pod.set(&["spec", "nodeName"], "node-1".into());
        let mut scripts = Images::new();
        for (pattern, behaviour) in images {
            scripts.set(pattern, behaviour.clone());
        }
        let fleet = Fleet {
            usual: Usual::of("instant"),
            sources: Sources::default(),
            images: scripts,
            present: BTreeSet::new(),
            addresses: Addresses::default(),
            nodes: 1,
        };
        let life =
            Life::new(&pod, "10.244.0.1".to_owned(), "172.18.0.2".to_owned(), T0, Rng::new(1));
        Self { life, fleet, pod, now: T0, lines: Vec::new(), events: Vec::new() }
    }

    /// Lets everything happen until `until`, noting each change of what the status says.
    fn run(&mut self, until: u64) {
        let until = T0 + ms(until);
        loop {
            self.life.advance(self.now, &mut self.fleet);
            let status = status::status(&self.life, &self.pod, self.now);
            let notes = self.life.take_notes().into_iter();
            self.events.extend(notes.map(|note| format!("{}: {}", note.reason, note.message)));
            let said = line(&status);
            self.pod.set(&["status"], status.into());
            let at = self.now.since(T0).as_millis();
            if self.lines.last().is_none_or(|last| last.split_once(' ').unwrap().1 != said) {
                self.lines.push(format!("{at} {said}"));
            }
            match self.life.next(self.now).filter(|next| *next <= until) {
                Some(next) => self.now = next,
                None => break,
            }
        }
        self.now = until;
    }

    fn see(&mut self) {
        self.life.see(&self.pod.clone(), self.now, &mut self.fleet);
    }

    fn delete(&mut self, grace: i64) {
        self.pod.set(&["metadata", "deletionTimestamp"], self.now.rfc3339().into());
        self.pod.set(&["metadata", "deletionGracePeriodSeconds"], grace.into());
        self.see();
    }
}

/// `Running ready 1: a=running b=CrashLoopBackOff`, the number being all restarts.
fn line(status: &Map) -> String {
    let list = |key: &str| status.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let containers = [list("initContainerStatuses"), list("containerStatuses")].concat();
    let restarts: i64 = containers.iter().filter_map(|c| c["restartCount"].as_i64()).sum();
    let ready = list("conditions").iter().any(|c| c["type"] == "Ready" && c["status"] == "True");
    let shown = |c: &Value| {
        let (kind, state) = c["state"].as_object().unwrap().iter().next().unwrap();
        let reason = state.get("reason").and_then(Value::as_str).unwrap_or(kind);
        format!(" {}={reason}", c["name"].as_str().unwrap())
    };
    let phase = status["phase"].as_str().unwrap();
    let word = if ready { "ready" } else { "unready" };
    format!("{phase} {word} {restarts}:{}", containers.iter().map(shown).collect::<String>())
}

/// Runs a pod for `until` ms, expects `want` line by line, and gives the trial back.
fn check(spec: Value, images: &[(&str, Behaviour)], until: u64, want: &[&str]) -> Trial {
    let mut trial = Trial::new(spec, images);
    trial.run(until);
    assert_eq!(trial.lines, want);
    trial
}

fn one(image: &str) -> Value {
    json!({"containers": [{"name": "c", "image": image}]})
}

fn probed(probes: Value) -> Value {
    let mut container = json!({"name": "c", "image": "a:1"});
    container.as_object_mut().unwrap().extend(probes.as_object().unwrap().clone());
    json!({"containers": [container]})
}

fn ready(after: u64) -> Behaviour {
    Behaviour { ready: Some(Ready::After(ms(after))), ..Behaviour::default() }
}

fn crash(after: u64, times: Option<u32>) -> Behaviour {
    let crash = Crash { after: ms(after), exit_code: 1, times };
    Behaviour { crash: Some(crash), ..Behaviour::default() }
}

#[test]
fn a_pod_pulls_starts_and_is_ready_without_a_probe_as_soon_as_it_runs() {
    // R-CTL-31.
    let script = Behaviour {
        pull: Some(Pull::Takes(ms(800))),
        start: Some(ms(300)),
        ..Behaviour::default()
    };
    let want = ["0 Pending unready 0: c=ContainerCreating", "1100 Running ready 0: c=running"];
    let trial = check(one("shop/cart:1"), &[("shop/*", script)], 1_000_000, &want);
    assert_eq!(trial.life.next(trial.now), None, "a pod at rest has no timer");
    let want = [
        "Pulling: Pulling image \"shop/cart:1\"",
        "Pulled: Successfully pulled image \"shop/cart:1\" in 800ms (800ms including waiting). \
         Image size: 33554432 bytes.",
        "Created: Container created",
        "Started: Container started",
    ];
    assert_eq!(trial.events, want);
}

#[test]
fn conditions_tell_what_is_missing_and_when_it_came() {
    // R-CTL-31, R-CTL-35.
    let mut trial = Trial::new(
        json!({"containers": [{"name": "c", "image": "a:1"}],
            "readinessGates": [{"conditionType": "example.com/lb"}]}),
        &[("a:1", Behaviour { start: Some(ms(2000)), ..Behaviour::default() })],
    );
    let said = |trial: &Trial| {
        let conditions = trial.pod.list(&["status", "conditions"]);
        let text = |c: &Value, key: &str| c[key].as_str().unwrap_or("-").to_owned();
        let show = |c: &Value| {
            let since = text(c, "lastTransitionTime")[17..19].to_owned();
            format!("{} {} {} {since}", text(c, "type"), text(c, "status"), text(c, "message"))
        };
        conditions.iter().map(show).collect::<Vec<_>>()
    };
    trial.run(1000);
    let want = [
        "PodReadyToStartContainers False - 00",
        "Initialized True - 00",
        "Ready False containers with unready status: [c] 00",
        "ContainersReady False containers with unready status: [c] 00",
        "PodScheduled True - 00",
    ];
    assert_eq!(said(&trial), want);
    trial.run(5000);
    let gate = "corresponding condition of pod readiness gate \"example.com/lb\" does not exist.";
    let want = [
        "PodReadyToStartContainers True - 02".to_owned(),
        "Initialized True - 00".to_owned(),
        format!("Ready False {gate} 00"),
        "ContainersReady True - 02".to_owned(),
        "PodScheduled True - 00".to_owned(),
    ];
    assert_eq!(said(&trial), want);
    let gate = json!([{"type": "example.com/lb", "status": "True"}]);
    trial.pod.set(&["status", "conditions"], gate);
    let status = status::status(&trial.life, &trial.pod, trial.now);
    assert!(line(&status).starts_with("Running ready"));
}

#[test]
fn a_scripted_readiness_stands_in_for_a_missing_probe() {
    let want = ["0 Running unready 0: c=running", "1500 Running ready 0: c=running"];
    check(one("a:1"), &[("a", ready(1500))], 100_000, &want);
    let never = Behaviour { ready: Some(Ready::Never), ..Behaviour::default() };
    let trial = check(one("a:1"), &[("a", never)], 100_000, &["0 Running unready 0: c=running"]);
    assert_eq!(trial.life.next(trial.now), None);
}

#[test]
fn a_readiness_probe_finds_it_at_its_own_ticks() {
    // R-CTL-35.
    let probe = json!({"readinessProbe": {"initialDelaySeconds": 3, "periodSeconds": 2}});
    let want = ["0 Running unready 0: c=running", "6000 Running ready 0: c=running"];
    let trial = check(probed(probe), &[("a", ready(4500))], 100_000, &want);
    assert_eq!(trial.life.next(trial.now), None);
    assert!(
        trial.events.contains(
            &"Unhealthy: Readiness probe failed: the container does not answer".to_owned()
        )
    );
}

#[test]
fn a_liveness_probe_that_fails_restarts_the_container() {
    // R-CTL-35, R-CTL-33.
    let probe = json!({"livenessProbe": {"periodSeconds": 5, "failureThreshold": 2}});
    let script = Behaviour {
        live: Some(Live::Until(ms(7000))),
        stop: Some(Stop::Takes(ms(400))),
        ..Behaviour::default()
    };
    let want = [
        "0 Running ready 0: c=running",
        "15400 Running ready 1: c=running",
        // The end before this one was longer ago than the pause of ten seconds.
        "30800 Running ready 2: c=running",
        "46200 Running ready 3: c=running",
        // Now the pause is twenty, and it was not.
        "61600 Running unready 3: c=Error",
        "62600 Running unready 3: c=CrashLoopBackOff",
    ];
    let trial = check(probed(probe), &[("a", script)], 70_000, &want);
    let killing = "Killing: Container c failed liveness probe, will be restarted".to_owned();
    assert!(trial.events.contains(&killing));
}

#[test]
fn a_startup_probe_holds_the_others_back_and_kills_what_never_starts() {
    // R-CTL-35.
    let probes = json!({
        "startupProbe": {"periodSeconds": 3}, "livenessProbe": {"periodSeconds": 1},
        "readinessProbe": {"periodSeconds": 1}});
    let want = ["0 Running unready 0: c=running", "6000 Running ready 0: c=running"];
    check(probed(probes.clone()), &[("a", ready(4000))], 100_000, &want);
    let never = Behaviour { ready: Some(Ready::Never), ..Behaviour::default() };
    let want = ["0 Running unready 0: c=running", "6000 Running unready 1: c=running"];
    check(probed(probes), &[("a", never)], 10_000, &want);
}

#[test]
fn a_crash_restarts_at_once_then_backs_off() {
    // R-CTL-33.
    let want = [
        "0 Running ready 0: c=running",
        "1000 Running ready 1: c=running",
        "2000 Running unready 1: c=Error",
        "3000 Running unready 1: c=CrashLoopBackOff",
        "12000 Running ready 2: c=running",
        "13000 Running unready 2: c=Error",
        "14000 Running unready 2: c=CrashLoopBackOff",
        "33000 Running ready 3: c=running",
    ];
    let trial = check(one("a:1"), &[("a", crash(1000, Some(3)))], 100_000, &want);
    let back_off = "BackOff: Back-off restarting failed container c in pod p_n(u)".to_owned();
    assert!(trial.events.contains(&back_off));
    assert_eq!(trial.life.next(trial.now), None, "after its crashes it keeps running");
}

#[test]
fn a_waiting_container_tells_its_last_end_and_the_pause() {
    // R-CTL-33.
    let mut trial = Trial::new(one("a:1"), &[("a", crash(1000, None))]);
    trial.run(5000);
    let container = &trial.pod.list(&["status", "containerStatuses"])[0];
    let text = "back-off 10s restarting failed container=c pod=p_n(u)";
    assert_eq!(container["state"]["waiting"]["message"], text);
    let last = &container["lastState"]["terminated"];
    assert_eq!((&last["exitCode"], &last["reason"]), (&json!(1), &json!("Error")));
    assert_eq!(last["finishedAt"], "2026-01-01T00:00:02Z");
}

#[test]
fn an_image_that_cannot_be_pulled_alternates_between_its_two_reasons() {
    // R-CTL-34.
    let fails = Behaviour { pull: Some(Pull::Fails), ..Behaviour::default() };
    let want = [
        "0 Pending unready 0: c=ErrImagePull",
        "1000 Pending unready 0: c=ImagePullBackOff",
        "10000 Pending unready 0: c=ErrImagePull",
        "11000 Pending unready 0: c=ImagePullBackOff",
        "30000 Pending unready 0: c=ErrImagePull",
        "31000 Pending unready 0: c=ImagePullBackOff",
    ];
    let mut trial = check(one("a:1"), &[("a", fails)], 60_000, &want);
    trial.fleet.images.set("a", Behaviour::default());
    trial.run(80_000);
    assert_eq!(trial.lines.last().unwrap(), "70000 Running ready 0: c=running");
}

#[test]
fn an_image_that_the_node_will_not_try_waits_with_the_reason() {
    // R-CTL-34.
    let never = json!({"containers": [{"name": "c", "image": "a:1", "imagePullPolicy": "Never"}]});
    check(never, &[], 60_000, &["0 Pending unready 0: c=ErrImageNeverPull"]);
    check(one("Shop/A:b:c"), &[], 60_000, &["0 Pending unready 0: c=InvalidImageName"]);
    let hangs = Behaviour { pull: Some(Pull::Never), ..Behaviour::default() };
    let want = ["0 Pending unready 0: c=ContainerCreating"];
    let mut trial = check(one("a:1"), &[("a", hangs)], 60_000, &want);
    trial.fleet.images.set("a", Behaviour::default());
    trial.life.rescript("a", trial.now, &mut trial.fleet);
    trial.run(60_000);
    assert_eq!(trial.lines.last().unwrap(), "60000 Running ready 0: c=running");
}

#[test]
fn what_is_meant_to_end_succeeds_or_fails_by_its_restart_policy() {
    // R-CTL-32.
    let job = |policy: &str| json!({"restartPolicy": policy, "containers": [{"name": "c", "image": "a:1"}]});
    let want = ["0 Running unready 0: c=running", "700 Succeeded unready 0: c=Completed"];
    check(job("Never"), &[("a", ready(700))], 60_000, &want);
    let fails = Behaviour { exit: Some(Exit { after: ms(700), code: 3 }), ..Behaviour::default() };
    let want = ["0 Running ready 0: c=running", "700 Failed unready 0: c=Error"];
    check(job("Never"), &[("a", fails)], 60_000, &want);
    let want = [
        "0 Running ready 0: c=running",
        "700 Running ready 1: c=running",
        "1400 Running unready 1: c=Error",
        "2400 Running unready 1: c=CrashLoopBackOff",
        "11400 Succeeded unready 2: c=Completed",
    ];
    check(job("OnFailure"), &[("a", crash(700, Some(2)))], 60_000, &want);
}

#[test]
fn init_containers_run_in_order_and_sidecars_stop_last() {
    // R-CTL-36.
    let spec = json!({"restartPolicy": "Never",
        "initContainers": [
            {"name": "i", "image": "init:1"},
            {"name": "s", "image": "side:1", "restartPolicy": "Always",
             "startupProbe": {"periodSeconds": 1}}],
        "containers": [{"name": "c", "image": "a:1"}]});
    let stop = Behaviour { stop: Some(Stop::Takes(ms(50))), ..ready(500) };
    let images = [("init", ready(200)), ("side", stop), ("a", ready(300))];
    let want = [
        "0 Pending unready 0: i=running s=PodInitializing c=PodInitializing",
        "200 Pending unready 0: i=Completed s=running c=PodInitializing",
        "1200 Running unready 0: i=Completed s=running c=running",
        "1500 Running unready 0: i=Completed s=running c=Completed",
        "1550 Succeeded unready 0: i=Completed s=Error c=Completed",
    ];
    let mut spec_always = spec.clone();
    check(spec, &images, 60_000, &want);
    spec_always["restartPolicy"] = "Always".into();
    let images = [("init", crash(100, Some(2))), ("a", Behaviour::default())];
    let want = [
        "0 Pending unready 0: i=running s=PodInitializing c=PodInitializing",
        "100 Pending unready 1: i=running s=PodInitializing c=PodInitializing",
        "200 Pending unready 1: i=Error s=PodInitializing c=PodInitializing",
        "1200 Pending unready 1: i=CrashLoopBackOff s=PodInitializing c=PodInitializing",
        "10200 Running ready 2: i=Completed s=running c=running",
    ];
    check(spec_always, &images, 60_000, &want);
}

#[test]
fn an_init_container_that_fails_for_good_fails_the_pod() {
    // R-CTL-32.
    let spec = json!({"restartPolicy": "Never",
        "initContainers": [{"name": "i", "image": "init:1"}],
        "containers": [{"name": "c", "image": "a:1"}]});
    let want = [
        "0 Pending unready 0: i=running c=PodInitializing",
        "100 Failed unready 0: i=Error c=PodInitializing",
    ];
    check(spec, &[("init", crash(100, None))], 60_000, &want);
}

#[test]
fn a_deleted_pod_stops_within_its_grace() {
    // R-CTL-37.
    let deleted = |stop: Stop, want: &[&str]| {
        let script = Behaviour { stop: Some(stop), ..Behaviour::default() };
        let mut trial = Trial::new(one("a:1"), &[("a", script)]);
        trial.run(1000);
        trial.delete(10);
        trial.run(500_000);
        assert_eq!(trial.lines[1..], *want, "{stop:?}");
        assert!(trial.events.contains(&"Killing: Stopping container c".to_owned()));
    };
    deleted(Stop::Takes(ms(400)), &["1400 Failed unready 0: c=Error"]);
    deleted(Stop::Takes(ms(20_000)), &["11000 Failed unready 0: c=Error"]);
    deleted(Stop::Ignored, &["11000 Failed unready 0: c=Error"]);
    deleted(Stop::Hangs, &[]);
}

#[test]
fn a_pod_deleted_before_it_ran_is_over_at_once() {
    // R-CTL-37.
    let hangs = Behaviour { pull: Some(Pull::Never), ..Behaviour::default() };
    let mut trial = Trial::new(one("a:1"), &[("a", hangs)]);
    trial.run(1000);
    trial.delete(30);
    trial.run(2000);
    assert_eq!(trial.lines[1..], ["1000 Failed unready 0: c=ContainerStatusUnknown"]);
}

#[test]
fn another_image_restarts_the_running_container() {
    let mut trial = Trial::new(one("a:1"), &[("a", Behaviour::default())]);
    trial.run(1000);
    trial.pod.set(&["spec", "containers"], json!([{"name": "c", "image": "b:2"}]));
    trial.pod.set(&["metadata", "generation"], 2.into());
    trial.see();
    trial.run(2000);
    assert_eq!(trial.lines[1..], ["1000 Running ready 1: c=running"]);
    let killing = "Killing: Container c definition changed, will be restarted".to_owned();
    assert!(trial.events.contains(&killing));
    assert_eq!(trial.pod.list(&["status", "containerStatuses"])[0]["image"], "b:2");
}

#[test]
fn a_script_set_while_the_container_runs_counts_from_then() {
    let mut trial = Trial::new(one("a:1"), &[]);
    trial.run(60_000);
    for (at, behaviour) in [
        (60_000, Behaviour { ready: Some(Ready::Never), ..Behaviour::default() }),
        (70_000, ready(1000)),
        (80_000, crash(2000, Some(1))),
    ] {
        trial.run(at);
        trial.fleet.images.set("a", behaviour);
        trial.life.rescript("a", trial.now, &mut trial.fleet);
        trial.run(at + 1);
    }
    trial.run(90_000);
    let want = [
        "0 Running ready 0: c=running",
        "60000 Running unready 0: c=running",
        "71000 Running ready 0: c=running",
        "82000 Running ready 1: c=running",
    ];
    assert_eq!(trial.lines, want);
}

#[test]
fn containers_of_a_pod_are_pulled_one_after_the_other_and_the_second_pull_is_saved() {
    let spec = json!({"containers": [
        {"name": "x", "image": "a:1"}, {"name": "y", "image": "b:1"}, {"name": "z", "image": "a:1"}]});
    let pulls = Behaviour { pull: Some(Pull::Takes(ms(100))), ..Behaviour::default() };
    let want = [
        "0 Pending unready 0: x=ContainerCreating y=ContainerCreating z=ContainerCreating",
        "100 Pending unready 0: x=running y=ContainerCreating z=ContainerCreating",
        "200 Running ready 0: x=running y=running z=running",
    ];
    check(spec, &[("*", pulls)], 60_000, &want);
}
