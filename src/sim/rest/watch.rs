//! WATCH: from now, from a revision, or a list and then what follows (R-HTTP-40, R-STO-28 to 33).

use std::sync::Arc;
use std::time::Duration;

use super::call::Call;
use super::{Server, list, selection, ticks};
use crate::api::{Cause, EventKind, Payload, Response, Status, WatchEvent};
use crate::sim::store::{Delivery, Since, Watch};

pub(super) fn answer(
    server: &mut Server,
    call: &Call,
    client: u32,
    id: u64,
) -> Result<Response, Status> {
    let options = &call.request.options;
    let filter = selection::of(call)?;
    let streamed = streams_the_list(call)?;
    let asked = options.resource_version.as_deref().unwrap_or_default();
    let from = list::parse_revision(asked)?;
    let since = match from {
        0 if options.send_initial_events == Some(false) => Since::Revision(server.revision()),
        0 => Since::Now,
        _ if streamed => Since::Now,
        from if from > server.revision() => Since::Later,
        from => Since::Revision(from),
    };
    let watch = Watch {
        client,
        id,
        filter,
        bookmarks: options.bookmarks,
        until: options.timeout_seconds.map(|s| call.now + Duration::from_secs(s)),
        api_version: call.request.resource.api_version().into(),
        kind: call.kind.name().into(),
    };
    let mut first = None;
    // Who begins anywhere and takes bookmarks is told where the list ends, asked for or not.
    let from_anywhere = from == 0 && options.send_initial_events.is_none();
    if (streamed || from_anywhere) && options.bookmarks {
        let object = ticks::bookmark(&watch, server.revision(), true);
        first = Some(WatchEvent { kind: EventKind::Bookmark, object });
    }
    let opened = server.store.watch(&call.resource, watch, since);
    let event = match opened {
        Ok(()) => first,
        Err(compacted) => {
            let text = format!("too old resource version: {from} ({})", compacted.oldest);
            let object = Arc::new(Status::expired(text).to_object());
            server.ended.push((client, id));
            Some(WatchEvent { kind: EventKind::Error, object })
        }
    };
    if let Some(event) = event {
        server.store.deliver(Delivery { client, id, event });
    }
    Ok(Response { code: 200, payload: Payload::Watching, warnings: Vec::new() })
}

/// Whether the watch is to begin with a list and a bookmark at its end (R-STO-32).
fn streams_the_list(call: &Call) -> Result<bool, Status> {
    let options = &call.request.options;
    let mut causes = Vec::new();
    let mut refuse = |reason: &str, message: String| {
        let field = "resourceVersionMatch".to_owned();
        causes.push(Cause { reason: reason.to_owned(), message, field });
    };
    let mut forbid = |detail: &str| refuse("FieldValueForbidden", format!("Forbidden: {detail}"));
    let matched = options.resource_version_match.as_deref().unwrap_or_default();
    if options.send_initial_events.is_some() && matched != "NotOlderThan" {
        forbid("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    if !matched.is_empty() && options.send_initial_events.is_none() {
        forbid("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    }
    if !matches!(matched, "" | "NotOlderThan") {
        let text = format!("Unsupported value: {matched:?}: supported values: \"NotOlderThan\"");
        refuse("FieldValueNotSupported", text);
    }
    if options.continue_token.as_deref().is_some_and(|token| !token.is_empty()) {
        let detail = "resourceVersionMatch is forbidden when continue is provided";
        refuse("FieldValueForbidden", format!("Forbidden: {detail}"));
    }
    if !causes.is_empty() {
        return Err(Status::invalid("meta.k8s.io", "ListOptions", "", &causes));
    }
    Ok(options.send_initial_events == Some(true))
}
