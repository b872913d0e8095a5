//! The state of a given App: one ConfigMap in `towtank-system`, so that an engine that was killed
//! resumes where it was. Inventory entries past one ConfigMap's share go to numbered ones.
//!
//! Reading and writing are functions between [`State`] and objects; sending is the reconciler's.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::engine::model::InventoryEntry;
pub use crate::engine::model::{LABEL, NAMESPACE, config_map_name};
use crate::object::{Gvr, Object, Value, json};

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

/// A revision that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bad {
    /// The commit.
    pub commit: String,
    /// Digest of what the App's folder read at it: another commit with the same digest is as bad.
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
    /// The last commit that became ready.
    pub last_good: Option<String>,
    /// The commit that failed, until another became ready.
    pub bad: Option<Bad>,
    /// Newest first.
    pub history: Vec<Past>,
    /// Objects that may exist because of this App.
    pub inventory: BTreeSet<InventoryEntry>,
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
    if part == 0 {
        object.set(&["data", "parts"], parts.to_string().into());
        object.set(&["data", "revision"], state.revision.clone().into());
        object.set(&["data", "phase"], state.phase.clone().into());
        object.set(&["data", "message"], state.message.clone().into());
        object.set(&["data", "history"], text(&state.history));
        if let Some(good) = &state.last_good {
            object.set(&["data", "lastGood"], good.clone().into());
        }
        if let Some(bad) = &state.bad {
            object.set(&["data", "bad"], text(bad));
        }
    }
    object
}

fn text(value: &impl Serialize) -> Value {
    Value::String(serde_json::to_string(value).unwrap_or_default())
}

/// Puts the state together from all ConfigMaps of one App, in any order. What cannot be read is
/// left out: an inventory that is too small prunes too little, never too much.
#[must_use]
pub fn from_config_maps<'a>(app: &str, maps: impl Iterator<Item = &'a Object>) -> State {
    let mut state = State::default();
    for map in maps {
        let data = |key: &str| map.text(&["data", key]);
        let entries: BTreeSet<InventoryEntry> = parse(data("inventory")).unwrap_or_default();
        state.inventory.extend(entries);
        if map.name() != config_map_name(app, 0) {
            continue;
        }
        let owned = |key: &str| data(key).unwrap_or_default().to_owned();
        state.revision = owned("revision");
        state.phase = owned("phase");
        state.message = owned("message");
        state.last_good = data("lastGood").map(ToOwned::to_owned);
        state.bad = parse(data("bad"));
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
        let id = ObjectId {
            group: "apps".into(),
            kind: "Deployment".into(),
            namespace: "shop".to_owned(),
            name: format!("d{n}"),
        };
        InventoryEntry { id, version: "v1".to_owned(), bare: false }
    }

    #[test]
    fn a_state_reads_back_from_its_config_maps() {
        let mut state = State {
            revision: "abc".to_owned(),
            phase: "ready".to_owned(),
            last_good: Some("abc".to_owned()),
            bad: Some(Bad { commit: "def".to_owned(), digest: "1".to_owned() }),
            inventory: (0..limits::INVENTORY_ENTRIES_PER_CONFIGMAP + 1).map(entry).collect(),
            ..State::default()
        };
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
