//! A run told apart into tracks, as `scripts/baseline-controllers` does: each the sequence of one
//! kind of state without repetitions, generated names masked.

use std::collections::BTreeMap;

use towtank::api::{EventKind, WatchEvent};
use towtank::object::{Object, Value, json};

const WORKLOADS: [&str; 8] = [
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "HorizontalPodAutoscaler",
    "ResourceQuota",
];

/// The tracks of a run.
#[derive(Default)]
pub(crate) struct Tracks {
    names: BTreeMap<String, String>,
    pods: BTreeMap<String, String>,
    sizes: BTreeMap<String, Value>,
    live: BTreeMap<(String, String), Object>,
    pub(crate) out: BTreeMap<String, Vec<Value>>,
}

impl Tracks {
    /// The tracks of what was heard; `marks` says how much was heard at the end of each step.
    pub(crate) fn of(heard: &[WatchEvent], marks: &[usize]) -> Self {
        let mut tracks = Self::default();
        for event in heard {
            let (o, next) = (&event.object, tracks.names.len() + 1);
            let word = match o.kind() {
                "ReplicaSet" => "set",
                "ControllerRevision" => "revision",
                "Pod" => {
                    let owner = o.owners().find(|o| matches!(o.kind, "DaemonSet" | "Job"));
                    let short = owner.map(|owner| format!("pod of {}", mask_minutes(owner.name)));
                    tracks.pods.extend(short.map(|short| (o.name().to_owned(), short)));
                    continue;
                }
                _ => continue,
            };
            tracks.names.entry(o.name().to_owned()).or_insert(format!("{word}-{next}"));
        }
        tracks.out.insert("stands".to_owned(), Vec::new());
        for (index, event) in heard.iter().enumerate() {
            tracks.take(event);
            for _ in marks.iter().filter(|mark| **mark == index + 1) {
                let stand = tracks.stand();
                tracks.out.entry("stands".to_owned()).or_default().push(stand);
            }
        }
        tracks
    }

    fn masked(&self, value: &Value) -> Value {
        let mut text = value.to_string();
        for (name, short) in &self.names {
            text = mask_pods(&text, name, &format!("pod of {short}"));
            let hash = name.rsplit_once('-').map_or("", |(_, hash)| hash);
            text = text.replace(name, short).replace(hash, &format!("hash of {short}"));
        }
        for (name, short) in &self.pods {
            text = text.replace(name, short);
        }
        serde_json::from_str(&mask_minutes(&mask_times(&mask_uids(&text)))).unwrap()
    }

    fn masked_text(&self, text: &str) -> String {
        self.masked(&text.into()).as_str().unwrap().to_owned()
    }

    fn add(&mut self, track: &str, value: Value) {
        let track = self.out.entry(track.to_owned()).or_default();
        if track.last() != Some(&value) {
            track.push(value);
        }
    }

    fn take(&mut self, event: &WatchEvent) {
        let o = &*event.object;
        let kind = o.kind().to_owned();
        let is_deleted = event.kind == EventKind::Deleted;
        let short = if kind == "Pod" { "pod".to_owned() } else { self.masked_text(o.name()) };
        let key = (kind.clone(), o.uid().to_owned());
        if is_deleted {
            self.live.remove(&key);
        } else if kind != "Event" {
            self.live.insert(key, o.clone());
        }
        match kind.as_str() {
            "Event" => self.take_event(event.kind, o),
            "Pod" if is_deleted => self.add("endings", "pods".into()),
            "Namespace" if is_deleted => self.add("endings", kind.into()),
            _ if is_deleted && o.name() == "kube-root-ca.crt" => {}
            _ if is_deleted => self.add("endings", format!("{kind} {short}").into()),
            workload if WORKLOADS.contains(&workload) => self.take_workload(&kind, &short, o),
            "Namespace" => {
                let mut value = vec![o.at(&["status", "phase"]).cloned().unwrap_or_default()];
                value.extend(conditions(o));
                self.add("Namespace conditions", value.into());
            }
            _ => {}
        }
    }

    fn take_workload(&mut self, kind: &str, short: &str, o: &Object) {
        let (conditions, notes) =
            (self.masked(&conditions(o).into()), self.masked(&annotations(o)));
        let size = o.at(&["spec", "replicas"]).cloned().unwrap_or_default();
        self.add(&format!("{kind} {short} conditions"), conditions);
        self.add(&format!("{kind} {short} annotations"), notes);
        self.add(&format!("{kind} {short} counts"), self.masked(&counts(o)));
        self.add(&format!("{kind} {short} size"), size.clone());
        self.add(&format!("{kind} {short} generation"), o.generation().into());
        if kind == "ReplicaSet"
            && self.sizes.insert(short.to_owned(), size.clone()).as_ref() != Some(&size)
        {
            self.add("sizes", json!([short, size]));
        }
    }

    fn take_event(&mut self, kind: EventKind, o: &Object) {
        let text = |path: &[&str]| o.text(path).unwrap_or_default().to_owned();
        let about = text(&["involvedObject", "kind"]);
        if kind != EventKind::Added || !WORKLOADS.contains(&about.as_str()) {
            return;
        }
        let name = self.masked_text(&text(&["involvedObject", "name"]));
        let message = self.masked_text(&text(&["message"]));
        let track = format!("events of {about} {name}");
        let same = self.out.get(&track).into_iter().flatten().filter(|e| e[2] == *message).count();
        let component = text(&["reportingComponent"]);
        self.add(&track, json!([text(&["type"]), text(&["reason"]), message, component, same + 1]));
    }

