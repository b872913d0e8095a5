//! One entry of `metadata.managedFields` (R-SSA-22).
//!
//! An entry stays as it is stored until its set has to change: most writes concern the sets of one
//! or two managers, and to read and write those of all the others costs more than the rest of the
//! write. Questions about a stored set are answered from its JSON (`object::fieldset::stored`).
//!
//! Not here: the entries of an object together (`managers`).

use std::borrow::Cow;
use std::sync::LazyLock;

use super::managers::NotManaged;
use crate::object::fieldset::{Path, Set, stored};
use crate::object::{Map, Value};

/// How a manager came to own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Apply,
    Update,
}

/// What tells one entry from another. Ordered as upstream orders its identifiers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ManagerId {
    pub(crate) manager: String,
    pub(crate) operation: Operation,
    /// Empty for an applier, which has one entry whatever version it applies.
    pub(crate) api_version: String,
    pub(crate) subresource: String,
}

impl ManagerId {
    pub(crate) fn new(
        manager: &str,
        operation: Operation,
        api_version: &str,
        subresource: &str,
    ) -> Self {
        let api_version = match operation {
            Operation::Apply => String::new(),
            Operation::Update => api_version.to_owned(),
        };
        let manager = if manager.is_empty() { "unknown" } else { manager };
        Self {
            manager: manager.to_owned(),
            operation,
            api_version,
            subresource: subresource.to_owned(),
        }
    }

    /// As a conflict names it (R-SSA-15).
    pub(crate) fn shown(&self) -> String {
        let mut text = format!("{:?}", self.manager);
        if !self.subresource.is_empty() {
            text = format!("{text} with subresource {:?}", self.subresource);
        }
        match self.operation {
            Operation::Apply => text,
            Operation::Update => format!("{text} using {}", self.api_version),
        }
    }
}

/// An entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// As it is stored; without `fieldsV1` once the set was read.
    map: Map,
    set: Option<Set>,
}

impl Entry {
    /// A new entry; `api_version` is the version that the set is of. No time leaves it out.
    pub(crate) fn new(id: &ManagerId, api_version: &str, set: Set, time: Option<String>) -> Self {
        let operation = match id.operation {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        };
        Self::of(set, |key| match key {
            "manager" => id.manager.as_str(),
            "apiVersion" => api_version,
            "fieldsType" => "FieldsV1",
            "operation" => operation,
            "subresource" => id.subresource.as_str(),
            _ => time.as_deref().unwrap_or_default(),
        })
    }

    /// A new entry whose set is in its stored form already.
    pub(crate) fn of_stored(
        id: &ManagerId,
        api_version: &str,
        fields: Map,
        time: Option<String>,
    ) -> Self {
        let mut entry = Self::new(id, api_version, Set::new(), time);
        entry.set = None;
        entry.store(fields);
        entry
    }

    /// The set in its stored form.
    pub(crate) fn into_fields(self) -> Map {
        match self.encode() {
            Value::Object(mut map) => match map.remove("fieldsV1") {
                Some(Value::Object(fields)) => fields,
                _ => Map::new(),
            },
            _ => Map::new(),
        }
    }

