//! Nodes and pods against the API server in process: what a watcher sees of them, that deletion
//! gets through, and that a world at rest sends nothing and has no timer.

use std::sync::Arc;
use std::time::Duration;

use towtank::api::{Client, Input, Outbox, Request, Response, Status, WatchEvent};
use towtank::base::{Profile, Queue, Rng, Time};
use towtank::object::{Gvr, Object, Value, json};
use towtank::sim::Server;
use towtank::sim::pods::{Behaviour, Images, Kubelets, Pull, Ready, Stop};

pub(crate) const PODS: Gvr = Gvr::new("", "v1", "pods");
const NODES: Gvr = Gvr::new("", "v1", "nodes");
const KUBELETS: u32 = 1;
pub(crate) const TESTER: u32 = 9;

/// A server and its nodes; requests and events take no time.
pub(crate) struct World {
    server: Server,
    kubelets: Kubelets,
    queue: Queue<Input>,
    pub(crate) now: Time,
    requests: Vec<String>,
    /// What the tester's watches told, and when.
    pub(crate) heard: Vec<(Time, WatchEvent)>,
    /// How many status patches from now on are answered with this instead.
    refused: (usize, Option<Status>),
}

impl World {
    pub(crate) fn new(nodes: usize, profile: Profile, images: Images) -> Self {
        let rng = Rng::new(1);
        let mut world = Self {
            server: Server::new(&rng),
            kubelets: Kubelets::new(nodes, &profile, images, rng.fork("pods")),
            queue: Queue::new(None),
            now: Time::VIRTUAL_START,
            requests: Vec::new(),
            heard: Vec::new(),
            refused: (0, None),
        };
        world.queue.push(world.now, Input::Start);
        world.run(Duration::ZERO);
        world
    }

    /// Lets everything happen that is due within `time`; the instant of the last of it.
    pub(crate) fn run(&mut self, time: Duration) -> Time {
        let until = self.now + time;
        let mut last = self.now;
        while self.queue.next_at().is_some_and(|at| at <= until) {
            let (at, input) = self.queue.pop().expect("because the queue was looked into");
            (self.now, last) = (at, at);
            let mut out = Outbox::default();
            self.kubelets.step(at, input, &mut out);
            for (at, key) in out.timers {
                self.queue.push(at, Input::Timer { key });
            }
            for (id, request) in out.requests {
                let name = request.name.as_deref().unwrap_or("-");
                let sub = request.subresource.as_deref().unwrap_or_default();
                let plural = &request.resource.plural;
                self.requests.push(format!("{} {plural} {name} {sub}", request.verb_name()));
                self.send(KUBELETS, id, &request);
            }
        }
        self.now = until;
        last
    }

    pub(crate) fn send(&mut self, client: u32, id: u64, request: &Request) -> u16 {
        if client == KUBELETS
            && request.subresource.as_deref() == Some("status")
            && self.refused.0 > 0
            && let Some(status) = self.refused.1.clone()
        {
            self.refused.0 -= 1;
            let response = Arc::new(Response::status(status));
            self.queue.push(self.now, Input::Answer { id, response });
            return 0;
        }
        let handled = self.server.handle(self.now, client, id, request);
        let code = handled.response.code;
        if client == KUBELETS {
            assert!(handled.response.is_ok(), "{request:?}: {:?}", handled.response);
            let response = Arc::new(handled.response);
            self.queue.push(self.now, Input::Answer { id, response });
        }
        for delivery in handled.deliveries {
            if delivery.client == KUBELETS {
                let input = Input::Event { id: delivery.id, event: delivery.event };
                self.queue.push(self.now, input);
            } else {
                self.heard.push((self.now, delivery.event));
            }
        }
        code
    }

    fn create(&mut self, name: &str, spec: Value) {
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}});
        pod["spec"] = spec;
        let pod = Object::from_value(pod).expect("because pods are written as maps");
        assert_eq!(self.send(TESTER, 1, &Request::create(PODS, "default", pod)), 201);
    }

    fn pod(&self, name: &str) -> Option<&Object> {
        self.server.peek(&PODS, "default", name).map(AsRef::as_ref)
    }

    fn is_ready(&self, name: &str) -> bool {
        let ready = self.pod(name).and_then(|pod| pod.condition("Ready"));
        ready.is_some_and(|condition| condition["status"] == "True")
    }
}

