//! The state of a given App: one ConfigMap in `towtank-system`, so that an engine that was killed
//! resumes where it was. Inventory entries past one ConfigMap's share go to numbered ones.
//!
//! Reading and writing are functions between [`State`] and objects; sending is the reconciler's.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::engine::model::{InventoryEntry, Mark};
pub use crate::engine::model::{LABEL, NAMESPACE, config_map_name};
use crate::object::{Gvr, Object, ObjectId, Value, json};

/// The resource that state is kept in.
pub const CONFIG_MAPS: Gvr = Gvr::new("", "v1", "configmaps");

/// One past revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// The commit.
    pub commit: String,
    /// `ready`, `failed`, `rolled-back`.
    pub outcome: String,
    /// When, RFC 3339.
    pub at: String,
}

/// A commit and what it comes to for an App.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The commit.
    pub commit: String,
    /// Digest of what the App's folder read at it: another commit with the same digest is as good or bad.
    pub digest: String,
}

/// What an engine has to know of an App to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The commit that was worked on last.
    pub revision: String,
    /// `deploying`, `ready`, `failed`, `rolled-back`, `held`.
    pub phase: String,
    /// For people: why.
    pub message: String,
    /// Why what is deployed is not healthy any more, though it was.
    pub degraded: Option<String>,
    /// The last commit that became ready.
    pub last_good: Option<String>,
    /// Digest of what the App's folder read at that commit.
    pub good_digest: Option<String>,
    /// Whether something of a commit that did not become ready may be in the cluster.
    pub unsettled: bool,
    /// The commit that failed, until another became ready.
    pub bad: Option<Content>,
    /// The first commit that had what is deployed, or being deployed, now. Others may have come
    /// on top that changed nothing for the App.
    pub since: Option<Content>,
    /// The commit that the engine pushed last to take another one back.
    pub revert: Option<String>,
    /// Newest first.
    pub history: Vec<Past>,
    /// Objects that may exist because of this App.
    pub inventory: BTreeSet<InventoryEntry>,
    /// Objects of the inventory that somebody else had made before a commit brought them, until
    /// such a commit is ready: they are not deleted.
    pub found: BTreeSet<ObjectId>,
    /// Objects of the inventory that were another App's before a commit brought them, until such a
    /// commit is ready: a rollback does not delete them.
    pub moved: BTreeSet<ObjectId>,
    /// What was applied to them last. Kept beside each entry of the inventory.
    pub marks: BTreeMap<ObjectId, Mark>,
}

impl State {
    /// Puts a revision at the front of the history.
    pub fn remember(&mut self, commit: &str, outcome: &str, at: String) {
        let past = Past { commit: commit.to_owned(), outcome: outcome.to_owned(), at };
        self.history.insert(0, past);
        self.history.truncate(limits::HISTORY_ENTRIES);
    }
}

/// The ConfigMaps that hold `state`, to be applied in this order reversed (overflow first, so that
/// a reader who finds part 0 finds all that it counts on).
#[must_use]
pub fn to_config_maps(app: &str, state: &State) -> Vec<Object> {
    let entries: Vec<&InventoryEntry> = state.inventory.iter().collect();
    let mut parts: Vec<&[&InventoryEntry]> =
        entries.chunks(limits::INVENTORY_ENTRIES_PER_CONFIGMAP).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    let count = parts.len();
    let mut maps: Vec<Object> = parts
        .iter()
        .enumerate()
        .map(|(part, entries)| config_map(app, part, count, entries, state))
        .collect();
    maps.reverse();
    maps
}

fn config_map(
    app: &str,
    part: usize,
    parts: usize,
    entries: &[&InventoryEntry],
    state: &State,
) -> Object {
    let mut object = Object::default();
    object.set(&["apiVersion"], "v1".into());
    object.set(&["kind"], "ConfigMap".into());
    object.set(
        &["metadata"],
        json!({
            "name": config_map_name(app, part),
            "namespace": NAMESPACE,
            "labels": {LABEL: app},
        }),
    );
    object.set(&["data", "inventory"], text(&entries));
    let marks: Vec<Option<&Mark>> = entries.iter().map(|e| state.marks.get(&e.id)).collect();
    object.set(&["data", "marks"], text(&marks));
    if part == 0 {
        object.set(&["data", "parts"], parts.to_string().into());
        object.set(&["data", "revision"], state.revision.clone().into());
        object.set(&["data", "phase"], state.phase.clone().into());
        object.set(&["data", "message"], state.message.clone().into());
        object.set(&["data", "history"], text(&state.history));
        if let Some(reason) = &state.degraded {
            object.set(&["data", "degraded"], reason.clone().into());
        }
        if let Some(good) = &state.last_good {
            object.set(&["data", "lastGood"], good.clone().into());
        }
        if let Some(digest) = &state.good_digest {
            object.set(&["data", "lastGoodDigest"], digest.clone().into());
        }
        if state.unsettled {
            object.set(&["data", "unsettled"], "true".into());
        }
        if !state.found.is_empty() {
            object.set(&["data", "found"], text(&state.found));
        }
        if !state.moved.is_empty() {
            object.set(&["data", "moved"], text(&state.moved));
        }
        if let Some(since) = &state.since {
            object.set(&["data", "since"], text(since));
        }
        if let Some(commit) = &state.revert {
            object.set(&["data", "revert"], commit.clone().into());
        }
        if let Some(bad) = &state.bad {
            object.set(&["data", "bad"], text(bad));
        }
    }
    object
}

