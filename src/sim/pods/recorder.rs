//! Events (core/v1) of pods, written as client-go's recorder does: the same text again raises a
//! count, and a chatty pod is cut short (R-CTL-39).
//!
//! Not imitated: the merging of events with different texts ("combined from similar events").

use std::collections::BTreeMap;
use std::time::Duration;

use super::EVENTS;
use super::ground::Note;
use crate::api::{PatchKind, Request};
use crate::base::{Time, limits};
use crate::object::{Object, Uid, event, json};

/// Events of one object that are written without a pause, then one each [`REFILL`].
const BURST: u32 = 25;

/// See [`BURST`].
const REFILL: Duration = Duration::from_secs(300);

/// What was told of pods so far.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    /// By uid.
    pods: BTreeMap<Uid, Told>,
    written: u64,
}

/// What makes two events of a pod the same: field, reason, message.
type Text = (String, &'static str, String);

#[derive(Debug)]
struct Told {
    /// The event's name and how often it was told.
    events: BTreeMap<Text, (String, u64)>,
    spent: u32,
    refilled: Time,
}

impl Recorder {
    /// The write that tells of `note`, if it is to be told.
    pub(super) fn record(&mut self, pod: &Object, note: Note, now: Time) -> Option<Request> {
        let fresh = || Told { events: BTreeMap::new(), spent: 0, refilled: now };
        let told = self.pods.entry(pod.uid().into()).or_insert_with(fresh);
        told.afford(now).then_some(())?;
        if told.events.len() >= limits::POD_EVENTS {
            told.events.clear();
        }
        let key = (note.field, note.reason, note.message);
        if let Some((name, count)) = told.events.get_mut(&key) {
            *count += 1;
            let body = json!({"count": *count, "lastTimestamp": now.rfc3339()});
            return Some(Request::patch(EVENTS, pod.namespace(), name, PatchKind::Strategic, body));
        }
        // Real names end in nanoseconds; the number written keeps those of one instant apart.
        self.written += 1;
        let nanos = now.as_micros().saturating_mul(1000).saturating_add(self.written % 1000);
        let name = format!("{}.{nanos:x}", pod.name());
        let event = event(pod, &name, note.warning, &key, now);
        told.events.insert(key, (name, 1));
        Some(Request::create(EVENTS, pod.namespace(), event))
    }

    /// The pod is gone.
    pub(super) fn forget(&mut self, uid: &Uid) {
        self.pods.remove(uid);
    }
}

impl Told {
    fn afford(&mut self, now: Time) -> bool {
        let earned = now.since(self.refilled).as_secs() / REFILL.as_secs();
        if earned > 0 {
            self.spent = self.spent.saturating_sub(u32::try_from(earned).unwrap_or(u32::MAX));
            self.refilled = now;
        }
        let affordable = self.spent < BURST;
        self.spent += u32::from(affordable);
        affordable
    }
}

fn event(pod: &Object, name: &str, warning: bool, text: &Text, now: Time) -> Object {
    let (field, reason, message) = text;
    let mut about = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": pod.namespace(),
        "name": pod.name(),
        "uid": pod.uid(),
        "resourceVersion": pod.resource_version(),
    });
    if !field.is_empty() {
        about["fieldPath"] = field.as_str().into();
    }
    let told = event::Told {
        name,
        about,
        warning,
        reason,
        message,
        component: "kubelet",
        host: pod.text(&["spec", "nodeName"]).unwrap_or_default(),
        at: now,
    };
    told.into_object()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_comes_again_is_counted_and_a_chatty_pod_is_cut_short() {
        let pod = json!({"metadata": {"name": "p", "namespace": "n", "uid": "u"}});
        let pod = Object::from_value(pod).unwrap();
        let note = |message: &str| Note {
            field: "spec.containers{c}".to_owned(),
            warning: false,
            reason: "Pulling",
            message: message.to_owned(),
        };
        let (mut recorder, mut now) = (Recorder::default(), Time::VIRTUAL_START);
        let mut verbs = Vec::new();
        for text in ["a", "a", "b"] {
            verbs.push(recorder.record(&pod, note(text), now).unwrap().verb_name());
        }
        assert_eq!(verbs, ["create", "patch", "create"]);
        let more = (0..40).filter(|_| recorder.record(&pod, note("a"), now).is_some()).count();
        assert_eq!(more, 22);
        now += REFILL;
        let more = (0..40).filter(|_| recorder.record(&pod, note("a"), now).is_some()).count();
        assert_eq!(more, 1);
    }
}