fn spec(node: &str, image: &str) -> Value {
    json!({"nodeName": node, "containers": [{"name": "c", "image": image}]})
}

#[test]
fn nodes_register_with_their_leases_and_then_keep_silent() {
    let mut world = World::new(2, Profile::instant(), Images::new());
    for name in ["node-1", "node-2"] {
        let node = world.server.peek(&NODES, "", name).unwrap();
        assert_eq!(node.condition("Ready").unwrap()["reason"], "KubeletReady");
        assert_eq!(node.text(&["status", "capacity", "pods"]), Some("110"));
        let leases = Gvr::new("coordination.k8s.io", "v1", "leases");
        assert!(world.server.peek(&leases, "kube-node-lease", name).is_some());
    }
    world.requests.clear();
    world.run(Duration::from_secs(100_000));
    assert_eq!(world.requests, [""; 0]);
}

#[test]
fn a_bound_pod_runs_and_its_status_is_written_as_a_kubelet_writes_it() {
    let mut images = Images::new();
    images.set(
        "shop/*",
        Behaviour {
            pull: Some(Pull::Takes(Duration::from_millis(800))),
            start: Some(Duration::from_millis(200)),
            ready: Some(Ready::After(Duration::from_millis(1500))),
            ..Behaviour::default()
        },
    );
    let mut world = World::new(1, Profile::warm(), images);
    world.create("p", spec("node-1", "shop/cart:1"));
    world.create("elsewhere", spec("node-7", "shop/cart:1"));
    world.requests.clear();
    let last = world.run(Duration::from_secs(1_000));
    assert_eq!(last.since(Time::VIRTUAL_START), Duration::from_millis(2500));
    let status_writes = world.requests.iter().filter(|r| *r == "patch pods p status").count();
    assert_eq!(status_writes, 3, "{:?}", world.requests);
    let pod = world.pod("p").unwrap();
    assert_eq!(pod.text(&["status", "phase"]), Some("Running"));
    assert_eq!(pod.text(&["status", "podIP"]), Some("10.244.0.1"));
    let kinds: Vec<_> = pod
        .list(&["status", "conditions"])
        .iter()
        .map(|c| format!("{} {}", c["type"].as_str().unwrap(), c["status"].as_str().unwrap()))
        .collect();
    let want = [
        "PodReadyToStartContainers True",
        "Initialized True",
        "Ready True",
        "ContainersReady True",
        "PodScheduled True",
    ];
    assert_eq!(kinds, want);
    let ready = pod.condition("Ready").unwrap().as_object().unwrap();
    assert!(!ready.contains_key("reason") && !ready.contains_key("message"), "{ready:?}");
    let is_of_pod = |o: &&Arc<Object>| {
        o.kind() == "Event" && o.text(&["involvedObject", "kind"]) == Some("Pod")
    };
    let events: Vec<_> = world.server.all().filter(is_of_pod).collect();
    assert_eq!(events.len(), 4, "{events:?}");
    assert_eq!(world.pod("elsewhere").unwrap().text(&["status", "phase"]), Some("Pending"));
}

#[test]
fn a_foreign_write_to_the_status_is_put_right_once() {
    let mut world = World::new(1, Profile::instant(), Images::new());
    world.create("p", spec("node-1", "a:1"));
    world.run(Duration::from_secs(1));
    world.requests.clear();
    let body = json!({"status": {"phase": "Failed", "conditions": [
        {"type": "Ready", "status": "False"}, {"type": "example.com/own", "status": "True"}]}});
    let kind = towtank::api::PatchKind::Strategic;
    let patch = Request::patch(PODS, "default", "p", kind, body).subresource("status");
    assert_eq!(world.send(TESTER, 1, &patch), 200);
    world.run(Duration::from_secs(100));
    assert_eq!(world.requests, ["patch pods p status"]);
    assert!(world.is_ready("p"));
    assert!(world.pod("p").unwrap().condition("example.com/own").is_some());
}

