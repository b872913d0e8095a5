//! Events go an hour after the last write to them, as they do from an etcd that is told to
//! (R-CTL-39).
//!
//! Nobody is woken for it: they go when the server is next asked something, or at their time
//! where somebody watches, so that what can be seen is always right and an idle world stays idle.

use std::collections::VecDeque;

use super::Server;
use crate::api::{Request, Response, Verb};
use crate::base::{Time, limits};
use crate::object::Object;
use crate::sim::store::{Key, Resource};

/// Writes to Events, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    writes: VecDeque<(Time, Key, u64)>,
}

fn events() -> Resource {
    Resource { group: "".into(), plural: "events".into() }
}

impl Expiry {
    /// Notes a request that wrote an Event.
    pub(super) fn after(&mut self, now: Time, request: &Request, response: &Response) {
        let gvr = &request.resource;
        let is_event = gvr.plural == "events" && matches!(&*gvr.group, "" | "events.k8s.io");
        if !is_event || !matches!(request.verb, Verb::Create | Verb::Update | Verb::Patch(_)) {
            return;
        }
        if let Some(event) = response.as_object().filter(|_| response.is_ok()) {
            self.note(now, event);
        }
    }

    fn note(&mut self, now: Time, event: &Object) {
        let key = Key::new(event.namespace(), event.name());
        self.writes.push_back((now + limits::EVENT_TTL, key, event.revision()));
    }

    /// When the next one is due.
    fn next(&self) -> Option<Time> {
        self.writes.front().map(|(due, ..)| *due)
    }
}

/// Notes the Events that were there before the server was; they have all of their time again.
pub(super) fn adopt(server: &mut Server, now: Time) {
    let resource = events();
    for event in server.store.all_of(&resource).cloned().collect::<Vec<_>>() {
        server.expiry.note(now, &event);
    }
}

/// Removes what is due.
pub(super) fn expire(server: &mut Server, now: Time) {
    if server.expiry.next().is_none_or(|due| due > now) {
        return;
    }
    let resource = events();
    while let Some((_, key, revision)) = server.expiry.writes.pop_front_if(|(due, ..)| *due <= now)
    {
        // One that was written since has a later entry, one that was deleted none.
        let live = server.store.get(&resource, &key);
        if live.is_some_and(|live| live.revision() == revision) {
            server.store.remove(&resource, key);
        }
    }
}

/// When somebody is to see the next one go.
pub(super) fn next(server: &Server) -> Option<Time> {
    let due = server.expiry.next()?;
    server.store.is_watched(&events()).then_some(due)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;
    use crate::object::{Gvr, json};
    use std::time::Duration;

    fn event(name: &str) -> Request {
        let about = json!({"kind": "Pod", "name": "p", "namespace": "default"});
        let value = json!({"apiVersion": "v1", "kind": "Event", "involvedObject": about,
            "metadata": {"name": name, "namespace": "default"}, "reason": "R", "message": "m"});
        let gvr = Gvr::new("", "v1", "events");
        Request::create(gvr, "default", Object::from_value(value).unwrap())
    }

    #[test]
    fn an_event_goes_an_hour_after_the_last_write_to_it() {
        let at = |minutes: u64| Time::VIRTUAL_START + Duration::from_secs(60 * minutes);
        let mut server = Server::new(&Rng::new(1));
        let gvr = Gvr::new("", "v1", "events");
        for name in ["kept", "left"] {
            assert!(server.handle(at(0), 1, 1, &event(name)).response.is_ok());
        }
        let count = |server: &Server| server.all_of(&gvr).count();
        let kind = crate::api::PatchKind::Strategic;
        let again = Request::patch(gvr.clone(), "default", "kept", kind, json!({"count": 2}));
        assert!(server.handle(at(30), 1, 2, &again).response.is_ok());
        assert_eq!(server.next_tick(), None, "nobody watches");
        server.tick(at(60));
        assert_eq!(count(&server), 1);
        let mut watch = Request::watch(gvr.clone(), "default", "0");
        watch.options.bookmarks = false;
        server.handle(at(60), 1, 3, &watch);
        assert_eq!(server.next_tick(), Some(at(90)));
        assert_eq!(server.tick(at(90)).deliveries.len(), 1);
        assert_eq!(count(&server), 0);
    }
}