fn text(value: &impl Serialize) -> Value {
    Value::String(serde_json::to_string(value).unwrap_or_default().into())
}

/// Puts the state together from all ConfigMaps of one App, in any order. What cannot be read is
/// left out: an inventory that is too small prunes too little, never too much.
#[must_use]
pub fn from_config_maps<'a>(app: &str, maps: impl Iterator<Item = &'a Object>) -> State {
    let mut state = State::default();
    for map in maps {
        let data = |key: &str| map.text(&["data", key]);
        let entries: Vec<InventoryEntry> = parse(data("inventory")).unwrap_or_default();
        let marks: Vec<Option<Mark>> = parse(data("marks")).unwrap_or_default();
        let marked = entries.iter().map(|entry| entry.id.clone()).zip(marks);
        state.marks.extend(marked.filter_map(|(id, mark)| Some((id, mark?))));
        state.inventory.extend(entries);
        if map.name() != config_map_name(app, 0) {
            continue;
        }
        let owned = |key: &str| data(key).unwrap_or_default().to_owned();
        state.revision = owned("revision");
        state.phase = owned("phase");
        state.message = owned("message");
        state.degraded = data("degraded").map(ToOwned::to_owned);
        state.last_good = data("lastGood").map(ToOwned::to_owned);
        state.good_digest = data("lastGoodDigest").map(ToOwned::to_owned);
        state.unsettled = data("unsettled") == Some("true");
        state.bad = parse(data("bad"));
        state.found = parse(data("found")).unwrap_or_default();
        state.moved = parse(data("moved")).unwrap_or_default();
        state.since = parse(data("since"));
        state.revert = data("revert").map(ToOwned::to_owned);
        state.history = parse(data("history")).unwrap_or_default();
    }
    state
}

fn parse<T: for<'de> Deserialize<'de>>(text: Option<&str>) -> Option<T> {
    serde_json::from_str(text?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::ObjectId;

    fn entry(n: usize) -> InventoryEntry {
        let id = ObjectId::new("apps", "Deployment", "shop", format!("d{n}"));
        InventoryEntry { id, version: "v1".to_owned(), bare: false }
    }

    #[test]
    fn a_state_reads_back_from_its_config_maps() {
        let mut state = State {
            revision: "abc".to_owned(),
            phase: "ready".to_owned(),
            degraded: Some("a pod crashes".to_owned()),
            last_good: Some("abc".to_owned()),
            good_digest: Some("2".to_owned()),
            unsettled: true,
            since: Some(Content { commit: "def".to_owned(), digest: "1".to_owned() }),
            revert: Some("ghi".to_owned()),
            bad: Some(Content { commit: "def".to_owned(), digest: "1".to_owned() }),
            inventory: (0..limits::INVENTORY_ENTRIES_PER_CONFIGMAP + 1).map(entry).collect(),
            ..State::default()
        };
        state.found.insert(entry(8).id);
        state.moved.insert(entry(9).id);
        let mark = Mark { digest: "3".to_owned(), uid: "4".to_owned() };
        state.marks.insert(entry(7).id, mark);
        state.remember("abc", "ready", "2026-01-01T00:00:00Z".to_owned());
        let maps = to_config_maps("shop", &state);
        assert_eq!(maps.len(), 2, "the inventory outgrew one ConfigMap");
        assert_eq!(maps[1].name(), "app-shop");
        assert_eq!(from_config_maps("shop", maps.iter()), state);
    }

    #[test]
    fn an_unreadable_state_is_an_empty_one() {
        let mut map = Object::default();
        map.set(&["metadata", "name"], "app-shop".into());
        map.set(&["data", "inventory"], "{".into());
        assert_eq!(from_config_maps("shop", std::iter::once(&map)), State::default());
    }
}
