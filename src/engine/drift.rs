//! Whether a live object still is as it was applied, and who changed it.
//!
//! What is rendered is compared, nothing else: a field that somebody added beside it is theirs.
//! The yardstick is the server's own answer to the apply, so its way of writing a quantity or a
//! default is never taken for drift.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::base::{Time, limits};
use crate::engine::model::{Applied, MANAGER};
use crate::object::diff::differences;
use crate::object::fieldset::{self, Set};
use crate::object::schema::Schema;
use crate::object::{Key, Map, Object, Value};

/// An object that is not as it was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The rendered fields that differ; empty where the object is gone.
    pub fields: Vec<String>,
    /// The field manager that wrote them last, where the live object says.
    pub by: Option<String>,
}

/// Compares `live` with what was applied.
#[must_use]
pub fn look(schema: &Schema, applied: &Applied, live: &Object) -> Option<Drift> {
    let (was, is) = changed_parts(&applied.answer, live);
    // Deleted and made anew by somebody, be it just the same: nothing of it is ours any more, so
    // that a field that leaves the repository would stay.
    let is_another = !live.uid().is_empty() && live.uid() != applied.answer.uid();
    if was == is && !is_another {
        return None;
    }
    let project = |part: &Value| fieldset::project(schema, applied.ty, part, &applied.fields);
    let mut fields: Vec<String> = differences(&project(&was), &project(&is))
        .into_iter()
        .map(|difference| difference.path)
        .collect();
    if is_another {
        fields.push("metadata.uid".to_owned());
    }
    if fields.is_empty() {
        return None;
    }
    Some(Drift { fields, by: last_writer(live, &applied.fields) })
}

/// The parts of metadata that may be rendered.
const METADATA: [&str; 4] = ["labels", "annotations", "finalizers", "ownerReferences"];

/// Both objects without what they have in common and without status: of the usual watch event,
/// which moves status alone, nothing is left.
fn changed_parts(one: &Object, other: &Object) -> (Value, Value) {
    let mut parts = (Map::new(), Map::new());
    let keys: BTreeSet<&Key> = one.0.keys().chain(other.0.keys()).collect();
    for key in keys.into_iter().filter(|key| !matches!(key.as_str(), "metadata" | "status")) {
        put_where_different(&mut parts, key, one.0.get(key), other.0.get(key));
    }
    let mut metadata = (Map::new(), Map::new());
    for key in METADATA {
        let path = ["metadata", key];
        put_where_different(&mut metadata, key, one.at(&path), other.at(&path));
    }
    if metadata.0 != metadata.1 {
        parts.0.insert("metadata".to_owned(), Value::Object(metadata.0));
        parts.1.insert("metadata".to_owned(), Value::Object(metadata.1));
    }
    (Value::Object(parts.0), Value::Object(parts.1))
}

type Json = Map;

fn put_where_different(
    parts: &mut (Json, Json),
    key: &str,
    one: Option<&Value>,
    other: Option<&Value>,
) {
    if one == other {
        return;
    }
    one.map(|value| parts.0.insert(key.to_owned(), value.clone()));
    other.map(|value| parts.1.insert(key.to_owned(), value.clone()));
}

/// The manager, not us, that owns a field of ours by the newest entry.
fn last_writer(live: &Object, ours: &Set) -> Option<String> {
    let text = |entry: &Value, key: &str| {
        entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let owns_ours = |entry: &&Value| {
        let fields = entry.get("fieldsV1").and_then(|fields| Set::from_fields_v1(fields).ok());
        fields.is_some_and(|fields| !fields.intersection(ours).is_empty())
    };
    let entries = live.list(&["metadata", "managedFields"]).iter();
    let others = entries.filter(|entry| text(entry, "manager") != MANAGER);
    let newest = others.filter(owns_ours).max_by_key(|entry| text(entry, "time"))?;
    Some(text(newest, "manager"))
}

/// The corrections of one object, to tell a fight from an accident.
#[derive(Clone, Debug, Default)]
pub struct Corrections {
    at: Vec<Time>,
    pause: Option<Duration>,
    /// How often in a row the API server could not take it.
    failures: u32,
}

/// What to do about a drift now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Correct it at once.
    Now,
    /// Somebody keeps writing: correct it then, and say so.
    Later(Time),
}

impl Corrections {
    /// A correction could not be taken for a reason that passes: how long to wait before it is
    /// sent again, and whether it is time to tell, which is once.
    pub fn again(&mut self) -> (Duration, bool) {
        let pause = limits::CORRECT_AGAIN * 2_u32.saturating_pow(self.failures.min(16));
        self.failures += 1;
        (pause.min(limits::RETRY_MAX), self.failures == limits::CORRECT_TRIES)
    }

    /// A correction was taken.
    pub fn done(&mut self) {
        self.failures = 0;
    }

    /// Counts one more drift at `now` and says when to correct it.
    pub fn next(&mut self, now: Time) -> Turn {
        self.at.retain(|at| now.since(*at) < limits::DRIFT_FIGHT_WINDOW);
        self.at.push(now);
        if self.at.len() <= limits::DRIFT_FIGHT_CORRECTIONS && self.pause.is_none() {
            return Turn::Now;
        }
        if self.at.len() == 1 {
            // The window passed without another write: the fight is over.
            self.pause = None;
            return Turn::Now;
        }
        let pause = self
            .pause
            .map_or(limits::DRIFT_BACKOFF_START, |p| (p * 2).min(limits::DRIFT_BACKOFF_MAX));
        self.pause = Some(pause);
        Turn::Later(now + pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fight_is_backed_off_and_ends_with_the_window() {
        let mut corrections = Corrections::default();
        let mut now = Time::VIRTUAL_START;
        for _ in 0..limits::DRIFT_FIGHT_CORRECTIONS {
            assert_eq!(corrections.next(now), Turn::Now);
            now += Duration::from_millis(100);
        }
        assert_eq!(corrections.next(now), Turn::Later(now + limits::DRIFT_BACKOFF_START));
        now += limits::DRIFT_BACKOFF_START;
        assert_eq!(corrections.next(now), Turn::Later(now + limits::DRIFT_BACKOFF_START * 2));
        now += limits::DRIFT_FIGHT_WINDOW * 2;
        assert_eq!(corrections.next(now), Turn::Now);
    }

    #[test]
    fn a_correction_that_cannot_be_taken_is_put_off_longer_and_longer_and_told_once() {
        let mut corrections = Corrections::default();
        let tries: Vec<(u64, bool)> = (0..8)
            .map(|_| corrections.again())
            .map(|(pause, tell)| (pause.as_secs(), tell))
            .collect();
        let pauses = [1, 2, 4, 8, 16, 30, 30, 30];
        assert_eq!(tries, std::array::from_fn::<_, 8, _>(|n| (pauses[n], n == 4)));
        corrections.done();
        assert_eq!(corrections.again().0, limits::CORRECT_AGAIN);
    }
}
