//! Turns notes into requests for core/v1 Events, as client-go's recorder does: the first of a
//! kind is created, a repetition raises the count of the one that is there (R-CTL-39).
//!
//! Not here: the spam filter and the joining of similar Events of client-go. Who sends the
//! requests and ignores the answers is `work`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::kinds::EVENTS;
use super::plan::Note;
use crate::api::{PatchKind, Request};
use crate::base::{Time, limits};
use crate::object::{Map, Object, Value, json};

/// What makes two Events the same: object, source, type, reason, text.
type Sameness = (String, &'static str, bool, &'static str, String);

/// What is remembered of the Events written.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    written: BTreeMap<Arc<Sameness>, (String, u64)>,
    order: VecDeque<Arc<Sameness>>,
    last: u64,
}

impl Recorder {
    /// The request that records `note`, whose message is complete, for `component`.
    pub(super) fn record(&mut self, now: Time, component: &'static str, note: &Note) -> Request {
        let about = &note.about;
        let namespace = match about.namespace() {
            "" => "default",
            namespace => namespace,
        };
        let same =
            (about.uid().to_owned(), component, note.warning, note.reason, note.message.clone());
        if let Some((name, count)) = self.written.get_mut(&same) {
            *count += 1;
            let body = json!({"count": *count, "lastTimestamp": now.rfc3339()});
            let gvr = EVENTS.resource.clone();
            return Request::patch(gvr, namespace, name, PatchKind::Strategic, body);
        }
        let name = self.name(now, about.name());
        self.remember(same, name.clone());
        let event = event(now, component, note, namespace, &name);
        Request::create(EVENTS.resource.clone(), namespace, event)
    }

    /// `<object>.<time in hexadecimal>`; the real one counts nanoseconds, of which no two Events
    /// share one.
    fn name(&mut self, now: Time, object: &str) -> String {
        self.last = (now.as_micros() * 1_000).max(self.last + 1);
        format!("{object}.{:x}", self.last)
    }

    fn remember(&mut self, same: Sameness, name: String) {
        let same = Arc::new(same);
        self.order.push_back(Arc::clone(&same));
        self.written.insert(same, (name, 1));
        if self.order.len() > limits::EVENTS_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.written.remove(&oldest);
        }
    }
}

fn event(now: Time, component: &str, note: &Note, namespace: &str, name: &str) -> Object {
    let about = &note.about;
    let place = Some(about.namespace()).filter(|namespace| !namespace.is_empty());
    let involved = [
        ("apiVersion", about.api_version()),
        ("kind", about.kind()),
        ("name", about.name()),
        ("resourceVersion", about.resource_version()),
        ("uid", about.uid()),
    ];
    let involved = involved.into_iter().chain(place.map(|namespace| ("namespace", namespace)));
    let at = Value::from(now.rfc3339());
    let mut event = Map::new();
    let mut set = |key: &str, value: Value| event.insert(key.to_owned(), value);
    set("apiVersion", "v1".into());
    set("kind", "Event".into());
    set("metadata", Value::from_iter([("name", name), ("namespace", namespace)]));
    set("involvedObject", Value::from_iter(involved));
    set("reason", note.reason.into());
    set("message", note.message.as_str().into());
    set("type", if note.warning { "Warning" } else { "Normal" }.into());
    set("count", 1.into());
    set("firstTimestamp", at.clone());
    set("lastTimestamp", at);
    set("source", Value::from_iter([("component", component)]));
    set("reportingComponent", component.into());
    set("reportingInstance", "".into());
    Object(event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_repetition_counts_and_two_of_one_instant_have_two_names() {
        let mut recorder = Recorder::default();
        let about = json!({"kind": "Pod", "apiVersion": "v1",
            "metadata": {"name": "a", "namespace": "n", "uid": "u"}});
        let note = |message: &str| Note {
            about: Arc::new(Object::from_value(about.clone()).unwrap()),
            warning: false,
            reason: "R",
            message: message.to_owned(),
        };
        let mut record = |text: &str| recorder.record(Time::VIRTUAL_START, "c", &note(text));
        let (one, two, again) = (record("x"), record("y"), record("x"));
        let name = |r: &Request| r.body.as_ref().unwrap()["metadata"]["name"].clone();
        assert_ne!(name(&one), name(&two));
        assert_eq!(again.verb_name(), "patch");
        assert_eq!(again.name.as_deref(), name(&one).as_str());
        assert_eq!(again.body.as_ref().unwrap()["count"], 2);
    }
}