/// A real server may answer a patch with a conflict, or not at all: what it was to say is said
/// again, also where the pod stands as the last write that went well left it.
#[test]
fn a_status_that_was_refused_is_told_again() {
    let conflict = Status::conflict(&PODS, "p", "the object has been modified");
    let trouble = Status { code: 500, ..conflict.clone() };
    for refusal in [conflict, trouble] {
        let mut images = Images::new();
        let ready = Some(Ready::After(Duration::from_secs(5)));
        images.set("*", Behaviour { ready, ..Behaviour::default() });
        let mut world = World::new(1, Profile::instant(), images);
        world.create("p", spec("node-1", "a:1"));
        world.run(Duration::from_secs(2));
        assert_eq!(world.pod("p").unwrap().text(&["status", "phase"]), Some("Running"));
        world.refused = (3, Some(refusal.clone()));
        world.run(Duration::from_secs(60));
        assert_eq!(world.refused.0, 0, "it was tried again");
        assert!(world.is_ready("p"), "{refusal:?}");
    }
}

#[test]
fn a_deleted_pod_ends_and_is_released_and_a_finalizer_still_holds_it() {
    let mut images = Images::new();
    let stop = Some(Stop::Takes(Duration::from_millis(400)));
    images.set("*", Behaviour { stop, ..Behaviour::default() });
    let mut world = World::new(1, Profile::instant(), images);
    world.create("p", spec("node-1", "a:1"));
    world.create("held", spec("node-1", "a:1"));
    world.run(Duration::from_secs(1));
    let finalizer = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    let kind = towtank::api::PatchKind::Merge;
    world.send(TESTER, 1, &Request::patch(PODS, "default", "held", kind, finalizer));
    for name in ["p", "held"] {
        assert_eq!(world.send(TESTER, 1, &Request::delete(PODS, "default", name)), 200);
    }
    world.run(Duration::from_millis(300));
    assert!(world.pod("p").is_some_and(Object::is_deleting));
    world.requests.clear();
    world.run(Duration::from_millis(200));
    assert!(world.pod("p").is_none());
    let held = world.pod("held").unwrap();
    assert_eq!(held.text(&["status", "phase"]), Some("Failed"));
    world.run(Duration::from_secs(1_000));
    let deletes = world.requests.iter().filter(|r| r.starts_with("delete")).count();
    assert_eq!(deletes, 2, "{:?}", world.requests);
}

#[test]
fn an_image_set_at_run_time_changes_what_runs() {
    let mut world = World::new(1, Profile::instant(), Images::new());
    world.create("p", spec("node-1", "a:1"));
    world.run(Duration::from_secs(5));
    assert!(world.is_ready("p"));
    let mut out = Outbox::default();
    let never = Behaviour { ready: Some(Ready::Never), ..Behaviour::default() };
    world.kubelets.set_image(world.now, "a", never, &mut out);
    for (id, request) in out.requests {
        world.send(KUBELETS, id, &request);
    }
    world.run(Duration::from_secs(5));
    assert!(!world.is_ready("p"));
}

#[test]
fn hundreds_of_pods_start_in_a_bounded_number_of_requests_and_come_to_rest() {
    let mut world = World::new(30, Profile::warm(), Images::new());
    world.requests.clear();
    for n in 0..600 {
        let node = format!("node-{}", n % 30 + 1);
        world.create(&format!("p-{n}"), spec(&node, "a:1"));
    }
    let last = world.run(Duration::from_secs(10_000));
    assert!((0..600).all(|n| world.is_ready(&format!("p-{n}"))));
    assert!(last.since(Time::VIRTUAL_START) < Duration::from_secs(3), "nothing ticks afterwards");
    // Two writes of status and four events a pod.
    assert!(world.requests.len() <= 600 * 6, "{}", world.requests.len());
    assert_eq!(world.queue.len(), 0);
}
