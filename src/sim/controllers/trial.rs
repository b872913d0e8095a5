//! What the tests of the controllers share: a plan as text.

use super::caches::Caches;
use super::plan::{Asked, Controller, Cx, Key, Plan};
use super::settings::Settings;
use crate::api::Verb;
use crate::base::Time;
use crate::object::Value;

/// What `sync` plans for the object `w` in the namespace `n`.
pub(super) fn plan(sync: fn(&Cx) -> Plan, objects: &[Value], now: Time, asked: &[Asked]) -> Plan {
    Trial { asked, ..Trial::of(sync, "n", "w", now) }.plan(objects)
}

/// A look at one key.
#[derive(Clone, Copy)]
pub(super) struct Trial<'a> {
    pub(super) sync: fn(&Cx) -> Plan,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) now: Time,
    pub(super) asked: &'a [Asked],
    pub(super) failure: Option<&'a Asked>,
}

impl<'a> Trial<'a> {
    /// The first look: nothing was asked and nothing failed.
    pub(super) fn of(sync: fn(&Cx) -> Plan, namespace: &'a str, name: &'a str, now: Time) -> Self {
        Self { sync, namespace, name, now, asked: &[], failure: None }
    }

    /// What is planned in a world of these objects.
    pub(super) fn plan(self, objects: &[Value]) -> Plan {
        let Self { sync, now, asked, failure, .. } = self;
        // No controller looks at whose key it is.
        let key = &Key::new(Controller::Job, self.namespace, self.name);
        let (caches, settings) = (&Caches::of(objects), &Settings::default());
        sync(&Cx { now, key, caches, settings, asked, failure, memory: None })
    }
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
