//! What the tests of the controllers share: a plan as text.

use super::caches::Caches;
use super::plan::{Asked, Controller, Cx, Key, Plan};
use super::settings::Settings;
use crate::api::Verb;
use crate::base::Time;
use crate::object::Value;

/// What `sync` plans for the object `w` in the namespace `n`.
pub(super) fn plan(sync: fn(&Cx) -> Plan, objects: &[Value], now: Time, asked: &[Asked]) -> Plan {
    let caches = Caches::of(objects);
    // No controller looks at whose key it is.
    let key = Key::new(Controller::Job, "n", "w");
    sync(&Cx {
        now,
        key: &key,
        caches: &caches,
        settings: &Settings::default(),
        asked,
        failure: None,
    })
}

/// Its batches: `verb resource name` for each call, with the subresource.
pub(super) fn text(plan: &Plan) -> String {
    let batches = plan.batches.iter().map(|batch| {
        let calls = batch.iter().map(|call| {
            let r = &call.request;
            let body = r.body.as_deref();
            let sent = body.and_then(|body| body["metadata"]["name"].as_str());
            let verb = if r.verb == Verb::DeleteCollection { "empty" } else { r.verb_name() };
            let name = r.name.as_deref().or(sent).unwrap_or("-");
            let sub = r.subresource.as_deref().map_or(String::new(), |sub| format!("/{sub}"));
            format!("{verb} {} {name}{sub}", r.resource.plural)
        });
        calls.collect::<Vec<_>>().join(", ")
    });
    batches.collect::<Vec<_>>().join("; ")
}

/// The status that it writes last, if it writes one.
pub(super) fn status(plan: &Plan) -> Value {
    let last = plan.batches.iter().flatten().rfind(|c| c.request.subresource.is_some());
    last.and_then(|c| c.request.body.as_deref()).map_or(Value::Null, |body| body["status"].clone())
}
