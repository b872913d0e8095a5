//! An informer against a server that says what the test wants.

use super::*;
use crate::api::{Reason, Status};
use crate::object::json;

const NOW: Time = Time::VIRTUAL_START;

fn object(name: &str, uid: &str, revision: u64) -> Arc<Object> {
    let value = json!({"kind": "Pod", "apiVersion": "v1", "metadata":
        {"namespace": "n", "name": name, "uid": uid, "resourceVersion": revision.to_string()}});
    Arc::new(Object::from_value(value).unwrap())
}

fn page(revision: u64, token: Option<&str>, items: Vec<Arc<Object>>) -> Response {
    Response::list(List {
        kind: "PodList".into(),
        api_version: "v1".to_owned(),
        revision,
        continue_token: token.map(ToOwned::to_owned),
        remaining: None,
        items,
    })
}

/// The event that ends a watch whose revision is no longer kept.
fn expired_event(message: &str) -> WatchEvent {
    let object = Status::expired(message).to_object();
    WatchEvent { kind: EventKind::Error, object: Arc::new(object) }
}

/// An informer under test, and the trace of what it asks for and what changes.
struct Trial {
    informer: Informer,
    ids: Ids,
    out: Outbox,
    last: u64,
}

impl Trial {
    fn new() -> Self {
        let informer = Informer::new(Gvr::new("", "v1", "pods"), "", "test");
        let mut trial = Self { informer, ids: Ids::default(), out: Outbox::default(), last: 0 };
        trial.informer.start(&mut trial.ids, &mut trial.out);
        trial
    }

    /// What was asked for since the last call: `list`, `list @token`, `watch 7`, `pause 100`.
    fn asked(&mut self) -> String {
        let mut said = Vec::new();
        for (id, request) in self.out.requests.drain(..) {
            self.last = id;
            let o = &request.options;
            let verb = request.verb_name();
            said.push(match (&o.continue_token, &o.resource_version) {
                (Some(token), _) => format!("{verb} @{token}"),
                (None, Some(revision)) => format!("{verb} {revision}"),
                (None, None) => verb.to_owned(),
            });
        }
        for (at, timer) in self.out.timers.drain(..) {
            self.last = timer;
            said.push(format!("pause {}", at.since(NOW).as_millis()));
        }
        said.join(", ")
    }

    fn take(&mut self, input: &Input) -> String {
        let changes = self.informer.take(NOW, input, &mut self.ids, &mut self.out);
        let name = |o: &Option<Arc<Object>>| {
            o.as_ref().map_or("-".to_owned(), |o| format!("{}{}", o.name(), o.revision()))
        };
        let texts: Vec<_> =
            changes.iter().map(|c| format!("{}>{}", name(&c.old), name(&c.new))).collect();
        texts.join(" ")
    }

    fn answer(&mut self, response: Response) -> String {
        self.take(&Input::Answer { id: self.last, response: Arc::new(response) })
    }

    fn event(&mut self, kind: EventKind, object: Arc<Object>) -> String {
        self.take(&Input::Event { id: self.last, event: WatchEvent { kind, object } })
    }

    fn watching() -> Self {
        let mut trial = Self::new();
        assert_eq!(trial.asked(), "list");
        let items = vec![object("a", "1", 3), object("b", "2", 5)];
        assert_eq!(trial.answer(page(7, None, items)), "->a3 ->b5");
        assert_eq!(trial.asked(), "watch 7");
        let open = Response { code: 200, payload: Payload::Watching, warnings: vec![] };
        trial.answer(open);
        trial
    }
}

/// R-FLT-17.
#[test]
fn pages_are_joined_and_a_failed_page_is_asked_for_again() {
    let mut t = Trial::new();
    assert_eq!(t.asked(), "list");
    assert_eq!(t.answer(page(7, Some("x"), vec![object("a", "1", 3)])), "");
    assert_eq!(t.asked(), "list @x");
    assert_eq!(t.answer(Status::new(503, Reason::ServiceUnavailable, "no").into()), "");
    assert_eq!(t.asked(), "pause 100");
    t.take(&Input::Timer { key: t.last });
    assert_eq!(t.asked(), "list @x");
    assert!(!t.informer.is_synced());
    assert_eq!(t.answer(page(7, None, vec![object("b", "2", 5)])), "->a3 ->b5");
    assert_eq!(t.asked(), "watch 7");
    assert!(t.informer.is_synced());
}

/// R-FLT-17.
#[test]
fn an_expired_continue_token_starts_the_list_over() {
    let mut t = Trial::new();
    t.asked();
    t.answer(page(7, Some("x"), vec![object("a", "1", 3)]));
    t.asked();
    t.answer(Status::expired("too old").into());
    assert_eq!(t.asked(), "pause 100");
    t.take(&Input::Timer { key: t.last });
    assert_eq!(t.asked(), "list");
    assert_eq!(t.answer(page(9, None, vec![object("c", "3", 8)])), "->c8");
}

/// R-FLT-07.
#[test]
fn events_change_the_cache_and_a_watch_that_ended_resumes_where_it_was() {
    let mut t = Trial::watching();
    assert_eq!(t.event(EventKind::Modified, object("a", "1", 8)), "a3>a8");
    assert_eq!(t.event(EventKind::Added, object("c", "3", 9)), "->c9");
    assert_eq!(t.event(EventKind::Deleted, object("b", "2", 10)), "b5>-");
    assert_eq!(t.event(EventKind::Bookmark, object("", "", 15)), "");
    assert_eq!(t.informer.revision(), 15);
    t.take(&Input::WatchEnded { id: t.last });
    assert_eq!(t.asked(), "watch 15");
    let names: Vec<_> = t.informer.iter().map(|o| o.name().to_owned()).collect();
    assert_eq!(names, ["a", "c"]);
}

/// R-FLT-07.
#[test]
fn a_watch_that_ends_at_once_without_a_word_is_paused() {
    let mut t = Trial::watching();
    t.take(&Input::WatchEnded { id: t.last });
    assert_eq!(t.asked(), "pause 100");
    t.take(&Input::Timer { key: t.last });
    assert_eq!(t.asked(), "watch 7");
    t.take(&Input::WatchEnded { id: t.last });
    assert_eq!(t.asked(), "pause 200");
}

/// R-FLT-08, R-FLT-11.
#[test]
fn gone_in_mid_stream_lists_again_and_notices_deletions_and_replacements() {
    let mut t = Trial::watching();
    let event = expired_event("too old");
    t.take(&Input::Event { id: t.last, event });
    assert_eq!(t.asked(), "list");
    let items = vec![object("a", "9", 12), object("d", "4", 11)];
    assert_eq!(t.answer(page(20, None, items)), "a3>- ->a12 ->d11 b5>-");
    assert_eq!(t.asked(), "watch 20");
    t.answer(Status::expired("too old").into());
    assert_eq!(t.asked(), "pause 200", "a second 410 without an event between is not rushed");
}

#[test]
fn what_belongs_to_an_earlier_watch_is_ignored() {
    let mut t = Trial::watching();
    let before = t.last;
    t.event(EventKind::Bookmark, object("", "", 8));
    t.take(&Input::WatchEnded { id: before });
    t.asked();
    let event = WatchEvent { kind: EventKind::Deleted, object: object("a", "1", 9) };
    assert_eq!(t.take(&Input::Event { id: before, event }), "");
    assert!(t.informer.get("n", "a").is_some());
}