    /// An entry with what `text` says under each key, where that is not empty.
    fn of<'t>(set: Set, text: impl Fn(&'static str) -> &'t str) -> Self {
        // In the order that a map has them in.
        let keys = ["apiVersion", "fieldsType", "manager", "operation", "subresource", "time"];
        let texts =
            keys.into_iter().map(|key| (key, text(key))).filter(|(_, text)| !text.is_empty());
        Self { map: texts.map(|(key, text)| (key, text.into())).collect(), set: Some(set) }
    }

    /// An entry that was written by [`Entry::encode`]; `at` is its place in the list.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn stored(at: usize, value: Value) -> Result<Self, NotManaged> {
        check(at, &value)?;
        match value {
            Value::Object(map) => Ok(Self { map, set: None }),
            _ => Err(NotManaged("expected a map".to_owned())),
        }
    }

    /// An entry from elsewhere.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn read(at: usize, value: &Value) -> Result<Self, NotManaged> {
        check(at, value)?;
        let set = match value.get("fieldsV1") {
            None | Some(Value::Null) => Set::new(),
            Some(fields) => Set::from_fields_v1(fields)
                .map_err(|e| NotManaged(format!("error decoding set: {e}")))?,
        };
        Ok(Self::of(set, |key| text(value, key)))
    }

    fn put(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.map.insert(key, value.into());
        }
    }

    fn text(&self, key: &str) -> &str {
        self.map.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn operation(&self) -> Operation {
        match self.text("operation") {
            "Apply" => Operation::Apply,
            _ => Operation::Update,
        }
    }

    /// The version that the set is of.
    pub(crate) fn api_version(&self) -> &str {
        self.text("apiVersion")
    }

    pub(crate) fn set_api_version(&mut self, version: &str) {
        self.put("apiVersion", version);
    }

    /// Of the last change, RFC 3339; some writes leave it out.
    pub(crate) fn time(&self) -> Option<&str> {
        self.map.get("time").and_then(Value::as_str)
    }

    pub(crate) fn set_time(&mut self, time: Option<String>) {
        match time {
            Some(time) => self.put("time", &time),
            None => drop(self.map.remove("time")),
        }
    }

    pub(crate) fn id(&self) -> ManagerId {
        let (version, subresource) = (self.api_version(), self.text("subresource"));
        let mut id = ManagerId::new("", self.operation(), version, subresource);
        self.text("manager").clone_into(&mut id.manager);
        id
    }

    /// Gives the entry to another manager, who has it for the resource itself.
    pub(crate) fn give_to(&mut self, manager: &str) {
        self.put("manager", manager);
        self.map.remove("subresource");
    }

    /// Whether it is the entry of that id.
    pub(crate) fn is(&self, id: &ManagerId) -> bool {
        self.text("manager") == id.manager
            && self.text("subresource") == id.subresource
            && self.operation() == id.operation
            && (id.operation == Operation::Apply || self.api_version() == id.api_version)
    }

    /// Whether both are of one id.
    pub(crate) fn is_same(&self, other: &Entry) -> bool {
        self.text("manager") == other.text("manager")
            && self.text("subresource") == other.text("subresource")
            && self.operation() == other.operation()
            && (self.operation() == Operation::Apply || self.api_version() == other.api_version())
    }

    /// Operation, time, manager, version, subresource (R-SSA-23).
    pub(crate) fn rank(&self) -> impl Ord + use<'_> {
        let parts = (self.text("manager"), self.api_version(), self.text("subresource"));
        (self.operation(), self.time(), parts)
    }

    /// The set as it is stored; `None` if it was read.
    pub(crate) fn fields(&self) -> Option<&Map> {
        static NONE: LazyLock<Map> = LazyLock::new(Map::new);
        if self.set.is_some() {
            return None;
        }
        Some(self.map.get("fieldsV1").and_then(Value::as_object).unwrap_or(&NONE))
    }

    /// What is owned.
    pub(crate) fn set(&self) -> Cow<'_, Set> {
        match &self.set {
            Some(set) => Cow::Borrowed(set),
            None => Cow::Owned(read_set(self.map.get("fieldsV1"))),
        }
    }

    /// What is owned, to be changed.
    pub(crate) fn set_mut(&mut self) -> &mut Set {
        let fields = &mut self.map;
        self.set.get_or_insert_with(|| read_set(fields.remove("fieldsV1").as_ref()))
    }

    /// Whether nothing is owned.
    pub(crate) fn is_empty(&self) -> bool {
        self.set.as_ref().map_or_else(|| self.fields().is_some_and(Map::is_empty), Set::is_empty)
    }

    /// Whether all of the other set is owned.
    pub(crate) fn contains(&self, other: &Set) -> bool {
        match (self.fields(), &self.set) {
            (Some(fields), _) => stored::contains(fields, other),
            (None, set) => set.as_ref().is_some_and(|set| set.contains(other)),
        }
    }

    /// Whether anything of the other set is owned.
    pub(crate) fn touches(&self, other: &Set) -> bool {
        match (self.fields(), &self.set) {
            (Some(fields), _) => stored::touches(fields, other),
            (None, set) => set.as_ref().is_some_and(|set| !set.intersection(other).is_empty()),
        }
    }

    /// Takes a set from what is owned; a child is not taken with its parent.
    pub(crate) fn give_up(&mut self, other: &Set) {
        if !self.touches(other) {
            return;
        }
        match self.fields().map(|fields| stored::without(fields, other)) {
            Some(rest) => self.store(rest),
            None => self.set_mut().subtract(other),
        }
    }

    /// Adds a set to what is owned.
    pub(crate) fn own(&mut self, other: &Set) {
        if self.contains(other) {
            return;
        }
        match self.fields().map(|fields| stored::with(fields, other)) {
            Some(all) => self.store(all),
            None => *self.set_mut() = self.set().union(other),
        }
    }

    /// Puts another set in its stored form in the place of one that is.
    fn store(&mut self, fields: Map) {
        self.map.insert("fieldsV1", Value::Object(fields));
    }

    /// Whether this is what is owned.
    pub(crate) fn owns_just(&self, other: &Set) -> bool {
        match (self.fields(), &self.set) {
            (Some(fields), _) => {
                stored::contains(fields, other) && stored::len(fields) == other.len()
            }
            (None, set) => set.as_ref() == Some(other),
        }
    }

    /// Whether a path is owned.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.set().has(path)
    }

    /// As it is to be stored.
    pub(crate) fn encode(mut self) -> Value {
        if let Some(set) = &self.set {
            self.map.insert("fieldsV1", set.to_fields_v1());
        }
        Value::Object(self.map)
    }
}

/// A set that was stored can be read; what cannot owns nothing.
fn read_set(fields: Option<&Value>) -> Set {
    fields.and_then(|fields| Set::from_fields_v1(fields).ok()).unwrap_or_default()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What is wrong with an entry, its set apart.
fn check(at: usize, value: &Value) -> Result<(), NotManaged> {
    if !matches!(text(value, "operation"), "Apply" | "Update") {
        return Err(NotManaged("operation must be `Apply` or `Update`".to_owned()));
    }
    if text(value, "apiVersion").is_empty() {
        return Err(NotManaged("apiVersion must not be empty".to_owned()));
    }
    match text(value, "fieldsType") {
        "FieldsV1" => Ok(()),
        "" => Err(NotManaged(format!("missing fieldsType in managed fields entry {at}"))),
        other => {
            let text = format!("invalid fieldsType {other:?} in managed fields entry {at}");
            Err(NotManaged(text))
        }
    }
}
