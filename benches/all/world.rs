//! Controllers, scheduler and nodes in virtual time, without an engine: how long a world takes
//! for what a cluster does by itself.

use std::time::Duration;

use towtank::api::{PatchKind, Request};
use towtank::base::{Profile, Queue, Rng, Time};
use towtank::object::{Gvr, Object, Value, json};
use towtank::sim::pods::Images;
use towtank::sim::world::{Outbox, Signal, World};

use super::measure::Work;

/// Pods of each Deployment.
const REPLICAS: u64 = 3;

/// One Deployment of three after the other, from its creation to Available; right is each that
/// is.
pub(crate) fn deployments(size: usize, seed: u64) -> Work {
    // Room for all of them: a node takes 110 pods.
    let mut running = Running::new(seed, 3 + size * 3 / 100);
    Box::new(move || (0..size).filter(|n| running.comes_up(&format!("d{n}"))).count())
}

/// `size` Deployments of three on 100 nodes that are given a new tag, all at once; right is each
/// whose rollout is complete.
pub(crate) fn rollout(size: usize, seed: u64) -> Work {
    let mut running = Running::new(seed, 100);
    for n in 0..size {
        running.create(&format!("d{n}"));
    }
    running.run_for(Duration::from_secs(120));
    Box::new(move || {
        for n in 0..size {
            running.set_image(&format!("d{n}"), "a:2");
        }
        running.run_for(Duration::from_secs(300));
        (0..size).filter(|n| running.is_rolled(&format!("d{n}"), 2)).count()
    })
}

/// A CronJob that starts a Job each minute, for `size` minutes; right is each minute whose Job
/// succeeded in time.
pub(crate) fn schedule(size: usize, seed: u64) -> Work {
    let mut running = Running::new(seed, 3);
    Box::new(move || {
        let pod = json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": "a:1"}]});
        let cron = json!({"apiVersion": "batch/v1", "kind": "CronJob",
            "metadata": {"name": "tick", "namespace": "default"},
            "spec": {"schedule": "* * * * *",
                "jobTemplate": {"spec": {"template": {"spec": pod}}}}});
        running.ask(&Request::create(CRON_JOBS, "default", object(cron)));
        let mut right = 0;
        let mut before = String::new();
        for _ in 0..size {
            running.run_for(Duration::from_secs(60));
            let cron = running.world.peek(&CRON_JOBS, "default", "tick");
            let last = cron.and_then(|cron| cron.text(&["status", "lastSuccessfulTime"]));
            let last = last.unwrap_or_default().to_owned();
            right += usize::from(last != before);
            before = last;
        }
        // A Job of a minute ends in the next one, so the last one is not awaited.
        (right + 1).min(size)
    })
}

/// Nodes of the world that does nothing.
const IDLE_NODES: usize = 500;

/// A world of 500 nodes to which nothing happens for `size` hours; right is each hour after which
/// there is no more in it than after the first, and every node's Lease is fresh to whoever reads it.
pub(crate) fn idle(size: usize, seed: u64) -> Work {
    let mut running = Running::new(seed, IDLE_NODES);
    Box::new(move || {
        let hour = Duration::from_secs(3_600);
        // Events of the beginning are gone after an hour, once somebody asks anything.
        running.run_for(hour);
        running.leases_are_fresh();
        let mut right = 0;
        let first = running.extent();
        for _ in 0..size {
            running.run_for(hour);
            right += usize::from(running.leases_are_fresh() && running.extent() == first);
        }
        right
    })
}

const LEASES: Gvr = Gvr::new("coordination.k8s.io", "v1", "leases");
const DEPLOYMENTS: Gvr = Gvr::new("apps", "v1", "deployments");
const CRON_JOBS: Gvr = Gvr::new("batch", "v1", "cronjobs");

/// A world and its queue.
struct Running {
    world: World,
    queue: Queue<Signal>,
    now: Time,
}

impl Running {
    fn new(seed: u64, nodes: usize) -> Self {
        let (rng, now) = (Rng::new(seed), Time::VIRTUAL_START);
        let world = World::new(&rng, &Profile::warm(), nodes, Images::new(), now);
        let mut running = Self { world, queue: Queue::new(None), now };
        let out = running.world.start(now);
        running.take(out);
        running.run_for(Duration::from_secs(5));
        running
    }

    fn take(&mut self, out: Outbox) {
        for (at, signal) in out.later {
            self.queue.push(at, signal);
        }
    }

    /// A request of an administrator's, answered at once.
    fn ask(&mut self, request: &Request) {
        let mut out = Outbox::default();
        let response = self.world.call(self.now, ADMINISTRATOR, 0, request, &mut out);
        assert!(response.is_some_and(|response| response.is_ok()), "{request:?}");
        self.take(out);
    }

    fn create(&mut self, name: &str) {
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"replicas": REPLICAS, "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "c", "image": "a:1"}]}}}});
        self.ask(&Request::create(DEPLOYMENTS, "default", object(deployment)));
    }

    fn set_image(&mut self, name: &str, image: &str) {
        let containers = json!([{"name": "c", "image": image}]);
        let body = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        let kind = PatchKind::Strategic;
        self.ask(&Request::patch(DEPLOYMENTS, "default", name, kind, body));
    }

    fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        while self.queue.next_at().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// How much there is: objects, and signals that are due at some time.
    fn extent(&self) -> (usize, usize) {
        (self.world.all().count(), self.queue.len())
    }

    /// Whether a client that lists the Leases finds all of them renewed in the last ten seconds.
    fn leases_are_fresh(&mut self) -> bool {
        self.ask(&Request::list(LEASES, "kube-node-lease"));
        let limit = (self.now - Duration::from_secs(10)).rfc3339_micro();
        let leases = self.world.all_of(&LEASES);
        let fresh = leases.filter(|lease| {
            lease.text(&["spec", "renewTime"]).is_some_and(|time| time >= limit.as_str())
        });
        fresh.count() == IDLE_NODES
    }

    fn step(&mut self) {
        let Some((at, signal)) = self.queue.pop() else { return };
        self.now = self.now.max(at);
        let out = self.world.step(self.now, signal);
        self.take(out);
    }

    fn comes_up(&mut self, name: &str) -> bool {
        self.create(name);
        let end = self.now + Duration::from_secs(60);
        while self.queue.next_at().is_some_and(|at| at <= end) {
            self.step();
            if self.is_rolled(name, 1) {
                return true;
            }
        }
        false
    }

    /// Whether the newest of so many templates is out, with all pods available.
    fn is_rolled(&self, name: &str, generation: i64) -> bool {
        let found = self.world.peek(&DEPLOYMENTS, "default", name);
        found.is_some_and(|deployment| {
            let count = |field: &str| deployment.int(&["status", field]).unwrap_or(0);
            let all = i64::try_from(REPLICAS).unwrap_or(i64::MAX);
            count("observedGeneration") >= generation
                && ["replicas", "updatedReplicas", "availableReplicas"]
                    .iter()
                    .all(|field| count(field) == all)
        })
    }
}

/// A client outside of the world that hears at once.
const ADMINISTRATOR: u32 = towtank::sim::world::FIRST_DIRECT;

fn object(value: Value) -> Object {
    Object::from_value(value).unwrap_or_default()
}
