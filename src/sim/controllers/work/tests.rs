//! A queue, a controller that is told what to plan, and what is sent when.

use std::time::Duration;

use super::*;
use crate::api::{Request, Status};
use crate::object::{Object, Value, json};
use crate::sim::controllers::kinds::{POD, gvr};
use crate::sim::controllers::plan::Controller;

const T0: Time = Time::VIRTUAL_START;

/// What the controller does, by the key's name: `write` updates pod `a` at each sync, `two` sends
/// two batches, `ask` asks and then deletes what it was answered, `idle` nothing.
fn controller(cx: &Cx) -> Plan {
    let get = |name: &str| Call::new(Request::get(gvr(POD), "n", name));
    if cx.failure.is_some() {
        return Plan::one(Request::get(gvr(POD), "n", "after-failure"));
    }
    match cx.key.name() {
        "write" => Plan::one(Request::update(gvr(POD), "n", "a", Object::default())),
        "two" => Plan::nothing().then(vec![get("1"), get("2")]).then(vec![get("3")]),
        "ask" if cx.asked.is_empty() => {
            Plan::nothing().then(vec![get("x")]).again(Again::WithAnswers)
        }
        "ask" => {
            let name = cx.asked[0].response.as_object().map_or("", |o| o.name());
            Plan::one(Request::delete(gvr(POD), "n", name))
        }
        _ => Plan::nothing(),
    }
}

struct Trial {
    work: Work,
    caches: Caches,
    ids: Ids,
    out: Outbox,
    now: Time,
}

impl Trial {
    fn new(objects: &[Value]) -> Self {
        let caches = Caches::of(objects);
        Self { work: Work::default(), caches, ids: Ids::default(), out: Outbox::default(), now: T0 }
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Work, &mut Desk) -> T) -> T {
        let (caches, ids, out) = (&self.caches, &mut self.ids, &mut self.out);
        let settings = &Settings::default();
        let desk = &mut Desk { now: self.now, caches, settings, ids, out, user_agent: "test" };
        let result = act(&mut self.work, desk);
        self.work.drain(controller, desk);
        result
    }

    /// What was sent since the last call: `id verb name`.
    fn sent(&mut self) -> Vec<String> {
        let said = self.out.requests.drain(..).map(|(id, r)| {
            format!("{id} {} {}", r.verb_name(), r.name.as_deref().unwrap_or_default())
        });
        said.collect()
    }

    fn wake(&mut self, name: &str) -> Vec<String> {
        let key = Key::new(Controller::Job, "n", name);
        self.with(|work, _| work.wake(key));
        self.sent()
    }

    fn answer(&mut self, id: u64, response: Response) -> Vec<String> {
        let response = Arc::new(response);
        assert!(self.with(|work, desk| work.answer(id, &response, desk)));
        self.sent()
    }

    fn timers(&mut self) -> Vec<(u128, u64)> {
        let said = self.out.timers.drain(..);
        said.map(|(at, id)| (at.since(T0).as_millis(), id)).collect()
    }
}

fn pod(name: &str, revision: u64) -> Response {
    let value = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name,
        "namespace": "n", "uid": name, "resourceVersion": revision.to_string()}});
    Response::object(200, Arc::new(Object::from_value(value).unwrap()))
}

fn conflict() -> Response {
    Status::conflict(&gvr(POD), "a", "stale").into()
}

#[test]
fn a_key_is_not_synced_while_its_requests_are_under_way_or_unseen() {
    let mut t = Trial::new(&[]);
    assert_eq!(t.wake("write"), ["1 update a"]);
    assert!(t.wake("write").is_empty(), "its request is under way");
    assert!(t.answer(1, pod("a", 7)).is_empty(), "what it wrote is not seen");
    t.with(|work, _| work.seen(POD, 6, None));
    assert!(t.sent().is_empty());
    t.with(|work, _| work.seen(POD, 7, None));
    assert_eq!(t.sent(), ["2 update a"], "woken once while it waited, so it is synced once");
    t.answer(2, pod("a", 8));
    t.with(|work, _| work.seen(POD, 9, None));
    assert!(t.sent().is_empty(), "nobody woke it");
}

#[test]
fn a_batch_goes_when_all_of_the_one_before_is_answered() {
    let mut t = Trial::new(&[]);
    assert_eq!(t.wake("two"), ["1 get 1", "2 get 2"]);
    assert!(t.answer(2, pod("2", 1)).is_empty());
    assert_eq!(t.answer(1, pod("1", 1)), ["3 get 3"]);
}

#[test]
fn answers_are_given_back_to_who_asked_for_them() {
    let mut t = Trial::new(&[]);
    assert_eq!(t.wake("ask"), ["1 get x"]);
    assert_eq!(t.answer(1, pod("named-by-answer", 1)), ["2 delete named-by-answer"]);
}

#[test]
fn a_refusal_is_shown_once_and_then_tried_again_with_a_pause_that_doubles() {
    let mut t = Trial::new(&[]);
    t.wake("write");
    assert_eq!(t.answer(1, conflict()), ["2 get after-failure"]);
    assert!(t.answer(2, pod("x", 1)).is_empty());
    let (at, timer) = t.timers()[0];
    assert_eq!(at, 5);
    t.now += Duration::from_millis(5);
    assert!(t.with(|work, _| work.timer(timer)));
    let sent = t.sent();
    assert!(sent[0].ends_with("update a"), "{sent:?}");
    let id: u64 = sent[0].split(' ').next().unwrap().parse().unwrap();
    t.answer(id, conflict());
    t.answer(id + 1, pod("x", 1));
    assert_eq!(t.timers()[0].0, 5 + 10);
}

#[test]
fn a_deletion_is_waited_for_until_the_object_goes() {
    let cached = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "x",
        "namespace": "n", "uid": "x", "resourceVersion": "1"}});
    let mut t = Trial::new(std::slice::from_ref(&cached));
    t.wake("ask");
    assert_eq!(t.answer(1, pod("x", 1)), ["2 delete x"]);
    t.answer(2, pod("x", 1));
    assert!(t.wake("ask").is_empty());
    let old = Some(Arc::new(Object::from_value(cached).unwrap()));
    t.with(|work, _| work.seen(POD, 2, Some(&Change { old, new: None })));
    assert_eq!(t.sent(), ["3 get x"]);
}

#[test]
fn keys_are_synced_in_the_order_in_which_they_became_due() {
    let mut t = Trial::new(&[]);
    t.with(|work, _| {
        for name in ["two", "idle", "ask"] {
            work.wake(Key::new(Controller::Job, "n", name));
        }
    });
    assert_eq!(t.sent(), ["1 get 1", "2 get 2", "3 get x"]);
}