    /// Everything as it stands.
    fn stand(&self) -> Value {
        let mut all: Vec<Value> = Vec::new();
        for ((kind, _), o) in &self.live {
            if kind == "Namespace" || o.name() == "kube-root-ca.crt" {
                continue;
            }
            let mut owners: Vec<String> = o
                .owners()
                .map(|r| {
                    format!("{}{}", r.kind, if r.block_owner_deletion { " blocks" } else { "" })
                })
                .collect();
            owners.sort();
            let labels = o.at(&["metadata", "labels"]).cloned().unwrap_or(json!({}));
            let name = if kind == "Pod" { "pod".to_owned() } else { self.masked_text(o.name()) };
            let mut one = json!({"kind": kind, "name": name, "owners": owners,
                "labels": self.masked(&labels)});
            if WORKLOADS.contains(&kind.as_str()) {
                one["conditions"] = self.masked(&conditions(o).into());
                one["annotations"] = self.masked(&annotations(o));
                one["counts"] = self.masked(&counts(o));
                one["size"] = o.at(&["spec", "replicas"]).cloned().unwrap_or_default();
                let selector = o.at(&["spec", "selector"]).cloned().unwrap_or_default();
                one["selector"] = self.masked(&selector);
            }
            all.push(one);
        }
        sorted(all)
    }
}

/// A list in the order of its texts.
pub(crate) fn sorted(mut all: Vec<Value>) -> Value {
    all.sort_by_key(Value::to_string);
    all.into()
}

/// `name-xxxxx` becomes `word`, wherever it stands.
fn mask_pods(text: &str, name: &str, word: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let after = &rest[at + name.len()..];
        let is_letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let bytes = after.as_bytes();
        let is_pod =
            bytes.len() > 5 && bytes[0] == b'-' && bytes[1..6].iter().all(|c| is_letter(*c));
        out.push_str(&rest[..at]);
        out.push_str(if is_pod { word } else { name });
        rest = if is_pod { &after[6..] } else { after };
    }
    out + rest
}

fn conditions(o: &Object) -> Vec<Value> {
    let part = |c: &Value, key: &str| c.get(key).cloned().unwrap_or("".into());
    let of = |c: &Value| json!(["type", "status", "reason", "message"].map(|key| part(c, key)));
    o.list(&["status", "conditions"]).iter().map(of).collect()
}

fn annotations(o: &Object) -> Value {
    o.at(&["metadata", "annotations"]).cloned().unwrap_or(json!({}))
}

/// All of the status but conditions and times.
fn counts(o: &Object) -> Value {
    let status = o.at(&["status"]).and_then(Value::as_object).cloned().unwrap_or_default();
    let kept = status.into_iter().filter(|(key, _)| key != "conditions" && !key.ends_with("Time"));
    without_revisions(&Value::Object(kept.collect()))
}

fn without_revisions(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| *key != "resourceVersion")
            .map(|(key, value)| (key.clone(), without_revisions(value)))
            .collect(),
        Value::Array(list) => list.iter().map(without_revisions).collect(),
        other => other.clone(),
    }
}

/// Eight digits by themselves are the minutes of a schedule.
fn mask_minutes(text: &str) -> String {
    let is_it = |run: &str| run.len() == 8 && run.bytes().all(|b| b.is_ascii_digit());
    replaced(text, "minutes", |letter| letter.is_alphanumeric() || letter == '_', is_it)
}

fn mask_times(text: &str) -> String {
    let mut out = text.to_owned();
    while let Some(at) = time_in(&out) {
        out.replace_range(at..at + 20, "time");
    }
    out
}

/// Where a time such as `2026-01-01T00:00:00Z` stands.
fn time_in(text: &str) -> Option<usize> {
    const FORM: &[u8; 20] = b"0000-00-00T00:00:00Z";
    let is_it = |window: &[u8]| {
        let is_same =
            |(a, form): (&u8, &u8)| if *form == b'0' { a.is_ascii_digit() } else { a == form };
        window.iter().zip(FORM).all(is_same)
    };
    text.as_bytes().windows(FORM.len()).position(is_it)
}

/// Every run of letters that `is_part` takes becomes `word`, if `is_it` takes the run.
pub(super) fn replaced(
    text: &str,
    word: &str,
    is_part: impl Fn(char) -> bool,
    is_it: impl Fn(&str) -> bool,
) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for letter in text.chars().chain(['\0']) {
        if is_part(letter) {
            run.push(letter);
            continue;
        }
        out.push_str(if is_it(&run) { word } else { &run });
        run.clear();
        out.push(letter);
    }
    out.pop();
    out
}

/// Every uid becomes `uid`.
pub(crate) fn mask_uids(text: &str) -> String {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    let is_uid = |bytes: &[u8]| {
        let mut at = 0;
        GROUPS.iter().enumerate().all(|(index, length)| {
            let is_divided = index == 0 || bytes.get(at) == Some(&b'-');
            at += usize::from(index > 0);
            let group = bytes.get(at..at + length);
            at += length;
            is_divided && group.is_some_and(|g| g.iter().all(u8::is_ascii_hexdigit))
        })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let is_here = is_uid(rest.as_bytes());
        out.push_str(if is_here { "uid" } else { &rest[..next.len_utf8()] });
        rest = &rest[if is_here { 36 } else { next.len_utf8() }..];
    }
    out
}
