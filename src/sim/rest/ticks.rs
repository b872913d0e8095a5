//! What time alone brings: bookmarks and the ends of watches (R-STO-31, R-HTTP-40).

use std::sync::Arc;
use std::time::Duration;

use super::{Server, Ticked};
use crate::api::{EventKind, WatchEvent};
use crate::base::Time;
use crate::object::{Object, json};
use crate::sim::store::{Delivery, Store, Watch};

/// A watch that wants bookmarks gets one this long after a write, at most.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// When bookmarks are due, and what has been told of already.
#[derive(Debug, Default)]
pub(super) struct Bookmarks {
    due: Option<Time>,
    revision: u64,
}

impl Bookmarks {
    /// Sets the next ones if there is something to tell and somebody who asked for it.
    pub(super) fn after_request(&mut self, now: Time, store: &Store) {
        if self.due.is_none()
            && store.revision() > self.revision
            && store.watches().any(|watch| watch.bookmarks)
        {
            self.due = Some(now + BOOKMARK_EVERY);
        }
    }
}

pub(super) fn next(server: &Server) -> Option<Time> {
    let expiry = super::expiry::next(server);
    server.bookmarks.due.into_iter().chain(server.store.next_end()).chain(expiry).min()
}

pub(super) fn tick(server: &mut Server, now: Time) -> Ticked {
    super::expiry::expire(server, now);
    let mut deliveries = server.store.take_deliveries();
    if server.bookmarks.due.is_some_and(|due| due <= now) {
        let revision = server.store.revision();
        for watch in server.store.watches().filter(|watch| watch.bookmarks) {
            let object = bookmark(watch, revision, false);
            let event = WatchEvent { kind: EventKind::Bookmark, object };
            deliveries.push(Delivery { client: watch.client, id: watch.id, event });
        }
        server.bookmarks = Bookmarks { due: None, revision };
    }
    let ended = server.store.close(|watch| watch.until.is_some_and(|until| until <= now));
    Ticked { deliveries, ended }
}

/// The object of a bookmark: its kind and a revision, and at the end of a streamed list the
/// annotation that says so.
pub(super) fn bookmark(watch: &Watch, revision: u64, ends_list: bool) -> Arc<Object> {
    let mut metadata = json!({ "resourceVersion": revision.to_string() });
    if ends_list {
        metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
    }
    let mut object = Object::default();
    object.set(&["kind"], (*watch.kind).into());
    object.set(&["apiVersion"], (*watch.api_version).into());
    object.set(&["metadata"], metadata);
    Arc::new(object)
}
