//! Turns notes into requests for core/v1 Events, as client-go's recorder does: the first of a
//! kind is created, a repetition raises the count of the one that is there (R-CTL-39).
//!
//! Not here: the spam filter and the joining of similar Events of client-go. Who sends the
//! requests and ignores the answers is `work`.

use std::collections::{BTreeMap, VecDeque};

use super::kinds::EVENTS;
use super::plan::Note;
use crate::api::{PatchKind, Request};
use crate::base::{Time, limits};
use crate::object::{Object, json};

/// What makes two Events the same: object, source, type, reason, text.
type Sameness = (String, &'static str, bool, &'static str, String);

/// What is remembered of the Events written.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    written: BTreeMap<Sameness, (String, u64)>,
    order: VecDeque<Sameness>,
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
        self.order.push_back(same.clone());
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
    let mut involved = json!({
        "apiVersion": about.api_version(),
        "kind": about.kind(),
        "name": about.name(),
        "resourceVersion": about.resource_version(),
        "uid": about.uid(),
    });
    if !about.namespace().is_empty() {
        involved["namespace"] = about.namespace().into();
    }
    let value = json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": involved,
        "reason": note.reason,
        "message": note.message,
        "type": if note.warning { "Warning" } else { "Normal" },
        "count": 1,
        "firstTimestamp": now.rfc3339(),
        "lastTimestamp": now.rfc3339(),
        "source": {"component": component},
        "reportingComponent": component,
        "reportingInstance": "",
    });
    Object::from_value(value).unwrap_or_default()
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
