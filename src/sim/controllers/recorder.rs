//! Turns notes into requests for core/v1 Events, as client-go's recorder does (R-CTL-39): the
//! first of a kind is created, a repetition raises the count of the one that is there; more than
//! ten texts of one reason within ten minutes are told as one; and who tells too much of one
//! object is cut short.
//!
//! Who sends the requests and ignores the answers is `work`. That Events go an hour after the last
//! write to them is the server's doing; a repetition after that is created anew.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::kinds::EVENTS;
use super::plan::Note;
use crate::api::{PatchKind, Request};
use crate::base::{Time, limits};
use crate::object::{Map, Object, Value, json};

/// What makes Events similar: object, source, type, reason.
type Similarity = (String, &'static str, bool, &'static str);

/// What makes two Events the same: with a text, or all texts together.
type Sameness = (Similarity, Option<String>);

/// Texts of one reason before they are told as one, and for how long they are remembered.
const SIMILAR: (usize, Duration) = (10, Duration::from_secs(600));

/// Events of one object by one source that are written without a pause, then one each so often.
const BURST: (u32, Duration) = (25, Duration::from_secs(300));

/// What is remembered of the Events written.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    written: Recent<Sameness, Written>,
    similar: Recent<Similarity, Similar>,
    spent: Recent<(String, &'static str), Spent>,
    last: u64,
}

#[derive(Debug)]
struct Written {
    name: String,
    count: u64,
    first: Time,
    last: Time,
}

#[derive(Debug)]
struct Similar {
    texts: BTreeSet<String>,
    last: Time,
}

#[derive(Debug)]
struct Spent {
    events: u32,
    refilled: Time,
}

/// The latest entries of a map, so that it does not grow for ever.
#[derive(Debug)]
struct Recent<K, V> {
    entries: BTreeMap<Arc<K>, V>,
    order: VecDeque<Arc<K>>,
}

impl<K: Ord, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), order: VecDeque::new() }
    }
}

impl<K: Ord, V> Recent<K, V> {
    /// The entry of a key, made if it is not there.
    fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let key = Arc::new(key);
        if !self.entries.contains_key(&key) {
            self.order.push_back(Arc::clone(&key));
            if self.order.len() > limits::EVENTS_REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.entries.remove(&oldest);
            }
        }
        self.entries.entry(key).or_insert_with(make)
    }
}

impl Recorder {
    /// The request that records `note`, whose message is complete, for `component`; `None` where
    /// too much was told of the object already.
    pub(super) fn record(
        &mut self,
        now: Time,
        component: &'static str,
        note: &Note,
    ) -> Option<Request> {
        let about = &note.about;
        let similarity = (about.uid().to_owned(), component, note.warning, note.reason);
        let is_one_of_many = self.is_one_of_many(now, &similarity, &note.message);
        let text = (!is_one_of_many).then(|| note.message.clone());
        let message = match &text {
            Some(text) => text.clone(),
            None => format!("(combined from similar events): {}", note.message),
        };
        self.last = (now.as_micros() * 1_000).max(self.last + 1);
        // `<object>.<time in hexadecimal>`; the real one counts nanoseconds, of which no two
        // Events share one.
        let name = format!("{}.{:x}", about.name(), self.last);
        let written = self.written.entry((similarity, text), || {
            let name = name.clone();
            Written { name, count: 0, first: now, last: Time::default() }
        });
        written.count += 1;
        let is_there = written.count > 1 && now < written.last + limits::EVENT_TTL;
        if !is_there {
            written.name = name;
        }
        written.last = now;
        let namespace = match about.namespace() {
            "" => "default",
            namespace => namespace,
        };
        let request = if is_there {
            let mut body = json!({"count": written.count, "lastTimestamp": now.rfc3339()});
            if is_one_of_many {
                body["message"] = message.into();
            }
            let gvr = EVENTS.resource.clone();
            Request::patch(gvr, namespace, &written.name, PatchKind::Strategic, body)
        } else {
            let mut event = event(now, component, note, namespace, &message, written);
            if is_one_of_many {
                // What stands for many is made without saying who told of it, `source` aside.
                event.set(&["reportingComponent"], "".into());
            }
            Request::create(EVENTS.resource.clone(), namespace, event)
        };
        self.may_tell(now, about.uid(), component).then_some(request)
    }

    /// Whether there were so many texts of this sort that they are told as one.
    fn is_one_of_many(&mut self, now: Time, similarity: &Similarity, text: &str) -> bool {
        let fresh = || Similar { texts: BTreeSet::new(), last: now };
        let similar = self.similar.entry(similarity.clone(), fresh);
        if now.since(similar.last) > SIMILAR.1 {
            similar.texts.clear();
        }
        similar.last = now;
        similar.texts.insert(text.to_owned());
        let is_many = similar.texts.len() >= SIMILAR.0;
        if is_many {
            similar.texts.pop_first();
        }
        is_many
    }

