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
    if streamed && options.bookmarks {
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
    let forbidden = |detail: &str| {
        let cause = Cause {
            reason: "FieldValueForbidden".to_owned(),
            message: format!("Forbidden: {detail}"),
            field: "resourceVersionMatch".to_owned(),
        };
        Err(Status::invalid("meta.k8s.io", "ListOptions", "", &[cause]))
    };
    let matched = options.resource_version_match.as_deref().unwrap_or_default();
    match options.send_initial_events {
        Some(_) if matched != "NotOlderThan" => {
            forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
        }
        None if !matched.is_empty() => forbidden(
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
        streamed => Ok(streamed == Some(true)),
    }
}