    fn may_tell(&mut self, now: Time, uid: &str, component: &'static str) -> bool {
        let fresh = || Spent { events: 0, refilled: now };
        let spent = self.spent.entry((uid.to_owned(), component), fresh);
        let earned = now.since(spent.refilled).as_secs() / BURST.1.as_secs();
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(u32::MAX);
            spent.events = spent.events.saturating_sub(earned);
            spent.refilled = now;
        }
        let is_left = spent.events < BURST.0;
        spent.events += u32::from(is_left);
        is_left
    }
}

fn event(
    now: Time,
    component: &str,
    note: &Note,
    namespace: &str,
    message: &str,
    written: &Written,
) -> Object {
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
    let mut event = Map::new();
    let mut set = |key: &str, value: Value| event.insert(key, value);
    let metadata = [("name", &*written.name), ("namespace", namespace)];
    set("apiVersion", "v1".into());
    set("kind", "Event".into());
    set("metadata", Value::from_iter(metadata));
    set("involvedObject", Value::from_iter(involved));
    set("reason", note.reason.into());
    set("message", message.into());
    set("type", if note.warning { "Warning" } else { "Normal" }.into());
    set("count", written.count.into());
    set("firstTimestamp", written.first.rfc3339().into());
    set("lastTimestamp", now.rfc3339().into());
    set("source", Value::from_iter([("component", component)]));
    set("reportingComponent", component.into());
    set("reportingInstance", "".into());
    Object(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Time = Time::VIRTUAL_START;

    fn note(uid: &str, message: &str) -> Note {
        let about = json!({"kind": "Pod", "apiVersion": "v1",
            "metadata": {"name": "a", "namespace": "n", "uid": uid}});
        Note {
            about: Arc::new(Object::from_value(about).unwrap()),
            warning: false,
            reason: "R",
            message: message.to_owned(),
        }
    }

    /// `verb count message` of what is written, `-` for nothing.
    fn told(recorder: &mut Recorder, now: Time, uid: &str, message: &str) -> String {
        let request = recorder.record(now, "c", &note(uid, message));
        request.map_or("-".to_owned(), |request| {
            let body = request.body.as_ref().unwrap();
            let text = body["message"].as_str().unwrap_or_default();
            format!("{} {} {text}", request.verb_name(), body["count"])
        })
    }

    #[test]
    fn a_repetition_counts_and_two_of_one_instant_have_two_names() {
        let mut recorder = Recorder::default();
        let mut record = |text: &str| recorder.record(T0, "c", &note("u", text)).unwrap();
        let (one, two, again) = (record("x"), record("y"), record("x"));
        let name = |r: &Request| r.body.as_ref().unwrap()["metadata"]["name"].clone();
        assert_ne!(name(&one), name(&two));
        assert_eq!(again.verb_name(), "patch");
        assert_eq!(again.name.as_deref(), name(&one).as_str());
        assert_eq!(again.body.as_ref().unwrap()["count"], 2);
    }

    #[test]
    fn many_texts_of_one_reason_are_told_as_one() {
        let mut recorder = Recorder::default();
        for n in 0..9 {
            let text = format!("t{n}");
            assert_eq!(told(&mut recorder, T0, "u", &text), format!("create 1 {text}"));
        }
        let combined = |n: u32| format!("(combined from similar events): t{n}");
        assert_eq!(told(&mut recorder, T0, "u", "t9"), format!("create 1 {}", combined(9)));
        assert_eq!(told(&mut recorder, T0, "u", "t10"), format!("patch 2 {}", combined(10)));
        let later = T0 + SIMILAR.1 + Duration::from_secs(1);
        assert_eq!(told(&mut recorder, later, "u", "t11"), "create 1 t11");
    }

    #[test]
    fn who_tells_too_much_is_cut_short_and_an_event_that_is_gone_is_made_again() {
        let mut recorder = Recorder::default();
        assert_eq!(told(&mut recorder, T0, "u", "x"), "create 1 x");
        for n in 2..=25 {
            assert_eq!(told(&mut recorder, T0, "u", "x"), format!("patch {n} "));
        }
        assert_eq!(told(&mut recorder, T0, "u", "x"), "-");
        assert_eq!(told(&mut recorder, T0, "other", "x"), "create 1 x");
        let later = T0 + limits::EVENT_TTL;
        assert_eq!(told(&mut recorder, later, "u", "x"), "create 27 x");
    }
}
